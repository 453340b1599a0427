"""What is said of one route, and what many routes have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from daemon.http.reading import FLAGS
from daemon.ingest.hook import JSON

YesOrNo = Annotated[str, Field(json_schema_extra={"enum": [*FLAGS]})]

Errors = Mapping[int, tuple[str, ...]]
"""The codes of each status; none where there are too many to name."""

OBS: Final[Errors] = {
    404: ("not_found",),
    502: ("obs_refused",),
    503: ("obs_gone",),
    504: ("obs_timeout",),
}
VALUE: Final[Errors] = {400: ("bad_value",)}
BUSY: Final[Errors] = {503: ("busy",)}
BODY: Final[Errors] = {
    400: ("bad_body", "bad_value", "not_an_object", "not_json"),
    408: ("too_slow",),
    413: ("too_large",),
    415: ("wrong_content_type",),
}
HOOK: Final[Errors] = {400: (), 403: (), 408: (), 413: (), 415: ()}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value beside the body."""

    name: str
    place: Literal["path", "query", "header"]
    shape: Any
    required: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Mapping[str, Any]]
    """The shape by status and content type, all but the errors."""
    errors: Errors = field(default_factory=dict)
    """Those of its own; the document adds those of the guards."""
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    """The shape by content type."""
    description: str = ""
    deprecated: bool = False
    """There is another that is to be used."""


def in_path(name: str, shape: Any) -> Parameter:
    """A part of the path."""
    return Parameter(name, "path", shape, required=True)


def in_query(name: str, shape: Any, *, required: bool = False, default: object = None) -> Parameter:
    """A parameter in the query."""
    return Parameter(name, "query", shape, required, default)


def ok(shape: Any, status: int = 200) -> dict[int, dict[str, Any]]:
    """One answer in JSON."""
    return {status: {JSON: shape}}


def both(*errors: Errors) -> dict[int, tuple[str, ...]]:
    """All of them; codes of the same status come together."""
    found: dict[int, tuple[str, ...]] = {}
    for each in errors:
        for status, codes in each.items():
            found[status] = tuple(sorted({*found.get(status, ()), *codes}))
    return found
