"""The rules of Motherstream: pure, synchronous, without a clock and without I/O.

Facts go in as events, intent comes out as commands; time is a field of every event. The shell (package
``daemon``) turns the outside world into the one and the other into calls.
"""

__version__ = "0.1.0"
