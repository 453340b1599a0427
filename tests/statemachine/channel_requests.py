"""Whatever a person may ask that is made of names and numbers alone, also what has no rule of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from statemachine import events as ev
from statemachine.codec import EVENT_TYPES

STREAMERS = ["alice", "bob", "carol", "dave"]


def _own(kind: type[ev.OperatorEvent]) -> Iterator[tuple[str, Any]]:
    """The fields of its own, and their types."""
    hints = get_type_hints(kind)
    return ((f.name, hints[f.name]) for f in fields(kind) if f.name not in ("at", "actor"))


REQUESTS = [
    kind
    for kind in EVENT_TYPES.values()
    if issubclass(kind, ev.OperatorEvent) and all(hint in (str, int, float) for _, hint in _own(kind))
]


def request_of(kind: type[ev.OperatorEvent], at: float, names: Sequence[str], number: int) -> ev.OperatorEvent:
    """One of that kind: its first name is the first of ``names``, and so on; its numbers are ``number``."""
    left = iter(names)
    given: dict[str, Any] = {name: next(left) if hint is str else hint(number) for name, hint in _own(kind)}
    return kind(at, **given)
