"""Frozen dataclasses to plain values and back, for snapshots and for the journal of events.

Only what the rules use: dataclasses, enums, tuples, lists, dicts with string keys, optionals and scalars.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from statemachine import events as ev
from statemachine.errors import BadSnapshotError

D = TypeVar("D")
_SCALARS = frozenset({str, float, int, bool, type(None)})


def to_plain(value: object) -> Any:
    """What ``json.dumps`` takes."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    how = _HOW.get(kind)
    if how is None:
        how = _HOW[kind] = _how(kind)
    return how(value)


_HOW: dict[type, Callable[[Any], Any]] = {}
"""How values of a type are made plain: found out once, for a snapshot holds thousands."""


def _how(kind: type) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        names = tuple(f.name for f in fields(kind))
        return lambda value: {name: to_plain(getattr(value, name)) for name in names}
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, list | tuple):
        return lambda value: [to_plain(item) for item in value]
    if issubclass(kind, dict):
        return lambda value: {key: to_plain(item) for key, item in value.items()}
    raise TypeError(f"not plain data: {kind.__name__}")


def from_plain(kind: type[D], value: Any) -> D:
    """The inverse, for the type ``kind``. Raises BadSnapshotError, which names the field."""
    return typing.cast(D, _build(kind, value, kind.__name__))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _build(kind: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _build_union(args, value, where)
    if origin in (tuple, list):
        if not isinstance(value, list):
            raise BadSnapshotError(f"{where}: a list is expected, not {type(value).__name__}")
        return origin(_build(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise BadSnapshotError(f"{where}: a table is expected, not {type(value).__name__}")
        return {key: _build(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            raise BadSnapshotError(f"{where}: {error}") from error
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise BadSnapshotError(f"{where}: {kind.__name__} is expected, not {type(value).__name__}")
    return value


def _build_union(args: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in args:
        return None
    choices = [arg for arg in args if arg is not type(None)]
    exact = [arg for arg in choices if type(value) is arg]
    return _build((exact or choices)[0], value, where)


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise BadSnapshotError(f"{where}: a table is expected, not {type(value).__name__}")
    hints = _hints(kind)
    # A field that a newer version added takes its default; one that is gone is passed over.
    known = {name: _build(hint, value[name], f"{where}.{name}") for name, hint in hints.items() if name in value}
    try:
        return kind(**known)
    except TypeError as error:
        raise BadSnapshotError(f"{where}: {error}") from error


EVENT_TYPES: dict[str, type[ev.Event]] = {
    kind.__name__: kind
    for kind in vars(ev).values()
    if isinstance(kind, type) and issubclass(kind, ev.Event) and kind not in (ev.Event, ev.AttemptEvent)
}


def event_to_plain(event: ev.Event) -> dict[str, Any]:
    """An event with its name."""
    return {"event": type(event).__name__, **to_plain(event)}


def event_from_plain(value: dict[str, Any]) -> ev.Event:
    """The inverse. Raises BadSnapshotError on an unknown name or a wrong field."""
    name = value.get("event")
    kind = EVENT_TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadSnapshotError(f"unknown event {name!r}")
    return from_plain(kind, value)
