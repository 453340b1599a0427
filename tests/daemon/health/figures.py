"""Samples, views and the like, as tests need them."""

from typing import Any

from daemon.core.readings import PLAYING
from daemon.health.history import HealthReading
from daemon.health.issues import Thresholds
from daemon.health.samples import Sample
from daemon.health.score import judge
from statemachine.handover.states import State
from statemachine.view import OnAir, Place, View

AT = 1767297600.0
"""2026-01-01T20:00:00Z."""


def sample(at: float = AT, **changes: Any) -> Sample:
    """Alice is on air, and everything is well."""
    values: dict[str, Any] = {
        "connected": True,
        "streamer": "alice",
        "input": "GMOTHERSTREAM_1",
        "state": PLAYING,
        "cursor": 1000.0,
        "progress": 1.0,
        "jitter": 5.0,
        "width": 1280,
        "height": 720,
        "received": 1_000_000,
        "bitrate": 3000.0,
        "level": -18.0,
        "loudness": -16.0,
        "peak": -3.0,
        "fps": 30.0,
        "render_lag": 0.0,
        "encoder_lag": 0.0,
        "dropped": 0.0,
        "memory": 200.0,
        "cpu": 5.0,
        "streaming": True,
    }
    return Sample(at=at, **{**values, **changes})


def off_air(at: float = AT, **changes: Any) -> Sample:
    """Nobody is on air."""
    return Sample(at=at, connected=True, **changes)


def reading(at: float = AT, **changes: Any) -> HealthReading:
    """A sample with its verdict."""
    made = sample(at, **changes)
    return HealthReading(made, judge([made], Thresholds()))


def place(streamer: str, position: int = 0, *, publishing: bool = True) -> Place:
    return Place(
        streamer=streamer,
        position=position,
        since=AT,
        publishing=publishing,
        has_turn=position == 0,
        turn_length=3600.0,
        grace_ends=None,
        stalled=False,
        failures=0,
    )


def view(on_air: str = "", *queue: Place, remaining: float | None = 3600.0, name: str = "GMOTHERSTREAM_1") -> View:
    return View(
        at=AT,
        state=State.IDLE,
        attempt=1,
        held=False,
        on_air=OnAir(on_air, name, AT, 10.0, remaining, True) if on_air else None,
        standby=None,
        queue=queue,
        last_switch=None,
        blocks={},
        orphans=(),
    )
