"""What the rules answer to one event."""

from dataclasses import dataclass

from statemachine.commands import Command
from statemachine.facts import Fact, Refused


@dataclass(frozen=True, slots=True)
class Step:
    """All that came of one event. Nothing else leaves the rules, and nothing has to be fetched from them."""

    commands: tuple[Command, ...] = ()
    """What is to be done, in this order."""
    facts: tuple[Fact, ...] = ()
    """What has happened, for people to read: nothing acts on them."""
    refusal: Refused | None = None
    """The answer to who asked: why it was not done. It is among the facts as well."""
    deadline: float | None = None
    """When TimePassed is to be fed, if nothing else happens before; None for never."""
