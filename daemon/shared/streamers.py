"""The streamers and their keys in PostgreSQL: one set for all channels of a store.

The command line writes here at once, or not at all. Each daemon keeps a copy in its own file, which hooks are answered
by (``daemon.shared.mirror``).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from types import EllipsisType
from typing import Any, Final, TypeVar

from daemon.core.ports import PortError
from daemon.shared.portions import Conflict
from daemon.shared.postgres import TOPIC, Postgres, Row, StoreGone
from daemon.streamers.names import fold
from daemon.streamers.store import (
    StreamerError,
    StreamerRow,
    hash_key,
    new_key,
    unknown_streamer,
    valid_streamer,
    valid_turn,
)

T = TypeVar("T")

WITHIN: Final = 5.0
"""Seconds for a statement: a person waits for it."""
_CHANGED: Final = "changed AS (UPDATE motherstream.store SET keys_changed = keys_changed + 1 WHERE EXISTS (TABLE done))"
_TELL: Final = f"SELECT done.*, pg_notify('{TOPIC}', '*') FROM done"  # noqa: S608  # a name of our own
_INSERT: Final = (
    "INSERT INTO motherstream.streamer (name, folded, key_hash, turn, enabled, added_at, key_at)"
    " SELECT name, folded, key_hash, turn, enabled, added_at, key_at FROM unnest($1::text[], $2::text[], $3::bytea[],"
    " $4::float8[], $5::boolean[], $6::float8[], $7::float8[])"
    " AS new (name, folded, key_hash, turn, enabled, added_at, key_at)"
)


def _changing(statement: str) -> str:
    """Makes a statement tell all daemons of what it has changed. In one transaction, as it is one statement."""
    return f"WITH done AS ({statement} RETURNING *), {_CHANGED} {_TELL}"


async def read_streamers(postgres: Postgres) -> tuple[StreamerRow, ...]:
    """All of them, by name. Raises what Postgres does."""
    rows = await postgres.rows("SELECT * FROM motherstream.streamer ORDER BY folded")
    return tuple(_row(row) for row in rows)


async def put_streamers(postgres: Postgres, rows: Iterable[StreamerRow]) -> None:
    """Add them, all or none. Raises Conflict where a name or a key is there already, and what Postgres does."""
    new = list(rows)
    await postgres.rows(
        _changing(_INSERT),
        [row.name for row in new],
        [fold(row.name) for row in new],
        [row.key_hash for row in new],
        [row.turn for row in new],
        [row.enabled for row in new],
        [row.added_at for row in new],
        [row.key_at for row in new],
    )


class SharedStreamers:
    """What StreamerStore does with a file. For those who may wait: each call makes a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.where = "the shared store"

    def is_there(self) -> bool:
        """It is not made by being used."""
        return True

    def add(self, name: str, turn: float | None = None) -> str:
        """As StreamerStore."""
        name, turn, key = valid_streamer(name), valid_turn(turn), new_key()
        now = time.time()
        row = StreamerRow(name, turn, True, now, now, hash_key(key))

        async def work(postgres: Postgres) -> None:
            try:
                await put_streamers(postgres, [row])
            except Conflict:
                taken = await _find(postgres, name)
                raise StreamerError(
                    f"there is already a streamer {taken or name}: use rotate to make a new key"
                ) from None

        self._do(work)
        return key

    def list(self) -> tuple[StreamerRow, ...]:
        """As StreamerStore."""
        return self._do(read_streamers)

    def remove(self, name: str) -> str:
        """As StreamerStore."""
        return self._change("DELETE FROM motherstream.streamer WHERE folded = $1", name).name

    def rotate(self, name: str) -> str:
        """As StreamerStore."""
        key = new_key()
        statement = "UPDATE motherstream.streamer SET key_hash = $2, key_at = $3 WHERE folded = $1"
        self._change(statement, name, hash_key(key), time.time())
        return key

    def set(
        self, name: str, *, turn: float | EllipsisType | None = ..., enabled: bool | EllipsisType = ...
    ) -> StreamerRow:
        """As StreamerStore."""
        return self._change(
            "UPDATE motherstream.streamer SET turn = CASE WHEN $2 THEN $3 ELSE turn END,"
            " enabled = coalesce($4, enabled) WHERE folded = $1",
            name,
            turn is not ...,
            None if turn is ... else valid_turn(turn),
            None if enabled is ... else enabled,
        )

    def find_by_key(self, key: str) -> StreamerRow | None:
        """As StreamerStore."""

        async def work(postgres: Postgres) -> StreamerRow | None:
            row = await postgres.row("SELECT * FROM motherstream.streamer WHERE key_hash = $1", hash_key(key))
            return _row(row) if row else None

        return self._do(work)

    def _change(self, statement: str, name: str, *values: object) -> StreamerRow:
        wanted = valid_streamer(name)

        async def work(postgres: Postgres) -> StreamerRow:
            row = await postgres.row(_changing(statement), fold(wanted), *values)
            if row is None:
                raise unknown_streamer(name)
            return _row(row)

        return self._do(work)

    def _do(self, work: Callable[[Postgres], Awaitable[T]]) -> T:
        async def connected() -> T:
            postgres = Postgres(self._url, within=WITHIN)
            try:
                return await work(postgres)
            finally:
                await postgres.close()

        try:
            return asyncio.run(connected())
        except StoreGone as error:
            if error.asked:
                raise StreamerError(
                    f"the shared store did not answer ({error}): whether that was done, `motherstream streamer list` "
                    "tells; it may be repeated"
                ) from error
            raise StreamerError(f"the shared store cannot be used ({error}): nothing was changed") from error
        except PortError as error:
            raise StreamerError(f"the shared store cannot be used ({error}): nothing was changed") from error


async def _find(postgres: Postgres, name: str) -> str | None:
    row = await postgres.row("SELECT name FROM motherstream.streamer WHERE folded = $1", fold(name))
    return str(row["name"]) if row else None


def _row(row: Row | Any) -> StreamerRow:
    return StreamerRow(row["name"], row["turn"], row["enabled"], row["added_at"], row["key_at"], bytes(row["key_hash"]))
