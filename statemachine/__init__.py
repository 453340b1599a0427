"""The rules of Motherstream: pure, synchronous, without a clock and without I/O.

Facts go in as events, intent comes out as commands; time is a field of every event. The shell (package
``daemon``) turns the outside world into the one and the other into calls.
"""

from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.step import Step
from statemachine.view import View

__all__ = ["Director", "Policy", "Step", "View"]
