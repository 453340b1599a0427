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
