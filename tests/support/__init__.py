"""What tests of every kind share: waiting until something holds, and the throw-away studio."""

from tests.support.waiting import Changes, NotInTimeError, blocking_until, until

__all__ = ["Changes", "NotInTimeError", "blocking_until", "until"]
