"""Incoming inputs beside the attempt under way: those that stand by, and those that are given their time to open.

The attempt under way is one; others go on beside it. One that has a picture is kept while one earlier in line is
tried, and one that shows no sign goes on opening while the next one gets its chance: whoever has a picture first can
be shown. Their number is bounded, and once one of them has a picture all later in line are dropped, so that beside
the one on air there is one when all is quiet.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Protocol

from statemachine import events as ev
from statemachine.handover.attempt import Attempt

RESERVES_MOST = 3
"""Beside the attempt under way."""


class Owner(Protocol):
    """The switchover, which reports and sweeps."""

    def conclude_reserve(self, at: float, attempt: Attempt, outcome: str, detail: str, code: str = "") -> None:
        """It is a reserve no more, and its input is to go."""


class Reserves:
    """Attempts that were set aside, by their numbers."""

    def __init__(self, owner: Owner, kept: Collection[Attempt] = ()) -> None:
        self._owner = owner
        self.kept = tuple(kept)
        """All of them. Looked at with every event, and written seldom."""

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def by_number(self, number: int) -> Attempt | None:
        """The one of that number."""
        return next((attempt for attempt in self.kept if attempt.number == number), None)

    def by_input(self, name: str) -> Attempt | None:
        """The one that makes that input ready."""
        return next((attempt for attempt in self if attempt.input == name), None)

    def of(self, session_id: str) -> Attempt | None:
        """The one for that session."""
        return next((attempt for attempt in self if attempt.target and attempt.target.id == session_id), None)

    def put(self, attempt: Attempt) -> None:
        """Set aside, or changed."""
        if self.by_number(attempt.number) is None:
            self.kept = (*self.kept, attempt)
        else:
            self.kept = tuple(attempt if kept.number == attempt.number else kept for kept in self.kept)

    def take(self, number: int) -> Attempt:
        """It is the attempt under way again."""
        taken = next(attempt for attempt in self.kept if attempt.number == number)
        self._remove(number)
        return taken

    def clear(self) -> tuple[Attempt, ...]:
        """The connection is gone, and they with it."""
        gone, self.kept = self.kept, ()
        return gone

    def drop(self, at: float, attempt: Attempt, outcome: str, detail: str, code: str = "") -> None:
        """It came to its end beside everything else."""
        self._remove(attempt.number)
        self._owner.conclude_reserve(at, attempt, outcome, detail, code)

    # --- what happens to them --------------------------------------------------------------------------------

    def ready(self, event: ev.MediaReady) -> bool:
        """One that was opening has a picture; False where it is none of them."""
        attempt = self.by_number(event.attempt)
        if attempt is None or attempt.ready_at is not None:
            return False
        self.put(replace(attempt, ready_at=event.at, deadline=None))
        return True

    def expire(self, now: float) -> bool:
        """Give up one whose time to open is over; True if there was one."""
        for attempt in self.kept:
            if attempt.deadline is not None and attempt.deadline <= now:
                self.drop(now, attempt, "not_ready", f"did not become ready within {now - attempt.begun_at:.1f}s")
                return True
        return False

    def deadline(self) -> float | None:
        """When the first of them has waited long enough."""
        if not self.kept:
            return None
        return min((attempt.deadline for attempt in self.kept if attempt.deadline is not None), default=None)

    def _remove(self, number: int) -> None:
        self.kept = tuple(attempt for attempt in self.kept if attempt.number != number)
