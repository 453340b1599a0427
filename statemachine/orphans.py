"""Own inputs that nothing refers to: swept one at a time, so that no hand-over waits behind a pile of removals."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from statemachine import commands as cmd

SWEEP_FIRST, SWEEP_MOST = 10.0, 300.0
"""Seconds between two tries to remove an orphan; the latter also for one that is never answered."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """An own input that nothing refers to, until it is gone."""

    name: str
    retry_at: float | None = None
    tries: int = 0
    asked_at: float | None = None
    """When its removal was asked for; None again once answered."""


class Orphans:
    """Those that are known, in the order in which they were found."""

    def __init__(self, known: Iterable[Orphan] = ()) -> None:
        self._known = {orphan.name: orphan for orphan in known}

    def __iter__(self) -> Iterator[Orphan]:
        return iter(self._known.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._known)

    def add(self, names: Iterable[str]) -> None:
        """Found; one that is known already keeps its backoff."""
        for name in names:
            self._known.setdefault(name, Orphan(name))

    def gone(self, name: str) -> None:
        """It was removed, or is in use."""
        self._known.pop(name, None)

    def keep_only(self, names: Collection[str]) -> None:
        """OBS was read: what it does not hold is gone."""
        self._known = {name: orphan for name, orphan in self._known.items() if name in names}

    def stays(self, name: str, now: float) -> bool:
        """Its removal failed: later again, less and less often. False where nobody waits for that answer."""
        orphan = self._known.get(name)
        if orphan is None or orphan.asked_at is None:
            return False
        pause = min(SWEEP_MOST, SWEEP_FIRST * 2 ** min(orphan.tries, 10))
        self._known[name] = Orphan(name, now + pause, orphan.tries + 1)
        return True

    def forget_asked(self) -> None:
        """The connection is gone: no answer will come, and the next one is a new chance."""
        self._known = {name: Orphan(name, None, orphan.tries) for name, orphan in self._known.items()}

    def sweep(self, now: float, in_use: Collection[str]) -> cmd.RemoveOrphan | None:
        """The next one to remove; none while one is asked for, and never one that is in use."""
        for name in [name for name in self._known if name in in_use]:
            del self._known[name]
        waiting = [o for o in self._known.values() if o.asked_at is not None and now < o.asked_at + SWEEP_MOST]
        if waiting:
            return None
        for orphan in self._known.values():
            if orphan.retry_at is None or orphan.retry_at <= now:
                self._known[orphan.name] = replace(orphan, asked_at=now, retry_at=now + SWEEP_MOST)
                return cmd.RemoveOrphan(orphan.name)
        return None

    def deadline(self) -> float | None:
        """When ``sweep`` has something to do by time alone."""
        return min((o.retry_at for o in self._known.values() if o.retry_at is not None), default=None)
