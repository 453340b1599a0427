"""What streams are made of, and why the picture of one cannot be shown.

What an ingest server tells is believed where no picture proves the contrary: a stream without a picture, or in a codec
that this OBS cannot play, is not tried until it is told to be another. Where no server tells, the reason is taken from
what became of the try.
"""

from typing import ClassVar

from statemachine import events as ev
from statemachine.handover.attempt import Attempt, Ended
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup
from statemachine.monitors import consequences
from statemachine.planning import SIGN_WITHIN

BELIEVED_AFTER = 3.0
"""Seconds that a stream is published before it is believed to have no picture: a server tells of what has come."""
PLAIN = frozenset({"h264"})
"""Video codecs that every OBS plays from RTMP."""


class Streams:
    """Bars what cannot be shown. Appends to the line-up's facts and ends the attempt that is in vain."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover
        self.tracks: dict[str, ev.Tracks] = {}
        self.unplayable: tuple[str, ...] = ()
        self._suspects: dict[str, None] = {}

    def load(self, tracks: dict[str, ev.Tracks], unplayable: tuple[str, ...]) -> None:
        """Stand where the snapshot was taken."""
        self.tracks, self.unplayable = tracks, unplayable
        self._suspects = dict.fromkeys(tracks)

    def of(self, session_id: str) -> ev.Tracks:
        """What is known of it."""
        return self.tracks.get(session_id, ev.Tracks())

    def described(self, event: ev.StreamDescribed) -> None:
        """A server tells what a stream is made of. One that could not be shown may be another now."""
        entry = self._lineup.by_session(event.session_id)
        if entry is None:
            return
        before, self.tracks[event.session_id] = self.of(event.session_id), event.tracks
        self._suspects[event.session_id] = None
        # Only where that is what was wrong: one that comes and goes without a picture keeps its backoff.
        blamed = entry.problem is not None and entry.problem.reason in ("no_video", "codec")
        if blamed and before.video != event.tracks.video and self._wrong(event.session_id) is None:
            self._lineup.standing.let_try(event.session_id)
            if not entry.failures and entry.sessions[0].id == event.session_id:
                # Nothing but the server's word was against it, and that is taken back: no try has to prove it.
                self._lineup.standing.relieve(event.at, event.session_id)
        if len(self.tracks) > 2 * len(self._lineup) + 16:
            self.tracks = {i: known for i, known in self.tracks.items() if self._lineup.by_session(i)}

    def obs_ready(self, event: ev.ObsReady) -> None:
        """Another OBS may play what the one before could not."""
        if event.unplayable != self.unplayable:
            self.unplayable = event.unplayable
            self._suspects.update(dict.fromkeys(self.tracks))
            for entry in [entry for entry in self._lineup if entry.barred]:
                if self._wrong(entry.barred) is None:
                    self._lineup.standing.let_try(entry.barred)

    def failed(self, ended: Ended, session_id: str) -> None:
        """An attempt at its picture came to nothing: name the reason."""
        attempt = ended.attempt
        wrong = self._wrong(session_id)
        video = self.of(session_id).video
        if wrong is not None:
            reason, detail = wrong
        elif attempt.outcome == "cut_failed":
            reason, detail = attempt.outcome, attempt.detail
        elif video and video not in PLAIN and attempt.code in ("", "no_video"):
            # Also where only the sound arrives: MediaMTX leaves a picture out for players that don't say they know it.
            reason, detail = "codec", video
        elif attempt.code:
            reason, detail = attempt.code, attempt.detail
        else:
            reasons = {"creation_failed": "obs", "media_failed": "unreachable"}
            reason, detail = reasons.get(attempt.outcome, attempt.outcome), attempt.detail
        self._lineup.standing.blame(ended.at, session_id, reason, detail)

    def passed_over(self, at: float, attempt: Attempt) -> None:
        """Another one had a picture first, and the next try is a turn away: none is made ready ahead."""
        if attempt.target is not None and attempt.ready_at is None and at >= attempt.begun_at + SIGN_WITHIN:
            self._lineup.standing.blame(at, attempt.target.id, "not_ready")

    def unshowable(self, session_id: str, now: float) -> str:
        """Why its picture cannot be shown, as its server tells, in words; empty where it may be had."""
        wrong = self._wrong(session_id)
        if wrong is None or now < self._believed_at(session_id, wrong[0]) or self._has_picture(session_id):
            return ""
        return "it has no picture" if wrong[0] == "no_video" else f"this OBS cannot play {wrong[1]}"

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> bool:
        """Bar those that are believed to have no picture; True if an attempt was ended."""
        for session_id in list(self._suspects) if self._suspects else ():
            entry = self._lineup.by_session(session_id)
            wrong = self._wrong(session_id)
            if entry is None or wrong is None:
                del self._suspects[session_id]
                continue
            if entry.sessions[0].id != session_id or now < self._believed_at(session_id, wrong[0]):
                continue
            if self._has_picture(session_id):
                self._lineup.standing.relieve(now, session_id)
            elif other := next((each for each in entry.sessions if self._wrong(each.id) is None), None):
                self._lineup.standing.prefer(other.id)
            elif entry.barred != session_id:
                self._lineup.standing.blame(now, session_id, *wrong, barred=True)
                if wrong[0] == "no_video" and self._lineup.policy.quality.no_video == "kick":
                    consequences.kick(self._lineup, now, entry)
                if self._abort(now, session_id, wrong[0]):
                    return True
        return False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` may have something to do by time alone."""
        if not self._suspects:
            return None
        times = []
        for session_id in self._suspects:
            wrong = self._wrong(session_id)
            if wrong is not None:
                times.append(self._believed_at(session_id, wrong[0]))
        return min((at for at in times if at > now), default=None)

    def shift_deadlines(self, gap: float) -> None:
        """Nothing to shift: what a stream is made of does not wait for anybody to watch it."""

    # --- helpers ---------------------------------------------------------------------------------------------

    def _wrong(self, session_id: str) -> tuple[str, str] | None:
        """Why it cannot be shown, by what is told of it: the reason and what it is about."""
        video = self.of(session_id).video
        if video == "":
            return "no_video", ""
        return ("codec", video) if video in self.unplayable else None

    def _believed_at(self, session_id: str, reason: str) -> float:
        return self._lineup.born(session_id) + (BELIEVED_AFTER if reason == "no_video" else 0.0)

    def _has_picture(self, session_id: str) -> bool:
        program = self._switchover.program
        if program and program.session and program.session.id == session_id and program.stalled_since is None:
            return True
        attempt, incoming = self._switchover.attempt, self._switchover.incoming
        if self._switchover.state is State.SWAPPING and attempt is not None:
            incoming = (*incoming, attempt)
        return any(a.ready_at is not None and a.target is not None and a.target.id == session_id for a in incoming)

    def _abort(self, now: float, session_id: str, reason: str) -> bool:
        """End what makes it ready, beside or not."""
        why, attempt = "its picture cannot be shown", self._switchover.attempt
        if reserve := self._switchover.reserves.of(session_id):
            self._switchover.reserves.drop(now, reserve, "media_failed", why, reason)
            return True
        if attempt is None or attempt.target is None or attempt.target.id != session_id:
            return False
        if self._switchover.state is not State.BUFFERING:
            return False
        self._switchover.handle(ev.MediaFailed(now, attempt.number, why, reason))
        return True


def needs_own_player(tracks: ev.Tracks) -> bool:
    """It is in a codec that a plugin's pipeline is less likely to know than OBS's own media source."""
    return bool(tracks.video) and tracks.video not in PLAIN
