"""One hand-over at a time: the transitions.Machine over the table, and what its rows do.

It knows what the program shows and which attempt is under way. It does not know the line-up: whether a stream is
wanted is told to it by events.
"""

from collections.abc import Callable
from dataclasses import replace

import transitions

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.backoff import backoff
from statemachine.errors import IllegalEventError
from statemachine.handover.attempt import Attempt, Brief
from statemachine.handover.cleanup import Cleanup, Grace, Remove, Restore
from statemachine.handover.orphans import open_until
from statemachine.handover.program import Program
from statemachine.handover.reserves import Reserves
from statemachine.handover.scene import Scene
from statemachine.handover.states import State
from statemachine.handover.table import IGNORED, LEGAL, TRANSITIONS
from statemachine.policy import Policy
from statemachine.snapshot import SwitchoverState

WAITING = (State.CREATING, State.BUFFERING, State.STANDBY)
"""In these the attempt under way is no cut yet."""
POOL_MOST = 2
"""Inputs that mode pooled keeps: in turn on air and beside it."""
TRANSITION_MOST = 20.0
"""Seconds: the longest transition of OBS's."""
BACKOFF_FIRST, BACKOFF_MOST = 0.5, 10.0
"""Seconds: the first and the longest pause between two tries to remove an input or to put the scene right."""
TAKEN_MOST = 5
"""Names in a row that may be somebody else's before that counts as a failure to be tried again later."""


class Switchover(Scene):
    """The hand-over under way. ``handle`` appends to ``commands``; ``aftermath`` returns what attempts came to."""

    state: State

    def __init__(
        self,
        policy: Policy,
        identify: Callable[[str], ev.Session | None],
        brief: Callable[[ev.Session], Brief] = lambda session: Brief(),
    ) -> None:
        super().__init__(policy, identify, brief)
        self._machine = transitions.Machine(
            model=self,
            states=State,
            initial=State.RECOVERING,
            auto_transitions=False,
            transitions=[
                {
                    "trigger": row.event.__name__,
                    "source": row.source,
                    "dest": row.dest,
                    "conditions": [row.when] if row.when else None,
                    "before": [row.then] if row.then else None,
                }
                for row in TRANSITIONS
            ],
        )

    def handle(self, event: ev.Event) -> None:
        """Take one event of the table; a late one and an ignored one only leave a fact.

        Raises IllegalEventError where the table knows no such pair.
        """
        state, name = self.state, type(event).__name__
        if isinstance(event, ev.AttemptEvent) and (self.attempt is None or event.attempt != self.attempt.number):
            self.facts.append(facts.EventIgnored(event.at, name, state, "it belongs to another attempt"))
            return
        if why := IGNORED.get((state, type(event))):
            self.facts.append(facts.EventIgnored(event.at, name, state, why))
            return
        number = self.attempt.number if self.attempt else self.last_number
        # trigger() is added to the model by transitions; it answers False where no row's guard holds.
        if (state, type(event)) not in LEGAL or not self.trigger(name, event):  # type: ignore[attr-defined]
            raise IllegalEventError(state, name)
        self.facts.append(facts.StateChanged(event.at, state, name, self.state, number))

    @property
    def kept(self) -> SwitchoverState:
        """All of it, for the snapshot."""
        return SwitchoverState(
            self.state,
            self.program,
            self.attempt,
            self.last_number,
            self.next_input,
            self.pool,
            self.scene_at,
            self.old_slates,
            self.missing,
            self.foreign_owners,
            self.names_taken,
            tuple(self.reserves),
        )

    def restore(self, kept: SwitchoverState) -> None:
        """Stand where the snapshot was taken."""
        self._machine.set_state(kept.state, self)
        self.program, self.attempt, self.last_number = kept.program, kept.attempt, kept.last_number
        self.next_input, self.pool, self.scene_at = kept.next_input, kept.pool, kept.scene_at
        self.old_slates, self.missing = kept.old_slates, kept.missing
        self.foreign_owners, self.names_taken = kept.foreign_owners, kept.names_taken
        self.reserves = Reserves(self, kept.reserves)

    @property
    def paths(self) -> frozenset[str]:
        """What is shown, and what is made ready to be, by the paths of their sessions."""
        program, target = self.program, self.attempt.target if self.attempt else None
        shown = (program.session.path if program.session else program.stream) if program else ""
        targets = (target, *(reserve.target for reserve in self.reserves))
        return frozenset((shown, *(session.path for session in targets if session))) - {""}

    # --- beginning -------------------------------------------------------------------------------------------

    def begin(self, at: float, target: ev.Session | None, reason: str, *, due: bool) -> None:
        """From IDLE: the next attempt, for ``target``, or to empty the program where that is None."""
        self.last_number += 1
        if self.policy.mode != "pooled":
            self.pool = ()
        self.attempt = Attempt(
            number=self.last_number,
            input=self._next_name() if target else "",
            target=target,
            reason=reason,
            begun_at=at,
            due_at=at if due else None,
            mode=self.policy.mode,
            from_streamer=self.on_air_streamer,
            outgoing=self.program.input if self.program else "",
        )
        kind = ev.TargetChosen if target else ev.ProgramEmptied
        self.handle(kind(at, self.last_number))

    def set_aside_now(self, at: float) -> None:
        """From BUFFERING or STANDBY to IDLE: another one is tried, or the slate shown, and this one goes on."""
        self.handle(ev.SetAside(at, self._attempt.number))

    def take_up(self, at: float, reserve: Attempt, reason: str) -> None:
        """From IDLE: a reserve is the attempt under way again."""
        reserve = self.reserves.take(reserve.number)
        outgoing = self.program.input if self.program else ""
        self.attempt = replace(reserve, reason=reason, from_streamer=self.on_air_streamer, outgoing=outgoing)
        self.handle(ev.TakenUp(at, reserve.number))

    def become_due(self, at: float, reason: str) -> None:
        """From BUFFERING or STANDBY: the turn of the attempt under way has come."""
        self._set(reason=reason)
        self.handle(ev.TurnCame(at, self._attempt.number))

    def postpone(self) -> None:
        """Its turn, which had come, is not yet: it is only made ready."""
        self._set(due_at=None)

    @property
    def incoming(self) -> tuple[Attempt, ...]:
        """The attempt under way, as long as it is no cut yet, and the reserves."""
        if self.attempt is None or self.state not in WAITING:
            return tuple(self.reserves)
        return (self.attempt, *self.reserves)

    @property
    def deadline(self) -> float | None:
        """When the present state has waited long enough, or a reserve has."""
        times = (self.attempt.deadline if self.attempt else None, self.reserves.deadline())
        return min((at for at in times if at is not None), default=None)

    def expire(self, now: float) -> bool:
        """Let the attempt's deadline ring if it is reached; True if it was."""
        attempt = self.attempt
        if attempt is None or attempt.deadline is None or attempt.deadline > now:
            return False
        self._set(deadline=None)
        kind: dict[State, type[ev.AttemptEvent]] = {
            State.BUFFERING: ev.ReadyTimedOut,
            State.SWAPPING: ev.CutTimedOut,
            State.CLEANUP: ev.CleanupDue,
        }
        self.handle(kind[self.state](now, attempt.number))
        return True

    def skip_grace(self, now: float) -> bool:
        """Cut a grace or a backoff short: the picture has to change again. True if that rang the deadline."""
        attempt = self.attempt
        if self.state is not State.CLEANUP or attempt is None or attempt.deadline is None or attempt.is_restoring:
            return False
        if isinstance(attempt.cleanup, Remove) and attempt.cleanup.tries:
            # A removal that failed gets one more try; then it is left to the sweep.
            self._set(cleanup=replace(attempt.cleanup, tries=self.policy.removal_tries))
        self._set(deadline=now)
        return self.expire(now)

    # --- guards ----------------------------------------------------------------------------------------------

    def is_due(self, _: ev.Event) -> bool:
        return self._attempt.due_at is not None and not self.barred

    def is_not_due(self, _: ev.Event) -> bool:
        return not self.is_due(_)

    def must_restore(self, _: ev.Event) -> bool:
        return self._attempt.is_restoring

    def must_remove(self, _: ev.Event) -> bool:
        return isinstance(self._attempt.cleanup, Grace | Remove)

    def is_clean(self, _: ev.Event) -> bool:
        return self._attempt.cleanup is None

    def has_picture(self, _: ev.Event) -> bool:
        return self._attempt.ready_at is not None

    def has_no_picture(self, _: ev.Event) -> bool:
        return self._attempt.ready_at is None

    def may_retry(self, _: ev.Event) -> bool:
        return not self.may_not_retry(_)

    def may_not_retry(self, _: ev.Event) -> bool:
        cleanup = self._attempt.cleanup
        return isinstance(cleanup, Remove) and cleanup.tries >= self.policy.removal_tries

    # --- effects ---------------------------------------------------------------------------------------------

    def create(self, event: ev.TargetChosen) -> None:
        a = self._attempt
        assert a.target is not None
        if a.mode == "static":
            self._do(cmd.RestartInput(a.number, a.input, a.target))
        else:
            known = self._brief(a.target)
            self._set(plain=known.plain)
            reuse = a.mode == "pooled"
            self._do(cmd.CreateInput(a.number, a.input, a.target, reuse, known.tracks, known.tries, known.plain))

    def take_off(self, event: ev.ProgramEmptied) -> None:
        a = self._attempt
        self._set(deadline=event.at + self._cut_within)
        self._do(cmd.Cut(a.number, None, a.outgoing or None, self.policy.slate, studio_mode=self.policy.studio_mode))

    def creation_failed(self, event: ev.CreationFailed) -> None:
        self.names_taken = self.names_taken + 1 if event.taken else 0
        if event.taken:
            # That input is somebody else's: nothing of it is touched, and the next number is tried.
            self._distrust(self._attempt.input)
            blamed = self.names_taken >= TAKEN_MOST
            self._end(event.at, "creation_failed" if blamed else "name_taken", event.reason)
            self._clean_up(None, event.at)
            return
        if event.untouched:
            self._set(code=event.code)
            self._end(event.at, "creation_failed", event.reason)
            self._clean_up(None, event.at)
            return
        # It may have been created all the same, if OBS was only slow to say so.
        self._distrust(self._attempt.input)
        self._fail(event.at, "creation_failed", event.reason, event.code)

    def place_and_watch(self, event: ev.InputCreated) -> None:
        a = self._attempt
        self.names_taken = 0
        self._set(opened_at=event.at, deadline=event.at + self.policy.ready_timeout)
        if a.mode != "static":
            like = self.program.input if self.program else ""
            self._do(cmd.PlaceInput(a.number, a.input, self.policy.z_offset, like))
        elif self.program is not None and self.program.session != a.target:
            # It opens the target's stream by now: whoever was on air is seen no more.
            self._doubt_program(event.at)
        self._do(cmd.WatchInput(a.number, a.input, self.policy.ready_timeout))

    def mark_due(self, event: ev.TurnCame) -> None:
        if self._attempt.due_at is None:
            self._set(due_at=event.at)

    def set_aside(self, event: ev.SetAside) -> None:
        self.reserves.put(replace(self._attempt, due_at=None))
        self.attempt = None

    def stand_by(self, event: ev.MediaReady) -> None:
        self._set(deadline=None, ready_at=event.at, due_at=None)

    def swap(self, event: ev.MediaReady) -> None:
        self._set(ready_at=event.at)
        self._swap(event.at)

    def swap_now(self, event: ev.TurnCame) -> None:
        self._set(due_at=event.at)
        self._swap(event.at)

    def not_ready(self, event: ev.ReadyTimedOut) -> None:
        self._fail(event.at, "not_ready", f"did not become ready within {self.policy.ready_timeout:.1f}s")

    def media_failed(self, event: ev.MediaFailed) -> None:
        self._fail(event.at, "media_failed", event.reason, event.code)

    def stream_ended(self, event: ev.StreamEnded) -> None:
        self._fail(event.at, "stream_ended", "its stream ended")

    def superseded(self, event: ev.TargetChanged) -> None:
        self._fail(event.at, "superseded", "another stream is wanted")

    def cut_done(self, event: ev.CutDone) -> None:
        a = self._attempt
        self.program = None
        if a.target:
            self.program = Program(a.input, a.target, event.at, a.number, a.still_since, a.stalled_since, a.blank)
        self.scene_at = event.at
        leaves = a.outgoing not in ("", a.input, self.policy.static_input)
        if leaves:
            self._clean_up(Grace(a.outgoing), event.at + self.policy.cleanup_grace)
        else:
            self._clean_up(None, event.at)
        self._end(event.at, "completed")
        self.facts.append(self._on_air(event.at))

    def cut_failed(self, event: ev.CutFailed | ev.CutTimedOut) -> None:
        reason = event.reason if isinstance(event, ev.CutFailed) else "OBS did not answer in time"
        self._end(event.at, "cut_failed", reason)
        a = self._attempt
        self._distrust(a.input)
        self._doubt_program(event.at)
        self._clean_up(Restore("" if a.mode == "static" else a.input), None)
        self.restore_again(event)

    def restore_again(self, event: ev.Event) -> None:
        a = self._attempt
        # Somebody may have removed the outgoing since.
        outgoing = self.program.input if self.program else None
        incoming = a.input if a.input not in ("", outgoing) else None
        self._do(cmd.RestoreOutgoing(a.number, incoming, outgoing, self.policy.slate))

    def restored(self, event: ev.OutgoingRestored) -> None:
        self.scene_at = event.at
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Restore):
            self._clean_up(Remove(cleanup.input) if cleanup.input else None, event.at)

    def restore_later(self, event: ev.RestoreFailed) -> None:
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Restore):
            self._retry(event.at, cleanup, event.reason)

    def remove(self, event: ev.CleanupDue) -> None:
        a = self._attempt
        assert isinstance(a.cleanup, Grace | Remove)
        name = a.cleanup.input
        parked = self.policy.mode == "pooled" and name in self.pool and len(self.pool) <= POOL_MOST
        if not parked:
            self._distrust(name)
        if isinstance(a.cleanup, Grace):
            self._clean_up(Remove(name), None)
        kind = cmd.ParkInput if parked else cmd.RemoveInput
        self._do(kind(a.number, name, outgoing=name == a.outgoing))

    def remove_later(self, event: ev.RemovalFailed) -> None:
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Remove):
            self._distrust(cleanup.input)
            self._retry(event.at, cleanup, event.reason)

    def give_up(self, event: ev.RemovalFailed) -> None:
        cleanup = self._attempt.cleanup
        assert isinstance(cleanup, Remove)
        self._distrust(cleanup.input)
        self._orphans_found.append(cleanup.input)
        self.facts.append(facts.OrphanReported(event.at, cleanup.input, event.reason))
        self.attempt = None

    def removed(self, event: ev.InputRemoved) -> None:
        self.attempt = None

    def conclude(self, event: ev.CleanupDue) -> None:
        self.attempt = None

    def interrupt(self, event: ev.ObsLost) -> None:
        self._do(cmd.AbandonPending())
        for reserve in self.reserves.clear():
            self.conclude_reserve(event.at, reserve, "obs_lost", event.reason)
        if self.attempt is None:
            return
        # What was asked for last may yet come true.
        if self.attempt.cleanup is not None:
            self._distrust(self.attempt.cleanup.input)
        if not self.attempt.outcome:
            self._distrust(self.attempt.input)
            self._end(event.at, "obs_lost", event.reason)
            self._doubt_program(event.at)
            if self.state is State.BUFFERING and self.attempt.mode != "static":
                self._let_go(event.at, self.attempt)
        # A cut under way may have happened: its attempt is kept until the inventory tells.
        if self.state is State.SWAPPING or self.attempt.is_restoring:
            self._set(deadline=None)
        else:
            self.attempt = None

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _attempt(self) -> Attempt:
        assert self.attempt is not None
        return self.attempt

    @property
    def _cut_within(self) -> float:
        """Seconds that OBS may take: to drive studio mode, a transition that runs has to end before the next begins."""
        return self.policy.cut_timeout + (TRANSITION_MOST if self.policy.studio_mode == "drive" else 0.0)

    def _set(self, **changes: object) -> None:
        self.attempt = replace(self._attempt, **changes)  # type: ignore[arg-type]  # fields by name, held by tests

    def _swap(self, at: float) -> None:
        # The program may have changed hands since the attempt began: what is hidden is what is shown now.
        seen = self.program.input if self.program else ""
        # Mode static: one input is both, and there is nothing to hide or to fade.
        same = seen == self._attempt.input
        self._set(
            deadline=at + self._cut_within + self.policy.fade,
            outgoing=seen,
            from_streamer=self._attempt.from_streamer if same else self.on_air_streamer,
        )
        a = self._attempt
        outgoing, fade = (None, 0.0) if same else (a.outgoing or None, self.policy.fade)
        self._do(cmd.Cut(a.number, a.input, outgoing, self.policy.slate, fade, self.policy.studio_mode))

    def _fail(self, at: float, outcome: str, detail: str, code: str = "") -> None:
        self._set(code=code)
        self._end(at, outcome, detail)
        self._doubt_program(at)
        a = self._attempt
        if a.mode != "static" and at < (open_until(a) or at):
            self._let_go(at, a)
            self._clean_up(None, at)
            return
        # At once, and on a deadline like every removal: the director lets it ring in the same step.
        self._clean_up(None if a.mode == "static" else Remove(a.input), at)
        shown = self.program is not None and self.program.input == a.input
        if a.mode == "static" and not shown and a.input not in self.missing:
            self._do(cmd.HideInput(a.input))  # its restart has shown it

    def _doubt_program(self, at: float) -> None:
        """Mode static: the attempt that failed has restarted what was on air, so that nobody can be named for it."""
        program = self.program
        if program is not None and program.input == self._attempt.input:
            # Nobody watches it any more, unlike one that was found on air.
            self.program = replace(program, session=None, since=at, stalled_since=None, attempt=self._attempt.number)

    def _clean_up(self, cleanup: Cleanup | None, due: float | None) -> None:
        """What is to be done next, and when; ``due`` is None where OBS is asked already."""
        self._set(cleanup=cleanup, deadline=due)

    def _retry(self, at: float, cleanup: Restore | Remove, reason: str) -> None:
        tries = cleanup.tries + 1
        self._set(detail=reason)
        self._clean_up(replace(cleanup, tries=tries), at + backoff(BACKOFF_FIRST, BACKOFF_MOST, tries))

    def _end(self, at: float, outcome: str, detail: str = "") -> None:
        self._set(outcome=outcome, detail=detail)
        self._report(at, self._attempt)
