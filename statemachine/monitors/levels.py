"""How loud each one is made, so that a hand-over from one to the next is no jump: by what was measured of its sound.

A hidden input is set at once, one on air is moved slowly. What was measured of a streamer is remembered for the next
time. The gain stays within ±12 dB, and brings nothing above -1 dBTP.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup

MOST = 12.0
"""dB up or down."""
PEAK = -1.0
"""dBTP that nothing is brought above."""
STEP, EVERY = 0.5, 2.0
"""dB by which one on air is moved at most, and seconds between two moves: slower than anybody hears."""
NEAR = 1.0
"""dB that one on air may be off until it is moved."""
CLOSE = 0.1
"""dB that do not matter."""
REMEMBERED = 500
"""Streamers."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was measured of a streamer last."""

    loudness: float
    """LUFS."""
    peak: float
    """dBTP."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How much louder an own input was made."""

    db: float
    streamer: str = ""
    """Whose sound that was."""


@dataclass(frozen=True, slots=True)
class LevelsState:
    """All that is remembered."""

    heard: dict[str, Heard] = field(default_factory=dict)
    """By streamer, the last one at the end."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """Of each own input, as set last."""
    moving: bool = False
    """The one on air is on its way."""
    moved_at: float = 0.0


NONE = Gain(0.0)


class Levels:
    """Levels own inputs. Appends to the line-up's commands."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.state = LevelsState()

    def restore(self, state: LevelsState) -> None:
        """Stand where the snapshot was taken."""
        self.state = state

    def shift_deadlines(self, gap: float) -> None:
        """Nothing waits for anybody to watch it."""

    def measured(self, event: ev.StreamMeasured) -> None:
        """How loud a session is, if that is known."""
        entry = self._lineup.by_session(event.session_id)
        if entry is None or event.loudness is None or event.peak is None:
            return
        heard = {name: each for name, each in self.state.heard.items() if name != entry.streamer}
        heard[entry.streamer] = Heard(event.loudness, event.peak)
        if len(heard) > REMEMBERED:
            del heard[next(iter(heard))]
        self.state = replace(self.state, heard=heard)

    def gain(self, streamer: str) -> float:
        """dB that its sound is to be raised by, or lowered where it is below 0."""
        target, heard = self._lineup.policy.target_loudness, self.state.heard.get(streamer)
        if heard is None or target >= 0:
            return 0.0
        return max(-MOST, min(MOST, target - heard.loudness, self.ceiling(streamer)))

    def ceiling(self, streamer: str) -> float:
        """dB that its sound may be raised by at most, for the sake of its peaks; lowered where it is below 0."""
        heard = self.state.heard.get(streamer)
        return MOST if heard is None else max(-MOST, PEAK - heard.peak)

    def expire(self, now: float) -> bool:
        """Set what is not set as it is to be. Nothing else follows from it: never True."""
        state = self.state
        if self._switchover.state is State.RECOVERING:
            return False
        if not state.gains and (not state.heard or self._lineup.policy.target_loudness >= 0):
            return False
        inputs = dict(self._inputs())
        if gone := [name for name in state.gains if name not in inputs and not self._lasts(name)]:
            kept = {name: gain for name, gain in state.gains.items() if name not in gone}
            self.state = state = replace(state, gains=kept)
        on_air = self._on_air
        for name, streamer in inputs.items():
            gain, wanted = self.state.gains.get(name, NONE), self.gain(streamer)
            if gain.streamer != streamer:
                self._note(name, Gain(gain.db, streamer))
            off = abs(wanted - gain.db)
            another = gain.streamer not in ("", streamer)
            if off > CLOSE and (another or self._clips(gain.db, streamer)):
                self._set(name, streamer, wanted)
            elif name == on_air:
                self._move(now, name, streamer, gain.db)
            elif off >= STEP or (off > CLOSE and wanted == 0.0):
                self._set(name, streamer, wanted)
        return False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        at = self.state.moved_at + EVERY
        return at if self.state.moving and at > now else None

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _on_air(self) -> str:
        program = self._switchover.program
        return program.input if program is not None else ""

    def _inputs(self) -> Iterator[tuple[str, str]]:
        """Own inputs that play somebody, the one on air among them, and whom."""
        for attempt in (*self._switchover.incoming, self._switchover.attempt):
            if attempt is not None and attempt.target is not None and attempt.opened_at is not None:
                yield attempt.input, attempt.target.streamer
        program = self._switchover.program
        if program is not None and program.session is not None:
            yield program.input, program.session.streamer

    def _lasts(self, name: str) -> bool:
        """It is there, with its gain, also while it plays nobody."""
        policy = self._lineup.policy
        return policy.mode == "static" and name == policy.static_input

    def _note(self, name: str, gain: Gain) -> None:
        self.state = replace(self.state, gains={**self.state.gains, name: gain})

    def _clips(self, gain: float, streamer: str) -> bool:
        """Its peaks are higher by now than they may be: that is no matter for slowness."""
        return self._lineup.policy.target_loudness < 0 and gain > self.ceiling(streamer) + CLOSE

    def _move(self, now: float, name: str, streamer: str, before: float) -> None:
        state, off = self.state, self.gain(streamer) - before
        off_duty = self._lineup.policy.target_loudness >= 0
        if abs(off) <= (CLOSE if state.moving or off_duty else NEAR):
            self.state = replace(state, moving=False)
            return
        if not state.moving or now >= state.moved_at + EVERY:
            self.state = replace(state, moving=True, moved_at=now)
            self._set(name, streamer, before + max(-STEP, min(STEP, off)))

    def _set(self, name: str, streamer: str, gain: float) -> None:
        gain = round(gain, 2)
        self._note(name, Gain(gain, streamer))
        self._lineup.commands.append(cmd.SetLevel(name, gain))
