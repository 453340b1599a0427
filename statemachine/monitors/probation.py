"""One that stalled in its turn and has a picture by a fresh input: it is trusted again once that goes on moving.

A server's GOP cache makes even a dead stream move for a while. The turn is kept meanwhile.
"""

from typing import ClassVar

from statemachine.backoff import backoff
from statemachine.handover.attempt import Attempt
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.stalls import MOVING_FOR

LEAST, MOST = 3.0, 24.0
"""Seconds for which it has to move: longer each time, where it stalls again and again."""


class Probation:
    """Tells the line-up when it begins and when it is passed; the line-up remembers it."""

    ahead: ClassVar[bool] = True

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover

    def begin(self, at: float, session_id: str) -> None:
        """A fresh input of that stream has a picture; nothing happens where it has not stalled."""
        hiccups = self._lineup.standing.hiccups(session_id, at)
        self._lineup.standing.start_probation(session_id, at + backoff(LEAST, MOST, hiccups))

    def resumed(self, at: float, name: str) -> None:
        """An input whose picture paused moves again: it is not passed before that has gone on for a moment."""
        for attempt, session_id, until in self._under_way:
            if attempt.input == name:
                self._lineup.standing.start_probation(session_id, max(until, at + MOVING_FOR))

    def expire(self, now: float) -> bool:
        """Let those pass whose time is over and whose picture moves; True if there was one."""
        passed = False
        for attempt, session_id, until in self._under_way:
            if until <= now and attempt.still_since is None:
                self._lineup.standing.resumed(now, session_id)
                passed = True
        return passed

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        under_way = self._under_way
        return min(until for _, _, until in under_way) if under_way else None

    def shift_deadlines(self, gap: float) -> None:
        """Nothing to shift here: the line-up remembers until when, and shifts it with the grace."""

    @property
    def _under_way(self) -> list[tuple[Attempt, str, float]]:
        found = []
        for attempt in self._switchover.incoming:
            if attempt.target is None or attempt.ready_at is None:
                continue
            entry = self._lineup.by_session(attempt.target.id)
            if entry is not None and entry.proving_until is not None:
                found.append((attempt, attempt.target.id, entry.proving_until))
        return found
