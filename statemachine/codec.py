"""Frozen dataclasses to plain values and back, for snapshots and for the journal of events.

Only what the rules use: dataclasses, enums, tuples, lists, dicts with string keys, optionals and scalars.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
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


KIND = "kind"
"""Key of the name of a value's dataclass, where it may be of several."""


def variants(args: tuple[Any, ...]) -> dict[str, Any]:
    """The dataclasses of a union by their names."""
    return {arg.__name__: arg for arg in args if isinstance(arg, type) and is_dataclass(arg)}


_HOW: dict[type, Callable[[Any], Any]] = {}
"""How values of a type are made plain: found out once, for a snapshot holds thousands."""


def _how(kind: type) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _as_table(kind)
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, list | tuple):
        return lambda value: [to_plain(item) for item in value]
    if issubclass(kind, dict):
        return lambda value: {key: to_plain(item) for key, item in value.items()}
    raise TypeError(f"not plain data: {kind.__name__}")


def _as_table(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    names = tuple(f.name for f in fields(kind))
    hints = typing.get_type_hints(kind)
    with_kind = [name for name in names if len(variants(typing.get_args(hints[name]))) > 1]
    # Of a scalar's type are most: what is in those fields is plain as it is.
    deep = [name for name in names if not _is_scalar(hints[name])]
    values = _values(names)

    def table(value: Any) -> dict[str, Any]:
        plain = dict(zip(names, values(value), strict=True))
        for name in deep:
            if type(plain[name]) not in _SCALARS:
                plain[name] = to_plain(plain[name])
        return plain

    def table_with_kinds(value: Any) -> dict[str, Any]:
        plain = table(value)
        for name in with_kind:
            if plain[name] is not None:
                plain[name] = {KIND: type(getattr(value, name)).__name__, **plain[name]}
        return plain

    return table_with_kinds if with_kind else table


def _is_scalar(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return all(map(_is_scalar, typing.get_args(hint)))
    return isinstance(hint, type) and hint in _SCALARS


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


def from_plain(kind: type[D], value: Any) -> D:
    """The inverse, for the type ``kind``. Raises BadSnapshotError, which names the field."""
    return typing.cast("D", _builder(kind)(value, kind.__name__))


_Build = Callable[[Any, str], Any]
"""Builds a value from a plain one; the place is named where it cannot be read."""


FORMERLY = "formerly"
"""Key of a field's metadata: its name in snapshots of older versions, under which it is read as well."""


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, Any, _Build], ...]:
    """Name, former name, type and builder of each field: found out once, for a snapshot holds thousands."""
    hints = typing.get_type_hints(kind)
    return tuple((f.name, f.metadata.get(FORMERLY, ""), hints[f.name], _builder(hints[f.name])) for f in fields(kind))


def _builder(kind: Any) -> _Build:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin in (tuple, list):
        return _items(origin, _builder(args[0]))
    if origin is dict:
        return _table(_builder(args[1]))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if is_dataclass(kind):
        return _dataclass(kind)
    return _scalar(kind)


def _union(args: tuple[Any, ...]) -> _Build:
    may_be_none = type(None) in args
    if len(kinds := variants(args)) > 1:
        return _one_of({name: _builder(kind) for name, kind in kinds.items()}, may_be_none=may_be_none)
    choices = {arg: _builder(arg) for arg in args if arg is not type(None)}
    first = next(iter(choices.values()))

    def build(value: Any, where: str) -> Any:
        if value is None and may_be_none:
            return None
        return choices.get(type(value), first)(value, where)

    return build


def _one_of(kinds: dict[str, _Build], *, may_be_none: bool) -> _Build:
    def build(value: Any, where: str) -> Any:
        if value is None and may_be_none:
            return None
        name = value.get(KIND) if isinstance(value, dict) else None
        if not isinstance(name, str) or name not in kinds:
            raise BadSnapshotError(f"{where}: {KIND} is expected to be one of {', '.join(kinds)}, not {name!r}")
        return kinds[name](value, where)

    return build


def _items(kind: Any, each: _Build) -> _Build:
    def build(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise BadSnapshotError(f"{where}: a list is expected, not {type(value).__name__}")
        return kind(each(item, f"{where}[{i}]") for i, item in enumerate(value))

    return build


def _table(each: _Build) -> _Build:
    def build(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise BadSnapshotError(f"{where}: a table is expected, not {type(value).__name__}")
        return {key: each(item, f"{where}.{key}") for key, item in value.items()}

    return build


def _enum(kind: type[Enum]) -> _Build:
    def build(value: Any, where: str) -> Any:
        try:
            return kind(value)
        except ValueError as error:
            raise BadSnapshotError(f"{where}: {error}") from error

    return build


def _dataclass(kind: Any) -> _Build:
    def build(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise BadSnapshotError(f"{where}: a table is expected, not {type(value).__name__}")
        known = {}
        for name, before, hint, each in _fields(kind):
            # A field that a newer version added takes its default; one that is gone is passed over.
            key = name if name in value else before
            if key in value:
                item = value[key]
                plain = type(item) is hint and hint in _SCALARS
                known[name] = item if plain else each(item, f"{where}.{name}")
        try:
            return kind(**known)
        except TypeError as error:
            raise BadSnapshotError(f"{where}: {error}") from error

    return build


def _scalar(kind: Any) -> _Build:
    def build(value: Any, where: str) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise BadSnapshotError(f"{where}: {kind.__name__} is expected, not {type(value).__name__}")
        return value

    return build


_BASES = (ev.Event, ev.AttemptEvent, ev.OperatorEvent)
EVENT_TYPES: dict[str, type[ev.Event]] = {
    kind.__name__: kind
    for kind in vars(ev).values()
    if isinstance(kind, type) and issubclass(kind, ev.Event) and kind not in _BASES
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
