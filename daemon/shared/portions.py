"""A part of a channel's log on its way from one store to another, and what a store has to offer for that.

What happens on a channel is numbered: each event takes a number, and so does each snapshot that stands for what came
before it. The log of a channel is the newest snapshot with the events after it, so whoever has all up to a number needs
those that follow; where they are no longer there, because a snapshot has taken their place, that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from daemon.core.ports import PortError

MOST: Final = 256
"""Events in one portion, and lines of the history."""


@dataclass(frozen=True, slots=True)
class Position:
    """How much of a log somebody has."""

    seq: int = 0
    """The number of the last event or snapshot; 0 where there is none."""
    handover: int = 0
    """The number of the last line of the history."""

    def after(self, portion: "Portion") -> "Position":
        """With what the portion brings."""
        handovers = portion.handovers
        return Position(max(self.seq, portion.end), handovers[-1][0] if handovers else self.handover)


@dataclass(frozen=True, slots=True)
class Portion:
    """What follows a position. Bodies are JSON, as they were written."""

    snapshot: tuple[int, str] | None = None
    """One that comes before the events."""
    events: Sequence[tuple[int, str]] = ()
    handovers: Sequence[tuple[int, float, str]] = ()
    """Number, time, body."""
    streams: Mapping[str, str] | None = None
    """By session, what it is played with besides its name: all of it, or None where that was not looked at."""

    @property
    def end(self) -> int:
        """The last number that it brings; 0 where it brings none."""
        return self.events[-1][0] if self.events else self.snapshot[0] if self.snapshot else 0

    def __bool__(self) -> bool:
        return bool(self.snapshot or self.events or self.handovers)

    def follows(self, seq: int) -> bool:
        """Nothing is missing between that number and what it brings."""
        first = (self.snapshot[0] if self.snapshot else seq) + 1
        return not self.events or (self.events[0][0], self.events[-1][0]) == (first, first + len(self.events) - 1)


class Conflict(PortError):
    """The log is not as far as was thought, or further."""


class NotOwner(PortError):
    """The log was not written: its channel is another daemon's by now."""

    def __init__(self) -> None:
        super().__init__("the channel is another daemon's by now")


class ChannelLog(Protocol):
    """One channel's log in one store."""

    async def position(self) -> Position:
        """How much it has."""

    async def read(self, after: Position, *, streams: bool = False) -> Portion:
        """What follows, MOST of each at most; with what streams are played with, if that is asked for."""

    async def write(self, epoch: int, portion: Portion, *, after: int | None = None) -> None:
        """Add what follows on what it has.

        Raises NotOwner where the channel has a later epoch, or none, and Conflict where the log does not end at the
        number ``after``.
        """

    async def handovers(self, count: int) -> list[dict[str, Any]]:
        """The last lines of its history, the newest first."""
