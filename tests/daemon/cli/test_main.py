"""The command line: what it says, where it says it, and with which code it ends."""

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from daemon import __version__
from daemon.cli.main import main
from daemon.core.use_case import UseCase
from daemon.http.addresses import WHOM, Address, dashed
from statemachine.handover.states import State
from tests.daemon.http.samples import asked_for, values
from tests.support import until

ASKED = list(asked_for())

STATUS: dict[str, Any] = {
    "state": "STANDBY",
    "attempt": 12,
    "held": False,
    "on_air": {
        "streamer": "alice",
        "input": "G_12",
        "since": "2026-01-01T20:00:00Z",
        "seconds": 83.2,
        "remaining": 5.0,
    },
    "standby": {"streamer": "bob", "input": "G_13", "ready": True},
    "queue": [{"streamer": "alice", "position": 0, "since": "x"}, {"streamer": "bob", "position": 1, "since": "y"}],
    "obs": {"connected": True, "version": "29.0.2", "websocket": "5.1.0", "source_kind": "gstreamer-source"},
    "last_switch": {"from": "carol", "to": "alice", "reason": "skip", "outcome": "completed", "seconds": 0.031},
}


class Daemon(BaseHTTPRequestHandler):
    """Answers like the daemon, and remembers what it was asked."""

    asked: list[str]
    answers: dict[str, tuple[int, Any]]
    tokens: list[str | None]

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.asked.append(f"{self.command} {self.path}")
        self.tokens.append(self.headers.get("Authorization"))
        status, body = self.answers.get(
            self.path.partition("?")[0], (200, {"status": "success", "message": "so be it"})
        )
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  # names of the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing."""


@contextmanager
def daemon(monkeypatch: pytest.MonkeyPatch, **answers: tuple[int, Any]) -> Iterator[type[Daemon]]:
    handler = type(
        "Handler", (Daemon,), {"asked": [], "tokens": [], "answers": {f"/{k}": v for k, v in answers.items()}}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("MOTHERSTREAM_HTTP__PORT", str(server.server_port))
        try:
            yield handler
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"motherstream {__version__}\n"


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["kick"], ["states", "--format", "poem"]])
def test_misuse_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "mermaid"])
def test_the_states_are_drawn(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["states", "--format", form]) == 0
    out = capsys.readouterr().out
    assert all(state.value in out for state in State)


def test_a_broken_configuration_ends_with_78_and_names_every_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.toml"
    file.write_text('[obs]\nport = "x"\n[queue]\ntrun = 5\n')
    assert main(["run", "--config", str(file)]) == 78
    err = capsys.readouterr().err
    assert "obs.port" in err
    assert "queue.trun" in err


def test_without_a_daemon_it_says_so_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(monkeypatch):
        pass  # its port is free again
    assert main(["status"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "motherstream run" in err


def test_the_status_is_told_in_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon(monkeypatch, status=(200, STATUS)):
        assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert "on air   alice for 1:23, 0:05 left  [G_12]" in out
    assert "standby  bob (ready)  [G_13]" in out
    assert "carol -> alice (skip): completed in 0.031 s" in out


def test_the_status_says_why_nobody_stands_by(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    off = {"reason": "render_lag", "since": "2026-01-01T20:00:00Z", "render_lag": 0.31}
    with daemon(monkeypatch, status=(200, {**STATUS, "standby": None, "standby_off": off})):
        assert main(["status"]) == 0
    assert "standby  suspended: OBS renders late" in capsys.readouterr().out


def test_the_line_up_is_told_with_how_each_one_is_and_who_is_kept_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def row(name: str, position: int, **changes: Any) -> dict[str, Any]:
        usual = {
            "publishing": True,
            "has_turn": position == 0,
            "stalled": False,
            "failures": 0,
            "grace_remaining": None,
        }
        return {"streamer": name, "position": position, "since": "x", **usual, **changes}

    queue = {
        "held": True,
        "queue": [row("alice", 0), row("bob", 1), row("ca\x1b[2Jrol", 2, publishing=False, grace_remaining=6.0)],
        "blocked": [{"streamer": "mallory", "seconds": 870.0}],
    }
    with daemon(monkeypatch, status=(200, STATUS), queue=(200, queue)):
        assert main(["queue"]) == 0
    assert capsys.readouterr().out == (
        "  0  alice  (on air; since x)\n"
        "  1  bob  (ready; since x)\n"
        "  2  ca\N{REPLACEMENT CHARACTER}[2Jrol  (away, keeps the place for 0:06; since x)\n"
        "blocked: mallory for another 14:30\n"
        "held: no turn ends by the clock\n"
    )


def test_the_status_as_json_is_the_apis_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(monkeypatch, status=(200, STATUS)):
        assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == STATUS


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["skip"], "POST /queue/skip"),
        (["hold"], "POST /queue/hold"),
        (["release"], "POST /queue/release"),
        (["kick", "a/b", "--seconds", "600"], "POST /queue/a%2Fb/kick?seconds=600"),
        (["unblock", "bob"], "POST /queue/bob/unblock"),
        (["let-in", "bob"], "POST /queue/bob/unblock"),
        (["move", "bob", "2"], "POST /queue/bob/move?position=2"),
        (["remove", "bob"], "DELETE /queue/bob"),
        (["turn", "60"], "POST /update-timer/60?reset_time=false"),
        (["turn", "60", "--streamer", "bob", "--restart"], "POST /update-timer/60?reset_time=true&streamer=bob"),
    ],
)
def test_each_command_asks_the_route_of_its_name(
    words: list[str], asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(monkeypatch) as handler:
        assert main(words) == 0
    assert handler.asked == [asked]
    assert capsys.readouterr().out == "so be it\n"


@pytest.mark.parametrize(("case", "address", "path"), ASKED, ids=[path for _, _, path in ASKED])
def test_every_use_case_is_a_command_that_asks_its_address(
    case: UseCase, address: Address, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = values(case)
    in_place = [each for each in case.parameters if each.required or each.name == WHOM]
    words = [str(given[each.name]) for each in in_place]
    options = [
        word
        for each in case.parameters
        if each not in in_place and each.name in given
        for word in (f"--{dashed(each.name)}", str(given[each.name]))
    ]
    with daemon(monkeypatch) as handler:
        assert main([dashed(case.former if address.former else case.name), *words, *options]) == 0
    now = path.replace(dashed(case.former), dashed(case.name)) if case.former else path
    assert handler.asked == [f"{address.method} {now}"]


def test_block_last_is_toggled_only_where_it_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with daemon(monkeypatch, **{"block-toggle": (200, {"is_blocked": True})}) as handler:
        assert main(["block-last", "on"]) == 0
        assert handler.asked == ["GET /block-toggle"]
        assert main(["block-last", "off"]) == 0
        assert handler.asked[1:] == ["GET /block-toggle", "POST /block-toggle"]


def test_a_refusal_ends_with_1_and_the_daemons_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = (409, {"error": {"code": "nobody_waits", "message": "nobody is waiting: alice stays on air"}})
    with daemon(monkeypatch, **{"queue/skip": refused}):
        assert main(["skip"]) == 1
    assert capsys.readouterr().err == "motherstream: nobody is waiting: alice stays on air\n"


def test_the_token_goes_along_and_its_lack_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(monkeypatch, queue=(401, {"error": {"code": "unauthorized", "message": "no"}})) as handler:
        monkeypatch.setenv("MOTHERSTREAM_HTTP__TOKEN", "a-long-enough-token")
        assert main(["queue"]) == 1
    assert handler.tokens == ["Bearer a-long-enough-token"]
    assert "MOTHERSTREAM_HTTP__TOKEN" in capsys.readouterr().err


def test_something_else_on_the_port_is_recognised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(monkeypatch) as handler:
        monkeypatch.setattr(handler, "_answer", None)

        def plain(self: Daemon) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        monkeypatch.setattr(handler, "do_GET", plain)
        assert main(["queue"]) == 1
    assert "is another program on that port?" in capsys.readouterr().err


def test_an_empty_name_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kick", ""]) == 1
    assert "the streamer's name is empty" in capsys.readouterr().err


def test_a_disk_that_takes_no_answer_is_told_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "daemon", "states"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "the answer could not be written: No space left on device" in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
async def test_a_closed_descriptor_is_as_good_as_an_empty_one(tmp_path: Path, closed: str) -> None:
    file, log = tmp_path / "m.toml", tmp_path / "m.log"
    settings = f"[http]\nport = 0\n[obs]\nport = 1\n[store]\npath = '{tmp_path}/m.db'\n[log]\nfile = '{log}'\n"
    file.write_text(f"{settings}[health]\nreport_dir = ''\n")
    daemon = f"exec {sys.executable} -m daemon"
    states = await asyncio.create_subprocess_shell(f"{daemon} states {closed}", stdout=subprocess.DEVNULL)
    assert await states.wait() == 0
    running = await asyncio.create_subprocess_shell(f"{daemon} run --config {file} {closed}")
    try:
        await until(lambda: log.exists() and '"listening"' in log.read_text())
        running.terminate()
        assert await running.wait() == 0
    finally:
        if running.returncode is None:
            running.kill()


@pytest.mark.parametrize("duration", ["-1", "nan", "inf", "soon"])
def test_a_demo_lasts_as_long_as_can_be(capsys: pytest.CaptureFixture[str], duration: str) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--duration", duration])
    assert "--duration: must be 0 to 604800 seconds" in capsys.readouterr().err


def test_a_name_that_the_terminal_cannot_write_is_written_as_its_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    with daemon(monkeypatch, **{"queue/%E6%97%A5/kick": (200, {"message": "\u65e5 is kicked"})}):
        assert main(["kick", "\u65e5"]) == 0
    assert written.getvalue() == b"\\u65e5 is kicked\n"


def test_the_status_names_a_channel_other_than_the_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for channel, head in (("gold", "channel  gold"), ("main", "state    STANDBY")):
        with daemon(monkeypatch, status=(200, {**STATUS, "channel": channel})):
            assert main(["status"]) == 0
        assert capsys.readouterr().out.splitlines()[0] == head
