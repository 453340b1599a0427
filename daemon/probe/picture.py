"""What is seen of a stream, from what ffmpeg's filters say of each picture of it that is looked at."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from daemon.core.probing import PictureMeasured
from statemachine.monitors.quantities import QUANTITIES

GAP_MOST: Final = 10.0
"""Seconds that count, at most, between two looks: the clock may jump."""
GAPS: Final = 5
"""Distances between key frames of which the middle one is told."""


class Picture:
    """Looks at one stream. Times are of its own clock: its timestamps, in seconds."""

    def __init__(self) -> None:
        self.at: float | None = None
        """Of the last look."""
        self._lights: deque[float] = deque(maxlen=2)
        self._black = 0.0
        """Seconds for which it has been black."""
        self._motion: float | None = None
        self._still = 0.0
        """Seconds for which nothing has moved."""
        self._gaps: deque[float] = deque(maxlen=GAPS)

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """One picture. Of two whose times go back, nothing is said of what lies between them."""
        light, motion = values.get("signalstats.YHIGH"), values.get("signalstats.YDIF")
        if light is None:
            return
        before, self.at = self.at, at
        if before is None or at < before:
            self._black = self._still = 0.0
            self._motion = None
        elif motion is not None:
            gap = at - before
            self._gaps.append(gap)
            self._motion = motion
            self._still = self._still + min(gap, GAP_MOST) if QUANTITIES["motion"].is_amiss(motion) else 0.0
            self._black += min(gap, GAP_MOST)
        # Of two looks: a dark one by itself is a cut from one scene to the next.
        self._lights.append(light)
        if not QUANTITIES["light"].is_amiss(self._lights[0]):
            self._black = 0.0

    @property
    def gap(self) -> float | None:
        """Seconds between two looks."""
        return sorted(self._gaps)[len(self._gaps) // 2] if self._gaps else None

    def measured(self) -> PictureMeasured | None:
        """All of it; None before the first look."""
        if self.at is None:
            return None
        return {
            "light": max(self._lights),
            "black_seconds": round(self._black, 2),
            "motion": None if self._motion is None else round(self._motion, 3),
            "still_seconds": round(self._still, 2),
        }
