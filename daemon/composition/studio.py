"""OBS's side: the adapter, what is watched and written there beside the hand-overs, and who carries commands out."""

from dataclasses import dataclass

from daemon.composition.store import Base
from daemon.composition.tasks import Tasks
from daemon.core.calls import Calls
from daemon.core.dispatcher import Dispatcher, Record
from daemon.core.executor import Executor
from daemon.ingest.kick import Kicker
from daemon.ingest.listing import IngestServer
from daemon.ingest.sessions import SessionDirectory
from daemon.journal.history import handovers
from daemon.obs import ObsAdapter
from daemon.obs.diagnostics import ObsDiagnostics
from daemon.obs.inventory import Origin, stream_of_path
from daemon.obs.output import OutputKeeper
from daemon.obs.overlays import OverlayUpdater


@dataclass(frozen=True, slots=True)
class ObsParts:
    """OBS and what is done with it."""

    obs: ObsAdapter
    output: OutputKeeper
    overlays: OverlayUpdater
    diagnostics: ObsDiagnostics

    def start(self, tasks: Tasks) -> None:
        """What goes on beside the hand-overs; OBS itself is connected later."""
        tasks.start(self.overlays.run(), "overlays")
        tasks.start(self.output.run(), "output")


def make_studio(base: Base, sessions: SessionDirectory) -> ObsParts:
    """As configured."""
    live, store, rules = base.live, base.store, base.rules
    now = rules.clock.now
    obs = ObsAdapter(
        lambda: live.config,
        emit=rules.events.submit,
        now=now,
        origin=Origin(
            # A database that cannot be read keeps no name: nothing is marked then.
            owner=base.acting.mark if base.acting else "" if store.journal.problem else store.journal.id,
            stream_of=lambda url: sessions.stream_of(url) or stream_of_path(url),
            fence=base.acting.fence if base.acting else None,
        ),
    )
    output = OutputKeeper(obs, lambda: live.config.obs.keep_streaming, now)
    obs.observe_output(output.on_event)
    return ObsParts(
        obs=obs,
        output=output,
        overlays=OverlayUpdater(obs, rules.view, lambda: live.config.overlays, now),
        diagnostics=ObsDiagnostics(obs, lambda: live.config.obs.scene, lambda: rules.view().program),
    )


def make_engine(
    base: Base, obs: ObsAdapter, servers: tuple[IngestServer, ...], sessions: SessionDirectory
) -> tuple[Dispatcher, Executor]:
    """Who asks the rules, and who carries out what they say."""
    live, store, rules, acting = base.live, base.store, base.rules, base.acting
    events = rules.events
    kicker = Kicker(servers, (lambda: acting.may_kick(obs)) if acting else None)
    executor = Executor(Calls(obs, kicker, sessions, rules.clock, events.submit, live.redactor.text))
    return Dispatcher(events, rules.director, Record(store.journal, handovers), executor, rules.clock), executor
