"""The shapes of the data of ``/events``: what the rules tell, and health."""

from dataclasses import fields
from enum import Enum
from typing import Any, Final, get_type_hints

from daemon.http.openapi.health import ISSUES, SCORE
from daemon.http.openapi.words import MOMENT, Schema, number, record, ref, string, truth, whole
from daemon.observability.wording import kind_of
from statemachine import facts

TOLD: Final = tuple(
    each
    for each in vars(facts).values()
    if isinstance(each, type) and issubclass(each, facts.Fact) and each not in (facts.Fact, facts.EventIgnored)
)
"""Every fact that is passed on."""


def _of_fact(fact: type[facts.Fact]) -> Schema:
    hints = get_type_hints(fact)
    return record(
        {field.name: MOMENT if field.name == "at" else _of_type(hints[field.name]) for field in fields(fact)},
        (fact.__doc__ or "").strip(),
    )


def _of_type(kind: Any) -> Schema:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ref("State")
    return {bool: truth(), int: whole(), float: number(), str: string()}[kind]


EVENTS: Final[dict[str, Schema]] = {
    "hello": record({"resumed": truth("Nothing is missing since `Last-Event-ID`; else ask /status.")}, "The first."),
    **{kind_of(fact): _of_fact(fact) for fact in TOLD},
    "health_changed": record({"at": MOMENT, "score": SCORE, "issues": ISSUES}, "What is amiss has changed."),
}
"""The data of each kind of event in /events."""
