"""A daemon that really runs, and whose file is damaged, full or in the way: the show goes on, and it says so."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.journal.journal import Journal
from daemon.streamers.store import StreamerError, StreamerStore
from tests.daemon.http.live import Live

pytestmark = pytest.mark.slow


def check(live: Live, name: str) -> dict[str, Any]:
    """What /readyz says of it."""
    answer = live.ask("GET", "/readyz")
    found: dict[str, Any] = json.loads(answer.body)["checks"][name]
    assert answer.status == (200 if json.loads(answer.body)["ready"] else 503)
    return found


def named(path: Path) -> set[str]:
    """Whose keys a database has."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db,
    ):
        return {str(name) for (name,) in db.execute("SELECT name FROM streamer")}
    return set()


def harm_all_but_the_streamers(path: Path) -> None:
    """The page with which the snapshot begins is zeros."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'snapshot'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def with_key(live: Live, stream: str, key: str) -> int:
    """What a publisher with that key is answered."""
    hook = {"action": "on_publish", "app": "live", "stream": stream, "client_id": stream, "param": f"?key={key}"}
    return live.ask("POST", "/hooks/srs", hook).status


def shows_both(live: Live, first: str, second: str) -> None:
    """They publish, and the one hands over to the other."""
    live.publish(first)
    live.until(lambda: live.on_air() == first)
    live.publish(second)
    live.until(lambda: (live.get("/status")["standby"] or {}).get("ready"))
    assert live.ask("POST", "/queue/skip").status == 200
    live.until(lambda: live.on_air() == second)


def test_a_folder_where_the_file_should_be_stops_no_show_and_is_mended_while_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "motherstream.db"
    path.mkdir()
    with Live(tmp_path) as live:
        assert "unable to open database file" in check(live, "journal")["detail"]
        live.until(lambda: "the journal cannot be written: the show goes on" in live.console())
        shows_both(live, "alice", "bob")
        path.rmdir()
        live.until(lambda: check(live, "journal")["ok"])
        live.until(lambda: "the journal can be written again" in live.console())
        live.kill()
        live.start_again()
        assert [row["streamer"] for row in live.get("/queue")["queue"]] == ["bob", "alice"]
        assert live.get("/history")["history"], "what happened meanwhile is in the history"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Not a byte is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_a_full_disk_stops_no_show_and_a_restart_on_it_forgets_nothing_that_was_written(
    tmp_path: Path, small: Path
) -> None:
    with Live(tmp_path, store__path=str(small / "a.db")) as live:
        live.publish("alice")
        live.until(lambda: live.on_air() == "alice")
        ballast = fill(small)
        number = 0
        while check(live, "journal")["ok"]:
            number += 1
            assert live.ask("POST", f"/update-timer/{1000 + number % 100}").status == 200
        live.publish("bob")
        live.until(lambda: (live.get("/status")["standby"] or {}).get("ready"))
        assert live.ask("POST", "/queue/skip").status == 200
        live.until(lambda: live.on_air() == "bob")

        live.kill()
        live.start_again()
        assert not check(live, "journal")["ok"]
        assert "alice" in [row["streamer"] for row in live.get("/queue")["queue"]]

        ballast.unlink()
        live.publish("carol")
        live.until(lambda: check(live, "journal")["ok"])
        live.kill()
        live.start_again()
        assert {"alice", "carol"} <= {row["streamer"] for row in live.get("/queue")["queue"]}


def test_a_file_that_is_overwritten_with_rubbish_is_put_aside_and_the_keys_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "motherstream.db"
    StreamerStore(path).add("alice")
    with Live(tmp_path) as live:
        live.publish("alice")
        live.until(lambda: live.on_air() == "alice")
        path.write_bytes(b"\x00rubbish" * 8192)
        with contextlib.suppress(StreamerError):
            StreamerStore(path).add("bob")  # another change, so that it is looked at
        live.until(lambda: list(tmp_path.glob("*.damaged-*")))
        live.until(lambda: all(check(live, name)["ok"] for name in ("journal", "keys")))
        assert live.ask("POST", "/update-timer/900").status == 200
        live.until(lambda: [row.name for row in StreamerStore(path).list()] == ["alice"])
        live.kill()
        live.start_again()
        assert [row["streamer"] for row in live.get("/queue")["queue"]] == ["alice"]
        assert live.get("/time-settings")["swap_interval"] == 900


def test_a_file_that_is_damaged_at_the_start_costs_the_line_up_and_not_the_show(tmp_path: Path) -> None:
    path = tmp_path / "motherstream.db"
    path.write_bytes(b"this is no database" * 1000)
    with Live(tmp_path) as live:
        live.until(lambda: "the journal was damaged: it was quarantined" in live.console())
        assert check(live, "journal")["ok"]
        shows_both(live, "alice", "bob")
    aside = next(tmp_path.glob("*.damaged-*"))
    assert aside.read_bytes() == b"this is no database" * 1000
    shutil.copy(path, tmp_path / "copy.db")
    with sqlite3.connect(tmp_path / "copy.db") as db:
        assert db.execute("SELECT count(*) FROM handover").fetchone()[0] >= 2
    db.close()


def test_a_file_that_is_damaged_at_the_start_comes_back_from_its_copy_and_the_streamers_may_publish(
    tmp_path: Path,
) -> None:
    path = tmp_path / "motherstream.db"
    store = StreamerStore(path)
    alice = store.add("alice")
    with Live(tmp_path, queue__auth="keys") as live:
        bob = store.add("bob")  # while it runs: the copy follows
        live.until(lambda: named(tmp_path / "motherstream.db.backup") == {"alice", "bob"})
        assert with_key(live, "one", alice) == 200
        live.until_on_air("alice")
        assert live.ask("POST", "/update-timer/900").status == 200
        live.send(signal.SIGTERM)
        assert live.ended() == 0
        path.write_bytes(b"this is no database" * 1000)

        live.start()
        live.until(
            lambda: (
                "the journal was damaged: it was quarantined, and its last good copy took its place" in live.console()
            )
        )
        assert all(check(live, name)["ok"] for name in ("journal", "keys"))
        assert live.get("/time-settings")["swap_interval"] == 900
        used = {name for name in live.obs.fake.inputs if name.startswith("GMOTHERSTREAM_")}
        assert with_key(live, "two", bob) == 200
        live.until_on_air("bob")
        assert live.get("/status")["on_air"]["input"] not in used
        assert with_key(live, "one", alice) == 200
        live.until(lambda: len(live.get("/queue")["queue"]) == 2)
        assert live.get("/history")["history"], "and what was before is in it"


def test_keys_that_can_still_be_read_in_a_damaged_file_are_not_replaced_by_older_ones(tmp_path: Path) -> None:
    """The copy has a key that was taken away since: it stays taken away."""
    path = tmp_path / "motherstream.db"
    store = StreamerStore(path)
    store.add("alice")
    old = store.add("bob")
    with Live(tmp_path, queue__auth="keys") as live:
        live.send(signal.SIGTERM)
        assert live.ended() == 0
        assert named(tmp_path / "motherstream.db.backup") == {"alice", "bob"}
        new = store.rotate("bob")
        store.remove("alice")
        harm_all_but_the_streamers(path)

        live.start()
        live.until(lambda: named(path) == {"bob"})
        assert with_key(live, "two", old) == 403
        assert with_key(live, "two", new) == 200
        live.until_on_air("bob")


async def test_another_program_s_database_and_what_is_no_file_are_left_as_they_are_and_told(tmp_path: Path) -> None:
    other, pipe, link = tmp_path / "other.db", tmp_path / "pipe", tmp_path / "link.db"
    with contextlib.closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE notes (x)")
        db.commit()
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    link.symlink_to(pipe)
    before = other.read_bytes()
    for path, why in ((other, "belongs to another program"), (link, "not a regular file")):
        journal = Journal(path)
        await journal.open()
        try:
            assert why in journal.problem
        finally:
            await journal.close()
    assert other.read_bytes() == before
    assert pipe.stat().st_mode & 0o777 == 0o644
