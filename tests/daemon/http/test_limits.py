"""Slow, idle and many clients, against the real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from daemon.http.app import build_app
from daemon.http.limits import BODY_BYTES, Gate, Limits
from daemon.http.server import Claim, HttpServer
from tests.daemon.http.routes.test_hooks import BODIES
from tests.daemon.http.studio import House, make_control, make_house
from tests.support import until

HOOK = BODIES["srs"]
REQUEST = (
    b"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(HOOK)).encode()
    + b"\r\n\r\n"
    + HOOK
)


@dataclass
class Open:
    """A served house."""

    house: House
    gate: Gate
    server: HttpServer

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    async def hook(self) -> bytes:
        """The status line of a fresh client's hook."""
        reader, writer = await self.connect()
        writer.write(REQUEST)
        async with asyncio.timeout(5):
            line = await reader.readline()
        writer.close()
        return line


@asynccontextmanager
async def served(limits: Limits) -> AsyncIterator[Open]:
    house = make_house()
    app, gate = build_app(make_control(house), limits)
    server = HttpServer(app, gate, Claim("127.0.0.1", 0), stop_within=0.2)
    await server.start()
    try:
        yield Open(house, gate, server)
    finally:
        await server.stop()


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What came before the other side closed."""
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""


async def test_a_hook_is_answered() -> None:
    async with served(Limits()) as it:
        assert b"200" in await it.hook()
        assert len(it.house.dispatcher.events) == 1


async def test_a_connection_that_says_nothing_is_ended() -> None:
    async with served(Limits(waiting=0.05, sweep=0.02)) as it:
        reader, writer = await it.connect()
        assert await closed(reader) == b""
        writer.close()


async def test_a_head_that_dribbles_is_ended() -> None:
    async with served(Limits(waiting=0.05, sweep=0.02)) as it:
        reader, writer = await it.connect()
        writer.write(b"POST /hooks/srs HTTP/1.1\r\nX-A: b\r\n")
        assert await closed(reader) == b""
        writer.close()


async def test_a_connection_that_is_idle_between_requests_is_ended() -> None:
    # Long enough for a slow machine to read the request before the connection counts as one that says nothing.
    async with served(Limits(waiting=3.0, sweep=0.02)) as it:
        reader, writer = await it.connect()
        writer.write(REQUEST)
        assert (await closed(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_connection_can_be_used_again_and_again() -> None:
    async with served(Limits(connections=1)) as it:
        reader, writer = await it.connect()
        for _ in range(20):
            writer.write(REQUEST)
            async with asyncio.timeout(5):
                assert b"200" in await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(b'{"code":0}'))
        writer.close()
        assert len(it.house.dispatcher.events) == 20


async def test_idle_connections_do_not_keep_a_hook_out() -> None:
    async with served(Limits(connections=20)) as it:
        idle = [await it.connect() for _ in range(100)]
        assert b"200" in await it.hook()
        assert len(it.gate) <= 20
        for _, writer in idle:
            writer.close()


async def test_bodies_that_dribble_do_not_keep_a_hook_out() -> None:
    async with served(Limits(connections=20)) as it:
        slow = [await it.connect() for _ in range(100)]
        for _, writer in slow:
            writer.write(REQUEST[:-20])
        assert b"200" in await it.hook()
        assert len(it.gate) <= 20
        assert len(it.house.dispatcher.events) == 1
        for _, writer in slow:
            writer.close()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The status line."""
    async with asyncio.timeout(5):
        return await reader.readline()


HEAD = b"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


async def test_a_body_that_is_said_to_be_too_long_is_refused_before_any_of_it_has_come() -> None:
    async with served(Limits()) as it:
        reader, writer = await it.connect()
        writer.write(HEAD + b"Content-Length: 10000000\r\n\r\n")
        assert b" 413 " in await answered(reader)
        writer.close()


async def test_a_body_in_pieces_is_refused_as_soon_as_it_is_too_long() -> None:
    async with served(Limits()) as it:
        reader, writer = await it.connect()
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"8000\r\n%b\r\n" % (b"x" * 0x8000) * 3)
        assert b" 413 " in await answered(reader)  # the body has not ended, nor does it
        writer.close()


async def test_whole_bodies_of_the_greatest_length_are_read_and_longer_ones_not() -> None:
    async with served(Limits()) as it:
        for size, status in ((BODY_BYTES, b" 400 "), (BODY_BYTES + 1, b" 413 ")):
            reader, writer = await it.connect()
            writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size))
            assert status in await answered(reader)
            writer.close()


async def test_a_request_under_way_is_not_pushed_out_by_newcomers() -> None:
    async with served(Limits(connections=5)) as it:
        it.house.dispatcher.stuck = asyncio.Event()
        reader, writer = await it.connect()
        writer.write(REQUEST)
        await until(lambda: it.house.dispatcher.events)
        others = [await it.connect() for _ in range(20)]
        it.house.dispatcher.stuck.set()
        async with asyncio.timeout(5):
            assert b"200" in await reader.readline()
        for _, other in [*others, (reader, writer)]:
            other.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /status HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"POST /hooks/srs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /hooks/srs HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /hooks/srs HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
async def test_what_is_not_http_is_refused_and_harms_nobody(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with served(Limits(waiting=2.0, sweep=0.05)) as it:
        reader, writer = await it.connect()
        writer.write(garbage)
        answer = await closed(reader)
        assert b" 200 " not in answer.split(b"\r\n")[0]
        writer.close()
        assert b"200" in await it.hook()
        assert len(it.house.dispatcher.events) == 1
    assert "Traceback" not in caplog.text


async def test_a_taken_port_is_an_error_at_the_start() -> None:
    async with served(Limits()) as it:
        app, gate = build_app(make_control(make_house()))
        second = HttpServer(app, gate, Claim("127.0.0.1", it.server.port))
        with pytest.raises(OSError, match="address already in use"):
            await second.start()
        await second.stop()


async def test_a_stop_ends_streams_and_idle_connections() -> None:
    async with served(Limits()) as it:
        reader, writer = await it.connect()
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        idle, idle_writer = await it.connect()
        async with asyncio.timeout(5):
            await reader.readuntil(b"hello")
            await it.server.stop()
        await closed(reader)
        assert await closed(idle) == b""
        writer.close()
        idle_writer.close()
