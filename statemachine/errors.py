"""The one error of the rules: somebody fed them what cannot happen."""

from statemachine.handover.states import State


class RulesError(Exception):
    """The base."""


class IllegalEventError(RulesError):
    """A pair of state and event that is neither in the table nor ignored. The state is as it was."""

    def __init__(self, state: State, event: str) -> None:
        super().__init__(f"{event} cannot happen in {state.value}")
        self.state = state
        self.event = event


class BadSnapshotError(RulesError):
    """A snapshot that cannot be restored; the message names the place."""
