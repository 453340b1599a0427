"""What was read of OBS's Program."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgramReading:
    """What OBS gives to viewers. Its scenes are not that: studio mode shows private copies of them."""

    scene: str
    """The name of the program scene."""
    studio_mode: bool
    live: bool
    """The daemon's scene itself is rendered to the output, nested or not: its changes reach viewers at once."""
    copied: bool
    """Studio mode shows a private copy of the daemon's scene: its changes reach nobody."""
    inputs: tuple[str, ...] = ()
    """The own inputs that are rendered to the output, be it from a copy."""
    moving: bool = False
    """A transition runs: what leaves is rendered beside what comes."""


@dataclass(frozen=True, slots=True)
class OwnInput:
    """An input in OBS that bears the daemon's prefix and a number."""

    name: str
    shown: bool
    """In the scene and enabled there."""
    stream: str | None = None
    """``app/stream`` as read out of its settings; None where they say nothing."""
    items: int = 1
    """How many items it has in the scene and in its groups; 0 where it lives on outside the scene alone."""
    shown_items: int = 1
    """How many of them are shown, where any is."""


@dataclass(frozen=True, slots=True)
class ForeignInput:
    """An input that bears another daemon's mark, and this one's prefix and a number, or a place in its scene."""

    name: str
    owner: str
    """Who that is, for people."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """OBS as it was read just now: own inputs, in the order of their numbers."""

    inputs: tuple[OwnInput, ...] = ()
    others: tuple[str, ...] | None = None
    """The scene's other items that are shown, by name (the slate among them); None where nobody looked."""
    missing: tuple[str, ...] = ()
    """What the configuration names and OBS does not have: the slate, the static input, the template."""
    foreign: tuple[ForeignInput, ...] = ()
    """Inputs of another daemon that lives: not to be touched, but their names are taken."""
    whole: bool = True
    """Every entry could be read. Where not, what is absent may be there."""
    program: ProgramReading | None = None
    """None where nobody looked."""
    static: OwnInput | None = None
    """The one input of mode static, which bears no number; None where there is none, or it could not be read."""
