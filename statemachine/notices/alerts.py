"""What no fact tells: that a turn is about to end, that OBS has been away for long. Found by looking.

Each rule is given a look every second or so, and keeps no time of its own: the views say when.
"""

from dataclasses import dataclass
from typing import Final

from statemachine.handover.states import State
from statemachine.view import View

WARN_BEFORE: Final = 300.0
"""Seconds before its end that a turn's end is told; a quarter of a short turn."""
OBS_AWAY_FOR: Final = 30.0
"""Seconds that OBS may be away before people are told."""


@dataclass(frozen=True, slots=True)
class TurnEnds:
    """A turn is about to end."""

    streamer: str
    follower: str
    """Empty where nobody waits."""
    seconds: float


@dataclass(frozen=True, slots=True)
class ObsAway:
    """OBS has been out of reach for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ObsBack:
    """An OBS of whose absence people were told can be reached again."""

    seconds: float
    """How long it was away."""


class TurnWarning:
    """Warns of each turn's end once."""

    def __init__(self) -> None:
        self._armed = ""
        """Whose turn was seen with more time left than the warning's: it is warned of once."""

    def look(self, view: View, *, turn_when_alone: bool) -> TurnEnds | None:
        """``turn_when_alone``: a turn ends although nobody waits."""
        if view.on_air is None or view.on_air.remaining is None:
            return None  # nobody, or one who fills in while the holder is away: the turn may go on
        streamer, remaining = view.on_air.streamer, view.on_air.remaining
        length = next((place.turn_length for place in view.queue if place.streamer == streamer), WARN_BEFORE)
        if remaining > min(WARN_BEFORE, length / 4):
            self._armed = streamer
            return None
        if self._armed != streamer:
            self._armed = ""
        waiting = (p.streamer for p in view.queue if p.streamer != streamer and p.publishing and not p.is_hopeless)
        follower = next(waiting, "")
        ends = not view.held and (follower or turn_when_alone)
        # One whose time ran out while nobody waited ends at once when somebody comes: no time to tell.
        if not self._armed or not ends or remaining < 1:
            return None
        self._armed = ""
        return TurnEnds(streamer, follower, remaining)


class ObsAbsence:
    """Tells once of an absence that lasts, and of its end."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._told = False

    def look(self, view: View) -> ObsAway | ObsBack | None:
        """What there is to tell now."""
        if view.state is not State.RECOVERING:
            since, told = self._since, self._told
            self._since, self._told = None, False
            return ObsBack(view.at - since) if since is not None and told else None
        if self._since is None:
            self._since = view.at
        if self._told or view.at - self._since < OBS_AWAY_FOR:
            return None
        self._told = True
        return ObsAway(view.at - self._since)
