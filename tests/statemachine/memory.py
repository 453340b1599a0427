"""What the parts of a director remember, attribute by attribute: a restart has to bring all of it back."""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

from statemachine.director import Director

DERIVED = frozenset({"views", "agenda", "version", "generation", "changed", "_looked_at", "_next", "_due", "_suspects"})
"""Made of the rest when it is needed. After a restart, each stream whose tracks are known is a suspect once more."""
STEP = frozenset({"facts", "_facts", "actor", "commands", "_outbox", "_results"})
"""Of the step under way."""
WIRING = frozenset({"monitors", "_expiries", "_ahead", "_deadlines", "_machine"})
"""The parts once more, or what they are made of."""


def forgotten(director: Director) -> dict[str, Any]:
    """What a restart now would not bring back, by where it stands."""
    back = _remembered(Director.restore(json.loads(json.dumps(director.snapshot()))))
    return {where: value for where, value in _remembered(director).items() if back[where] != value}


def _remembered(director: Director) -> dict[str, Any]:
    return dict(_walk(director, "director", set()))


def _walk(part: object, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    seen.add(id(part))
    for name, value in vars(part).items():
        if name in DERIVED | STEP | WIRING or callable(value):
            continue
        if not _is_part(value):
            yield f"{path}.{name}", value
        elif id(value) not in seen:
            yield from _walk(value, f"{path}.{name}", seen)


def _is_part(value: object) -> bool:
    """An object of the rules that does something, and is no value."""
    kind = type(value)
    is_value = isinstance(value, Enum) or kind.__eq__ is not object.__eq__
    return kind.__module__.startswith("statemachine.") and not is_value
