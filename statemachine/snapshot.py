"""The shape of a snapshot: everything that the rules remember."""

from dataclasses import dataclass

from statemachine.attempt import Attempt
from statemachine.facts import HandoverEnded
from statemachine.lineup import LineupState
from statemachine.policy import Policy
from statemachine.program import Program
from statemachine.states import State


@dataclass(frozen=True, slots=True)
class Orphan:
    """An own input that nothing refers to, until it is gone."""

    name: str
    retry_at: float | None
    tries: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Plain data all the way down."""

    now: float
    base: Policy
    overrides: dict[str, bool | int | float | str]
    lineup: LineupState
    state: State
    program: Program | None
    attempt: Attempt | None
    last_number: int
    next_input: int
    pool: tuple[str, ...]
    last_cut: float | None
    last_switch: HandoverEnded | None
    orphans: tuple[Orphan, ...]
    why: str
    proof_at: float | None
    empty_at: float | None
