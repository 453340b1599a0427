"""A small writer of SVG pictures, for the monitor's timeline and the benchmark's plots. Lengths are pixels."""

import math
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

FONT = "system-ui, 'DejaVu Sans', Arial, sans-serif"
INK = "#1f2933"
MUTED = "#66727f"
GRID = "#e3e8ed"
PAPER = "#ffffff"

AVERAGE_LETTER = 0.58
"""A letter's width beside its height, on the wide side: labels must not run into each other."""


class Svg:
    """Shapes in the order in which they are drawn. `write` makes the file."""

    def __init__(self, width: float, height: float, *, title: str) -> None:
        self.width = width
        self.height = height
        self.title = title
        self._parts: list[str] = []
        self._hatches: dict[str, str] = {}

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str = "none",
        radius: float = 0.0,
        opacity: float = 1.0,
        tip: str = "",
    ) -> None:
        """A rectangle; `tip` is shown when the pointer rests on it."""
        self._add(
            "rect",
            {"x": x, "y": y, "width": max(0.0, width), "height": max(0.0, height), "rx": radius},
            fill=fill,
            stroke=stroke,
            opacity=opacity,
            tip=tip,
        )

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, width: float = 1.0, dash: str = ""
    ) -> None:
        """A line; `dash` as in stroke-dasharray."""
        numbers = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke-width": width}
        self._add("line", numbers, stroke=stroke, dash=dash)

    def polyline(self, points: Iterable[tuple[float, float]], *, stroke: str, width: float = 1.5) -> None:
        """Straight lines from point to point."""
        path = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{escape(stroke)}" stroke-width="{_number(width)}"'
            ' stroke-linejoin="round"/>'
        )

    def circle(
        self, x: float, y: float, radius: float, *, fill: str, opacity: float = 1.0, stroke: str = "none", tip: str = ""
    ) -> None:
        """A disc."""
        self._add("circle", {"cx": x, "cy": y, "r": radius}, fill=fill, stroke=stroke, opacity=opacity, tip=tip)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 12.0,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        """A line of text, `y` at its base; `anchor` is start, middle or end."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}" fill="{escape(fill)}"'
            f' text-anchor="{escape(anchor)}"{weight}>{escape(words)}</text>'
        )

    def hatch(self, colour: str) -> str:
        """A fill of slanted lines of that colour."""
        name = self._hatches.setdefault(colour, f"hatch{len(self._hatches)}")
        return f"url(#{name})"

    def document(self) -> str:
        """The whole picture."""
        width, height = _number(self.width), _number(self.height)
        patterns = "".join(
            f'<pattern id="{name}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="5" height="5" fill="{escape(colour)}" opacity="0.25"/>'
            f'<line x1="0" y1="0" x2="0" y2="5" stroke="{escape(colour)}" stroke-width="3"/></pattern>'
            for colour, name in self._hatches.items()
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="{escape(FONT)}" role="img">\n<title>{escape(self.title)}</title>\n<defs>{patterns}</defs>\n'
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n'
        )
        return head + "\n".join(self._parts) + "\n</svg>\n"

    def write(self, path: Path) -> None:
        """Write it, folder and all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.document())

    def _add(
        self,
        shape: str,
        numbers: dict[str, float],
        *,
        fill: str = "",
        stroke: str = "none",
        opacity: float = 1.0,
        dash: str = "",
        tip: str = "",
    ) -> None:
        words = [f'{name}="{_number(value)}"' for name, value in numbers.items() if value or name != "rx"]
        if fill:
            words.append(f'fill="{escape(fill)}"')
        if stroke != "none":
            words.append(f'stroke="{escape(stroke)}"')
        if opacity < 1.0:
            words.append(f'opacity="{_number(opacity)}"')
        if dash:
            words.append(f'stroke-dasharray="{escape(dash)}"')
        inside = f"><title>{escape(tip)}</title></{shape}>" if tip else "/>"
        self._parts.append(f"<{shape} {' '.join(words)}{inside}")


def text_width(words: str, size: float) -> float:
    """About how wide a line of text is."""
    return len(words) * size * AVERAGE_LETTER


def hue_colour(hue: float) -> str:
    """A colour of that hue, in degrees, on which white text can be read."""
    lightness = 36 if 40 <= hue <= 200 else 50  # yellow, green and cyan look brighter than they count
    return f"hsl({hue:g}, 62%, {lightness}%)"


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that parts `span` into `most` or fewer."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if span / (power * factor) <= most)


def ticks(low: float, high: float, most: int) -> Iterator[float]:
    """Round numbers from `low` to `high`."""
    step = nice_step(high - low, most)
    number = math.ceil(low / step - 1e-9)
    while number * step <= high + step * 1e-9:
        yield number * step
        number += 1


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
