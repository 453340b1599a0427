"""What all events have in common, and who asks for what people ask for."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events."""

    at: float


@dataclass(frozen=True, slots=True)
class AttemptEvent(Event):
    """The base of what answers a command of one attempt, or ends it."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked for something."""

    kind: str
    """local: anybody on this machine, where no token is set; token: who has it; sign-in: who has signed in with it."""
    name: str = ""
    """Of the person or program, where it has one."""


@dataclass(frozen=True, slots=True)
class OperatorEvent(Event):
    """The base of what a person asks for."""

    actor: Actor | None = field(default=None, kw_only=True, compare=False)
    """Kept for people; the same request is the same whoever asks. None in journals of older versions."""
