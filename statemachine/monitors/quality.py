"""What is measured of sound and picture: silent, black, too quiet, on one side. Who is on air, and who is in line.

A measurement comes from whoever can measure; where nobody does, nothing is said. ``quantities`` has what is known, and
the policy what is done about each: told, covered by the slate, skipped, kicked, each after its seconds on air. Of whom
more would be done than told, were it on air, is not fit, and comes after those who are: a picture that is amiss is
better than none. What an operator has taken on air all the same is only told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar, Literal

from statemachine import events as ev
from statemachine import facts
from statemachine.codec import FORMERLY
from statemachine.handover.program import Shows
from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup
from statemachine.monitors import consequences
from statemachine.monitors.quantities import QUANTITIES, Quantity

BELIEVED = 6.0
"""Seconds for which a measurement is reason enough to do something. What is amiss is told again sooner."""
STALE = 15.0
"""Seconds after which a measurement says nothing any more."""
HELD_MOST = 10.0
"""Seconds that count, at most, of those for which it is said to have lasted before it was first told."""
SOUND = "sound"
WHY = "quality"
"""The reason of a hand-over that what was measured has brought."""

QualityStep = Literal["seen", "warn", "cover", "skip", "kick", "unfit", "over", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Amiss:
    """What is amiss with a stream, as it is remembered."""

    since: float
    measured_at: float
    value: float = field(metadata={FORMERLY: "level"})
    good_since: float | None = None
    seen: bool = False
    aired_at: float | None = None
    """Since when it has been on air, in its present turn, when the steps below were taken; None: while it was in line.
    """
    told: bool = False
    warned: bool = False
    covered: bool = False
    """The slate is shown in its place."""
    let_pass: bool = False
    """An operator has let it pass, and nobody measures it any more: should it be measured again, it still is."""

    def is_over(self, quantity: Quantity, now: float) -> bool:
        """It was measured to be well for long enough."""
        return self.good_since is not None and now >= self.good_since + quantity.good_for


Known = Mapping[str, Mapping[str, Amiss]]
"""By session and quantity."""


class Quality:
    """Looks at everybody in line. Appends to the line-up's facts and commands."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Shows) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.amiss: dict[str, dict[str, Amiss]] = {}
        self._acted = False
        """A step was taken that changes who is shown: the others are taken once that is settled."""

    def restore(self, amiss: Known) -> None:
        """Stand where the snapshot was taken."""
        self.amiss = {session: dict(known) for session, known in amiss.items()}

    def shift_deadlines(self, gap: float) -> None:
        """Nobody measured for ``gap`` seconds: no time ran."""
        for known in self.amiss.values():
            for name, amiss in known.items():
                good = None if amiss.good_since is None else amiss.good_since + gap
                since, measured = amiss.since + gap, amiss.measured_at + gap
                known[name] = replace(amiss, since=since, measured_at=measured, good_since=good)

    # --- for people and for the steering ---------------------------------------------------------------------

    def seen(self, session_id: str) -> Mapping[str, Amiss]:
        """What is amiss with it, as far as that is seen."""
        return {name: amiss for name, amiss in self.amiss.get(session_id, {}).items() if amiss.seen}

    @property
    def covered(self) -> str:
        """Why the slate is to be shown in place of the turn's holder; empty where it is not."""
        holder = self._lineup.holder
        if not self.amiss or holder is None or holder.turn_began is None or holder.session is None:
            return ""
        known = self.amiss.get(holder.session.id, {})
        return next((QUANTITIES[name].reason or name for name, amiss in known.items() if amiss.covered), "")

    # --- measurements ----------------------------------------------------------------------------------------

    def measured(self, event: ev.Measured) -> None:
        """A quantity of what a streamer sends: of what is on air, or of what would be."""
        session, entry = self._on_air, self._lineup.find(event.streamer)
        if session is None or session.streamer != event.streamer:
            session = entry.session if entry is not None else None
        if session is not None:
            self._note(event.at, session.id, ev.Measurement(event.quantity, event.value))

    def reported(self, event: ev.StreamMeasured) -> None:
        """Quantities of one session."""
        if self._lineup.by_session(event.session_id) is not None:
            for measurement in event.measurements:
                self._note(event.at, event.session_id, measurement)

    def _note(self, at: float, session_id: str, measurement: ev.Measurement) -> None:
        name, value = measurement.quantity, measurement.value
        quantity = QUANTITIES.get(name)
        if quantity is None:
            return
        known = self.amiss.get(session_id, {})
        amiss = known.get(name)
        if amiss is None:
            if quantity.is_amiss(value):
                held = min(HELD_MOST, max(0.0, measurement.held))
                since = max(at - held, self._lineup.born(session_id))
                self.amiss.setdefault(session_id, {})[name] = Amiss(min(at, since), at, value)
            return
        good = amiss.good_since
        if quantity.is_well(value):
            good = at if good is None else good
        elif quantity.is_amiss(value):
            good = None
        known[name] = replace(amiss, measured_at=at, value=value, good_since=good, let_pass=False)

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> bool:
        """Take all steps whose time has come, up to one that changes who is shown; True if there was one."""
        taken, self._acted = False, False
        while self.amiss and not self._acted and self._expire_one(now):
            taken = True
        return taken

    def _expire_one(self, now: float) -> bool:
        known = tuple(self.amiss.items())
        # Who is fit to follow is known before anybody has to make room.
        return any(self._note_fitness(now, *each) for each in known) or any(self._look(now, *each) for each in known)

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        times = []
        for session_id, known in self.amiss.items():
            entry = self._lineup.by_session(session_id)
            for name, amiss in known.items():
                if (quantity := QUANTITIES.get(name)) is not None and entry is not None:
                    times += [self._ends(session_id, quantity, amiss)]
                    until = amiss.measured_at + BELIEVED
                    times += [at for _, at in self._ahead(entry, session_id, quantity, amiss) if at <= until]
                    unfit_at = self._unfit_at(session_id, name, amiss)
                    times += [unfit_at] if unfit_at is not None and unfit_at <= until else []
        return min((at for at in times if at > now), default=None)

    def _look(self, now: float, session_id: str, known: dict[str, Amiss]) -> bool:
        entry = self._lineup.by_session(session_id)
        if entry is None or not known:
            del self.amiss[session_id]
            return entry is not None
        for name, amiss in tuple(known.items()):
            quantity = QUANTITIES.get(name)
            if quantity is None or self._ends(session_id, quantity, amiss) <= now:
                self._end(now, session_id, entry, name)
                return True
            if self._step(now, session_id, entry, name):
                return True
        return False

    def _end(self, now: float, session_id: str, entry: Entry, name: str) -> None:
        """It is well again, or nobody has measured it for long."""
        known = self.amiss[session_id]
        amiss, quantity = known[name], QUANTITIES.get(name)
        recovered = quantity is None or amiss.is_over(quantity, now)
        if quantity is not None and amiss.seen:
            self._emit(now, entry, name, "over" if recovered else "unmeasured", amiss)
        if not recovered and amiss.seen and self._waived(session_id, amiss):
            known[name] = replace(amiss, seen=False, told=False, warned=False, covered=False, let_pass=True)
            return
        del known[name]
        if recovered and not known:
            self._lineup.unwaive(session_id)
        self._note_fitness(now, session_id, known)

    def _step(self, now: float, session_id: str, entry: Entry, name: str) -> bool:
        known, quantity = self.amiss[session_id], QUANTITIES[name]
        amiss = known[name]
        if (aired := self._aired(entry, session_id)) != amiss.aired_at and not self._is_covered(session_id):
            known[name] = amiss = replace(amiss, aired_at=aired, told=False, warned=False)
        if amiss.covered and not self._may_stay_covered(session_id, entry, name):
            known[name] = replace(amiss, covered=False)
            return True
        if amiss.good_since is not None or now > amiss.measured_at + BELIEVED:
            return False
        for step, at in self._ahead(entry, session_id, quantity, amiss):
            if at <= now and self._may(step, now, entry):
                self._take(step, now, session_id, entry, name)
                return True
        return False

    def _ahead(
        self, entry: Entry, session_id: str, quantity: Quantity, amiss: Amiss
    ) -> Iterator[tuple[QualityStep, float]]:
        """The steps that are still to come, as long as it stays amiss, and when."""
        grades = quantity.graded(self._lineup.policy.quality)
        on_air = self._aired(entry, session_id)
        if not amiss.seen or (on_air is not None and not amiss.told):
            if not quantity.where_graded or grades.warn > 0 or grades.acts_after > 0:
                yield "seen", amiss.since + quantity.seen_after
            return
        # Behind the slate as well: the one fault may be over before the other.
        shown = on_air is not None or self._is_covered(session_id)
        if not shown and not self._is_next(entry):
            return
        if not amiss.warned and grades.warn > 0:
            yield "warn", amiss.since + max(grades.warn, quantity.seen_after)
        # Of one who only fills in it is enough that whoever is fit relieves it.
        if entry.turn_began is None or not shown or self._waived(session_id, amiss):
            return
        begun = max(amiss.since, on_air if on_air is not None else amiss.aired_at or 0.0)
        if grades.cover > 0 and not amiss.covered:
            yield "cover", begun + max(grades.cover, quantity.seen_after)
        if grades.skip > 0:
            yield "skip", begun + max(grades.skip, quantity.seen_after)
        if grades.kick > 0:
            yield "kick", begun + max(grades.kick, quantity.seen_after)

    # --- steps -----------------------------------------------------------------------------------------------

    def _may(self, step: QualityStep, now: float, entry: Entry) -> bool:
        lineup = self._lineup
        match step:
            case "cover":
                return self._may_be_covered(entry)
            case "skip" | "kick":
                # Somebody has to follow who is better: a picture without sound is better than none.
                other = lineup.first_showable(now, but=entry.streamer)
                return not lineup.held and entry.leaves is None and other is not None and not lineup.passed_over(other)
            case _:
                return True

    def _take(self, step: QualityStep, now: float, session_id: str, entry: Entry, name: str) -> None:
        known = self.amiss[session_id]
        amiss = known[name]
        self._emit(now, entry, name, step, amiss)
        self._acted = step in ("cover", "skip", "kick")
        match step:
            case "seen":
                known[name] = replace(amiss, seen=True, told=amiss.aired_at is not None)
            case "warn":
                known[name] = replace(amiss, warned=True)
            case "cover":
                known[name] = replace(amiss, covered=True)
                self._lineup.set_cause(WHY, entry.streamer)
            case "skip":
                known[name] = replace(amiss, covered=False)
                consequences.skip(self._lineup, now, entry, WHY)
            case _:
                known[name] = replace(amiss, covered=False)
                consequences.kick(self._lineup, now, entry)

    def _may_stay_covered(self, session_id: str, entry: Entry, name: str) -> bool:
        graded = QUANTITIES[name].graded(self._lineup.policy.quality).cover > 0
        return graded and self._may_be_covered(entry) and not self._waived(session_id, self.amiss[session_id][name])

    def _may_be_covered(self, entry: Entry) -> bool:
        lineup = self._lineup
        return bool(lineup.policy.slate) and lineup.holder is entry and entry.turn_began is not None

    def _note_fitness(self, now: float, session_id: str, known: Mapping[str, Amiss]) -> bool:
        """Put it behind those who are fit, or back; once its turn has begun, for what comes after that."""
        entry = self._lineup.by_session(session_id)
        if entry is None:
            return False
        reason = self._unfit(now, session_id, known)
        if not self._lineup.mark_unfit(session_id, reason):
            return False
        if reason and entry.turn_began is None:
            name = next(name for name in known if (QUANTITIES[name].reason or name) == reason)
            self._emit(now, entry, name, "unfit", known[name])
        return True

    def _unfit(self, now: float, session_id: str, known: Mapping[str, Amiss]) -> str:
        before = self._lineup.unfit(session_id)
        for name, amiss in known.items():
            if (at := self._unfit_at(session_id, name, amiss)) is not None:
                reason = QUANTITIES[name].reason or name
                lasts = amiss.good_since is None and at <= now <= amiss.measured_at + BELIEVED
                if lasts or reason == before:
                    return reason
        return ""

    def _unfit_at(self, session_id: str, name: str, amiss: Amiss) -> float | None:
        """When it is not fit any more with that; None where nothing would be done about it."""
        policy, quantity = self._lineup.policy.quality, QUANTITIES.get(name)
        if quantity is None or not amiss.seen or policy.unfit != "pass_over" or self._waived(session_id, amiss):
            return None
        after = quantity.graded(policy).acts_after
        return amiss.since + max(after, quantity.seen_after) if after > 0 else None

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _on_air(self) -> ev.Session | None:
        program = self._switchover.program
        return program.session if program else None

    def _aired(self, entry: Entry, session_id: str) -> float | None:
        """Since when it has been on air, in its present turn where it has one; None where it is not."""
        program = self._switchover.program
        if program is None or program.session is None or program.session.id != session_id:
            return None
        return program.since if entry.turn_began is None else max(program.since, entry.turn_began)

    def _is_covered(self, session_id: str) -> bool:
        return any(amiss.covered for amiss in self.amiss.get(session_id, {}).values())

    def _is_next(self, entry: Entry) -> bool:
        """Nobody who publishes stands before it in line but the one on air."""
        on_air = self._on_air
        for other in self._lineup:
            if other is entry:
                return True
            if other.sessions and (on_air is None or on_air not in other.sessions):
                return False
        return False

    def _waived(self, session_id: str, amiss: Amiss) -> bool:
        """An operator has put it on air with that."""
        at = self._lineup.waived_at(session_id)
        return at is not None and at >= amiss.since

    def _ends(self, session_id: str, quantity: Quantity, amiss: Amiss) -> float:
        if amiss.good_since is not None:
            return min(amiss.measured_at + STALE, amiss.good_since + quantity.good_for)
        return inf if amiss.let_pass and self._waived(session_id, amiss) else amiss.measured_at + STALE

    def _emit(self, at: float, entry: Entry, name: str, step: QualityStep, amiss: Amiss) -> None:
        seconds, streamer = at - amiss.since, entry.streamer
        fact: facts.Fact
        if amiss.aired_at is None and not amiss.covered:
            fact = facts.MeasuredInLine(at, streamer, name, step, seconds, amiss.value)
        elif name == SOUND:
            fact = facts.SilenceOnAir(at, streamer, step, seconds, amiss.value)
        else:
            fact = facts.MeasuredOnAir(at, streamer, name, step, seconds, amiss.value)
        self._lineup.facts.append(fact)
