"""The proxy snippets of docs/install.md, as they are written there, through a real nginx and a real Caddy."""

import contextlib
import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from daemon.studio.ports import free_port
from tests.daemon.http.live import Live
from tests.deploy.support import ROOT, done, run
from tests.deploy.web_server import WebServer

TOKEN: Final = "token-behind-a-proxy-4711"
SECRET: Final = "secret-of-the-hooks-4711"
HOST: Final = "show.example.org"
PUBLIC: Final = f"https://{HOST}"
DEADLINE: Final = 10.0


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/install.md").read_text(), re.DOTALL)


@dataclass
class Browser:
    """Somebody's, at an address of this machine: each of 127.0.0.0/8 is another client's."""

    port: int
    address: str = "127.0.0.1"
    tls: bool = True
    cookie: str = ""
    origin: str = PUBLIC
    headers: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def open(self, method: str, path: str, body: object = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        source = (self.address, 0)
        link: http.client.HTTPConnection
        if self.tls:
            link = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=DEADLINE, source_address=source, context=context
            )
        else:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE, source_address=source)
        sent = {"Host": HOST, **self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if method != "GET":
            sent["Origin"] = self.origin
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            link.request(method, path, None if body is None else json.dumps(body), sent)
            with link.getresponse() as response:
                yield response
        finally:
            link.close()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        with self.open(method, path, body, **headers) as response:
            return response.status, response.read()

    def sign_in(self, base: str = "") -> str:
        with self.open("POST", f"{base}/sign-in", {"token": TOKEN}) as response:
            assert response.status == 200, response.read()
            cookie = response.headers["Set-Cookie"]
        self.cookie = cookie.split(";")[0]
        return str(cookie)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    keys = {"http__token": TOKEN, "hooks__secret": SECRET, "http__public_url": PUBLIC}
    keys["http__trusted_proxies"] = "127.0.0.1, ::1"
    folder = tmp_path_factory.mktemp("live")
    with Live(folder, headers={"Authorization": f"Bearer {TOKEN}"}, keys=keys) as made:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem")
    done(run(*make, *files, "-subj", f"/CN={HOST}", "-days", "2"))
    return folder


@contextlib.contextmanager
def nginx(folder: Path, server: str, live: Live, certificate: Path) -> Iterator[int]:
    """The snippet, with nothing changed but the ports and where the certificate is."""
    port = free_port()
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8000": f"127.0.0.1:{live.port}",
        f"/etc/letsencrypt/live/{HOST}": str(certificate),
    }
    for old, new in changes.items():
        assert old in server
        server = server.replace(old, new)
    with WebServer.nginx(folder, server, port):
        yield port


def below_a_path() -> str:
    whole, locations = snippets("nginx")
    return re.sub(r"    location /hooks/.*\n}\n", f"{locations}}}\n", whole, flags=re.DOTALL)


# --- nginx -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, live: Live, certificate: Path) -> Iterator[int]:
    with nginx(tmp_path_factory.mktemp("nginx"), snippets("nginx")[0], live, certificate) as port:
        yield port


def assert_signs_in_and_acts(browser: Browser, base: str = "") -> str:
    status, page = browser.ask("GET", f"{base}/")
    assert (status, b"<title>Motherstream" in page) == (200, True)
    assert browser.ask("GET", f"{base}/dashboard/main.js")[0] == 200
    assert browser.ask("GET", f"{base}/status")[0] == 401
    cookie = browser.sign_in(base)
    assert "Secure" in cookie
    assert browser.ask("GET", f"{base}/status")[0] == 200
    assert browser.ask("POST", f"{base}/queue/hold")[0] == 200
    assert browser.ask("POST", f"{base}/queue/release")[0] == 200
    return cookie


def assert_hooks_are_closed(browser: Browser, live: Live, base: str = "") -> None:
    hook = {"action": "on_publish", "app": "live", "stream": "mallory", "client_id": "1"}
    for path in ("/hooks/srs", "//hooks/srs", "/%68ooks/srs", "/x/../hooks/srs", "/hooks//srs"):
        for secret in ("", f"?secret={SECRET}"):
            assert browser.ask("POST", f"{base}{path}{secret}", hook)[0] in (400, 404), path
    assert live.get("/queue")["queue"] == []


def assert_events_come_at_once(browser: Browser, base: str = "") -> None:
    with browser.open("GET", f"{base}/events") as stream:
        assert stream.status == 200
        began = time.monotonic()
        assert b"hello" in stream.readline() + stream.readline()
        assert browser.ask("POST", f"{base}/queue/hold")[0] == 200
        while b"event: lineup_changed" not in stream.readline():
            pass
        assert time.monotonic() - began < DEADLINE / 2, "buffered, it would come much later or never"
    browser.ask("POST", f"{base}/queue/release")


def test_the_nginx_snippet_serves_the_dashboard_its_sign_in_and_its_actions(proxied: int) -> None:
    assert "Path=/;" in assert_signs_in_and_acts(Browser(proxied)) + ";"


def test_the_nginx_snippet_passes_events_on_at_once(proxied: int) -> None:
    browser = Browser(proxied)
    browser.sign_in()
    assert_events_come_at_once(browser)


def test_the_nginx_snippet_closes_the_hooks_however_they_are_spelt(proxied: int, live: Live) -> None:
    assert_hooks_are_closed(Browser(proxied), live)


def test_behind_the_nginx_snippet_wrong_tokens_keep_out_their_sender_alone(proxied: int) -> None:
    mallory, alice = Browser(proxied, "127.0.0.66"), Browser(proxied, "127.0.0.7")
    tries = [
        mallory.ask("GET", "/status", Authorization="Bearer wrong", X_Forwarded_For=f"10.0.0.{n}") for n in range(12)
    ]
    assert tries[-1][0] == 429
    assert alice.ask("GET", "/status", Authorization="Bearer wrong")[0] == 401
    assert mallory.ask("GET", "/status", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_behind_nginx_s_own_host_and_with_no_header_at_all_the_page_works_and_hooks_need_the_secret(
    tmp_path: Path, live: Live, certificate: Path
) -> None:
    """The shortest that people write: a proxy_pass, and nothing else."""
    bare = re.sub(r" +proxy_set_header .*\n| +location /hooks/.*\n", "", snippets("nginx")[0])
    assert "proxy_set_header" not in bare
    with nginx(tmp_path, bare, live, certificate) as port:
        assert_signs_in_and_acts(Browser(port))
        hook = {"action": "on_publish", "app": "live", "stream": "mallory", "client_id": "1"}
        assert Browser(port).ask("POST", "/hooks/srs", hook)[0] == 403
        assert live.get("/queue")["queue"] == []


@pytest.fixture(scope="module")
def live_below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    keys = {"http__token": TOKEN, "hooks__secret": SECRET, "http__public_url": f"{PUBLIC}/motherstream"}
    keys["http__trusted_proxies"] = "127.0.0.1"
    folder = tmp_path_factory.mktemp("below")
    with Live(folder, headers={"Authorization": f"Bearer {TOKEN}"}, keys=keys) as made:
        yield made


STRIPPED: Final = "proxy_pass http://127.0.0.1:8000/;"


@pytest.mark.parametrize(
    ("location", "proxy_pass"),
    [
        ("/motherstream/", STRIPPED),
        ("/motherstream", STRIPPED),  # leaves two slashes at the beginning
        ("/motherstream", "proxy_pass http://127.0.0.1:8000;"),  # takes nothing off
    ],
)
def test_below_a_path_the_page_works_however_the_proxy_takes_it_off(
    tmp_path: Path, live_below: Live, certificate: Path, location: str, proxy_pass: str
) -> None:
    server = (
        below_a_path().replace("location /motherstream/ {", f"location {location} {{").replace(STRIPPED, proxy_pass)
    )
    with nginx(tmp_path, server, live_below, certificate) as port:
        browser = Browser(port)
        assert "Path=/motherstream/" in assert_signs_in_and_acts(browser, "/motherstream")
        assert_events_come_at_once(browser, "/motherstream")
        assert_hooks_are_closed(browser, live_below, "/motherstream")
        status, page = browser.ask("GET", "/motherstream")
        assert status == 301 or b'<base href="/motherstream/">' in page, "no white page without the last slash"


# --- Caddy -------------------------------------------------------------------------------------------------------


def test_the_caddy_snippet_serves_signs_in_passes_events_on_and_closes_the_hooks(tmp_path: Path, live: Live) -> None:
    (site,) = snippets("caddyfile")
    port = free_port()
    # By its address: there is no certificate for that name here.
    site = site.replace(f"{HOST} {{", f"http://{HOST}:{port} {{").replace("127.0.0.1:8000", f"127.0.0.1:{live.port}")
    with WebServer.caddy(tmp_path, f"{{\n    admin off\n}}\n{site}", port):
        browser = Browser(port, tls=False, headers={"Host": f"{HOST}:{port}"})
        assert_signs_in_and_acts(browser)
        assert_events_come_at_once(browser)
        assert_hooks_are_closed(browser, live)
