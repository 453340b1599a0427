"""What the operator may choose: the rules' share of the configuration, as one frozen value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations are in seconds. The defaults are the configuration's."""

    # sources
    mode: str = "dynamic"
    """dynamic: a fresh input a hand-over; pooled: two inputs in turn; static: one input, restarted."""
    prefix: str = "GMOTHERSTREAM_"
    static_input: str = "GMOTHERSTREAM"
    z_offset: int = 5
    ready_timeout: float = 15.0
    cut_timeout: float = 2.0
    cleanup_grace: float = 1.0
    job_delay: float = 2.0
    standby: bool = True
    # what is shown
    slate: str = ""
    fade: float = 0.0
    """Seconds of a fade; 0 cuts."""
    # the line-up
    turn: float = 3600.0
    turn_when_alone: bool = False
    after_turn: str = "requeue"
    reconnect_grace: float = 8.0
    grace_cap: float = 60.0
    """Most seconds of grace within one turn, against flapping."""
    during_grace: str = "next"
    """next: the next one fills in; slate: the slate is shown."""
    block_last: bool = False
    # failures
    retry_first: float = 5.0
    retry_most: float = 60.0
    removal_tries: int = 5
