"""The hooks' routes: answered at once, in each server's own form, whatever is sent."""

import asyncio
import io
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from daemon.config.model import Hooks, Queue
from daemon.core.ports import Streamer
from daemon.http.routes.hooks import allowed
from daemon.ingest.auth_url import UrlAnswer
from daemon.ingest.publishing import MOST_REFUSALS
from daemon.ingest.servers.kinds import SERVERS, Server
from daemon.observability.throttle import LogThrottle
from statemachine.events import Published, Unpublished
from tests.daemon.http.studio import AT, House, config, open_house
from tests.daemon.ingest.test_hook_bodies import MEDIAMTX, NGINX, ORYX, SRS5, body
from tests.fakes.srs import FakeSrs

BODIES = {"srs": body(SRS5), "nginx-rtmp": NGINX, "oryx": body(ORYX), "mediamtx": body(MEDIAMTX)}
BY_NAME = {server.name: server for server in SERVERS}
NO = {"srs": 403, "nginx-rtmp": 403, "oryx": 403, "mediamtx": 401}


async def send(house: House, server: Server, raw: bytes, query: str = "", **headers: str) -> tuple[int, Any]:
    all_headers = {"Content-Type": server.content_type, **headers}
    return await house.post(server.path + query, data=raw, headers=all_headers)


def is_yes(status: int, answer: Any) -> bool:
    return bool(200 <= status < 300 and (not answer or answer.get("code") == 0))


# --- publish and unpublish ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_a_publish_is_one_event_with_its_session(house: House, server: Server) -> None:
    status, answer = await send(house, server, BODIES[server.name])
    assert is_yes(status, answer)
    (event,) = house.dispatcher.events
    assert isinstance(event, Published)
    assert (event.at, event.session.streamer, event.session.app, event.session.stream) == (AT, "alice", "live", "alice")
    assert house.sessions.find(event.session.id) == event.session


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_an_end_is_one_event_for_the_session_that_began(house: House, server: Server) -> None:
    ends = {
        "srs": body(SRS5, action="on_unpublish"),
        "nginx-rtmp": NGINX.replace(b"call=publish", b"call=publish_done"),
        "oryx": body(ORYX, action="on_unpublish", request_id="other"),
        "mediamtx": body(MEDIAMTX, action="unpublish"),
    }
    await send(house, server, BODIES[server.name])
    status, answer = await send(house, server, ends[server.name])
    assert is_yes(status, answer)
    began, ended = house.dispatcher.events
    assert isinstance(began, Published)
    assert ended == Unpublished(AT, began.session.id)


async def test_the_legal_order_of_a_takeover_leaves_the_newcomer(house: House) -> None:
    server = BY_NAME["srs"]
    await send(house, server, body(SRS5, client_id="a"))
    await send(house, server, body(SRS5, client_id="b"))
    await send(house, server, body(SRS5, client_id="a", action="on_unpublish"))
    assert [type(event) for event in house.dispatcher.events] == [Published, Published, Unpublished]
    assert [session.id for session in house.sessions.live("live/alice")] == ["srs:vid-ms28k44/b"]


async def test_a_publisher_without_a_key_is_refused_and_told_how_to_get_one(house: House) -> None:
    house.config = config(queue=Queue())
    for server in SERVERS:
        with capture_logs() as lines:
            status, answer = await send(house, server, BODIES[server.name])
        assert status == NO[server.name]
        assert answer["error"]["code"] == "no_streamers"
        assert "motherstream streamer add NAME" in lines[0]["why"]
        assert "abc" not in str(lines)
    assert house.dispatcher.events == []


async def test_a_key_lets_its_streamer_in(house: House) -> None:
    house.config = config(queue=Queue())
    house.keys.streamers["abc"] = Streamer("Alice", turn=60.0)
    status, _ = await send(house, BY_NAME["srs"], BODIES["srs"])
    assert status == 200
    (event,) = house.dispatcher.events
    assert isinstance(event, Published)
    assert (event.session.streamer, event.session.turn) == ("Alice", 60.0)
    assert house.learnt == ["abc"]


async def test_what_the_rules_refuse_after_all_is_refused(house: House) -> None:
    house.dispatcher.refuse("blocked", "alice is blocked")
    status, answer = await send(house, BY_NAME["srs"], BODIES["srs"])
    assert (status, answer["error"]["code"]) == (403, "blocked")
    assert house.sessions.live("live/alice") == ()


async def test_the_operator_s_service_gets_the_body_as_it_came(house: House) -> None:
    house.config = config(queue=Queue(auth="http", auth_url="http://127.0.0.1:9/auth"))
    house.ask.answer = UrlAnswer(False, "it answered 403")
    status, answer = await send(house, BY_NAME["nginx-rtmp"], NGINX)
    assert (status, answer["error"]["code"]) == (403, "auth_url")
    assert house.ask.asked[0][1:3] == (NGINX, "application/x-www-form-urlencoded")


async def test_other_actions_are_accepted_and_change_nothing(house: House) -> None:
    assert await send(house, BY_NAME["srs"], body(SRS5, action="on_play")) == (200, {"code": 0})
    assert await send(house, BY_NAME["nginx-rtmp"], b"call=play&app=live&name=x") == (200, {"code": 0})
    assert house.dispatcher.events == []


async def test_readers_of_mediamtx_are_let_in_from_where_hooks_may_come(house: House) -> None:
    server = BY_NAME["mediamtx"]
    assert (await send(house, server, body(MEDIAMTX, action="read")))[0] == 200
    assert (await send(house, server, body(MEDIAMTX, action="read", ip="203.0.113.9")))[0] == 401
    assert (await send(house, server, body(MEDIAMTX, action="api", ip="")))[0] == 401


async def test_a_slow_journal_keeps_no_publisher_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ingest.publishing.JOURNAL_SECONDS", 0.02)
    house.dispatcher.stuck = asyncio.Event()
    status, _ = await send(house, BY_NAME["srs"], BODIES["srs"])
    assert status == 200
    assert len(house.dispatcher.events) == 1
    assert house.sessions.live("live/alice")
    house.dispatcher.stuck.set()


# --- who may send ------------------------------------------------------------------------------------------------


@pytest.fixture
async def strict() -> AsyncIterator[House]:
    async with open_house(config(hooks=Hooks(secret=SecretStr("h00k-secret")))) as made:
        yield made


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
@pytest.mark.parametrize("query", ["", "?secret=", "?secret=h00k-secre", "?secret=h00k-secret2", "?Secret=h00k-secret"])
async def test_without_the_secret_nothing_is_taken(strict: House, server: Server, query: str) -> None:
    with capture_logs() as lines:
        status, answer = await send(strict, server, BODIES[server.name], query)
    assert status == NO[server.name]
    assert answer["error"]["code"] == "wrong_secret"
    assert "h00k" not in str(lines)
    assert strict.dispatcher.events == []


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_with_the_secret_a_hook_is_taken(strict: House, server: Server) -> None:
    status, answer = await send(strict, server, BODIES[server.name], "?secret=h00k-secret")
    assert is_yes(status, answer)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
@pytest.mark.parametrize(
    ("secret", "query"),
    [
        ("q+/Z8w==", "q+/Z8w=="),
        ("q+/Z8w==", "q%2B%2FZ8w%3D%3D"),
        ("q+/Z8w==", "q%2b/Z8w=="),
        ("two words", "two+words"),
        ("two words", "two%20words"),
        ("100%25", "100%25"),
        ("a&b#c", "a%26b%23c"),
    ],
)
async def test_a_secret_of_any_characters_is_right_as_it_was_made_and_percent_encoded(
    server: Server, secret: str, query: str
) -> None:
    async with open_house(config(hooks=Hooks(secret=SecretStr(secret)))) as house:
        assert is_yes(*await send(house, server, BODIES[server.name], f"?a=1&secret={query}&b=2"))
        _, answer = await send(house, server, BODIES[server.name], f"?secret=x{query}")
        assert answer["error"]["code"] == "wrong_secret"


async def test_hooks_come_from_the_allowed_networks_alone() -> None:
    async with open_house(config(hooks=Hooks(allow=(ip_network("10.0.0.0/8"),)))) as house:
        status, answer = await send(house, BY_NAME["srs"], BODIES["srs"])
        assert (status, answer["error"]["code"]) == (403, "address_not_allowed")
        assert house.dispatcher.events == []


def test_an_ipv4_address_is_known_in_its_ipv6_form() -> None:
    hooks = Hooks()
    assert allowed("127.0.0.9", hooks)
    assert allowed("::ffff:127.0.0.1", hooks)
    assert allowed("::1", hooks)
    for address in ("::ffff:10.0.0.1", "10.0.0.1", "", "localhost", "::2"):
        assert not allowed(address, hooks)
    assert not allowed("127.0.0.1", Hooks(allow=()))


async def test_the_token_of_the_api_is_not_asked_for_at_the_hooks() -> None:
    async with open_house(config(token="api-token")) as house:
        assert (await send(house, BY_NAME["srs"], BODIES["srs"]))[0] == 200


# --- garbage -----------------------------------------------------------------------------------------------------

GARBAGE = {
    "empty": b"",
    "not json": b"hello",
    "binary": bytes(range(256)),
    "null": b"null",
    "a list": b"[]",
    "deep": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000,
    "no action": b'{"app":"live","stream":"alice"}',
    "nonsense for an action": body(SRS5, action="on explode"),
    "action is a number": body(SRS5, action=1),
    "stream is a list": body(SRS5, stream=["alice"]),
    "stream is an object": body(SRS5, stream={"a": 1}),
    "a pipeline for a stream": body(SRS5, stream="a ! filesink location=/tmp/x"),
    "a quoted pipeline": body(SRS5, stream='a" ! filesink location=/tmp/x name="'),
    "options for librtmp": body(SRS5, stream="a live=1 swfUrl=x"),
    "a path": body(SRS5, app="../../etc"),
    "a surrogate": b'{"action":"on_publish","app":"live","stream":"\\ud800"}',
    "a pipeline for a key": body(SRS5, param="?key=a%22%20!%20filesink"),
    "a form": b"action=on_publish&app=live&stream=alice",
    "many arguments": body(SRS5, param="?" + "&".join(f"a{i}=b" for i in range(500))),
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_garbage_is_refused_by_name_and_creates_nothing(house: House, server: Server, raw: bytes) -> None:
    with capture_logs() as lines:
        status, answer = await send(house, server, raw)
    assert 400 <= status < 500
    assert not is_yes(status, answer)
    assert answer["error"]["code"]
    assert answer["error"]["message"]
    assert len([line for line in lines if line["event"] == "A hook was refused"]) == 1
    assert "filesink" not in str(lines)
    assert house.dispatcher.events == []
    assert house.sessions.live("live/alice") == ()


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_ten_megabytes_are_refused_unread(house: House, server: Server) -> None:
    status, answer = await house.post(
        server.path, data=io.BytesIO(b"x" * 10_000_000), headers={"Content-Type": server.content_type}
    )
    assert (status, answer["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_ten_megabytes_in_pieces_are_refused_at_the_limit(house: House, server: Server) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10_000

    status, answer = await house.post(server.path, data=pieces(), headers={"Content-Type": server.content_type})
    assert (status, answer["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_the_wrong_content_type_is_refused(house: House, server: Server) -> None:
    for wrong in ("text/plain", "multipart/form-data", "application/octet-stream", "nonsense"):
        status, answer = await house.post(server.path, data=BODIES[server.name], headers={"Content-Type": wrong})
        assert (status, answer["error"]["code"]) == (415, "wrong_content_type")
    assert house.dispatcher.events == []


async def test_a_client_that_is_a_path_is_refused(house: House) -> None:
    status, answer = await send(house, BY_NAME["srs"], body(SRS5, client_id="../clients"))
    assert (status, answer["error"]["code"]) == (400, "bad_client")


async def test_a_charset_beside_the_content_type_is_fine(house: House) -> None:
    assert (await send(house, BY_NAME["srs"], BODIES["srs"], **{"Content-Type": "application/json;charset=utf-8"}))[
        0
    ] == 200


async def test_a_packed_body_is_not_unpacked(house: House) -> None:
    """A few hundred bytes can hold gigabytes."""
    status, _ = await send(house, BY_NAME["srs"], BODIES["srs"], **{"Content-Encoding": "gzip"})
    assert status == 400


async def test_refusals_of_one_kind_are_told_once_in_a_while(house: House) -> None:
    with capture_logs() as lines:
        for _ in range(50):
            await send(house, BY_NAME["srs"], b"junk")
    assert len(lines) == 1


async def test_a_body_that_dribbles_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.http.limits.BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection(house.client.host, house.client.port)
    head = "POST /hooks/srs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    assert b"408" in answer


# --- with an SRS by the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 5])
async def test_srs_takes_our_answers_as_they_are_meant(house: House, version: int) -> None:
    hooks = f"http://127.0.0.1:{house.client.port}/hooks/srs"
    async with FakeSrs(hooks, version=version) as srs:
        client = await srs.publish("live", "alice", "?key=abc")
        assert client is not None
        assert await srs.publish("live", "a ! b") is None
        assert await srs.publish("live", "bob", "?key=%22") is None
        await srs.unpublish(client)
    assert [type(event) for event in house.dispatcher.events] == [Published, Unpublished]
    began, ended = house.dispatcher.events
    assert isinstance(began, Published)
    assert isinstance(ended, Unpublished)
    assert began.session.id == ended.session_id


async def test_a_publisher_that_srs_finds_busy_after_our_yes_leaves_an_open_session(house: House) -> None:
    """SRS tells of no end for it: the list of publishers has to."""
    async with FakeSrs(f"http://127.0.0.1:{house.client.port}/hooks/srs") as srs:
        assert await srs.publish("live", "alice")
        assert await srs.publish("live", "alice") is None
        assert len(house.sessions.live("live/alice")) == 2


async def test_one_who_tries_again_and_again_does_not_hide_why_another_is_refused() -> None:
    async with open_house(config(queue=Queue(auth="keys"))) as house:
        house.keys.streamers["k" * 32] = Streamer("alice", enabled=False)
        with capture_logs() as lines:
            for _ in range(5):
                await send(house, BY_NAME["srs"], body(SRS5, ip="1.2.3.4", param="?key=wrong"))
            await send(house, BY_NAME["srs"], body(SRS5, ip="5.6.7.8", param="?key=wrong-too"))
            await send(house, BY_NAME["srs"], body(SRS5, ip="1.2.3.4", param=f"?key={'k' * 32}"))
        told = [line for line in lines if line["event"] == "A hook was refused"]
        assert [(line["publisher"], line["reason"], line.get("streamer")) for line in told] == [
            ("1.2.3.4", "unknown_key", None),
            ("5.6.7.8", "unknown_key", None),
            ("1.2.3.4", "disabled", "alice"),
        ]
        assert "wrong" not in str(lines)


async def test_a_flood_of_refusals_is_few_lines_wherever_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ingest.publishing.LogThrottle", lambda: LogThrottle(clock=lambda: 0.0))
    async with open_house(config(queue=Queue(auth="keys"))) as house:
        house.keys.streamers["k" * 32] = Streamer("alice")
        with capture_logs() as lines:
            for number in range(100):
                await send(house, BY_NAME["srs"], body(SRS5, ip=f"1.2.3.{number}", param="?key=wrong"))
        assert len([line for line in lines if line["event"] == "A hook was refused"]) == MOST_REFUSALS
