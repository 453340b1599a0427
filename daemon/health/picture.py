"""The curve of an hour as an SVG: score, bitrate, pace, and below them each issue where it was.

Written here rather than with a library: it is polylines and text, and the libraries that draw them bring a hundred
megabytes or a second's import to a daemon that has to be small.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

GAP: Final = 10.0
"""Seconds without a sample that break the curve."""
WIDTH: Final = 1000
LEFT: Final = 150
RIGHT: Final = 20
TOP: Final = 60
PANEL: Final = 120
LANE: Final = 18
SPACE: Final = 34
LETTER: Final = 7.5
"""Pixels of a letter, at the most of most."""
_PLOT: Final = WIDTH - LEFT - RIGHT
_STYLE: Final = (
    "svg{background:#fff;color:#1b1f24;font:12px system-ui,sans-serif}text{fill:currentColor}"
    ".title{font-size:16px;font-weight:600}.grid{stroke:#d8dee4}.axis{stroke:#57606a}.turn{stroke:#8250df;"
    "stroke-dasharray:3 3}.turn-name{fill:#8250df}polyline{fill:none;stroke-width:1.5}.score{stroke:#1a7f37}"
    ".bitrate{stroke:#0969da}.pace{stroke:#bc4c00}.issue{fill:#cf222e}"
    "@media (prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.grid{stroke:#30363d}"
    ".turn,.turn-name{stroke:#d2a8ff}.turn-name{stroke:none;fill:#d2a8ff}}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One sample, as much of it as is drawn. ``at`` in seconds since the epoch."""

    at: float
    score: float
    bitrate: float | None = None
    pace: float | None = None
    issues: tuple[str, ...] = ()
    streamer: str = ""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    style: str
    top: float
    most: float
    value: Callable[[Point], float | None]


def draw(title: str, points: Sequence[Point], begin: float, seconds: float) -> str:
    """The picture of the time from ``begin`` on, so many seconds long. ``points`` are in order."""
    shown = [point for point in points if begin <= point.at < begin + seconds]
    rate = max((point.bitrate for point in shown if point.bitrate is not None), default=0.0)
    panels = (
        _Panel("Score", "score", TOP, 100.0, lambda point: point.score),
        _Panel("Bitrate, kbit/s", "bitrate", TOP + PANEL + SPACE, _round_up(rate), lambda point: point.bitrate),
        _Panel("Pace of the picture", "pace", TOP + 2 * (PANEL + SPACE), 2.0, lambda point: point.pace),
    )
    lanes = sorted({issue for point in shown for issue in point.issues})
    lanes_top = TOP + 3 * (PANEL + SPACE)
    height = lanes_top + max(1, len(lanes)) * LANE + 50

    def x(at: float) -> float:
        return LEFT + _PLOT * (at - begin) / seconds

    body = [
        f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>',
        *_grid(begin, seconds, height, x),
        *(line for panel in panels for line in _panel(panel, shown, x)),
        *_turns(shown, lanes_top, x),
        *_lanes(lanes, shown, lanes_top, x),
        f'<text x="{LEFT + _PLOT / 2:.0f}" y="{height - 8}" text-anchor="middle">Time, UTC</text>',
    ]
    inner = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img"><title>{escape(title)}</title><style>{_STYLE}</style>\n{inner}\n</svg>\n'
    )


def _grid(begin: float, seconds: float, height: float, x: Callable[[float], float]) -> Iterator[str]:
    for part in range(7):
        at = begin + seconds * part / 6
        clock = datetime.fromtimestamp(at, UTC).strftime("%H:%M")
        yield f'<line class="grid" x1="{x(at):.1f}" y1="{TOP}" x2="{x(at):.1f}" y2="{height - 40}"/>'
        yield f'<text x="{x(at):.1f}" y="{height - 25}" text-anchor="middle">{clock}</text>'


def _panel(panel: _Panel, points: Sequence[Point], x: Callable[[float], float]) -> Iterator[str]:
    bottom = panel.top + PANEL
    yield f'<line class="axis" x1="{LEFT}" y1="{panel.top}" x2="{LEFT}" y2="{bottom}"/>'
    yield f'<line class="axis" x1="{LEFT}" y1="{bottom}" x2="{WIDTH - RIGHT}" y2="{bottom}"/>'
    yield f'<text x="10" y="{panel.top + PANEL / 2:.0f}">{escape(panel.title)}</text>'
    for value in (0.0, panel.most / 2, panel.most):
        y = bottom - PANEL * value / panel.most
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    for run in _runs(points, panel.value):
        dots = " ".join(f"{x(at):.1f},{bottom - PANEL * min(value, panel.most) / panel.most:.1f}" for at, value in run)
        yield f'<polyline class="{panel.style}" points="{dots}"/>'


def _runs(points: Sequence[Point], value: Callable[[Point], float | None]) -> Iterator[list[tuple[float, float]]]:
    """The curve in pieces: broken where nothing is known."""
    run: list[tuple[float, float]] = []
    for point in points:
        found = value(point)
        if run and (found is None or point.at - run[-1][0] > GAP):
            yield run
            run = []
        if found is not None:
            run.append((point.at, max(0.0, found)))
    if run:
        yield run


def _turns(points: Sequence[Point], bottom: float, x: Callable[[float], float]) -> Iterator[str]:
    """A line where another streamer came on air, with the name where there is room for it."""
    last, free = None, 0.0
    for point in points:
        if point.streamer != last:
            last = point.streamer
            at = x(point.at)
            yield f'<line class="turn" x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{bottom}"/>'
            name = last[:24]
            room = LETTER * len(name)
            left = min(at + 3, WIDTH - room)
            if name and left >= free:
                free = left + room
                yield f'<text class="turn-name" x="{left:.1f}" y="{TOP - 10}">{escape(name)}</text>'


def _lanes(lanes: Sequence[str], points: Sequence[Point], top: float, x: Callable[[float], float]) -> Iterator[str]:
    """Each issue on a line of its own, marked where it was."""
    if not lanes:
        yield f'<text x="10" y="{top + 12}">No issues</text>'
    for row, name in enumerate(lanes):
        y = top + row * LANE
        yield f'<text x="10" y="{y + 12}">{escape(name)}</text>'
        for begin, end in _spans(name, points):
            width = max(2.0, x(end) - x(begin))
            yield f'<rect class="issue" x="{x(begin):.1f}" y="{y + 3}" width="{width:.1f}" height="10"/>'


def _spans(name: str, points: Sequence[Point]) -> Iterator[tuple[float, float]]:
    begin = end = None
    for point in points:
        if name in point.issues:
            if begin is None or end is None or point.at - end > GAP:
                if begin is not None and end is not None:
                    yield begin, end
                begin = point.at
            end = point.at
        elif begin is not None and end is not None:
            yield begin, point.at
            begin = end = None
    if begin is not None and end is not None:
        yield begin, end


def _round_up(value: float) -> float:
    """A round number not below it, for the top of an axis."""
    if value <= 0:
        return 1000.0
    step = 10.0 ** (len(str(int(value))) - 1)
    return next(step * factor for factor in (1, 2, 4, 6, 8, 10, 20) if step * factor >= value)
