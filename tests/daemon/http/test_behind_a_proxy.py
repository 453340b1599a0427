"""Behind a proxy: whose tries are counted, whose hooks are taken, where the page is, and what its cookie is like."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from ipaddress import ip_network
from typing import Any, Final

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from daemon.config.model import Hooks, Http
from daemon.http import auth
from daemon.http.forwarded import client_of, whose
from daemon.http.prefix import own_path
from daemon.http.routes.hooks import not_allowed
from daemon.ingest.servers.kinds import SERVERS
from tests.daemon.http.routes.test_hooks import BODIES, send
from tests.daemon.http.studio import House, config, open_house

TOKEN: Final = "correct-horse-battery"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
PUBLIC: Final = "https://show.example/live"


def behind(**http: Any) -> AbstractAsyncContextManager[House]:
    """The daemon with a proxy on its own machine, which is trusted."""
    values: dict[str, Any] = {"token": SecretStr(TOKEN), "trusted_proxies": (ip_network("127.0.0.1"),), **http}
    return open_house(config(http=Http(**values), hooks=Hooks(secret=SecretStr("s3cret"))))


@pytest.fixture
async def proxied() -> AsyncIterator[House]:
    async with behind(public_url=PUBLIC) as made:
        yield made


async def wrong(house: House, headers: Mapping[str, str]) -> int:
    status, _ = await house.get("/status", headers={"Authorization": "Bearer wrong", **headers})
    return int(status)


# --- who asks ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("slow_to_forgive")
@pytest.mark.parametrize("how", ["X-Forwarded-For: {}", "Forwarded: for={};proto=https, for=127.0.0.1"])
async def test_wrong_tokens_behind_a_proxy_keep_out_their_sender_alone(proxied: House, how: str) -> None:
    name, _, value = how.partition(": ")
    mallory, alice = {name: value.format("203.0.113.66")}, {name: value.format("198.51.100.7")}
    assert {await wrong(proxied, mallory) for _ in range(auth.WRONG_TOKENS)} == {401}
    assert await wrong(proxied, mallory) == 429
    assert await wrong(proxied, alice) == 401
    assert (await proxied.get("/status", headers={**BEARER, **mallory}))[0] == 200


@pytest.mark.usefixtures("slow_to_forgive")
async def test_an_address_that_a_client_makes_up_is_not_counted_in_its_place(proxied: House) -> None:
    """The proxy adds the real one at the right."""
    made_up = ({"X-Forwarded-For": f"192.0.2.{n}, 203.0.113.66"} for n in itertools.count())
    for _ in range(auth.WRONG_TOKENS):
        assert await wrong(proxied, next(made_up)) == 401
    assert await wrong(proxied, next(made_up)) == 429


@pytest.mark.usefixtures("slow_to_forgive")
async def test_without_trusted_proxies_no_header_changes_who_is_counted() -> None:
    async with behind(trusted_proxies=()) as house:
        for n in range(auth.WRONG_TOKENS):
            assert await wrong(house, {"X-Forwarded-For": f"192.0.2.{n}", "Forwarded": f"for=192.0.2.{n}"}) == 401
        assert await wrong(house, {"X-Forwarded-For": "192.0.2.99"}) == 429


def client(trusted: str = "127.0.0.0/8, 10.0.0.0/8", peer: str = "127.0.0.1", **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers=named).clone(remote=peer)
    return client_of(request, tuple(ip_network(each) for each in trusted.split(", ")))


def test_who_asks_is_read_from_the_right_past_the_trusted_proxies_alone() -> None:
    assert client(X_Forwarded_For="203.0.113.1, 198.51.100.2, 10.1.1.1") == "198.51.100.2"
    assert client(X_Forwarded_For="10.9.9.9, 10.1.1.1") == "10.9.9.9"
    assert client(X_Forwarded_For="198.51.100.2:4711") == "198.51.100.2"
    assert client(X_Forwarded_For="2001:db8::1") == "2001:db8::1"
    assert client(Forwarded='for="[2001:db8::1]:4711";proto=https') == "2001:db8::1"
    assert client(Forwarded='FOR=203.0.113.1, for="198.51.100.2"') == "198.51.100.2"
    assert client(peer="203.0.113.9", X_Forwarded_For="198.51.100.2") == "203.0.113.9"
    assert client(peer="::ffff:127.0.0.1", X_Forwarded_For="198.51.100.2") == "198.51.100.2"


def test_a_word_of_the_proxies_that_is_in_doubt_counts_for_the_proxy() -> None:
    assert client(X_Forwarded_For="unknown") == "127.0.0.1"
    assert client(X_Forwarded_For="198.51.100.2, nonsense") == "127.0.0.1"
    assert client(X_Forwarded_For="203.0.113.1", Forwarded="for=198.51.100.2") == "127.0.0.1"
    assert client(X_Forwarded_For="203.0.113.1", Forwarded="for=203.0.113.1") == "203.0.113.1"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60),
    st.sampled_from(["X-Forwarded-For", "Forwarded"]),
)
def test_no_header_whatever_it_holds_ends_in_an_error_or_in_no_address(value: str, name: str) -> None:
    found = client(**{name.replace("-", "_"): value})
    assert found == "127.0.0.1" or whose(found)


def test_a_customer_s_ipv6_addresses_count_as_one() -> None:
    assert whose("2001:db8:1:2::1") == whose("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert whose("::1") == "::/64"
    assert whose("2001:db8:1:3::1") != whose("2001:db8:1:2::1")
    assert whose("::ffff:192.0.2.1") == whose("192.0.2.1") == "192.0.2.1"
    assert whose("") == ""


# --- hooks -------------------------------------------------------------------------------------------------------

SIGNS: Final = [
    {"X-Forwarded-For": "203.0.113.66"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "x"},
    {"X-Real-IP": "203.0.113.66"},
    {"Forwarded": "for=203.0.113.66"},
    {"Via": "1.1 proxy"},
]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
@pytest.mark.parametrize("sign", SIGNS, ids=str)
async def test_a_hook_that_passed_a_proxy_needs_the_secret(server: Any, sign: dict[str, str]) -> None:
    async with open_house() as house:
        _, answer = await send(house, server, BODIES[server.name], **sign)
        assert answer["error"]["code"] == "through_a_proxy"
        assert house.dispatcher.events == []
        house.config = config(hooks=Hooks(secret=SecretStr("s3cret")))
        _, answer = await send(house, server, BODIES[server.name], "?secret=no", **sign)
        assert answer["error"]["code"] == "wrong_secret"
        assert house.dispatcher.events == []
        await send(house, server, BODIES[server.name], "?secret=s3cret", **sign)
        assert len(house.dispatcher.events) == 1


async def test_a_hook_from_a_trusted_proxy_s_address_needs_the_secret_without_any_header_too() -> None:
    async with open_house(config(http=Http(trusted_proxies=(ip_network("127.0.0.1"),)))) as house:
        _, answer = await send(house, SERVERS[0], BODIES["srs"])
        assert answer["error"]["code"] == "through_a_proxy"


def test_a_hook_from_a_container_s_bridge_is_refused_with_what_mends_it() -> None:
    for address, network in (("172.18.0.3", "172.18.0.0/16"), ("10.89.0.2", "10.89.0.0/16"), ("fd00::2", "fd00::/64")):
        assert f'("{network}"), to hooks.allow' in not_allowed(address)
    for elsewhere in ("203.0.113.66x", "8.8.8.8", "2606:4700::1", ""):
        assert not_allowed(elsewhere) == "hooks are not accepted from this address (hooks.allow)"


# --- the page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "show.example", "anything"])
async def test_the_page_at_the_public_url_signs_in_whatever_host_the_proxy_passes_on(proxied: House, host: str) -> None:
    headers = {"Host": host, "Origin": "https://show.example"}
    async with proxied.client.post("/sign-in", json={"token": TOKEN}, headers=headers) as response:
        assert response.status == 200
        cookie = response.headers["Set-Cookie"]
    assert "Secure" in cookie
    assert "Path=/live/" in cookie
    own = {"Cookie": cookie.split(";")[0], **headers}
    assert (await proxied.post("/queue/skip", headers=own))[0] == 200


async def test_another_site_is_refused_with_the_key_to_set(proxied: House) -> None:
    for origin in ("https://evil.example", "null", "https://show.example.evil.example", "https://show.example:444"):
        status, answer = await proxied.post("/queue/skip", headers={**BEARER, "Origin": origin})
        assert (status, answer["error"]["code"]) == (403, "cross_site")
        assert "http.public_url" in answer["error"]["message"]
    assert proxied.dispatcher.events == []


async def test_a_browser_that_says_itself_that_it_is_our_page_is_believed_where_there_is_a_token() -> None:
    headers = {"Origin": "https://show.example", "Sec-Fetch-Site": "same-origin"}
    async with behind(trusted_proxies=()) as house:
        assert (await house.post("/sign-in", json={"token": TOKEN}, headers=headers))[0] == 200
        twice = [*headers.items(), ("Sec-Fetch-Site", "same-origin")]
        async with house.client.post("/sign-in", json={"token": TOKEN}, headers=twice) as response:
            assert response.status == 403
    async with open_house() as house:
        assert (await house.post("/sign-in", json={"token": TOKEN}, headers=headers))[0] == 403


async def test_a_trusted_proxy_s_host_is_the_page_s_and_nobody_else_s(proxied: House) -> None:
    headers = {"Host": "127.0.0.1", "Origin": "https://other.example", "X-Forwarded-Host": "other.example"}
    assert (await proxied.post("/sign-in", json={"token": TOKEN}, headers=headers))[0] == 200
    async with behind(trusted_proxies=()) as house:
        assert (await house.post("/sign-in", json={"token": TOKEN}, headers=headers))[0] == 403


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({}, True),  # the public URL's
        ({"Origin": "https://show.example"}, True),
        ({"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}, False),  # past the proxy: it would be lost
        ({"X-Forwarded-Proto": "https"}, True),
    ],
)
async def test_the_cookie_is_secure_where_the_page_came_by_tls(
    proxied: House, headers: dict[str, str], secure: bool
) -> None:
    async with proxied.client.post("/sign-in", json={"token": TOKEN}, headers=headers) as response:
        assert ("Secure" in response.headers["Set-Cookie"]) is secure
    async with proxied.client.post("/sign-out", headers=headers) as response:
        assert ("Secure" in response.headers["Set-Cookie"]) is secure


@pytest.mark.parametrize("path", ["/status", "/live/status", "//status", "/live//status"])
async def test_the_path_is_found_whether_or_not_the_proxy_took_its_own_part_off(proxied: House, path: str) -> None:
    url = proxied.client.make_url("/").with_path(path, encoded=True)
    async with proxied.client.session.get(url, headers=BEARER) as response:
        assert (response.status, (await response.json())["state"]) == (200, "STANDBY")
    async with proxied.client.session.get(url) as response:
        assert response.status == 401, "no other spelling of a path goes round the token"


@pytest.mark.parametrize("path", ["/", "/live", "/live/"])
async def test_the_page_names_the_path_that_its_files_are_under(proxied: House, path: str) -> None:
    async with proxied.client.get(path) as response:
        page = await response.text()
        assert '<base href="/live/">' in page
        assert "base-uri 'self'" in response.headers["Content-Security-Policy"]
    async with proxied.client.get("/live/dashboard/main.js") as response:
        assert response.status == 200


async def test_a_trusted_proxy_may_name_the_path_and_nobody_else() -> None:
    async with behind() as house:
        for prefix, base in (("/show", True), ('/x"><script>', False), ("//evil.example", False), ("/a/../b", False)):
            async with house.client.get("/", headers={"X-Forwarded-Prefix": prefix}) as response:
                assert (f'<base href="{prefix}/">' in await response.text()) is base
    async with behind(trusted_proxies=()) as house, house.client.get("/", headers={"X-Forwarded-Prefix": "/s"}) as page:
        assert "<base" not in await page.text()


def test_no_other_path_loses_its_beginning() -> None:
    assert own_path("/live", "/live") == "/"
    assert own_path("/lively/status", "/live") == "/lively/status"
    assert own_path("/status", "") == "/status"
    assert own_path("///status", "") == "/status"
