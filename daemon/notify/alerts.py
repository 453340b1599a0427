"""The words of what no fact tells: that a turn is about to end, that OBS has been away for long.

statemachine/notices/alerts.py decides when.
"""

from collections.abc import Callable
from typing import assert_never

from daemon.notify.messages import Message, shown
from daemon.observability.wording import span
from statemachine.notices.alerts import ObsAbsence, ObsAway, ObsBack, TurnEnds, TurnWarning
from statemachine.view import View


class Alerts:
    """Give it a look every second or so."""

    def __init__(self, *, turn_when_alone: Callable[[], bool] = lambda: False) -> None:
        self._turn_when_alone = turn_when_alone
        self._turns = TurnWarning()
        self._obs = ObsAbsence()

    def look(self, view: View) -> tuple[Message, ...]:
        """What there is to tell now."""
        alerts = (self._obs.look(view), self._turns.look(view, turn_when_alone=self._turn_when_alone()))
        return tuple(_message(alert) for alert in alerts if alert is not None)


def _message(alert: TurnEnds | ObsAway | ObsBack) -> Message:
    match alert:
        case TurnEnds(streamer, follower, seconds):
            text = f"{shown(streamer)}'s turn ends in {span(seconds)}; {shown(follower) or 'nobody'} follows"
            return Message(text, "turn")
        case ObsAway(seconds):
            return Message(f"OBS has been unreachable for {span(seconds)}", "obs", "failure")
        case ObsBack(seconds):
            return Message(f"OBS is back after {span(seconds)}", "obs", "success")
        case _:
            assert_never(alert)
