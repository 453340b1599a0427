"""``motherstream backup`` and ``restore``: whole, private, never over something else, and never beside a stale log."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from daemon.journal.archive import BackupError, backup, restore
from daemon.journal.lock import StoreLock
from daemon.streamers.store import StreamerStore
from tests.daemon.http.live import Live
from tests.daemon.journal.test_trouble import with_key

pytestmark = pytest.mark.slow


def names(path: Path) -> list[str]:
    return [row.name for row in StreamerStore(path).list()]


def command(live: Live, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon", *words],
        env={"MOTHERSTREAM_STORE__PATH": str(live.folder / "motherstream.db"), "PYTHONPATH": str(Path.cwd())},
        cwd=live.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_backup_of_a_live_daemon_is_restored_with_keys_settings_history_and_line_up(tmp_path: Path) -> None:
    path, saved = tmp_path / "motherstream.db", tmp_path / "saved.db"
    store = StreamerStore(path)
    alice, bob = store.add("alice"), store.add("bob")
    with Live(tmp_path, queue__auth="keys") as live:
        assert with_key(live, "alice", alice) == 200
        live.until_on_air("alice")
        assert live.ask("POST", "/update-timer/900").status == 200
        said = command(live, "backup", str(saved))
        assert said.returncode == 0, said.stderr
        assert "2 streamers" in said.stdout
        assert saved.stat().st_mode & 0o777 == 0o600
        again = command(live, "backup", str(saved))
        assert (again.returncode, again.stderr) == (
            1,
            f"motherstream: {saved} already exists: choose another one, or use --force\n",
        )
        assert command(live, "backup", "--force", str(saved)).returncode == 0

        store.remove("bob")
        store.add("carol")
        assert live.ask("POST", "/update-timer/800").status == 200
        refused = command(live, "restore", str(saved))
        assert refused.returncode == 1
        assert f"a daemon (pid {live.pid}" in refused.stderr
        live.kill()
        put_back = command(live, "restore", str(saved))
        assert put_back.returncode == 0, put_back.stderr
        kept = next(tmp_path.glob("motherstream.db.replaced-*[0-9]"))
        assert str(kept) in put_back.stdout
        assert not Path(f"{path}-wal").exists()
        live.start()
        live.until_on_air("alice")
        assert names(path) == ["alice", "bob"]
        assert names(kept) == ["alice", "carol"], "what was replaced is whole, its log included"
        assert live.get("/time-settings")["swap_interval"] == 900
        assert with_key(live, "bob", bob) == 200


def test_the_name_of_the_database_is_that_of_its_backup(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        assert command(live, "backup", str(tmp_path / "saved.db")).returncode == 0
    ids = []
    for name in ("motherstream.db", "saved.db"):
        with closing(sqlite3.connect(tmp_path / name)) as db:
            ids.append(db.execute("SELECT value FROM meta WHERE key = 'id'").fetchone())
    assert ids[0] == ids[1]


def test_a_backup_goes_over_nothing_of_the_daemons(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    StreamerStore(path).add("alice")
    for name in ("a.db", "a.db-wal", "a.db.backup", "a.db.lock"):
        with pytest.raises(BackupError, match="the daemon's own file"):
            backup(path, tmp_path / name, force=True)
    with pytest.raises(BackupError, match="cannot be written"):
        backup(path, tmp_path / "nowhere" / "b.db")
    with pytest.raises(BackupError, match="there is no database"):
        backup(tmp_path / "none.db", tmp_path / "b.db")


def test_a_backup_takes_the_place_of_no_device_and_goes_through_a_link_to_the_file(tmp_path: Path) -> None:
    path, pipe, link, file = (tmp_path / name for name in ("a.db", "pipe", "link", "file"))
    StreamerStore(path).add("alice")
    os.mkfifo(pipe)
    for place in (pipe, tmp_path):
        with pytest.raises(BackupError, match="not a regular file"):
            backup(path, place, force=True)
    assert pipe.is_fifo()
    file.touch()
    link.symlink_to(file)
    backup(path, link, force=True)
    assert link.is_symlink()
    assert names(file) == ["alice"]


async def reload(live: Live) -> None:
    live.obs.fake.reload(leftovers=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")
@pytest.mark.parametrize("mode", [0o700, 0o755], ids=["folder", "file"])
def test_who_may_not_reach_the_files_is_told_so_in_one_line(tmp_path: Path, mode: int) -> None:
    path, saved = tmp_path / "motherstream.db", tmp_path / "saved.db"
    StreamerStore(path).add("alice")
    backup(path, saved)
    tmp_path.chmod(mode)
    os.seteuid(65534)
    try:
        with pytest.raises(BackupError, match=r"motherstream\.db cannot be (reached: Permission denied|saved: unable)"):
            backup(path, Path("/never-made.db"))
        with pytest.raises(BackupError, match=r"saved\.db cannot be read: Permission denied"):
            restore(Path("/never-made/motherstream.db"), saved)
    finally:
        os.seteuid(0)


def test_a_place_that_cannot_be_looked_at_is_told_so_in_one_line(tmp_path: Path) -> None:
    path, loop = tmp_path / "motherstream.db", tmp_path / "loop"
    StreamerStore(path).add("alice")
    loop.symlink_to(loop)
    with pytest.raises(BackupError, match=r"saved\.db cannot be reached: Too many levels of symbolic links"):
        backup(path, loop / "saved.db")


def test_what_is_put_back_after_long_has_the_settings_of_then_and_nobody_in_the_line_up(tmp_path: Path) -> None:
    """Also of a daemon that has written no snapshot yet, where all of it stands in events."""
    path, saved = tmp_path / "motherstream.db", tmp_path / "saved.db"
    with Live(tmp_path) as live:
        live.publish("alice")
        live.until_on_air("alice")
        assert live.ask("POST", "/update-timer/900").status == 200
        backup(path, saved)
        live.kill()
        with closing(sqlite3.connect(saved)) as db:
            assert db.execute("SELECT count(*) FROM snapshot").fetchone() == (0,)
            db.execute("UPDATE copied SET at = at - 86400")
            db.commit()
        assert restore(path, saved).line_up is False
        live.obs.run(reload(live))
        live.start()
        assert live.get("/queue")["queue"] == []
        assert live.get("/time-settings")["swap_interval"] == 900


def test_what_is_put_aside_replaces_nothing_that_was_put_aside_before(tmp_path: Path) -> None:
    """Two restores within a second, or by a clock that was set back: the first database is still there."""
    path, saved = tmp_path / "a.db", tmp_path / "saved.db"
    StreamerStore(saved).add("old")
    StreamerStore(path).add("precious")
    with mock.patch("daemon.journal.salvage.time.time", return_value=1000.0):
        kept = [restore(path, saved).kept for _ in range(3)]
    assert [place and place.name for place in kept] == [
        "a.db.replaced-1000",
        "a.db.replaced-1000-2",
        "a.db.replaced-1000-3",
    ]
    assert names(tmp_path / "a.db.replaced-1000") == ["precious"]
    assert restore(path, saved).age is None, "who copied it by other means has not said when"


def test_a_backup_is_put_back_from_where_nothing_can_be_written_into_the_file_that_a_link_names(tmp_path: Path) -> None:
    path, disk, away = (tmp_path / name for name in ("a.db", "disk.db", "away"))
    away.mkdir()
    StreamerStore(disk).add("alice")
    path.symlink_to(disk)
    backup(path, away / "saved.db")
    StreamerStore(path).add("bob")
    restore(path, away / "saved.db")
    assert list(away.iterdir()) == [away / "saved.db"], "SQLite has written nothing beside it"
    assert path.is_symlink()
    assert names(disk) == ["alice"]
    assert names(next(tmp_path.glob("disk.db.replaced-*[0-9]"))) == ["alice", "bob"]


@pytest.mark.parametrize("what", ["rubbish", "another database", "torn", "newer", "nothing"])
def test_what_is_no_sound_backup_is_not_put_back(tmp_path: Path, what: str) -> None:
    path, saved = tmp_path / "a.db", tmp_path / "saved.db"
    StreamerStore(path).add("alice")
    backup(path, saved)
    match what:
        case "rubbish":
            saved.write_bytes(b"this is no database" * 1000)
        case "another database":
            saved.unlink()
            with closing(sqlite3.connect(saved)) as db:
                db.execute("CREATE TABLE t (x)")
        case "torn":
            saved.write_bytes(saved.read_bytes()[:6000])
        case "newer":
            with closing(sqlite3.connect(saved)) as db:
                db.execute("UPDATE meta SET value = '99', mark = NULL WHERE key = 'schema'")
                db.execute("PRAGMA user_version = 99")
                db.commit()
        case "nothing":
            saved.unlink()
    before = path.read_bytes()
    with pytest.raises(BackupError, match=str(saved)):
        restore(path, saved)
    assert path.read_bytes() == before
    assert StoreLock(path).take(0.0) is None, "the lock is free again"


def test_a_saved_file_that_is_copied_beside_a_stale_log_by_hand_is_taken_as_it_is_and_told(tmp_path: Path) -> None:
    """As sqlite3's own .backup saves it, and `kill -9` leaves the log of what came later."""
    path, saved = tmp_path / "motherstream.db", tmp_path / "saved.db"
    store = StreamerStore(path)
    for name in ("alice", "bob"):
        store.add(name)
    with Live(tmp_path) as live:
        with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(saved)) as copy:
            db.backup(copy)
        store.remove("bob")
        store.add("carol")
        for _ in range(20):
            assert live.ask("POST", "/queue/hold").status == 200
        live.kill()
        assert Path(f"{path}-wal").stat().st_size
        shutil.copyfile(saved, path)
        live.start()
        assert names(path) == ["alice", "bob"]
        assert live.get("/queue")["held"] is False
        live.until(lambda: "the database is another file than the one that was in use" in live.console())
        assert list(tmp_path.glob("motherstream.db.stale-*-wal"))
        live.send(signal.SIGTERM)
        assert live.ended() == 0


def test_a_log_that_is_the_databases_own_is_never_put_aside(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        for number in range(3):
            StreamerStore(tmp_path / "motherstream.db").add(f"streamer{number}")
            live.publish(f"streamer{number}")
            live.kill()
            live.start_again()
        assert len(live.get("/queue")["queue"]) == 3
    assert list(tmp_path.glob("motherstream.db.stale-*")) == []
