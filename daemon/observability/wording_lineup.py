"""What is said of the line-up: of its changes, and of how it is with each in it."""

from typing import Final

from daemon.core.operator import USE_CASES
from daemon.observability.sentence import Sentence

BY: Final = "[, {actor:actor}]"
"""Added to what somebody may have asked for."""

LINEUP: Final = {
    "joined": "{streamer} joined the line-up",
    "left": "{streamer} left",
    "away": "{streamer} is away; the place is kept for now",
    "returned": "{streamer} came back",
    "stalled": "{streamer} has stalled",
    "resumed": "{streamer} has resumed",
    "turn_ended": "{streamer}'s turn has ended",
    "turn_over": "{streamer} leaves after the turn",
    "leaving": "{streamer} leaves as soon as somebody follows",
    "stays": "{streamer} stays: the picture has stalled, but nobody can follow",
    "gone": "{streamer} was dropped: attempt after attempt showed no picture",
    "turn_changed": f"{{streamer}}'s turn has a new length{BY}",
    "requeued": "{streamer} moves to the end of the line-up",
    "too_many_streams": "{streamer} publishes too many streams at once: only the newest are kept",
    **{what: text + BY for case in USE_CASES for what, text in case.told.items()},
}
"""What changes of the line-up say; those that a person asks for, at their use case."""

_KEEPS = "[, keeps the {keeps} for {grace_remaining:clock}]"
PLACES: Final = (
    Sentence("place", f"away{_KEEPS}", "trouble", {"publishing": False}),
    Sentence("place", f"stalled{_KEEPS}", "trouble", {"stalled": True}),
    Sentence("place", "on air", "air", {"on_air": True, "has_turn": True}),
    Sentence("place", "on air, filling in", "air", {"on_air": True}),
    Sentence("place", "{standby}", "news", {"standby": True}),
    Sentence("place", "{problem}", "trouble", {"problem": True}),
    Sentence("place", "did not play ({failures}x), retrying", "trouble", {"failures": True}),
    Sentence("place", "waiting[ for {waited:span}][, turn of {turn:span}]", "step"),
)
"""How it is with one in the line-up; the first counts that fits."""
