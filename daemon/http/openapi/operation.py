"""What is said of one route, and what many routes have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from daemon.http.openapi.words import Schema, one_of, string
from daemon.http.params import LONGEST_NAME
from daemon.ingest.hook import JSON

NAME: Final = string(
    "A streamer's name: printable characters.", minLength=1, maxLength=LONGEST_NAME, examples=["alice"]
)
YES_OR_NO: Final = one_of("true", "1", "yes", "on", "false", "0", "no", "off", "")

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
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Mapping[str, Schema]]
    """By status and content type, all but the errors."""
    errors: Errors = field(default_factory=dict)
    """Those of its own; the document adds those of the guards."""
    parameters: tuple[Mapping[str, Any], ...] = ()
    body: Mapping[str, Schema] | None = None
    """By content type."""
    description: str = ""


def in_path(name: str, schema: Schema) -> dict[str, Any]:
    """A part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def in_query(name: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    """A parameter in the query."""
    return {"name": name, "in": "query", "required": required, "schema": schema}


def ok(schema: Schema, status: int = 200) -> dict[int, dict[str, Schema]]:
    """One answer in JSON."""
    return {status: {JSON: schema}}


def both(*errors: Errors) -> dict[int, tuple[str, ...]]:
    """All of them; codes of the same status come together."""
    found: dict[int, tuple[str, ...]] = {}
    for each in errors:
        for status, codes in each.items():
            found[status] = tuple(sorted({*found.get(status, ()), *codes}))
    return found
