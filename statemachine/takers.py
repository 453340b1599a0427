"""Who takes which event: one row for each type, so that no event is asked what it is one type after the other."""

from collections.abc import Callable
from typing import Any, TypeVar

from statemachine.events import Event

E = TypeVar("E", bound=Event)


class Takers:
    """A row says what is done with the events of one type; a later row takes the place of an earlier one."""

    def __init__(self) -> None:
        # The value's parameter is of the key's type, which ``add`` holds.
        self._rows: dict[type[Event], Callable[[Any], None]] = {}

    def add(self, kind: type[E], take: Callable[[E], None]) -> None:
        """Events of exactly this type are handed to ``take``."""
        self._rows[kind] = take

    def take(self, event: Event) -> None:
        """Hand it on. Raises TypeError where nobody takes its type."""
        take = self._rows.get(type(event))
        if take is None:
            raise TypeError(f"not an event of the rules: {event!r}")
        take(event)
