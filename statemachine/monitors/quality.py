"""What is measured of the stream on air besides its bitrate: whether its sound has died while its picture moves.

A measurement comes from whoever can measure; where nobody does, nothing is said. ``quantities`` has what is known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from statemachine import events as ev
from statemachine import facts
from statemachine.codec import FORMERLY
from statemachine.handover.program import Shows
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.quantities import QUANTITIES, Quantity

STALE = 30.0
"""Seconds after which a measurement says nothing any more."""
SOUND = "sound"

QualityStep = Literal["seen", "warn", "over"]


@dataclass(frozen=True, slots=True)
class Amiss:
    """What is amiss with the one on air, as it is remembered."""

    session_id: str
    since: float
    measured_at: float
    value: float = field(metadata={FORMERLY: "level"})
    good_since: float | None = None
    seen: bool = False
    warned: bool = False


class Quality:
    """Looks at the one on air. Appends to the line-up's facts."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Shows) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.amiss: dict[str, Amiss] = {}
        """By quantity."""

    def restore(self, amiss: Mapping[str, Amiss]) -> None:
        """Stand where the snapshot was taken."""
        self.amiss = dict(amiss)

    def shift_deadlines(self, gap: float) -> None:
        """Nobody measured for ``gap`` seconds: no time ran."""
        for name, amiss in self.amiss.items():
            good = None if amiss.good_since is None else amiss.good_since + gap
            since, measured = amiss.since + gap, amiss.measured_at + gap
            self.amiss[name] = replace(amiss, since=since, measured_at=measured, good_since=good)

    @property
    def seen(self) -> Mapping[str, float]:
        """The quantities of the one on air that are amiss, and since when."""
        return {name: amiss.since for name, amiss in self.amiss.items() if amiss.seen}

    def measured(self, event: ev.Measured) -> None:
        """A quantity of somebody's stream. What is measured of one who is not on air says nothing of the show."""
        on_air, quantity = self._on_air, QUANTITIES.get(event.quantity)
        if quantity is None or on_air is None or on_air.streamer != event.streamer:
            return
        amiss = self.amiss.get(event.quantity)
        if amiss is None:
            if quantity.is_amiss(event.value):
                self.amiss[event.quantity] = Amiss(on_air.id, event.at, event.at, event.value)
            return
        good = amiss.good_since
        if quantity.is_well(event.value):
            good = event.at if good is None else good
        elif quantity.is_amiss(event.value):
            good = None
        self.amiss[event.quantity] = replace(amiss, measured_at=event.at, value=event.value, good_since=good)

    def expire(self, now: float) -> bool:
        """Take the next step whose time has come; True if there was one."""
        return bool(self.amiss) and any(self._step(now, name, amiss) for name, amiss in tuple(self.amiss.items()))

    def _step(self, now: float, name: str, amiss: Amiss) -> bool:
        on_air, quantity = self._on_air, QUANTITIES.get(name)
        if quantity is None or on_air is None or on_air.id != amiss.session_id:
            del self.amiss[name]
            return True
        if self._ends(quantity, amiss) <= now:
            del self.amiss[name]
            if amiss.seen:
                self._emit(now, on_air.streamer, name, "over", amiss)
            return True
        if amiss.good_since is None:
            for step, at in self._ahead(quantity, amiss):
                if at <= now:
                    done = replace(amiss, seen=True) if step == "seen" else replace(amiss, warned=True)
                    self.amiss[name] = done
                    self._emit(now, on_air.streamer, name, step, amiss)
                    return True
        return False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        if not self.amiss:
            return None
        times = []
        for name, amiss in self.amiss.items():
            if (quantity := QUANTITIES.get(name)) is not None:
                times += [self._ends(quantity, amiss), *(at for _, at in self._ahead(quantity, amiss))]
        return min((at for at in times if at > now), default=None)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _ahead(self, quantity: Quantity, amiss: Amiss) -> Iterator[tuple[QualityStep, float]]:
        """The steps that are still to come, as long as it stays amiss, and when."""
        if not amiss.seen:
            yield "seen", amiss.since + quantity.seen_after
        after = getattr(self._lineup.policy, quantity.told_after) if quantity.told_after else 0.0
        if not amiss.warned and after > 0:
            yield "warn", amiss.since + max(after, quantity.seen_after)

    @property
    def _on_air(self) -> ev.Session | None:
        program = self._switchover.program
        return program.session if program else None

    def _ends(self, quantity: Quantity, amiss: Amiss) -> float:
        stale = amiss.measured_at + STALE
        return stale if amiss.good_since is None else min(stale, amiss.good_since + quantity.good_for)

    def _emit(self, at: float, streamer: str, name: str, step: QualityStep, amiss: Amiss) -> None:
        seconds = at - amiss.since
        if name == SOUND:
            self._lineup.facts.append(facts.SilenceOnAir(at, streamer, step, seconds, amiss.value))
        else:
            self._lineup.facts.append(facts.MeasuredOnAir(at, streamer, name, step, seconds, amiss.value))
