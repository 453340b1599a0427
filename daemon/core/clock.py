"""One clock for the rules: seconds since the Unix epoch that never go back."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final


class Clock:
    """The monotonic clock, anchored to the wall clock once.

    A clock step while the daemon runs moves nothing. ``not_before`` is the last time of an earlier run: after a
    restart time goes on from there even if the wall clock was set back in between.
    """

    def __init__(self, not_before: float = 0.0) -> None:
        self._anchor = max(time.time(), not_before) - time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch, as of this run's anchor."""
        return self._anchor + time.monotonic()


def boot_time() -> float:
    """Seconds since the machine was started, those that it slept included: for what runs out elsewhere meanwhile."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


EARLIEST: Final = 1_735_689_600.0
"""2025: a wall clock that says less has not been set yet."""
LONGEST_AWAY: Final = 365 * 86_400.0
"""Seconds for which a daemon may not have run; more is a clock that was wrong."""
TOLERATED: Final = 60.0
"""Seconds by which the rules' time may be ahead of the wall clock."""
LATEST: Final = 253_402_300_799
"""The last second of the year 9999, which is the last one that can be written."""


def resumed(stored: float, ahead: float, wall: float) -> float:
    """By how many seconds the moments that an earlier run has kept are to be moved, so that they fit the wall clock.

    ``stored`` is the last of them, ``ahead`` by how much the wall clock was ahead of the rules' time then, and ``wall``
    is what it says now. The time for which nobody ran the daemon counts, if that is credible. Mostly it is 0.
    """
    if stored <= 0.0 or wall < EARLIEST:
        return 0.0
    then = stored + ahead
    away = wall - then
    if then < EARLIEST or not 0.0 <= away <= LONGEST_AWAY:
        away = 0.0
    by = wall - (stored + away)
    return by if abs(by) > TOLERATED else 0.0


def iso(at: float) -> str:
    """``2026-01-01T20:00:00Z``: whole seconds, UTC."""
    return _iso(min(max(int(at), 0), LATEST))


@lru_cache(maxsize=4096)  # those of a long line-up, each time that somebody looks
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
