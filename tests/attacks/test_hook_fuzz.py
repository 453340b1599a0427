"""Hooks as an attacker would write them: those of real servers, changed here and there. ``soak`` tries many more."""

import json
import os
import re
import string
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.ingest.servers.kinds import SERVERS, Server
from tests.attacks.support import assert_unharmed, state
from tests.daemon.http.live import Live
from tests.daemon.ingest.test_hook_bodies import MEDIAMTX, ORYX, SRS5

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
EXAMPLES: Final = 1500 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 75

NGINX: Final = {
    "app": "live",
    "flashver": "FMLE/3.0 (compatible; Lavf59.27)",
    "swfurl": "",
    "tcurl": "rtmp://127.0.0.1:1935/live",
    "pageurl": "",
    "addr": "127.0.0.1",
    "clientid": "7",
    "call": "publish",
    "name": "alice",
    "type": "live",
    "key": "abc",
}
BASES: Final[dict[str, dict[str, Any]]] = {"srs": SRS5, "oryx": ORYX, "mediamtx": MEDIAMTX, "nginx-rtmp": NGINX}
ACTIONS: Final = ["on_publish", "on_unpublish", "publish", "unpublish", "publish_done", "on_play", "read", "ON_PUBLISH"]

HOSTILE: Final = [
    "a ! filesink location=/tmp/x",
    'a" ! filesink location="/tmp/x',
    "a live=1 swfUrl=x",
    "../../../etc/passwd",
    "..",
    "%2e%2e%2f",
    "a/b",
    "a\\b",
    "a\x00b",
    "a\r\nSet-Cookie: a=b",
    "\ud800",
    "\u202egnirts",
    "a\u0301" * 20,
    "é",
    "${jndi:ldap://x}",
    "{stream_key}",
    "%s%n",
    "'; DROP TABLE event; --",
    "<script>alert(1)</script>",
    "a" * 129,
    "a" * 60_000,
    "",
    " ",
    "-",
    "0",
    "NaN",
]
TEXT: Final = st.sampled_from(HOSTILE) | st.text(max_size=12) | st.text(string.ascii_letters + "_-", max_size=8)
ODD: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXT,
    st.lists(TEXT, max_size=3),
    st.dictionaries(st.text(max_size=4), TEXT, max_size=2),
    st.integers(1, 200).map(lambda depth: _nested(depth)),
)
PARAM: Final = st.one_of(
    TEXT,
    st.builds(
        lambda name, value: f"?{name}={quote(value, errors='replace')}", st.sampled_from(["key", "stream_key"]), TEXT
    ),
    st.integers(0, 200).map(lambda count: "?" + "&".join(f"a{number}=b" for number in range(count))),
)


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def fields(draw: st.DrawFn, base: dict[str, Any]) -> list[tuple[str, Any]]:
    """A server's own fields: some left out, changed, doubled, renamed, in another order."""
    found: list[tuple[str, Any]] = list(base.items())
    for name in draw(st.lists(st.sampled_from(sorted(base)), max_size=3)):
        change = draw(st.sampled_from(["drop", "odd", "text", "double", "rename", "param", "action"]))
        place = next((number for number, (field, _) in enumerate(found) if field == name), None)
        if place is None:
            continue
        match change:
            case "drop":
                del found[place]
            case "odd":
                found[place] = (name, draw(ODD))
            case "text":
                found[place] = (name, draw(TEXT))
            case "double":
                found.insert(draw(st.integers(0, len(found))), (name, draw(TEXT)))
            case "rename":
                found[place] = (draw(st.sampled_from([name.upper(), f"{name} ", f"{name}[]", "__proto__"])), base[name])
            case "param":
                found = [(field, draw(PARAM) if field in ("param", "query") else value) for field, value in found]
            case _:
                actions = ("action", "call")
                found = [
                    (field, draw(st.sampled_from(ACTIONS)) if field in actions else value) for field, value in found
                ]
    return draw(st.permutations(found)) if draw(st.booleans()) else found


def as_json(pairs: list[tuple[str, Any]]) -> bytes:
    """With doubled names where there are some, which a dictionary could not hold."""
    return ("{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}").encode()


def as_form(pairs: list[tuple[str, Any]]) -> bytes:
    return urlencode([(name, str(value)) for name, value in pairs], errors="replace").encode()


@st.composite
def bodies(draw: st.DrawFn, server: str) -> bytes:
    """Of one server, or of another that was pointed here, and now and then damaged as bytes."""
    whose = draw(st.sampled_from([server] * 9 + sorted(BASES)))
    write: Callable[[list[tuple[str, Any]]], bytes] = as_form if whose == "nginx-rtmp" else as_json
    raw = write(draw(fields(BASES[whose])))
    match draw(st.sampled_from(["whole"] * 6 + ["cut", "flip", "twice", "utf-16", "bom", "tail"])):
        case "cut":
            return raw[: draw(st.integers(0, len(raw)))]
        case "flip" if raw:
            place = draw(st.integers(0, len(raw) - 1))
            return raw[:place] + bytes([raw[place] ^ draw(st.integers(1, 255))]) + raw[place + 1 :]
        case "twice":
            return raw + raw
        case "utf-16":
            return raw.decode().encode("utf-16")
        case "bom":
            return b"\xef\xbb\xbf" + raw
        case "tail":
            return raw + draw(st.binary(max_size=20))
    return raw


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_no_hook_that_is_refused_changes_anything_and_none_that_is_taken_brings_a_name_that_is_none(
    fresh: Live, server: Server
) -> None:
    @given(raw=bodies(server.name))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def attack(raw: bytes) -> None:
        before = state(fresh)
        answer = fresh.ask("POST", server.path, raw, server.content_type)
        after = state(fresh)
        assert answer.status < 500, answer
        if answer.status >= 400:
            assert json.loads(answer.body)["error"]["code"]
            assert after == before
        assert {**after, "line-up": 0, "on air": 0} == {**before, "line-up": 0, "on air": 0}
        assert all(NAME.fullmatch(name) for name in after["line-up"])
        for name in set(after["line-up"]) - {"alice"}:
            fresh.ask("DELETE", f"/queue/{name}")
        if "alice" not in after["line-up"]:
            fresh.publish("alice")
            fresh.until_on_air("alice")

    attack()
    assert_unharmed(fresh)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_a_hook_without_the_secret_or_from_elsewhere_is_refused_whatever_it_says_of_itself(
    locked: Live, server: Server
) -> None:
    before = state(locked)
    body = as_form(list(NGINX.items())) if server.name == "nginx-rtmp" else as_json(list(BASES[server.name].items()))
    for headers in (
        {"X-Forwarded-For": "10.0.0.1"},
        {"X-Real-IP": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
        {"X-Forwarded-Host": "10.0.0.1", "Host": "10.0.0.1"},
        {"Client-IP": "10.0.0.1", "True-Client-IP": "10.0.0.1", "CF-Connecting-IP": "10.0.0.1"},
    ):
        locked.headers.update(headers)
        try:
            answer = locked.ask("POST", f"{server.path}?secret=secret-of-the-hooks", body, server.content_type)
        finally:
            for name in headers:
                del locked.headers[name]
        assert json.loads(answer.body)["error"]["code"] == "address_not_allowed"
    assert state(locked) == before
