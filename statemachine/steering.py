"""The next legal step from what is shown towards what is wanted: begun, hurried, made due, set aside or abandoned.

Invariants: a moving picture leaves the program only for one that was proven, or for nobody where nobody may be shown.
A proven incoming is given up only for another proven one that is earlier in line, and otherwise only when its stream,
its turn in line or its picture is gone. Where a slate is configured and no picture moves, it is shown within
``SLATE_AFTER`` unless somebody is proven, who is cut to at once.
"""

from typing import NamedTuple

from statemachine import events as ev
from statemachine.handover.attempt import Attempt
from statemachine.handover.orphans import Orphans
from statemachine.handover.reserves import RESERVES_MOST
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.covers import Covers
from statemachine.monitors.render_load import RenderLoad
from statemachine.planning import (
    HASTE,
    KEEP,
    SIGN_WITHIN,
    Choice,
    Wanted,
    choose,
    first_proven,
    followers,
    is_settled,
    kept_until,
    reason,
    static_line,
    wanted,
    wanted_line,
)
from statemachine.policy import Policy

SLATE_AFTER = 0.6
"""Seconds without a moving picture after which the slate is shown: long enough for a fresh input, which spares viewers
a slate that only flashes, and short of the second that they may see a frozen frame."""
EMPTY_AGAIN = 1.0
"""Seconds after a cut to the slate that failed until the next one: viewers may see a frozen frame no longer."""
SOUND_WITHIN = 0.25
"""Seconds after its first picture in which the sound of an input may have a hole: OBS sets it to the time of the
picture at the first rendering (see daemon/obs/watch.py). With obs-gstreamer 85 to 160 ms were missing of it where one
was cut to at once, none after 0.3 s (OBS 29, 30 and 32)."""
SLATE_TRIES = 2
"""Cuts to the slate that may fail until the one input of mode static is tried to the end: better late than never."""


class Goal(NamedTuple):
    """What the attempt under way ought to be."""

    settled: bool
    """The program is what is wanted: the incoming is only made ready."""
    empty: bool
    """The program is to be emptied, which shows the slate."""
    choice: Choice


class Steering:
    """Works by level: it looks at where things stand, never at what has just happened."""

    def __init__(
        self, lineup: Lineup, switchover: Switchover, covers: Covers, render_load: RenderLoad, orphans: Orphans
    ) -> None:
        self.lineup = lineup
        self.switchover = switchover
        self._covers = covers
        self._render_load = render_load
        self._orphans = orphans
        self.now = 0.0
        self.last_cut: float | None = None
        self.empty_at: float | None = None
        """Before this time the program is not emptied again."""
        self.slate_failures = 0
        """Cuts to it that failed in a row."""
        self.dead_since: float | None = None
        """Since when the program shows no moving picture, though it shows one."""

    def advance(self, now: float) -> None:
        """The time is now."""
        self.now = now

    def cut_done(self, at: float) -> None:
        """The program has changed: the next hand-over is spaced from here."""
        self.last_cut, self.empty_at, self.slate_failures = at, None, 0

    def not_emptied(self, at: float) -> None:
        """The cut to the slate failed, and viewers may see a frozen frame."""
        self.empty_at, self.slate_failures = at + EMPTY_AGAIN, self.slate_failures + 1

    def obs_ready(self) -> None:
        """What OBS did not do before is no reason to wait: it is another one now, or another connection."""
        self.empty_at, self.slate_failures = None, 0

    def restore(
        self, now: float, last_cut: float | None, empty_at: float | None, dead_since: float | None, slate_failures: int
    ) -> None:
        """Stand where the snapshot was taken."""
        self.now, self.last_cut, self.empty_at, self.dead_since = now, last_cut, empty_at, dead_since
        self.slate_failures = slate_failures

    @property
    def crowded(self) -> bool:
        """So many given-up inputs still open that no other is begun."""
        return self._orphans.crowded(self.now)

    @property
    def policy(self) -> Policy:
        """The one in force."""
        return self.lineup.policy

    def cooldown_until(self) -> float | None:
        """job_delay spaces hand-overs; one that mends a dead picture does not wait for it."""
        if self.last_cut is None or not self._may_wait:
            return None
        until = self.last_cut + self.policy.job_delay
        return until if until > self.now else None

    def _sounds_from(self, attempt: Attempt) -> float | None:
        """When its sound will have no hole any more; None where it has none, or nobody waits for it."""
        if attempt.ready_at is None or attempt.due_at is not None or not self._may_wait:
            return None
        until = attempt.ready_at + SOUND_WITHIN
        return until if until > self.now else None

    @property
    def _may_wait(self) -> bool:
        """What is shown moves, and is published."""
        program = self.switchover.program
        if program is None or program.session is None or program.stalled_since is not None:
            return False
        return self.lineup.by_session(program.session.id) is not None

    def _may_cut(self) -> bool:
        return not self.switchover.scene.barred and self.cooldown_until() is None

    def deadline(self, now: float) -> float | None:
        """When a step may be due by time alone."""
        switchover, program = self.switchover, self.switchover.program
        times = [switchover.deadline, self.empty_at]
        policy = self.policy
        for attempt in switchover.incoming:
            times.append(self._sounds_from(attempt))
            if attempt.ready_at is None:
                times.append(attempt.begun_at + SIGN_WITHIN)
                if self._is_dead:
                    times.append(attempt.begun_at + HASTE)
        if self.dead_since is not None and policy.slate:
            times.append(self.dead_since + SLATE_AFTER)
        if program is not None and switchover.state is not State.RECOVERING:
            times += (self.cooldown_until(), kept_until(self.lineup, program, policy))
        ahead = [at for at in times if at is not None and at > now]
        return min(ahead) if ahead else None

    def step(self) -> bool:
        """Take the next legal step towards what is wanted; False where there is none."""
        switchover = self.switchover
        self._note_dead_air()
        if self.empty_at is not None and self.empty_at <= self.now:
            self.empty_at = None
        if switchover.reserves.expire(self.now) or switchover.expire(self.now):
            return True
        if switchover.state in (State.RECOVERING, State.CREATING, State.SWAPPING):
            return False
        if self._end_reserves():
            return True
        target = None if self._covers.covered else wanted(self.lineup, switchover.program, self.policy, self.now)
        settled = is_settled(target, switchover.program)
        if isinstance(target, ev.Session):
            if not settled and self._make_room(target):
                return True
            if settled:
                self._begin_turn(target)
        return self._take_step(self._as_allowed(self._goal(target, settled)), settled)

    def _begin_turn(self, shown: ev.Session) -> None:
        """It is on air as is wanted, and nobody's turn has begun."""
        holder = self.lineup.holder
        if holder is not None and holder.turn_began is None:
            self.lineup.turns.shown(self.now, shown.streamer)

    def _take_step(self, goal: Goal, settled: bool) -> bool:
        state = self.switchover.state
        if state is State.IDLE:
            return self._begin(goal)
        if state is not State.CLEANUP:
            return self._steer(goal)
        waited_for = not settled or goal.empty or self._waits_dark(goal)
        return waited_for and self.cooldown_until() is None and self.switchover.skip_grace(self.now)

    # --- what is wanted --------------------------------------------------------------------------------------

    def _goal(self, target: Wanted, settled: bool) -> Goal:
        tried = {a.target.id: a for a in self.switchover.incoming if a.target is not None}
        program = self.switchover.program
        room = not self.crowded and (len(tried) <= RESERVES_MOST if self.policy.mode != "static" else not tried)
        if settled or not isinstance(target, ev.Session):
            standby = self.policy.standby and not self._render_load.standby_suspended
            line = followers(self.lineup, program, self.policy, standby, self.now)
            choice = choose(line, tried, self.now, room=room)
            empty = target is None and not settled
            return Goal(not empty, empty or (target == KEEP and not choice.proven and self._slate_is_due), choice)
        if self.policy.mode == "static":
            choice = choose(static_line(self.lineup, target, tried), tried, self.now, room=room)
            return Goal(False, not choice.proven and self._slate_is_due, choice)
        line = wanted_line(self.lineup, target, program, self.now)
        dead = self._is_dead
        choice = choose(line, tried, self.now, room=room, urgent=dead)
        if not choice.proven and dead:
            line = wanted_line(self.lineup, target, program, self.now)
            ready = first_proven(line, tried, self.now)
            choice = choice if ready is None else Choice(ready, choice.useful, proven=True)
        return Goal(False, not choice.proven and self._slate_is_due, choice)

    def _as_allowed(self, goal: Goal) -> Goal:
        """The same, the program not emptied where it may not change, or moves again."""
        if self.switchover.scene.barred:
            return goal._replace(empty=False)
        return goal._replace(empty=False, settled=True) if goal.empty and self._moves_again else goal

    @property
    def _is_dead(self) -> bool:
        """Nothing is shown but a still picture: whoever moves comes before the one who is wanted.

        A slate may stay for the moment that the one who is wanted is given to show a picture.
        """
        return not self.policy.slate if self.switchover.program is None else self.dead_since is not None

    @property
    def _is_dark(self) -> bool:
        """Nothing that moves is shown, but perhaps a slate."""
        return self.switchover.program is None or self.dead_since is not None

    def _waits_dark(self, goal: Goal) -> bool:
        """The slate stands for one who stalled in its turn, of whom a fresh input is to be made."""
        holder, session = self.lineup.holder, goal.choice.session
        stalled = holder is not None and holder.stalled_since is not None and holder.session == session
        return self.switchover.program is None and session is not None and stalled

    def _note_dead_air(self) -> None:
        program = self.switchover.program
        if program is None:
            self.dead_since = None
        elif program.stalled_since is not None:
            self.dead_since = program.stalled_since
        elif program.session is None or self.lineup.by_session(program.session.id) is not None:
            self.dead_since = None
        elif self.dead_since is None:
            self.dead_since = self.now

    @property
    def _slate_is_due(self) -> bool:
        if not self.policy.slate or self.dead_since is None:
            return False
        return self.empty_at is None and self.now >= self.dead_since + SLATE_AFTER

    @property
    def _moves_again(self) -> bool:
        """What stalled moves, and is about to show whether it goes on: the slate waits for that moment."""
        program = self.switchover.program
        if self._covers.covered or program is None or program.moves_since is None:
            return False
        return program.session is None or self.lineup.by_session(program.session.id) is not None

    # --- steps -----------------------------------------------------------------------------------------------

    def _end_reserves(self) -> bool:
        """Drop those whose streams have ended; True if there was one."""
        for reserve in self.switchover.reserves:
            entry = self.lineup.by_session(reserve.target.id) if reserve.target else None
            if entry is None or entry.session != reserve.target:
                self.switchover.reserves.drop(self.now, reserve, "stream_ended", "its stream ended")
                return True
        return False

    def _make_room(self, target: ev.Session) -> bool:
        """Nothing moves, and all places are of those who have no picture, while others wait: the oldest has failed."""
        switchover = self.switchover
        tried = {attempt.target.id for attempt in switchover.incoming if attempt.target is not None}
        if not self._is_dark or len(tried) <= RESERVES_MOST or self.policy.mode == "static":
            return False
        if any(attempt.ready_at is not None for attempt in switchover.incoming):
            return False
        oldest = min(switchover.reserves, key=lambda reserve: reserve.begun_at)
        line = wanted_line(self.lineup, target, switchover.program, self.now)
        waits = any(entry.session is not None and entry.session.id not in tried for entry in line)
        if not waits or self.now < oldest.begun_at + SIGN_WITHIN or oldest.target is None:
            return False
        self.lineup.standing.failed(self.now, oldest.target.id, reason="not_ready", silent=False)
        switchover.reserves.drop(self.now, oldest, "superseded", "it shows no picture, and others need its place")
        return True

    def _prune(self, goal: Goal) -> bool:
        """What stands behind one who has a picture is of no use any more; True if there was one."""
        wanted = goal.choice.session
        for reserve in self.switchover.reserves:
            if reserve.number not in goal.choice.useful and reserve.target != wanted:
                self.switchover.reserves.drop(self.now, reserve, "superseded", "another stream is wanted")
                return True
        return False

    def _begin(self, goal: Goal) -> bool:
        if self._prune(goal):
            return True
        if goal.empty and self.empty_at is None:
            # Should it fail, the next try is not at once.
            self.empty_at = self.now + 2 * self.policy.cut_timeout
            self.switchover.begin(self.now, None, self._reason(None), due=True)
            return True
        session = goal.choice.session
        if session is None:
            return False
        why = "standby" if goal.settled or goal.empty else self._reason(session)
        if reserve := self.switchover.reserves.of(session.id):
            self.switchover.take_up(self.now, reserve, why)
            return True
        due = why != "standby" and self._may_cut()
        if why != "standby" and not due and self.policy.mode == "static":
            return False
        self.switchover.begin(self.now, session, why, due=due)
        return True

    def _steer(self, goal: Goal) -> bool:
        """Tell the attempt what became of its stream and of its turn."""
        attempt = self.switchover.attempt
        assert attempt is not None
        assert attempt.target is not None
        number, incoming = attempt.number, attempt.target
        entry = self.lineup.by_session(incoming.id)
        if entry is None or entry.session != incoming:
            self.switchover.handle(ev.StreamEnded(self.now, number))
            return True
        if goal.choice.session != incoming or (goal.empty and self.empty_at is None and self._gives_way(attempt)):
            self._give_way(goal, attempt)
            return True
        if self._prune(goal):
            return True
        if goal.settled or goal.empty or self.switchover.scene.barred:
            if attempt.due_at is not None:
                self.switchover.postpone()
            return False
        if self._may_cut() and attempt.due_at is None and self._sounds_from(attempt) is None:
            self.switchover.become_due(self.now, self._reason(incoming))
            return True
        return False

    def _gives_way(self, attempt: Attempt) -> bool:
        """To the slate. The one input of mode static is shown and tried: its try is not cut short for nothing."""
        slate, scene = self.policy.slate, self.switchover.scene
        if attempt.input != scene.on_air_input:
            return True
        return bool(slate) and slate not in scene.fixtures.missing and self.slate_failures < SLATE_TRIES

    def _give_way(self, goal: Goal, attempt: Attempt) -> None:
        """Another one is to be the attempt under way: this one goes on beside it, if it may still be of use."""
        beside = attempt.mode != "static" and self.policy.mode != "static"
        if beside and (attempt.number in goal.choice.useful or goal.choice.proven):
            self.switchover.set_aside_now(self.now)
        else:
            self.switchover.handle(ev.TargetChanged(self.now, attempt.number))

    def _reason(self, target: ev.Session | None) -> str:
        return reason(self.lineup, self.switchover.program, target)
