"""A snapshot in another time: every moment in it moved by so many seconds, every length of time as it was.

For a clock that was wrong by years when they were taken. Which fields are moments their names tell.
"""

import types
import typing
from dataclasses import is_dataclass
from typing import Any, Final

from statemachine.codec import KIND, variants
from statemachine.snapshot import Snapshot

SUFFIXES: Final = ("_at", "_since", "_until")
MOMENTS: Final = frozenset({"at", "now", "since", "deadline", "turn_began", "last_cut"})
"""Fields that are moments, besides those whose names end in ``SUFFIXES`` and tables of floats."""
LENGTHS: Final = frozenset(
    {
        *("seconds", "share", "kbps", "value", "turn", "turn_length", "turn_paused", "grace_used", "leaves"),
        *("overrides", "loudness", "peak", "db"),
    }
)
"""Fields that are none, besides those of the policy."""


def is_moment(name: str) -> bool:
    """By its name; False also where that tells nothing."""
    return name in MOMENTS or name.endswith(SUFFIXES)


def shifted(plain: dict[str, Any], by: float) -> dict[str, Any]:
    """The snapshot, later by so many seconds. What never was (0, or less) stays so."""
    moved: dict[str, Any] = _moved(Snapshot, plain, by)
    return moved


def _moved(kind: Any, value: Any, by: float) -> Any:
    """``value`` as it is for the type ``kind``."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind) and isinstance(value, dict):
        hints = typing.get_type_hints(kind)
        return {
            name: _later(item, by)
            if is_moment(name) and not isinstance(item, bool)
            else _moved(hints.get(name), item, by)
            for name, item in value.items()
        }
    if origin in (typing.Union, types.UnionType):
        return value if value is None else _moved(_inner(args, value), value, by)
    if origin in (tuple, list):
        return [_moved(args[0], item, by) for item in value]
    if origin is dict:
        return {key: _later(item, by) if args[1] is float else _moved(args[1], item, by) for key, item in value.items()}
    return value


def _inner(args: tuple[Any, ...], value: Any) -> Any:
    """Which type of a union the value is of, where that matters: the one that is made up of others."""
    kinds = variants(args)
    if len(kinds) > 1 and isinstance(value, dict):
        return kinds.get(value.get(KIND, ""))
    return next((arg for arg in args if is_dataclass(arg) or typing.get_origin(arg) is not None), None)


def _later(item: Any, by: float) -> Any:
    return item + by if isinstance(item, int | float) and item > 0 else item
