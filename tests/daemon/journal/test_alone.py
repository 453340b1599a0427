"""One daemon for one database and one port: a second one says so, and touches nothing."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from daemon.http.server import Claim
from daemon.journal.alone import WAIT_FOR_OTHER
from daemon.journal.lock import MOST, StoreLock
from daemon.streamers.store import StreamerStore
from tests.daemon.http.live import Live
from tests.support import blocking_until

pytestmark = pytest.mark.slow

HOLDER = """
import sys, time; from pathlib import Path; from daemon.journal.lock import StoreLock
assert StoreLock(Path(sys.argv[1])).take(1_800_000_000.0, "/etc/one.toml") is None
print("held", flush=True); time.sleep(600)
"""


def test_the_lock_names_the_one_that_holds_it_and_is_free_once_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        found = StoreLock(path).take(time.time())
        assert (found and found.pid, found and found.since) == (holder.pid, "2027-01-15T08:00:00Z")
        assert "/etc/one.toml" in str(found)
    finally:
        holder.kill()
        holder.communicate()
    lock = StoreLock(path)
    assert lock.take(time.time()) is None
    assert lock.held
    assert not path.exists(), "the database itself is not touched"
    lock.release()


def test_who_comes_to_the_database_by_a_link_meets_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    lock, other = StoreLock(tmp_path / "a.db"), StoreLock(tmp_path / "link.db")
    assert lock.take(1.0, "one") is None
    holder = other.take(2.0, "two")
    assert (holder and holder.config) == "one"
    lock.release()


def test_the_holder_hears_of_each_that_was_turned_away_once(tmp_path: Path) -> None:
    lock, other = StoreLock(tmp_path / "a.db"), StoreLock(tmp_path / "a.db")
    assert lock.take(1.0, "one") is None
    assert lock.others() == ()
    assert other.take(2.0, "two") is not None
    assert [each.config for each in lock.others()] == ["two"]
    assert lock.others() == ()
    holder = other.take(3.0, "three")
    assert (holder and holder.config) == "one"
    lock.release()


def test_one_that_tries_for_ever_fills_no_disk(tmp_path: Path) -> None:
    lock, other = StoreLock(tmp_path / "a.db"), StoreLock(tmp_path / "a.db")
    lock.take(1.0)
    for _ in range(300):
        assert other.take(2.0, "two")
    assert lock.path.stat().st_size < 2 * MOST
    lock.release()


def test_what_is_noted_is_there_for_the_next_holder(tmp_path: Path) -> None:
    lock = StoreLock(tmp_path / "a.db")
    lock.take(1.0)
    lock.note(run="abc")
    lock.release()
    again = StoreLock(tmp_path / "a.db")
    again.take(2.0)
    assert again.noted("run") == "abc"
    again.release()


def test_a_lock_whose_file_was_deleted_or_is_rubbish_is_taken_all_the_same(tmp_path: Path) -> None:
    lock = StoreLock(tmp_path / "a.db")
    lock.path.write_bytes(b"\x00\xff not json\n[1]\n" * 10)
    assert lock.take(1.0) is None
    assert StoreLock(tmp_path / "a.db").take(1.0) is not None
    lock.release()


def test_a_place_where_no_lock_can_be_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "place").write_text("a file where a folder should be")
    lock = StoreLock(tmp_path / "place" / "a.db")
    assert lock.take(1.0) is None
    assert not lock.held
    lock.note(run="x")
    assert lock.others() == ()


def second(live: Live, **environment: str) -> subprocess.Popen[str]:
    """A daemon of the same configuration, but for what is given."""
    with Path(f"/proc/{live.pid}/environ").open("rb") as file:
        theirs = dict(item.split("=", 1) for item in file.read().decode().split("\0") if "=" in item)
    theirs.pop("INVOCATION_ID", None)
    return subprocess.Popen(
        [sys.executable, "-m", "daemon", "run"],
        env={**theirs, "MOTHERSTREAM_LOG__FILE": "", **environment},
        cwd=live.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_second_daemon_on_the_database_says_who_has_it_and_touches_nothing(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        live.publish("alice")
        live.until_on_air("alice")
        inputs = list(live.obs.fake.inputs)
        other = second(live, MOTHERSTREAM_HTTP__PORT="0")
        said, _ = other.communicate(timeout=20)
        assert other.returncode == 1
        line = json.loads(said.strip().splitlines()[-1])
        assert line["level"] == "critical"
        assert line["event"].startswith(f"another motherstream (pid {live.pid}, since 20")
        assert str(tmp_path / "motherstream.db") in line["event"]
        live.until(lambda: f"a second daemon (pid {other.pid}" in live.console())
        assert live.on_air() == "alice"
        assert list(live.obs.fake.inputs) == inputs
        # The command line works on the live database all the same.
        StreamerStore(tmp_path / "motherstream.db").add("bob")
        live.kill()
        live.start_again()
        live.until_on_air("alice")


def test_a_port_that_is_somebody_elses_is_told_before_anything_is_touched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Live(tmp_path) as live:
        port, path = taken.getsockname()[1], tmp_path / "other.db"
        other = second(live, MOTHERSTREAM_HTTP__PORT=str(port), MOTHERSTREAM_STORE__PATH=str(path))
        said, _ = other.communicate(timeout=20)
        assert other.returncode == 1
        event = json.loads(said.strip().splitlines()[-1])["event"]
        assert event.startswith(f"cannot listen on 127.0.0.1 port {port}: ")
        assert "is another daemon running?" in event
        assert not path.exists()


def test_under_systemd_a_second_daemon_waits_and_takes_over_when_the_first_has_ended(tmp_path: Path) -> None:
    """It would be started anew every 0.2 s else; and an upgrade's new one follows an old one that takes its time."""
    with Live(tmp_path) as live:
        live.publish("alice")
        live.until_on_air("alice")
        other = second(live, INVOCATION_ID="x")
        try:
            live.until(lambda: f"a second daemon (pid {other.pid}" in live.console())
            assert other.poll() is None
            live.kill()
            blocking_until(
                lambda: live.on_air() == "alice",
                WAIT_FOR_OTHER + 10,
                ignore=OSError,
                give_up=lambda: other.poll() is not None,
            )
        finally:
            os.kill(other.pid, 15)
            other.communicate(timeout=20)
        assert other.returncode == 0


async def test_a_port_that_is_taken_is_nobody_elses_before_anything_is_served_there() -> None:
    mine = Claim("127.0.0.1", 0)
    await mine.take()
    assert mine.listener is not None
    port = mine.listener.sockets[0].getsockname()[1]
    try:
        with pytest.raises(OSError, match="ddress already in use"):
            await Claim("127.0.0.1", port).take()
    finally:
        mine.release()
