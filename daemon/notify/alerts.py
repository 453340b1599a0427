"""What no fact tells: that a turn is about to end, that OBS has been away for long. Found by looking."""

from collections.abc import Callable
from typing import Final

from daemon.notify.messages import Message, shown
from daemon.observability.wording import span
from statemachine.handover.states import State
from statemachine.view import View

WARN_BEFORE: Final = 300.0
"""Seconds before its end that a turn's end is told; a quarter of a short turn."""
OBS_PATIENCE: Final = 30.0
"""Seconds that OBS may be away before people are told."""


class Alerts:
    """Give it a look every second or so. It keeps no time of its own: the views say when."""

    def __init__(self, *, turn_when_alone: Callable[[], bool] = lambda: False) -> None:
        self._turn_when_alone = turn_when_alone
        self._armed = ""
        """Whose turn was seen with more time left than the warning's: it is warned of once."""
        self._obs_gone: float | None = None
        self._obs_told = False

    def look(self, view: View) -> tuple[Message, ...]:
        """What there is to tell now."""
        return tuple(message for message in (self._obs(view), self._turn(view)) if message is not None)

    def _turn(self, view: View) -> Message | None:
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
        ends = not view.held and (follower or self._turn_when_alone())
        # One whose time ran out while nobody waited ends at once when somebody comes: no time to tell.
        if not self._armed or not ends or remaining < 1:
            return None
        self._armed = ""
        text = f"{shown(streamer)}'s turn ends in {span(remaining)}; {shown(follower) or 'nobody'} follows"
        return Message(text, "turn")

    def _obs(self, view: View) -> Message | None:
        if view.state is not State.RECOVERING:
            gone, told = self._obs_gone, self._obs_told
            self._obs_gone, self._obs_told = None, False
            if gone is None or not told:
                return None
            return Message(f"OBS is back after {span(view.at - gone)}", "obs", "success")
        if self._obs_gone is None:
            self._obs_gone = view.at
        if self._obs_told or view.at - self._obs_gone < OBS_PATIENCE:
            return None
        self._obs_told = True
        return Message(f"OBS has been unreachable for {span(view.at - self._obs_gone)}", "obs", "failure")
