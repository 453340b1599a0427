"""Numbers out of samples, /proc and recordings. Pure."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from daemon.studio import RecordingVerdict

MARK = "(mark)"
"""The name under which a recording shows the mark that ties its time to the clock's."""


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that so large a share of the values does not exceed. NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 95th percentile and the worst."""

    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of these values; NaN throughout where there are none."""
        return cls(percentile(values, 0.50), percentile(values, 0.95), percentile(values, 1.0))


def rise(points: Sequence[tuple[float, float]]) -> float:
    """By how much the straight line of least squares through the points rises from the first to the last."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    return slope * (points[-1][0] - points[0][0])


# -- /proc -----------------------------------------------------------------------------------------------------


def cpu_ticks(stat: str) -> int:
    """Ticks of CPU time that a process has used, from its /proc/PID/stat; proc(5), fields 14 and 15."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_mb(status: str) -> float:
    """Megabytes of a process in memory, from its /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024.0
    raise ValueError("there is no VmRSS: the process has ended")


def cpu_model(cpuinfo: str) -> str:
    """The first processor's name, from /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return " ".join(value.split())
    return "unknown processor"


def metric(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that bear these labels, from Prometheus's text."""
    total = 0.0
    for line in text.splitlines():
        head, _, value = line.rpartition(" ")
        if (head == name or head.startswith(f"{name}{{")) and all(f'{k}="{v}"' in head for k, v in labels.items()):
            total += float(value)
    return total


# -- recordings ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """A hand-over that was asked for: when, by the monotonic clock, and whose picture was to come."""

    at: float
    to: str
    own_seconds: float | None = None
    """What the way itself says it took."""


@dataclass(frozen=True, slots=True)
class Hand:
    """What a recording shows of one hand-over, from the request to the next one. Milliseconds, but for frames."""

    to: str
    picture: float | None
    """From the request to the first frame of the one to come; None where that was never seen."""
    blank: int
    freeze: float
    """The longest row of frames that repeat the one before."""
    silence: float
    own: float | None = None


@dataclass(slots=True)
class Block:
    """The hand-overs of one recording."""

    hands: list[Hand] = field(default_factory=list)
    seconds: float = 0.0
    obs_cpu: float = 0.0
    """Percent of one core."""
    daemon_cpu: float | None = None
    lagged: int = 0
    """Frames that OBS rendered late, which are shown as repeated ones."""
    rendered: int = 0
    mark_spread: float = 0.0
    """Milliseconds between what the marks say of when the recording began: what its times are good for."""
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    """The daemon's states: seconds spent in each, and how often it was left."""


def offsets(verdict: RecordingVerdict, marks: Sequence[float]) -> list[float]:
    """Recording time less clock time, by the first mark and the last: the showing and the hiding of each.

    `marks` are those four moments by the clock. Between the two, colours that are faded into each other may pass for
    the mark's. Raises ValueError where two marks are not seen.
    """
    spans = [span for span in verdict.shown if span.who == MARK]
    if len(spans) < 2:
        raise ValueError(f"the recording shows {len(spans)} of two marks")
    seen = [edge for span in (spans[0], spans[-1]) for edge in (span.start, span.end)]
    return [edge - at for edge, at in zip(seen, marks, strict=True)]


def hands_of(verdict: RecordingVerdict, asks: Sequence[Ask], end: float, offset: float) -> list[Hand]:
    """Each hand-over's share of the recording: from its request to the next one, the last one's to `end`.

    `offset` is recording time less clock time, `end` the clock's time.
    """
    times = [ask.at + offset for ask in asks] + [end + offset]
    return [
        Hand(
            to=ask.to,
            picture=_picture(verdict, ask.to, start, stop),
            blank=sum(1 for at in verdict.blank_times if start <= at < stop),
            freeze=max(
                (run.frames / verdict.fps * 1000 for run in verdict.frozen if start <= run.start < stop), default=0
            ),
            silence=max((silence.ms for silence in verdict.silences if start <= silence.start < stop), default=0.0),
            own=None if ask.own_seconds is None else ask.own_seconds * 1000,
        )
        for ask, start, stop in zip(asks, times, times[1:], strict=False)
    ]


def _picture(verdict: RecordingVerdict, to: str, start: float, stop: float) -> float | None:
    # A frame is shown from its start on, so a change is seen up to one frame before the clock says it was made.
    frame = 1.0 / verdict.fps
    spans = [span for span in verdict.shown if span.who == to]
    index = bisect_left([span.start for span in spans], start - frame)
    if index == len(spans) or spans[index].start >= stop:
        return None
    return max(0.0, (spans[index].start - start) * 1000)


def middle(values: Sequence[float]) -> tuple[float, float]:
    """The median, and how far the furthest two are apart."""
    return median(values), max(values) - min(values)


@dataclass(slots=True)
class Result:
    """All blocks of one way."""

    name: str
    kind: str
    ours: bool
    blocks: list[Block] = field(default_factory=list)

    @property
    def hands(self) -> list[Hand]:
        """Every hand-over."""
        return [hand for block in self.blocks for hand in block.hands]

    @property
    def pictures(self) -> list[float]:
        """Milliseconds from request to picture, of those that came to one."""
        return [hand.picture for hand in self.hands if hand.picture is not None]

    @property
    def obs_cpu(self) -> float:
        """Percent of a core, over all blocks."""
        seconds = sum(block.seconds for block in self.blocks)
        return sum(block.obs_cpu * block.seconds for block in self.blocks) / seconds if seconds else math.nan

    @property
    def lagged_share(self) -> float:
        """Frames rendered late, of all."""
        rendered = sum(block.rendered for block in self.blocks)
        return sum(block.lagged for block in self.blocks) / rendered if rendered else math.nan

    def phase(self, state: str) -> float:
        """Milliseconds that the daemon spends in a state at a time; NaN where it never did."""
        told = [block.phases[state] for block in self.blocks if state in block.phases]
        count = sum(times for _, times in told)
        return sum(seconds for seconds, _ in told) / count * 1000 if count else math.nan

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Result":
        """From what JSON keeps of one."""
        blocks = [
            Block(
                **{
                    **block,
                    "hands": [Hand(**hand) for hand in block["hands"]],
                    "phases": {state: (told[0], told[1]) for state, told in block["phases"].items()},
                }
            )
            for block in plain["blocks"]
        ]
        return cls(plain["name"], plain["kind"], plain["ours"], blocks)
