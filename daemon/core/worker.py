"""One thread that works things off in their order: for the journal, to which each hook hands an event over.

What a ThreadPoolExecutor of one thread does, at half of its cost to the event loop.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_Done = Callable[[Any, BaseException | None], None]


class Worker:
    """The thread. After ``stop`` the other two raise RuntimeError."""

    def __init__(self, name: str) -> None:
        self._items: queue.SimpleQueue[tuple[_Done | None, Callable[..., Any], tuple[Any, ...]] | None]
        self._items = queue.SimpleQueue()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., object], *args: Any) -> None:
        """Do it in its turn; nobody waits for it."""
        self._put(None, work, args)

    def run(self, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Do it in its turn; its result, or what it raised. To be called in an event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def done(result: Any, error: BaseException | None) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

        self._put(done, work, args)
        return future

    def stop(self) -> None:
        """Do what waits, and end. May be repeated."""
        if not self._stopped:
            self._stopped = True
            self._items.put(None)
        self._thread.join()

    def _put(self, done: _Done | None, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if self._stopped:
            raise RuntimeError("the thread was stopped")
        self._items.put((done, work, args))

    def _work(self) -> None:
        while (item := self._items.get()) is not None:
            done, work, args = item
            result, error = None, None
            try:
                result = work(*args)
            except Exception as raised:
                error = raised
            if done is not None:
                done(result, error)
            elif error is not None:
                log.error("work in the background failed", exc_info=error)
            del item, done, work, args, result, error  # nothing is kept while there is nothing to do
