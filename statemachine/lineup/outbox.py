"""What the line-up hands on: commands to be carried out, and facts to be told."""

from typing import TYPE_CHECKING

from statemachine import commands as cmd
from statemachine import facts

if TYPE_CHECKING:
    from statemachine.events import Actor


class Outbox:
    """The parts of the line-up append to it, and the director empties it."""

    def __init__(self) -> None:
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self.actor: Actor | None = None
        """Who asked for what is being done; None where nobody did."""

    def emit(self, at: float, what: str, streamer: str) -> None:
        """The line-up has changed."""
        self.facts.append(facts.LineupChanged(at, what, streamer, self.actor))

    def refuse(self, at: float, code: str, message: str) -> None:
        """What was asked for is not done."""
        self.facts.append(facts.Refused(at, code, message, self.actor))
