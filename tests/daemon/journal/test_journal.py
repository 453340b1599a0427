"""The journal: nothing that was written is forgotten, and no trouble with the file stops the show."""

import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daemon.journal.journal import HANGS_AFTER, LOOK_EVERY, SNAPSHOT_EVERY, Journal
from statemachine import events as ev
from statemachine.director import Director
from tests.daemon.journal.helpers import feed, fresh, opened, session


async def test_a_restart_finds_what_was_written(tmp_path: Path) -> None:
    director = fresh()
    async with opened(tmp_path / "a.db") as journal:
        await feed(journal, director, ev.ObsReady(1.0, ev.Inventory()), ev.Published(2.0, session("alice")))
        await feed(journal, director, ev.InputCreated(2.1, 1), ev.MediaReady(2.2, 1), ev.CutDone(2.3, 1))
    async with opened(tmp_path / "a.db") as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


async def test_the_database_has_a_name_of_its_own_that_its_copy_shares(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as journal:
        name = journal.id
        await journal.finish(fresh().snapshot())
    async with opened(tmp_path / "a.db") as journal:
        assert journal.id == name
    (tmp_path / "a.db").write_bytes(b"this is no database" * 1000)
    async with opened(tmp_path / "a.db") as journal:
        assert journal.id == name
    async with opened(tmp_path / "b.db") as journal:
        assert len(journal.id) == 16
        assert journal.id != name


async def test_a_crash_without_closing_loses_nothing_written(tmp_path: Path) -> None:
    director, journal = fresh(), Journal(tmp_path / "a.db")
    await journal.open()
    await feed(journal, director, ev.Published(2.0, session("alice")))
    async with opened(tmp_path / "a.db") as again:  # the first one still has the file open
        assert (await again.restore(fresh)).lineup.find("alice") is not None
    await journal.close()


async def test_a_snapshot_takes_the_place_of_the_events_before_it(tmp_path: Path) -> None:
    director = fresh()
    async with opened(tmp_path / "a.db") as journal:
        for number in range(SNAPSHOT_EVERY + 3):
            await feed(journal, director, ev.TimePassed(float(number)))
    with sqlite3.connect(tmp_path / "a.db") as db:
        assert db.execute("SELECT count(*) FROM event").fetchone()[0] == 3
    db.close()
    async with opened(tmp_path / "a.db") as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


async def test_a_damaged_file_is_put_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is no database at all, and long enough to be looked at" * 40)
    async with opened(path) as journal:
        assert journal.problem == ""
        assert len(await journal.handovers(5)) == 0
    assert len(list(tmp_path.glob("a.db.damaged-*"))) == 1


async def test_a_journal_that_cannot_be_replayed_begins_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as journal:
        await feed(journal, fresh(), ev.Published(2.0, session("alice")))
    with sqlite3.connect(path) as db:
        db.execute('UPDATE event SET body = \'{"event": "NoSuchThing", "at": 1.0}\'')
    db.close()
    async with opened(path) as journal:
        assert len((await journal.restore(fresh)).lineup) == 0
        await feed(journal, fresh(), ev.Published(3.0, session("bob")))
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).lineup.find("bob") is not None


async def test_an_unwritable_place_is_told_and_tried_again(tmp_path: Path) -> None:
    clock, director = [0.0], fresh()
    (tmp_path / "place").write_text("a file where a folder should be")
    async with opened(tmp_path / "place" / "a.db", clock) as journal:
        assert "place" in journal.problem
        await feed(journal, director, ev.Published(2.0, session("alice")))
        (tmp_path / "place").unlink()
        await feed(journal, director, ev.TimePassed(3.0))
        assert journal.problem, "it is not tried again at once"
        clock[0] = 60.0
        await feed(journal, director, ev.TimePassed(4.0))
        assert journal.problem == ""
    async with opened(tmp_path / "place" / "a.db") as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


async def test_it_is_well_again_only_once_all_that_happened_meanwhile_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, director = [0.0], fresh()
    (tmp_path / "place").write_text("a file where a folder should be")
    async with opened(tmp_path / "place" / "a.db", clock) as journal:
        await feed(journal, director, ev.Published(2.0, session("alice")))
        (tmp_path / "place").unlink()
        clock[0] = 60.0
        said: list[str] = []
        append = journal._append

        def noted(*what: Any) -> None:
            said.append(journal.trouble)
            append(*what)

        monkeypatch.setattr(journal, "_append", noted)
        await feed(journal, director, ev.TimePassed(4.0))
        assert [("place" in each) for each in said] == [True]
        assert journal.trouble == ""


@pytest.mark.usefixtures("waits_for_the_disk")
async def test_a_file_that_goes_bad_while_running_is_mended_in_the_same_step(tmp_path: Path) -> None:
    director, path = fresh(), tmp_path / "a.db"
    async with opened(path) as journal:
        with sqlite3.connect(path) as db:
            db.execute("DROP TABLE event")
        db.close()
        await feed(journal, director, ev.Published(2.0, session("alice")))
        assert journal.problem == ""
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).lineup.find("alice") is not None


async def test_the_history_is_told_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as journal:
        for number in range(5):
            await journal.append([], dict, [(float(number), {"attempt": number})])
        assert [row["attempt"] for row in await journal.handovers(3)] == [4, 3, 2]


async def test_a_hand_over_is_in_the_history_with_the_event_that_ended_it(tmp_path: Path) -> None:
    """One transaction: nothing can come between the two."""
    async with opened(tmp_path / "a.db") as journal:
        with sqlite3.connect(tmp_path / "a.db") as db:
            db.execute("CREATE TRIGGER cut AFTER INSERT ON handover BEGIN SELECT raise(ABORT, 'cut short'); END")
        db.close()
        await journal.append([ev.Published(2.0, session("alice"))], fresh().snapshot, [(2.0, {"attempt": 1})])
        with sqlite3.connect(tmp_path / "a.db") as db:
            assert db.execute("SELECT count(*) FROM event").fetchone() == (0,)
        db.close()


async def test_what_happens_while_the_file_is_in_trouble_is_written_afterwards(tmp_path: Path) -> None:
    clock, director, place = [0.0], fresh(), tmp_path / "place"
    place.write_text("a file where a folder should be")
    async with opened(place / "a.db", clock) as journal:
        director.handle(published := ev.Published(2.0, session("alice")))
        journal.keep_stream("srs:1/alice", {"key": "x"})
        journal.keep_stream("srs:1/bob", {"key": "y"})
        journal.keep_stream("srs:1/bob", None)
        await journal.append([published], director.snapshot, [(2.0, {"attempt": 1})])
        assert await journal.handovers(5) == [{"attempt": 1}], "it is told meanwhile"
        place.unlink()
        clock[0] = 60.0
        await feed(journal, director, ev.TimePassed(3.0))
        assert journal.problem == ""
    async with opened(place / "a.db") as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()
        assert await journal.handovers(5) == [{"attempt": 1}]
        assert await journal.streams() == {"srs:1/alice": {"key": "x"}}


@pytest.mark.parametrize("instead", ["nothing", "another file", "a folder", "no log"])
@pytest.mark.usefixtures("waits_for_the_disk")
async def test_a_file_that_is_taken_away_while_running_is_noticed_and_begun_anew(tmp_path: Path, instead: str) -> None:
    clock, director, path = [0.0], fresh(), tmp_path / "a.db"
    async with opened(path, clock) as journal:
        await feed(journal, director, ev.Published(2.0, session("alice")))
        if instead == "no log":
            Path(f"{path}-wal").unlink()
        else:
            path.rename(tmp_path / "elsewhere")
        match instead:
            case "another file":
                sqlite3.connect(path).close()
            case "a folder":
                path.mkdir()
        await feed(journal, director, ev.Published(3.0, session("bob")))
        if instead == "a folder":
            assert journal.problem
            path.rmdir()
            clock[0] = 60.0
            await feed(journal, director, ev.TimePassed(4.0))
        assert journal.problem == ""
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


async def test_a_start_that_can_read_the_file_but_not_write_it_forgets_nothing(tmp_path: Path) -> None:
    director, path = fresh(), tmp_path / "a.db"
    async with opened(path) as journal:
        await feed(journal, director, ev.Published(2.0, session("alice")))
        journal.keep_stream("srs:1/alice", {"key": "x"})
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    async with opened(path, clock := [0.0]) as journal:
        assert journal.problem
        again = await journal.restore(fresh)
        assert again.snapshot() == director.snapshot()
        assert await journal.streams() == {"srs:1/alice": {"key": "x"}}
        writer.execute("ROLLBACK")
        writer.close()
        clock[0] = 60.0
        await feed(journal, again, ev.Published(3.0, session("bob")))
    async with opened(path) as journal:
        assert [entry.streamer for entry in (await journal.restore(fresh)).lineup] == ["alice", "bob"]
        assert await journal.streams() == {"srs:1/alice": {"key": "x"}}


async def test_an_event_that_the_rules_failed_on_does_not_cost_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dispatcher goes on after it, so a replay does."""
    director, path, handle = fresh(), tmp_path / "a.db", Director.handle

    def failing(self: Director, event: ev.Event) -> object:
        if isinstance(event, ev.SkipRequested):
            raise ZeroDivisionError("a fault of the rules")
        return handle(self, event)

    monkeypatch.setattr(Director, "handle", failing)
    async with opened(path) as journal:
        await feed(journal, director, ev.Published(2.0, session("alice")))
        await journal.append([ev.SkipRequested(2.5)], director.snapshot)
        await feed(journal, director, ev.Published(3.0, session("bob")))
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


async def test_a_disk_that_does_not_answer_is_told(tmp_path: Path) -> None:
    clock, director, path = [0.0], fresh(), tmp_path / "a.db"
    async with opened(path, clock) as journal:
        release = threading.Event()
        journal._thread.submit(release.wait)
        director.handle(published := ev.Published(2.0, session("alice")))
        late = await journal.append([published], director.snapshot)
        assert late is not None
        assert journal.trouble == "", "slow is not yet hanging"
        clock[0] = HANGS_AFTER
        assert "has not answered for 2 s" in journal.trouble
        release.set()
        await late
        assert journal.trouble == ""


async def test_what_a_stream_is_played_with_is_remembered_and_forgotten(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as journal:
        journal.keep_stream("srs:1/a", {"param": "x"})
        journal.keep_stream("srs:1/b", {"param": "y"})
        journal.keep_stream("srs:1/a", None)
    async with opened(tmp_path / "a.db") as journal:
        assert await journal.streams() == {"srs:1/b": {"param": "y"}}


async def test_only_the_service_user_may_read_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600


async def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    async with opened(path) as journal:
        assert "newer version" in journal.problem
    assert list(tmp_path.glob("a.db.damaged-*")) == []


async def test_a_file_system_that_has_no_write_ahead_log_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where shared memory is missing: SQLite stays with its rollback journal then."""

    class Plain(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            return super().execute("PRAGMA journal_mode" if sql == "PRAGMA journal_mode=WAL" else sql, *values)

    monkeypatch.setattr("daemon.journal.database.sqlite3.connect", partial(sqlite3.connect, factory=Plain))
    director, path = fresh(), tmp_path / "a.db"
    async with opened(path) as journal:
        await feed(journal, director, ev.Published(2.0, session("alice")))
        assert journal.problem == ""
        assert not Path(f"{path}-wal").exists()
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).snapshot() == director.snapshot()


@pytest.mark.usefixtures("waits_for_the_disk")
async def test_a_file_that_is_gone_is_found_out_within_five_seconds_also_where_nothing_is_written(
    tmp_path: Path,
) -> None:
    now = [100.0]
    journal = Journal(tmp_path / "a.db", clock=lambda: now[0])
    await journal.open()
    await journal.append([], fresh().snapshot)
    (tmp_path / "a.db").unlink()
    now[0] += LOOK_EVERY / 2
    await journal.append([], fresh().snapshot)
    assert not (tmp_path / "a.db").exists()
    now[0] += LOOK_EVERY / 2
    await journal.append([], fresh().snapshot)
    assert (tmp_path / "a.db").exists(), "it was begun anew"
    await journal.close()
