"""Addresses that lead elsewhere: in the URL given by hand, in hooks, and in what other servers answer."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.core.ports import IngestError
from daemon.http.errors import ApiError
from daemon.http.manual_stream import read_url
from daemon.ingest.api import Api, open_client
from daemon.ingest.auth_url import UrlAuth
from daemon.ingest.hook import JSON, Hook, Publish
from daemon.ingest.listing import IngestServer
from daemon.ingest.servers import mediamtx, nginx_rtmp, oryx, srs
from daemon.ingest.servers.mediamtx_api import MediaMtxServer
from daemon.ingest.servers.oryx_api import OryxServer
from daemon.ingest.servers.srs_api import SrsServer
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import HookError
from daemon.obs.pipeline import STREAM_URL
from statemachine.events import Session
from tests.daemon.ingest.helpers import ref, yes
from tests.daemon.ingest.test_hook_bodies import MEDIAMTX, NGINX, ORYX, SRS5, body
from tests.fakes.serving import Serving

# --- the URL that an operator gives -------------------------------------------------------------------------------

TEMPLATE: Final = "rtmp://media.example:1935/{app}/{stream}"
OURS: Final = re.compile(
    r"rtmp://media\.example:1935/[A-Za-z0-9_-]{1,128}/[A-Za-z0-9_-]{1,128}(\?[A-Za-z0-9._~&=-]*)?", re.ASCII
)
SCHEMES: Final = [
    "rtmp://",
    "RTMP://",
    "rtmps://",
    "http://",
    "file://",
    "rtmp:",
    "rtmp:/",
    "//",
    "rtmp:///",
    "rtmp:\\\\",
]
USERS: Final = [
    "",
    "",
    "",
    "user@",
    "media.example@",
    "media.example:1935@",
    "user:pw@",
    "@",
    "%40@",
    "\\@",
    "#@",
    "?@",
]
HOSTS: Final = [
    "media.example",
    "MEDIA.Example",
    "media.example.",
    "media\u3002example",
    "\uff4dedia.example",
    "m\u00e9dia.example",
    "xn--mdia-bpa.example",
    "media.example%00.evil.example",
    "media.example%2eevil.example",
    "media.example.evil.example",
    "evil.example",
    "evil.example#media.example",
    "evil.example\\media.example",
    "media.example evil.example",
    "media.example\tevil",
    "media.example,evil.example",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:169.254.169.254]",
    "[fe80::1%25eth0]",
    "[media.example]",
    "169.254.169.254",
    "metadata.google.internal",
    "localhost",
    "0",
    "",
]
PORTS: Final = [
    "",
    ":",
    ":1935",
    ":01935",
    ":+1935",
    ":1_935",
    ":1935 ",
    ":80",
    ":0",
    ":65536",
    ":-1",
    ":\uff11935",
    ":19350",
]
PATHS: Final = [
    "/live/alice",
    "/live/alice/",
    "//live/alice",
    "/live//alice",
    "/../live/alice",
    "/live/..",
    "/live/%2e%2e",
    "/live/a%2fb",
    "/live/alice;x=y",
    "/live/alice live=1",
    '/live/alice" ! filesink location="x',
    "/live",
    "",
    "/live/alice@evil.example/x",
]
QUERIES: Final = [
    "",
    "?key=abc",
    "?",
    "?key=a&key=b",
    "?key=%22",
    "?@evil.example",
    "?key=a#b",
    "#",
    "?a=b c",
    "?=",
    "?key=a%26b",
]


def read(text: str) -> str | ApiError:
    """What is played, or the refusal."""
    try:
        return read_url(text, TEMPLATE).url
    except ApiError as error:
        return error


SOUND: Final = ("rtmp://", "", "media.example", ":1935", "/live/alice", "?key=abc")
CHANGES: Final = (SCHEMES, USERS, HOSTS, PORTS, PATHS, QUERIES)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, ...]:
    """A URL that is taken, with up to three of its parts changed: what all is odd about is refused for any of it."""
    changed = draw(st.sets(st.integers(0, len(SOUND) - 1), max_size=3))
    return tuple(draw(st.sampled_from(CHANGES[n])) if n in changed else part for n, part in enumerate(SOUND))


@given(parts=spellings())
@example(parts=(*SOUND[:3], ":0", *SOUND[4:]))
@settings(max_examples=500)
def test_a_url_given_by_hand_names_the_configured_server_or_is_refused(parts: tuple[str, ...]) -> None:
    text = "".join(parts)
    taken = read(text)
    if isinstance(taken, ApiError):
        assert taken.status == 400
        assert text not in str(taken)
        return
    assert OURS.fullmatch(taken), (text, taken)
    assert STREAM_URL.fullmatch(taken)
    _, user, host, port, _, _ = parts
    assert (user, host.lower()) == ("", "media.example")
    assert port in ("", ":", ":1935", ":01935")


@given(
    text=st.text(max_size=60)
    | st.text("rtmps:/@[]%?#&=.\\media.example19350alv", max_size=60).map("rtmp://media".__add__)
)
def test_no_text_at_all_names_another_server(text: str) -> None:
    taken = read(text)
    assert taken.status == 400 if isinstance(taken, ApiError) else OURS.fullmatch(taken)


# --- what a hook says of addresses --------------------------------------------------------------------------------

EVIL: Final = "rtmp://evil.example:1935/live"
LIES: Final[list[tuple[Callable[[bytes], Hook], bytes]]] = [
    (
        srs.parse,
        body(SRS5, tcUrl=EVIL, stream_url="//evil.example/live/alice", vhost="evil.example", ip="evil.example"),
    ),
    (srs.parse, body(SRS5, param="?vhost=evil.example&url=rtmp://evil.example/a/b&host=evil.example:1935")),
    (oryx.parse, body(ORYX, vhost="evil.example", param=f"?tcUrl={EVIL}", opaque=EVIL)),
    (mediamtx.parse, body(MEDIAMTX, protocol="http", query=f"host=evil.example&u={EVIL}", ip="evil.example")),
    (
        nginx_rtmp.parse,
        NGINX.replace(b"tcurl=rtmp://127.0.0.1:1935/live", f"tcurl={EVIL}".encode()) + b"&host=evil.example",
    ),
]


@pytest.mark.parametrize(("parse", "raw"), LIES)
@pytest.mark.parametrize(
    "template", [TEMPLATE, TEMPLATE + "{param}", "rtmp://media.example:1935/m/live?stream_key={stream_key}"]
)
def test_no_hook_leads_obs_to_another_server(parse: Callable[[bytes], Hook], raw: bytes, template: str) -> None:
    try:
        hook = parse(raw)
    except HookError:
        return
    assert isinstance(hook, Publish)
    sessions = SessionDirectory(lambda: template)
    url = sessions.play_url(sessions.open(hook.ref, yes(), 1.0))
    assert url.startswith("rtmp://media.example:1935/")
    assert "@" not in url
    assert STREAM_URL.fullmatch(url)


def test_no_session_of_the_rules_is_played_from_a_name_outside_the_allow_list() -> None:
    """A journal may have been written by somebody else."""
    sessions = SessionDirectory(lambda: TEMPLATE)
    for app, stream in (("live", "a ! b"), ("..", "alice"), ("live", ""), ("live", "a/b"), ("live", "a" * 129)):
        with pytest.raises(ValueError, match="allow-list"):
            sessions.play_url(Session("srs:1/x", "alice", app, stream))


# --- what other servers answer ------------------------------------------------------------------------------------


class Redirecting(Serving):
    """Sends everybody somewhere else."""

    def __init__(self, target: str, status: int) -> None:
        super().__init__()
        self._target, self._status = target, status

    def routes(self) -> list[web.RouteDef]:
        async def send_away(request: web.Request) -> web.Response:
            return web.Response(status=self._status, headers={"Location": f"{self._target}{request.path_qs}"})

        return [web.route("*", "/{tail:.*}", send_away)]


class Yes(Serving):
    """Answers everything as every server would that agrees."""

    def routes(self) -> list[web.RouteDef]:
        answer: dict[str, Any] = {"code": 0, "streams": [], "items": [], "data": {"streams": []}, "streamer": "mallory"}

        async def agree(_: web.Request) -> web.Response:
            return web.Response(body=json.dumps(answer), content_type="application/json")

        return [web.route("*", "/{tail:.*}", agree)]


SERVERS: Final[list[Callable[[Api], IngestServer]]] = [
    SrsServer,
    MediaMtxServer,
    lambda api: OryxServer(api, SessionDirectory(lambda: TEMPLATE)),
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_no_token_carried_along(status: int) -> None:
    async with Yes() as elsewhere, Redirecting(elsewhere.url, status) as server, open_client() as http:
        answer = await UrlAuth(http)(f"{server.url}/auth", b"{}", JSON, 2.0)
        assert not answer.accepted
        for make in SERVERS:
            asked = make(Api("it", server.url, http, "api-token"))
            with pytest.raises(IngestError, match=f"answered {status}"):
                await asked.publishers()
        with pytest.raises(IngestError, match=f"answered {status}"):
            await SrsServer(Api("it", server.url, http, "api-token")).kick(Session("srs:1/x", "alice", "live", "alice"))
        assert len(server.requests) >= 5
        assert elsewhere.requests == []


async def test_no_proxy_of_the_environment_comes_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Yes() as proxy, Yes() as service, open_client() as http:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await UrlAuth(http)(f"{service.url}/auth", b"{}", JSON, 2.0)).accepted
        assert proxy.requests == []


def test_a_client_s_id_is_no_path_of_an_api() -> None:
    for client in ("../streams", "a/b", "a?b", "a b", "%2e%2e", "a" * 129):
        with pytest.raises(HookError):
            ref("alice", client)
