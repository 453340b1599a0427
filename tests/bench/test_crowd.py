"""The crowd does what it says, against a server that is known."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.bench.crowd import BODY, HEAD, Crowd, gather
from tests.support import until


@asynccontextmanager
async def server(answer: bytes, after: int) -> AsyncIterator[tuple[int, list[int]]]:
    """Reads so many bytes, answers, hangs up; its port, and how much each connection sent."""
    read: list[int] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 0
        while count < after and (data := await reader.read(65536)):
            count += len(data)
        read.append(count)
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(take, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], read


async def crowd_until(port: int, kind: str, condition: Callable[[Crowd], object]) -> Crowd:
    """Three of a kind, until something has come of it."""
    crowd = Crowd()
    task = asyncio.create_task(gather(port, 30, {kind: 3}, crowd))
    await until(lambda: condition(crowd) or task.done())
    assert condition(crowd)
    task.cancel()
    await asyncio.wait({task})
    return crowd


async def test_a_long_body_is_not_sent_on_once_it_is_answered() -> None:
    async with server(b"HTTP/1.1 413 No\r\n\r\n", 1000) as (port, _):
        crowd = await crowd_until(port, "long body", lambda crowd: crowd.statuses.total() >= 3)
    assert set(crowd.statuses) <= {"413", "none"}
    assert len(crowd.sent) >= 3
    assert max(crowd.sent) < BODY


@pytest.mark.parametrize("kind", ["half a head", "half a body"])
async def test_those_who_dribble_come_back_when_they_are_ended(kind: str) -> None:
    async with server(b"", 1) as (port, read):
        crowd = await crowd_until(port, kind, lambda crowd: crowd.ended[kind] >= 4)
    assert crowd.opened[kind] >= 4
    assert all(read)


async def test_those_who_dribble_go_on_and_on() -> None:
    more = len(HEAD + b"Content-Length: 1000\r\n\r\n") + 1
    async with server(b"", more) as (port, read):
        await crowd_until(port, "half a body", lambda _: len(read) >= 3)
    assert min(read) >= more


async def test_idle_ones_stay_for_as_long_as_they_may() -> None:
    async with server(b"", 1) as (port, _):
        crowd = await crowd_until(port, "idle", lambda crowd: crowd.opened.total() == 3)
    assert crowd.ended == {}


async def test_a_server_that_takes_nobody_is_told() -> None:
    async with server(b"", 1) as (port, _):
        pass
    crowd = await crowd_until(port, "idle", lambda crowd: crowd.refused >= 3)
    assert crowd.opened == {}
