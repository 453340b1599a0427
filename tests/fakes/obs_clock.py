"""The fake OBS's clock: the loop's own time, or a time that the test moves by hand. Seconds throughout."""

import asyncio
import heapq
import time
from collections.abc import Awaitable
from itertools import count
from typing import Protocol


class Clock(Protocol):
    """What the model reads the time from and waits on."""

    manual: bool

    def now(self) -> float:
        """The time in seconds. Only differences mean anything."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait that long by this clock."""

    def advance(self, seconds: float) -> Awaitable[None]:
        """Let that long go by: wait for it, or make it so where the clock is moved by hand."""


class LoopClock:
    """The machine's monotonic time, which is also the event loop's."""

    manual = False

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))

    async def advance(self, seconds: float) -> None:
        await self.sleep(seconds)


class FakeClock:
    """A time that stands still until a test moves it.

    Frames, media and delays of a FakeObs built with it follow `advance`. The socket is real all the same: a call needs
    no advance unless a fault delays it. A SERIAL_FRAME batch moves the clock by the frames that it needs.
    """

    manual = True
    _YIELDS = 8  # rounds of the loop that let woken tasks run as far as their next wait

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._moving = asyncio.Lock()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the time on, waking every sleeper at its own moment and in order."""
        async with self._moving:
            target = self._now + seconds
            await self._breathe()
            while self._sleepers and self._sleepers[0][0] <= target:
                at, _, future = heapq.heappop(self._sleepers)
                self._now = max(self._now, at)
                if not future.done():
                    future.set_result(None)
                    await self._breathe()
            self._now = target
            await self._breathe()

    async def _breathe(self) -> None:
        for _ in range(self._YIELDS):
            await asyncio.sleep(0)
