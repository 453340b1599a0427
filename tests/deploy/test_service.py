"""The daemon as the service that it is: under a real systemd, confined by every directive of its unit.

Where no namespaces can be made (without root, say) these tests are skipped by name, and test_unit.py's line by line
is what is left.
"""

import contextlib
import http.server
import json
import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from daemon.cli.exit_codes import EXIT_CONFIG
from daemon.probe.process import MOST_DATA
from daemon.studio.ports import free_port
from tests.deploy.support import run
from tests.deploy.systemd import PROBE, SYSTEMD, USER, Systemd, write_config
from tests.fakes.threaded import DEADLINE, PASSWORD, ThreadedObs
from tests.support import blocking_until

TOKEN: Final = "t0ken-of-the-api-itself"
SECRET: Final = "what-the-hooks-bear-0123456789"
OWN_DIRECTORIES: Final = ("/var/lib/motherstream", "/var/log/motherstream")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not SYSTEMD.exists(), reason="a systemd of one's own takes root, and systemd"
)


class Heard:
    """A daemon that wants one stream measured, and what a probe has told it."""

    def __init__(self) -> None:
        self.tokens: set[str | None] = set()
        self.loudness: float | None = None
        self.last: object = None
        """What it told last."""

    @contextlib.contextmanager
    def listening(self, stream: str) -> Iterator[str]:
        """Its address."""
        heard = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.tokens.add(self.headers.get("Authorization"))
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                heard.last = told
                for report in told["streams"]:
                    heard.loudness = (report["sound"] or {}).get("loudness") or heard.loudness
                order = {"session": "srs:1", "streamer": "alice", "url": stream}
                body = json.dumps({"streams": [order], "previews": True, "left_out": 0}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Not here."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


def pids_of(user: int) -> list[int]:
    """The processes of a user."""
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if each.stat().st_uid == user]


def limits_of(pid: int) -> dict[str, str]:
    """What a process may take, by the kernel's own words (proc(5))."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return {line[:26].strip(): line[26:].strip() for line in lines}


class Service:
    """The service and what it works with."""

    def __init__(self, systemd: Systemd, obs: ThreadedObs) -> None:
        self.systemd = systemd
        self.obs = obs
        self.port = free_port()

    def configure(self, **http: object) -> None:
        """Write its configuration and its credentials."""
        write_config(
            self.systemd,
            {
                "http": {"port": self.port, **http},
                "obs": {"port": self.obs.port},
                "queue": {"auth": "open"},
                "sources": {"job_delay": 0, "cleanup_grace": 0},
                "store": {"path": "/var/lib/motherstream/motherstream.db"},
                "log": {"file": "/var/log/motherstream/motherstream.log", "level": "debug"},
                "health": {"report_dir": "/var/lib/motherstream/stream-health"},
            },
        )
        self.systemd.put("/run/credstore/motherstream.obs.password", f"{PASSWORD}\n", 0o600)
        self.systemd.put("/run/credstore/motherstream.http.token", f"{TOKEN}\n", 0o600)
        self.systemd.put("/run/credstore/motherstream.hooks.secret", f"{SECRET}\n", 0o600)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=5) as answer:
            return json.loads(answer.read())

    def publish(self, name: str) -> bool:
        hook = {"action": "on_publish", "app": "live", "stream": name, "client_id": f"c-{name}"}
        return bool(self.ask("POST", f"/hooks/srs?secret={SECRET}", hook) == {"code": 0})

    def on_air(self) -> str | None:
        status = self.ask("GET", "/status")
        return status["on_air"]["streamer"] if status["on_air"] else None

    def until(self, condition: Callable[[], object], within: float = DEADLINE) -> None:
        """Wait until it holds."""
        blocking_until(condition, within, ignore=OSError, tell=lambda: self.systemd.told()[-3000:])

    def adopted(self, since: int) -> Callable[[], bool]:
        """A later daemon than that one, which has found OBS and what is on air."""
        return lambda: self.systemd.pid not in (0, since) and self.on_air() == "alice" and self.has_obs()

    def within(self, *command: str, user: int = 0, group: int | None = None) -> subprocess.CompletedProcess[str]:
        """A command that sees the files as the daemon does, as this user."""
        ids = f"--reuid={user} --regid={user if group is None else group} --clear-groups".split()
        return run("nsenter", f"--target={self.systemd.pid}", "--mount", "--", "setpriv", *ids, "--", *command)

    def has_obs(self) -> bool:
        return bool(self.ask("GET", "/status")["obs"]["connected"])


@pytest.fixture(scope="module")
def machine() -> Iterator[tuple[Systemd, ThreadedObs]]:
    with contextlib.ExitStack() as stack:
        obs = stack.enter_context(ThreadedObs())
        try:
            systemd = stack.enter_context(Systemd())
        except OSError as error:
            pytest.skip(f"no systemd of one's own on this machine: {error}")
        yield systemd, obs


@pytest.fixture(scope="module")
def running(machine: tuple[Systemd, ThreadedObs]) -> Service:
    made = Service(*machine)
    made.configure()
    return made


@pytest.fixture
def service(running: Service) -> Service:
    """It runs, with alice on air and bob on standby."""
    running.systemd.ctl("start", "motherstream")
    for name in ("alice", "bob"):
        running.until(lambda name=name: running.publish(name))  # type: ignore[misc]  # a lambda's default
    running.until(lambda: running.has_obs() and running.on_air() is not None)
    if running.on_air() == "bob":
        running.ask("POST", "/queue/skip")
    running.until(lambda: running.on_air() == "alice" and (running.ask("GET", "/status")["standby"] or {}).get("ready"))
    return running


def test_it_hands_over_with_no_right_and_under_a_filter_of_its_system_calls(service: Service) -> None:
    service.ask("POST", "/queue/skip")
    service.until(lambda: service.on_air() == "bob")
    status = dict(
        line.split(":\t")
        for line in Path(f"/proc/{service.systemd.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == [str(USER)] * 4
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert int(status[f"Cap{kind}"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    # Nothing that it tried was refused: a refusal would be told, as EPERM.
    assert "not permitted" not in service.systemd.told()
    assert "Traceback" not in service.systemd.told()


def test_it_can_write_to_its_state_and_its_log_and_to_nothing_else(service: Service) -> None:
    mounts = [line.split() for line in Path(f"/proc/{service.systemd.pid}/mountinfo").read_text().splitlines()]
    # Of several mounts in one place the last is what is seen there.
    writable = {place for place, flags in {mount[4]: mount[5] for mount in mounts}.items() if "rw" in flags.split(",")}
    # systemd 257 and later leave /sys itself as it is, and lend a service the file by which it hears of lack of memory.
    pressure = "/sys/fs/cgroup/system.slice/motherstream.service/memory.pressure"
    kernel = {"/proc", "/dev/pts", "/dev/mqueue", "/sys", pressure}
    assert {*OWN_DIRECTORIES} <= writable
    assert writable - kernel <= {*OWN_DIRECTORIES, "/tmp", "/var/tmp"}
    found = service.within("find", "/sys", "-not", "-type", "l", "-writable", user=USER).stdout.split()
    assert set(found) <= {pressure}
    # And by trying, as root even: what is mounted read-only is so for everybody.
    elsewhere = (
        "/ /etc /etc/motherstream /opt/motherstream /usr/lib /var /var/lib /var/log /run /run/lock /dev /dev/shm"
    )
    for place in elsewhere.split():
        if place == "/run/lock" and not service.systemd.path(place).exists():
            continue  # systemd 258 and later make none
        tried = service.within("touch", f"{place}/tried")
        assert "Read-only file system" in tried.stderr, place
    for place in OWN_DIRECTORIES:
        assert list(service.systemd.path(place).iterdir()), f"nothing was written to {place}"


def test_its_secrets_come_by_credentials_and_stand_neither_in_its_environment_nor_in_its_log(service: Service) -> None:
    pid = service.systemd.pid
    credentials = service.systemd.path("/run/credentials/motherstream.service")
    assert credentials.stat().st_mode & 0o007 == 0
    # By trying: what the group may do is not told by the mode where there is a list of others besides.
    for user, group in ((USER + 1, USER + 1), (USER + 1, 0), (USER + 1, USER)):
        tried = service.within("ls", "/run/credentials/motherstream.service", user=user, group=group)
        assert "Permission denied" in tried.stderr, (user, group)
    assert (credentials / "obs.password").read_text().strip() == PASSWORD
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{service.port}/status", timeout=5)
    refused.value.close()
    exposed = [Path(f"/proc/{pid}/{name}").read_text() for name in ("environ", "cmdline")]
    log = service.systemd.path("/var/log/motherstream/motherstream.log").read_text()
    for text in (*exposed, log, service.systemd.told(), service.systemd.ctl("show", "motherstream")):
        assert PASSWORD not in text
        assert TOKEN not in text
    # Who else may read them: the group the log, nobody the database.
    assert service.systemd.path("/var/log/motherstream/motherstream.log").stat().st_mode & 0o777 == 0o640
    assert service.systemd.path("/var/lib/motherstream/motherstream.db").stat().st_mode & 0o777 == 0o600


def test_a_daemon_that_is_killed_is_started_again_and_has_not_touched_the_picture(service: Service) -> None:
    pid, shown = service.systemd.pid, service.obs.shown()
    os.kill(pid, signal.SIGKILL)
    service.until(service.adopted(pid), within=40)
    assert service.obs.shown() == shown


def test_a_daemon_whose_loop_stands_still_is_ended_and_started_again_by_the_watchdog(service: Service) -> None:
    drop_in = "/run/test/units/motherstream.service.d/short.conf"
    service.systemd.put(drop_in, "[Service]\nWatchdogSec=5\n")
    service.systemd.ctl("daemon-reload")
    service.systemd.ctl("restart", "motherstream")
    service.until(lambda: service.on_air() == "alice" and service.has_obs())
    pid, shown = service.systemd.pid, service.obs.shown()
    before = int(service.systemd.show("NRestarts"))
    os.kill(pid, signal.SIGSTOP)
    service.until(service.adopted(pid), within=40)
    assert service.obs.shown() == shown
    assert int(service.systemd.show("NRestarts")) == before + 1
    service.systemd.path(drop_in).unlink()
    service.systemd.ctl("daemon-reload")


def test_a_reload_and_a_stop_are_understood_and_the_picture_outlives_both(service: Service) -> None:
    shown = service.obs.shown()
    service.systemd.ctl("reload", "motherstream")
    service.until(lambda: "the configuration was reloaded" in service.systemd.told())
    assert service.systemd.show("ActiveState") == "active"
    service.systemd.ctl("stop", "motherstream")
    assert (service.systemd.show("Result"), service.systemd.show("ActiveState")) == ("success", "inactive")
    assert service.obs.shown() == shown


def test_a_hangup_before_it_is_up_does_not_leave_the_service_dead(service: Service) -> None:
    """systemd counts an end by SIGHUP among the clean ones, but none before the service has said that it is ready."""
    service.systemd.ctl("stop", "motherstream")
    program = service.systemd.path("/opt/motherstream/bin/motherstream")
    quick = program.read_text()
    try:
        program.write_text(quick.replace("export", "while ! [ -e /run/test/go ]; do sleep 0.02; done\nexport"))
        service.systemd.ctl("start", "--no-block", "motherstream")
        service.until(lambda: service.systemd.pid)
        os.kill(service.systemd.pid, signal.SIGHUP)
        service.until(lambda: service.systemd.show("NRestarts") == "1")
        service.systemd.put("/run/test/go", "")
        service.until(lambda: service.on_air() == "alice")
    finally:
        program.write_text(quick)


def test_a_mistake_in_the_configuration_ends_it_for_good_and_is_told(service: Service) -> None:
    service.systemd.ctl("stop", "motherstream")
    service.configure(prot=1)
    with pytest.raises(AssertionError):
        service.systemd.ctl("start", "motherstream")
    service.until(lambda: service.systemd.show("ActiveState") == "failed")
    assert service.systemd.show("ExecMainStatus") == str(EXIT_CONFIG)
    assert service.systemd.show("NRestarts") == "0"
    assert "http.prot" in service.systemd.told()


def test_the_probe_measures_under_its_own_unit_with_no_right_and_no_secret_but_its_token(
    machine: tuple[Systemd, ThreadedObs],
) -> None:
    systemd, _ = machine
    said = partial(systemd.told, "motherstream-probe")
    stream = ("testsrc2=s=320x180:r=30[out0];sine=f=440:r=48000[out1]", "-c:v", "libx264", "-preset", "ultrafast")
    port, heard = free_port(), Heard()
    begin = ("ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi", "-i")
    serve = (*begin, *stream, "-g", "30", "-c:a", "aac", "-f", "flv", f"tcp://127.0.0.1:{port}?listen=1")
    with heard.listening(f"tcp://127.0.0.1:{port}") as url, subprocess.Popen(serve) as server:
        systemd.put("/run/credstore/motherstream.probe.token", "the-probe-s\n", 0o600)
        drop_in = "/run/test/units/motherstream-probe.service.d/url.conf"
        systemd.put(drop_in, f"[Service]\nEnvironment=MOTHERSTREAM_PROBE_URL={url}\n")
        systemd.ctl("daemon-reload")
        systemd.ctl("start", "motherstream-probe")
        try:
            blocking_until(lambda: heard.loudness is not None, 40.0, tell=lambda: f"{heard.last}\n{said()}")
            assert heard.tokens == {"Bearer the-probe-s"}
            assert "not permitted" not in said()
            assert "Traceback" not in said()
            (limits,) = [limits_of(pid) for pid in pids_of(PROBE) if "ffmpeg" in Path(f"/proc/{pid}/comm").read_text()]
            assert limits["Max data size"].split()[0] == str(MOST_DATA)
            assert systemd.show("ExecMainStatus", "motherstream-probe") == "0"
        finally:
            systemd.ctl("stop", "motherstream-probe")
            server.kill()


def test_a_channel_s_service_keeps_to_its_own_places(machine: tuple[Systemd, ThreadedObs]) -> None:
    systemd, obs = machine
    gold = Service(systemd, obs)

    async def make_scene() -> None:
        obs.fake.studio.create_scene("GOLD")

    obs.run(make_scene())
    write_config(
        systemd,
        {
            "http": {"port": gold.port},
            "obs": {"port": obs.port, "scene": "GOLD", "program": "warn"},
            "queue": {"auth": "open"},
            "sources": {"prefix": "GOLD_"},
            "log": {"file": "/var/log/motherstream/gold/motherstream.log"},
            "health": {"report_dir": "/var/log/motherstream/gold/stream-health"},
        },
        "gold",
    )
    for name, text in (("obs.password", PASSWORD), ("http.token", TOKEN), ("hooks.secret", SECRET)):
        systemd.put(f"/run/credstore/motherstream@gold.{name}", f"{text}\n", 0o600)
    systemd.ctl("start", "motherstream@gold")
    try:
        gold.until(lambda: gold.publish("carol"))
        gold.until(lambda: gold.on_air() == "carol")
        assert gold.ask("GET", "/status")["channel"] == "gold"
        # Where nothing else is said the database is where the service works.
        assert systemd.path("/var/lib/motherstream/gold/motherstream.db").exists()
        lines = systemd.path("/var/log/motherstream/gold/motherstream.log").read_text().splitlines()
        assert {json.loads(line)["channel"] for line in lines} == {"gold"}
        assert "not permitted" not in systemd.told("motherstream@gold")
    finally:
        systemd.ctl("stop", "motherstream@gold")
