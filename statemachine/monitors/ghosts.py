"""Sessions of which nothing comes any more though nobody has told of their end: a word was lost, and no list tells.

Only where no server's list speaks of it: otherwise that is for the list. Whoever looks says so again and again, and is
believed while it sees something of others: one that cannot reach the server sees nothing of anybody.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from statemachine import events as ev
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup

GONE_AFTER = 90.0
"""Seconds without a byte. Encoders that lose their network come back sooner, and a server drops the silent as well."""
TOLD_WITHIN = 30.0
"""Seconds that the word of it is good for."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A session of which nothing comes."""

    since: float
    told_at: float


@dataclass(frozen=True, slots=True)
class GhostsState:
    """All that is remembered."""

    stopped: dict[str, Stopped] = field(default_factory=dict)
    """By session."""
    works_at: float | None = None
    """When something was measured last, of anybody."""


class Ghosts:
    """Has those leave the line-up that are gone."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.state = GhostsState()

    def restore(self, state: GhostsState) -> None:
        """Stand where the snapshot was taken."""
        self.state = state

    def shift_deadlines(self, gap: float) -> None:
        """Nobody looked for ``gap`` seconds: what was seen before says nothing."""
        self.state = GhostsState()

    def told(self, event: ev.StreamStopped) -> None:
        """Nothing comes of it."""
        if self._lineup.by_session(event.session_id) is not None:
            before = self.state.stopped.get(event.session_id)
            since = max(event.since, self._lineup.born(event.session_id))
            since = since if before is None else min(before.since, since)
            stopped = {**self.state.stopped, event.session_id: Stopped(min(since, event.at), event.at)}
            self.state = replace(self.state, stopped=stopped)

    def moves(self, event: ev.StreamMeasured) -> None:
        """Something comes of it."""
        self._forget(event.session_id)
        self.state = replace(self.state, works_at=event.at)

    def expire(self, now: float) -> bool:
        """Let one go whose time is up; True if there was one."""
        for session_id, stopped in self.state.stopped.items():
            if self._lineup.by_session(session_id) is None or now > stopped.told_at + TOLD_WITHIN:
                self._forget(session_id)
            elif now >= stopped.since + GONE_AFTER and not self._lives(session_id, now):
                self._forget(session_id)
                self._lineup.publishers.unpublish(now, session_id)
                return True
        return False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        times = [stopped.since + GONE_AFTER for stopped in self.state.stopped.values()]
        return min((at for at in times if at > now), default=None)

    def _forget(self, session_id: str) -> None:
        if session_id in self.state.stopped:
            stopped = {known: each for known, each in self.state.stopped.items() if known != session_id}
            self.state = replace(self.state, stopped=stopped)

    def _lives(self, session_id: str, now: float) -> bool:
        """Its server's list would tell of its end, its picture moves, or whoever says that it is gone sees nothing."""
        program = self._switchover.program
        if program is not None and program.session is not None and program.session.id == session_id and program.moves:
            return True
        ready = (each.target for each in self._switchover.incoming if each.is_proven)
        if any(target is not None and target.id == session_id for target in ready):
            return True
        works_at = self.state.works_at
        blind = works_at is None or now > works_at + TOLD_WITHIN
        return blind or self._lineup.publishers.is_listed(session_id, now)
