"""Thousands of connections at once."""

import contextlib
import resource
import socket
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
