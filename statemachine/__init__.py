"""The rules of Motherstream: pure, synchronous, without a clock and without I/O.

What happened goes in as events; what is to be done comes out as commands, and what people may learn as facts. Time
is a field of every event. The shell (package ``daemon``) makes events of the outside world, and calls of commands.
"""

from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.step import Step
from statemachine.view import View

__all__ = ["Director", "Policy", "Step", "View"]
