"""What has happened and waits for the rules, in its order. It exists before whatever puts something into it."""

import asyncio
from typing import Final, NamedTuple

from statemachine import events as ev
from statemachine.step import Step

BATCH: Final = 256
"""Events of one step at most: they share one write to the journal."""

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
        self._queue: asyncio.Queue[Queued] = asyncio.Queue()

    def submit(self, event: ev.Event) -> None:
        """Queue an event."""
        self._queue.put_nowait(Queued(event))

    async def ask(self, event: ev.Event, *, written: bool = True) -> Step:
        """Queue an event and wait for what the rules answer: its refusal is the answer to who asked.

        With ``written`` it is in the journal then: what was answered is never forgotten. A disk that does not answer
        is waited for ANSWER_PATIENCE seconds; the journal tells of it.
        """
        return await self.asked(event, written=written)

    def asked(self, event: ev.Event, *, written: bool = True) -> Asked:
        """The same as a future, which whoever asked may settle or cancel: the event is taken all the same."""
        future: Asked = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(Queued(event, future, written))
        return future

    async def take(self) -> list[Queued]:
        """Those that wait, the oldest first, BATCH at most; waits for the first."""
        batch = [await self._queue.get()]
        while len(batch) < BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch
