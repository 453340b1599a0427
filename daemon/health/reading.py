"""What OBS's and the ingest server's figures mean: from counters to rates. No clock and no I/O."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from daemon.core.readings import Look, count, number

STEPS: Final = 10
"""Looks over which the jitter is averaged."""
SRS_PERIOD: Final = 3.0
"""Seconds between two moves of SRS's recv_bytes (measured with 5.0.216): a standstill shorter than that proves none."""
SLACK: Final = 0.5
"""Seconds that a reading may come late."""
LEAST_FED: Final = 1000
"""Bytes that players' acknowledgements do not come to, which SRS counts as received, too."""
MOST_LOOKBACK: Final = 5
"""Moves of the counter that a bitrate is averaged over."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What OBS's renderer and encoder did between two readings of GetStats."""

    fps: float | None = None
    render_lag: float | None = None
    """Share of the frames that the renderer skipped, 0 to 1."""
    encoder_lag: float | None = None
    """Share of the frames that the encoder skipped, 0 to 1."""
    memory: float | None = None
    """Megabytes."""
    cpu: float | None = None
    """Percent."""


class StatsReader:
    """Compares one answer to GetStats with the one before.

    The heartbeat asks more rarely than samples are taken: an answer that was seen already changes nothing.
    """

    def __init__(self) -> None:
        self._last: Mapping[str, Any] = {}
        self._drawn = Drawn()

    def read(self, stats: Mapping[str, Any]) -> Drawn:
        """As of this answer."""
        if stats is not self._last:
            last, self._last = self._last, stats
            self._drawn = Drawn(
                fps=number(stats.get("activeFps")),
                render_lag=share(last, stats, "renderSkippedFrames", "renderTotalFrames"),
                encoder_lag=share(last, stats, "outputSkippedFrames", "outputTotalFrames"),
                memory=number(stats.get("memoryUsage")),
                cpu=number(stats.get("cpuUsage")),
            )
        return self._drawn

    def forget(self) -> None:
        """OBS was lost: what comes next is not to be compared with what came before."""
        self._last, self._drawn = {}, Drawn()


class DropReader:
    """Compares one answer to GetStreamStatus with the one before: frames that the network did not take."""

    def __init__(self) -> None:
        self._last: Mapping[str, Any] = {}
        self._dropped: float | None = None

    def read(self, status: Mapping[str, Any]) -> float | None:
        """Share of the frames that were dropped, 0 to 1; None while nothing is sent."""
        if status is not self._last:
            last, self._last = self._last, status
            sent = status.get("outputActive") is True
            self._dropped = share(last, status, "outputSkippedFrames", "outputTotalFrames") if sent else None
        return self._dropped


def share(before: Mapping[str, Any], after: Mapping[str, Any], part: str, whole: str) -> float | None:
    """How much of ``whole``'s growth ``part`` is, 0 to 1; None where there was none, or the counters began anew."""
    parts, wholes = (
        (count(before.get(part)), count(after.get(part))),
        (count(before.get(whole)), count(after.get(whole))),
    )
    if parts[0] is None or parts[1] is None or wholes[0] is None or wholes[1] is None:
        return None
    grown, skipped = wholes[1] - wholes[0], parts[1] - parts[0]
    if grown <= 0 or skipped < 0:
        return None
    return min(1.0, skipped / grown)


@dataclass(frozen=True, slots=True)
class Motion:
    """How an input's cursor moves."""

    progress: float | None = None
    """Seconds of media a second, between the last two looks that were sampled; 1 is as it should be."""
    jitter: float | None = None
    """Milliseconds by which the cursor strayed from the clock between two samples, on the average of the last ones."""
    still: float = 0.0
    """Seconds that it has not moved."""


class MotionReader:
    """Compares one look at an input with the one before."""

    def __init__(self) -> None:
        self._input = ""
        self._last: Look | None = None
        self._moved_at = 0.0
        self._strayed: deque[float] = deque(maxlen=STEPS)
        self._motion = Motion()

    def read(self, name: str, look: Look | None) -> Motion:
        """As of this look at the input of that name; one that was seen already changes nothing."""
        if name != self._input:
            self._input, self._last, self._motion = name, None, Motion()
            self._strayed.clear()
        last = self._last
        if look is None or (last is not None and look.at <= last.at):
            return self._motion
        self._last = look
        if last is None or last.cursor is None or look.cursor is None:
            self._moved_at = look.at
            return self._motion
        seconds, step = look.at - last.at, look.cursor - last.cursor
        if step != 0:
            self._moved_at = look.at
        progress = None
        if step >= 0:  # back is a stream that began anew
            progress = step / (1000 * seconds)
            self._strayed.append(abs(step - 1000 * seconds))
        jitter = sum(self._strayed) / len(self._strayed) if self._strayed else None
        self._motion = Motion(progress, jitter, look.at - self._moved_at)
        return self._motion


class FlowReader:
    """Bytes received to kbit/s.

    The counter moves in jumps, each as old as the server's own period and ours of asking it. So only its moves are
    counted, over the last few of them; and it has stopped only once both periods have gone by without one.
    """

    def __init__(self) -> None:
        self._key = ""
        self._total: int | None = None
        self._seen_at = 0.0
        self.fed_at: float | None = None
        """When the counter was last seen to grow by what only a publisher sends; None while it was not."""
        self._moves: deque[tuple[float, int]] = deque(maxlen=MOST_LOOKBACK)

    def read(self, key: str, at: float, total: int | None, period: float) -> float | None:
        """kbit/s at the time ``at``; None while not known.

        ``key`` names the publisher, ``total`` is the counter (None: nobody knows), ``period`` the seconds between two
        lists of the server's.
        """
        last = self._total
        if total is None or last is None or key != self._key or total < last:
            self._key, self._total, self._seen_at, self.fed_at = key, total, at, None
            self._moves.clear()
            return None
        if total - last >= LEAST_FED:
            self.fed_at = at
        if total > last:
            self._total, self._seen_at = total, at
            self._moves.append((at, total))
        if at - self._seen_at > period + SRS_PERIOD + SLACK:
            return 0.0
        (first_at, first), (last_at, final) = (self._moves[0], self._moves[-1]) if self._moves else ((at, 0), (at, 0))
        if last_at <= first_at:
            return None
        return (final - first) * 8 / 1000 / (last_at - first_at)
