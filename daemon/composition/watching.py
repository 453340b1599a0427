"""What watches the show and tells people: health, metrics, notifications, and what is amiss."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.composition.acting import Acting
from daemon.composition.ingest import IngestParts
from daemon.composition.live import Live
from daemon.composition.store import Base, Rules
from daemon.composition.studio import ObsParts
from daemon.composition.watchdog import Watchdog
from daemon.config.types import FIRST_CHANNEL
from daemon.core.ports import Check
from daemon.health.measurements import MeasurementFeed, MeasurementSources
from daemon.health.metrics import HealthMetrics
from daemon.health.monitor import HealthMonitor, Listeners
from daemon.health.reporter import Reporter
from daemon.health.samples import SampleSources
from daemon.http.routes.events import EventHub
from daemon.ingest.sessions import SessionDirectory
from daemon.notify.alerts import Alerts
from daemon.notify.notifier import Notifier
from daemon.notify.troubles import Output, Troubles
from daemon.obs import ObsAdapter
from daemon.obs.diagnostics import check_program
from daemon.observability.metrics import ChannelRegistry, Metrics
from daemon.quality.book import Book
from daemon.quality.desk import Desk
from daemon.quality.feed import Feed
from daemon.shared.membership import Says
from statemachine.view import View

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks."""
PROBE_WITHIN = 30.0
"""Seconds within which a probe that is expected has to report."""


class Watching:
    """``run`` looks once a second at what ends soon, and at what is amiss."""

    def __init__(
        self,
        base: Base,
        studio: ObsParts,
        ingest: IngestParts,
        reports: tuple[HealthMonitor, Book],
        notifier: Notifier,
    ) -> None:
        self._store = base.store
        self._rules = base.rules
        self._studio = studio
        self._reconciler = ingest.reconciler
        self._health, self._book = reports
        self._notifier = notifier
        self._troubles = Troubles(notifier)
        self._live = base.live
        self._acting = base.acting
        self._began = base.rules.clock.now()
        self._is_measured = False

    def checks(self, seen: View | None = None) -> Sequence[Check]:
        """What has to be well for ``/readyz`` to be so, of the rules as ``seen`` or as they are now."""
        unreachable = self._reconciler.unreachable
        info, journal, keys = self._studio.obs.info, self._store.journal, self._store.keys
        return (
            Check("obs", info.connected, info.reason),
            check_program((seen or self._rules.view()).program),
            Check("journal", not journal.trouble, journal.trouble or journal.notice),
            Check("keys", not keys.problem, keys.problem),
            Check("ingest", not unreachable, f"no answer from {', '.join(unreachable)}" if unreachable else ""),
            *self._check_probe(),
            *(self._acting.checks() if self._acting is not None else ()),
        )

    def _tell_of_the_probe(self) -> None:
        book = self._book
        is_measured = book.reported_at is not None and book.quiet_for(self._began) <= PROBE_WITHIN
        if is_measured and not self._is_measured:
            log.info("A probe measures the streams")
        elif self._is_measured and not is_measured:
            log.warning("No probe reports any more: the sound and picture of the streams are not measured")
        self._is_measured = is_measured

    def _check_probe(self) -> Iterator[Check]:
        """Where one is expected. The show goes on without it."""
        if self._live.config.probe.enabled == "on":
            missing = self._book.quiet_for(self._began) > PROBE_WITHIN
            yield Check("probe", not missing, "it does not report: start motherstream-probe" if missing else "")

    async def run(self) -> None:
        """Until cancelled."""
        notifier, output, store = self._notifier, self._studio.output, self._store
        while True:
            seen = self._rules.view()
            notifier.look(seen)
            told = Output(output.status, output.rules.state)
            self._troubles.look(seen, self.checks(seen), self._health.kept.latest, told)
            store.alone.look(notifier.trouble, notifier.recovered)
            self._tell_of_the_probe()
            for number, news in store.journal.news.take():
                notifier.trouble(f"database {number}", news)
            await asyncio.sleep(LOOK_EVERY)


@dataclass(frozen=True, slots=True)
class ReportSinks:
    """What people, and those who watch over the daemon, hear of it by."""

    hub: EventHub
    registry: CollectorRegistry
    health: HealthMonitor
    desk: Desk
    watching: Watching
    watchdog: Watchdog
    notifier: Notifier


def make_desk(base: Base, ingest: IngestParts, sessions: SessionDirectory, book: Book) -> Desk:
    """Where a probe reports."""
    rules, reconciler = base.rules, ingest.reconciler
    feed = Feed(
        rules.events.submit, rules.clock.now, listed=lambda session: reconciler.received_bytes(session) is not None
    )
    return Desk(lambda: base.live.config.probe, rules.view, (sessions.find, sessions.play_url), book, feed)


def make_health(
    base: Base, studio: ObsParts, ingest: IngestParts, reports: tuple[EventHub, Book], stack: contextlib.AsyncExitStack
) -> HealthMonitor:
    """The monitor, which measures for the rules as well."""
    hub, book = reports
    live, rules = base.live, base.rules
    obs, reconciler, now = studio.obs, ingest.reconciler, rules.clock.now

    def received(session_id: str) -> int | None:
        # A counter that nobody reads stands still.
        return None if reconciler.unreachable else reconciler.received_bytes(session_id)

    feed = MeasurementFeed(
        rules.events.submit,
        now,
        MeasurementSources(
            received=received,
            period=lambda: live.config.ingest.reconcile,
            stats=lambda: obs.stats if obs.info.connected else {},
            probed=book.kbps,
        ),
    )
    reporter = None
    if live.config.health.report_dir is not None:
        reporter = Reporter(live.config.health.report_dir)
        reporter.start()
        stack.push_async_callback(reporter.stop)
    sources = SampleSources(obs, rules.view, received, now, output=lambda: studio.output.status, probed=book.fresh)
    return HealthMonitor(sources, lambda: live.config, Listeners(reporter, hub.publish, feed.look))


def make_metrics(base: Base, studio: ObsParts, health: HealthMonitor) -> tuple[CollectorRegistry, Metrics]:
    """Prometheus's, and what counts into it."""
    registry = ChannelRegistry(base.live.config.channel)
    HealthMetrics(registry, health)
    if base.acting is not None:
        PairMetrics(registry, base.acting)
    return registry, Metrics(registry, base.rules.view, lambda: studio.obs.info.connected)


class PairMetrics(Collector):
    """Where the channel is shared."""

    def __init__(self, registry: CollectorRegistry, acting: Acting) -> None:
        self._acting = acting
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """As it is now."""
        acting = self._acting
        for name, text, value in (
            ("owner", "1 at the daemon that owns the channel, else 0", 1.0),
            ("epoch", "Rises with each owner of the channel", acting.tenure.claim.epoch),
            ("heir", "1 while another daemon is there to take over", float(acting.membership.heir is not None)),
            ("store_up", "1 while the shared store answers", float(not acting.membership.problem)),
            ("shipping_lag_events", "Events that the shared store has not taken yet", acting.shipping.lag),
        ):
            yield GaugeMetricFamily(f"motherstream_{name}", text, value=value)


def says(rules: Rules, obs: ObsAdapter, watching: "Watching", acting: Acting) -> Says:
    """What the owner tells of itself with each beat."""

    def body() -> dict[str, Any]:
        view = rules.view()
        on_air = view.on_air.streamer if view.on_air else None
        return {
            "role": "owner",
            "state": view.state.value,
            "on_air": on_air,
            "next": next((place.streamer for place in view.queue if place.streamer != on_air), None),
            "problems": [check.name for check in watching.checks(view) if not check.ok],
            "lag": acting.shipping.lag,
        }

    return Says(lambda: obs.info.connected, rules.clock.now, body)


def make_notifier(live: Live, stack: contextlib.AsyncExitStack) -> Notifier:
    """Running; what it still has to send is sent at the end."""
    watch = Alerts(turn_when_alone=lambda: live.config.queue.turn_when_alone)
    channel = live.config.channel
    # Several channels may share a target.
    head = "" if channel == FIRST_CHANNEL else f"[{channel}] "
    notifier = Notifier(notify_urls(live), watch=watch, redact=lambda text: head + live.redactor.text(text))
    notifier.start()
    stack.push_async_callback(notifier.stop)
    return notifier


def notify_urls(live: Live) -> list[str]:
    """Whom notifications go to."""
    return [url.get_secret_value() for url in live.config.notify.urls]
