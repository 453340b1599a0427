"""What an attempt came to, and what that means for its stream: a turn that begins, a failure, or nothing."""

from statemachine.handover.attempt import Ended
from statemachine.handover.fallback import Fallback
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.streams import Streams
from statemachine.planning import passes_over
from statemachine.steering import Steering

STEADY = 10.0
"""Seconds for which a picture has to move ahead of its turn before the failures before it are forgotten."""
BLAMED = frozenset({"creation_failed", "not_ready", "media_failed", "cut_failed"})
"""Outcomes after which the next candidate is tried first."""


class Outcomes:
    """Hands on what the switchover returned of an attempt."""

    def __init__(
        self, lineup: Lineup, switchover: Switchover, steering: Steering, streams: Streams, fallback: Fallback
    ) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self._steering = steering
        self._streams = streams
        self._fallback = fallback

    def take(self, ended: Ended, *, standby: bool) -> None:
        """An attempt is over; ``standby`` where the next one is made ready ahead of its turn."""
        at, attempt = ended.at, ended.attempt
        target, outcome = attempt.target, attempt.outcome
        if outcome == "completed":
            self._completed(ended)
        elif outcome == "cut_failed" and target is None:
            self._steering.not_emptied(at)
        elif outcome in BLAMED and target:
            if attempt.ready_at is not None and at >= attempt.ready_at + STEADY:
                self._lineup.standing.forgive(target.id)
            self._blame(ended, target.id)
        elif outcome == "superseded" and not standby:
            self._streams.passed_over(at, attempt)

    @property
    def may_fall_back(self) -> bool:
        """Each input is a fresh one, so that the next may be of another kind."""
        return self._fallback.state.allowed and self._lineup.policy.mode == "dynamic"

    def _completed(self, ended: Ended) -> None:
        at, target, program = ended.at, ended.attempt.target, self._switchover.program
        self._steering.cut_done(at)
        passes = passes_over(self._lineup, ended.to_streamer, self._switchover.incoming, at)
        self._lineup.turns.cut(at, ended.to_streamer, fills_in=bool(target) and passes)
        if target and program and program.stalled_since is not None:
            self._lineup.standing.stalled(at, target.id, program.stalled_since)

    def _blame(self, ended: Ended, session_id: str) -> None:
        at, attempt = ended.at, ended.attempt
        outcome, code, detail, plain = attempt.outcome, attempt.code, attempt.detail, attempt.plain
        # Where somebody removed its input that says nothing of the stream.
        silent = outcome in ("not_ready", "media_failed") and code != "gone"
        self._lineup.standing.failed(at, session_id, seldom=code == "no_video", silent=silent)
        if silent and not code:
            self._lineup.recalls.failed(at, session_id)
        # What is known to be wrong with a stream is not the plugin's fault.
        unknown = not code and outcome != "cut_failed"
        if unknown and self.may_fall_back and self._fallback.failed(at, ended.to_streamer, detail, plain=plain):
            # It is called wrong only if it plays no other way either; a later session of it may come first now.
            if entry := self._lineup.by_session(session_id):
                self._lineup.standing.let_try(entry.sessions[0].id)
        else:
            self._streams.failed(ended, session_id)
