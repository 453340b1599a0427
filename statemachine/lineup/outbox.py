"""What the line-up hands on: commands to be carried out, and facts to be told."""

from statemachine import commands as cmd
from statemachine import facts


class Outbox:
    """The parts of the line-up append to it, and the director empties it."""

    def __init__(self) -> None:
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []

    def emit(self, at: float, what: str, streamer: str) -> None:
        """The line-up has changed."""
        self.facts.append(facts.LineupChanged(at, what, streamer))

    def refuse(self, at: float, code: str, message: str) -> None:
        """What was asked for is not done."""
        self.facts.append(facts.Refused(at, code, message))
