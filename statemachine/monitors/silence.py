"""A stream on air without sound, as it is remembered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Silence:
    """The silence of the one on air, as it is remembered."""

    session_id: str
    since: float
    measured_at: float
    level: float
    good_since: float | None = None
    seen: bool = False
    warned: bool = False
