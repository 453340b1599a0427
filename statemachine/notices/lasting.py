"""What lasts is told, what flickers is told once, and what was told is over once it stays away."""

from collections.abc import Mapping, Sequence
from typing import Final

CALM: Final = 10.0
"""Seconds without it after which a trouble is over: what flickers is told once."""
SETTLED: Final = 3
"""Samples that an issue of health has to be there, or gone, before it counts as such."""


class Lasting:
    """``see`` is called every second or so with the topics that are found, and says which of them people hear of."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._told: set[str] = set()

    def see(self, at: float, found: Mapping[str, float]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Which of these have lasted, told at each look as long as they do, and which of those told are over.

        ``found`` holds the topics with the seconds for which each has to last.
        """
        lasting = []
        for topic, patience in found.items():
            self._seen[topic] = at
            if at - self._since.setdefault(topic, at) >= patience:
                self._told.add(topic)
                lasting.append(topic)
        over = []
        for topic, last in tuple(self._seen.items()):
            # One that was not told has to last anew; one that was is over once it stays away.
            if last < at and (topic not in self._told or at - last >= CALM):
                del self._seen[topic], self._since[topic]
                if topic in self._told:
                    self._told.discard(topic)
                    over.append(topic)
        return tuple(lasting), tuple(over)


class Settled:
    """Which issues are there for good: seen, or missed, so many times in a row."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._counts: dict[str, int] = {}
        self.issues: tuple[str, ...] = ()
        self.began: tuple[str, ...] = ()
        self.over: tuple[str, ...] = ()

    def see(self, issues: Sequence[str]) -> bool:
        """One more look's issues; True where that changes what is settled, told by ``began`` and ``over``."""
        unlike = set(issues) ^ set(self.issues)
        self._counts = {name: self._counts.get(name, 0) + 1 for name in unlike}
        changed = {name for name, times in self._counts.items() if times >= self._times}
        self.began = tuple(name for name in issues if name in changed)
        self.over = tuple(name for name in self.issues if name in changed)
        if not changed:
            return False
        self.issues = (*(name for name in self.issues if name not in self.over), *self.began)
        self._counts = {name: times for name, times in self._counts.items() if name not in changed}
        return True
