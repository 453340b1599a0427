"""How long to wait before the next try: twice as long each time, up to a most. The one place that computes it."""

DOUBLINGS = 60
"""Beyond these no float of seconds that anybody waits is still below its most; 2.0 ** 1024 would raise."""


def backoff(first: float, most: float, times: int) -> float:
    """``first`` where it has happened once (or not yet), twice as much each further time, never more than ``most``."""
    return min(most, first * 2.0 ** min(max(times, 1) - 1, DOUBLINGS))
