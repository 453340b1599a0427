"""What has happened and waits for the rules, in its order. It exists before whatever puts something into it."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from statemachine import events as ev
from statemachine.step import Step

BATCH: Final = 256
"""Events of one step at most: they share one write to the journal."""
TURNS: Final = 4
"""Turns of the loop that a step is put off for at most, as long as each brings more events."""

Asked = asyncio.Future[Step]


class Queued(NamedTuple):
    """An event, and who waits for what comes of it."""

    event: ev.Event
    asked: Asked | None = None
    written: bool = True
    """The answer waits until the event is in the file."""


class EventQueue:
    """``submit`` and ``ask`` are the only ways to the rules; the dispatcher takes what they have queued."""

    def __init__(self) -> None:
        self._waiting: deque[Queued] = deque()
        self._came: asyncio.Future[None] | None = None

    def submit(self, event: ev.Event) -> None:
        """Queue an event."""
        self._put(Queued(event))

    async def ask(self, event: ev.Event, *, written: bool = True) -> Step:
        """Queue an event and wait for what the rules answer: its refusal is the answer to who asked.

        With ``written`` it is in the journal then: what was answered is never forgotten. A disk that does not answer
        is waited for ANSWER_PATIENCE seconds; the journal tells of it.
        """
        return await self.asked(event, written=written)

    def asked(self, event: ev.Event, *, written: bool = True) -> Asked:
        """The same as a future, which whoever asked may settle or cancel: the event is taken all the same."""
        future: Asked = asyncio.get_running_loop().create_future()
        self._put(Queued(event, future, written))
        return future

    async def take(self) -> list[Queued]:
        """Those that wait, the oldest first, BATCH at most; waits for the first, and for what comes along with it.

        A write to the journal costs about as much as a hook's way through the rules: what one turn of the loop brings
        shares one, and so does the next turn's as long as each brings more. Nothing is taken until then: whoever is
        cancelled here has lost no event.
        """
        while not self._waiting:
            self._came = asyncio.get_running_loop().create_future()
            try:
                await self._came
            finally:
                self._came = None
        seen = 0
        for _ in range(TURNS):
            if not seen < len(self._waiting) < BATCH:
                break
            seen = len(self._waiting)
            await asyncio.sleep(0)
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _put(self, item: Queued) -> None:
        self._waiting.append(item)
        if self._came is not None and not self._came.done():
            self._came.set_result(None)
