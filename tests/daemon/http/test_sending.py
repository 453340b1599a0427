"""Large answers, and clients that do not take them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from daemon.http.sending import LARGE, Kept, Sending
from tests.support import until

BODY: Final = bytes(range(256)) * 40_000
"""10 MB: more than the system's own buffers take."""


@asynccontextmanager
async def served(sending: Sending, bodies: dict[str, bytes]) -> AsyncIterator["TestClient[Any, Any]"]:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=bodies[request.match_info["name"]], headers={"X-Its": "own"})

    app = web.Application(middlewares=[sending.middleware])
    app.add_routes([web.get("/{name}", give)])
    async with TestClient(TestServer(app)) as client:
        yield client


async def ask_and_do_not_read(client: "TestClient[Any, Any]", name: str) -> socket.socket:
    mute = socket.socket()
    mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    mute.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(mute, (client.host, client.port))
    await loop.sock_sendall(mute, f"GET /{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return mute


async def test_a_large_body_arrives_whole_with_its_headers_and_the_connection_goes_on() -> None:
    sending = Sending()
    async with served(sending, {"a": BODY, "small": b"x"}) as client:
        for _ in range(2):
            async with client.get("/a") as response:
                assert response.headers["Content-Length"] == str(len(BODY))
                assert response.headers["X-Its"] == "own"
                assert await response.read() == BODY
        async with client.head("/a") as response:
            assert response.headers["Content-Length"] == str(len(BODY))
        async with client.get("/small") as response:
            assert await response.read() == b"x"
    assert sending.held == 0


async def test_of_a_client_that_does_not_read_no_more_than_a_piece_is_kept() -> None:
    sending = Sending()
    async with served(sending, {"a": BODY}) as client:
        mutes = [await ask_and_do_not_read(client, "a") for _ in range(20)]
        await until(lambda: len(sending._under_way) == 20)
        assert sending.held == len(BODY), "one body for all of them"
        transports = [request.transport for request, _ in sending._under_way.values() if request.transport]
        assert all(transport.get_write_buffer_size() <= 2 * LARGE for transport in transports)
        async with client.get("/a") as response:
            assert await response.read() == BODY, "another reads meanwhile"
        for mute in mutes:
            mute.close()
        await until(lambda: not sending._under_way)
    assert sending.held == 0


async def test_a_client_that_takes_nothing_for_long_is_cut_off() -> None:
    sending = Sending(piece_seconds=0.2)
    async with served(sending, {"a": BODY}) as client:
        mute = await ask_and_do_not_read(client, "a")
        await until(lambda: sending.held)
        await until(lambda: not sending.held)
        mute.close()


async def test_bodies_that_wait_for_their_readers_have_a_bound_and_the_slowest_goes() -> None:
    sending = Sending(most_held=3 * len(BODY))
    bodies = {str(number): bytes([number]) * len(BODY) for number in range(6)}
    async with served(sending, bodies) as client:
        mutes = [await ask_and_do_not_read(client, str(number)) for number in range(5)]
        async with client.get("/5") as response:
            assert await response.read() == bodies["5"]
        assert sending.held <= 3 * len(BODY)
        for mute in mutes:
            mute.close()
        await until(lambda: not sending._under_way)
    assert sending.held == 0


def test_a_large_body_is_made_once_a_second_for_everybody_and_few_are_kept() -> None:
    now = 5.0
    kept = Kept(lambda: now)
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return bytes(LARGE + len(made))

    first = kept.get("a", make)
    assert kept.get("a", make) is first
    now += Kept.FRESH
    assert kept.get("a", make) is not first
    for key in range(10):
        kept.get(key, make)
    assert len(kept._bodies) == Kept.MOST
    assert kept.get("small", lambda: b"1") == b"1"
    assert kept.get("small", lambda: b"2") == b"2"


async def test_an_answer_that_waits_for_the_disk_holds_up_no_other() -> None:
    sending, free = Sending(), asyncio.Event()

    async def history(_: web.Request) -> web.Response:
        await free.wait()
        return web.Response(text="late")

    async def status(_: web.Request) -> web.Response:
        return web.Response(text="at once")

    app = web.Application(middlewares=[sending.middleware, sending.one_at_a_time])
    app.add_routes([web.get("/history", history), web.get("/status", status)])
    async with TestClient(TestServer(app)) as client:
        late = asyncio.ensure_future(client.get("/history"))
        await until(lambda: sending._turns["/history"].locked())
        async with client.get("/status") as response:
            assert await response.text() == "at once"
        free.set()
        async with await late as response:
            assert await response.text() == "late"
