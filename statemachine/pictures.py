"""What the watches tell of pictures that stand still, fail or move again, and whose picture that is."""

from dataclasses import replace

from statemachine import events as ev
from statemachine import facts
from statemachine.lineup import Lineup
from statemachine.states import State
from statemachine.switchover import Switchover


class Pictures:
    """Tells the line-up of the one on air, and the switchover of the incoming."""

    def __init__(self, lineup: Lineup, switchover: Switchover) -> None:
        self._lineup = lineup
        self._switchover = switchover

    def stalled(self, event: ev.MediaStalled) -> None:
        """A picture stands still."""
        program, attempt, state = self._switchover.program, self._switchover.attempt, self._switchover.state
        # Mode static: one input is both, and once it is cut to it is the incoming's.
        swapping = attempt is not None and attempt.input == event.input and state is State.SWAPPING
        if program and program.input == event.input and not swapping:
            self._stands_still(event.at, event.since)
        elif attempt and attempt.input == event.input and state is not State.BUFFERING:
            self._incoming_failed(ev.MediaFailed(event.at, attempt.number, "its picture stands still"))

    def failed(self, event: ev.MediaFailed) -> None:
        """An input will not play any more. On air that is a stall."""
        program = self._switchover.program
        if program and program.attempt == event.attempt:
            self._stands_still(event.at, event.at)
        else:
            self._incoming_failed(event)

    def resumed(self, event: ev.MediaResumed) -> None:
        """A picture that stood still moves again."""
        program, attempt = self._switchover.program, self._switchover.attempt
        if attempt and attempt.input == event.input:
            self._switchover.attempt = replace(attempt, stalled_since=None)
        if program and program.input == event.input:
            self._switchover.program = replace(program, stalled_since=None)
            if program.session:
                self._lineup.moves(event.at, program.session.id)

    @property
    def nameless(self) -> str:
        """The stream of an input that was found on air, as long as nobody publishes it."""
        program = self._switchover.program
        if program is None or program.session is not None or not program.stream:
            return ""
        return "" if self._lineup.by_stream(program.stream) else program.stream

    def name_program(self, at: float, stream: str) -> None:
        """A list told of ``stream``, which was nameless: it has been live all the time, so carry on with it.

        Not so one that a hook announced: that is a new publish, and the input may have played the one before.
        """
        program, session = self._switchover.program, self._lineup.by_stream(stream) if stream else None
        if program is not None and session is not None:
            self._switchover.program = replace(program, session=session, stream="")
            self._switchover.facts.append(facts.OnAirChanged(at, session.streamer, program.input, adopted=True))

    def _incoming_failed(self, event: ev.MediaFailed) -> None:
        """While the cut is under way its outcome decides first; then it counts as a stall of the one on air."""
        attempt = self._switchover.attempt
        if attempt and attempt.number == event.attempt and self._switchover.state is State.SWAPPING:
            self._switchover.attempt = replace(attempt, stalled_since=event.at)
        self._switchover.handle(event)

    def _stands_still(self, at: float, since: float) -> None:
        program = self._switchover.program
        if program and program.stalled_since is None:
            since = min(max(since, program.since), at)
            self._switchover.program = replace(program, stalled_since=since)
            if program.session:
                self._lineup.stalled(at, program.session.id, since)
