"""Who may use the API: the token, the cookie, and no other site's page."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import hdrs
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr

from daemon.config.model import Http
from daemon.http import auth
from daemon.http.app import build_app
from daemon.http.auth import Guard, TokenAttempts
from statemachine.events import Actor, OperatorEvent
from tests.daemon.http.studio import House, config, make_control, make_house, open_house

TOKEN = "correct-horse-battery"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def locked() -> AsyncIterator[House]:
    async with open_house(config(token=TOKEN)) as made:
        yield made


def every_route() -> list[tuple[str, str]]:
    app, _ = build_app(make_control(make_house()))
    routes = ((route.method, route.resource) for route in app.router.routes())
    return sorted((method, found.canonical) for method, found in routes if found and method != hdrs.METH_HEAD)


ROUTES = every_route()
OTHERS = ("/hooks/", auth.PEER_HOOK)
"""For ingest servers, and for the channel's other daemon."""
CHANGING = [(method, path) for method, path in ROUTES if method != "GET" and not path.startswith(OTHERS)]
GUARDED = [(method, path) for method, path in ROUTES if path not in auth.OPEN and not path.startswith(OTHERS)]


def filled(path: str) -> str:
    return path.replace("{name}", "bob").replace("{seconds}", "9").replace("{input}", "x")


def test_the_routes_are_those_of_the_contract() -> None:
    for method, path in (
        ("GET", "/status"),
        ("GET", "/queue"),
        ("POST", "/queue/skip"),
        ("POST", "/queue/{name}/move"),
        ("DELETE", "/queue/{name}"),
        ("POST", "/queue/{name}/kick"),
        ("POST", "/queue/hold"),
        ("POST", "/queue/release"),
        ("GET", "/queue-json"),
        ("GET", "/time-settings"),
        ("GET", "/timer-data"),
        ("POST", "/update-timer/{seconds}"),
        ("GET", "/block-toggle"),
        ("POST", "/block-toggle"),
        ("POST", "/debug/test-dynamic-source-switch"),
        ("POST", "/debug/set-source-z-offset"),
        ("GET", "/debug/get-source-z-offset"),
        ("GET", "/debug/obs-job-delay"),
        ("POST", "/debug/obs-job-delay"),
        ("GET", "/obs/list-inputs"),
        ("GET", "/obs/media-input-status/{input}"),
        ("GET", "/obs/connection-health"),
        ("POST", "/obs/force-reconnect"),
        ("GET", "/obs/streaming-status"),
        ("GET", "/events"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("POST", "/hooks/srs"),
        ("POST", "/hooks/nginx-rtmp"),
        ("POST", "/hooks/oryx"),
        ("POST", "/hooks/mediamtx"),
    ):
        assert (method, path) in ROUTES


async def test_a_timer_page_from_elsewhere_reads_the_seconds_without_a_token(locked: House) -> None:
    async with locked.client.get("/timer-data", headers={"Origin": "http://absolute"}) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert list(await response.json()) == ["remaining_time"]
    async with locked.client.get("/time-settings", headers=BEARER) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


# --- with a token ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_every_route_needs_the_token(locked: House, method: str, path: str) -> None:
    async with locked.client.request(method, filled(path)) as response:
        answer = await response.json()
    assert response.status == 401
    assert answer["error"]["code"] == "unauthorized"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert locked.dispatcher.events == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"X-Token": "wrong"},
        {"X-Token": "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")},
        {"Cookie": f"motherstream={TOKEN}"},
        {"Cookie": "motherstream=99999999999.0000"},
        {"Cookie": "motherstream=1." + "0" * 64},
    ],
)
async def test_anything_else_is_not_the_token(locked: House, headers: dict[str, str]) -> None:
    assert (await locked.get("/status", headers=headers))[0] == 401


@pytest.mark.parametrize("headers", [BEARER, {"X-Token": TOKEN}, {"Authorization": f"bearer {TOKEN}"}])
async def test_the_token_lets_in(locked: House, headers: dict[str, str]) -> None:
    assert (await locked.get("/status", headers=headers))[0] == 200
    assert (await locked.post("/queue/skip", headers=headers))[0] == 200


@pytest.mark.parametrize(
    "path", ["/%2e%2e/status", "//status", "/hooks/../status", "/hooks/..%2fstatus", "/healthz/../status", "/status/"]
)
async def test_no_spelling_of_a_path_goes_round_the_token(locked: House, path: str) -> None:
    reader, writer = await asyncio.open_connection(locked.client.host, locked.client.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 400"))


@pytest.mark.usefixtures("slow_to_forgive")
async def test_wrong_tokens_are_limited_and_other_requests_are_not(locked: House) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [(await locked.get("/status", headers=wrong))[0] for _ in range(auth.WRONG_TOKENS)]
    assert set(statuses) == {401}
    async with locked.client.get("/status", headers=wrong) as response:
        answer = await response.json()
    assert (response.status, answer["error"]["code"]) == (429, "too_many_tries")
    assert 1 <= int(response.headers["Retry-After"]) <= auth.REFILL + 1
    assert (await locked.get("/status"))[0] == 401
    assert (await locked.get("/healthz"))[0] == 200


def test_an_address_may_try_again_later_and_others_at_once() -> None:
    now = 100.0
    tries = TokenAttempts(lambda: now)
    for _ in range(auth.WRONG_TOKENS):
        assert tries.wait("a") == 0
        tries.wrong("a")
    assert tries.wait("a") == pytest.approx(auth.REFILL)
    assert tries.wait("b") == 0
    now += auth.REFILL
    assert tries.wait("a") == 0
    tries.wrong("a")
    assert tries.wait("a") == pytest.approx(auth.REFILL)


def test_no_crowd_of_addresses_makes_it_grow_without_end() -> None:
    tries = TokenAttempts(lambda: 1.0)
    for number in range(auth.MOST_ADDRESSES + 10):
        tries.wrong(str(number))
    assert len(tries._forgiven_at) == auth.MOST_ADDRESSES


# --- signing in --------------------------------------------------------------------------------------------------


async def test_signing_in_sets_a_cookie_that_lets_in_and_holds_no_token(locked: House) -> None:
    assert await locked.get("/sign-in") == (200, {"token_required": True, "signed_in": False})
    async with locked.client.post("/sign-in", json={"token": TOKEN}) as response:
        header = response.headers["Set-Cookie"]
    assert response.status == 200
    assert TOKEN not in header
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    cookie = {"Cookie": header.split(";")[0]}
    assert (await locked.get("/status", headers=cookie))[0] == 200
    assert (await locked.get("/sign-in", headers=cookie))[1]["signed_in"] is True
    tampered = {"Cookie": cookie["Cookie"][:-1] + ("0" if cookie["Cookie"][-1] != "0" else "1")}
    assert (await locked.get("/status", headers=tampered))[0] == 401


async def test_signing_out_takes_the_cookie_back(locked: House) -> None:
    async with locked.client.post("/sign-out") as response:
        assert 'motherstream="";' in response.headers["Set-Cookie"]


@pytest.mark.usefixtures("slow_to_forgive")
async def test_wrong_tokens_at_the_sign_in_are_limited_too(locked: House) -> None:
    for _ in range(auth.WRONG_TOKENS):
        assert (await locked.post("/sign-in", json={"token": "wrong"}))[0] == 401
    assert (await locked.post("/sign-in", json={"token": "wrong"}))[0] == 429


@pytest.mark.usefixtures("slow_to_forgive")
async def test_the_right_token_passes_however_many_wrong_ones_come_from_its_address(locked: House) -> None:
    for _ in range(3 * auth.WRONG_TOKENS):
        await locked.get("/status", headers={"Authorization": "Bearer wrong"})
    assert (await locked.get("/status", headers={"Authorization": "Bearer wrong"}))[0] == 429
    assert (await locked.get("/status", headers=BEARER))[0] == 200
    assert (await locked.post("/queue/skip", headers=BEARER))[0] == 200
    assert (await locked.post("/sign-in", json={"token": TOKEN}))[0] == 200


def test_a_cookie_ends_with_its_time_and_with_its_token() -> None:
    wall = 1000.0
    guard = Guard(lambda: Http(token=SecretStr(TOKEN)), wall=lambda: wall)
    cookie = guard._cookie(2000)

    request = make_mocked_request("GET", "/", headers={"Cookie": f"{auth.COOKIE}={cookie}"})
    assert guard._has_cookie(request)
    assert not Guard(lambda: Http(token=SecretStr("another")), wall=lambda: wall)._has_cookie(request)
    wall = 2001.0
    assert not guard._has_cookie(request)


# --- without a token ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_cross_site_form_post_changes_nothing(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with house.client.request(method, filled(path), headers={**headers, **form}, data=b"a=b") as response:
        answer = await response.json()
    assert (response.status, answer["error"]["code"]) == (403, "cross_site")
    assert house.dispatcher.events == []
    assert house.studio.reconnects == 0


async def test_with_the_token_a_cross_site_post_changes_nothing_either(locked: House) -> None:
    headers = {**BEARER, "Origin": "https://evil.example"}
    assert (await locked.post("/queue/skip", headers=headers))[0] == 403
    assert locked.dispatcher.events == []


async def test_the_dashboard_s_own_requests_pass(house: House) -> None:
    own = {"Origin": f"http://127.0.0.1:{house.client.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await house.post("/queue/skip", headers=own))[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.168.0.9", "[::", "localhost.evil"]
)
@pytest.mark.parametrize("path", ["/status", "/queue", "/events", "/metrics", "/sign-in"])
async def test_a_name_that_was_pointed_here_sees_nothing(house: House, host: str, path: str) -> None:
    status, answer = await house.get(path, headers={"Host": host})
    assert (status, answer["error"]["code"]) == (403, "bad_host")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:8000", "LOCALHOST"])
async def test_this_machine_s_own_names_are_served(house: House, host: str) -> None:
    assert (await house.get("/status", headers={"Host": host}))[0] == 200


async def test_with_a_token_any_name_is_served(locked: House) -> None:
    assert (await locked.get("/status", headers={**BEARER, "Host": "studio.example"}))[0] == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_page_cannot_pose_as_an_ingest_server(house: House, headers: dict[str, str]) -> None:
    body = "app=live&name=mallory&call=publish&clientid=1"
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    assert (await house.post("/hooks/nginx-rtmp", data=body, headers=form))[0] == 403
    assert house.dispatcher.events == []


async def test_who_asks_is_told_to_the_rules(house: House, locked: House) -> None:
    await house.post("/queue/hold")
    await locked.post("/queue/hold", headers=BEARER)
    async with locked.client.post("/sign-in", json={"token": TOKEN}) as response:
        cookie = response.cookies[auth.COOKIE].value
    await locked.post("/queue/hold", headers={"Cookie": f"{auth.COOKIE}={cookie}"})
    events = (*house.dispatcher.events, *locked.dispatcher.events)
    assert [event.actor for event in events if isinstance(event, OperatorEvent)] == [
        Actor("local"),
        Actor("token"),
        Actor("sign-in"),
    ]
