"""One hand-over at a time: the transitions.Machine over the table, and the entrance to what it is made of.

It knows what the program shows and which attempt is under way. It does not know the line-up: whether a stream is
wanted is told to it by events. Composed of parts, each of which writes its own share alone:

- ``scene``: what OBS shows, the names of inputs, the slates;
- ``Attempts``: the one under way and those beside it;
- ``Effects``: what the rows of the table ask and do, and the state;
- ``Results``: what all of them hand on.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import transitions

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.errors import IllegalEventError
from statemachine.handover.attempt import Aftermath, Attempt, Brief
from statemachine.handover.attempts import Attempts
from statemachine.handover.cleanup import Remove
from statemachine.handover.effects import Effects
from statemachine.handover.memory import SwitchoverState
from statemachine.handover.program import Program
from statemachine.handover.reserves import Reserves
from statemachine.handover.results import Results
from statemachine.handover.scene import Scene
from statemachine.handover.states import State
from statemachine.handover.table import IGNORED, LEGAL, TRANSITIONS
from statemachine.policy import Policy

WAITING = (State.CREATING, State.BUFFERING, State.STANDBY)
"""In these the attempt under way is no cut yet."""
RINGS: dict[State, type[ev.AttemptEvent]] = {
    State.BUFFERING: ev.ReadyTimedOut,
    State.SWAPPING: ev.CutTimedOut,
    State.CLEANUP: ev.CleanupDue,
}
"""What has happened when the deadline of the attempt is reached in a state."""


class Switchover:
    """The hand-over under way. ``handle`` appends to ``commands``; ``aftermath`` returns what attempts came to."""

    def __init__(
        self,
        policy: Policy,
        identify: Callable[[str], ev.Session | None],
        brief: Callable[[ev.Session], Brief] = lambda session: Brief(),
    ) -> None:
        self._results = results = Results()
        self.scene = Scene(policy, identify, results)
        self._attempts = Attempts(results, self.scene.names)
        self._effects = Effects(self.scene, self._attempts, results, brief)
        self._machine = transitions.Machine(
            model=self._effects,
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
        state, name, attempt, told = self.state, type(event).__name__, self.attempt, self._results.facts
        if isinstance(event, ev.AttemptEvent) and (attempt is None or event.attempt != attempt.number):
            told.append(facts.EventIgnored(event.at, name, state, "it belongs to another attempt"))
            return
        if why := IGNORED.get((state, type(event))):
            told.append(facts.EventIgnored(event.at, name, state, why))
            return
        number = attempt.number if attempt else self.last_number
        # trigger() is added to the model by transitions; it answers False where no row's guard holds.
        if (state, type(event)) not in LEGAL or not self._effects.trigger(name, event):  # type: ignore[attr-defined]  # transitions adds it
            raise IllegalEventError(state, name)
        told.append(facts.StateChanged(event.at, state, name, self.state, number))

    def use(self, policy: Policy) -> None:
        """The policy from now on."""
        self.scene.use(policy, connected=self.state is not State.RECOVERING)

    # --- what it hands on ------------------------------------------------------------------------------------

    @property
    def commands(self) -> list[cmd.Command]:
        """What is to be done; the director takes it out."""
        return self._results.commands

    @property
    def facts(self) -> list[facts.Fact]:
        """What is to be told."""
        return self._results.facts

    def aftermath(self) -> Aftermath:
        """What attempts came to, and what they left, since the last call: each is returned once."""
        return self._results.aftermath()

    # --- how it stands ---------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the hand-over stands."""
        return self._effects.state

    @property
    def program(self) -> Program | None:
        """What is on air; None where nothing is."""
        return self.scene.program

    @property
    def on_air_streamer(self) -> str:
        """Whose picture is shown; empty where it is nobody's."""
        return self.scene.on_air_streamer

    @property
    def attempt(self) -> Attempt | None:
        """The one under way."""
        return self._attempts.current

    @property
    def last_number(self) -> int:
        """That of the latest attempt."""
        return self._attempts.last_number

    @property
    def next_input(self) -> int:
        """The number that no input has had yet."""
        return self.scene.names.next_input

    @property
    def reserves(self) -> Reserves:
        """The attempts that go on beside the one under way."""
        return self._attempts.reserves

    @property
    def incoming(self) -> tuple[Attempt, ...]:
        """The attempt under way, as long as it is no cut yet, and the reserves."""
        attempt, reserves = self._attempts.current, self._attempts.reserves.kept
        return reserves if attempt is None or self.state not in WAITING else (attempt, *reserves)

    def waits_for(self, now: float) -> set[str]:
        """The sessions that an input is connected to and has no picture of."""
        return {each.target.id for each in self.incoming if each.target is not None and each.waits(now)}

    def wait_for_others(self, at: float, kicked: Iterable[ev.Session]) -> None:
        """The encoders of these are about to publish anew."""
        for session in kicked:
            self._attempts.wait_for_another(at, session)

    @property
    def is_changing(self) -> bool:
        """A cut, or its repair, is under way: its outcome decides what is on air."""
        attempt = self._attempts.current
        return self.state is State.SWAPPING or (attempt is not None and attempt.is_restoring)

    @property
    def in_use(self) -> Collection[str]:
        """Inputs that something refers to."""
        attempt = self._attempts.current
        names = {reserve.input for reserve in self.reserves} | self.scene.in_use
        return names | {attempt.input, attempt.outgoing} if attempt else names

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
        scene, policy = self.scene, self.scene.policy
        if policy.mode != "pooled":
            scene.names.empty_pool()
        taken = {scene.on_air_input, *(reserve.input for reserve in self.reserves)}
        attempt = Attempt(
            number=self.last_number + 1,
            input=scene.names.next(policy, taken) if target else "",
            target=target,
            reason=reason,
            begun_at=at,
            due_at=at if due else None,
            mode=policy.mode,
            from_streamer=scene.on_air_streamer,
            outgoing=scene.on_air_input,
        )
        self._attempts.begin(attempt)
        kind = ev.TargetChosen if target else ev.ProgramEmptied
        self.handle(kind(at, attempt.number))

    def set_aside_now(self, at: float) -> None:
        """From BUFFERING or STANDBY to IDLE: another one is tried, or the slate shown, and this one goes on."""
        self.handle(ev.SetAside(at, self._attempts.under_way.number))

    def take_up(self, at: float, reserve: Attempt, reason: str) -> None:
        """From IDLE: a reserve is the attempt under way again."""
        reserve = self.reserves.take(reserve.number)
        scene = self.scene
        self._attempts.begin(
            replace(reserve, reason=reason, from_streamer=scene.on_air_streamer, outgoing=scene.on_air_input)
        )
        self.handle(ev.TakenUp(at, reserve.number))

    def become_due(self, at: float, reason: str) -> None:
        """From BUFFERING or STANDBY: the turn of the attempt under way has come."""
        self._attempts.change(reason=reason)
        self.handle(ev.TurnCame(at, self._attempts.under_way.number))

    def postpone(self) -> None:
        """Its turn, which had come, is not yet: it is only made ready."""
        self._attempts.change(due_at=None)

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the present state has waited long enough, or a reserve has."""
        attempt, reserves = self._attempts.current, self._attempts.reserves.deadline()
        own = attempt.deadline if attempt is not None else None
        return own if reserves is None else reserves if own is None else min(own, reserves)

    def expire(self, now: float) -> bool:
        """Let the attempt's deadline ring if it is reached; True if it was."""
        attempt = self._attempts.current
        if attempt is None or attempt.deadline is None or attempt.deadline > now:
            return False
        self._attempts.change(deadline=None)
        self.handle(RINGS[self.state](now, attempt.number))
        return True

    def skip_grace(self, now: float) -> bool:
        """Cut a grace or a backoff short: the picture has to change again. True if that rang the deadline."""
        attempt = self._attempts.current
        if self.state is not State.CLEANUP or attempt is None or attempt.deadline is None or attempt.is_restoring:
            return False
        if isinstance(attempt.cleanup, Remove) and attempt.cleanup.tries:
            # A removal that failed gets one more try; then it is left to the sweep.
            self._attempts.change(cleanup=replace(attempt.cleanup, tries=self.scene.policy.removal_tries))
        self._attempts.change(deadline=now)
        return self.expire(now)

    # --- what is told of OBS ---------------------------------------------------------------------------------

    def reread(self, event: ev.InventoryRead, now: float) -> bool:
        """Somebody may have touched the scene; True if the program is gone."""
        if self.state is State.RECOVERING:
            return False
        return self.scene.reread(event, now, self.attempt, self.in_use, changing=self.is_changing)

    def stands_still(self, at: float, name: str, since: float, *, blank: bool) -> None:
        """The picture of that input does, which is no stall yet. Mode static: one input is on air and incoming."""
        self.scene.stands_still(at, name, since, blank=blank)
        self._attempts.stands_still(name, since, self.state, blank=blank)

    def moves(self, at: float, name: str) -> None:
        """The picture of that input moves (again); the one on air, where it had stalled, has to go on."""
        self.scene.moves(at, name)
        self._attempts.moves(name)

    def mark_stalled_in_cut(self, at: float) -> None:
        """The incoming failed while it was cut to: once on air, it has stalled."""
        self._attempts.mark_stalled_in_cut(at)

    # --- snapshot --------------------------------------------------------------------------------------------

    @property
    def kept(self) -> SwitchoverState:
        """All of it, for the snapshot."""
        scene, attempts, names, fixtures = self.scene, self._attempts, self.scene.names, self.scene.fixtures
        return SwitchoverState(
            self.state,
            scene.program,
            attempts.current,
            attempts.last_number,
            names.next_input,
            names.pool,
            scene.changed_at,
            fixtures.old,
            fixtures.missing,
            scene.foreign_owners,
            names.taken,
            attempts.reserves.kept,
        )

    def restore(self, kept: SwitchoverState) -> None:
        """Stand where the snapshot was taken."""
        self._machine.set_state(kept.state, self._effects)
        self._attempts.restore(kept.attempt, kept.last_number, kept.reserves)
        self.scene.restore(kept.program, kept.scene_at, kept.foreign_owners)
        self.scene.names.restore(kept.next_input, kept.pool, kept.names_taken)
        self.scene.fixtures.restore(kept.old_slates, kept.missing)
