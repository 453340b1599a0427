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
from statemachine.attempt import Attempt
from statemachine.errors import IllegalEventError
from statemachine.policy import Policy
from statemachine.program import Program, adopt
from statemachine.states import State
from statemachine.table import IGNORED, TRANSITIONS

BACKOFF_MOST = 10.0
"""Seconds: the longest pause between two tries to remove an input or to put the scene right."""


class Switchover:
    """The hand-over under way. ``handle`` appends to ``commands`` and ``facts``, which the director drains."""

    state: State

    def __init__(self, policy: Policy, identify: Callable[[str], ev.Session | None]) -> None:
        self.policy = policy
        self.program: Program | None = None
        self.attempt: Attempt | None = None
        self.last_number = 0
        self.next_input = 1
        self.pool: tuple[str, ...] = ()
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self.orphans_found: list[str] = []
        self._identify = identify
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
        try:
            moved = self.trigger(name, event)  # type: ignore[attr-defined]  # added to the model by transitions
        except transitions.MachineError as error:
            raise IllegalEventError(state, name) from error
        if moved:
            self.facts.append(facts.StateChanged(event.at, state, name, self.state, number))

    def restore_state(self, state: State) -> None:
        """Stand where a snapshot stood."""
        self._machine.set_state(state, self)

    # --- beginning -------------------------------------------------------------------------------------------

    def begin(self, at: float, target: ev.Session | None, reason: str, *, due: bool) -> None:
        """From IDLE: the next attempt, for ``target``, or to empty the program where that is None."""
        self.last_number += 1
        self.attempt = Attempt(
            number=self.last_number,
            input=self._next_name() if target else "",
            target=target,
            reason=reason,
            begun_at=at,
            due_at=at if due else None,
            from_streamer=self.on_air_streamer,
            outgoing=self.program.input if self.program else "",
        )
        kind = ev.TargetChosen if target else ev.ProgramEmptied
        self.handle(kind(at, self.last_number))

    @property
    def on_air_streamer(self) -> str:
        """Whose picture is shown; empty where it is nobody's."""
        return self.program.session.streamer if self.program and self.program.session else ""

    @property
    def deadline(self) -> float | None:
        """When the present state has waited long enough."""
        return self.attempt.deadline if self.attempt else None

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

    def hurry(self, now: float) -> None:
        """Cut the outgoing's grace short: somebody waits for the picture to change again."""
        attempt = self.attempt
        if self.state is State.CLEANUP and attempt and attempt.outcome == "completed" and attempt.tries == 0:
            self._set(deadline=min(now, attempt.deadline) if attempt.deadline is not None else None)

    # --- guards ----------------------------------------------------------------------------------------------

    def is_due(self, _: ev.Event) -> bool:
        return self._attempt.due_at is not None

    def is_not_due(self, _: ev.Event) -> bool:
        return self._attempt.due_at is None

    def must_restore(self, _: ev.Event) -> bool:
        return self._attempt.restore

    def has_victim(self, _: ev.Event) -> bool:
        return bool(self._attempt.victim) and not self._attempt.restore

    def has_no_victim(self, _: ev.Event) -> bool:
        return not self._attempt.victim and not self._attempt.restore

    def may_retry(self, _: ev.Event) -> bool:
        return self._attempt.tries < self.policy.removal_tries

    def may_not_retry(self, _: ev.Event) -> bool:
        return not self.may_retry(_)

    # --- effects ---------------------------------------------------------------------------------------------

    def create(self, event: ev.TargetChosen) -> None:
        a = self._attempt
        assert a.target is not None
        if self.policy.mode == "static":
            self._do(cmd.RestartInput(a.number, a.input, a.target))
        else:
            self._do(cmd.CreateInput(a.number, a.input, a.target, reuse=self.policy.mode == "pooled"))

    def take_off(self, event: ev.ProgramEmptied) -> None:
        a = self._attempt
        self._set(deadline=event.at + self.policy.cut_timeout)
        self._do(cmd.Cut(a.number, None, a.outgoing or None, self.policy.slate))

    def creation_failed(self, event: ev.CreationFailed) -> None:
        # It may have been created all the same, if OBS was only slow to say so.
        self._fail(event.at, "creation_failed", event.reason)

    def place_and_watch(self, event: ev.InputCreated) -> None:
        a = self._attempt
        self._set(deadline=event.at + self.policy.ready_timeout)
        if self.policy.mode != "static":
            self._do(cmd.PlaceInput(a.number, a.input, self.policy.z_offset))
        self._do(cmd.WatchInput(a.number, a.input, self.policy.ready_timeout))

    def mark_due(self, event: ev.TurnCame) -> None:
        if self._attempt.due_at is None:
            self._set(due_at=event.at)

    def stand_by(self, event: ev.MediaReady) -> None:
        self._set(deadline=None, ready_at=event.at)

    def swap(self, event: ev.MediaReady) -> None:
        self._set(ready_at=event.at)
        self._swap(event.at)

    def swap_now(self, event: ev.TurnCame) -> None:
        self._set(due_at=event.at)
        self._swap(event.at)

    def not_ready(self, event: ev.ReadyTimedOut) -> None:
        self._fail(event.at, "not_ready", f"did not become ready within {self.policy.ready_timeout:.1f}s")

    def media_failed(self, event: ev.MediaFailed) -> None:
        self._fail(event.at, "media_failed", event.reason)

    def stream_ended(self, event: ev.StreamEnded) -> None:
        self._fail(event.at, "stream_ended", "its stream ended")

    def superseded(self, event: ev.TargetChanged) -> None:
        self._fail(event.at, "superseded", "another stream is wanted")

    def cut_done(self, event: ev.CutDone) -> None:
        a = self._attempt
        static = self.policy.mode == "static"
        self.program = Program(a.input, a.target, event.at) if a.target else None
        same = a.outgoing == a.input
        self._set(
            victim="" if static or same else a.outgoing,
            deadline=event.at + self.policy.cleanup_grace if a.outgoing and not (static or same) else event.at,
        )
        self._end(event.at, "completed")
        self.facts.append(
            facts.OnAirChanged(event.at, a.target.streamer if a.target else "", a.input if a.target else "")
        )

    def cut_failed(self, event: ev.CutFailed | ev.CutTimedOut) -> None:
        reason = event.reason if isinstance(event, ev.CutFailed) else "OBS did not answer in time"
        self._end(event.at, "cut_failed", reason)
        static = self.policy.mode == "static"
        self._set(deadline=None, restore=not static, victim="" if static else self._attempt.input)
        if static:
            self._set(deadline=event.at)
        else:
            self.restore_again(event)

    def restore_again(self, event: ev.Event) -> None:
        a = self._attempt
        self._do(cmd.RestoreOutgoing(a.number, a.input or None, a.outgoing or None, self.policy.slate))

    def restored(self, event: ev.OutgoingRestored) -> None:
        self._set(restore=False, tries=0, deadline=event.at)

    def restore_later(self, event: ev.RestoreFailed) -> None:
        self._retry(event.at, event.reason)

    def remove(self, event: ev.CleanupDue) -> None:
        a = self._attempt
        kind = cmd.ParkInput if self.policy.mode == "pooled" else cmd.RemoveInput
        self._do(kind(a.number, a.victim, outgoing=a.victim == a.outgoing))

    def remove_later(self, event: ev.RemovalFailed) -> None:
        self._retry(event.at, event.reason)

    def give_up(self, event: ev.RemovalFailed) -> None:
        self.orphans_found.append(self._attempt.victim)
        self.facts.append(facts.OrphanReported(event.at, self._attempt.victim, event.reason))
        self.attempt = None

    def removed(self, event: ev.InputRemoved) -> None:
        self.attempt = None

    def conclude(self, event: ev.CleanupDue) -> None:
        self.attempt = None

    def interrupt(self, event: ev.ObsLost) -> None:
        if self.attempt is None:
            return
        if not self.attempt.outcome:
            self._end(event.at, "obs_lost", event.reason)
        # A cut under way may have happened: its attempt is kept until the inventory tells.
        if self.state is State.SWAPPING:
            self._set(deadline=None)
        else:
            self.attempt = None

    def adopt(self, event: ev.ObsReady) -> None:
        incoming = Program(self.attempt.input, self.attempt.target, event.at) if self.attempt else None
        result = adopt(event.inventory, self.program, incoming, self._identify, event.at)
        changed = result.program != self.program
        self.program, self.attempt = result.program, None
        keep = set(self.pool) | ({self.policy.static_input} if self.policy.mode == "static" else set())
        self.orphans_found += [name for name in result.orphans if name not in keep]
        self.next_input = max(self.next_input, result.highest(self.policy.prefix) + 1)
        if self.program:
            self._do(cmd.WatchOnAir(self.program.input))
        if self.policy.slate:
            self._do(cmd.SetSlate(self.policy.slate, shown=self.program is None))
        if changed or self.program:
            name = self.program.input if self.program else ""
            self.facts.append(facts.OnAirChanged(event.at, self.on_air_streamer, name, adopted=True))

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _attempt(self) -> Attempt:
        assert self.attempt is not None
        return self.attempt

    def _set(self, **changes: object) -> None:
        self.attempt = replace(self._attempt, **changes)  # type: ignore[arg-type]  # fields by name, held by tests

    def _do(self, command: cmd.Command) -> None:
        self.commands.append(command)

    def _swap(self, at: float) -> None:
        # The program may have changed hands since the attempt began: what is hidden is what is shown now.
        self._set(
            deadline=at + self.policy.cut_timeout + self.policy.fade,
            outgoing=self.program.input if self.program else "",
            from_streamer=self.on_air_streamer,
        )
        a = self._attempt
        if self.policy.mode == "static":
            self._do(cmd.ToggleInput(a.number, a.input))
        else:
            self._do(cmd.Cut(a.number, a.input, a.outgoing or None, self.policy.slate, self.policy.fade))

    def _fail(self, at: float, outcome: str, detail: str) -> None:
        self._end(at, outcome, detail)
        static = self.policy.mode == "static"
        # At once, and on a deadline like every removal: the director lets it ring in the same step.
        self._set(victim="" if static else self._attempt.input, deadline=at)

    def _retry(self, at: float, reason: str) -> None:
        tries = self._attempt.tries + 1
        self._set(tries=tries, detail=reason, deadline=at + min(BACKOFF_MOST, 0.5 * 2 ** (tries - 1)))

    def _end(self, at: float, outcome: str, detail: str = "") -> None:
        self._set(outcome=outcome, detail=detail)
        a = self._attempt
        since = a.due_at if outcome == "completed" and a.due_at is not None else a.begun_at
        self.facts.append(
            facts.HandoverEnded(
                at,
                attempt=a.number,
                input=a.input,
                outgoing=a.outgoing,
                from_streamer=a.from_streamer,
                to_streamer=a.target.streamer if a.target else "",
                reason=a.reason,
                outcome=outcome,
                seconds=at - since,
                detail=detail,
            )
        )

    def _next_name(self) -> str:
        if self.policy.mode == "static":
            return self.policy.static_input
        if self.policy.mode == "pooled" and len(self.pool) == 2:
            return self.pool[1] if self.program and self.program.input == self.pool[0] else self.pool[0]
        name = f"{self.policy.prefix}{self.next_input}"
        self.next_input += 1
        if self.policy.mode == "pooled":
            self.pool = (*self.pool, name)
        return name
