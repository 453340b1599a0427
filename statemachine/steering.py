"""The next legal step from what is shown towards what is wanted: begun, hurried, made due or abandoned."""

from dataclasses import replace
from typing import assert_never

from statemachine import events as ev
from statemachine.lineup import Entry, Lineup
from statemachine.planner import Wanted, candidate, is_settled, reason, wanted
from statemachine.policy import Policy
from statemachine.states import State
from statemachine.switchover import Switchover


class Steering:
    """Works by level: it looks at where things stand, never at what has just happened."""

    def __init__(self, policy: Policy, lineup: Lineup, switchover: Switchover) -> None:
        self.policy = policy
        self.lineup = lineup
        self.switchover = switchover
        self.now = 0.0
        self.last_cut: float | None = None
        self.empty_at: float | None = None
        """Before this time the program is not emptied again."""
        self.covered = False
        """The slate is wanted in place of the turn's holder, whatever could be shown."""
        self.resting = False
        """Standby is given up for now."""

    def spaced_until(self) -> float | None:
        """job_delay spaces hand-overs; one that mends a dead picture does not wait for it."""
        program = self.switchover.program
        if self.last_cut is None or program is None or program.session is None:
            return None
        if program.stalled_since is not None or self.lineup.by_session(program.session.id) is None:
            return None
        until = self.last_cut + self.policy.job_delay
        return until if until > self.now else None

    def step(self) -> bool:
        """Take the next legal step towards what is wanted; False where there is none."""
        switchover = self.switchover
        if switchover.expire(self.now):
            return True
        state = switchover.state
        if state in (State.RECOVERING, State.CREATING, State.SWAPPING):
            return False
        target = None if self.covered else wanted(self.lineup, switchover.program, self.policy, self.now)
        settled = is_settled(target, switchover.program)
        holder = self.lineup.holder
        if settled and isinstance(target, ev.Session) and holder and holder.turn_began is None:
            self.lineup.shown(self.now, target.streamer)
        match state:
            case State.IDLE:
                return self._begin(target, settled)
            case State.BUFFERING | State.STANDBY:
                return self._steer(target, settled)
            case State.CLEANUP:
                return not settled and self.spaced_until() is None and switchover.hurry(self.now)
            case _:
                assert_never(state)

    def _begin(self, target: Wanted, settled: bool) -> bool:
        if not settled and target is None:
            if self.empty_at is not None:
                return False
            # Should OBS refuse, the next try is not at once.
            self.empty_at = self.now + 2 * self.policy.cut_timeout
            self.switchover.begin(self.now, None, self._reason(None), due=True)
            return True
        if not settled and isinstance(target, ev.Session):
            due = self.spaced_until() is None
            if due or self.policy.mode != "static":
                self.switchover.begin(self.now, target, self._reason(target), due=due)
                return True
            return False
        following = self._candidate()
        if following is None:
            return False
        self.switchover.begin(self.now, following, "standby", due=False)
        return True

    def _candidate(self) -> ev.Session | None:
        program = self.switchover.program
        following = candidate(self.lineup, program, self.policy.standby and not self.resting, self.now)
        if self.policy.mode != "static" or following is None:
            return following
        # The one static input cannot be made ready for another while it is on air, and is seen once it is restarted:
        # behind a slate only for one who stalled, of whom nothing else would ever tell that it moves again.
        holder = self.lineup.holder
        stalled = holder is not None and holder.session == following and holder.stalled_since is not None
        return following if (program.session == following if program else stalled) else None

    def _steer(self, target: Wanted, settled: bool) -> bool:
        """Tell the attempt what became of its stream and of its turn."""
        attempt = self.switchover.attempt
        assert attempt is not None
        assert attempt.target is not None
        number, incoming = attempt.number, attempt.target
        entry = self.lineup.by_session(incoming.id)
        if entry is None or entry.session != incoming:
            self.switchover.handle(ev.StreamEnded(self.now, number))
            return True
        if target == incoming and not settled:
            if self.spaced_until() is None and attempt.due_at is None:
                self.switchover.attempt = replace(attempt, reason=self._reason(incoming))
                self.switchover.handle(ev.TurnCame(self.now, number))
                return True
            return False
        # Only while nothing else is to be done: whoever is wanted now does not wait behind a standby.
        if settled and self._may_stay(entry):
            if attempt.due_at is not None:
                self.switchover.attempt = replace(attempt, due_at=None)
            return False
        if target is not None and self._is_ready(entry) and self._is_dead:
            # Another one is wanted, but this one has a moving picture now.
            self.switchover.attempt = replace(attempt, reason=self._reason(incoming))
            self.switchover.handle(ev.TurnCame(self.now, number))
            return True
        self.switchover.handle(ev.TargetChanged(self.now, number))
        return True

    def _may_stay(self, incoming: Entry) -> bool:
        """Nobody else is to be made ready; one who failed before does not take the place of a ready one."""
        following = self._candidate()
        if following is None or following == incoming.session:
            return following is not None
        other = self.lineup.by_session(following.id)
        return self._is_ready(incoming) and other is not None and other.failures > 0

    def _is_ready(self, incoming: Entry) -> bool:
        attempt = self.switchover.attempt
        moves = attempt is not None and attempt.still_since is None
        return self.switchover.state is State.STANDBY and moves and incoming.showable(self.now)

    @property
    def _is_dead(self) -> bool:
        """No moving picture can be expected of what is shown. A slate may stay until the one who is wanted is ready."""
        program = self.switchover.program
        if program is None:
            return not self.policy.slate
        if program.stalled_since is not None:
            return True
        return program.session is not None and self.lineup.by_session(program.session.id) is None

    def _reason(self, target: ev.Session | None) -> str:
        return reason(self.lineup, self.switchover.program, target)
