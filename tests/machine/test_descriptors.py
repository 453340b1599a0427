"""There are no file descriptors left: the picture stays, and all is well again when there are."""

import contextlib
import json
import resource
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.http.limits import MOST_CONNECTIONS, RESERVED, connection_limit
from tests.daemon.http.live import Live
from tests.machine.support import alice_and_bob, assert_settled


def limited(files: int) -> tuple[str, ...]:
    return ("prlimit", f"--nofile={files}:4096")


@contextlib.contextmanager
def crowd(live: Live, count: int) -> Iterator[None]:
    """So many connections that say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", live.port)))
        yield


def test_a_crowd_takes_no_descriptor_that_obs_or_the_database_needs(tmp_path: Path) -> None:
    with Live(tmp_path, within=limited(RESERVED + 16)) as live:
        alice_and_bob(live)
        with crowd(live, 60):
            live.publish("carol")
            live.obs.run(live.obs.fake.restart(leftovers=True))
            live.ask("POST", "/queue/skip")
            live.until_on_air("bob")
            assert_settled(live, "bob")
        assert "cannot accept connections" not in live.console()
        assert "Too many open files" not in live.console()


def test_out_of_descriptors_the_picture_stays_and_the_log_is_not_flooded(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        alice_and_bob(live)
        shown = live.obs.shown()
        before = len(live.console().splitlines())
        limits = resource.prlimit(live.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(live.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        with crowd(live, 20):
            live.until(lambda: "cannot accept connections" in live.console())
            # OBS goes meanwhile, and comes: it cannot be reached without a descriptor.
            live.obs.run(live.obs.fake.restart(leftovers=True))
            live.until(lambda: "Lost OBS" in live.console())
            assert live.obs.shown() == shown
            told = [json.loads(line) for line in live.console().splitlines()[before:]]
            assert len(told) < 30, told
            assert not [line for line in told if "exception" in line]
            resource.prlimit(live.pid, resource.RLIMIT_NOFILE, limits)
            live.until(lambda: live.get("/healthz")["status"] == "ok")
        assert_settled(live, "alice")
        live.publish("carol")
        with sqlite3.connect(tmp_path / "motherstream.db") as db:
            assert "carol" in str(db.execute("SELECT body FROM event").fetchall())
        db.close()


def test_no_more_connections_are_taken_than_there_may_be_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for files, connections in (
        (resource.RLIM_INFINITY, MOST_CONNECTIONS),
        (16_384, MOST_CONNECTIONS),
        (MOST_CONNECTIONS + RESERVED - 1, MOST_CONNECTIONS - 1),
        (RESERVED + 20, 20),
        (3, 8),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, files=files: (files, files))
        assert connection_limit() == connections
