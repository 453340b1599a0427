"""What is heard of a stream, from what ffmpeg's filters say of each tenth of a second of it.

Loudness is EBU R 128's: the mean of the momentary loudness of blocks of 0.4 s that overlap by three quarters, without
those below -70 LUFS, and without those that are 10 LU below the mean of the rest (ITU-R BS.1770-4, gating).
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final

from daemon.core.probing import SoundMeasured

BLOCK: Final = 0.1
"""Seconds of a frame of the filters'."""
QUIET: Final = -60.0
"""LUFS below which there is no sound: it is what the rules call silence."""
LOUD: Final = -50.0
"""dBFS from which on a channel can be compared with the other one."""
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
INTEGRATED: Final = round(300 / BLOCK)
SHORT: Final = round(30 / BLOCK)
PEAKS: Final = round(60 / BLOCK)
COMPARED: Final = round(3 / BLOCK)
CLIPPED: Final = round(5 / BLOCK)
ENOUGH: Final = round(3 / BLOCK)
"""Blocks above the gates before a loudness is told."""
CHANNELS: Final = range(1, 9)
"""As ffmpeg numbers them: 7.1 has eight."""
GONE: Final = 1.0
"""Seconds for which the picture goes on without any sound until there is none."""
FULL, FLAT = -1.0, 6.0
"""dBFS from which on a block's peak is at the top, and dB between its peak and its mean below which its tops are cut
off: of music that is mastered loud it is 8 to 12, of speech more, of a sine 3."""
STEPS: Final = 10
"""Steps of a LU in which loudness is counted."""


class Window:
    """The loudness of the last so many blocks."""

    def __init__(self, blocks: int) -> None:
        self._steps: deque[int | None] = deque()
        self._blocks = blocks
        self._counts: Counter[int] = Counter()

    def add(self, momentary: float) -> None:
        """One more block, in LUFS."""
        step = round(momentary * STEPS) if momentary > ABSOLUTE_GATE else None
        self._steps.append(step)
        if step is not None:
            self._counts[step] += 1
        if len(self._steps) > self._blocks and (oldest := self._steps.popleft()) is not None:
            self._counts[oldest] -= 1
            if not self._counts[oldest]:
                del self._counts[oldest]

    @property
    def loudness(self) -> float | None:
        """In LUFS; None where too little was heard."""
        gate = _mean(self._counts.items())
        if gate is None:
            return None
        loud = [(step, count) for step, count in self._counts.items() if step / STEPS > gate + RELATIVE_GATE]
        return _mean(loud) if sum(count for _, count in loud) >= ENOUGH else None


def _mean(counts: Iterable[tuple[int, int]]) -> float | None:
    power, blocks = 0.0, 0
    for step, count in counts:
        power += count * 10 ** (step / STEPS / 10)
        blocks += count
    return 10 * math.log10(power / blocks) if blocks else None


class Sound:
    """Listens to one stream. Times are of its own clock: its timestamps, in seconds."""

    def __init__(self) -> None:
        self.at: float | None = None
        """Of the last block."""
        self._silent = 0
        """Blocks without sound, in a row. They are counted: the clock may jump."""
        self._level = -math.inf
        self._integrated, self._short = Window(INTEGRATED), Window(SHORT)
        self._peaks: deque[float] = deque(maxlen=PEAKS)
        self._highest = -math.inf
        """dBFS of all samples so far."""
        self._overshoot = 0.0
        """dB by which the true peak is above that of the samples."""
        self._left: deque[float] = deque(maxlen=COMPARED)
        self._right: deque[float] = deque(maxlen=COMPARED)
        self._phases: deque[float] = deque(maxlen=COMPARED)
        self._clipped: deque[bool] = deque(maxlen=CLIPPED)
        self.channels = 0

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """One frame of the filters'; what cannot be, or is missing, is left out."""
        self.at = at
        self._level = level = values.get("r128.M", -math.inf)
        self._integrated.add(level)
        self._short.add(level)
        self._silent = 0 if level > QUIET else self._silent + 1
        peaks = [peak for number in CHANNELS if (peak := values.get(f"astats.{number}.Peak_level")) is not None]
        means = [mean for number in CHANNELS if (mean := values.get(f"astats.{number}.RMS_level")) is not None]
        self.channels = len(means)
        if peaks:
            self._add_peak(max(peaks), values)
            if means:
                self._clipped.append(max(peaks) >= FULL and max(peaks) - max(means) < FLAT)
        if len(means) == 2:
            self._left.append(means[0])
            self._right.append(means[1])
            if (phase := values.get("aphasemeter.phase")) is not None and max(means) > LOUD:
                self._phases.append(phase)

    def _add_peak(self, peak: float, values: Mapping[str, float]) -> None:
        self._peaks.append(peak)
        self._highest = max(self._highest, peak)
        # The filter tells the highest true peak since it began: a pop would hold for the night. So it only says by how
        # much it is above the highest sample, and the samples' peak is taken of the last minute.
        true = max(values.get(f"r128.true_peaks_ch{number - 1}", 0.0) for number in CHANNELS)
        if true > 0 and self._highest > -math.inf:
            self._overshoot = min(6.0, max(0.0, 20 * math.log10(true) - self._highest))

    def measured(self, missing: float = 0.0) -> SoundMeasured:
        """All of it. ``missing`` are the seconds for which its picture has gone on without any sound."""
        gone = missing > GONE
        left, right = _level(self._left), _level(self._right)
        compared = len(self._left) == COMPARED and max(left, right) > LOUD and not gone
        return {
            "level": None if gone or not math.isfinite(self._level) or self._level < -120 else round(self._level, 2),
            "silent_seconds": round(self._silent * BLOCK + (missing if gone else 0.0), 2),
            "short": _rounded(None if gone else self._short.loudness),
            "loudness": _rounded(self._integrated.loudness),
            "peak": _rounded(max(self._peaks) + self._overshoot) if self._peaks and max(self._peaks) > -120 else None,
            "balance": round(max(-120.0, left) - max(-120.0, right), 1) if compared else None,
            "phase": round(sum(self._phases) / len(self._phases), 2) if len(self._phases) == COMPARED else None,
            "clipping": round(sum(self._clipped) / len(self._clipped), 3) if len(self._clipped) == CLIPPED else None,
        }


def _level(decibels: Iterable[float]) -> float:
    """The mean of levels in dB."""
    powers = [10 ** (each / 10) for each in decibels if each > -200]
    return 10 * math.log10(sum(powers) / len(powers)) if powers and sum(powers) > 0 else -math.inf


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
