"""Thousands of connections at once."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.http.limits import MOST_CONNECTIONS, Limits
from tests.attacks.support import assert_unharmed
from tests.daemon.http.live import Live

CROWD = 3000


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CROWD + 500:
        pytest.skip(f"no more than {hard} files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CROWD + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_connections_keep_no_hook_out_and_no_more_are_held_than_allowed(
    fresh: Live, many_files: None
) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(CROWD):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", fresh.port), timeout=20))
            with contextlib.suppress(ConnectionError):
                client.sendall(b"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\n" if number % 2 else b"")
            if number % 500 == 0:
                fresh.publish("alice")
        fresh.publish("alice")
        assert fresh.on_air() == "alice"
        # Well before those that say nothing are ended for that.
        fresh.until(lambda: held(fresh) <= MOST_CONNECTIONS + 1, within=Limits().waiting / 3)
    assert_unharmed(fresh)


def held(live: Live) -> int:
    """Connections that the daemon has open at its port."""
    port = f":{live.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return len([row for row in rows if row[1].endswith(port) and row[3] == "01"])


MUTES = 400
"""Clients that ask and do not read."""
LARGE = 100_000
"""Bytes of one answer, at least."""
GROWTH = 20
"""Megabytes that they may cost, half of what their answers would be, each for itself."""


@pytest.mark.parametrize("path", ["/stream-health/history?count=100000", "/queue"])
def test_clients_that_do_not_read_their_large_answers_take_little_memory_and_delay_no_hook(
    tmp_path: Path, path: str
) -> None:
    with Live(tmp_path, health__interval="0.1") as live, contextlib.ExitStack() as stack:
        live.publish("alice")
        if path == "/queue":
            for number in range(500):
                live.publish(f"a-streamer-with-a-rather-long-name-{number:03}")
        live.until(lambda: len(live.ask("GET", path).body) > LARGE, within=60)
        before = peak = resident(live)
        for _ in range(MUTES):
            mute = stack.enter_context(socket.socket())
            mute.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            mute.connect(("127.0.0.1", live.port))
            mute.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        slowest = 0.0
        for number in range(20):
            began = time.monotonic()
            live.publish(f"meanwhile-{number}")
            slowest = max(slowest, time.monotonic() - began)
            peak = max(peak, resident(live))
        assert peak - before < GROWTH
        assert slowest < 2.0, "an ingest server gives a hook up after some seconds"


def resident(live: Live) -> int:
    """Megabytes of memory that the daemon has."""
    line = next(line for line in Path(f"/proc/{live.pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024
