"""Waiting until something holds: with a deadline, and with a message that says what was waited for.

``until`` waits on the event loop, ``blocking_until`` in a thread of its own, and ``Changes`` where whoever changes
something says so. Whoever waits for what is told by a file descriptor, an event or a queue reads that instead.
"""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

DEADLINE: Final = 20.0
"""Seconds. For what takes a moment on an idle machine; a busy one needs longer."""
EVERY: Final = 0.02
"""Seconds between two looks at what another program does."""
OWN: Final = 0.002
"""The same for what is seen in this process, where a look costs nothing."""

T = TypeVar("T")
Tell = Callable[[], object]


class NotInTimeError(AssertionError):
    """What was waited for has not come."""


class _Wait:
    """One wait: what for, and how it went."""

    def __init__(self, condition: Callable[[], object], within: float, what: str, tell: Tell | None) -> None:
        self.within = within
        self.last: object = None
        self.what = what or _source(condition)
        self._tell = tell

    def failed(self, how: str = "") -> NotInTimeError:
        parts = [how or f"not within {self.within:g} s: {self.what}", f"the last answer was {self.last!r}"]
        if self._tell is not None:
            parts.append(str(self._tell()))
        return NotInTimeError("\n".join(parts))


def _source(condition: Callable[[], object]) -> str:
    """Its name; of what is written where it is waited for, the text."""
    name: str = getattr(condition, "__qualname__", repr(condition))
    if "<lambda>" not in name and "<locals>" not in name:
        return name
    try:
        return " ".join(inspect.getsource(condition).split())
    except OSError:
        return name


async def until(
    condition: Callable[[], Any],
    within: float = DEADLINE,
    *,
    what: str = "",
    every: float | None = None,
    tell: Tell | None = None,
) -> Any:
    """Look ``every`` so many seconds until the answer is true, and return it: one that has to be awaited is another
    program's.

    ``what`` is waited for, where the condition's own text does not say it. ``tell`` is asked for more to say if it does
    not come: a log's end, say.
    """
    wait = _Wait(condition, within, what, tell)
    limit = asyncio.timeout(within)
    try:
        async with limit:
            while True:
                answer = condition()
                asked = inspect.isawaitable(answer)
                wait.last = await answer if asked else answer
                if wait.last:
                    return wait.last
                await asyncio.sleep(every or (EVERY if asked else OWN))
    except TimeoutError:
        if not limit.expired():
            raise
        raise wait.failed() from None


def blocking_until(
    condition: Callable[[], T],
    within: float = DEADLINE,
    *,
    what: str = "",
    every: float = EVERY,
    tell: Tell | None = None,
    ignore: type[Exception] | tuple[type[Exception], ...] = (),
    give_up: Callable[[], object] | None = None,
) -> T:
    """The same for a test that may block. An error of ``ignore`` counts as "not yet"; where ``give_up`` says so it will
    not come any more."""
    wait = _Wait(condition, within, what, tell)
    deadline = time.monotonic() + within
    while True:
        hopeless = give_up is not None and give_up()
        try:
            wait.last = answer = condition()
        except ignore as error:
            wait.last = error
        else:
            if answer:
                return answer
        if hopeless:
            raise wait.failed(f"it will not come any more: {wait.what}")
        if time.monotonic() > deadline:
            raise wait.failed()
        time.sleep(every)


class Changes:
    """For what tells of each of its changes: a condition is asked anew after each, and not in between."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def wake(self) -> None:
        """Something has changed."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(
        self, condition: Callable[[], T], within: float = DEADLINE, *, what: str = "", tell: Tell | None = None
    ) -> T:
        """Wait until the answer is true, and return it."""
        wait = _Wait(condition, within, what, tell)
        limit = asyncio.timeout(within)
        try:
            async with limit:
                while not (answer := condition()):
                    wait.last = answer
                    await self._next()
                return answer
        except TimeoutError:
            if not limit.expired():
                raise
            raise wait.failed() from None

    async def _next(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
