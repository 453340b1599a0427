"""Samples, judges, keeps and tells, again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from daemon.config.model import Config
from daemon.core.clock import iso
from daemon.health.history import HealthReading, History, as_json
from daemon.health.issues import Thresholds
from daemon.health.reporter import Reporter
from daemon.health.samples import Sampler, SampleSources
from daemon.health.score import WINDOW, judge
from daemon.health.shapes import Current, Monitoring
from statemachine.notices.lasting import SETTLED, Settled

QUIET: Final = frozenset({"nobody_on_air", "obs_unreachable"})
"""Issues that others tell of in the log."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told of each sample."""

    reporter: Reporter | None = None
    publish: Callable[[str, Mapping[str, object]], None] = lambda kind, data: None
    """Takes the kind and the data of an event for those who listen to ``/events``: ``health_changed`` whenever the
    issues have changed for good."""
    beside: Callable[[str], None] = lambda subject: None
    """Called with every sample, and told the session whose bitrate matters to the rules (empty: none)."""


NOBODY: Final = Listeners()


class HealthMonitor:
    """What ``/stream-health``, the metrics and the reports are made of. ``run`` is its task."""

    def __init__(
        self,
        sources: SampleSources,
        config: Callable[[], Config],
        listeners: Listeners = NOBODY,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._view = sources.view
        self._now = sources.now
        self._reporter = listeners.reporter
        self._publish = listeners.publish
        self._beside = listeners.beside
        self._sleep = sleep
        self._sampler = Sampler(sources, scene=lambda: config().obs.scene, period=lambda: config().ingest.reconcile)
        self._settled = Settled(SETTLED)
        self._running = False
        self._failed = False
        self.kept = History(config().health.history)

    # --- the task --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. A sample that cannot be taken is told of once, and the next one is tried."""
        self._running = True
        due = self._now()
        try:
            while True:
                try:
                    await self.once()
                    self._failed = False
                except Exception:
                    if not self._failed:
                        self._failed = True
                        log.exception("Stream health cannot be sampled; retrying")
                interval = self._config().health.interval
                # By the clock, not one wait after the other; but what was missed is not made up for.
                due = max(due + interval, self._now())
                await self._sleep(due - self._now())
        finally:
            self._running = False

    async def once(self) -> HealthReading:
        """Take one sample and do all that follows from it."""
        health = self._config().health
        limits = Thresholds(health.stall, health.low_bitrate)
        view = self._view()
        self._beside(view.measured)
        sample = await self._sampler.take(view)
        recent = [reading.sample for reading in self.kept.since(sample.at - WINDOW)]
        reading = HealthReading(sample, judge([*recent, sample], limits))
        self.kept.add(reading, limits, most=5 * health.interval)
        if self._reporter:
            self._reporter.put(reading)
        if self._settled.see(reading.assessment.issues):
            self._log_change(reading)
        return reading

    def _log_change(self, reading: HealthReading) -> None:
        began, over = self._settled.began, self._settled.over
        score, streamer = round(reading.assessment.score, 1), reading.sample.streamer or None
        if found := [name for name in began if name not in QUIET]:
            log.warning("Stream health: " + ", ".join(found), issues=found, score=score, streamer=streamer)
        if gone := [name for name in over if name not in QUIET]:
            log.info("Stream health: no longer " + ", ".join(gone), issues=gone, score=score, streamer=streamer)
        issues = list(self._settled.issues)
        self._publish("health_changed", {"at": iso(reading.sample.at), "score": score, "issues": issues})

    # --- for the routes --------------------------------------------------------------------------------------

    def current(self) -> Current:
        """The last sample with its score; ``score`` is None before the first one."""
        latest = self.kept.latest
        if latest is None:
            return {"monitoring_active": self._running, "score": None, "issues": []}
        return {"monitoring_active": self._running, **as_json(latest)}

    def rows(self, count: int) -> tuple[bytes, ...]:
        """The last so many, the oldest first, each as JSON."""
        return self.kept.rows(count)

    def status(self) -> Monitoring:
        """How the monitoring itself goes, and what it has seen."""
        health, latest = self._config().health, self.kept.latest
        scores = [reading.assessment.score for reading in self.kept.last(self.kept.capacity)]
        reporter = self._reporter
        return {
            "monitoring_active": self._running,
            "interval": health.interval,
            "samples": self.kept.taken,
            "history": {
                "count": len(self.kept),
                "capacity": self.kept.capacity,
                "lowest_score": round(min(scores), 1) if scores else None,
                "mean_score": round(sum(scores) / len(scores), 1) if scores else None,
            },
            "score": round(latest.assessment.score, 1) if latest else None,
            "issues": list(latest.assessment.issues) if latest else [],
            "since_start": {
                "stalled_seconds": round(self.kept.stalled_seconds, 1),
                "blank_seconds": round(self.kept.blank_seconds, 1),
                "off_air_seconds": round(self.kept.off_air_seconds, 1),
            },
            "limits": {"stall": health.stall, "low_bitrate": health.low_bitrate},
            "reports": {
                "folder": str(reporter.folder) if reporter else None,
                "file": (reporter.file() or None) if reporter else None,
                "problem": reporter.problem if reporter else "",
            },
        }
