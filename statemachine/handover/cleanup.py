"""What an attempt in CLEANUP is about to do: one value, so that it is never two things at once, nor none by mistake.

When it is done the attempt's deadline tells; while that is None, OBS has been asked and its answer is waited for.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Restore:
    """The cut failed: the scene is put right, and nothing is removed before that."""

    input: str
    """What goes once the scene is right; empty where nothing does."""
    tries: int = 0
    """How often it could not be put right."""


@dataclass(frozen=True, slots=True)
class Grace:
    """The cut is done: the outgoing stays hidden for its grace, and goes then."""

    input: str


@dataclass(frozen=True, slots=True)
class Remove:
    """An input goes: the incoming of an attempt that came to nothing, or the outgoing whose grace is over."""

    input: str
    tries: int = 0
    """How often it could not be removed."""


Cleanup = Restore | Grace | Remove
