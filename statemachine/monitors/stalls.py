"""What the watches tell of pictures that stand still, fail or move again, and what is made of it.

A watch tells soon, and the deadlines are here. A picture on air that stands still is a stall after ``stall`` seconds;
sooner where a standby is ready, which covers it before the viewer is sure of it. Covered or stalled, the turn is kept
for its grace. One that stalls for the third time in a short while is no longer covered early, and is believed later
each time when it moves: better its pauses than a picture that flaps. Alone, it is given more time each time before
the slate takes its place.
"""

from typing import ClassVar

from statemachine import events as ev
from statemachine.backoff import backoff
from statemachine.handover.attempt import Attempt
from statemachine.handover.program import Program
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup

COVERED = 0.5
"""The share of ``stall`` after which a ready standby covers a picture that stands still."""
ALONE_MOST = 4.0
"""The most that ``stall`` is stretched for one who stalls again and again while nobody else could be shown."""
FLUSHED = 3.0
"""Seconds that a picture may go on moving after its publisher's end: what is on its way still is shown."""
INHERITED = 1.0
"""Seconds that whoever publishes to a path next is given to come on air by a fresh input."""
MOVING_FOR = 0.6
"""Seconds that a stalled picture has to move before it counts as moving: a hiccup in a hiccup is none."""


class Pictures:
    """Tells the line-up of the one on air, and the switchover of the incoming."""

    ahead: ClassVar[bool] = False

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover

    def stalled(self, event: ev.MediaStalled) -> None:
        """A picture stands still."""
        self._switchover.stands_still(event.at, event.input, min(event.since, event.at), blank=event.blank)

    def failed(self, event: ev.MediaFailed) -> None:
        """An input will not play any more. On air that is a stall."""
        program, attempt = self._switchover.program, self._switchover.attempt
        # Mode static: what is shown may be what is tried.
        tried = attempt is not None and attempt.number == event.attempt and not attempt.outcome
        if program and program.attempt == event.attempt and not tried:
            self._stands_still(event.at, event.at)
        elif reserve := self._switchover.reserves.by_number(event.attempt):
            self._switchover.reserves.drop(event.at, reserve, "media_failed", event.reason, event.code)
        else:
            self._incoming_failed(event)

    def resumed(self, event: ev.MediaResumed) -> None:
        """A picture that stood still moves again; one that stalled has to go on."""
        before = self._switchover.program
        self._switchover.moves(event.at, event.input)
        if before is None or before.input != event.input or before.session is None:
            return
        if before.still_since is not None and before.stalled_since is None:
            self._lineup.standing.paused(event.at, before.session.id, event.at - before.still_since >= self._covered)

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> bool:
        """Let what stands still become a stall, or what stalled a moving picture, if its time has come; True if so."""
        if self._inherit(now):
            return True
        # The incoming first: what stands still itself covers nothing.
        attempt, due = self._switchover.attempt, self._incoming_due()
        if attempt and due is not None and due <= now:
            self._incoming_failed(ev.MediaFailed(now, attempt.number, "its picture has stalled", "stalled"))
            return True
        for reserve in self._switchover.reserves.kept:
            if reserve.still_since is not None and reserve.still_since + self._stall <= now:
                self._switchover.reserves.drop(now, reserve, "media_failed", "its picture has stalled", "stalled")
                return True
        program, due = self._switchover.program, self._program_due(now)
        if program is None or due is None or due > now:
            return False
        if program.stalled_since is None:
            self._stands_still(now, program.still_since or now)
            return True
        self._switchover.scene.mark_recovered()
        if program.session:
            self._lineup.standing.resumed(now, program.session.id)
            self._lineup.standing.relieve(now, program.session.id, on_air=True)
        return True

    def deadline(self, now: float) -> float | None:
        """When ``expire`` has something to do, if nothing else happens before."""
        due = (self._incoming_due(), self._program_due(now), self._inherits_at(self._heir()))
        times = [at for at in due if at is not None]
        if reserves := self._switchover.reserves.kept:
            times += [each.still_since + self._stall for each in reserves if each.still_since is not None]
        return min(times) if times else None

    def shift_deadlines(self, gap: float) -> None:
        """Nothing to shift: each connection to OBS watches its pictures afresh."""

    def _incoming_due(self) -> float | None:
        attempt = self._switchover.attempt
        if attempt is None or attempt.still_since is None or self._switchover.state is not State.STANDBY:
            return None
        return attempt.still_since + self._stall

    def _program_due(self, now: float) -> float | None:
        program, attempt, state = self._switchover.program, self._switchover.attempt, self._switchover.state
        if program is None or state is State.RECOVERING:
            return None
        if program.stalled_since is not None:
            return None if program.moves_since is None else program.moves_since + MOVING_FOR
        if program.still_since is None or (state is State.SWAPPING and attempt and attempt.input == program.input):
            return None
        hiccups = self._lineup.standing.hiccups(program.session.id, now) if program.session else 0
        if self._can_cover(now):
            share = backoff(COVERED, 1.0, hiccups)
        elif self._lineup.first_showable(now, but=self._switchover.on_air_streamer):
            share = 1.0
        else:
            share = backoff(1.0, ALONE_MOST, hiccups)
        return program.still_since + share * self._stall

    def _can_cover(self, now: float) -> bool:
        """The standby has a moving picture, and that is what the operator wants to see meanwhile."""
        program = self._switchover.program
        if program is None or not any(self._covers(a, program, now) for a in self._switchover.incoming):
            return False
        policy, on_air = self._lineup.policy, self._lineup.find(self._switchover.on_air_streamer)
        keeps_turn = on_air is not None and on_air.turn_began is not None
        return not (policy.slate and policy.during_grace == "slate" and keeps_turn)

    def _covers(self, attempt: Attempt, program: Program, now: float) -> bool:
        entry = self._lineup.by_session(attempt.target.id) if attempt.target else None
        if entry is None or not entry.showable(now) or attempt.target == program.session:
            return False
        return attempt.is_proven

    @property
    def _stall(self) -> float:
        return self._lineup.policy.stall

    @property
    def _covered(self) -> float:
        return COVERED * self._stall

    # --- whose picture it is ---------------------------------------------------------------------------------

    def keeps(self, session: ev.Session, at: float) -> str:
        """Whose picture from that session's path is shown, where that one is another and has not left; empty if none.

        Whoever has left by its server's word makes room at once, for people who share a path and take turns. Not where
        the picture goes on moving: then that word was wrong, and the server would not let another publish there.
        """
        program = self._switchover.program
        shown = program.session if program else None
        if shown is None or shown.path != session.path or shown.streamer == session.streamer:
            return ""
        entry = self._lineup.find(shown.streamer)
        if (entry is not None and entry.transient) or self._lineup.taken(at, session):
            return ""  # asked for by hand; or the line-up says why not
        ended = self._lineup.ended_at(shown.id)
        return shown.streamer if ended is None or (self.moves and at > ended + FLUSHED) else ""

    def _heir(self) -> ev.Session | None:
        """Whose picture the input on air plays once it moves again: its publisher has left, and this one came.

        A hand test is nobody's coming: it names what its own input shows, and not what another one plays already.
        """
        program = self._switchover.program
        if program is None or program.session is None or self._switchover.state is State.SWAPPING:
            return None
        if self._lineup.by_session(program.session.id) is not None or not self.moves:
            return None
        heir = self._lineup.by_stream(program.session.path)
        entry = self._lineup.by_session(heir.id) if heir is not None else None
        if entry is None or entry.transient or entry.streamer == program.session.streamer:
            return None
        return heir

    def _inherits_at(self, heir: ev.Session | None) -> float | None:
        return None if heir is None else self._lineup.born(heir.id) + INHERITED

    def _inherit(self, now: float) -> bool:
        heir = self._heir()
        due = self._inherits_at(heir)
        if heir is None or due is None or now < due:
            return False
        self._switchover.scene.inherit(now, heir)
        return True

    @property
    def nameless(self) -> str:
        """The stream of an input that was found on air, as long as nobody publishes it."""
        program = self._switchover.program
        if program is None or program.session is not None or not program.stream:
            return ""
        return "" if self._lineup.by_stream(program.stream) else program.stream

    @property
    def on_air(self) -> tuple[ev.Session | None, bool]:
        """Whose picture is shown, and whether it has stood still for too long."""
        program = self._switchover.program
        return (None, False) if program is None else (program.session, program.stalled_since is not None)

    @property
    def moves(self) -> bool:
        """What is shown moves, as far as its watch tells."""
        program = self._switchover.program
        return program is not None and program.moves

    def name_program(self, at: float, stream: str) -> None:
        """It is known who publishes ``stream``, which was nameless: carry on with it.

        A list tells of one that has been live all the time. A hook tells of a new publish, and the input may have
        played the one before: then its watch tells that it stands still, and a fresh one is made.
        """
        program, session = self._switchover.program, self._lineup.by_stream(stream) if stream else None
        if program is not None and session is not None:
            self._switchover.scene.name_program(at, session)

    def _incoming_failed(self, event: ev.MediaFailed) -> None:
        """While the cut is under way its outcome decides first; then it counts as a stall of the one on air."""
        attempt = self._switchover.attempt
        if attempt and attempt.number == event.attempt and self._switchover.state is State.SWAPPING:
            self._switchover.mark_stalled_in_cut(event.at)
        self._switchover.handle(event)

    def _stands_still(self, at: float, since: float) -> None:
        program = self._switchover.program
        if program and program.stalled_since is None:
            since = min(max(since, program.since), at)
            self._switchover.scene.mark_stalled(since)
            if program.session:
                self._lineup.standing.stalled(at, program.session.id, since)
