"""The tasks that the daemon consists of: none of them may end before the daemon does."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger("daemon.app")


class Tasks:
    """Started in order, ended in the opposite one."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Begin one."""
        self._tasks.append(asyncio.create_task(work, name=name))

    async def until(self, *ends: Coroutine[Any, Any, object]) -> int:
        """Wait until one of those has come, or until one of the tasks has ended; the exit code."""
        ending = {asyncio.create_task(end) for end in ends}
        await asyncio.wait({*ending, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in self._tasks if task.done()]
        for end in ending:
            end.cancel()
        for task in failed:
            error = None if task.cancelled() else task.exception()
            log.critical(f"{task.get_name()} has ended: the daemon stops", exc_info=error)
        return 1 if failed else 0

    def check(self) -> None:
        """Raise what one of them has ended with."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()
                raise RuntimeError(f"{task.get_name()} has ended")

    async def end(self) -> None:
        """Cancel all, and wait for their ends."""
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
