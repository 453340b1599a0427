"""What a recording shows: blanks, freezes, silences, who is seen and heard. Times are seconds into it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BLANK = "(blank)"
"""Shown where the canvas is black."""

UNKNOWN = "(unknown)"
"""Shown or heard where there is something, but nobody's hue or tone: mid-fade, say, or a damaged picture."""

SILENT = "(silent)"
"""Heard where nothing is."""

STARTING = 10
"""OBS 30 and later repeat a recording's first frame: 3 to 9 times on 30.2.3. That is over before anything is cut."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A run of `frames` frames that each repeat the one before; the first of them is shown at `start`."""

    start: float
    frames: int


@dataclass(frozen=True, slots=True)
class SilentSpan:
    """`ms` milliseconds without a sound from `start` on."""

    start: float
    ms: float


@dataclass(frozen=True, slots=True)
class Span:
    """`who` is shown, or heard, from `start` until `end`: a streamer's name, BLANK, UNKNOWN or SILENT."""

    start: float
    end: float
    who: str


@dataclass(frozen=True, slots=True)
class RecordingVerdict:
    """The reading of one recording, or of the part of it between `start` and `end`."""

    path: Path
    fps: float
    start: float
    end: float
    frames: int
    blank_times: tuple[float, ...]
    frozen: tuple[Frozen, ...]
    silences: tuple[SilentSpan, ...]
    shown: tuple[Span, ...]
    heard: tuple[Span, ...]

    @property
    def blank_frames(self) -> int:
        return len(self.blank_times)

    @property
    def longest_freeze(self) -> int:
        """Frames in the longest frozen run that viewers get, 0 where there is none."""
        return max((run.frames for run in self.frozen if not self._starting(run)), default=0)

    @property
    def frozen_frames(self) -> int:
        """Frames in all frozen runs that viewers get together."""
        return sum(run.frames for run in self.frozen if not self._starting(run))

    @property
    def longest_silence(self) -> float:
        """Milliseconds, 0.0 where there is none."""
        return max((silence.ms for silence in self.silences), default=0.0)

    @property
    def seen(self) -> tuple[str, ...]:
        """Who is shown, one after the other."""
        return tuple(span.who for span in self.shown)

    @property
    def sounded(self) -> tuple[str, ...]:
        """Who is heard, one after the other."""
        return tuple(span.who for span in self.heard)

    @property
    def cuts(self) -> tuple[float, ...]:
        """The times at which the one shown changes."""
        return tuple(span.start for span in self.shown[1:])

    def frozen_over(self, frames: int) -> tuple[Frozen, ...]:
        """The frozen runs of more than so many frames that viewers get."""
        return tuple(run for run in self.frozen if run.frames > frames and not self._starting(run))

    def _starting(self, run: Frozen) -> bool:
        """Whether it is what the recording begins with, and not part of the stream: see STARTING."""
        over = round(run.start * self.fps) + run.frames
        first_cut = round(self.cuts[0] * self.fps) if self.cuts else self.frames
        return self.start == 0.0 and round(run.start * self.fps) == 1 and run.frames <= STARTING and over < first_cut

    def summary(self) -> str:
        """A few lines for people."""
        return "\n".join(
            (
                f"{self.frames} frames ({self.end - self.start:.1f} s): {self.blank_frames} blank, "
                f"longest freeze {self.longest_freeze} frames, longest silence {self.longest_silence:.0f} ms",
                f"  seen:  {_line(self.shown)}",
                f"  heard: {_line(self.heard)}",
            )
        )


def _line(spans: Iterable[Span]) -> str:
    return ", ".join(f"{span.who} {span.start:.2f}-{span.end:.2f}" for span in spans) or "nothing"
