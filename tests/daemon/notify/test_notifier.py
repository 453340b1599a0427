"""Notifications end to end: through Apprise to an HTTP server of the test's own, some of them dead, slow or broken."""

import http.server
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from daemon.notify import notifier as notify
from daemon.notify.apprise import AppriseTarget, TargetError, schema_of
from daemon.notify.messages import Level
from daemon.notify.notifier import Notifier
from statemachine import facts
from tests.support import blocking_until

# Apprise reads pictures' types with a module that Python 3.13 does without.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

DEADLINE = 20.0


class Server:
    """A target for ``json://``. What it was sent is in ``bodies``; ``wait`` waits for more."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        self.accepts: Callable[[str], bool] = lambda _: True
        """What it answers 500 to where it is false."""
        self.open = threading.Event()
        """Requests are answered while it is set."""
        self.open.set()
        self._came = threading.Condition()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with owner._came:
                    owner.bodies.append(body)
                    owner._came.notify_all()
                owner.open.wait(DEADLINE)
                try:
                    self.send_response(owner.status if owner.accepts(body["message"]) else 500)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the client has given up, as one of the tests wants it

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/"

    def wait(self, count: int) -> list[str]:
        """The first ``count`` texts that came."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.bodies) >= count, DEADLINE), self.bodies
            return [str(body["message"]) for body in self.bodies[:count]]

    def has(self, count: int, *, within: float) -> bool:
        """Whether so many came, waited for as long as that."""
        with self._came:
            return self._came.wait_for(lambda: len(self.bodies) >= count, within)

    def close(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def slow() -> Iterator[Server]:
    server = Server()
    server.open.clear()
    yield server
    server.close()


def dead_url(secret: str = "") -> str:
    """Nobody listens there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"json://127.0.0.1:{probe.getsockname()[1]}/{secret}"


def on_air(*streamers: str) -> list[facts.Fact]:
    return [facts.OnAirChanged(0.0, streamer, "GMOTHERSTREAM_1") for streamer in streamers]


async def test_what_happens_is_told_once_and_in_order(server: Server) -> None:
    notifier = Notifier([server.url])
    notifier.start()
    notifier.notify(on_air("alice", "alice", "bob"))
    notifier.refused("unknown_key", "the key in the publish URL is nobody's")
    notifier.refused("unknown_key", "the key in the publish URL is nobody's")
    notifier.trouble("journal", "the line-up is not being saved")
    notifier.trouble("journal", "the line-up is not being saved")
    await notifier.stop(DEADLINE)
    texts = "\n".join(str(body["message"]) for body in server.bodies).splitlines()
    assert texts == [
        "alice is on air",
        "bob is on air",
        "a publisher was refused: the key in the publish URL is nobody's",
        "the line-up is not being saved",
    ]
    assert {body["title"] for body in server.bodies} == {"Motherstream"}


async def test_an_end_of_trouble_is_told_where_the_trouble_was(server: Server) -> None:
    notifier = Notifier([server.url])
    notifier.start()
    notifier.recovered("journal", "the line-up is saved again")
    notifier.trouble("journal", "the line-up is not being saved")
    assert server.wait(1) == ["the line-up is not being saved"]
    notifier.recovered("journal", "the line-up is saved again")
    notifier.recovered("journal", "the line-up is saved again")
    await notifier.stop(DEADLINE)
    assert server.wait(2)[1:] == ["the line-up is saved again"]
    assert [body["type"] for body in server.bodies] == ["failure", "success"]


async def test_a_trouble_that_is_soon_back_is_told_once_it_has_lasted_and_so_is_its_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "AGAIN_AFTER", 0.5)
    now = [0.0]
    notifier = Notifier([server.url], clock=lambda: now[0])
    notifier.start()
    notifier.trouble("output", "OBS's output is down")
    notifier.recovered("output", "OBS's output streams again")
    server.wait(2)
    deadline = time.monotonic() + DEADLINE
    notifier.trouble("output", "OBS's output is down")
    notifier.recovered("output", "OBS's output streams again")
    now[0] += 0.5
    while not server.has(3, within=0.05) and time.monotonic() < deadline:
        notifier.trouble("output", "OBS's output is down")
    notifier.recovered("output", "OBS's output streams again")
    await notifier.stop(DEADLINE)
    assert [text.rpartition(" ")[2] for text in server.wait(4)] == ["down", "again", "down", "again"]
    assert len(server.bodies) == 4


async def test_a_trouble_that_lasts_is_told_to_those_who_are_named_meanwhile(server: Server) -> None:
    notifier = Notifier([])
    notifier.start()
    notifier.trouble("output", "OBS's output is down")
    notifier.set_urls([server.url])
    notifier.trouble("output", "OBS's output is down")
    await notifier.stop(DEADLINE)
    assert server.wait(1) == ["OBS's output is down"]


async def test_a_dead_target_and_a_slow_one_are_in_nobodys_way(server: Server, slow: Server) -> None:
    notifier = Notifier([dead_url(), slow.url, server.url])
    notifier.start()
    took = []
    for streamer in ("alice", "bob", "carol"):
        begun = time.perf_counter()
        notifier.notify(on_air(streamer))
        took.append(time.perf_counter() - begun)
        assert server.wait(len(took))[-1] == f"{streamer} is on air"
    assert max(took) < 0.5
    assert slow.wait(1) == ["alice is on air"]
    assert [status.label for status in notifier.status()] == ["1 (json)", "2 (json)", "3 (json)"]
    blocking_until(lambda: notifier.status()[2].sent == 3)
    blocking_until(lambda: notifier.status()[0].problem != "")
    begun = time.monotonic()
    await notifier.stop(flush=0.5)
    assert time.monotonic() - begun < 5.0


async def test_a_target_that_comes_back_gets_what_it_missed_in_one_piece(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.notify.outbox.FIRST_PAUSE", 0.05)
    server.accepts = lambda text: "carol" in text
    notifier = Notifier([server.url])
    notifier.start()
    notifier.notify(on_air("alice"))
    assert server.wait(2) == ["alice is on air"] * 2
    notifier.notify(on_air("bob", "carol"))
    blocking_until(lambda: notifier.status()[0].sent == 3)
    await notifier.stop(DEADLINE)
    assert server.bodies[-1]["message"] == "alice is on air\nbob is on air\ncarol is on air"


class Gate:
    """A target that hangs until it is let go."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.entered = threading.Semaphore(0)
        self.free = threading.Event()

    def send(self, text: str, _level: Level) -> None:
        self.texts.append(text)
        self.entered.release()
        self.free.wait(DEADLINE)


async def test_a_call_that_never_ends_is_left_to_itself_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "SEND_TIMEOUT", 0.05)
    monkeypatch.setattr(notify, "PROBABLY_ARRIVED", 0.04)
    monkeypatch.setattr("daemon.notify.outbox.FIRST_PAUSE", 0.02)
    gate = Gate()
    notifier = Notifier(["json://hangs/"], open_target=lambda _: gate)
    notifier.start()
    notifier.notify(on_air("alice"))
    assert gate.entered.acquire(timeout=DEADLINE)
    notifier.notify(on_air("bob"))
    assert not gate.entered.acquire(timeout=0.3), "one call at a time, however often it is tried"
    gate.free.set()
    assert gate.entered.acquire(timeout=DEADLINE)
    await notifier.stop(DEADLINE)
    assert gate.texts == ["alice is on air", "bob is on air"]


async def test_a_stop_sends_what_waits_and_ends_its_threads(server: Server) -> None:
    before = set(threading.enumerate())
    notifier = Notifier([server.url])
    notifier.start()
    notifier.notify(on_air(*(f"streamer{i}" for i in range(30))))
    await notifier.stop(DEADLINE)
    lines = "\n".join(str(body["message"]) for body in server.bodies).splitlines()
    assert lines[-1] == "streamer29 is on air"
    assert len(server.bodies) <= 7, "a burst is summed up"
    assert not [each for each in threading.enumerate() if each not in before and each.name.startswith("notify")]
    notifier.notify(on_air("late"))
    await notifier.stop(DEADLINE)


async def test_a_stop_does_not_wait_for_a_slow_target(slow: Server) -> None:
    notifier = Notifier([slow.url])
    notifier.start()
    notifier.notify(on_air("alice"))
    slow.wait(1)
    begun = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        await notifier.stop(flush=0.2)
    assert time.monotonic() - begun < 5.0
    assert [line["target"] for line in lines] == ["1 (json)"]


async def test_new_addresses_take_the_place_of_old_ones(server: Server, slow: Server) -> None:
    slow.open.set()
    notifier = Notifier([server.url])
    notifier.start()
    notifier.notify(on_air("alice"))
    server.wait(1)
    notifier.set_urls([slow.url])
    notifier.notify(on_air("bob"))
    assert slow.wait(1) == ["bob is on air"]
    notifier.set_urls([])
    notifier.notify(on_air("carol"))
    await notifier.stop(DEADLINE)
    assert [body["message"] for body in server.bodies] == ["alice is on air"]
    assert [body["message"] for body in slow.bodies] == ["bob is on air"]


async def test_without_apprise_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    notifier = Notifier(["json://127.0.0.1:1/s3cret"])
    with structlog.testing.capture_logs() as lines:
        notifier.start()
        notifier.notify(on_air("alice"))
        await notifier.stop(DEADLINE)
    (line,) = lines
    assert line["event"].endswith("Install it with: pip install 'motherstream[notify]'")
    assert "s3cret" not in str(line)


async def test_without_addresses_apprise_is_not_even_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    notifier = Notifier([])
    with structlog.testing.capture_logs() as lines:
        notifier.start()
        notifier.notify(on_air("alice"))
        await notifier.stop(DEADLINE)
    assert lines == []
    assert notifier.status() == ()


async def test_an_address_is_in_no_log_line_whatever_goes_wrong(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    caplog.set_level(1, "apprise")
    caplog.set_level(1, "urllib3")
    refusing = f"json://someuser:hunter2pass@127.0.0.1:{server.port}/s3cretpath?+X-Auth=t0kenvalue"
    urls = [refusing, dead_url("s3cretpath"), "nosuch://s3cretpath/t0kenvalue", "s3cretpath"]
    server.status = 403
    with structlog.testing.capture_logs() as lines:
        notifier = Notifier(urls)
        notifier.start()
        notifier.notify(on_air("alice"))
        server.wait(1)
        await notifier.stop(DEADLINE)
    told = f"{lines} {caplog.text} {notifier!r}"
    for secret in ("s3cretpath", "t0kenvalue", "hunter2pass", "someuser", str(server.port)):
        assert secret not in told
    assert {line["target"] for line in lines} == {"1 (json)", "2 (json)", "3 (nosuch)", "4 (unknown)"}
    assert next(line["reason"] for line in lines if line["target"] == "1 (json)").startswith("Failed to send JSON")


async def test_a_key_does_not_leave_the_house(server: Server) -> None:
    notifier = Notifier([server.url], redact=lambda text: text.replace("KEY123", "***"))
    notifier.start()
    notifier.trouble("play", "rtmp://h/live/KEY123 cannot be played")
    assert server.wait(1) == ["rtmp://h/live/*** cannot be played"]
    await notifier.stop(DEADLINE)


def test_a_target_says_why_it_failed_without_its_address(server: Server) -> None:
    server.status = 404
    target = AppriseTarget(f"json://127.0.0.1:{server.port}/s3cretpath")
    with pytest.raises(TargetError, match="404") as refused:
        target.send("hello", "info")
    assert refused.value.__cause__ is None
    assert "127.0.0.1" not in str(refused.value)
    with pytest.raises(TargetError, match=r"\*\*\*"):
        AppriseTarget("nosuch://s3cretpath")


def test_other_users_of_the_libraries_are_still_heard(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    AppriseTarget(server.url).send("hello", "info")
    logging.getLogger("apprise").warning("somebody else's line")
    assert "somebody else's line" in caplog.text


def test_the_kind_of_a_target_may_be_told() -> None:
    assert [schema_of(url) for url in ("Discord://a/b", "mailto://x", "json:/x", "://", "s3cret")] == [
        "discord",
        "mailto",
        "unknown",
        "unknown",
        "unknown",
    ]
