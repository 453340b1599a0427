"""When the line-up has to look at whom again, without looking at everybody: the times of its entries, in order."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

SPARE = 64
"""Times that no longer count and may stay besides four for each streamer."""


class Schedule:
    """Times of entries, each with its streamer. ``times`` tells those of a streamer that count now, unordered."""

    def __init__(self, times: Callable[[str], tuple[float, ...]]) -> None:
        self._times = times
        self._heap: list[tuple[float, str]] = []

    def begin(self, streamers: Iterable[str]) -> None:
        """Forget all, and note the times of these."""
        self._heap = [(at, streamer) for streamer in streamers for at in self._times(streamer)]
        heapify(self._heap)

    def note(self, streamer: str) -> None:
        """Its times may be others now; those of before do not count any more."""
        for at in self._times(streamer):
            heappush(self._heap, (at, streamer))

    def __len__(self) -> int:
        return len(self._heap)

    def is_full_of(self, count: int) -> bool:
        """So many times have been noted that most of them cannot count, where there are ``count`` streamers."""
        return len(self._heap) > 4 * count + SPARE

    def due(self, now: float) -> list[str]:
        """Take out the streamers of whom a time has come; each may be there more than once."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            at, streamer = heappop(self._heap)
            if at in self._times(streamer):
                due.append(streamer)
        return due

    def next(self) -> float | None:
        """The first time that counts and was not taken out."""
        while self._heap:
            at, streamer = self._heap[0]
            if at in self._times(streamer):
                return at
            heappop(self._heap)
        return None
