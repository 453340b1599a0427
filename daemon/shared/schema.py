"""The shared store's tables, as numbered migrations. Everything is in a schema of its own, ``motherstream``.

A daemon brings the store to its own version, and refuses one that a newer daemon has brought further. So all daemons of
a store are updated before they rely on what is new in it.
"""

from typing import Any, Final

from daemon.core.ports import PortError

_FIRST: Final = (
    "CREATE SCHEMA IF NOT EXISTS motherstream",
    "CREATE TABLE motherstream.store (id text NOT NULL, version integer NOT NULL, keys_changed bigint NOT NULL)",
    # Both change every second, in place.
    """CREATE TABLE motherstream.lease (
      channel text PRIMARY KEY, epoch bigint NOT NULL, expires_at timestamptz NOT NULL, owner text NOT NULL,
      run text NOT NULL, daemon text NOT NULL, place text NOT NULL, address text NOT NULL, secret text NOT NULL,
      rules_at double precision NOT NULL, beat_at timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE motherstream.member (
      channel text, name text, run text NOT NULL, address text NOT NULL, sees_obs boolean NOT NULL, body text NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (channel, name)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE motherstream.snapshot (
      channel text PRIMARY KEY, seq bigint NOT NULL, epoch bigint NOT NULL, state text NOT NULL
    )""",
    """CREATE TABLE motherstream.event (
      channel text, seq bigint, epoch bigint NOT NULL, body text NOT NULL, PRIMARY KEY (channel, seq)
    )""",
    """CREATE TABLE motherstream.handover (
      channel text, number bigint, at double precision NOT NULL, body text NOT NULL, PRIMARY KEY (channel, number)
    )""",
    "CREATE TABLE motherstream.stream (channel text, session text, body text NOT NULL, PRIMARY KEY (channel, session))",
    """CREATE TABLE motherstream.streamer (
      name text PRIMARY KEY, folded text NOT NULL UNIQUE, key_hash bytea NOT NULL UNIQUE, turn double precision,
      enabled boolean NOT NULL, added_at double precision NOT NULL, key_at double precision NOT NULL
    )""",
    """CREATE TABLE motherstream.inbox (
      channel text, number bigserial, server text NOT NULL, content_type text NOT NULL, body bytea NOT NULL,
      came_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (channel, number)
    )""",
    "INSERT INTO motherstream.store VALUES (md5(random()::text || clock_timestamp()::text), 1, 0)",
)
MIGRATIONS: Final = (_FIRST,)
"""What brings a store from version n to n + 1. Those that were published are never changed."""
VERSION: Final = len(MIGRATIONS)

_LOCK: Final = 7_079_797_565
"""Of daemons that start at the same time one migrates. Held to the end of its transaction, so also behind a pooler."""


class StoreRefused(PortError):
    """The store is there and will not do it: a right that is missing, or a version that is not ours."""


async def bring_up_to_date(connection: Any) -> str:
    """Make the tables, or bring them to this version; the store's own id. Raises StoreRefused."""
    found = await _version(connection)
    if found is None or found[0] < VERSION:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            found = await _version(connection)
            for number in range(found[0] if found else 0, VERSION):
                for statement in MIGRATIONS[number]:
                    await connection.execute(statement)
                await connection.execute("UPDATE motherstream.store SET version = $1", number + 1)
        found = await _version(connection)
    if found is None:
        raise StoreRefused("the shared store has lost its table motherstream.store: restore the database from a backup")
    check(found[0])
    return found[1]


def check(version: int) -> None:
    """Raises StoreRefused where a newer daemon has written it."""
    if version > VERSION:
        raise StoreRefused(
            f"the shared store was brought to version {version} by a newer daemon, and this one knows {VERSION}: "
            "update this daemon"
        )


async def _version(connection: Any) -> tuple[int, str] | None:
    # By the tables of the catalogue: to_regclass() goes by a cache, which misses what was made while it waited.
    if not await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'motherstream' AND tablename = 'store')"
    ):
        return None
    row = await connection.fetchrow("SELECT version, id FROM motherstream.store")
    return (int(row["version"]), str(row["id"])) if row else None
