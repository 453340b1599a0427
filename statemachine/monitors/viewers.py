"""What viewers get: OBS's Program, as it was read last. The scene is not that.

While somebody shows another scene, or studio mode shows a private copy of ours, what is done to our scene reaches
nobody. So it is known here whether the one on air is really seen, and what is to be done about studio mode.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from statemachine import commands as cmd
from statemachine import facts
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.policy import Policy
from statemachine.reading import ProgramReading

TOLD_AFTER = 0.5
"""Seconds that the one on air may be out of sight before it is told: a transition between two scenes takes as long."""
AGAIN = 1.0
"""Seconds between two tries to bring our scene into Program outside a hand-over."""
LETS_GO = 0.5
"""Seconds for which what has left may still be rendered after a transition: OBS ends a stinger before it lets go."""
_CHANGES = (cmd.SetSlate, cmd.ShowInput, cmd.HideInput, cmd.RestoreOutgoing)


@dataclass(frozen=True, slots=True)
class ViewersState:
    """All of it, for the snapshot."""

    reading: ProgramReading | None = None
    """The last one; None where OBS is not reached, or did not tell."""
    shown: bool | None = None
    """Viewers see the one on air (where nobody is: our scene). None where that is not known."""
    hidden_since: float | None = None
    """Since when they do not."""
    elsewhere_since: float | None = None
    """The same of what was told, and its end was not: also while OBS is away."""
    studio_mode: str = ""
    """The policy under which it was told that studio mode is on; empty where it is off."""
    brought_at: float | None = None
    lingers_since: float | None = None
    """Since when a copy shows the one on air and another one besides."""


class Viewers:
    """Appends to ``commands``, which come before all others of a step, and ``facts``; the director drains both."""

    ahead: ClassVar[bool] = True

    def __init__(self, policy: Policy, switchover: Switchover) -> None:
        self.policy = policy
        self.state = ViewersState()
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self._switchover = switchover

    @property
    def shown(self) -> bool | None:
        """Viewers see the one on air; None where that is not known."""
        return self.state.shown

    @property
    def elsewhere(self) -> bool:
        """It was told that they do not see the one on air."""
        return self.state.elsewhere_since is not None

    @property
    def clock_stands(self) -> bool:
        """The clock of the turn stands still, because nobody sees whose turn it is."""
        return self.policy.program == "follow" and self.state.hidden_since is not None

    def restore(self, policy: Policy, state: ViewersState) -> None:
        """Stand where the snapshot was taken."""
        self.policy, self.state = policy, state
        self._bar()

    # --- what is heard ---------------------------------------------------------------------------------------

    def read(self, at: float, reading: ProgramReading | None, now: float, *, afresh: bool = False) -> None:
        """OBS was read. What was read before our last change says nothing of what is seen now, unless ``afresh``."""
        if reading is None or self._switchover.state is State.RECOVERING:
            return
        if at <= self._switchover.scene.changed_at and not afresh:
            return
        self._set(reading=reading)
        if not self._switchover.is_changing:
            self._see(now, self._is_shown(reading))
        self._heed_studio_mode(now)
        if reading.studio_mode and self.policy.studio_mode == "leave":
            self.commands.append(cmd.LeaveStudioMode())
        elif self._is_stale(reading, now):
            self._bring(now)

    def cut(self, at: float, shown: bool) -> None:
        """The one on air is another, by a cut of ours, which tells whether viewers get it."""
        self._see(at, shown)

    def lost(self) -> None:
        """OBS is gone. What it shows meanwhile nobody knows; what was told stays told."""
        self._set(reading=None, shown=None, hidden_since=None)
        self._bar()

    def use(self, policy: Policy, now: float) -> None:
        """The policy from now on."""
        before, self.policy = self.policy, policy
        self._bar()
        if before.studio_mode != policy.studio_mode and self.state.reading is not None:
            self._heed_studio_mode(now)
            if self.state.reading.studio_mode and policy.studio_mode == "leave":
                self.commands.append(cmd.LeaveStudioMode())

    def after(self, commands: Iterable[cmd.Command], now: float) -> tuple[cmd.Command, ...]:
        """What is to follow a step's commands, so that what they do to our scene reaches viewers, too."""
        reading = self.state.reading
        if self.policy.studio_mode != "drive" or reading is None or not reading.copied:
            return ()
        if not any(isinstance(command, _CHANGES) for command in commands):
            return ()
        self._set(brought_at=now)
        return (cmd.BringToProgram(),)

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> bool:
        """Tell what has lasted; True if there was something."""
        since, program = self.state.hidden_since, self._switchover.program
        if since is None or self.elsewhere or program is None or now < since + TOLD_AFTER:
            return False
        reading = self.state.reading
        self._set(elsewhere_since=since)
        self.facts.append(
            facts.ProgramElsewhere(
                now,
                scene=reading.scene if reading else "",
                streamer=self._switchover.on_air_streamer,
                studio_mode=bool(reading and reading.studio_mode),
                clock_stands=self.clock_stands,
            )
        )
        return True

    def deadline(self, now: float) -> float | None:
        """When ``expire`` has something to do."""
        since = self.state.hidden_since
        return None if since is None or self.elsewhere else since + TOLD_AFTER

    def shift_deadlines(self, gap: float) -> None:
        """Nothing to shift: what viewers saw before OBS was lost is not known to go on."""

    # --- helpers ---------------------------------------------------------------------------------------------

    def _is_shown(self, reading: ProgramReading) -> bool:
        program = self._switchover.program
        return reading.live or reading.copied if program is None else program.input in reading.inputs

    def _see(self, now: float, shown: bool) -> None:
        since = self.state.hidden_since
        if not shown:
            self._set(shown=shown, hidden_since=now if since is None else since)
            return
        if (told := self.state.elsewhere_since) is not None:
            reading = self.state.reading
            scene = reading.scene if reading else ""
            self.facts.append(facts.ProgramBack(now, scene, self._switchover.on_air_streamer, now - told))
        self._set(shown=shown, hidden_since=None, elsewhere_since=None)

    def _heed_studio_mode(self, now: float) -> None:
        on = self.state.reading is not None and self.state.reading.studio_mode
        told = self.policy.studio_mode if on else ""
        if told != self.state.studio_mode:
            self._set(studio_mode=told)
            self.facts.append(facts.StudioModeChanged(now, on, self.policy.studio_mode))
        self._bar()

    def _bar(self) -> None:
        reading = self.state.reading
        self._switchover.scene.bar(self.policy.studio_mode == "hold" and reading is not None and reading.studio_mode)

    def _is_stale(self, reading: ProgramReading, now: float) -> bool:
        """A copy shows another one of ours than is on air. One that is but left over is given the time to go."""
        program = self._switchover.program
        if self.policy.studio_mode != "drive" or not reading.copied or reading.moving or self._switchover.is_changing:
            return False
        wanted, seen = {program.input} if program else set(), set(reading.inputs)
        if seen == wanted:
            self._set(lingers_since=None)
            return False
        if wanted - seen:
            return True
        since = self.state.lingers_since
        self._set(lingers_since=now if since is None else since)
        return since is not None and now >= since + LETS_GO

    def _bring(self, now: float) -> None:
        if self.state.brought_at is None or now >= self.state.brought_at + AGAIN:
            self._set(brought_at=now, lingers_since=None)
            self.commands.append(cmd.BringToProgram())

    def _set(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]  # fields by name, held by tests
