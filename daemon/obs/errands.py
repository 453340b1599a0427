"""What is done beside, that nobody waits for and that may fail."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any

from daemon.core.ports import ObsError


class Errands:
    """Tasks under way. Iterating gives them, to be cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[asyncio.Task[None]]:
        return iter(self._tasks)

    def run(self, doing: Callable[[], Awaitable[object]], name: str) -> None:
        """Begin one; what OBS has against it is nobody's concern."""

        async def do() -> None:
            with contextlib.suppress(ObsError):
                await doing()

        self._tasks.add(task := asyncio.create_task(do(), name=name))
        task.add_done_callback(self._tasks.discard)


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel them, and wait for their ends."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
