"""The HTTP side: everything that the routes use, and the server before them."""

from daemon.composition.ingest import IngestParts
from daemon.composition.pair import Pair
from daemon.composition.store import Base
from daemon.composition.studio import ObsParts
from daemon.composition.watching import ReportSinks
from daemon.http.app import build_app
from daemon.http.dependencies import Control, PairControl
from daemon.http.server import HttpServer


def make_server(
    base: Base, studio: ObsParts, ingest: IngestParts, reports: ReportSinks, shared: Pair | None = None
) -> HttpServer:
    """On the port that is claimed already; it is not served yet."""
    live, store, rules = base.live, base.store, base.rules
    app, gate = build_app(
        Control(
            config=lambda: live.config,
            now=rules.clock.now,
            operator=ingest.operator,
            view=rules.view,
            policy=lambda: rules.view().policy,
            history=store.journal.handovers,
            studio=studio.diagnostics,
            publishing=ingest.publishing,
            refusals=ingest.refusals,
            hub=reports.hub,
            registry=reports.registry,
            health=reports.health,
            desk=reports.desk,
            ready=reports.watching.checks,
            alive=reports.watchdog.is_alive,
            pair=_pair(shared, base, ingest),
            test_notifications=reports.notifier.test,
        )
    )
    return HttpServer(app, gate, store.claim)


def _pair(shared: Pair | None, base: Base, ingest: IngestParts) -> PairControl | None:
    acting = base.acting
    if shared is None or acting is None:
        return None
    return PairControl(
        shared.me.secret,
        owner=lambda: acting.owner(shared.owner()),
        step_down=shared.step_down,
        fleet=shared.fleet,
        take=ingest.letters.take,
    )
