"""The states of one hand-over at a time."""

from enum import Enum


class State(Enum):
    """Where the switchover stands. The values are the names that people see."""

    IDLE = "IDLE"
    CREATING = "CREATING"
    BUFFERING = "BUFFERING"
    STANDBY = "STANDBY"
    SWAPPING = "SWAPPING"
    CLEANUP = "CLEANUP"
    RECOVERING = "RECOVERING"
