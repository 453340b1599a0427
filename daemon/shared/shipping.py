"""Sends what the journal has written to the shared store, in its order, beside everything else.

What is sent is read from the file: memory need not hold what the store has not taken yet, however long that is away.
A hand-over never waits for this; who has asked for something does, for a moment.
"""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

import structlog

from daemon.core.backoff import Backoff
from daemon.core.ports import PortError
from daemon.shared.portions import MOST, ChannelLog, Conflict, NotOwner, Portion, Position
from statemachine.tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE: Final = 2.0
"""Seconds that an answer waits for what it tells to be in the store."""
SPACING: Final = 0.25
"""Seconds between two portions at least, unless somebody waits: at forty hooks a second ten make one."""
LOOK_EVERY: Final = 1.0
"""Seconds until it looks by itself whether there is something to send."""

log = structlog.get_logger(__name__)


class Numbers(Protocol):
    """The journal, as much of it as is needed here."""

    @property
    def last(self) -> int:
        """The number of the last event that was written."""

    @property
    def problem(self) -> str:
        """Why nothing is written; empty while it is."""

    async def skip_to(self, number: int) -> None:
        """Have the next event take a number after that one."""


class Shipping:
    """``run`` is its task. From ``source``, which is the journal's file, to ``target``."""

    def __init__(self, source: ChannelLog, target: ChannelLog, tenure: Tenure, journal: Numbers) -> None:
        """``journal`` writes ``source``."""
        self._source, self._target = source, target
        self._tenure = tenure
        self._journal = journal
        self._at: Position | None = None
        """How much the store has; None where that has to be asked."""
        self._sent = 0
        """The number of the last event that the store was seen to have."""
        self._streams: Mapping[str, str] | None = None
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._shipped = asyncio.Condition()
        self._awaited = asyncio.Event()
        """Somebody waits for what was written."""
        self.problem = ""
        """Why nothing is taken right now; empty while all is well."""
        self._behind_since: float | None = None

    def poke(self) -> None:
        """Something was written. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def lag(self) -> int:
        """Events and snapshots that the store has not taken yet."""
        return max(0, self._written() - self._sent)

    @property
    def late_for(self) -> float:
        """Seconds for which there has been something that it has not taken; 0 where there is nothing."""
        return time.monotonic() - self._behind_since if self._behind_since is not None else 0.0

    def _written(self) -> int:
        # What cannot be written has no number yet, and is one more at least.
        return self._journal.last + bool(self._journal.problem)

    async def settled(self, within: float = PATIENCE) -> bool:
        """Wait until all that is written by now is in the store; False where that does not come about.

        Where the store is away nobody is held up.
        """
        wanted = self._written()
        self._awaited.set()
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._shipped:
                await self._shipped.wait_for(lambda: self._has(wanted) or bool(self.problem))
        return self._has(wanted)

    def _has(self, wanted: int) -> bool:
        return self._at is not None and self._at.seq >= wanted

    async def run(self) -> NoReturn:
        """Until cancelled."""
        backoff = Backoff(0.1, 2.0)
        while True:
            wait = LOOK_EVERY
            try:
                more = await self.ship()
            except NotOwner:
                # The lease says why, with its next beat.
                wait = self._failed("the lease is not held")
            except PortError as error:
                if not isinstance(error, Conflict):
                    wait = self._failed(str(error), backoff.failed())
                self._at = None
            else:
                backoff.worked()
                self._recovered()
                if more:
                    continue
            async with self._shipped:
                self._shipped.notify_all()
            await self._space()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            self._wake.clear()

    async def _space(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SPACING):
                await self._awaited.wait()
        self._awaited.clear()

    async def ship(self) -> bool:
        """Send one portion; whether there may be more. Raises PortError."""
        if self._at is None:
            self._at = await self._target.position()
            if self._at.seq > self._journal.last:
                # The file has lost something, or could not be written when the channel was taken over.
                await self._journal.skip_to(self._at.seq)
        portion = await self._source.read(self._at, streams=True)
        if not portion.follows(self._at.seq):
            # Its snapshot comes with the next write.
            return False
        unchanged = portion.streams == self._streams
        if portion or not unchanged:
            self._behind_since = self._behind_since or time.monotonic()
            sent = Portion(portion.snapshot, portion.events, portion.handovers, None if unchanged else portion.streams)
            await self._target.write(self._tenure.claim.epoch, sent, after=self._at.seq)
            self._streams, self._at = portion.streams, self._at.after(portion)
        self._sent = self._at.seq
        if not self._has(self._written()):
            return bool(portion)
        self._behind_since = None
        return MOST in (len(portion.events), len(portion.handovers))

    async def finish(self, within: float = PATIENCE) -> None:
        """Send the rest, once ``run`` was cancelled. Never raises; what is left is sent after the next start."""
        with contextlib.suppress(TimeoutError, PortError):
            async with asyncio.timeout(within):
                while await self.ship():
                    pass

    def _failed(self, why: str, wait: float = LOOK_EVERY) -> float:
        if not self.problem:
            log.warning(
                "the shared store takes nothing: the show goes on, and what happens is sent later",
                reason=why,
                waiting=self.lag,
            )
        self._behind_since = self._behind_since or time.monotonic()
        self.problem = why
        return wait

    def _recovered(self) -> None:
        if self.problem:
            log.info("the shared store takes what happens again", waiting=self.lag)
            self.problem = ""
