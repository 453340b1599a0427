"""Requests that are not what they seem: bodies within bodies, paths that go round, hosts that are others'."""

import json
import os
from itertools import product
from typing import Final
from urllib.parse import quote

import pytest
from aiohttp import hdrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.http.app import build_app
from tests.attacks.support import ALSO, TOKEN, assert_unharmed, exchange, state, status_of
from tests.attacks.test_hook_fuzz import HOSTILE
from tests.daemon.http.live import Live
from tests.daemon.http.studio import make_control, make_house

EXAMPLES: Final = 2000 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 150

# --- one request in another ---------------------------------------------------------------------------------------

SMUGGLED: Final = b"POST /queue/hold HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
CHUNKED: Final = b"0\r\n\r\n" + SMUGGLED
FRAMINGS: Final = {
    "length and chunked": (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(CHUNKED), CHUNKED),
    "chunked and length": (b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(CHUNKED), CHUNKED),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED),
    "two lengths in one": (b"Content-Length: 0, %d\r\n" % len(SMUGGLED), SMUGGLED),
    "a length with a sign": (b"Content-Length: +0\r\n", SMUGGLED),
    "a length that is negative": (b"Content-Length: -1\r\n", SMUGGLED),
    "a length with an underscore": (b"Content-Length: 0_0\r\n", SMUGGLED),
    "a hexadecimal length": (b"Content-Length: 0x0\r\n", SMUGGLED),
    "another script's digits": ("Content-Length: \u0660\r\n".encode(), SMUGGLED),
    "a blank before the colon": (b"Content-Length : 0\r\n", SMUGGLED),
    "a folded header": (b"X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\nX-Y:\r\n z\r\n", b""),
    "almost chunked": (b"Transfer-Encoding: xchunked\r\n", CHUNKED),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked\r\n", CHUNKED),
    "chunked and not": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKED),
    "a chunk with a sign": (b"Transfer-Encoding: chunked\r\n", b"+0\r\n\r\n" + SMUGGLED),
    "a chunk with 0x": (b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n" + SMUGGLED),
    "a chunk too large": (b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n" + SMUGGLED),
    "a chunk that is longer than it says": (b"Transfer-Encoding: chunked\r\n", b"1\r\nxx" + CHUNKED),
    "a null in a header": (b"X: a\x00b\r\nContent-Length: 0\r\n", SMUGGLED),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_request_whose_end_is_open_to_doubt_is_refused_with_all_that_follows(fresh: Live, name: str) -> None:
    headers, body = FRAMINGS[name]
    answer = exchange(fresh, b"POST /sign-out HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n" + body)
    assert state(fresh)["held"] is False, answer
    assert status_of(answer) in (0, 400), answer
    assert answer.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize(
    "request_",
    [
        b'POST /hooks/srs HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n{"param": "?key=aGVsbG8"}',
        b"POST /hooks/srs?secret=aGVsbG8 HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nkey aGVsbG8: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Token: aGVsbG8\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_without_a_word_of_it(fresh: Live, request_: bytes) -> None:
    """An RTMP server writes the answer to its hook into its own log."""
    answer = exchange(fresh, request_)
    assert status_of(answer) == 400
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["error"]["code"] == "bad_request"
    assert b"aGVsbG8" not in answer
    assert b"aiohttp" not in head


# --- methods and targets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"TRACE /status HTTP/1.1",
        b"CONNECT evil.example:80 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET /queue/skip HTTP/1.1\r\nX-HTTP-Method-Override: POST",
        b"GET /queue/hold?_method=POST HTTP/1.1\r\nX-HTTP-Method: POST",
        b"PUT /queue/hold HTTP/1.1",
        b"post /queue/hold HTTP/1.1",
        b"POST /queue/hold",
        b"POST  /queue/hold  HTTP/1.1",
        b"POST /queue/hold HTTP/1.1 HTTP/1.1",
        b"POST queue/hold HTTP/1.1",
        b"POST /queue/hold\x00 HTTP/1.1",
        b"POST /queue/hold%00 HTTP/1.1",
        b"POST /queue/hold;a=b HTTP/1.1",
        b"POST /queue%2fhold HTTP/1.1",
        b"POST \\queue\\hold HTTP/1.1",
        b"POST /x/../queue/hold HTTP/1.1\r\nX-Original-URL: /queue/hold\r\nX-Rewrite-URL: /queue/hold",
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk",
        b"GET /events HTTP/1.1\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Key: AAAA\r\nOrigin: null",
    ],
)
def test_no_odd_method_and_no_odd_target_changes_anything(locked: Live, line: bytes) -> None:
    before = state(locked)
    answer = exchange(locked, line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert status_of(answer) in (0, 200, 400, 401, 403, 404, 405, 505), answer
    assert b"101 Switching" not in answer
    assert TOKEN.encode() not in answer
    assert state(locked) == before


@pytest.mark.parametrize("prefix", ["/dashboard/", "/", "//", "/hooks/", "/healthz/", "/queue/"])
@pytest.mark.parametrize(
    "path",
    [
        "../" * 12 + "etc/passwd",
        "..%2f" * 12 + "etc%2fpasswd",
        "%2e%2e/" * 12 + "etc/passwd",
        "..%5c" * 12 + "etc%5cpasswd",
        "..%c0%af" * 12 + "etc%c0%afpasswd",
        "%252e%252e%252f" * 12 + "etc/passwd",
        "....//" * 12 + "etc/passwd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "app.py",
        "../auth.py",
        "..%2fauth.py",
        ".%00./auth.py",
        "index.html%00.js",
    ],
)
def test_no_path_leads_out_of_what_is_served(locked: Live, prefix: str, path: str) -> None:
    answer = exchange(locked, f"GET {prefix}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (0, 400, 401, 403, 404)
    assert b"root:" not in answer
    assert b"import " not in answer


@pytest.mark.parametrize(
    "spelling", ["/status", "/%73tatus", "/status?", "/status#x", "/./status", "http://127.0.0.1/status"]
)
def test_no_spelling_of_a_target_goes_round_the_token(locked: Live, spelling: str) -> None:
    answer = exchange(locked, f"GET {spelling} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (400, 401, 404)


# --- whose host it is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "GET /status HTTP/1.1\r\nHost: evil.example",
        "GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example",
        "GET /status HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1",
        "GET http://evil.example/status HTTP/1.1\r\nHost: 127.0.0.1",
        "GET http://127.0.0.1/status HTTP/1.1\r\nHost: evil.example",
        "GET /status HTTP/1.1\r\nHost: 127.0.0.1.nip.io",
        "GET /status HTTP/1.1\r\nHost: localhost.evil.example",
        "GET /status HTTP/1.1\r\nHost: localhost.",
        "GET /status HTTP/1.1\r\nHost: 0.0.0.0",
        "GET /status HTTP/1.1\r\nHost: [::]",
        "GET /status HTTP/1.1\r\nHost: 127.0.0.1@evil.example",
        "GET /status HTTP/1.1\r\nHost: 127.0.0.1, evil.example",
        "GET /status HTTP/1.1\r\nHost: 2130706433",
        "GET /status HTTP/1.1\r\nHost: 0x7f.1",
        "GET /status HTTP/1.1\r\nHost: localhost\u3002".encode().decode("latin-1"),
    ],
)
def test_a_name_that_is_not_this_machine_s_sees_nothing_however_it_is_put(fresh: Live, head: str) -> None:
    answer = exchange(fresh, f"{head}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert status_of(answer) in (400, 403), answer
    assert b"alice" not in answer


@pytest.mark.parametrize(
    "headers",
    [
        "Host: 0.0.0.0\r\nOrigin: http://evil.example",
        "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\nOrigin: http://127.0.0.1",
        "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nOrigin: http://evil.example",
        "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1@evil.example",
        "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1.evil.example",
        "Host: 127.0.0.1\r\nOrigin: null",
        "Host: 127.0.0.1\r\nOrigin:",
        "Host: 127.0.0.1\r\nOrigin: file://",
        "Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site",
        "Host: 127.0.0.1\r\nSec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site",
        "Host: 127.0.0.1\r\nSec-Fetch-Site: Same-Origin",
    ],
)
def test_a_page_of_another_site_changes_nothing_however_it_says_where_it_is_from(fresh: Live, headers: str) -> None:
    before = state(fresh)
    request = f"POST /queue/hold HTTP/1.1\r\n{headers}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    answer = exchange(fresh, request.encode())
    assert status_of(answer) in (400, 403), answer
    assert state(fresh) == before


# --- every route, with what does not belong there -----------------------------------------------------------------


def routes() -> list[tuple[str, str]]:
    app, _ = build_app(make_control(make_house()))
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    return sorted((method, path) for method, path in found if method != hdrs.METH_HEAD and path != "/events")


ROUTES: Final = routes()
PARAMETERS: Final = ("position", "seconds", "z_offset", "delay_seconds", "count", "reset_time", "streamer", "width")
VALUES: Final = [*HOSTILE[:-7], "-1", "1e999", "nan", "inf", "1_000", "٣", "0x10", "9" * 400, "1", "true", "alice"]
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes | None, str]:
    """A route with hostile parts, a hostile query, and a body that may not belong there."""

    def part() -> str:
        return quote(draw(st.sampled_from(VALUES))[:2000], safe=draw(st.sampled_from(["", "/", "%"])), errors="replace")

    method, path = draw(st.sampled_from(ROUTES))
    method = draw(st.sampled_from([method] * 5 + list(METHODS)))
    target = "/".join(part() if piece.startswith("{") else piece for piece in path.split("/"))
    names = draw(st.lists(st.sampled_from(PARAMETERS), max_size=3))
    query = "&".join(f"{name}={part()}" for name in names)
    body = draw(
        st.sampled_from(
            [None, b"", b"{}", b"[]", b"[" * 5000, b'{"token":[]}', b'{"rtmp_url":"rtmp://x/y/z"}', b"\xff"]
        )
    )
    kind = draw(
        st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded", "a/b;c=" + "d" * 99])
    )
    return method, f"{target}?{query}" if query else target, body, kind


@given(request=requests())
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
def test_no_request_brings_an_error_of_ours_and_none_that_is_refused_changes_anything(
    fresh: Live, request: tuple[str, str, bytes | None, str]
) -> None:
    method, target, body, kind = request
    before = state(fresh)
    answer = fresh.ask(method, target, body, kind)
    assert answer.status < 500 or answer.status in ALSO, answer
    if answer.status >= 400:
        assert state(fresh) == before
        assert method == "HEAD" or set(json.loads(answer.body)["error"]) == {"code", "message"}
    else:
        mend(fresh)


def mend(live: Live) -> None:
    """As it was before a request that was taken."""
    if live.get("/status")["held"]:
        live.ask("POST", "/queue/release")
    live.publish("alice")
    live.until_on_air("alice")


@pytest.mark.parametrize(
    ("method", "path"), [route for route in ROUTES if route[0] != "GET" and "hooks" not in route[1]]
)
def test_deep_and_huge_bodies_are_refused_or_never_read(fresh: Live, method: str, path: str) -> None:
    target = path.replace("{name}", "nobody").replace("{seconds}", "0").replace("{input}", "x")
    before = state(fresh)
    for body, kind in product((b"[" * 60_000, b'{"a":' * 12_000, b"x" * 70_000), ("application/json", "text/plain")):
        answer = fresh.ask(method, target, body, kind)
        assert answer.status < 500 or answer.status in ALSO
    for name in ("held", "blocked"):
        if state(fresh)[name] != before[name]:
            fresh.ask("POST", "/queue/release" if name == "held" else "/block-toggle")
    assert_unharmed(fresh)
