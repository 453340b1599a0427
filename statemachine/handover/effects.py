"""What the table's rows ask and do: the guards and the effects that they name, and the state that they lead to."""

from collections.abc import Callable

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.backoff import backoff
from statemachine.handover.attempt import Attempt, Brief
from statemachine.handover.attempts import Attempts
from statemachine.handover.cleanup import Grace, Remove, Restore
from statemachine.handover.orphans import open_until
from statemachine.handover.program import Program
from statemachine.handover.results import Results
from statemachine.handover.scene import Scene
from statemachine.handover.states import State

TRANSITION_MOST = 20.0
"""Seconds: the longest transition of OBS's."""
BACKOFF_FIRST, BACKOFF_MOST = 0.5, 10.0
"""Seconds: the first and the longest pause between two tries to remove an input or to put the scene right."""
TAKEN_MOST = 5
"""Names in a row that may be somebody else's before that counts as a failure to be tried again later."""


class Effects:
    """The model of the machine, which sets ``state``. Each method takes the event of its row."""

    state: State

    def __init__(
        self, scene: Scene, attempts: Attempts, results: Results, brief: Callable[[ev.Session], Brief]
    ) -> None:
        self._scene = scene
        self._attempts = attempts
        self._results = results
        self._brief = brief

    # --- guards ----------------------------------------------------------------------------------------------

    def is_due(self, _: ev.Event) -> bool:
        return self._attempt.due_at is not None and not self._scene.barred

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
        return isinstance(cleanup, Remove) and cleanup.tries >= self._scene.policy.removal_tries

    # --- the incoming ----------------------------------------------------------------------------------------

    def create(self, event: ev.TargetChosen) -> None:
        a = self._attempt
        assert a.target is not None
        if a.mode == "static":
            self._do(cmd.RestartInput(a.number, a.input, a.target))
        else:
            known = self._brief(a.target)
            self._attempts.change(plain=known.plain)
            reuse = a.mode == "pooled"
            self._do(cmd.CreateInput(a.number, a.input, a.target, reuse, known.way, known.plain))

    def creation_failed(self, event: ev.CreationFailed) -> None:
        names = self._scene.names
        names.note_creation(taken=event.taken)
        if event.taken:
            # That input is somebody else's: nothing of it is touched, and the next number is tried.
            names.distrust(self._attempt.input)
            blamed = names.taken >= TAKEN_MOST
            self._attempts.end(event.at, "creation_failed" if blamed else "name_taken", event.reason)
            self._attempts.clean_up(None, event.at)
            return
        if event.untouched:
            self._attempts.change(code=event.code)
            self._attempts.end(event.at, "creation_failed", event.reason)
            self._attempts.clean_up(None, event.at)
            return
        # It may have been created all the same, if OBS was only slow to say so.
        names.distrust(self._attempt.input)
        self._fail(event.at, "creation_failed", event.reason, event.code)

    def place_and_watch(self, event: ev.InputCreated) -> None:
        a, policy = self._attempt, self._scene.policy
        self._scene.names.note_creation(taken=False)
        self._attempts.change(opened_at=event.at, deadline=event.at + policy.ready_timeout)
        program = self._scene.program
        if a.mode != "static":
            self._do(cmd.PlaceInput(a.number, a.input, policy.z_offset, program.input if program else ""))
        else:
            self._scene.open_program(event.at, a)
        self._do(cmd.WatchInput(a.number, a.input, policy.ready_timeout))

    def mark_due(self, event: ev.TurnCame) -> None:
        if self._attempt.due_at is None:
            self._attempts.change(due_at=event.at)

    def set_aside(self, event: ev.SetAside) -> None:
        self._attempts.set_aside()

    def stand_by(self, event: ev.MediaReady) -> None:
        self._attempts.change(deadline=None, ready_at=event.at, due_at=None)
        self._scene.play_program(event.at, self._attempt)

    def not_ready(self, event: ev.ReadyTimedOut) -> None:
        self._fail(event.at, "not_ready", f"did not become ready within {self._scene.policy.ready_timeout:.1f}s")

    def media_failed(self, event: ev.MediaFailed) -> None:
        self._fail(event.at, "media_failed", event.reason, event.code)

    def stream_ended(self, event: ev.StreamEnded) -> None:
        self._fail(event.at, "stream_ended", "its stream ended")

    def superseded(self, event: ev.TargetChanged) -> None:
        self._fail(event.at, "superseded", "another stream is wanted")

    # --- the cut ---------------------------------------------------------------------------------------------

    def take_off(self, event: ev.ProgramEmptied) -> None:
        a, policy = self._attempt, self._scene.policy
        self._attempts.change(deadline=event.at + self._cut_within)
        self._do(cmd.Cut(a.number, None, a.outgoing or None, policy.slate, studio_mode=policy.studio_mode))

    def swap(self, event: ev.MediaReady) -> None:
        self._attempts.change(ready_at=event.at)
        self._scene.play_program(event.at, self._attempt)
        self._swap(event.at)

    def swap_now(self, event: ev.TurnCame) -> None:
        self._attempts.change(due_at=event.at)
        self._swap(event.at)

    def cut_done(self, event: ev.CutDone) -> None:
        a, policy = self._attempt, self._scene.policy
        program = None
        if a.target:
            program = Program(a.input, a.target, event.at, a.number, a.still_since, a.stalled_since, a.blank)
        if a.outgoing not in ("", a.input, policy.static_input):
            self._attempts.clean_up(Grace(a.outgoing), event.at + policy.cleanup_grace)
        else:
            self._attempts.clean_up(None, event.at)
        self._attempts.end(event.at, "completed")
        self._scene.cut(event.at, program)

    def cut_failed(self, event: ev.CutFailed | ev.CutTimedOut) -> None:
        reason = event.reason if isinstance(event, ev.CutFailed) else "OBS did not answer in time"
        self._attempts.end(event.at, "cut_failed", reason)
        a = self._attempt
        self._scene.names.distrust(a.input)
        self._scene.doubt_program(event.at, a)
        self._attempts.clean_up(Restore("" if a.mode == "static" else a.input), None)
        self.restore_again(event)

    # --- cleaning up -----------------------------------------------------------------------------------------

    def restore_again(self, event: ev.Event) -> None:
        a = self._attempt
        # Somebody may have removed the outgoing since.
        outgoing = self._scene.on_air_input or None
        incoming = a.input if a.input not in ("", outgoing) else None
        self._do(cmd.RestoreOutgoing(a.number, incoming, outgoing, self._scene.policy.slate))

    def restored(self, event: ev.OutgoingRestored) -> None:
        self._scene.put_right(event.at)
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Restore):
            self._attempts.clean_up(Remove(cleanup.input) if cleanup.input else None, event.at)

    def restore_later(self, event: ev.RestoreFailed) -> None:
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Restore):
            tries = cleanup.tries + 1
            self._attempts.clean_up(Restore(cleanup.input, tries), event.at + _pause(tries))

    def remove(self, event: ev.CleanupDue) -> None:
        a, names = self._attempt, self._scene.names
        assert isinstance(a.cleanup, Grace | Remove)
        name = a.cleanup.input
        parked = self._scene.policy.mode == "pooled" and names.keeps(name)
        if not parked:
            names.distrust(name)
        if isinstance(a.cleanup, Grace):
            self._attempts.clean_up(Remove(name), None)
        kind = cmd.ParkInput if parked else cmd.RemoveInput
        self._do(kind(a.number, name, outgoing=name == a.outgoing))

    def remove_later(self, event: ev.RemovalFailed) -> None:
        cleanup = self._attempt.cleanup
        if isinstance(cleanup, Remove):
            tries = cleanup.tries + 1
            self._scene.names.distrust(cleanup.input)
            self._attempts.clean_up(Remove(cleanup.input, tries), event.at + _pause(tries))

    def give_up(self, event: ev.RemovalFailed) -> None:
        cleanup = self._attempt.cleanup
        assert isinstance(cleanup, Remove)
        self._scene.names.distrust(cleanup.input)
        self._results.orphans.append(cleanup.input)
        self._results.facts.append(facts.OrphanReported(event.at, cleanup.input, event.reason))
        self._attempts.close()

    def removed(self, event: ev.InputRemoved) -> None:
        self._attempts.close()

    def conclude(self, event: ev.CleanupDue) -> None:
        self._attempts.close()

    # --- OBS -------------------------------------------------------------------------------------------------

    def interrupt(self, event: ev.ObsLost) -> None:
        self._do(cmd.AbandonPending())
        for reserve in self._attempts.reserves.clear():
            self._attempts.conclude_reserve(event.at, reserve, "obs_lost", event.reason)
        attempt = self._attempts.current
        if attempt is None:
            return
        # What was asked for last may yet come true.
        if attempt.cleanup is not None:
            self._scene.names.distrust(attempt.cleanup.input)
        if not attempt.outcome:
            self._scene.names.distrust(attempt.input)
            self._attempts.end(event.at, "obs_lost", event.reason)
            self._scene.doubt_program(event.at, attempt)
            if self.state is State.BUFFERING and attempt.mode != "static":
                self._attempts.let_go(self._attempt)
        # A cut under way may have happened: its attempt is kept until the inventory tells.
        if self.state is State.SWAPPING or attempt.is_restoring:
            self._attempts.change(deadline=None)
        else:
            self._attempts.close()

    def adopt(self, event: ev.ObsReady) -> None:
        attempt = self._attempts.current
        self._attempts.close()
        self._scene.adopt(event, attempt)

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _attempt(self) -> Attempt:
        return self._attempts.under_way

    def _do(self, command: cmd.Command) -> None:
        self._results.do(command)

    @property
    def _cut_within(self) -> float:
        """Seconds that OBS may take: to drive studio mode, a transition that runs has to end before the next begins."""
        policy = self._scene.policy
        return policy.cut_timeout + (TRANSITION_MOST if policy.studio_mode == "drive" else 0.0)

    def _swap(self, at: float) -> None:
        policy = self._scene.policy
        # The program may have changed hands since the attempt began: what is hidden is what is shown now.
        seen = self._scene.on_air_input
        # Mode static: one input is both, and there is nothing to hide or to fade.
        same = seen == self._attempt.input
        self._attempts.change(
            deadline=at + self._cut_within + policy.fade,
            outgoing=seen,
            from_streamer=self._attempt.from_streamer if same else self._scene.on_air_streamer,
        )
        a = self._attempt
        outgoing, fade = (None, 0.0) if same else (a.outgoing or None, policy.fade)
        self._do(cmd.Cut(a.number, a.input, outgoing, policy.slate, fade, policy.studio_mode))

    def _fail(self, at: float, outcome: str, detail: str, code: str = "") -> None:
        self._attempts.change(code=code)
        self._attempts.end(at, outcome, detail)
        a = self._attempt
        self._scene.doubt_program(at, a)
        if a.mode != "static" and at < (open_until(a) or at):
            self._attempts.let_go(a)
            self._attempts.clean_up(None, at)
            return
        # At once, and on a deadline like every removal: the director lets it ring in the same step.
        self._attempts.clean_up(None if a.mode == "static" else Remove(a.input), at)
        if a.mode == "static" and self._scene.on_air_input != a.input and a.input not in self._scene.fixtures.missing:
            self._do(cmd.HideInput(a.input))  # its restart has shown it


def _pause(tries: int) -> float:
    return backoff(BACKOFF_FIRST, BACKOFF_MOST, tries)
