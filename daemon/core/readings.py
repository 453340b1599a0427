"""What OBS answers about itself and its inputs, as plain values: whoever reads it believes the same figures."""

from dataclasses import dataclass
from typing import Final

PLAYING: Final = "OBS_MEDIA_STATE_PLAYING"
DEAD: Final = frozenset({"OBS_MEDIA_STATE_ERROR", "OBS_MEDIA_STATE_ENDED"})
MOST: Final = 1e18
"""A figure from which on, as a NaN, OBS's answer is not believed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What OBS says of an input at one moment. ``cursor`` in milliseconds, ``width`` in pixels."""

    at: float
    state: str
    cursor: float | None
    width: float


def number(value: object) -> float | None:
    """A figure of OBS's, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < MOST else None


def count(value: object) -> int | None:
    """A counter of OBS's, None where it is none."""
    found = number(value)
    return None if found is None else int(found)
