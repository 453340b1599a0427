"""The two stores that a channel's log, and its streamers, can be in."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon.shared.leases import Leases, Me
from daemon.shared.local import LocalLog
from daemon.shared.log import SharedLog
from daemon.shared.portions import ChannelLog
from daemon.shared.postgres import Postgres
from statemachine.tenure import TTL


@dataclass
class House:
    """A store, and the way to own a channel in it."""

    name: str
    log: Callable[[str], ChannelLog]
    own: Callable[[str], Awaitable[int]]
    """Take a channel from whoever has it; the epoch."""


def me(channel: str = "main", name: str = "one", daemon: str = "") -> Me:
    named = daemon or f"db-{name}"
    return Me(channel, name, secrets.token_hex(8), named, f"{named} on {name}", f"http://{name}", "secret")


@pytest.fixture
async def pg(store_url: str) -> AsyncIterator[Postgres]:
    connection = Postgres(store_url, within=10.0)
    yield connection
    await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    if request.param == "sqlite":
        epochs: dict[str, int] = {}

        async def next_epoch(channel: str) -> int:
            epochs[channel] = epochs.get(channel, 0) + 1
            return epochs[channel]

        yield House("sqlite", lambda channel: LocalLog(tmp_path / f"{channel}.db"), next_epoch)
        return
    url = request.getfixturevalue("store_url")
    pg = Postgres(url, within=10.0)

    async def take(channel: str) -> int:
        await pg.rows("UPDATE motherstream.lease SET expires_at = now() - interval '1 s' WHERE channel = $1", channel)
        taken = await Leases(pg, me(channel, secrets.token_hex(4)), TTL * 100).take(0, own=False)
        assert taken is not None
        return taken.epoch

    await pg.rows("SELECT 1")
    yield House("postgresql", lambda channel: SharedLog(pg, channel), take)
    await pg.close()


async def together(*work: Awaitable[object]) -> None:
    await asyncio.gather(*work)
