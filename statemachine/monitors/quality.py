"""What is measured of the stream on air besides its bitrate: whether its sound has died while its picture moves.

A measurement comes from whoever can measure; where nobody does, nothing is said. A level about the bound changes
nothing: it is silent below SILENT, and sounds above SOUNDS, for a while each.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from statemachine import events as ev
from statemachine import facts
from statemachine.handover.program import Shows
from statemachine.lineup.lineup import Lineup

SILENT, SOUNDS = -60.0, -50.0
"""dBFS: the noise of an open microphone lies above the one, the breath of a pause between the two."""
SEEN_AFTER = 5.0
"""Seconds of silence until it is seen: people pause."""
GOOD_FOR = 2.0
"""Seconds of sound until the silence is over."""
STALE = 30.0
"""Seconds after which a measurement says nothing any more."""
SOUND = "sound"
"""The quantity that is known: the level of the sound in dBFS."""

Step = Literal["seen", "warn", "over"]


@dataclass(frozen=True, slots=True)
class Silence:
    """The silence of the one on air, as it is remembered."""

    session_id: str
    since: float
    measured_at: float
    level: float
    good_since: float | None = None
    seen: bool = False
    warned: bool = False


class Quality:
    """Looks at the one on air. Appends to the line-up's facts."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Shows) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.silence: Silence | None = None

    def shift_deadlines(self, gap: float) -> None:
        """Nobody measured for ``gap`` seconds: no time ran."""
        silence = self.silence
        if silence is not None:
            good = None if silence.good_since is None else silence.good_since + gap
            since, measured = silence.since + gap, silence.measured_at + gap
            self.silence = replace(silence, since=since, measured_at=measured, good_since=good)

    @property
    def silent_since(self) -> float | None:
        """Since when the one on air is silent; None where it sounds or nobody tells."""
        return self.silence.since if self.silence and self.silence.seen else None

    def measured(self, event: ev.Measured) -> None:
        """The level of somebody's sound. What is measured of one who is not on air says nothing of the show."""
        on_air = self._on_air
        if event.quantity != SOUND or on_air is None or on_air.streamer != event.streamer:
            return
        silence = self.silence
        if silence is None:
            if event.value <= SILENT:
                self.silence = Silence(on_air.id, event.at, event.at, event.value)
        elif event.value >= SOUNDS:
            good = silence.good_since if silence.good_since is not None else event.at
            self.silence = replace(silence, measured_at=event.at, level=event.value, good_since=good)
        else:
            kept = None if event.value <= SILENT else silence.good_since
            self.silence = replace(silence, measured_at=event.at, level=event.value, good_since=kept)

    def expire(self, now: float) -> bool:
        """Take the next step whose time has come; True if there was one."""
        silence = self.silence
        if silence is None:
            return False
        on_air = self._on_air
        if on_air is None or on_air.id != silence.session_id:
            self.silence = None
            return True
        if self._ends(silence) <= now:
            self.silence = None
            if silence.seen:
                self._emit(now, on_air.streamer, "over", silence)
            return True
        if silence.good_since is None:
            if not silence.seen and now >= silence.since + SEEN_AFTER:
                self.silence = replace(silence, seen=True)
                self._emit(now, on_air.streamer, "seen", silence)
                return True
            if not silence.warned and self._after > 0 and now >= silence.since + max(self._after, SEEN_AFTER):
                self.silence = replace(silence, warned=True)
                self._emit(now, on_air.streamer, "warn", silence)
                return True
        return False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        silence = self.silence
        if silence is None:
            return None
        times = [self._ends(silence)]
        if not silence.seen:
            times.append(silence.since + SEEN_AFTER)
        if not silence.warned and self._after > 0:
            times.append(silence.since + max(self._after, SEEN_AFTER))
        return min((at for at in times if at > now), default=None)

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _on_air(self) -> ev.Session | None:
        program = self._switchover.program
        return program.session if program else None

    @property
    def _after(self) -> float:
        return self._lineup.policy.silence

    def _ends(self, silence: Silence) -> float:
        stale = silence.measured_at + STALE
        return stale if silence.good_since is None else min(stale, silence.good_since + GOOD_FOR)

    def _emit(self, at: float, streamer: str, step: Step, silence: Silence) -> None:
        self._lineup.facts.append(facts.SilenceOnAir(at, streamer, step, at - silence.since, silence.level))
