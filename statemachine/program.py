"""What to make of OBS as it is found: after a start, a crash, a lost connection, or somebody's hand."""

from collections.abc import Callable
from dataclasses import dataclass

from statemachine import events as ev


@dataclass(frozen=True, slots=True)
class Program:
    """What OBS shows."""

    input: str
    session: ev.Session | None
    """None: an own input that was found on air and that nobody can be named for."""
    since: float


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is on air from now on, and what nothing refers to."""

    program: Program | None
    orphans: tuple[str, ...]
    names: tuple[str, ...]

    def highest(self, prefix: str) -> int:
        """The highest number in use, 0 where there is none."""
        numbers = [name.removeprefix(prefix) for name in self.names if name.startswith(prefix)]
        return max((int(n) for n in numbers if n.isascii() and n.isdigit()), default=0)


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
    """
    shown = {item.name: item for item in inventory.inputs if item.shown}
    found: Program | None = None
    if incoming is not None and incoming.input in shown:
        found = incoming
    elif program is not None and program.input in shown:
        found = program
    else:
        # The newest first (names count up), and before it one that a live stream can be named for.
        for item in reversed(shown.values()):
            session = identify(item.stream) if item.stream else None
            if found is None or (found.session is None and session is not None):
                found = Program(item.name, session, at)
    orphans = tuple(item.name for item in inventory.inputs if found is None or item.name != found.input)
    return Adoption(found, orphans, tuple(item.name for item in inventory.inputs))
