"""Works the rules' commands off: in which order, and what goes beside. What each of them is, ``calls`` knows."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from daemon.core.calls import Calls
from statemachine import commands as cmd


class Executor:
    """Works OBS commands off in their order, in a task of its own: a slow call never delays the dispatcher.

    Orphans and kicks go beside the main lane, because neither may hold up a cut.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lane: asyncio.Queue[cmd.Command] = asyncio.Queue()
        self._current: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()

    def execute(self, commands: Sequence[cmd.Command]) -> None:
        """Take commands over."""
        for command in commands:
            match command:
                case cmd.AbandonPending():
                    self._abandon()
                case cmd.RemoveOrphan() | cmd.KickSession():
                    self._start_beside(self._calls.carry_out(command))
                case _:
                    self._lane.put_nowait(command)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                command = await self._lane.get()
                self._current = asyncio.create_task(self._calls.carry_out(command), name=type(command).__name__)
                await asyncio.wait({self._current})
                self._current = None
        finally:
            for task in (*self._beside, *([self._current] if self._current else [])):
                task.cancel()

    def _abandon(self) -> None:
        """Drop what has not been carried out, and the call under way."""
        while not self._lane.empty():
            self._lane.get_nowait()
        if self._current is not None:
            self._current.cancel()

    def _start_beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
