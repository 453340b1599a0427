"""Which events a replay needs: all but the readings that changed nothing.

A reading of OBS comes every two seconds and is as large as the scene, a server's list every five and as long as the
line-up; mostly they say what was known.
"""

from collections.abc import Callable

from statemachine import events as ev
from statemachine.director import Director
from statemachine.snapshot import essence
from statemachine.step import Step

READINGS = (ev.InventoryRead, ev.PublishersListed)


class Recorder:
    """Beside a director, whose every event passes through here."""

    def __init__(self, director: Director) -> None:
        self._director = director
        self._left_out_at = 0.0
        self._essence: object = None
        """As the last event left it, where that was a reading."""

    def handle(self, event: ev.Event, handle: Callable[[ev.Event], Step]) -> tuple[Step, tuple[ev.Event, ...]]:
        """Have ``handle`` give the event to the director; its step, and what is to be recorded."""
        if isinstance(event, READINGS):
            before = self._essence or essence(self._director.kept())
            step = handle(event)
            self._essence = essence(self._director.kept())
            if before == self._essence:
                self._left_out_at = self._director.now
                return step, ()
        else:
            step, self._essence = handle(event), None
        left_out_at, self._left_out_at = self._left_out_at, 0.0
        if left_out_at > event.at:
            # A reading that was left out had moved the time, and this event was taken at that time.
            return step, (ev.TimePassed(left_out_at), event)
        return step, (event,)
