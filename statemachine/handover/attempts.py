"""The attempt under way and those that go on beside it: the one place where they are written."""

from collections.abc import Collection
from dataclasses import replace

from statemachine import events as ev
from statemachine.handover.attempt import Attempt
from statemachine.handover.cleanup import Cleanup
from statemachine.handover.names import Names
from statemachine.handover.reserves import Reserves
from statemachine.handover.results import Results
from statemachine.handover.states import State


class Attempts:
    """Numbers them, and reports each one's end."""

    def __init__(self, results: Results, names: Names) -> None:
        self.current: Attempt | None = None
        """The one under way."""
        self.last_number = 0
        self.reserves = Reserves(self)
        self._results = results
        self._names = names

    def restore(self, current: Attempt | None, last_number: int, reserves: Collection[Attempt]) -> None:
        """Stand where the snapshot was taken."""
        self.current, self.last_number = current, last_number
        self.reserves = Reserves(self, reserves)

    @property
    def under_way(self) -> Attempt:
        """The same, where there has to be one."""
        assert self.current is not None
        return self.current

    def begin(self, attempt: Attempt) -> None:
        """A fresh one, or one that was set aside, is under way."""
        self.current, self.last_number = attempt, max(self.last_number, attempt.number)

    def change(self, **changes: object) -> None:
        """Of the one under way."""
        self.current = replace(self.under_way, **changes)  # type: ignore[arg-type]  # fields by name, held by tests

    def clean_up(self, cleanup: Cleanup | None, due: float | None) -> None:
        """What is to be done next in CLEANUP, and when; ``due`` is None where OBS is asked already."""
        self.change(cleanup=cleanup, deadline=due)

    def set_aside(self) -> None:
        """It goes on beside the next one."""
        self.reserves.put(replace(self.under_way, due_at=None))
        self.current = None

    def close(self) -> None:
        """None is under way any more."""
        self.current = None

    def wait_for_another(self, at: float, session: ev.Session) -> None:
        """Its encoder is about to publish anew: the input that waits for it is left open for a while after its end."""
        if self.current is not None and self.current.target == session:
            self.change(recalled_at=at)
        if reserve := self.reserves.of(session.id):
            self.reserves.put(replace(reserve, recalled_at=at))

    # --- their ends ------------------------------------------------------------------------------------------

    def end(self, at: float, outcome: str, detail: str = "") -> None:
        """The one under way has come to that; what it leaves is still to be cleaned up."""
        self.change(outcome=outcome, detail=detail)
        self._results.end(at, self.under_way)

    def conclude_reserve(self, at: float, attempt: Attempt, outcome: str, detail: str, code: str = "") -> None:
        """A reserve came to its end: its input is left to the sweep, so that nothing waits for its removal."""
        attempt = replace(attempt, outcome=outcome, detail=detail, code=code)
        self._results.end(at, attempt)
        self.let_go(attempt)

    def let_go(self, attempt: Attempt) -> None:
        """Its input goes: by the sweep, and not while it still opens."""
        self._names.distrust(attempt.input)
        self._results.abandon(attempt)

    # --- what is told of their pictures ----------------------------------------------------------------------

    def stands_still(self, name: str, since: float, state: State, *, blank: bool) -> None:
        """The picture of that input does, which is no stall yet."""
        attempt = self.current
        if attempt and attempt.input == name and state in (State.STANDBY, State.SWAPPING):
            self.current = replace(attempt, still_since=since, blank=attempt.blank or blank)
        reserve = self.reserves.by_input(name)
        if reserve is not None and reserve.ready_at is not None:
            self.reserves.put(replace(reserve, still_since=since, blank=reserve.blank or blank))

    def moves(self, name: str) -> None:
        """The picture of that input moves (again)."""
        attempt = self.current
        if attempt and attempt.input == name:
            self.current = replace(attempt, still_since=None, stalled_since=None, blank=False)
        elif reserve := self.reserves.by_input(name):
            self.reserves.put(replace(reserve, still_since=None, blank=False))

    def mark_stalled_in_cut(self, at: float) -> None:
        """The incoming failed while it was cut to: once on air, it has stalled."""
        if self.current is not None:
            self.current = replace(self.current, stalled_since=at)
