"""Tells the rules what the health of the show is made of: the bitrate that comes in, and how OBS renders.

It only measures. What a poor bitrate or a late renderer is, and what is done about it, the rules say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from daemon.core.readings import count
from daemon.health.reading import FlowReader
from statemachine import events as ev

AGAIN: Final = 10.0
"""Seconds after which a bitrate is told again though it has not changed."""
WINDOW: Final = 10.0
"""Seconds that one report of OBS's renderer spans, at least: each event is kept in the journal."""


@dataclass(frozen=True, slots=True)
class MeasurementSources:
    """What is measured, each of it asked for anew with every look."""

    received: Callable[[str], int | None]
    """The bytes that were received of a session by its server's last list (None: not known)."""
    period: Callable[[], float]
    """The seconds between two such lists."""
    stats: Callable[[], Mapping[str, Any]]
    """GetStats as of OBS's last heartbeat, empty where OBS is not connected."""
    probed: Callable[[str], float | None] = lambda session: None
    """kbit/s of a session as a probe sees them (None: nobody looks)."""


class MeasurementFeed:
    """``look`` is called with every sample."""

    def __init__(
        self, submit: Callable[[ev.Event], None], now: Callable[[], float], measured: MeasurementSources
    ) -> None:
        self._submit = submit
        self._now = now
        self._received = measured.received
        self._period = measured.period
        self._stats = measured.stats
        self._probed = measured.probed
        self._flow = FlowReader()
        self._told: tuple[str, float | None, float] = ("", None, 0.0)
        self._since: tuple[float, int, int] | None = None
        self._seen: Mapping[str, Any] = {}

    def look(self, subject: str) -> None:
        """Tell what there is to tell. ``subject`` is the session whose bitrate matters to the rules (empty: none)."""
        at = self._now()
        self._bitrate(at, subject)
        self._rendered(at)

    def _bitrate(self, at: float, session: str) -> None:
        received = self._received(session) if session else None
        kbps = self._flow.read(session, at, received, self._period())
        if received is None and session and (probed := self._probed(session)) is not None:
            kbps = float(round(probed, -1))  # so that it is told when it changes, and not with every look
        known, last, told_at = self._told
        if session != known:
            last = None  # the rules know nothing of it yet
        if kbps == last and (kbps is None or at - told_at < AGAIN):
            self._told = (session, last, told_at)
            return
        self._told = (session, kbps, at)
        self._submit(ev.BitrateMeasured(at, session, kbps))

    def _rendered(self, at: float) -> None:
        stats = self._stats()
        if stats is self._seen:
            return
        self._seen = stats
        total, late = count(stats.get("renderTotalFrames")), count(stats.get("renderSkippedFrames"))
        if total is None or late is None:
            self._since = None
            return
        if self._since is None or total < self._since[1] or late < self._since[2]:
            self._since = (at, total, late)  # OBS was started anew
            return
        began, frames, skipped = self._since
        if at - began >= WINDOW and total > frames:
            self._submit(ev.ObsRendered(at, at - began, total - frames, min(late - skipped, total - frames)))
            self._since = (at, total, late)
