"""Something outside fails, and is tried again less and less often until it works."""

from statemachine.backoff import backoff


class Backoff:
    """Counts the failures in a row of one thing. ``first`` and ``most`` are seconds; keeps no time and never waits."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self.failures = 0
        """In a row, up to now."""

    @property
    def pause(self) -> float:
        """Seconds to leave it alone after the last failure; 0 where the last try worked."""
        return backoff(self._first, self._most, self.failures) if self.failures else 0.0

    def failed(self) -> float:
        """Count one more; the seconds until the next try."""
        self.failures += 1
        return self.pause

    def worked(self) -> None:
        """Forget the failures: the next one waits for the first pause again."""
        self.failures = 0
