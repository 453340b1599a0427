"""How long a step waits for the disk, and how much may wait behind a disk that does not answer.

A hand-over is worth more than its record: a disk that is late is waited for once. Until some time after it has caught
up nothing waits for it any more, but for the answers to those who asked.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import structlog

from daemon.core.worker import Worker

log = structlog.get_logger(__name__)

WRITE_PATIENCE: Final = 0.1
"""Seconds that a step waits for a disk that has been well: a write takes a thousandth of it."""
DISTRUST: Final = 30.0
"""Seconds for which no step waits for a disk that was late."""
MOST_WAITING: Final = 64
"""Writes that wait in memory. What comes then is one snapshot, written once the disk has caught up."""

Write = tuple[Callable[..., None], tuple[Any, ...]]


class WriteQueue:
    """Hands writes to the journal's thread. To be used in the event loop."""

    def __init__(self, thread: Worker, clock: Callable[[], float]) -> None:
        self._thread = thread
        self._clock = clock
        self._waiting: dict[asyncio.Future[None], float] = {}
        self._distrusted_until = float("-inf")
        self._catch_up: Callable[[], Write] | None = None
        self._caught_up: asyncio.Future[None] | None = None

    @property
    def late_for(self) -> float:
        """Seconds for which the oldest write has waited; 0 where none does."""
        return self._clock() - next(iter(self._waiting.values())) if self._waiting else 0.0

    @property
    def is_full(self) -> bool:
        """No more is to be put in: ``behind`` is for what comes now."""
        return self._catch_up is not None or len(self._waiting) >= MOST_WAITING

    async def put(self, work: Callable[..., None], *args: Any) -> asyncio.Future[None] | None:
        """Do it in its turn. None once it is done; else what is under way when nothing is to wait for it any longer."""
        trusted = self._clock() >= self._distrusted_until
        future: asyncio.Future[None] = self._thread.run(work, *args)
        self._waiting[future] = self._clock()
        try:
            if trusted and not future.done():
                await asyncio.wait({future}, timeout=WRITE_PATIENCE)
                if not future.done():
                    log.warning("the disk is slow: only answers wait for it", seconds=WRITE_PATIENCE)
                    self._distrusted_until = float("inf")
        finally:
            if future.done():
                self._done(future)
            else:
                future.add_done_callback(self._done)
        return None if future.done() else future

    def behind(self, catch_up: Callable[[], Write]) -> asyncio.Future[None]:
        """Once all that waits is done have done what ``catch_up`` says then. What it returns is done when that is."""
        self._catch_up = catch_up
        if self._caught_up is None:
            log.warning("the disk cannot keep up: one snapshot replaces the pending writes")
            self._caught_up = asyncio.get_running_loop().create_future()
        return self._caught_up

    def _run(self, work: Callable[..., None], args: tuple[Any, ...]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._thread.run(work, *args)
        self._waiting[future] = self._clock()
        future.add_done_callback(self._done)
        return future

    def _done(self, future: asyncio.Future[None]) -> None:
        now, since = self._clock(), self._waiting.pop(future)
        if now - since >= WRITE_PATIENCE or self._distrusted_until == float("inf"):
            self._distrusted_until = now + DISTRUST
        if self._catch_up is None or self._waiting:
            return
        (work, args), caught_up = self._catch_up(), self._caught_up
        self._catch_up = self._caught_up = None
        last = self._run(work, args)
        if caught_up is not None:
            last.add_done_callback(partial(_settle, caught_up))


def _settle(future: asyncio.Future[None], _done: object) -> None:
    if not future.done():
        future.set_result(None)
