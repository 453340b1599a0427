"""deploy/haproxy.cfg before two channels: each publisher's hook reaches its channel's daemon, and no other."""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.studio.ports import free_port
from tests.daemon.http.live import Live
from tests.deploy.support import DEPLOY, ROOT, done, rewritten, run
from tests.support import blocking_until

pytestmark = [pytest.mark.timeout(120)]

MAP = "/etc/haproxy/motherstream.map"


class Channels(NamedTuple):
    """The proxy's address, and the daemons behind it."""

    url: str
    main: Live
    gold: Live
    log: Path
    """What the proxy has logged."""

    def post(self, server: str, body: bytes, kind: str = "application/json") -> int:
        """What a server's hook is answered: the status."""
        request = urllib.request.Request(f"{self.url}/hooks/{server}", data=body, headers={"Content-Type": kind})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


def in_line(live: Live) -> list[str]:
    """Who is in its line-up."""
    return sorted(place["streamer"] for place in live.get("/status")["queue"])


@pytest.fixture
def channels(tmp_path: Path) -> Iterator[Channels]:
    folders = [tmp_path / name for name in ("main", "gold")]
    for folder in folders:
        folder.mkdir()
    with (
        Live(folders[0], with_obs=False, ingest__apps="live") as main,
        Live(folders[1], with_obs=False, channel="gold", ingest__apps="gold") as gold,
    ):
        port = free_port()
        (tmp_path / "channels.map").write_text("live main\ngold gold\n")
        changes = {
            "127.0.0.1:8090": f"127.0.0.1:{port}",
            "127.0.0.1:8000": f"127.0.0.1:{main.port}",
            "127.0.0.1:8001": f"127.0.0.1:{gold.port}",
            MAP: str(tmp_path / "channels.map"),
        }
        config = rewritten(DEPLOY / "haproxy.cfg", tmp_path / "haproxy.cfg", changes)
        log = tmp_path / "haproxy.log"
        with (
            log.open("wb") as told,
            subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", config], stdout=told, stderr=told) as proxy,
        ):
            channels = Channels(f"http://127.0.0.1:{port}", main, gold, log)
            try:
                blocking_until(lambda: channels.post("srs", b"{}") == 403, 20, ignore=OSError)
                yield channels
            finally:
                proxy.terminate()


def test_haproxy_has_nothing_to_say_against_it(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("live main\n")
    config = rewritten(DEPLOY / "haproxy.cfg", tmp_path / "haproxy.cfg", {MAP: str(tmp_path / "map")})
    result = run("haproxy", "-c", "-V", "-f", config)
    done(result)
    assert "[WARNING]" not in result.stdout + result.stderr


def test_each_publisher_s_hook_reaches_its_channel(channels: Channels) -> None:
    for app in ("live", "gold"):
        srs = {"action": "on_publish", "app": app, "stream": f"srs-{app}", "client_id": f"c-{app}"}
        assert channels.post("srs", json.dumps(srs).encode()) == 200
        form = {"call": "publish", "app": app, "name": f"nginx-{app}", "addr": "127.0.0.1", "clientid": "7"}
        kind = "application/x-www-form-urlencoded"
        assert channels.post("nginx-rtmp", urllib.parse.urlencode(form).encode(), kind) == 200
        path = {"action": "publish", "path": f"{app}/mediamtx-{app}", "protocol": "rtmp", "id": f"id-{app}"}
        assert channels.post("mediamtx", json.dumps(path).encode()) == 200
    assert in_line(channels.main) == ["mediamtx-live", "nginx-live", "srs-live"]
    assert in_line(channels.gold) == ["mediamtx-gold", "nginx-gold", "srs-gold"]


@pytest.mark.parametrize("body", [b'{"action": "on_publish", "app": "other", "stream": "x"}', b"rubbish", b""])
def test_an_app_that_is_no_channel_s_is_refused(channels: Channels, body: bytes) -> None:
    assert channels.post("srs", body) == 403
    assert in_line(channels.main) == in_line(channels.gold) == []


def test_media_mtx_s_question_about_its_api_is_answered_by_a_daemon(channels: Channels) -> None:
    recorded = (ROOT / "tests/daemon/ingest/recorded").glob("mediamtx-*.json")
    bodies = {body for file in recorded for body in re.findall(r'"body": "(.*)"', file.read_text())}
    about_api = {body for body in bodies if r"\"action\":\"api\"" in body}
    assert about_api
    body = min(about_api)
    assert channels.post("mediamtx", json.loads(f'"{body}"').encode()) == 200


@pytest.mark.parametrize("path", ["status", "queue/skip", "hooks", "hooks/../status", "metrics"])
def test_nothing_but_hooks_is_passed_on(channels: Channels, path: str) -> None:
    request = urllib.request.Request(f"{channels.url}/{path}", data=b'{"app": "live"}', method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(request, timeout=20)
    with refused.value:
        assert refused.value.code in (403, 404)
        assert "motherstream" not in str(refused.value.headers).lower()


def test_no_secret_is_logged(channels: Channels) -> None:
    body = {"action": "on_publish", "app": "live", "stream": "alice", "client_id": "1"}
    assert channels.post("srs?secret=s3cr3t-c4n4ry", json.dumps(body).encode()) == 200
    blocking_until(lambda: "POST /hooks/srs" in channels.log.read_text(), 20)
    assert "c4n4ry" not in channels.log.read_text()


def test_the_lines_and_the_status_of_a_channel_bear_its_name(channels: Channels) -> None:
    assert [each.get("/status")["channel"] for each in (channels.main, channels.gold)] == ["main", "gold"]
    for live, name in ((channels.main, "main"), (channels.gold, "gold")):
        lines = [json.loads(line) for line in (live.folder / "motherstream.log").read_text().splitlines()]
        assert {line["channel"] for line in lines} == {name}
        assert f'motherstream_on_air{{channel="{name}"}}' in live.ask("GET", "/metrics").body.decode()
