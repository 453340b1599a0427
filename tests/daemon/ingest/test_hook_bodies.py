"""What each server's hooks say, by bodies as they were recorded or as the server's source writes them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ingest.hook import ACCEPTED, Hook, Ignored, Publish, Unpublish, refused
from daemon.ingest.servers import mediamtx, nginx_rtmp, oryx, srs
from daemon.ingest.stream import HookError

SRS5: dict[str, Any] = {
    "server_id": "vid-ms28k44",
    "service_id": "4q0301ha",
    "action": "on_publish",
    "client_id": "3v72g105",
    "ip": "127.0.0.1",
    "vhost": "__defaultVhost__",
    "app": "live",
    "tcUrl": "rtmp://127.0.0.1:19350/live",
    "stream": "alice",
    "param": "?key=abc",
    "stream_url": "/live/alice",
    "stream_id": "vid-7294nsl",
}
NGINX = (
    b"app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27)&swfurl=&tcurl=rtmp://127.0.0.1:1935/live&pageurl="
    b"&addr=127.0.0.1&clientid=7&call=publish&name=alice&type=live&key=abc"
)
ORYX: dict[str, Any] = {
    "request_id": "3ab26a09-59b0-42f7-98e3-a281c7d0712b",
    "action": "on_publish",
    "opaque": "mytoken",
    "vhost": "__defaultVhost__",
    "app": "live",
    "stream": "alice",
    "param": "?key=abc",
}
MEDIAMTX: dict[str, Any] = {
    "ip": "127.0.0.1",
    "user": "",
    "password": "",
    "token": "",
    "action": "publish",
    "path": "live/alice",
    "protocol": "rtmp",
    "id": "6c9f2b1e-0f0d-4c0e-9a35-0d6f4d6a7a11",
    "query": "key=abc",
    "userAgent": "",
}
PARSERS: list[Callable[[bytes], Hook]] = [srs.parse, nginx_rtmp.parse, oryx.parse, mediamtx.parse]
JSON_PARSERS = [srs.parse, oryx.parse, mediamtx.parse]


def body(base: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({name: value for name, value in {**base, **changes}.items() if value is not ...}).encode()


def published(hook: Hook) -> Publish:
    assert isinstance(hook, Publish)
    return hook


@pytest.mark.parametrize(
    ("parse", "raw", "session_id"),
    [
        (srs.parse, body(SRS5), "srs:vid-ms28k44/3v72g105"),
        (oryx.parse, body(ORYX), "oryx:3ab26a09-59b0-42f7-98e3-a281c7d0712b"),
        (mediamtx.parse, body(MEDIAMTX), "mediamtx:6c9f2b1e-0f0d-4c0e-9a35-0d6f4d6a7a11"),
    ],
)
def test_a_publish_is_read(parse: Callable[[bytes], Hook], raw: bytes, session_id: str) -> None:
    ref = published(parse(raw)).ref
    assert (ref.app, ref.stream, ref.key, ref.session_id) == ("live", "alice", "abc", session_id)


def test_a_publish_of_nginx_rtmp_is_read() -> None:
    ref = published(nginx_rtmp.parse(NGINX)).ref
    assert (ref.app, ref.stream, ref.key, ref.client_id, ref.ip) == ("live", "alice", "abc", "7", "127.0.0.1")


def test_an_end_is_of_the_session_that_began() -> None:
    for parse, begin, end in (
        (srs.parse, body(SRS5), body(SRS5, action="on_unpublish")),
        (nginx_rtmp.parse, NGINX, NGINX.replace(b"call=publish", b"call=publish_done")),
        (mediamtx.parse, body(MEDIAMTX), body(MEDIAMTX, action="unpublish", query="", user=...)),
    ):
        ended = parse(end)
        assert isinstance(ended, Unpublish)
        assert ended.ref.session_id == published(parse(begin)).ref.session_id


def test_an_end_of_oryx_names_the_stream_alone() -> None:
    ended = oryx.parse(body(ORYX, action="on_unpublish", request_id="another", param=...))
    assert isinstance(ended, Unpublish)
    assert (ended.ref.path, ended.ref.client_id) == ("live/alice", "")


def test_srs_4_may_leave_out_all_but_action_app_and_stream() -> None:
    ref = published(srs.parse(b'{"action":"on_publish","app":"live","stream":"alice"}')).ref
    assert ref.path == "live/alice"
    assert ref.session_id.startswith("srs:")


def test_a_client_that_is_counted_is_as_good_as_one_that_is_named() -> None:
    for client in (1985, 1985.0):
        assert published(srs.parse(body(SRS5, client_id=client))).ref.client_id == "1985"


@pytest.mark.parametrize("action", sorted(srs.OTHERS))
def test_srs_s_other_actions_are_accepted_and_change_nothing(action: str) -> None:
    assert srs.parse(body(SRS5, action=action, stream=...)) == Ignored(action)


@pytest.mark.parametrize("call", sorted(nginx_rtmp.OTHERS))
def test_nginx_rtmp_s_other_calls_are_accepted_and_change_nothing(call: str) -> None:
    assert nginx_rtmp.parse(f"app=live&call={call}".encode()) == Ignored(call)


def test_mediamtx_asks_about_readers_by_their_address() -> None:
    assert mediamtx.parse(body(MEDIAMTX, action="read", ip="10.1.2.3")) == Ignored("read", "10.1.2.3")
    assert mediamtx.parse(body(MEDIAMTX, action="api", path="", ip="junk")) == Ignored("api", "")


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b"[" * 60_000, b'{"a":' * 9_000])
@pytest.mark.parametrize("parse", JSON_PARSERS)
def test_garbage_is_refused(parse: Callable[[bytes], Hook], raw: bytes) -> None:
    with pytest.raises(HookError):
        parse(raw)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"call", b"call=publish", b"name=alice&app=live", b"&" * 60_000])
def test_garbage_is_refused_by_nginx_rtmp_s_parser(raw: bytes) -> None:
    with pytest.raises(HookError):
        nginx_rtmp.parse(raw)


@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["alice"], {"a": 1}])
@pytest.mark.parametrize("name", ["action", "app", "stream", "param", "vhost", "ip"])
def test_a_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(HookError, match=f"{name} must be a string"):
        srs.parse(body(SRS5, **{name: value}))


@pytest.mark.parametrize("name", ["action", "app", "stream"])
@pytest.mark.parametrize("value", [..., None, ""])
def test_what_is_needed_has_to_be_there(name: str, value: Any) -> None:
    with pytest.raises(HookError, match=f"{name} is missing"):
        srs.parse(body(SRS5, **{name: value}))


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (srs.parse, body(SRS5, action="on explode")),
        (oryx.parse, body(ORYX, action="ON_PLAY")),
        (mediamtx.parse, body(MEDIAMTX, action="<b>")),
        (nginx_rtmp.parse, NGINX.replace(b"call=publish", b"call=" + b"x" * 99)),
    ],
)
def test_what_no_server_calls_an_action_is_refused(parse: Callable[[bytes], Hook], raw: bytes) -> None:
    with pytest.raises(HookError) as caught:
        parse(raw)
    assert caught.value.code == "unknown_action"


@pytest.mark.parametrize("path", ["alice", "", "/alice", "live/", "live/sub/alice", "a b/c"])
def test_a_path_of_mediamtx_is_app_and_stream(path: str) -> None:
    with pytest.raises(HookError):
        mediamtx.parse(body(MEDIAMTX, path=path))


def test_a_key_of_mediamtx_may_be_the_password_or_the_token() -> None:
    assert published(mediamtx.parse(body(MEDIAMTX, query="", password="pw1"))).ref.key == "pw1"
    assert published(mediamtx.parse(body(MEDIAMTX, query="", token="tk1"))).ref.key == "tk1"
    assert published(mediamtx.parse(body(MEDIAMTX, password="pw1"))).ref.key == "abc"
    # Before 1.12.3 the token of a publisher over WHIP stood in the query.
    assert published(mediamtx.parse(body(MEDIAMTX, query="jwt=tk2", token=...))).ref.key == "tk2"


def test_an_end_without_a_publisher_is_of_none() -> None:
    """MediaMTX says so of a path that is always available, as it stops."""
    assert mediamtx.parse(body(MEDIAMTX, action="unpublish", id="")) == Ignored("unpublish")


def test_a_publisher_cannot_speak_for_nginx() -> None:
    """The module appends the publisher's own arguments to its fields."""
    raw = NGINX + b"&call=publish_done&name=bob&app=other&clientid=1&addr=8.8.8.8"
    ref = published(nginx_rtmp.parse(raw)).ref
    assert (ref.app, ref.stream, ref.client_id, ref.ip) == ("live", "alice", "7", "127.0.0.1")


def test_a_key_in_the_server_s_url_reaches_nginx_rtmp_in_tcurl() -> None:
    raw = NGINX.replace(b"&key=abc", b"").replace(b"1935/live&", b"1935/live%3Fkey%3Dfromurl&")
    assert published(nginx_rtmp.parse(raw)).ref.key == "fromurl"


@given(st.binary(max_size=400))
@pytest.mark.parametrize("parse", PARSERS)
def test_no_bytes_bring_a_parser_down(parse: Callable[[bytes], Hook], raw: bytes) -> None:
    try:
        parse(raw)
    except HookError:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(sorted({*SRS5, *ORYX, *MEDIAMTX}))


@given(st.sampled_from([SRS5, ORYX, MEDIAMTX]), st.dictionaries(FIELDS, JSON, max_size=4))
@pytest.mark.parametrize("parse", JSON_PARSERS)
def test_no_shape_of_body_brings_a_parser_down_or_lets_a_name_through(
    parse: Callable[[bytes], Hook], base: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        hook = parse(body(base, **changes))
    except HookError:
        return
    if isinstance(hook, Publish | Unpublish):
        assert all(c.isalnum() or c in "_-/" for c in hook.ref.path)


def test_every_server_s_own_form_of_yes() -> None:
    for answer in (srs.answer, nginx_rtmp.answer, oryx.answer):
        reply = answer(ACCEPTED)
        assert (reply.status, json.loads(reply.body)) == (200, {"code": 0})
    assert mediamtx.answer(ACCEPTED).status == 200


def test_every_server_s_own_form_of_no() -> None:
    verdict = refused("unknown_key", "the key is nobody's")
    error = {"code": "unknown_key", "message": "the key is nobody's"}
    for answer in (srs.answer, oryx.answer):
        reply = answer(verdict)
        assert (reply.status, json.loads(reply.body)) == (403, {"code": 403, "error": error})
    assert nginx_rtmp.answer(verdict).status == 403
    assert mediamtx.answer(verdict).status == 401
    assert json.loads(mediamtx.answer(verdict).body) == {"error": error}


@pytest.mark.parametrize("status", [400, 403, 408, 413, 415, 500, 503])
def test_no_refusal_can_be_taken_for_a_yes(status: int) -> None:
    verdict = refused("any", "any", status)
    for answer in (srs.answer, nginx_rtmp.answer, oryx.answer, mediamtx.answer):
        reply = answer(verdict)
        assert reply.status >= 400
        assert json.loads(reply.body).get("code") != 0
