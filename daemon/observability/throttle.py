"""Lines that would come too often: the first is told, the next ones of its kind are counted."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KINDS = 256


class LogThrottle:
    """Lets a line of a kind through every ``interval`` seconds, and says how many were held back before it."""

    def __init__(self, interval: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._clock = clock
        self._kinds: OrderedDict[str, tuple[float, int, int]] = OrderedDict()

    def suppressed(self, kind: str, most: int = 1) -> int | None:
        """How many lines of this kind were held back since the last; None where this one is to be, too.

        ``most`` are let through in an interval.
        """
        now = self._clock()
        until, told, count = self._kinds.get(kind, (0.0, 0, 0))
        if now < until:
            if told < most:
                self._kinds[kind] = (until, told + 1, 0)
                return count
            self._kinds[kind] = (until, told, count + 1)
            return None
        self._kinds[kind] = (now + self._interval, 1, 0)
        self._kinds.move_to_end(kind)
        while len(self._kinds) > MOST_KINDS:
            self._kinds.popitem(last=False)
        return count
