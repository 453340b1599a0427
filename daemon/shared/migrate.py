"""Takes a channel that was kept in a SQLite file over into the shared store: keys, settings, history and line-up."""

import asyncio
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daemon.core.rows import read_meta
from daemon.journal.database import open_writable
from daemon.journal.lock import StoreLock
from daemon.shared.leases import Leases, Me
from daemon.shared.local import LocalLog
from daemon.shared.log import SharedLog
from daemon.shared.portions import Portion
from daemon.shared.postgres import Postgres
from daemon.shared.streamers import put_streamers, read_streamers
from daemon.streamers.names import fold
from daemon.streamers.store import StreamerRow, StreamerStore
from statemachine.tenure import TTL


class MigrationError(Exception):
    """It was not done. ``str()`` is one line for the one who asked."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What is in the store now that was not there before."""

    streamers: int
    left_out: tuple[str, ...]
    """Streamers that the store has under another key."""
    handovers: int
    line_up: bool
    """The channel's line-up and settings; False where the store had them already."""


async def migrate(database: Path, postgres: Postgres, channel: str, *, skip_known: bool = False) -> Migrated:
    """Bring it over. May be repeated. Raises MigrationError, StreamerError, and what the two stores raise.

    A streamer whom the store knows by another key stays as the store has it: that is refused, unless ``skip_known``.
    """
    if not await asyncio.to_thread(database.is_file):
        raise MigrationError(f"there is no database at {database}: check store.path")
    lock = StoreLock(database)
    if holder := lock.take(time.time(), "motherstream store migrate", leave_name=False):
        raise MigrationError(f"a daemon ({holder}) uses {database}: stop it first")
    try:
        new, other = _new(StreamerStore(database).list(), await read_streamers(postgres))
        if other and not skip_known:
            names = ", ".join(other)
            raise MigrationError(
                f"the store knows {names} by another key. Nothing was changed: with --skip-known the store's key stays "
                "and the one in this database is no longer valid; or rename them here first"
            )
        daemon, epoch = _identity(database)
        await _may_move(postgres, channel, daemon, epoch)
        await put_streamers(postgres, new)
        moved = await _move_log(database, postgres, channel) if not epoch else (0, False)
        return Migrated(len(new), other, *moved)
    finally:
        lock.release()


def _new(rows: tuple[StreamerRow, ...], known: tuple[StreamerRow, ...]) -> tuple[list[StreamerRow], tuple[str, ...]]:
    """Those whom the store does not know, and the names of those whom it knows by another key."""
    there = {fold(row.name): row.key_hash for row in known}
    new = [row for row in rows if fold(row.name) not in there]
    return new, tuple(row.name for row in rows if there.get(fold(row.name), row.key_hash) != row.key_hash)


async def _may_move(postgres: Postgres, channel: str, daemon: str, epoch: int) -> None:
    """The store's line-up of that channel is this database's, or there is none. Raises MigrationError."""
    row = await postgres.row("SELECT daemon FROM motherstream.lease WHERE channel = $1", channel)
    is_ours = row is not None and row["daemon"] == daemon
    if (await SharedLog(postgres, channel).position()).seq and not is_ours and not epoch:
        raise MigrationError(
            f"the store has a line-up of a channel {channel} already: give this one another name (channel), or "
            "move store.path away so that it takes over the store's"
        )


async def _move_log(database: Path, postgres: Postgres, channel: str) -> tuple[int, bool]:
    source, target = LocalLog(database), SharedLog(postgres, channel)
    daemon, _ = _identity(database)
    me = Me(channel, "migrate", secrets.token_hex(8), daemon, daemon, "", "")
    leases = Leases(postgres, me, TTL)
    taken = await leases.take(0, own=True) or await leases.take(0, own=False)
    if taken is None:
        raise MigrationError(f"a daemon owns the channel {channel}: stop it first")
    # One that was broken off goes on where it was.
    at, streams = await target.position(), True
    while portion := await source.read(at, streams=streams):
        # However long it takes: each write finds the lease anew.
        await leases.beat(taken.epoch, 0.0, sees_obs=False, body={})
        await target.write(taken.epoch, portion)
        at, streams = at.after(portion), False
    await source.write(taken.epoch, Portion())
    # The daemon that begins on this file goes on from here.
    await leases.release(taken.epoch)
    await leases.leave()
    return at.handover, True


def _identity(database: Path) -> tuple[str, int]:
    """The database's own name, and the epoch in which it was written last."""
    try:
        # One that has streamers alone gets its name so.
        with closing(open_writable(database)) as db:
            return read_meta(db, "id") or "", int(read_meta(db, "epoch") or 0)
    except sqlite3.Error as error:
        raise MigrationError(f"{database} cannot be read: {error}") from error
