"""Own inputs that nothing refers to: swept one at a time, so that no hand-over waits behind a pile of removals."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from statemachine import commands as cmd
from statemachine.backoff import backoff
from statemachine.handover.attempt import Attempt

OPEN_FOR = 10.0
"""Seconds from its creation that an input has to get its stream open, or to fail, before it is removed: OBS can die of
a removal while obs-gstreamer's pipeline still prerolls (OBS 32, removed 0.2 to 0.4 s after creation)."""
OPEN_LEAST = 3.0
"""Those seconds where many open at once."""
OPEN_ENDED = 2.0
"""Those seconds where there is nothing to wait for: its stream has ended, its time to get ready is over, or the
connection to OBS was lost and nobody will tell what became of it. What prerolls does so within the first second."""
OPEN_RECALLED = 6.0
"""Those seconds from the kick that makes its encoder publish anew, which is back by then: SRS clears away no stream
that somebody waits for, nor within three seconds after."""
OPEN_MOST = 6
"""How many are left to open before the oldest has only the least time."""
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
    open_until: float | None = None
    """It still opens: it is left to finish or to fail until then."""
    opened_at: float = 0.0
    attempt: int = 0
    """The attempt that left it, of which its watch tells; 0 where it was found in OBS or is a removal that failed."""


def open_until(attempt: Attempt) -> float | None:
    """How long the input of an attempt that came to nothing is left to open; None where it does not open (any more)."""
    if attempt.opened_at is None or attempt.ready_at is not None or attempt.outcome == "media_failed":
        return None
    if attempt.recalled_at is not None:
        return attempt.recalled_at + OPEN_RECALLED
    return attempt.opened_at + (OPEN_FOR if attempt.outcome == "superseded" else OPEN_ENDED)


class Orphans:
    """Those that are known, in the order in which they were found."""

    def __init__(self) -> None:
        self._known: dict[str, Orphan] = {}

    def restore(self, known: Iterable[Orphan]) -> None:
        """Stand where the snapshot was taken."""
        self._known = {orphan.name: orphan for orphan in known}

    def __iter__(self) -> Iterator[Orphan]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._known)

    def add(self, names: Iterable[str]) -> None:
        """Found; one that is known already keeps its backoff."""
        for name in names:
            self._known.setdefault(name, Orphan(name))

    def leave(self, attempt: Attempt, now: float) -> None:
        """The input of an attempt that came to nothing: not removed as long as it still opens."""
        until = open_until(attempt)
        until = until if until is not None and until > now else None
        name, opened_at = attempt.input, attempt.opened_at or 0.0
        self._known[name] = Orphan(name, open_until=until, opened_at=opened_at, attempt=attempt.number)
        opening = [orphan for orphan in self if orphan.open_until is not None]
        for orphan in opening[: max(0, len(opening) - OPEN_MOST)]:
            self._known[orphan.name] = replace(orphan, open_until=orphan.opened_at + OPEN_LEAST)

    def has_opened(self, attempt: int) -> None:
        """The watch of that attempt tells that its input plays, or never will: nothing speaks against its removal."""
        for orphan in self:
            if orphan.open_until is not None and orphan.attempt == attempt:
                self._known[orphan.name] = replace(orphan, open_until=None)

    def crowded(self, now: float) -> bool:
        """So many are still opening that another input has to wait."""
        if len(self._known) < 2 * OPEN_MOST:
            return False
        return sum(orphan.open_until is not None and orphan.open_until > now for orphan in self) >= 2 * OPEN_MOST

    def gone(self, name: str) -> None:
        """It was removed, or is in use."""
        self._known.pop(name, None)

    def keep_only(self, names: Collection[str], at: float) -> None:
        """OBS was read from ``at`` on: what it does not hold is gone, but for what was made since."""
        self._known = {name: orphan for name, orphan in self._known.items() if name in names or orphan.opened_at >= at}

    def stays(self, name: str, now: float) -> bool:
        """Its removal failed: later again, less and less often. False where nobody waits for that answer."""
        orphan = self._known.get(name)
        if orphan is None or orphan.asked_at is None:
            return False
        pause = backoff(SWEEP_FIRST, SWEEP_MOST, orphan.tries + 1)
        self._known[name] = Orphan(name, now + pause, orphan.tries + 1, attempt=orphan.attempt)
        return True

    def forget_asked(self) -> None:
        """The connection is gone: no answer will come, and the next one is a new chance."""
        self._known = {name: replace(orphan, retry_at=None, asked_at=None) for name, orphan in self._known.items()}

    def sweep(self, now: float, in_use: Collection[str]) -> cmd.RemoveOrphan | None:
        """The next one to remove; none while one is asked for, and never one that is in use."""
        for name in [name for name in self._known if name in in_use]:
            del self._known[name]
        waiting = [o for o in self._known.values() if o.asked_at is not None and now < o.asked_at + SWEEP_MOST]
        if waiting:
            return None
        for orphan in self._known.values():
            if orphan.open_until is not None and now < orphan.open_until:
                continue
            if orphan.retry_at is None or orphan.retry_at <= now:
                self._known[orphan.name] = replace(orphan, asked_at=now, retry_at=now + SWEEP_MOST, open_until=None)
                return cmd.RemoveOrphan(orphan.name, abandoned=orphan.attempt > 0)
        return None

    def deadline(self) -> float | None:
        """When ``sweep`` has something to do by time alone."""
        times = [o.open_until if o.open_until is not None else o.retry_at for o in self._known.values()]
        return min((at for at in times if at is not None), default=None)
