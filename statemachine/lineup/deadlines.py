"""When the line-up has to look at whom again, without looking at everybody: the times of its entries, in order."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from statemachine.lineup.entry import Entry
from statemachine.lineup.order import Order
from statemachine.lineup.times import Times

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


class Agenda:
    """Knows when something ends or may be tried again, without a walk along the whole line."""

    def __init__(self, order: Order, times: Times) -> None:
        self._order = order
        self._times = times
        self._schedule = Schedule(self._of)
        self._overdue: dict[str, None] = {}
        self._generation = -1

    def __len__(self) -> int:
        """Times that are kept."""
        return len(self._schedule)

    def reset(self) -> None:
        """All times may be others."""
        self._overdue = {}
        self._order.changed.clear()
        self._schedule.begin(entry.streamer for entry in self._order)
        self._generation = self._order.generation

    def past_grace(self, now: float) -> list[Entry]:
        """Those whose grace has run out, in the order of the line-up; they stay among them until that is settled."""
        self._collect(now)
        if not self._overdue:
            return []
        past = {}
        for streamer in self._overdue:
            entry = self._order.find(streamer)
            ends = self._times.grace_ends(entry) if entry else None
            if entry is not None and ends is not None and ends <= now:
                past[streamer] = entry
        self._overdue = dict.fromkeys(past)
        return [entry for entry in self._order if entry.streamer in past] if len(past) > 1 else list(past.values())

    def earliest(self, now: float) -> float | None:
        """The first time after now."""
        self._collect(now)
        first, ends = self._schedule.next(), None
        holder, memory = self._order.holder, self._order.memory
        if holder is not None and not memory.held and memory.paused_since is None:
            ends = self._times.turn_ends(holder)
        if first is None or first <= now or (ends is not None and now < ends < first):
            first = ends
        return first if first is not None and first > now else None

    def _collect(self, now: float) -> None:
        if self._generation != self._order.generation:
            self.reset()
        if self._order.changed:
            for streamer in self._order.changed:
                self._schedule.note(streamer)
            self._order.changed.clear()
            if self._schedule.is_full_of(len(self._order)):
                self.reset()
        if due := self._schedule.due(now):
            self._overdue.update(dict.fromkeys(due))

    def _of(self, streamer: str) -> tuple[float, ...]:
        """When this one may be tried again, and when its grace ends."""
        entry = self._order.find(streamer)
        if entry is None:
            return ()
        retry, ends = entry.retry_at, self._times.grace_ends(entry)
        if ends is None:
            return () if retry is None else (retry,)
        return (ends,) if retry is None else (retry, ends)
