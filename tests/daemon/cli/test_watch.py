"""The show in the terminal: frames as text, and the real thing behind a pipe and behind a terminal."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from daemon.cli.client import Client, ClientError
from daemon.cli.watch import frames, watch
from daemon.cli.watch_frame import Frame, Line, Model
from daemon.core.clock import iso
from daemon.observability.wording import describe, printable
from statemachine import facts
from statemachine.handover.states import State
from tests.daemon.http.dashboard_backend import Backend
from tests.support import blocking_until

ROOT = Path(__file__).parents[3]
DEADLINE = 15.0
AT = 1767297600.0


def row(streamer: str, position: int, **changes: Any) -> dict[str, Any]:
    return {
        "streamer": streamer,
        "position": position,
        "since": iso(AT),
        "publishing": True,
        "has_turn": position == 0,
        "turn": 3600.0,
        "stalled": False,
        "failures": 0,
        "grace_remaining": None,
        **changes,
    }


def model(**changes: Any) -> Model:
    """Alice is on air, Bob buffers."""
    status = {
        "state": "BUFFERING",
        "attempt": 13,
        "held": False,
        "on_air": {"streamer": "alice", "input": "GMOTHERSTREAM_12", "seconds": 83.2, "remaining": 3516.8},
        "standby": {"streamer": "bob", "input": "GMOTHERSTREAM_13", "ready": False},
        "obs": {"connected": True, "version": "29.0.2", "websocket": "5.1.0", "source_kind": "gstreamer-source"},
        **changes.pop("status", {}),
    }
    values: dict[str, Any] = {
        "status": status,
        "queue": [row("alice", 0), row("bob", 1), row("carol", 2, publishing=False, grace_remaining=6.0)],
        "checks": {"obs": {"ok": True, "detail": ""}, "journal": {"ok": False, "detail": "disk full"}},
        "history": [
            {
                "from_streamer": "carol",
                "to_streamer": "alice",
                "reason": "skip",
                "outcome": "completed",
                "seconds": 0.031,
            }
        ],
        "lines": (Line("20:00:01", "bob joined the line-up", "news"),),
        "buffering": 2.0,
        "stream": {"score": 62.5, "issues": ["low_bitrate"]},
    }
    return Model("http://127.0.0.1:8000", **{**values, **changes})


def drawn(made: Model, width: int = 120, height: int | None = None, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=file, width=width, height=height or 50, markup=False).print(Frame(made, height))
    file.flush()
    return raw.getvalue().decode(encoding)


# --- frames --------------------------------------------------------------------------------------------------


def test_a_frame_shows_the_whole_show() -> None:
    text = drawn(model(age=1.0))
    for part in (
        "BUFFERING attempt 13",
        "ON AIR",
        "alice",
        "for 1:24  GMOTHERSTREAM_12",
        "58:35 left",
        "bob  GMOTHERSTREAM_13",
        "buffering 2.0 s",
        "away, keeps the place for 0:06",
        "OBS 29.0.2",
        "journal: disk full",
        "stream 62 of 100: low bitrate",
        "carol -> alice  skipped",
        "31 ms",
        "20:00:01 bob joined the line-up",
    ):
        assert part in text


def test_what_stands_by_is_ready_or_waits_or_is_nobody() -> None:
    ready = model(status={"standby": {"streamer": "bob", "input": "GMOTHERSTREAM_13", "ready": True}})
    assert "━ ready" in drawn(ready)
    assert "bob  next, not ready yet" in drawn(model(status={"standby": None}))
    off = {"reason": "render_lag", "since": "2026-01-01T20:00:00Z", "render_lag": 0.3}
    suspended = model(status={"standby": None, "standby_off": off})
    assert "bob  next, standby suspended: OBS renders late" in drawn(suspended)
    assert "nobody is waiting" in drawn(model(status={"standby": None}, queue=[row("alice", 0)]))


def test_nobody_on_air_and_one_who_fills_in() -> None:
    assert "nobody is on air" in drawn(model(status={"on_air": None}))
    on_air = {"streamer": "bob", "input": "GMOTHERSTREAM_12", "seconds": 5.0, "remaining": None}
    assert "filling in" in drawn(model(status={"on_air": on_air}))


def test_a_lost_connection_is_said_and_the_last_known_stays() -> None:
    text = drawn(model(lost="no daemon answers"))
    assert "no connection: no daemon answers; retrying" in text
    assert "alice" in text


def test_a_lost_connection_takes_one_line() -> None:
    lost = (
        "no daemon answers at http://127.0.0.1:8000 ([Errno 111] Connection refused): start it with `motherstream run`"
    )
    text = drawn(model(lost=lost), 150)
    assert "([Errno 111] Connection refused); retrying" in text
    assert "motherstream run" not in text


def test_a_high_terminal_shows_as_many_of_the_line_up_as_it_holds() -> None:
    many = [row(f"streamer-{number}", number) for number in range(40)]
    lines = (Line("20:00:00", "alice is on air", "air"),)
    text = drawn(model(queue=many, lines=lines), 120, 60)
    assert "streamer-39" in text
    assert len(text.splitlines()) <= 60
    assert "alice -> bob" in text or "carol -> alice" in text, "the last hand-overs keep a place"


@pytest.mark.parametrize("width", [30, 40, 80, 96, 120, 240])
@pytest.mark.parametrize("height", [24, 36, 50, None])
def test_a_frame_fits_its_terminal(width: int, height: int | None) -> None:
    many = [row(f"streamer-{number}" * 5, number) for number in range(40)]
    lines = tuple(Line("20:00:00", "a long story " * 20, "news") for _ in range(100))
    text = drawn(model(queue=many, lines=lines), width, height)
    assert max(map(cell_len, text.splitlines())) <= width
    assert re.search(r"and \d+ more", text) or (width >= 96 and height == 50 and "streamer-39" in text)
    if height is not None and width >= 80:
        assert len(text.splitlines()) <= height


def test_a_terminal_without_unicode_gets_none() -> None:
    assert "ON AIR" in drawn(model(), encoding="ascii")


def test_a_name_cannot_speak_to_the_terminal() -> None:
    name = "\x1b[2J\x1b]0;pwned\x07\u202e[red]evil\r\n"
    on_air = {"streamer": name, "input": name, "seconds": 5.0, "remaining": 60.0}
    standby = {"streamer": name, "input": name, "ready": False}
    made = model(
        status={"on_air": on_air, "standby": standby},
        queue=[row(name, 0)],
        lines=(Line("20:00:00", f"{name} joined", "news"),),
        history=[{"from_streamer": name, "to_streamer": name, "reason": name, "outcome": name, "seconds": 1.0}],
        checks={"x": {"ok": False, "detail": name}},
        stream={"score": 10, "issues": [name]},
        lost=name,
    )
    text = drawn(made)
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(text)
    assert "[red]evil" in text
    assert printable("\u05e9\u05dc\u05d5\u05dd, D\u00e9j\u00e0 Vu") == "\u05e9\u05dc\u05d5\u05dd, D\u00e9j\u00e0 Vu"


# --- words ---------------------------------------------------------------------------------------------------

HANDOVER = facts.HandoverEnded(AT, 7, "GMOTHERSTREAM_7", "GMOTHERSTREAM_6", "alice", "bob", "turn", "completed", 0.0312)


@pytest.mark.parametrize(
    ("kind", "fact", "text"),
    [
        ("handover_ended", HANDOVER, "alice -> bob in 31 ms (turn over)"),
        ("on_air_changed", facts.OnAirChanged(AT, "bob", "GMOTHERSTREAM_7"), "bob is on air"),
        ("on_air_changed", facts.OnAirChanged(AT, "", ""), "nobody is on air"),
        (
            "on_air_changed",
            facts.OnAirChanged(AT, "", "", same_input=True),
            "nobody is on air: the picture was lost",
        ),
        ("lineup_changed", facts.LineupChanged(AT, "away", "bob"), "bob is away; the place is kept for now"),
        ("lineup_changed", facts.LineupChanged(AT, "held", "bob"), "held: no turn ends by the clock"),
        ("refused", facts.Refused(AT, "nobody_waits", "nobody is waiting"), "refused: nobody is waiting"),
        (
            "orphan_reported",
            facts.OrphanReported(AT, "GMOTHERSTREAM_7", "x"),
            "did not remove the input 'GMOTHERSTREAM_7'",
        ),
        ("fixture_missing", facts.FixtureMissing(AT, "slate", "SLATE"), "the slate 'SLATE' is not in OBS"),
        ("fixture_found", facts.FixtureFound(AT, "slate", "SLATE"), "the slate 'SLATE' is in OBS again"),
        ("foreign_inputs_seen", facts.ForeignInputsSeen(AT, "a1b2", "GMOTHERSTREAM_1"), "another Motherstream (a1b2)"),
        ("state_changed", facts.StateChanged(AT, State.IDLE, "TargetChosen", State.CREATING, 7), "attempt 7"),
    ],
)
def test_every_event_is_a_sentence(kind: str, fact: facts.Fact, text: str) -> None:
    assert text in describe(kind, asdict(fact))[0]


def test_what_is_amiss_with_the_stream_is_said() -> None:
    assert describe("health_changed", {"score": 61.0, "issues": ["low_bitrate", "stuttering"]}) == (
        "health of the stream on air: low bitrate, stuttering",
        "trouble",
    )
    assert describe("health_changed", {"score": 100.0, "issues": []}) == ("the stream on air has recovered", "news")


def test_an_event_of_a_newer_daemon_is_shown_as_it_is() -> None:
    assert describe("bitrate_low", {"message": "alice: 300 kbit/s"}) == ("bitrate low alice: 300 kbit/s", "news")


def test_the_event_stream_is_taken_apart() -> None:
    raw = b': heartbeat\n\nid: a-1\nevent: hello\ndata: {"resumed":false}\n\n'
    raw += b'event: refused\ndata: {"code":\ndata: "x"}\n\n'
    assert list(frames(io.BytesIO(raw))) == [("hello", {"resumed": False}), ("refused", {"code": "x"})]
    with pytest.raises(ValueError, match="not an object"):
        list(frames(io.BytesIO(b"event: x\ndata: []\n\n")))


# --- a real daemon -------------------------------------------------------------------------------------------


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as made:
        made.publish("alice", "bob")
        yield made


def test_once_prints_one_frame(backend: Backend) -> None:
    output = io.StringIO()
    backend.obs_lost()
    assert watch(Client("127.0.0.1", backend.port), once=True, stream=output) == 0
    text = output.getvalue()
    assert "alice" in text
    assert "RECOVERING" in text
    assert "OBS: not connected" in text
    assert "\x1b" not in text


def test_a_wrong_token_and_no_daemon_are_errors() -> None:
    with Backend("correct horse") as backend:
        assert watch(Client("127.0.0.1", backend.port, "correct horse"), once=True, stream=io.StringIO()) == 0
        with pytest.raises(ClientError, match="token"):
            watch(Client("127.0.0.1", backend.port, "guess"), once=True, stream=io.StringIO())
        port = backend.port
    with pytest.raises(ClientError, match="no daemon answers"):
        watch(Client("127.0.0.1", port), once=False, stream=io.StringIO())


PROGRAM = "import sys; from daemon.cli.client import Client; from daemon.cli.watch import watch; "


class Watching:
    """``motherstream watch`` as a process, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.said = ""

    def until(self, text: str) -> None:
        """Wait until it has said so."""
        ends = time.monotonic() + DEADLINE
        while text not in self.said:
            left = ends - time.monotonic()
            assert left > 0, f"{text!r} is missing in {self.said!r}"
            if select.select([self._descriptor], [], [], left)[0]:
                self.said += os.read(self._descriptor, 65536).decode(errors="replace")

    def interrupt(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE)


@contextmanager
def watching(backend: Backend, *, terminal: bool) -> Iterator[Watching]:
    ours, theirs = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-c", f"{PROGRAM}sys.exit(watch(Client('127.0.0.1', {backend.port}), False))"]
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.STDOUT, env=settings, cwd=ROOT
    ) as process:
        os.close(theirs)
        try:
            yield Watching(process, ours)
        finally:
            process.kill()
            os.close(ours)


def test_behind_a_pipe_each_event_is_a_line(backend: Backend) -> None:
    with watching(backend, terminal=False) as it:
        it.until("last hand-overs")
        wait_for_listener(backend)
        backend.publish("carol")
        it.until("carol joined the line-up\n")
        backend.stop()
        backend.start()
        wait_for_listener(backend)
        backend.publish("dave")
        it.until("dave joined the line-up\n")
        assert "\x1b" not in it.said
        assert it.interrupt() == 0


def test_in_a_terminal_it_is_drawn_anew_and_leaves_no_trace(backend: Backend) -> None:
    with watching(backend, terminal=True) as it:
        it.until("alice")
        assert "\x1b[?1049h" in it.said
        wait_for_listener(backend)
        backend.publish("carol")
        it.until("carol joined the line-up")
        backend.stop()
        it.until("no connection")
        backend.start()
        wait_for_listener(backend)
        backend.publish("dave")
        it.until("dave joined the line-up")
        assert it.interrupt() == 0
        it.until("\x1b[?1049l")
        assert "Traceback" not in it.said


def wait_for_listener(backend: Backend) -> None:
    """Until somebody listens to the events."""
    blocking_until(lambda: backend.do(lambda: backend.rules.hub.subscribers), what="somebody listens to the events")


@pytest.mark.parametrize(("channel", "shown"), [("gold", True), ("main", False)])
def test_a_channel_other_than_the_first_is_named(channel: str, shown: bool) -> None:
    head = drawn(model(status={"channel": channel})).splitlines()[0]
    assert (channel in head) is shown
