"""Hooks as servers and streamers send them: what is harmless is let in, and a refusal says what to type."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from daemon.config.model import Hooks, Http, Ingest, Queue
from daemon.core.ports import Streamer
from daemon.ingest.auth_url import UrlAnswer
from daemon.ingest.servers.kinds import SERVERS
from daemon.ingest.stream import TYPE
from statemachine.events import Published, Unpublished
from tests.daemon.http.routes.test_hooks import BODIES, BY_NAME, send
from tests.daemon.http.studio import AT, House, config, open_house
from tests.daemon.ingest.test_hook_bodies import MEDIAMTX, NGINX, ORYX, SRS5, body

KEY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
GET = NGINX.decode()
"""What nginx-rtmp says, the same whether it is posted or stands behind the URL."""


def keys(house: House, **ingest: Any) -> House:
    house.config = config(queue=Queue(), ingest=Ingest(**ingest))
    house.keys.streamers |= {KEY: Streamer("alice"), "b0b": Streamer("bob")}
    return house


async def srs(house: House, **changes: Any) -> tuple[int, Any, list[Any]]:
    with capture_logs() as lines:
        status, answer = await send(house, BY_NAME["srs"], body(SRS5, **{"param": f"?key={KEY}", **changes}))
    return status, answer, list(lines)


def published(house: House) -> list[str]:
    return [event.session.streamer for event in house.dispatcher.events if isinstance(event, Published)]


# --- so that the server goes on -----------------------------------------------------------------------------------


async def test_srs_is_told_to_forward_nowhere_or_it_would_throw_the_publisher_out(house: House) -> None:
    assert await srs(house, action="on_forward") == (200, {"code": 0, "data": {"urls": []}}, [])
    assert house.dispatcher.events == []


@pytest.mark.parametrize("action", ["on_connect", "on_close", "on_play", "on_stop", "on_dvr", "on_hls"])
async def test_srs_goes_on_after_each_of_its_other_hooks(house: House, action: str) -> None:
    status, answer, lines = await srs(house, action=action, stream=..., app=..., param=...)
    assert (status, answer, lines) == (200, {"code": 0}, [])


async def test_a_hook_of_a_later_version_is_accepted_and_told_once(house: House) -> None:
    for server in ("srs", "oryx"):
        base = SRS5 if server == "srs" else ORYX
        with capture_logs() as lines:
            for _ in range(3):
                assert (await send(house, BY_NAME[server], body(base, action="on_teleport")))[0] == 200
        (line,) = lines
        assert (line["server"], line["action"]) == (server, "on_teleport")
    assert house.dispatcher.events == []


async def test_a_hook_of_srs_at_mediamtx_s_address_is_refused_with_the_reason(house: House) -> None:
    status, answer = await send(house, BY_NAME["mediamtx"], body(SRS5))
    assert (status, answer["error"]["code"]) == (401, "wrong_server")


@pytest.mark.parametrize("server", ["srs", "oryx"])
@pytest.mark.parametrize("action", ["publish", "read", "playback", "teleport"])
async def test_mediamtx_at_another_server_s_address_is_told_no_lest_it_lets_everybody_in(
    house: House, server: str, action: str
) -> None:
    status, answer = await send(house, BY_NAME[server], body(MEDIAMTX, action=action))
    assert (status, answer["error"]["code"]) == (400, "wrong_server")
    assert house.dispatcher.events == []


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/srs/", "/hooks/nginx", "/Hooks/SRS", "/webhook"])
@pytest.mark.parametrize("token", ["", "0123456789abcdef"])
async def test_a_hook_at_an_address_that_takes_none_is_told_with_those_that_do(path: str, token: str) -> None:
    """As in an older set-up, which had them at "/": every publisher is refused, and nothing else would say why."""
    settings = config(http=Http(token=SecretStr(token)), hooks=Hooks(secret=SecretStr("s3cret")))
    async with open_house(settings) as house:
        with capture_logs() as lines:
            for _ in range(3):
                status, _ = await house.post(path, data=body(SRS5), headers={"Content-Type": "application/json"})
                assert status in (401, 404, 405)
        (line,) = lines
        assert line["event"].startswith("A hook came to an address that takes none")
        assert "/hooks/srs, " in line["event"]
        assert line["path"] == path


async def test_neither_a_browser_nor_a_stranger_makes_a_line_of_an_address_that_takes_no_hook() -> None:
    async with open_house(config(hooks=Hooks(allow=()))) as house:
        with capture_logs() as lines:
            await house.post("/hooks/nginx", data=b"")
        assert lines == []
        house.config = config()
        with capture_logs() as lines:
            await house.post("/hooks/nginx", data=b"", headers={"User-Agent": "Mozilla/5.0"})
            await house.post("/queue/nothing", data=b"")
        assert lines == []


# --- nginx's notify_method get ------------------------------------------------------------------------------------


async def test_nginx_rtmp_may_tell_by_get(house: House) -> None:
    status, answer = await house.get(f"/hooks/nginx-rtmp?{GET}")
    assert (status, answer) == (200, {"code": 0})
    status, _ = await house.get(f"/hooks/nginx-rtmp?{GET.replace('call=publish', 'call=publish_done')}")
    assert status == 200
    began, ended = house.dispatcher.events
    assert isinstance(began, Published)
    assert ended == Unpublished(AT, began.session.id)


async def test_a_get_of_nginx_rtmp_1_2_2_is_taken_as_it_was_recorded() -> None:
    async with open_house(config(hooks=Hooks(secret=SecretStr("abc")))) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.client.port)
        writer.write(
            b"GET /hooks/nginx-rtmp?secret=abc?app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl="
            b"&tcurl=rtmp://127.0.0.1:19777/live&pageurl=&addr=127.0.0.1&clientid=1&call=publish&name=alice&type=live"
            b"&key=KEY? HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Connection: Close\r\nContent-Length: 0\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.0 200 OK")
        (session,) = house.sessions.live("live/alice")
        assert house.learnt == ["KEY"]
        assert session.id.startswith("nginx:1-")


async def test_nginx_s_second_question_mark_parts_the_secret_from_what_it_says() -> None:
    async with open_house(config(hooks=Hooks(secret=SecretStr("s3cret")))) as house:
        assert (await house.get(f"/hooks/nginx-rtmp?secret=s3cret?{GET}"))[0] == 200
        for query in (f"secret=wrong?{GET}", GET, f"{GET}&secret=s3cret", f"{GET}?secret=s3cret", "secret=s3cret"):
            status, answer = await house.get(f"/hooks/nginx-rtmp?{query}")
            assert status >= 400, query
            assert answer["error"]["code"] in ("wrong_secret", "unknown_action")
        assert len(house.dispatcher.events) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"},
        {"Accept-Language": "en"},
        {"Referer": "http://evil.example/"},
        {"Cookie": "a=b"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
        {"Upgrade-Insecure-Requests": "1"},
    ],
)
async def test_no_picture_in_a_page_publishes_anything(house: House, headers: dict[str, str]) -> None:
    """A page's GET has no Origin, and, to another machine by plain HTTP, no Sec-Fetch-Site: but it is a browser's."""
    status, answer = await house.get(f"/hooks/nginx-rtmp?{GET}", headers=headers)
    assert (status, answer["error"]["code"]) == (403, "cross_site")
    assert house.dispatcher.events == []


async def test_no_other_hook_is_taken_by_get_and_none_by_head(house: House) -> None:
    for server in SERVERS:
        async with house.client.request("HEAD", f"{server.path}?{GET}") as response:
            assert response.status == 405
        if server.name != "nginx-rtmp":
            assert (await house.get(f"{server.path}?{GET}"))[0] == 405
    assert house.dispatcher.events == []


# --- what streamers paste -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"param": f"?key={KEY}%20"},
        {"param": f"?key={KEY}%0A"},
        {"param": f"?key=+{KEY}\r\n"},
        {"param": f"?key={KEY}?"},
        {"param": f"?key={KEY}/"},
        {"param": f"?key=%22{KEY}%22"},
        {"param": f"?key={KEY}%E2%80%8B"},
        {"param": f"?key=%E2%80%9C{KEY}%E2%80%9D"},
        {"param": f"?key=%E2%80%98{KEY}%E2%80%99"},
        {"param": f"?key=\u2060{KEY}\u200d\u202c"},
        {"param": f"?key=<{KEY}>"},
        {"param": f"?key={KEY}."},
        {"param": f"?key={KEY}, "},
        {"param": f"?key={KEY}#"},
        {"param": f"?key={KEY}&"},
        {"param": f"?KEY={KEY}"},
        {"param": f"?stream_key={KEY}"},
        {"param": "?", "stream": KEY},
        {"param": "", "stream": f" {KEY}\n"},
        {"param": None, "stream": KEY},
        {"app": "live/"},
        {"stream": "alice/"},
        {"vhost": "[2001:db8::1]"},
        {"vhost": "[2001:db8::1]:1935"},
        {"vhost": "2001:db8::1"},
        {"vhost": "stream.example:1935"},
        {"vhost": "fe80::1%eth0"},
        {"tcUrl": "rtmp://[::1]:1935/live"},
        {"tcUrl": "rtmp://[::1/live"},
        {"tcUrl": "Rtmp://STREAM.Example/LIVE"},
        {"ip": "[::1]"},
    ],
)
async def test_what_is_harmless_is_let_in(house: House, changes: dict[str, Any]) -> None:
    status, answer, _ = await srs(keys(house), **changes)
    assert (status, answer) == (200, {"code": 0}), changes
    assert published(house) == ["alice"]


@pytest.mark.parametrize(
    ("changes", "code", "why"),
    [
        ({"param": "?key=a%20b"}, "bad_key", "it has blanks in it"),
        ({"param": "?key=a/b"}, "bad_key", "it has slashes in it"),
        ({"param": "?key=a.b"}, "bad_key", "it has dots in it"),
        ({"param": "?key=a%25b"}, "bad_key", "it has percent signs in it"),
        ({"param": "?key=" + "x" * 129}, "bad_key", "it has 129 characters"),
        ({"param": "?key=%C3%A9"}, "bad_key", "it has other characters in it"),
        ({"stream": "alice\u200b"}, "bad_stream", "it has invisible characters in it"),
        ({"param": f"?key={KEY.upper()}"}, "unknown_key", "is unknown, or was rotated"),
        ({"param": ""}, "no_key", "has no key (?key=…)"),
        ({"param": "?key="}, "no_key", "has no key (?key=…)"),
        ({"param": "?"}, "no_key", "has no key (?key=…)"),
        ({"stream": ""}, "missing", "stream is missing"),
        ({"stream": " "}, "bad_stream", "it is empty"),
        ({"stream": "a b"}, "bad_stream", "it has blanks in it"),
        ({"stream": "alice.flv"}, "bad_stream", "it has dots in it"),
        ({"stream": "alice&key=x"}, "bad_stream", "it has ampersands in it"),
        ({"stream": "x" * 200}, "bad_stream", "it has 200 characters"),
        ({"app": "live/sub"}, "bad_app", "it has slashes in it"),
        ({"vhost": "a b"}, "bad_vhost", "is not a host name or address"),
        ({"stream": "bob"}, "path_taken", "is another streamer's: alice needs a name of its own"),
    ],
)
async def test_a_refusal_says_what_is_wrong_and_what_to_type(
    house: House, changes: dict[str, Any], code: str, why: str
) -> None:
    status, answer, lines = await srs(keys(house), **changes)
    assert status in (400, 403)
    error = answer["error"]
    assert error["code"] == code
    assert why in error["message"]
    assert error["message"].endswith(TYPE)
    (line,) = lines
    assert (line["reason"], line["why"]) == (code, error["message"])
    assert published(house) == []
    assert KEY not in str(lines) + str(answer)


async def test_an_app_may_end_in_a_slash_at_nginx_too(house: House) -> None:
    raw = NGINX.replace(b"app=live", b"app=live%2F").replace(b"&key=abc", f"&key={KEY}%0D%0A".encode())
    assert (await send(keys(house), BY_NAME["nginx-rtmp"], raw))[0] == 200
    assert published(house) == ["alice"]


# --- MediaMTX -----------------------------------------------------------------------------------------------------


async def test_the_first_ask_of_an_rtsp_client_is_refused_without_a_word_and_the_second_is_let_in(house: House) -> None:
    first = {**MEDIAMTX, "protocol": "rtsp", "query": ""}
    with capture_logs() as lines:
        assert (await send(keys(house), BY_NAME["mediamtx"], body(first)))[0] == 401
        assert lines == []
        assert (await send(house, BY_NAME["mediamtx"], body(first, user="alice", password=KEY)))[0] == 200
    assert published(house) == ["alice"]


@pytest.mark.parametrize(
    "changes", [{"user": "alice", "password": "wrong"}, {"query": "key=wrong"}, {"protocol": "rtmp"}]
)
async def test_a_publisher_with_the_wrong_credentials_or_of_another_protocol_is_told_of(
    house: House, changes: dict[str, str]
) -> None:
    with capture_logs() as lines:
        ask = body({**MEDIAMTX, "protocol": "rtsp", "query": "", **changes})
        assert (await send(keys(house), BY_NAME["mediamtx"], ask))[0] == 401
    assert len(lines) == 1


async def test_a_path_of_one_level_is_let_in_and_played_as_it_is_where_an_app_is_set(house: House) -> None:
    ask = body(MEDIAMTX, path="alice", query=f"key={KEY}")
    status, answer = await send(keys(house), BY_NAME["mediamtx"], ask)
    assert (status, answer["error"]["code"]) == (400, "bad_path")
    assert "ingest.default_app" in answer["error"]["message"]
    keys(house, default_app="live")
    assert (await send(house, BY_NAME["mediamtx"], ask))[0] == 200
    (session,) = house.sessions.live("live/alice")
    assert house.sessions.play_url(session) == "rtmp://127.0.0.1:1935/alice"
    assert house.sessions.stream_of("rtmp://127.0.0.1:1935/alice") == "live/alice"


# --- whose publishers these are -----------------------------------------------------------------------------------


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_another_channel_s_publisher_is_accepted_and_is_none_of_ours(house: House, server: Any) -> None:
    house.config = config(queue=Queue(), ingest=Ingest(apps=("techno",)))
    assert (await send(house, server, BODIES[server.name]))[0] == 200
    assert house.dispatcher.events == []
    assert house.sessions.live("live/alice") == ()


async def test_a_name_that_this_channel_would_refuse_is_another_one_s_affair_in_its_app(house: House) -> None:
    keys(house, apps=("techno",))
    assert (await srs(house, stream="a b.c"))[0] == 200
    assert (await srs(house, app="techno", stream="a b.c"))[0] == 400


async def test_a_virtual_host_that_is_not_ours_is_passed_over(house: House) -> None:
    keys(house, vhosts=("techno.example",))
    assert (await srs(house, vhost="house.example"))[0] == 200
    assert published(house) == []
    assert (await srs(house, vhost="techno.example:1935"))[0] == 200
    assert published(house) == ["alice"]


# --- another's place ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["bob", "Bob", "BOB", "b0b"])
async def test_the_right_key_does_not_open_another_streamer_s_path(house: House, stream: str) -> None:
    """Its name, however it is written, or its key where that is the stream's name."""
    status, answer, _ = await srs(keys(house), stream=stream)
    assert (status, answer["error"]["code"]) == (403, "path_taken")
    assert "b0b" not in str(answer)
    assert published(house) == []


async def test_a_path_that_the_rules_hold_taken_is_refused_and_two_hosts_are_named_for_it(house: House) -> None:
    keys(house)
    await srs(house, stream="show", vhost="a.example")
    house.dispatcher.refuse("path_taken", "bob publishes to that path already")
    status, answer, _ = await srs(house, client_id="other", stream="show", vhost="b.example")
    assert (status, answer["error"]["code"]) == (403, "path_taken")
    assert "{vhost} in ingest.rtmp_url" in answer["error"]["message"]
    assert len(house.sessions.live("live/show")) == 1


async def test_a_play_url_that_is_changed_in_mid_show_makes_no_two_of_one_place(house: House) -> None:
    keys(house)
    await srs(house, stream="show", vhost="a.example")
    keys(house, rtmp_url="rtmp://127.0.0.1:1935/{app}/{stream}?vhost={vhost}")
    status, answer, _ = await srs(house, client_id="c2", stream="show", vhost="a.example", param="?key=b0b")
    assert (status, answer["error"]["code"]) == (403, "path_taken")
    assert "ingest.rtmp_url was changed" in answer["error"]["message"]
    assert (await srs(house, client_id="c3", stream="show", vhost="b.example", param="?key=b0b"))[0] == 200
    assert published(house) == ["alice", "bob"]


async def test_what_the_operator_s_service_names_is_held_to_the_same_paths(house: House) -> None:
    house.config = config(queue=Queue(auth="http", auth_url="http://127.0.0.1:9/auth"))
    house.ask.answer = UrlAnswer(True, streamer="bob")
    house.dispatcher.refuse("path_taken", "alice publishes to that path already")
    assert (await srs(house, stream="alice"))[1]["error"]["code"] == "path_taken"
