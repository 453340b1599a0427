"""The load generator and the hooks' relay: they count right, because what they count is judged by."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from tests.bench import bare
from tests.bench.load import Streams, complete, load
from tests.bench.relay import Relay, Told, understood
from tests.bench.serving import misordered


@asynccontextmanager
async def server(status: int = 200) -> AsyncIterator[tuple[int, list[dict[str, str]]]]:
    """A server that takes hooks down; its port and what it was told."""
    told: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        raw = await request.text()
        told.append(json.loads(raw) if raw.startswith("{") else dict(await request.post()))  # type: ignore[arg-type]  # a form's fields are text
        return web.json_response({"code": 0}, status=status)

    app = web.Application()
    app.router.add_post("/hooks/{name}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], told
    finally:
        await runner.cleanup()


def test_an_answer_is_whole_when_its_body_is() -> None:
    answer = b'HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 10\r\n\r\n{"code":0}'
    assert complete(answer) == 200
    assert [complete(answer[:end]) for end in (0, 20, len(answer) - 10, len(answer) - 1)] == [None] * 4
    assert complete(b"HTTP/1.1 503 Unavailable\r\n\r\n") == 503


def test_a_stream_is_ended_only_while_it_is_published() -> None:
    streams = Streams(3, 4)
    live: dict[str, str] = {}
    numbers = []
    for _ in range(200):
        publish, raw = streams.next_hook()
        hook = json.loads(raw)
        if publish:
            assert hook["action"] == "on_publish"
            assert hook["stream"] not in live
            live[hook["stream"]] = hook["client_id"]
            numbers.append(int(hook["client_id"].partition("n")[2]))
        else:
            assert hook["action"] == "on_unpublish"
            assert live.pop(hook["stream"]) == hook["client_id"]
    assert streams.published == sorted(live)
    assert numbers == list(range(1, len(numbers) + 1))


async def test_the_load_counts_what_was_answered_and_knows_what_is_published() -> None:
    async with server() as (port, told):
        result = await load(port, rate=200, seconds=1.0, connections=4, streams=5)
    assert result["sent"] == result["accepted"] == len(told)
    assert result["refused"] == result["broken"] == 0
    assert len(told) + int(str(result["unsent"])) == pytest.approx(200, abs=8)
    live: set[str] = set()
    for hook in told:
        (live.add if hook["action"] == "on_publish" else live.discard)(hook["stream"])
    assert result["published"] == sorted(live)
    assert result["publishes"] == sum(1 for hook in told if hook["action"] == "on_publish")


async def test_refusals_are_counted_as_such() -> None:
    async with server(status=403) as (port, told):
        result = await load(port, rate=100, seconds=2.0, connections=2, streams=5)
    assert result["refused"] == len(told) > 0
    assert result["accepted"] == 0


async def test_the_bare_handler_takes_the_same_hooks_in_a_process_of_its_own_and_ends_with_its_use() -> None:
    async with bare.running() as port:
        row = await load(port, rate=200, seconds=2.0, connections=4, streams=3)
    assert row["sent"] == row["accepted"]
    assert row["accepted"]
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_server_that_hangs_up_is_told_and_does_not_hold_the_load_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listening, asyncio.timeout(10):
        result = await load(listening.sockets[0].getsockname()[1], rate=100, seconds=2.0, connections=2, streams=5)
    assert result["broken"] == 2
    assert result["accepted"] == 0


def test_publishes_that_stand_behind_a_later_one_of_their_connection_are_misordered() -> None:
    ids = ["srs:bench/c0n1", "srs:bench/c1n1", "srs:bench/c0n3", "srs:bench/c0n2", "srs:bench/real-alice", "srs:b/c1n2"]
    assert misordered(ids) == 1
    assert misordered([*ids, "srs:bench/c1n2"]) == 2
    assert misordered(["srs:bench/c0n9", "srs:bench/c0n10"]) == 0


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/hooks/nginx-rtmp", b"call=publish&name=alice&clientid=7&app=live", (True, "alice 7")),
        ("/hooks/nginx-rtmp", b"call=publish_done&name=alice&clientid=7&app=live", (False, "alice 7")),
        ("/hooks/srs", b'{"action":"on_publish","stream":"bob","client_id":"x"}', (True, "bob x")),
        ("/hooks/srs", b'{"action":"on_unpublish","stream":"bob","client_id":"x"}', (False, "bob x")),
    ],
)
def test_a_hook_tells_whose_stream_begins_or_ends(path: str, body: bytes, expected: tuple[bool, str]) -> None:
    assert understood(Told(path, body, "any")) == expected


async def test_a_daemon_that_comes_later_hears_who_publishes_and_not_who_has_ended() -> None:
    async with Relay() as relay, server() as (port, told), aiohttp.ClientSession() as session:

        async def tell(call: str, name: str) -> int:
            form = {"call": call, "name": name, "clientid": name, "app": "live"}
            async with session.post(relay.url, data=form) as answer:
                return answer.status

        assert [await tell("publish", "alice"), await tell("publish", "bob")] == [200, 200]
        assert await tell("publish_done", "alice") == 200
        assert told == []
        await relay.serve(f"http://127.0.0.1:{port}")
        assert [hook["name"] for hook in told] == ["bob"]
        await tell("publish", "carol")
        assert [hook["name"] for hook in told] == ["bob", "carol"]


async def test_a_publisher_that_the_daemon_refuses_is_not_told_to_the_next_one() -> None:
    async with Relay() as relay, aiohttp.ClientSession() as session:
        async with server(status=403) as (port, _):
            await relay.serve(f"http://127.0.0.1:{port}")
            form = {"call": "publish", "name": "mallory", "clientid": "1", "app": "live"}
            async with session.post(relay.url, data=form) as answer:
                assert answer.status == 403
        async with server() as (port, told):
            await relay.serve(f"http://127.0.0.1:{port}")
            assert told == []
