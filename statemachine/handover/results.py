"""What the switchover hands on: commands to be carried out, facts to be told, and what attempts came to."""

from statemachine import commands as cmd
from statemachine import facts
from statemachine.handover.attempt import Aftermath, Attempt, Ended

NOTHING = Aftermath((), (), (), ())


class Results:
    """The parts of the switchover append to it. The director takes ``commands`` out, and all else as an Aftermath."""

    def __init__(self) -> None:
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []
        self.orphans: list[str] = []
        """Own inputs that nothing refers to (any more)."""
        self._abandoned: list[Attempt] = []
        self._ended: list[Ended] = []

    def do(self, command: cmd.Command) -> None:
        """It is to be carried out, after those before it."""
        self.commands.append(command)

    def end(self, at: float, attempt: Attempt) -> None:
        """An attempt has come to its end."""
        ended = Ended(at, attempt)
        self._ended.append(ended)
        self.facts.append(ended.fact)

    def abandon(self, attempt: Attempt) -> None:
        """It was given up, and its input may still open."""
        self._abandoned.append(attempt)

    def aftermath(self) -> Aftermath:
        """All but the commands, since the last call: each is returned once."""
        if not (self.facts or self._ended or self.orphans or self._abandoned):
            return NOTHING
        came = Aftermath(tuple(self._ended), tuple(self.orphans), tuple(self._abandoned), tuple(self.facts))
        self._ended, self.orphans, self._abandoned, self.facts = [], [], [], []
        return came
