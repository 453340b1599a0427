"""What was seen of a show, as a timeline: pure, told by looks at OBS and by what the daemon says.

Times are seconds from the timeline's beginning. Nothing here reads a clock or asks anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from daemon.studio import RecordingVerdict

STILL_AFTER = 0.4
"""Seconds without a step of the cursor that are a standstill; a look can fall between two steps."""

PLAYING = "OBS_MEDIA_STATE_PLAYING"
STATES = {
    "OBS_MEDIA_STATE_OPENING": "opening",
    "OBS_MEDIA_STATE_BUFFERING": "buffering",
    "OBS_MEDIA_STATE_PAUSED": "paused",
    "OBS_MEDIA_STATE_STOPPED": "ended",
    "OBS_MEDIA_STATE_ENDED": "ended",
    "OBS_MEDIA_STATE_ERROR": "error",
}


@dataclass(frozen=True, slots=True)
class Run:
    """The same thing from `start` until `end`."""

    start: float
    end: float
    what: str

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was done."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was seen to change: a line of the printed timeline."""

    at: float
    who: str
    what: str

    def line(self) -> str:
        """As it is printed."""
        return f"{self.at:9.2f}  {self.who:<18} {self.what}"


@dataclass(frozen=True, slots=True)
class Cut:
    """Which inputs came and went at one moment."""

    at: float
    shown: tuple[str, ...]
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One input at one moment. `state` is obs-websocket's, empty where it was not asked for."""

    shown: bool
    state: str = ""
    cursor: float | None = None
    """Milliseconds, as OBS tells it."""


@dataclass(slots=True)
class InputLane:
    """The life of one input."""

    visibility: list[Run] = field(default_factory=list)
    """hidden or shown"""
    picture: list[Run] = field(default_factory=list)
    """none, opening, buffering, paused, ended, error; playing (no motion proven yet), moves, still. Empty for an input
    that is not asked for it, as a slate is not."""
    streamer: str = ""
    """Whose it is, where the daemon said so."""

    @property
    def start(self) -> float:
        """When it was first seen."""
        return self.visibility[0].start

    @property
    def end(self) -> float:
        """When it was last seen."""
        return self.visibility[-1].end


@dataclass(slots=True)
class Reading:
    """What a recording shows, in the timeline's time."""

    start: float
    end: float
    blank: list[Run]
    frozen: list[Run]
    silent: list[Run]
    seen: list[Run]
    heard: list[Run]


@dataclass(slots=True)
class Timeline:
    """All of it."""

    title: str
    end: float = 0.0
    inputs: dict[str, InputLane] = field(default_factory=dict)
    obs: list[Run] = field(default_factory=list)
    """answers or gone"""
    states: list[Run] = field(default_factory=list)
    on_air: list[Run] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    expected: list[Run] = field(default_factory=list)
    """Where a blank picture is no fault, and why."""
    hues: dict[str, float] = field(default_factory=dict)
    """Degrees, by streamer."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def unexpected_blanks(self) -> list[Run]:
        """What of the blanks lies outside the windows in which they are expected."""
        left = [blank for reading in self.readings for blank in reading.blank]
        for window in self.expected:
            left = [part for blank in left for part in _without(blank, window)]
        return left


class Recorder:
    """Makes a Timeline of what it is told. Every method takes the time at which it happened; times only grow."""

    def __init__(self, title: str) -> None:
        self.timeline = Timeline(title)
        self._cursors: dict[str, tuple[float, float]] = {}
        """By input: the cursor, and when it last moved."""

    def look(self, at: float, seen: Mapping[str, Seen]) -> list[Change]:
        """One look at OBS. Inputs that are not in it do not exist (any more)."""
        changes = self._obs(at, "answers")
        lanes = self.timeline.inputs
        gone = [name for name in self._cursors if name not in seen]
        shown, hidden = [], []
        for name in gone:
            self._end(at, name)
            if lanes[name].visibility[-1].what == "shown":
                hidden.append(name)
            changes.append(Change(at, name, "gone"))
        for name, now in seen.items():
            lane = lanes.setdefault(name, InputLane())
            what = "shown" if now.shown else "hidden"
            if name not in self._cursors:
                self._cursors[name] = (-1.0, at)
                # A name may come again after OBS was away: the time between is no part of either run.
                lane.visibility.append(Run(at, at, what))
                if now.state or lane.picture:
                    lane.picture.append(Run(at, at, "none"))
                changes.append(Change(at, name, f"there, {what}"))
                if now.shown:
                    shown.append(name)
            elif _extend(lane.visibility, at, what):
                (shown if now.shown else hidden).append(name)
            changes += self._picture(at, name, lane, now)
        if shown or hidden:
            self.timeline.cuts.append(Cut(at, tuple(shown), tuple(hidden)))
            words = [f"shows {', '.join(shown)}"] * bool(shown) + [f"hides {', '.join(hidden)}"] * bool(hidden)
            changes.append(Change(at, "CUT", ", ".join(words)))
        return changes

    def lost(self, at: float) -> list[Change]:
        """OBS does not answer: nothing is known of its inputs from now on."""
        for name in tuple(self._cursors):
            self._end(at, name)
        return self._obs(at, "gone")

    def state(self, at: float, state: str) -> list[Change]:
        """The daemon's state."""
        return [Change(at, "daemon", state)] if _extend(self.timeline.states, at, state) else []

    def on_air(self, at: float, streamer: str, name: str = "") -> list[Change]:
        """Who is on air by the daemon's word; empty is nobody."""
        self.belongs(name, streamer)
        return [Change(at, "on air", streamer or "nobody")] if _extend(self.timeline.on_air, at, streamer) else []

    def belongs(self, name: str, streamer: str) -> None:
        """Whose an input is."""
        if name and streamer:
            self.timeline.inputs.setdefault(name, InputLane()).streamer = streamer

    def note(self, at: float, text: str) -> list[Change]:
        """Something is done now."""
        self.timeline.notes.append(Note(at, text))
        return [Change(at, "»", text)]

    def finish(self, at: float) -> Timeline:
        """Nothing more will be told."""
        timeline = self.timeline
        for name in tuple(self._cursors):
            self._end(at, name)
        for runs in (timeline.obs, timeline.states, timeline.on_air):
            if runs:
                _extend(runs, at, runs[-1].what)
        timeline.inputs = {name: lane for name, lane in timeline.inputs.items() if lane.visibility}
        timeline.end = at
        return timeline

    def _end(self, at: float, name: str) -> None:
        """It is not looked at any more; what was last seen held until now."""
        del self._cursors[name]
        lane = self.timeline.inputs[name]
        for runs in (lane.visibility, lane.picture):
            if runs:
                _extend(runs, at, runs[-1].what)

    def _obs(self, at: float, what: str) -> list[Change]:
        first = not self.timeline.obs
        changed = _extend(self.timeline.obs, at, what)
        return [Change(at, "OBS", what)] if changed and not (first and what == "answers") else []

    def _picture(self, at: float, name: str, lane: InputLane, now: Seen) -> list[Change]:
        if not now.state:
            return []
        what = STATES.get(now.state, "none")
        before, moved_at = self._cursors[name]
        cursor = -1.0 if now.cursor is None else now.cursor
        if now.state == PLAYING:
            what = "playing"
            if before >= 0 and cursor != before:
                what, moved_at = "moves", at
            elif lane.picture and lane.picture[-1].what in ("moves", "still"):
                what = "still" if at - moved_at >= STILL_AFTER else lane.picture[-1].what
        self._cursors[name] = (cursor, moved_at)
        began = moved_at if what == "still" else at
        if not _extend(lane.picture, at, what, began=began):
            return []
        return [Change(at, name, f"{what} since {began:.2f}" if what == "still" else what)]


def reading_of(verdict: RecordingVerdict, offset: float) -> Reading:
    """A recording's verdict, `offset` being the time at which the recording began."""
    frame = 1.0 / verdict.fps

    def moved(start: float, end: float, what: str) -> Run:
        return Run(start + offset, end + offset, what)

    return Reading(
        start=verdict.start + offset,
        end=verdict.end + offset,
        blank=[moved(first, last + frame, "blank") for first, last in _joined(verdict.blank_times, frame)],
        frozen=[moved(run.start, run.start + run.frames * frame, "frozen") for run in verdict.frozen],
        silent=[moved(run.start, run.start + run.ms / 1000.0, "silent") for run in verdict.silences],
        seen=[moved(span.start, span.end, span.who) for span in verdict.shown],
        heard=[moved(span.start, span.end, span.who) for span in verdict.heard],
    )


def aligned(reading: Reading, cuts: Sequence[Cut], *, within: float = 1.0) -> Reading:
    """The reading moved so that what is seen changes where OBS cut.

    A recording's mark runs behind the picture, and the more so the busier the machine is. Nothing is moved where no
    change of the one seen lies ``within`` so many seconds of a cut.
    """
    moments = [cut.at for cut in cuts]
    changes = [run.start for run in reading.seen[1:]]
    offs = [
        off for change in changes if moments and abs(off := min((at - change for at in moments), key=abs)) <= within
    ]
    if not offs:
        return reading
    off = median(offs)

    def moved(runs: list[Run]) -> list[Run]:
        return [Run(run.start + off, run.end + off, run.what) for run in runs]

    return Reading(
        reading.start + off,
        reading.end + off,
        *(moved(runs) for runs in (reading.blank, reading.frozen, reading.silent, reading.seen, reading.heard)),
    )


def _joined(times: tuple[float, ...], step: float) -> list[tuple[float, float]]:
    """The first and last of every row of neighbours."""
    if not times:
        return []
    breaks = [(a, b) for a, b in pairwise(times) if b - a > step * 1.5]
    firsts = [times[0], *(b for _, b in breaks)]
    lasts = [*(a for a, _ in breaks), times[-1]]
    return list(zip(firsts, lasts, strict=True))


def _extend(runs: list[Run], at: float, what: str, *, began: float | None = None) -> bool:
    """Carry the last run on to `at`, or end it and begin the next; whether one began."""
    if runs and runs[-1].what == what:
        runs[-1] = Run(runs[-1].start, at, what)
        return False
    start = at if began is None else began
    if runs:
        # What was last seen held until something else was; `began` dates the change back, not before its run.
        start = max(start, runs[-1].start)
        runs[-1] = Run(runs[-1].start, start, runs[-1].what)
    runs.append(Run(start, at, what))
    return True


def _without(run: Run, window: Run) -> list[Run]:
    """The parts of a run outside a window."""
    if window.end <= run.start or window.start >= run.end:
        return [run]
    parts = [Run(run.start, window.start, run.what), Run(window.end, run.end, run.what)]
    return [part for part in parts if part.length > 1e-9]
