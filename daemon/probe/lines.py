"""Reads what ffmpeg prints, as the hostile input that it is: a stream's maker has a hand in it."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

CHUNK: Final = 65_536
LONGEST: Final = 2048
"""Bytes of a line; what is longer is none of ours."""
FRAME: Final = re.compile(r"frame:\d+ +pts:\S+ +pts_time:(-?[\d.]{1,20})")
VALUE: Final = re.compile(r"lavfi\.([A-Za-z0-9_.]{1,40})=(-?(?:inf|nan|[\d.]{1,24}))")

Take = Callable[[float, Mapping[str, float]], None]


class Lines:
    """Puts lines together of what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that are whole by now. One that is too long is left out."""
        *whole, rest = (self._rest + data).split(b"\n")
        for line in whole:
            if not self._skips and len(line) <= LONGEST:
                yield line.decode("utf-8", "replace").rstrip("\r")
            self._skips = False
        self._skips = self._skips or len(rest) > LONGEST
        self._rest = b"" if self._skips else rest


class Frames:
    """What the filters' ``metadata=print`` says: a frame's time, and its values below it."""

    def __init__(self, take: Take, last: str) -> None:
        """``last`` is the value that a frame ends with; without it, it ends where the next one begins."""
        self._take = take
        self._last = last
        self._lines = Lines()
        self._at: float | None = None
        self._values: dict[str, float] = {}

    def feed(self, data: bytes) -> None:
        """A piece of it."""
        for line in self._lines.feed(data):
            if found := FRAME.fullmatch(line.strip()):
                self._finish()
                self._at = _number(found[1])
            elif found := VALUE.fullmatch(line):
                value = _number(found[2])
                if value is not None and len(self._values) < 256:
                    self._values[found[1]] = value
                if found[1] == self._last:
                    self._finish()

    def _finish(self) -> None:
        if self._at is not None and self._values:
            self._take(self._at, self._values)
        self._at, self._values = None, {}


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) or number == -math.inf else None
