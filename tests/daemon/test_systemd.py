import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.systemd import ServiceNotifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, ServiceNotifier]]:
    """A socket that hears what systemd would, and a notifier that speaks to it."""
    name = f"@{secrets.token_hex(8)}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix:
        unix.bind(name.replace("@", "\0", 1))
        unix.settimeout(5)
        yield unix, ServiceNotifier({"NOTIFY_SOCKET": name})


def test_each_word_reaches_systemd(manager: tuple[socket.socket, ServiceNotifier]) -> None:
    unix, notifier = manager
    assert notifier.ready("on air: alice")
    assert unix.recv(1024) == b"READY=1\nSTATUS=on air: alice"
    assert notifier.status("standby")
    assert unix.recv(1024) == b"STATUS=standby"
    assert notifier.watchdog()
    assert unix.recv(1024) == b"WATCHDOG=1"
    assert notifier.stopping()
    assert unix.recv(1024) == b"STOPPING=1"


def test_a_reload_bears_the_time_at_which_it_began(manager: tuple[socket.socket, ServiceNotifier]) -> None:
    unix, notifier = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notifier.reloading()
    state, _, stamp = unix.recv(1024).decode().partition("\n")
    assert state == "RELOADING=1"
    assert stamp.startswith("MONOTONIC_USEC=")
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_hostile_status_assigns_nothing(manager: tuple[socket.socket, ServiceNotifier]) -> None:
    unix, notifier = manager
    assert notifier.status("alice\nSTOPPING=1\ud800")
    assert unix.recv(1024) == b"STATUS=alice STOPPING=1\\ud800"


@pytest.mark.parametrize("name", ["", "relative", "vsock:2:9", "/nowhere/at/all", "/" + "x" * 200, "/a\0b"])
def test_without_a_socket_nothing_is_said_and_nothing_raised(name: str) -> None:
    notifier = ServiceNotifier({"NOTIFY_SOCKET": name} if name else {})
    assert not notifier.ready("up")
    assert not notifier.watchdog()
    assert not notifier.reloading()
    assert not notifier.stopping()


def test_a_systemd_that_does_not_listen_is_not_waited_for(manager: tuple[socket.socket, ServiceNotifier]) -> None:
    _, notifier = manager
    answers = [notifier.watchdog() for _ in range(10_000)]
    assert answers[0]
    assert not answers[-1]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
    ],
)
def test_the_watchdog_is_fed_only_where_systemd_asks_this_process(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert ServiceNotifier(environ).watchdog_interval == seconds
