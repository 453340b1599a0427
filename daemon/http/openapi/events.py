"""The shapes of the data of ``/events``: what the rules tell, and health."""

from dataclasses import fields
from typing import Any, Final, get_type_hints

from typing_extensions import TypedDict

from daemon.core.shapes import Actor, Moment
from daemon.health.shapes import Issues, Score
from daemon.http.openapi.schema import Schema, schemas
from daemon.http.shapes.show import State
from daemon.observability.wording import kind_of
from statemachine import events as ev
from statemachine import facts
from statemachine.handover import states

TOLD: Final = tuple(
    each
    for each in vars(facts).values()
    if isinstance(each, type) and issubclass(each, facts.Fact) and each not in (facts.Fact, facts.EventIgnored)
)
"""Every fact that is passed on."""
TOLD_AS: Final[dict[Any, Any]] = {states.State: State, ev.Actor | None: Actor | None}
"""The shapes of values that JSON has no type for."""


class Hello(TypedDict):
    """The first."""

    channel: str
    resumed: bool
    """Nothing is missing since `Last-Event-ID`; else ask /status."""


class HealthChanged(TypedDict):
    """What is amiss has changed."""

    channel: str
    at: Moment
    score: Score
    issues: Issues


def _published_shape(fact: type[facts.Fact]) -> Any:
    """The shape of a fact in JSON: as it is, but for its moment and for TOLD_AS."""
    hints = get_type_hints(fact)
    told = {field.name: TOLD_AS.get(hints[field.name], hints[field.name]) for field in fields(fact)}
    shape = TypedDict(fact.__name__, {**told, "at": Moment, "channel": str})  # type: ignore[misc]  # made while it runs
    shape.__doc__ = fact.__doc__
    return shape


def _events() -> dict[str, Schema]:
    shapes = {
        "hello": Hello,
        **{kind_of(fact): _published_shape(fact) for fact in TOLD},
        "health_changed": HealthChanged,
    }
    found, named = schemas(shapes.values())
    return {kind: named[schema["$ref"].rpartition("/")[2]] for kind, schema in zip(shapes, found, strict=True)}


EVENTS: Final = _events()
"""The data of each kind of event in /events."""
