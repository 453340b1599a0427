"""A disk that is full, that cannot be written, whose log is taken away: the show goes on, and says so."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.streamers.store import StreamerStore
from tests.daemon.http.live import Live
from tests.daemon.journal.test_trouble import with_key
from tests.machine.support import Disk, alice_and_bob, assert_settled, lines, says, unready

AGAIN = 15.0
"""Seconds within which what can be written again is: the journal is tried every 5 s, the log every 10."""


def publishes(live: Live, name: str) -> bool:
    live.publish(name)
    return True


def told(live: Live, text: str) -> int:
    """How often its console says so."""
    return sum(text in json.loads(line)["event"] for line in live.console().splitlines())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with Disk(tmp_path) as made:
        yield made


def test_on_a_full_disk_the_show_goes_on_and_what_happened_is_written_once_there_is_room(
    disk: Disk, tmp_path: Path
) -> None:
    with Live(tmp_path, within=disk.within, keys=disk.settings()) as live:
        alice_and_bob(live)
        disk.fill()
        live.ask("POST", "/queue/skip")
        live.until_on_air("bob")
        live.publish("carol")
        live.until(lambda: unready(live) == {"journal"})
        # Told on standard error, with what it means, and once each; the log's last page has some room left.
        live.until(lambda: publishes(live, "carol") and "motherstream.log cannot be written" in live.console())
        says(live, "the journal cannot be written")
        # To open it anew may make a little room, which is soon full again: each time is told, once.
        live.until(
            lambda: told(live, "the journal cannot be written") == told(live, "the journal can be written again") + 1
        )
        assert told(live, "motherstream.log cannot be written") == 1
        disk.make_room()
        live.until(lambda: not unready(live), within=AGAIN)
        live.send(signal.SIGKILL)
        live.ended()
        live.start()
        assert_settled(live, "bob")
        assert {place["streamer"] for place in live.get("/queue")["queue"]} == {"alice", "bob", "carol"}


def test_it_starts_on_a_full_disk_and_goes_on_air(disk: Disk, tmp_path: Path) -> None:
    disk.fill()
    with Live(tmp_path, within=disk.within, keys=disk.settings()) as live:
        alice_and_bob(live)
        assert "journal" in unready(live)
        disk.make_room()
        live.until(lambda: not unready(live), within=AGAIN)
        assert disk.outside("motherstream.db").stat().st_size > 0


def test_it_starts_on_a_read_only_file_system_and_writes_once_it_may(tmp_path: Path) -> None:
    with Disk(tmp_path, read_only=True) as disk, Live(tmp_path, within=disk.within, keys=disk.settings()) as live:
        alice_and_bob(live)
        assert "journal" in unready(live)
        says(live, "Read-only file system")
        disk.remount("rw")
        live.until(lambda: not unready(live), within=AGAIN)
        live.send(signal.SIGHUP)  # as after a rotation: the log is tried at once
        live.until(lambda: disk.outside("motherstream.log").exists())
        live.send(signal.SIGKILL)
        live.ended()
        live.start()
        assert_settled(live, "alice")


def test_streamers_with_keys_may_publish_after_a_start_on_a_read_only_file_system(tmp_path: Path) -> None:
    with Disk(tmp_path) as disk:
        key = StreamerStore(tmp_path / "made.db").add("alice")
        disk.outside("motherstream.db").write_bytes((tmp_path / "made.db").read_bytes())
        disk.remount("ro")
        with Live(tmp_path, within=disk.within, keys=disk.settings(), queue__auth="keys") as live:
            assert unready(live) == {"journal", "keys"}
            assert with_key(live, "alice", key) == 200
            assert with_key(live, "alice", "x" * 32) == 403
            disk.remount("rw")
            live.until(lambda: not unready(live), within=AGAIN)
            assert with_key(live, "alice", key) == 200


def test_a_database_that_is_deleted_while_it_runs_costs_no_picture_and_no_streamer(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        alice_and_bob(live)
        for path in tmp_path.glob("motherstream.db*"):
            path.unlink()
        live.ask("POST", "/queue/skip")
        live.until_on_air("bob")


def test_a_log_that_is_rotated_away_goes_on_in_a_new_file_and_loses_no_line(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "motherstream.log"
    with Live(tmp_path, log__file=str(log)) as live:
        live.publish("alice")
        live.until_on_air("alice")
        log.rename(log.with_suffix(".1"))
        live.publish("bob")
        live.until(lambda: any("srs:srs/c-bob" in line for line in lines(log)))
        log.unlink()
        live.send(signal.SIGHUP)
        live.until(lambda: any("the configuration was reloaded" in line for line in lines(log)))
        # Shortened in place, as logrotate's copytruncate does: no hole of zeros before the next line.
        log.write_text("")
        live.publish("carol")
        live.until(lambda: any("srs:srs/c-carol" in line for line in lines(log)))
        assert all(json.loads(line) for line in lines(log))


def test_a_log_directory_that_is_gone_is_made_again(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "motherstream.log"
    with Live(tmp_path, log__file=str(log)) as live:
        live.publish("alice")
        live.until_on_air("alice")
        log.parent.rename(tmp_path / "gone")
        live.publish("bob")
        live.until(lambda: any("srs:srs/c-bob" in line for line in lines(log)))


def test_a_log_directory_that_cannot_be_made_leaves_the_lines_on_standard_error(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "motherstream.log"
    with Live(tmp_path, log__file=str(log)) as live:
        log.parent.rename(tmp_path / "gone")
        log.parent.write_text("a file in its place")
        alice_and_bob(live)
        for told in ("motherstream.log cannot be written", "Successfully switched to new source"):
            says(live, told)


def test_what_is_kept_of_a_turn_is_in_the_file_when_the_next_event_is_answered(tmp_path: Path) -> None:
    """A hook's answer means that its event is journaled."""
    with Live(tmp_path) as live:
        live.publish("alice")
        with sqlite3.connect(tmp_path / "motherstream.db") as db:
            bodies = [json.loads(body) for (body,) in db.execute("SELECT body FROM event")]
        db.close()
        assert any(body.get("session", {}).get("streamer") == "alice" for body in bodies)
