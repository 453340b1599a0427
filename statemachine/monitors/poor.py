"""A stream whose bitrate is poor, as it is remembered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Poor:
    """The stream of the one on air, or of the turn's holder behind the slate, while its bitrate is poor."""

    session_id: str
    kbps: float
    measured_at: float
    since: float
    good_since: float | None = None
    warned: bool = False
    covered: bool = False
    """The slate is shown in its place."""
