"""The picture of a timeline: one lane for each thing, time from left to right."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from daemon.studio import BLANK, SILENT, UNKNOWN
from tests.e2e.timeline import InputLane, Reading, Run, Timeline
from tests.svg import GRID, INK, MUTED, PAPER, Svg, hue_colour, nice_step, text_width, ticks

LEFT, RIGHT, TOP = 168.0, 28.0, 66.0
LANE, BAR = 24.0, 14.0
SMALL = 10.5
WIDEST = 6000.0
NARROWEST = 1100.0
SECOND = 26.0
"""Pixels a second, where the picture is neither too narrow nor too wide."""
OWN_ROWS = 16
"""More inputs than that share rows."""

NEUTRAL = "#4a6d8c"
RULE = "#c5ced6"
STATES = {
    "IDLE": "#dfe5ea",
    "CREATING": "#f3dfae",
    "BUFFERING": "#f0c36b",
    "STANDBY": "#bcdcc0",
    "SWAPPING": "#2f7d4f",
    "CLEANUP": "#c9d3ee",
    "RECOVERING": "#e3a39b",
}
PICTURES = {
    "none": "#cbd3da",
    "opening": "#f0c36b",
    "buffering": "#f0c36b",
    "playing": "#bcdcc0",
    "moves": "#2f9e5b",
    "still": "#d1432f",
    "paused": "#9b6fc3",
    "ended": INK,
    "error": INK,
}
LEGEND_PICTURES = (
    ("none", "no state"),
    ("opening", "opening, buffering"),
    ("playing", "PLAYING, not proven"),
    ("moves", "moves"),
    ("still", "stands still"),
    ("ended", "ended, error"),
)
NOISE = 0.11
"""Seconds of a freeze or a silence below which it is drawn pale: two clocks repeat a frame at times."""
FAULT = "#c2321f"
FREEZE = "#3b6fb5"
QUIET = "#8b5fb0"


def draw(timeline: Timeline) -> Svg:
    """Lay it out and draw it."""
    return _Picture(timeline).svg


@dataclass(frozen=True, slots=True)
class _Row:
    """What is drawn at one height, and what is written at its left."""

    label: str
    draw: Callable[[float], None]
    height: float = LANE


class _Picture:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._seconds = max(timeline.end, 1.0)
        width = min(WIDEST, max(NARROWEST, self._seconds * SECOND + LEFT + RIGHT))
        self._scale = (width - LEFT - RIGHT) / self._seconds
        sections = [(name, rows) for name, rows in self._sections() if rows]
        lanes = sum(sum(row.height for row in rows) + 34.0 for _, rows in sections)
        self._bottom = TOP + lanes - 6.0
        self.svg = Svg(width, self._bottom + 62.0, title=timeline.title)
        self._ground()
        y = TOP - 2.0
        for name, rows in sections:
            self.svg.line(12, y + 6, width - RIGHT, y + 6, stroke=RULE)
            self.svg.text(14, y + 22, name, size=11, fill=MUTED, bold=True)
            y += 28.0
            for row in rows:
                self.svg.text(LEFT - 10, y + BAR - 2, row.label, size=11.5, anchor="end")
                row.draw(y)
                y += row.height
            y += 6.0
        self._legend()

    def x(self, at: float) -> float:
        """Where a time is."""
        return LEFT + min(max(at, 0.0), self._seconds) * self._scale

    # -- the ground ------------------------------------------------------------------------------------------

    def _ground(self) -> None:
        svg, timeline = self.svg, self.timeline
        svg.text(14, 26, timeline.title, size=17, bold=True)
        svg.text(14, 46, _summary(timeline), size=12, fill=MUTED)
        for window in timeline.expected:
            x = self.x(window.start)
            svg.rect(x, TOP, self.x(window.end) - x, self._bottom - TOP, fill="#f6f1e2", tip=window.what)
        step = nice_step(self._seconds, max(4, int((svg.width - LEFT - RIGHT) / 70)))
        digits = 1 if step < 1 else 0
        for at in ticks(0.0, self._seconds, max(4, int((svg.width - LEFT - RIGHT) / 70))):
            svg.line(self.x(at), TOP, self.x(at), self._bottom, stroke=GRID)
            svg.text(self.x(at), TOP - 5, f"{at:.{digits}f} s", size=SMALL, fill=MUTED, anchor="middle")
        for cut in timeline.cuts:
            svg.line(self.x(cut.at), TOP, self.x(cut.at), self._bottom, stroke="#8a97a3", dash="2 3")

    def _legend(self) -> None:
        svg, y = self.svg, self._bottom + 22.0
        x = 14.0

        def word(words: str, swatch: Callable[[float], None], room: float = 18.0) -> None:
            nonlocal x
            swatch(x)
            svg.text(x + room, y + 9, words, size=SMALL, fill=MUTED)
            x += room + text_width(words, SMALL) + 16

        word("shown", lambda at: svg.rect(at, y, 13, 10, fill=NEUTRAL, radius=2))
        word("hidden", lambda at: svg.rect(at, y, 13, 10, fill=PAPER, stroke=NEUTRAL, radius=2))
        svg.text(x, y + 9, "below it, the media:", size=SMALL, fill=MUTED)
        x += text_width("below it, the media:", SMALL) + 8
        for what, words in LEGEND_PICTURES:
            colour = PICTURES[what]
            word(words, lambda at, colour=colour: svg.rect(at, y + 3, 13, 4, fill=colour))  # type: ignore[misc]  # bound as it is now
        x, y = 14.0, y + 20.0
        word("cut", lambda at: svg.line(at + 6, y - 2, at + 6, y + 12, stroke="#8a97a3", dash="2 3"))
        if self.timeline.readings:
            word("blank", lambda at: svg.rect(at, y, 13, 10, fill=FAULT))
            word("frozen", lambda at: svg.rect(at, y, 13, 10, fill=svg.hatch(FREEZE)))
            word("silent", lambda at: svg.rect(at, y, 13, 10, fill=svg.hatch(QUIET)))
        if self.timeline.states:
            svg.text(x, y + 9, "states:", size=SMALL, fill=MUTED)
            x += text_width("states:", SMALL) + 8
            for state in dict.fromkeys(run.what for run in self.timeline.states):
                colour = _state_colour(state)
                word(state, lambda at, colour=colour: svg.rect(at, y, 13, 10, fill=colour))  # type: ignore[misc]  # bound as it is now
        if self.timeline.expected:
            word("a blank is expected here", lambda at: svg.rect(at, y, 13, 10, fill="#f6f1e2", stroke="#d8cda8"))

    # -- what there is to draw -------------------------------------------------------------------------------

    def _sections(self) -> list[tuple[str, list[_Row]]]:
        timeline = self.timeline
        daemon = []
        if timeline.states:
            daemon.append(_Row("state", lambda y: self._runs(y, timeline.states, _state_colour, ink=INK)))
        if timeline.on_air:
            daemon.append(_Row("on air", lambda y: self._runs(y, timeline.on_air, self._who_colour)))
        recording: list[_Row] = []
        if timeline.readings:
            recording = [
                _Row("seen", lambda y: self._each(y, lambda reading: reading.seen, self._who_colour)),
                _Row("heard", lambda y: self._each(y, lambda reading: reading.heard, self._who_colour)),
                _Row(_count("blank", self._all("blank")), lambda y: self._faults(y, "blank", FAULT)),
                _Row(_count("frozen", self._all("frozen")), lambda y: self._faults(y, "frozen", FREEZE, hatch=True)),
                _Row(_count("silent", self._all("silent")), lambda y: self._faults(y, "silent", QUIET, hatch=True)),
            ]
        return [
            ("What was done", self._note_rows()),
            ("The daemon", daemon),
            ("OBS's inputs", [*self._obs_rows(), *self._input_rows()]),
            ("The recording", recording),
        ]

    def _note_rows(self) -> list[_Row]:
        """Words at their moment, in as many rows as they need not to touch."""
        rows: list[list[tuple[float, str]]] = []
        ends: list[float] = []
        for note in sorted(self.timeline.notes, key=lambda note: note.at):
            x = self.x(note.at)
            row = next((number for number, end in enumerate(ends) if end + 8 <= x), len(rows))
            if row == len(rows):
                rows.append([])
                ends.append(0.0)
            rows[row].append((x, note.text))
            ends[row] = x + 5 + text_width(note.text, SMALL)

        def drawn(notes: Sequence[tuple[float, str]], y: float) -> None:
            for x, words in notes:
                self.svg.line(x, y, x, y + 12, stroke=INK, width=1.5)
                fits = x + 5 + text_width(words, SMALL) < self.svg.width
                self.svg.text(x + (5 if fits else -5), y + 10, words, size=SMALL, anchor="start" if fits else "end")

        return [_Row("", lambda y, notes=notes: drawn(notes, y), 17.0) for notes in rows]  # type: ignore[misc]  # bound as it is now

    def _obs_rows(self) -> list[_Row]:
        gone = [run for run in self.timeline.obs if run.what == "gone"]
        if not gone:
            return []

        def drawn(y: float) -> None:
            for run in gone:
                x, width = self._place(run)
                self.svg.rect(x, y, width, BAR, fill=self.svg.hatch(INK), tip=f"gone for {run.length:.1f} s")
                if width > 70:
                    self.svg.rect(x + 4, y + 1, 60, 12, fill=PAPER, opacity=0.85)
                    self.svg.text(x + 7, y + BAR - 3, f"gone {run.length:.1f} s", size=SMALL)

        return [_Row("OBS", drawn)]

    def _input_rows(self) -> list[_Row]:
        rows = packed(self.timeline.inputs, most=OWN_ROWS)

        def drawn(names: Sequence[str], y: float) -> None:
            for name in names:
                self._input(y, name, self.timeline.inputs[name], labelled=len(rows) < len(self.timeline.inputs))

        return [
            _Row(_label(names), lambda y, names=names: drawn(names, y))  # type: ignore[misc]  # bound as it is now
            for names in rows
        ]

    def _input(self, y: float, name: str, lane: InputLane, *, labelled: bool) -> None:
        colour = self._who_colour(lane.streamer or name)
        words = f"{_number(name)} {lane.streamer}".strip() if labelled else lane.streamer
        for run in lane.visibility:
            x, width = self._place(run)
            shown = run.what == "shown"
            tip = f"{name} {run.what} {run.start:.2f} to {run.end:.2f} s"
            self.svg.rect(x, y, width, BAR - 2, fill=colour if shown else PAPER, stroke=colour, radius=2, tip=tip)
            if words and text_width(words, SMALL) + 8 < width:
                self.svg.text(x + 5, y + BAR - 4.5, words, size=SMALL, fill=PAPER if shown else colour)
        for run in lane.picture:
            x, width = self._place(run)
            self.svg.rect(x, y + BAR, width, 4, fill=PICTURES[run.what], tip=f"{run.what} since {run.start:.2f} s")

    def _runs(self, y: float, runs: Iterable[Run], colour: Callable[[str], str], *, ink: str = PAPER) -> None:
        for run in runs:
            if not run.what:
                continue
            x, width = self._place(run)
            fill = colour(run.what)
            self.svg.rect(x, y, width, BAR, fill=fill, tip=f"{run.what} {run.start:.2f} to {run.end:.2f} s")
            if text_width(run.what, SMALL) + 8 < width:
                dark = run.what == "SWAPPING"
                self.svg.text(x + 5, y + BAR - 3.5, run.what, size=SMALL, fill=PAPER if dark else ink)

    def _each(self, y: float, runs: Callable[[Reading], list[Run]], colour: Callable[[str], str]) -> None:
        for reading in self.timeline.readings:
            self._runs(y, runs(reading), colour)

    def _faults(self, y: float, kind: str, colour: str, *, hatch: bool = False) -> None:
        for reading in self.timeline.readings:
            x, end = self.x(reading.start), self.x(reading.end)
            self.svg.line(x, y + BAR / 2, end, y + BAR / 2, stroke=RULE)
        for run in self._all(kind):
            x, width = self._place(run)
            fill = self.svg.hatch(colour) if hatch and width > 4 else colour
            tip = f"{kind} for {run.length * 1000:.0f} ms at {run.start:.2f} s"
            faint = kind != "blank" and run.length < NOISE
            self.svg.rect(x, y, max(2.0, width), BAR, fill=fill, opacity=0.4 if faint else 1.0, tip=tip)

    def _all(self, kind: str) -> list[Run]:
        return [run for reading in self.timeline.readings for run in getattr(reading, kind)]

    def _place(self, run: Run) -> tuple[float, float]:
        x = self.x(run.start)
        return x, max(1.0, self.x(run.end) - x)

    def _who_colour(self, who: str) -> str:
        if who in (BLANK, SILENT, UNKNOWN):
            return {BLANK: INK, SILENT: "#b9c2ca", UNKNOWN: "#9aa5af"}[who]
        hue = self.timeline.hues.get(who)
        return NEUTRAL if hue is None else hue_colour(hue)


def packed(inputs: Mapping[str, InputLane], *, most: int) -> list[list[str]]:
    """The inputs in rows, in the order in which they came: a row each up to `most`, above that as few as they need."""
    ordered = sorted(inputs, key=lambda name: (inputs[name].start, name))
    if len(ordered) <= most:
        return [[name] for name in ordered]
    rows: list[list[str]] = []
    for name in ordered:
        row = next((row for row in rows if inputs[row[-1]].end <= inputs[name].start), None)
        if row is None:
            rows.append([name])
        else:
            row.append(name)
    return rows


def _label(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} inputs"


def _number(name: str) -> str:
    found = re.search(r"\d+$", name)
    return name if found is None else found[0]


def _count(kind: str, runs: Sequence[Run]) -> str:
    if not runs:
        return f"{kind}: none"
    longest = max(run.length for run in runs) * 1000
    return f"{kind}: {len(runs)} (to {longest:.0f} ms)"


def _state_colour(state: str) -> str:
    return STATES.get(state, NEUTRAL)


def _summary(timeline: Timeline) -> str:
    played = sum(1 for lane in timeline.inputs.values() if lane.picture)
    words = [f"{timeline.end:.1f} s", f"{played} inputs", f"{len(timeline.cuts)} cuts"]
    if timeline.readings:
        blanks = len(timeline.unexpected_blanks())
        words.append(f"{blanks} unexpected blank{'' if blanks == 1 else 's'}")
    return " · ".join(words)
