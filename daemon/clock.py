"""One clock for the rules: seconds since the Unix epoch that never go back."""

import time
from datetime import UTC, datetime
from functools import lru_cache


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


def iso(at: float) -> str:
    """``2026-01-01T20:00:00Z``: whole seconds, UTC."""
    return _iso(int(at))


@lru_cache(maxsize=4096)  # those of a long line-up, each time that somebody looks
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
