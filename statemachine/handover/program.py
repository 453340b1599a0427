"""What to make of OBS as it is found: after a start, a crash, a lost connection, or somebody's hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from statemachine import events as ev

DIGITS = 15
"""More than a name's number can ever have. Fewer than what the adapter takes for an own name: the one after the highest
is one, too."""


@dataclass(frozen=True, slots=True)
class Program:
    """What OBS shows."""

    input: str
    session: ev.Session | None
    """None: an own input that was found on air and that nobody can be named for (yet)."""
    since: float
    attempt: int = 0
    """The attempt that put it on air; 0 where it was found there."""
    still_since: float | None = None
    """Its picture stands still, and that is no stall yet."""
    stalled_since: float | None = None
    """It has stood still for too long, or it told that it will not play any more."""
    blank: bool = False
    """It stands still and shows nothing: its player has reported an error or an end."""
    moves_since: float | None = None
    """It stalled, and has moved since, not for long enough yet."""
    stream: str = ""
    """``app/stream`` as found in OBS, for as long as nobody can be named for it."""
    proven: ev.Session | None = None
    """Mode static: whose picture was seen to move last, though its cut failed, so that it bears no name."""

    @property
    def moves(self) -> bool:
        """It does, for all that was told."""
        return self.still_since is None and self.stalled_since is None


class Shows(Protocol):
    """Who knows what OBS shows: all that those need who watch it and change nothing."""

    @property
    def program(self) -> Program | None:
        """What is on air; None where nothing is."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is on air from now on, and what nothing refers to."""

    program: Program | None
    orphans: tuple[str, ...]
    names: tuple[str, ...]
    hidden: bool = False
    """The program is there but hidden."""


def highest(names: tuple[str, ...], prefix: str) -> int:
    """The highest number in use, 0 where there is none."""
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return max((int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) <= DIGITS), default=0)


def adopt(
    inventory: ev.Inventory,
    program: Program | None,
    incoming: Program | None,
    identify: Callable[[str], ev.Session | None],
    at: float,
) -> Adoption:
    """Choose the one input that is on air, in the order of how much is known of it.

    An incoming whose cut was interrupted comes before the old program: shown, it was proven, and the outgoing is
    hidden by the same batch. A shown input that nobody knows is kept rather than blanked: the director replaces it.
    Where nothing is shown, a program that is still there was hidden by somebody's hand, or by half a cut: if its
    stream lives, it is the quickest to be had. Not where the program was just being emptied. What plays another stream
    by its settings is not the one that bore the name before a crash forgot that.
    """
    names = tuple(item.name for item in inventory.inputs)
    placed = {item.name: item for item in inventory.inputs if item.items}
    shown = {item.name: item for item in inventory.inputs if item.shown}
    found: Program | None = None
    if incoming is not None and _is(shown.get(incoming.input), incoming, identify):
        found = incoming
    elif program is not None and _is(shown.get(program.input), program, identify):
        found = program
    elif shown:
        # The newest first (names count up), and before it one that a live stream can be named for.
        for item in reversed(shown.values()):
            session = identify(item.stream) if item.stream else None
            if found is None or (found.session is None and session is not None):
                found = Program(item.name, session, at, stream=item.stream or "")
    elif program is not None and program.session is not None and (incoming is None or incoming.input):
        lives = identify(program.session.path) == program.session
        found = program if lives and _is(placed.get(program.input), program, identify) else None
    orphans = tuple(name for name in names if found is None or name != found.input)
    return Adoption(found, orphans, names, hidden=found is not None and found.input not in shown)


def _is(item: ev.OwnInput | None, program: Program, identify: Callable[[str], ev.Session | None]) -> bool:
    """It is what is remembered under its name, as far as its settings tell: how to play one that lives is known."""
    session = program.session
    if item is None or item.stream is None or session is None or session.is_played_at(item.stream):
        return item is not None
    return identify(item.stream) is None and identify(session.path) != session
