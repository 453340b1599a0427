"""What all that is watched has in common: the director knows each by this alone."""

from typing import ClassVar, Protocol


class Monitor(Protocol):
    """One watched quantity. What it is told of by events is its own; time it is told of here."""

    ahead: ClassVar[bool]
    """Its time is up before an event of the same moment is taken. Otherwise the event comes first: a picture that moves
    again in the last moment has not stalled."""

    def expire(self, now: float) -> bool:
        """Take the next step whose time has come; True if there was one: then everything is looked at again."""

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone; None for never. What is past counts for nothing."""

    def shift_deadlines(self, gap: float) -> None:
        """Nobody was there to watch for ``gap`` seconds: no time ran."""
