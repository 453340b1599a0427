"""The benchmark's plots: hand-overs as the recording shows them, hooks under load, growth."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Hand, Result, percentile
from tests.svg import GRID, INK, MUTED, Svg, ticks

OURS, OTHERS, ALONE = "#1f7a4d", "#b4532a", "#6b7785"
TARGET = "#b08900"
P50, P99 = "#3b6fb5", "#1c2f4d"

TITLES = {"ffmpeg_source": "OBS's media source (ffmpeg_source)", "gstreamer-source": "obs-gstreamer (gstreamer-source)"}
SHORT = {"ffmpeg_source": "ffmpeg", "gstreamer-source": "gstreamer"}
FRAME = 1000 / 30


def picture(what: str, book: str) -> str:
    """The name of a plot: of a kind of input, or of hooks or growth, as measured in that book."""
    name = f"hand-overs-{SHORT[what]}" if what in SHORT else what
    return f"{name}-{book.partition('.')[0]}"


def write_plots(found: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """All that can be drawn of what was measured; the files."""
    pictures: dict[str, Svg] = {}
    for book, told in found.items():
        results = [Result.of(plain) for plain in told.get("viewer", [])]
        for kind, title in TITLES.items():
            chosen = [result for result in results if result.kind == kind and result.hands]
            if chosen:
                pictures[picture(kind, book)] = hand_overs(f"{title}, OBS {book}", chosen)
        if told.get("hooks"):
            pictures[picture("hooks", book)] = hooks(told["hooks"])
        if told.get("growth"):
            pictures[picture("growth", book)] = growth(told["growth"])
    for name, svg in pictures.items():
        svg.write(folder / f"{name}.svg")
    return [folder / f"{name}.svg" for name in pictures]


# -- scales ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels, linear or by powers of ten."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Where a value is; what lies beyond an end is drawn at it."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def marks(self, most: int = 5) -> list[float]:
        """Round values to write at the axis."""
        if not self.log:
            return list(ticks(self.low, self.high, most))
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        values = [10.0**power for power in powers]
        if len(values) <= 3:
            values = [value * factor for value in values for factor in (1, 2, 5)]
        return [value for value in values if self.low <= value <= self.high]


def above(values: Sequence[float], least: float) -> float:
    """The end of an axis that has room for all of these."""
    most = max((value for value in values if not math.isnan(value)), default=least)
    return max(least, most * 1.08)


def short(value: float, unit: str = "ms") -> str:
    """A value at an axis: 250 ms, 2 s."""
    if unit == "ms" and value >= 1000:
        return f"{value / 1000:g} s"
    return f"{value:g} {unit}".strip()


# -- hand-overs ------------------------------------------------------------------------------------------------

ROW = 26.0
LABELS = 196.0
Panel = tuple[str, Callable[[Hand], float | None], bool, float]
PANELS: tuple[Panel, ...] = (
    ("request to picture", lambda hand: hand.picture, True, 320.0),
    ("blank", lambda hand: hand.blank * FRAME, False, 190.0),
    ("longest freeze", lambda hand: hand.freeze, False, 190.0),
    ("longest silence", lambda hand: hand.silence, False, 190.0),
)


def hand_overs(title: str, results: Sequence[Result]) -> Svg:
    """A row for each way, a dot for each hand-over, a bar at the median."""
    top = 92.0
    width = LABELS + sum(panel[3] + 26 for panel in PANELS) + 14
    svg = Svg(width, top + ROW * len(results) + 58, title=f"Hand-overs, {title}")
    svg.text(14, 26, f"Hand-overs with {title}", size=17, bold=True)
    svg.text(14, 46, "Each dot is one hand-over in OBS's own recording; the bar is the median.", fill=MUTED)
    bottom = top + ROW * len(results)
    for number, result in enumerate(results):
        y = top + ROW * number
        if number % 2 == 0:
            svg.rect(8, y, width - 16, ROW, fill="#f6f8fa")
        svg.text(LABELS - 12, y + 17, result.name, anchor="end", fill=_colour(result))
    x = LABELS
    for name, value, log, room in PANELS:
        told = [[each for hand in result.hands if (each := value(hand)) is not None] for result in results]
        scale = Scale(10 if log else 0, above([each for values in told for each in values], 100), x, x + room, log=log)
        _panel(svg, scale, name, top, bottom)
        for number, (result, values) in enumerate(zip(results, told, strict=True)):
            _dots(svg, scale, values, top + ROW * number, _colour(result))
            if log and not values:
                svg.text(x + 4, top + ROW * number + 17, "-", fill=MUTED)
        x += room + 26
    x = 14.0
    for words, colour in (("this project", OURS), ("other ways", OTHERS), ("no hand-over at all", ALONE)):
        svg.circle(x + 5, bottom + 42, 4, fill=colour, opacity=0.7)
        svg.text(x + 14, bottom + 46, words, size=11, fill=MUTED)
        x += 130
    return svg


def _panel(svg: Svg, scale: Scale, name: str, top: float, bottom: float) -> None:
    svg.text(scale.start, top - 14, name, size=12, bold=True)
    for mark in scale.marks(3):
        svg.line(scale(mark), top - 6, scale(mark), bottom, stroke=GRID)
        svg.text(scale(mark), bottom + 16, short(mark), size=10.5, fill=MUTED, anchor="middle")


def _dots(svg: Svg, scale: Scale, values: Sequence[float], y: float, colour: str) -> None:
    for number, value in enumerate(values):
        # Spread over the row's height, so that equal ones can be counted.
        off = (number * 7 % 11 - 5) / 5 * (ROW / 2 - 7)
        svg.circle(scale(value), y + ROW / 2 + off, 3, fill=colour, opacity=0.5, tip=short(round(value, 1)))
    if values:
        middle = scale(percentile(values, 0.5))
        svg.line(middle, y + 3, middle, y + ROW - 3, stroke=INK, width=2)


def _colour(result: Result) -> str:
    if result.ours:
        return OURS
    return ALONE if result.name == "no hand-over" else OTHERS


# -- hooks -----------------------------------------------------------------------------------------------------


def hooks(row: Mapping[str, Any]) -> Svg:
    """The answers' times in each second."""
    room, height, top, left = 640.0, 190.0, 96.0, 60.0
    svg = Svg(left + room + 60, top + height + 66, title="Hooks under load")
    svg.text(14, 26, "Hooks under load, while hand-overs run", size=17, bold=True)
    svg.text(14, 46, "Time from a hook to its answer in each second: the median and the 99th percentile.", fill=MUTED)
    everything = [value for second in row["by_second"] for value in second[2:4]]
    across = Scale(0, max(1.0, row["by_second"][-1][0]), left, left + room)
    up = Scale(min(0.5, *everything), above(everything, 100), top + height, top, log=True)
    svg.text(left, top - 14, f"{row['rate']:.0f} a second", size=12, bold=True)
    for mark in up.marks():
        svg.line(left, up(mark), left + room, up(mark), stroke=GRID)
        svg.text(left - 6, up(mark) + 4, short(mark), size=10.5, fill=MUTED, anchor="end")
    for mark in across.marks(6):
        svg.text(across(mark), top + height + 16, f"{mark:g} s", size=10.5, fill=MUTED, anchor="middle")
    svg.line(left, up(25), left + room, up(25), stroke=TARGET, dash="5 4")
    for column, colour in ((2, P50), (3, P99)):
        svg.polyline([(across(each[0]), up(each[column])) for each in row["by_second"]], stroke=colour, width=1.8)
    y = top + height + 46
    legend = (
        ("median", P50, ""),
        ("99th percentile", P99, ""),
        ("25 ms: the aim for the 99th percentile", TARGET, "5 4"),
    )
    x = 60.0
    for words, colour, dash in legend:
        svg.line(x, y - 4, x + 20, y - 4, stroke=colour, width=2, dash=dash)
        svg.text(x + 26, y, words, size=11, fill=MUTED)
        x += 46 + 6.6 * len(words)
    return svg


# -- growth ----------------------------------------------------------------------------------------------------

GROWTH = (
    ("rss", "memory", "MB", 100.0),
    ("cpu", "CPU at rest, on air and standby", "%", 2.0),
    ("start_p50", "start to first answer", "ms", 500.0),
    ("hook_p50", "hook to answer, median", "ms", 5.0),
    ("queue_p50", "GET /queue, median", "ms", 5.0),
    ("skip_p50", "skip to cut, standby, median", "ms", 100.0),
)


def growth(rows: Sequence[Mapping[str, float]]) -> Svg:
    """A small picture for each figure over the number of streamers in the line-up."""
    room, height, top = 210.0, 110.0, 84.0
    svg = Svg(3 * (room + 70) + 20, top + 2 * (height + 66), title="Growth with the line-up")
    svg.text(14, 26, "How it grows with the line-up", size=17, bold=True)
    svg.text(14, 46, "10, 100 and 1,000 streamers queued.", fill=MUTED)
    for number, (key, name, unit, least) in enumerate(GROWTH):
        left = 60 + (room + 70) * (number % 3)
        upper = top + (height + 66) * (number // 3)
        across = Scale(
            rows[0]["streamers"], max(rows[-1]["streamers"], rows[0]["streamers"] * 10), left, left + room, True
        )
        up = Scale(0, above([row[key] for row in rows], least), upper + height, upper)
        svg.text(left - 40, upper - 10, name, size=12, bold=True)
        for mark in up.marks(3):
            svg.line(left, up(mark), left + room, up(mark), stroke=GRID)
            svg.text(left - 6, up(mark) + 4, short(mark, unit), size=10.5, fill=MUTED, anchor="end")
        points = [(across(row["streamers"]), up(row[key])) for row in rows]
        svg.polyline(points, stroke=OURS, width=1.8)
        for row, (x, y) in zip(rows, points, strict=True):
            svg.circle(x, y, 3.5, fill=OURS, tip=f"{row[key]:.1f} {unit}")
            svg.text(x, upper + height + 16, f"{row['streamers']:,.0f}", size=10.5, fill=MUTED, anchor="middle")
    return svg
