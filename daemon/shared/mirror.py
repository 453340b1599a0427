"""This daemon's copy of the shared streamers, in its own file: it answers hooks, whatever the network does."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from daemon.core.ports import KeyLookup, PortError, Streamer
from daemon.shared.postgres import Postgres
from daemon.shared.streamers import read_streamers
from daemon.streamers.index import CATCH_UP_WITHIN, StreamerIndex
from daemon.streamers.store import StreamerError, StreamerStore

STRANGERS: Final = (
    "streamers of this daemon's own database are not in the shared store: their keys stay valid on this channel alone. "
    "Stop the daemon, and run `motherstream store migrate`"
)

log = structlog.get_logger(__name__)


class Mirror:
    """Brings the copy up to date. For the event loop."""

    def __init__(self, postgres: Postgres, store: StreamerStore, index: StreamerIndex) -> None:
        self._postgres = postgres
        self._store = store
        self._index = index
        self._has: int | None = None
        """The count of changes that the copy was made at."""
        self._busy = asyncio.Lock()
        self._told: tuple[str, ...] = ()

    async def follow(self, changed: int) -> None:
        """The store's count of changes is this one. Raises what Postgres does, and StreamerError."""
        if changed != self._has:
            await self.pull()

    async def pull(self) -> None:
        """Read the shared streamers, and put them in the place of the copy. Raises as ``follow`` does."""
        async with self._busy:
            row = await self._postgres.row("SELECT keys_changed FROM motherstream.store")
            changed = int(row["keys_changed"]) if row else 0
            if changed == self._has:
                return
            rows = await read_streamers(self._postgres)
            is_new, strangers = await asyncio.to_thread(self._store.mirror, rows, self._postgres.store_id)
            if strangers and strangers != self._told:
                self._told = strangers
                log.warning(STRANGERS, streamers=list(strangers))
            if is_new:
                await asyncio.to_thread(self._index.refresh)
            self._has = changed


class MirroredKeys:
    """The ``KeyLookup`` with a shared store behind it."""

    def __init__(self, index: StreamerIndex, pull: Callable[[], "asyncio.Future[None] | None"]) -> None:
        """``pull`` begins to bring the copy up to date; None where that cannot be."""
        self._index: KeyLookup = index
        self._pull = pull

    def find(self, key: str) -> Streamer | None:
        """As KeyLookup."""
        return self._index.find(key)

    @property
    def unreadable(self) -> bool:
        """As KeyLookup."""
        return self._index.unreadable

    def is_empty(self) -> bool:
        """As KeyLookup."""
        return self._index.is_empty()

    def named(self, name: str) -> Streamer | None:
        """As KeyLookup."""
        return self._index.named(name)

    async def catch_up(self) -> None:
        """As KeyLookup: a key that was made a moment ago is in the store first."""
        pulling = self._pull()
        if pulling is not None:
            with contextlib.suppress(TimeoutError, PortError, StreamerError):
                async with asyncio.timeout(CATCH_UP_WITHIN):
                    await asyncio.shield(pulling)
        await self._index.catch_up()
