"""What was sampled and judged, for as long as memory is given to it."""

import json
import math
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

from daemon.core.clock import iso
from daemon.health.issues import Thresholds, is_blank, is_stalled
from daemon.health.samples import Sample
from daemon.health.score import Assessment
from daemon.health.shapes import HealthSample

WRITTEN_TOGETHER: Final = 10


@dataclass(frozen=True, slots=True)
class HealthReading:
    """A sample and what was made of it."""

    sample: Sample
    assessment: Assessment


class History:
    """The last readings, and totals of all there ever were. ``capacity`` readings are kept."""

    def __init__(self, capacity: int) -> None:
        self._readings: deque[HealthReading] = deque(maxlen=capacity)
        # Written ten at a time, which is cheaper than one by one; thousands of them at once would hold up the loop.
        self._rows: deque[bytes] = deque(maxlen=capacity)
        self._unwritten: list[HealthReading] = []
        self.capacity = capacity
        self.taken = 0
        """Samples since the start."""
        self.stalled_seconds = 0.0
        """Seconds on air without a new picture, since the start. A sample stands for the time since the one before."""
        self.blank_seconds = 0.0
        """Seconds with nobody on air although somebody published, since the start."""
        self.off_air_seconds = 0.0
        """Seconds with nobody on air at all, since the start."""

    def __len__(self) -> int:
        return len(self._readings)

    @property
    def latest(self) -> HealthReading | None:
        """The last one."""
        return self._readings[-1] if self._readings else None

    def add(self, reading: HealthReading, limits: Thresholds, most: float) -> None:
        """One more. ``most`` seconds since the one before are counted at the most: the machine may have slept."""
        before, sample = self.latest, reading.sample
        seconds = min(most, max(0.0, sample.at - before.sample.at)) if before else 0.0
        self.taken += 1
        self.stalled_seconds += seconds * is_stalled(sample, limits)
        self.blank_seconds += seconds * is_blank(sample)
        self.off_air_seconds += seconds * (not sample.input)
        self._readings.append(reading)
        self._unwritten.append(reading)
        if len(self._unwritten) >= WRITTEN_TOGETHER:
            self._write()

    def last(self, count: int) -> tuple[HealthReading, ...]:
        """The last so many, the oldest first."""
        return tuple(islice(self._readings, max(0, len(self._readings) - count), None))

    def rows(self, count: int) -> tuple[bytes, ...]:
        """The same as JSON."""
        self._write()
        return tuple(islice(self._rows, max(0, len(self._rows) - count), None))

    def _write(self) -> None:
        self._rows.extend(json.dumps(as_json(reading)).encode() for reading in self._unwritten)
        self._unwritten.clear()

    def since(self, at: float) -> tuple[HealthReading, ...]:
        """Those from that time on, the oldest first."""
        found: list[HealthReading] = []
        for reading in reversed(self._readings):
            if reading.sample.at < at:
                break
            found.append(reading)
        return tuple(reversed(found))


def as_json(reading: HealthReading) -> HealthSample:
    """One reading as the API tells it: numbers without the noise, null for what is not known."""
    sample, assessment = reading.sample, reading.assessment
    return {
        "at": iso(sample.at),
        "time": round(sample.at, 3),
        "score": round(assessment.score, 1),
        "issues": list(assessment.issues),
        "penalties": {name: round(value, 1) for name, value in assessment.penalties},
        "streamer": sample.streamer or None,
        "input": sample.input or None,
        "waiting": sample.waiting,
        "media": {
            "state": sample.state,
            "cursor": _short(sample.cursor, 0),
            "progress": _short(sample.progress, 3),
            "jitter": _short(sample.jitter, 1),
            "still": _short(sample.still, 3),
            "width": sample.width,
            "height": sample.height,
        },
        "ingest": {"received": sample.received, "bitrate": _short(sample.bitrate, 1)},
        "obs": {
            "connected": sample.connected,
            "fps": _short(sample.fps, 2),
            "render_lag": _short(sample.render_lag, 4),
            "encoder_lag": _short(sample.encoder_lag, 4),
            "dropped": _short(sample.dropped, 4),
            "memory_mb": _short(sample.memory, 1),
            "cpu_percent": _short(sample.cpu, 1),
            "streaming": sample.streaming,
        },
    }


def _short(value: float | None, places: int) -> float | None:
    # JSON has no word for what is no number.
    return None if value is None or not math.isfinite(value) else round(value, places)
