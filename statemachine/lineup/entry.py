"""One streamer in the line-up, and all that the line-up remembers."""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from statemachine import events as ev
from statemachine.codec import FORMERLY


@dataclass(frozen=True, slots=True)
class Problem:
    """Why no picture of a streamer can be shown."""

    reason: str
    """no_video, codec, unreachable, not_ready, republish, stalled, low_bitrate, plugin, static_input, obs, cut_failed,
    gone; and those of ``waiting``."""
    detail: str
    """What it is about: the codec, or what OBS said."""
    since: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One streamer in the line-up."""

    streamer: str
    joined_at: float
    """As all times here, in seconds of the events' clock."""
    sessions: tuple[ev.Session, ...] = ()
    """Live ones, oldest first; the first is played until it ends, because a second one's publish may yet be refused."""
    turn_began: float | None = None
    """When its picture began the turn; None while it has none."""
    turn_length: float | None = None
    """Seconds, where they are not the policy's."""
    turn_paused: float = 0.0
    """Seconds of its turn in which the clock stood still."""
    away_since: float | None = None
    """Since when it has published nothing; its place is kept."""
    grace_used: float = 0.0
    """Seconds of grace that earlier absences of this turn took."""
    stalled_since: float | None = None
    """Of the turn's holder: its picture stands still, and it keeps the turn for its grace."""
    proving_until: float | None = None
    """A fresh input of one that stalled moves: its grace does not end before it has shown that it goes on moving."""
    retry_at: float | None = None
    """It is not tried before; None where nothing keeps it waiting."""
    failures: int = 0
    """In a row, without a picture in between."""
    hiccups: int = 0
    """How often its picture has stalled, each time soon after the time before."""
    unsteady_until: float = 0.0
    """After this time its hiccups are forgotten."""
    transient: bool = False
    """Asked for by hand, without a hook: leaves with its turn."""
    problem: Problem | None = None
    """What is wrong with its stream, until it has a picture."""
    barred: str = ""
    """The session of which no picture can be had, as its server tells: it is not tried."""

    seen: bool = False
    """A picture of it was had since it published last, or before."""
    recalled: bool = False
    """Its stream was kicked so that its encoder publishes anew: what comes next is another one."""
    leaves: float | None = None
    """It is sent away as soon as another one is on air, and blocked for so many seconds; None: it stays."""

    @property
    def session(self) -> ev.Session | None:
        """The one to play."""
        return self.sessions[0] if self.sessions else None

    def showable(self, now: float) -> bool:
        """A picture can be expected of it."""
        return self.stalled_since is None and self.leaves is None and self.may_try(now)

    def may_try(self, now: float) -> bool:
        """It publishes what can be shown, and no failure keeps it waiting."""
        if not self.sessions or self.sessions[0].id == self.barred:
            return False
        return self.retry_at is None or self.retry_at <= now

    def unsteady(self, now: float) -> int:
        """Its hiccups that are not forgotten."""
        return self.hiccups if now < self.unsteady_until else 0

    @property
    def missed_since(self) -> float | None:
        """Since when no picture can be had of it: it is away, or stands still in its turn."""
        return self.away_since if self.away_since is not None else self.stalled_since

    def grace_until(self, at: float) -> float:
        """The grace that it has used in this turn, this absence included."""
        return self.grace_used + (max(0.0, at - self.missed_since) if self.missed_since is not None else 0.0)


_NAMES = tuple(each.name for each in fields(Entry))
_VALUES = attrgetter(*_NAMES)


def changed(entry: Entry, **changes: Any) -> Entry:
    """What ``dataclasses.replace`` makes, at half of its cost: each hook needs one."""
    return Entry(**{**dict(zip(_NAMES, _VALUES(entry), strict=True)), **changes})


@dataclass(frozen=True, slots=True)
class Stray:
    """A session that was taken out of the line-up and still publishes: its path is not free."""

    session: ev.Session
    seen_at: float
    """When it was taken out, or its server listed it last."""
    later: tuple[ev.Session, ...] = ()
    """What else its streamer published there, or asked to."""

    @property
    def sessions(self) -> tuple[ev.Session, ...]:
        """All that may still publish there."""
        return self.session, *self.later


@dataclass(frozen=True, slots=True)
class Failing:
    """One who left the line-up without ever having had a picture."""

    failures: int
    retry_at: float
    """Not tried before, however often it publishes."""
    problem: Problem | None = None
    """Why."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How a session could not be opened."""

    failures: int
    """In a row, without a picture in between."""
    failed_at: float


@dataclass(frozen=True, slots=True)
class Recall:
    """One whose stream was kicked so that its encoder publishes anew."""

    sessions: tuple[str, ...]
    """Those that were, the last one at the end: none is kicked twice."""
    at: float
    times: int
    """How often in a row, without a picture in between."""


@dataclass(slots=True)
class LineupState:
    """All that the line-up remembers; plain data for the snapshot."""

    entries: list[Entry] = field(default_factory=list)
    evicted: dict[str, float] = field(default_factory=dict, metadata={FORMERLY: "ousted"})
    """Sessions that still publish but were taken out of the line-up."""
    ended: dict[str, float] = field(default_factory=dict)
    """Sessions that ended a short while ago."""
    missing: dict[str, float] = field(default_factory=dict)
    """Sessions that one list of their server lacked already, and when that was asked for."""
    blocks: dict[str, float] = field(default_factory=dict)
    """Streamers that were kicked, and until when they are blocked."""
    born: dict[str, float] = field(default_factory=dict)
    """Live sessions of the line-up, and when they were accepted."""
    strays: dict[str, Stray] = field(default_factory=dict)
    """By the path that each is published to."""
    crowded: dict[str, float] = field(default_factory=dict)
    """Streamers who publish more streams at once than are kept, and since when."""
    nameless: dict[str, float] = field(default_factory=dict)
    """Sessions that are listed and that nobody can be named for, and when they were first."""
    called_back: dict[str, float] = field(default_factory=dict)
    """Paths whose nameless publisher was kicked, and when; until a hook tells who publishes there."""
    failing: dict[str, Failing] = field(default_factory=dict)
    """By streamer."""
    unopened: dict[str, Tries] = field(default_factory=dict)
    """Live sessions of the line-up that OBS could not open."""
    recalls: dict[str, Recall] = field(default_factory=dict)
    """By streamer."""
    doubted: dict[str, float] = field(default_factory=dict)
    """Sessions whose path another one has had until now, and since when: their servers may have refused them."""
    unfit: dict[str, str] = field(default_factory=dict)
    """Live sessions that are not fit to be shown while others are, and why, as what is measured of them has it."""
    waived: dict[str, float] = field(default_factory=dict)
    """Those that an operator wants to be shown all the same, and since when."""
    listing: dict[str, float] = field(default_factory=dict)
    """Servers that list their publishers, by the prefixes of their session ids, and when each did so last."""
    unlisted: dict[str, float] = field(default_factory=dict)
    """Prefixes within those of which a list says nothing, since they are other servers', and when one did so last."""
    leaving: dict[str, float] = field(default_factory=dict)
    """Streamers who are to go once they are not on air, and since when."""
    held: bool = False
    paused_since: float | None = None
    """The clock of the turn stands still: viewers are shown another scene."""
    last_streamer: str = ""
    """Whose turn ended last, for block_last."""
    why: str = ""
    """What last changed the order: skip, turn, kick, removed, low_bitrate, moved, test, lost; empty after the next
    picture, and where the one on air has the turn again."""
    whose: str = ""
    """Whom it concerned."""
    actor: ev.Actor | None = None
    """Who asked for it; None where nobody did."""
