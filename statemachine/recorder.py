"""Which events a replay needs, and which the rules do: a replay all but the readings that changed nothing.

A reading of OBS comes every two seconds and is as large as the scene, a server's list every five and as long as the
line-up; mostly they say what was known.
"""

from collections.abc import Callable

from statemachine import events as ev
from statemachine.director import Director
from statemachine.snapshot import essence
from statemachine.step import Step

READINGS = (ev.InventoryRead, ev.PublishersListed)


class Repeats:
    """Tells a reading of OBS that comes to nothing, for it says what one before did, which came to nothing either.

    At rest these are nearly all the events there are. Nothing has changed since, and nothing was due: what depends on
    time has a deadline, at which an event comes.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self._last: ev.Inventory | None = None
        self._deadline: float | None = None

    def is_one(self, event: ev.Event) -> bool:
        """Whether the rules need not hear it."""
        if not isinstance(event, ev.InventoryRead) or event.inventory != self._last:
            return False
        return self._deadline is None or event.at < self._deadline

    def note(self, event: ev.Event, step: Step, *, changed: bool) -> None:
        """The rules have heard it, and this came of it."""
        if changed or step.commands or step.facts:
            self._last = None
        elif isinstance(event, ev.InventoryRead):
            # One that began before the scene was changed was not looked into.
            self._last = event.inventory if event.at > self._director.switchover.scene.changed_at else None
        self._deadline = step.deadline

    @property
    def step(self) -> Step:
        """What comes of one that is not heard."""
        return Step(deadline=self._deadline)


class Recorder:
    """Beside a director, whose every event passes through here."""

    def __init__(self, director: Director) -> None:
        self._director = director
        self._repeats = Repeats(director)
        self._left_out_at = 0.0
        self._essence: object = None
        """As the last event left it, where that was a reading."""

    def handle(self, event: ev.Event, handle: Callable[[ev.Event], Step]) -> tuple[Step, tuple[ev.Event, ...]]:
        """Have ``handle`` give the event to the director; its step, and what is to be recorded."""
        if self._repeats.is_one(event):
            return self._repeats.step, ()
        if isinstance(event, READINGS):
            before = self._essence or essence(self._director.kept())
            step = handle(event)
            self._essence = essence(self._director.kept())
            self._repeats.note(event, step, changed=before != self._essence)
            if before == self._essence:
                self._left_out_at = self._director.now
                return step, ()
        else:
            step, self._essence = handle(event), None
            self._repeats.note(event, step, changed=True)
        left_out_at, self._left_out_at = self._left_out_at, 0.0
        if left_out_at > event.at:
            # A reading that was left out had moved the time, and this event was taken at that time.
            return step, (ev.TimePassed(left_out_at), event)
        return step, (event,)
