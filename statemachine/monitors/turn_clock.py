"""The line-up's own times: turns, graces and blocks run out, and who is to go leaves once it is not on air."""

from typing import ClassVar

from statemachine.lineup.lineup import Lineup
from statemachine.monitors.stalls import Pictures
from statemachine.monitors.viewers import Viewers


class TurnClock:
    """Tells the line-up of the time, and of what viewers see: whose turn they do not see loses none of it."""

    ahead: ClassVar[bool] = True

    def __init__(self, lineup: Lineup, viewers: Viewers, pictures: Pictures) -> None:
        self._lineup = lineup
        self._viewers = viewers
        self._pictures = pictures

    def expire(self, now: float) -> bool:
        """Let turns, graces and memories end whose time has come; True if anybody's place is another now."""
        turns = self._lineup.turns
        turns.pause(now, self._viewers.clock_stands)
        ended = self._lineup.expire(now)
        return (turns.some_leave and turns.dismiss(now, *self._pictures.on_air)) or ended

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        return self._lineup.deadline(now)

    def shift_deadlines(self, gap: float) -> None:
        """Nobody could return, or be seen to move again: no grace ran."""
        self._lineup.shift_deadlines(gap)
