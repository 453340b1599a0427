"""Views of a show, as the notices see them."""

from typing import Any

from statemachine.handover.states import State
from statemachine.view import OnAir, Place, Standby, View

READY = Standby("bob", "GMOTHERSTREAM_2", ready=True, since=0.0, due=False)


def place(streamer: str, position: int, **changes: Any) -> Place:
    """One who publishes and is well."""
    values: dict[str, Any] = {"publishing": True, "turn_length": 3600.0, "stalled": False, "failures": 0}
    return Place(
        streamer=streamer,
        position=position,
        since=0.0,
        has_turn=position == 0,
        grace_ends=None,
        **{**values, **changes},
    )


def on_air(streamer: str = "alice", remaining: float | None = 100.0) -> OnAir:
    return OnAir(streamer, "GMOTHERSTREAM_1", 0.0, 0.0, remaining, live=True)


def view(at: float = 0.0, **changes: Any) -> View:
    """Alice is on air, Bob waits."""
    values: dict[str, Any] = {
        "state": State.IDLE,
        "attempt": 1,
        "held": False,
        "on_air": on_air(),
        "standby": None,
        "queue": (place("alice", 0), place("bob", 1)),
        "last_switch": None,
        "blocks": {},
        "orphans": (),
    }
    return View(at=at, **{**values, **changes})
