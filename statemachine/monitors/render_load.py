"""Whether OBS's machine can afford a standby: suspended while OBS renders too many frames late, resumed later."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from statemachine import events as ev
from statemachine import facts
from statemachine.backoff import backoff
from statemachine.codec import FORMERLY
from statemachine.policy import Policy

LATE_FOR = 30.0
"""Seconds that OBS has to render late before standby is suspended: a busy moment costs nobody anything."""
CALM_FOR, CALM_MOST = 60.0, 960.0
"""Seconds that OBS has to render well before standby is resumed; twice as long after each relapse."""
RELAPSE_WITHIN = 600.0
"""Seconds after it was resumed within which suspending it again is a relapse."""


@dataclass(frozen=True, slots=True)
class RenderLoadState:
    """What is known of OBS's renderer. ``share`` is that of its frames which were late, 0 to 1."""

    share: float = 0.0
    late_since: float | None = None
    calm_since: float | None = None
    suspended_since: float | None = field(default=None, metadata={FORMERLY: "resting_since"})
    """Standby has been suspended since then."""
    resumed_at: float | None = field(default=None, metadata={FORMERLY: "taken_up_at"})
    suspensions: int = field(default=0, metadata={FORMERLY: "rests"})
    """Times in a row that it was suspended, each soon after the time before."""


class RenderLoad:
    """Appends to ``facts``, which the director drains."""

    ahead: ClassVar[bool] = True

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state = RenderLoadState()
        self.facts: list[facts.Fact] = []

    def use(self, policy: Policy) -> None:
        """The policy from now on."""
        self.policy = policy

    def restore(self, state: RenderLoadState) -> None:
        """Stand where the snapshot was taken."""
        self.state = state

    @property
    def standby_suspended(self) -> bool:
        """No standby is to be made ready."""
        return self.state.suspended_since is not None

    def rendered(self, event: ev.ObsRendered) -> None:
        """OBS's renderer did so well within the last seconds."""
        if event.frames <= 0 or event.seconds <= 0:
            return
        s, limit = self.state, self.policy.standby_lag
        share, began = min(1.0, max(0.0, event.late / event.frames)), event.at - event.seconds
        if limit > 0 and share >= limit:
            s = replace(s, late_since=began if s.late_since is None else s.late_since, calm_since=None)
        elif share > limit / 2:
            s = replace(s, late_since=None, calm_since=None)
        else:
            s = replace(s, late_since=None, calm_since=began if s.calm_since is None else s.calm_since)
        self.state = replace(s, share=share)
        if (
            self._is_bounded
            and not self.standby_suspended
            and s.late_since is not None
            and event.at - s.late_since >= LATE_FOR
        ):
            again = s.resumed_at is not None and event.at - s.resumed_at < RELAPSE_WITHIN
            suspensions = s.suspensions + 1 if again else 1
            self.state = replace(self.state, suspended_since=event.at, resumed_at=None, suspensions=suspensions)
            self.facts.append(facts.StandbyGivenUp(event.at, share, event.at - s.late_since))

    def lost(self) -> None:
        """OBS is gone: how it rendered says nothing of how it will."""
        self.state = replace(self.state, late_since=None, calm_since=None)

    def expire(self, now: float) -> bool:
        """Resume standby, if its time has come; True if it was."""
        due = self.deadline(now)
        if not self.standby_suspended or (self._is_bounded and (due is None or now < due)):
            return False
        self.state = replace(self.state, suspended_since=None, late_since=None, resumed_at=now)
        if self._stands_by:
            self.facts.append(facts.StandbyTakenUp(now))
        return True

    def deadline(self, now: float) -> float | None:
        """When ``expire`` has something to do by time alone."""
        s = self.state
        if not self.standby_suspended or s.calm_since is None:
            return None
        return s.calm_since + backoff(CALM_FOR, CALM_MOST, s.suspensions)

    def shift_deadlines(self, gap: float) -> None:
        """Nothing to shift: how OBS rendered before it was lost counts for nothing."""

    @property
    def _stands_by(self) -> bool:
        return self.policy.standby and self.policy.mode != "static"

    @property
    def _is_bounded(self) -> bool:
        """There is a standby that could be given up for its cost."""
        return self._stands_by and self.policy.standby_lag > 0
