"""Doubles of the servers that the daemon speaks with, at the level of the wire."""

from tests.fakes.obs import FakeObs
from tests.fakes.obs_clock import FakeClock
from tests.fakes.obs_faults import BATCH, EventFault, Fault, Faults, Spoil
from tests.fakes.obs_program import Cut, Layer, Program, Shot
from tests.fakes.obs_streams import Stream, Streams

__all__ = [
    "BATCH",
    "Cut",
    "EventFault",
    "FakeClock",
    "FakeObs",
    "Fault",
    "Faults",
    "Layer",
    "Program",
    "Shot",
    "Spoil",
    "Stream",
    "Streams",
]
