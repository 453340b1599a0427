"""The shape of a snapshot: everything that the rules remember."""

from dataclasses import dataclass, field

from statemachine.attempt import Attempt
from statemachine.entry import LineupState
from statemachine.facts import HandoverEnded
from statemachine.lag import LagState
from statemachine.orphans import Orphan
from statemachine.policy import Policy
from statemachine.poor import Poor
from statemachine.program import Program
from statemachine.states import State


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Plain data all the way down."""

    now: float
    base: Policy
    overrides: dict[str, bool | int | float | str]
    lineup: LineupState
    switchover: SwitchoverState
    last_cut: float | None
    last_switch: HandoverEnded | None
    orphans: tuple[Orphan, ...]
    proof_at: float | None
    empty_at: float | None
    poor: Poor | None = None
    lag: LagState = field(default_factory=LagState)
