"""What becomes of a poor stream: it is told, covered by the slate, skipped, kicked, each after its time.

Only where the ingest server tells the bytes: nothing is ever done about a bitrate that nobody knows. The clock runs
from the first poor measurement, and stops with one that is good; a good one has to last before all is forgiven.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from statemachine import events as ev
from statemachine import facts
from statemachine.handover.program import Shows
from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup
from statemachine.monitors import consequences
from statemachine.policy import Policy

GOOD_FOR = 10.0
"""Seconds that the bitrate has to be good before it counts as good: one that wavers about the bound is poor."""
STALE = 150.0
"""Seconds after which a measurement says nothing any more. It is told again more often, changed or not."""

BitrateStep = Literal["warn", "slate", "skip", "kick", "over"]


@dataclass(frozen=True, slots=True)
class LowBitrateEpisode:
    """The stream of the one on air, or of the turn's holder behind the slate, while its bitrate is poor."""

    session_id: str
    kbps: float
    measured_at: float
    since: float
    good_since: float | None = None
    warned: bool = False
    covered: bool = False
    """The slate is shown in its place."""


class Bitrates:
    """Looks at one stream at a time. Appends to the line-up's ``facts`` and ``commands``."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Shows) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.episode: LowBitrateEpisode | None = None

    def restore(self, episode: LowBitrateEpisode | None) -> None:
        """Stand where the snapshot was taken."""
        self.episode = episode

    def shift_deadlines(self, gap: float) -> None:
        """Nobody measured for ``gap`` seconds: no time ran."""
        if self.episode is not None:
            good = self.episode.good_since
            measured, since = self.episode.measured_at + gap, self.episode.since + gap
            self.episode = replace(
                self.episode, measured_at=measured, since=since, good_since=None if good is None else good + gap
            )

    @property
    def subject(self) -> str:
        """The session whose bitrate matters; empty where there is none."""
        program = self._switchover.program
        if program is not None:
            return program.session.id if program.session else ""
        return self.episode.session_id if self.episode and self.episode.covered else ""

    @property
    def covered(self) -> bool:
        """The slate is to be shown in place of the turn's holder."""
        return self.episode is not None and self.episode.covered

    def measured(self, event: ev.BitrateMeasured) -> None:
        """A bitrate is known, or no longer known."""
        episode, limit = self.episode, self._policy.low_bitrate
        if not event.session_id or event.session_id != self.subject:
            return
        if episode is not None and episode.session_id != event.session_id:
            episode = None
        if event.kbps is None:
            self._over(event.at, episode)
        elif event.kbps < limit:
            known = episode or LowBitrateEpisode(event.session_id, event.kbps, event.at, event.at)
            self.episode = replace(known, kbps=event.kbps, measured_at=event.at, good_since=None)
        elif episode is not None:
            good = event.at if episode.good_since is None else episode.good_since
            self.episode = replace(episode, kbps=event.kbps, measured_at=event.at, good_since=good)

    def expire(self, now: float) -> bool:
        """Take the next step whose time has come; True if there was one."""
        episode, policy = self.episode, self._policy
        if episode is None:
            return False
        entry = self._lineup.by_session(episode.session_id)
        if entry is None or episode.session_id != self.subject or policy.low_bitrate <= 0 or not self._may_stay(entry):
            self.episode = None
            return True
        if episode.covered and (self._lineup.waived_at(episode.session_id) or 0.0) >= episode.since:
            # An operator has it shown all the same. What follows begins anew.
            self.episode = replace(episode, covered=False, since=now)
            return True
        recovered = episode.good_since is not None and now >= episode.good_since + GOOD_FOR
        if recovered or now >= episode.measured_at + STALE:
            self._over(now, episode)
            return True
        if episode.good_since is not None or entry.leaves is not None:
            return False
        return any(self._is_due(step, entry, episode, now) and self._take(step, entry, episode, now) for step in _STEPS)

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        episode = self.episode
        if episode is None:
            return None
        if episode.good_since is not None:
            return min(episode.good_since + GOOD_FOR, episode.measured_at + STALE)
        entry = self._lineup.by_session(episode.session_id)
        if entry is not None and entry.leaves is not None:
            return episode.measured_at + STALE
        steps = [step for step in _STEPS if self._after(step) > 0 and not _done(step, episode)]
        times = [episode.since + self._after(step) for step in steps]
        # One whose time has come, and that waits for somebody to follow, is taken with the event that brings them.
        return min((at for at in [*times, episode.measured_at + STALE] if at > now), default=None)

    # --- steps -----------------------------------------------------------------------------------------------

    def _is_due(self, step: BitrateStep, entry: Entry, episode: LowBitrateEpisode, now: float) -> bool:
        after = self._after(step)
        if after <= 0 or now < episode.since + after or _done(step, episode):
            return False
        match step:
            case "warn":
                return True
            case "slate":
                return bool(self._policy.slate) and self._has_turn(entry)
            case "skip":
                # Somebody has to follow: a poor picture is better than none.
                return not self._lineup.held and self._lineup.first_showable(now, but=entry.streamer) is not None
            case _:
                return not self._lineup.held

    def _take(self, step: BitrateStep, entry: Entry, episode: LowBitrateEpisode, now: float) -> bool:
        self._emit(now, step, entry.streamer, episode)
        match step:
            case "warn":
                self.episode = replace(episode, warned=True)
                return True
            case "slate":
                self.episode = replace(episode, covered=True)
                self._lineup.set_cause("low_bitrate", entry.streamer)
                return True
            case "skip":
                consequences.skip(self._lineup, now, entry, "low_bitrate")
            case _:
                consequences.kick(self._lineup, now, entry)
        self.episode = None
        return True

    def _over(self, at: float, episode: LowBitrateEpisode | None) -> None:
        self.episode = None
        entry = self._lineup.by_session(episode.session_id) if episode else None
        if episode is not None and entry is not None and (episode.warned or episode.covered):
            self._emit(at, "over", entry.streamer, episode)

    # --- helpers ---------------------------------------------------------------------------------------------

    @property
    def _policy(self) -> Policy:
        return self._lineup.policy

    def _after(self, step: BitrateStep) -> float:
        policy = self._policy
        return {
            "warn": policy.low_bitrate_warn,
            "slate": policy.low_bitrate_slate,
            "skip": policy.low_bitrate_skip,
            "kick": policy.low_bitrate_kick,
        }.get(step, 0.0)

    def _has_turn(self, entry: Entry) -> bool:
        return self._lineup.holder is entry and entry.turn_began is not None

    def _may_stay(self, entry: Entry) -> bool:
        return not self.covered or (bool(self._policy.slate) and self._after("slate") > 0 and self._has_turn(entry))

    def _emit(self, at: float, step: BitrateStep, streamer: str, episode: LowBitrateEpisode) -> None:
        self._lineup.facts.append(facts.LowBitrate(at, streamer, step, episode.kbps))


_STEPS: tuple[BitrateStep, ...] = ("warn", "slate", "skip", "kick")


def _done(step: BitrateStep, episode: LowBitrateEpisode) -> bool:
    return (step == "warn" and episode.warned) or (step == "slate" and episode.covered)
