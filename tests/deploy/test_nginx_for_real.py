"""Debian's nginx with our configuration and the lines of docs/ingest.md, beside the daemon as it is shipped."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from daemon.streamers.store import StreamerStore
from daemon.studio.ports import free_port
from tests.daemon.http.live import Live
from tests.deploy.support import DEPLOY, rewritten
from tests.support import blocking_until

MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
PICTURE = "-f lavfi -i testsrc2=size=128x72:rate=10 -f lavfi -i sine -c:v libx264 -preset ultrafast -pix_fmt yuv420p"
SECRET = "CHANGE-ME"


def lines_of_the_page(http_port: int) -> str:
    """The block that users copy into http { }."""
    page = (DEPLOY.parent / "docs/ingest.md").read_text()
    found = re.search(r"```nginx\n(server \{.*?rtmp_stat all;.*?)```", page, re.DOTALL)
    assert found
    assert "listen 127.0.0.1:8080;" in found[1]
    return found[1].replace("127.0.0.1:8080", f"127.0.0.1:{http_port}")


class Channel:
    """A daemon and an nginx that know of each other."""

    def __init__(self, folder: Path, live: Live, rtmp: str) -> None:
        self.live = live
        self._folder = folder
        self._rtmp = rtmp
        self._publishers: list[subprocess.Popen[bytes]] = []

    def add(self, name: str) -> str:
        return StreamerStore(self._folder / "motherstream.db").add(name)

    def publish(self, stream: str, key: str) -> "subprocess.Popen[bytes]":
        ffmpeg = ["setpriv", "--pdeathsig", "KILL", "ffmpeg", "-v", "error", "-re", *PICTURE.split(), "-c:a", "aac"]
        command = [*ffmpeg, "-f", "flv", f"{self._rtmp}/{stream}?key={key}"]
        with (self._folder / "ffmpeg.log").open("ab") as log:
            self._publishers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self._publishers[-1]

    def present(self) -> list[str]:
        return [entry["streamer"] for entry in self.live.get("/status")["queue"]]

    def close(self) -> None:
        for publisher in self._publishers:
            publisher.kill()
            publisher.wait()


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Channel]:
    rtmp, http = free_port(), free_port()
    api = f"http://127.0.0.1:{http}"
    live = Live(
        tmp_path,
        queue__auth="keys",
        hooks__secret=SECRET,
        ingest__rtmp_url=f"rtmp://127.0.0.1:{rtmp}/{{app}}/{{stream}}",
        ingest__nginx_stat=f"{api}/stat",
        ingest__nginx_control=f"{api}/control",
        ingest__reconcile="0.5",
    )
    changes = {"listen 1935;": f"listen 127.0.0.1:{rtmp};", "http://127.0.0.1:8000": live.url}
    rewritten(DEPLOY / "nginx-rtmp.conf", tmp_path / "rtmp.conf", changes)
    temporary = "".join(
        f"{each}_temp_path {tmp_path}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"load_module {MODULE}; daemon off; worker_processes 1; pid {tmp_path}/nginx.pid; events {{ }}\n"
        f"http {{ access_log off; {temporary}\n{lines_of_the_page(http)}}}\ninclude {tmp_path}/rtmp.conf;\n"
    )
    command = ["setpriv", "--pdeathsig", "KILL", "nginx", "-p", str(tmp_path), "-e", str(tmp_path / "error.log")]
    with live, subprocess.Popen([*command, "-c", str(tmp_path / "nginx.conf")], stdin=subprocess.DEVNULL) as nginx:
        channel = Channel(tmp_path, live, f"rtmp://127.0.0.1:{rtmp}/live")
        try:
            blocking_until(lambda: urlopen(f"{api}/stat").status == 200, within=20, what="nginx", ignore=OSError)
            yield channel
        finally:
            channel.close()
            nginx.terminate()


def test_a_streamer_is_let_in_listed_and_kicked_and_a_wrong_key_refused(beside: Channel) -> None:
    key = beside.add("alice")
    wrong = beside.publish("alice", "wrong")
    assert wrong.wait(20) != 0
    assert [each["reason"] for each in beside.live.get("/status")["refused"]] == ["unknown_key"]
    right = beside.publish("alice", key)
    blocking_until(lambda: beside.present() == ["alice"], within=20, what="alice is let in")
    blocking_until(lambda: beside.live.on_air() == "alice", within=20, what="alice is on air")
    assert beside.live.ask("POST", "/queue/alice/kick?seconds=60").status == 200
    # nginx ends the connection by rtmp_control; ffmpeg has nobody to send to.
    assert right.wait(20) != 0
    assert beside.present() == []
