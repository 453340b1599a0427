"""deploy/haproxy-pair.cfg and keepalived.conf before two daemons of one channel: whoever owns it answers."""

import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.studio.ports import free_port
from tests.daemon.http.live import Live
from tests.deploy.support import DEPLOY, done, rewritten, run
from tests.support import blocking_until

pytestmark = [pytest.mark.timeout(120)]


class Front(NamedTuple):
    """The proxy's two addresses, and the daemons behind it."""

    hooks: str
    people: str
    one: Live
    two: Live

    def status(self, url: str, body: bytes | None = None) -> int:
        request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"} if body else {})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@pytest.fixture
def front(tmp_path: Path, store_url: str) -> Iterator[Front]:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Live(folders[0], with_obs=False, store__url=store_url) as one,
        Live(folders[1], with_obs=False, store__url=store_url) as two,
    ):
        hooks, people = free_port(), free_port()
        changes = {
            "127.0.0.1:8090": f"127.0.0.1:{hooks}",
            "127.0.0.1:8080": f"127.0.0.1:{people}",
            "127.0.0.1:8000": f"127.0.0.1:{one.port}",
            "127.0.0.1:8001": f"127.0.0.1:{two.port}",
        }
        config = rewritten(DEPLOY / "haproxy-pair.cfg", tmp_path / "haproxy.cfg", changes)
        with (
            (tmp_path / "haproxy.log").open("wb") as told,
            subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", config], stdout=told, stderr=told) as proxy,
        ):
            front = Front(f"http://127.0.0.1:{hooks}", f"http://127.0.0.1:{people}", one, two)
            try:
                blocking_until(lambda: front.status(f"{front.people}/owner") == 200, 30, ignore=OSError)
                yield front
            finally:
                proxy.terminate()


def test_hooks_and_people_reach_the_owner_whoever_that_is(front: Front) -> None:
    hook = b'{"action":"on_publish","client_id":"c","app":"live","stream":"alice","param":""}'
    assert front.status(f"{front.hooks}/hooks/srs", hook) == 200
    assert front.status(f"{front.hooks}/queue/skip", b"{}") == 403, "nothing but hooks"
    assert [place["streamer"] for place in front.one.get("/queue")["queue"]] == ["alice"]
    front.one.kill()
    blocking_until(lambda: front.status(f"{front.people}/owner") == 200, 30)
    # What the one knew, the other knows.
    assert [place["streamer"] for place in front.two.get("/queue")["queue"]] == ["alice"]
    assert front.status(f"{front.hooks}/hooks/srs", hook.replace(b"alice", b"bob")) == 200
    assert [place["streamer"] for place in front.two.get("/queue")["queue"]] == ["alice", "bob"]


@pytest.mark.parametrize("name", ["haproxy-pair.cfg", "haproxy.cfg"])
def test_haproxy_takes_the_configuration_as_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / "map").write_text("live main\n")
    config = rewritten(DEPLOY / name, tmp_path / "haproxy.cfg", {})
    text = Path(config).read_text().replace("/etc/haproxy/motherstream.map", str(tmp_path / "map"))
    Path(config).write_text(text)
    assert done(run("/usr/sbin/haproxy", "-c", "-f", config))


def test_keepalived_takes_its_configuration() -> None:
    keepalived = shutil.which("keepalived", path="/usr/sbin:/sbin:/usr/bin")
    assert keepalived, "deploy/prepare.sh test installs it"
    checked = subprocess.run(
        [keepalived, "--config-test", "--use-file", str(DEPLOY / "keepalived.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    # The interface is another one on each machine; all else has to be right.
    complaints = [line for line in checked.stderr.splitlines() if "eth0" not in line and "Truncating" not in line]
    assert not [line for line in complaints if "Unknown" in line or "Error" in line or "missing" in line], complaints
