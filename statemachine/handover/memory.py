"""What of the hand-over is kept: the switchover's share of a snapshot."""

from dataclasses import dataclass

from statemachine.handover.attempt import Attempt
from statemachine.handover.program import Program
from statemachine.handover.states import State


@dataclass(frozen=True, slots=True)
class SwitchoverState:
    """All that the switchover remembers."""

    state: State
    program: Program | None
    attempt: Attempt | None
    last_number: int
    next_input: int
    pool: tuple[str, ...]
    scene_at: float
    """When the scene was last changed by us, or read whole."""
    old_slates: tuple[str, ...]
    """Slates, and static inputs, that a policy named before."""
    missing: tuple[str, ...] = ()
    """What OBS does not have of that which the configuration names."""
    foreign_owners: tuple[str, ...] = ()
    """Other daemons that were told of."""
    names_taken: int = 0
    """Names in a row that were somebody else's."""
    reserves: tuple[Attempt, ...] = ()
    """Attempts that go on beside the one under way."""
