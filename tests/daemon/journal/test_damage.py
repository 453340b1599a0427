"""One damaged row costs that row: the daemon starts, tells what is lost, and believes nothing that was not written."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.journal.database import SCHEMA_VERSION
from daemon.journal.journal import Journal
from daemon.streamers.index import StreamerIndex
from daemon.streamers.store import StreamerError, StreamerStore
from statemachine import events as ev
from statemachine.director import Director
from tests.daemon.journal.helpers import feed, fresh, opened, session


async def a_show(path: Path) -> None:
    """Alice is in the snapshot, bob and a hold came after it, one hand-over is in the history."""
    async with opened(path) as journal:
        director = await journal.restore(fresh)
        await feed(journal, director, ev.Published(1.0, session("alice")))
        await journal.save(director.snapshot())
        await feed(journal, director, ev.Published(2.0, session("bob")))
        await feed(journal, director, ev.Held(3.0))
        journal.keep_stream("srs:1/alice", {"key": "x"})
        await journal.append([], director.snapshot, [(2.0, {"attempt": 1}), (2.5, {"attempt": 2})])


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(sql)


EVENTS = (
    'UPDATE event SET body = \'{"event": "He\' WHERE seq = 3',
    "UPDATE event SET body = x'00ff' WHERE seq = 3",
    "UPDATE event SET body = '7' WHERE seq = 3",
    "UPDATE event SET body = '[]' WHERE seq = 3",
    "UPDATE event SET body = 'null', mark = NULL WHERE seq = 3",
    'UPDATE event SET body = \'{"event": "Released", "at": 2.0}\' WHERE seq = 3',
    "DELETE FROM event WHERE seq = 3",
)


@pytest.mark.parametrize("sql", EVENTS)
async def test_a_damaged_event_is_passed_over_and_told_and_those_after_it_are_taken(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    change(path, sql)
    async with opened(path) as journal:
        director = await journal.restore(fresh)
        assert journal.problem == ""
        assert [entry.streamer for entry in director.lineup] == ["alice"]
        assert director.lineup.held
        if "NULL" not in sql:
            assert "1 events are damaged or missing" in journal.notice
        await feed(journal, director, ev.Published(9.0, session("carol")))
    async with opened(path) as journal:
        assert [entry.streamer for entry in (await journal.restore(fresh)).lineup] == ["alice", "carol"]
        assert journal.notice == ""


SNAPSHOTS = (
    "UPDATE snapshot SET state = '{' WHERE id = {id}",
    "UPDATE snapshot SET state = '[1]' WHERE id = {id}",
    "UPDATE snapshot SET seq = 'abc' WHERE id = {id}",
    "UPDATE snapshot SET seq = 0 WHERE id = {id}",
    "DELETE FROM snapshot WHERE id = {id}",
)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("sql", SNAPSHOTS)
async def test_one_damaged_snapshot_of_the_two_costs_nothing(tmp_path: Path, sql: str, number: int) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    async with opened(path) as journal:
        before = (await journal.restore(fresh)).snapshot()
    change(path, sql.replace("{id}", str(number)))
    async with opened(path) as journal:
        after = (await journal.restore(fresh)).snapshot()
        assert "one copy of the snapshot" in journal.notice
    assert after["lineup"] == before["lineup"]
    assert after["switchover"]["next_input"] > before["switchover"]["next_input"], "a lost event may have used one"


OTHERS = (
    "UPDATE snapshot SET state = '{'",
    "UPDATE snapshot SET mark = NULL, state = '" + "[" * 100_000 + "'",
    'UPDATE snapshot SET mark = NULL, state = \'{"now": "never"}\'',
    "DROP TABLE event; CREATE TABLE event (number INTEGER PRIMARY KEY, body TEXT)",
    "DROP TABLE snapshot; CREATE TABLE snapshot (id INTEGER PRIMARY KEY, blob TEXT)",
    "DROP TABLE meta",
    "UPDATE meta SET value = 'x'",
    "INSERT INTO stream VALUES ('srs:a/1', '{', NULL)",
    "INSERT INTO stream VALUES ('srs:a/1', '[]', NULL)",
    'UPDATE stream SET body = \'{"key": "another"}\'',
    "INSERT INTO handover (at, body) VALUES (1, '{')",
    "UPDATE handover SET at = 7 WHERE id = 1",
    f"PRAGMA user_version = {SCHEMA_VERSION + 4}",
    "PRAGMA user_version = 0",
)


@pytest.mark.parametrize("sql", OTHERS)
async def test_whatever_a_row_holds_the_journal_is_opened_read_and_written(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "a.db"
    StreamerStore(path).add("alice")
    await a_show(path)
    change(path, sql)
    async with opened(path) as journal:
        assert journal.problem == ""
        director = await journal.restore(fresh)
        assert all(isinstance(body, dict) for body in (await journal.streams()).values())
        assert "another" not in str(await journal.streams())
        assert 2 in [row["attempt"] for row in await journal.handovers(5)]
        assert [row.name for row in StreamerStore(path).list()] == ["alice"]
        await feed(journal, director, ev.Published(9.0, session("carol")))
        assert journal.problem == ""
    async with opened(path) as journal:
        assert (await journal.restore(fresh)).lineup.find("carol") is not None


async def test_an_event_that_leaves_the_rules_unable_to_go_on_does_not_end_every_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    handle = Director.handle

    def failing(self: Director, event: ev.Event) -> object:
        if self.lineup.held:
            raise AssertionError("the rules do not settle")
        return handle(self, event)

    monkeypatch.setattr(Director, "handle", failing)
    async with opened(path) as journal:
        director = await journal.restore(fresh)
        director.handle(ev.TimePassed(9.0))
        assert not director.lineup.held
    async with opened(path) as journal:
        await journal.restore(fresh)
        assert journal.notice == ""


# --- keys


KEYS = (
    "UPDATE streamer SET key_hash = zeroblob(32) WHERE name = 'bob'",
    "UPDATE streamer SET name = 'mallory' WHERE name = 'bob'",
    "UPDATE streamer SET enabled = 0 WHERE name = 'bob'",
    "UPDATE streamer SET turn = 5.0 WHERE name = 'bob'",
    "DELETE FROM streamer WHERE name = 'bob'",
    "ALTER TABLE streamer RENAME TO streameq",
)


@pytest.mark.parametrize("sql", KEYS)
@pytest.mark.parametrize("copied", [True, False])
async def test_a_damaged_key_is_as_of_the_copy_or_gone_and_told_and_never_another_one(
    tmp_path: Path, sql: str, copied: bool
) -> None:
    path, store = tmp_path / "a.db", StreamerStore(tmp_path / "a.db")
    store.add("alice")
    store.add("bob")
    async with opened(path) as journal:
        if copied:
            await journal.finish(fresh().snapshot())
    before = set(store.list())
    change(path, sql)
    with pytest.raises(StreamerError, match=r"damaged|missing|ought to be"):
        store.add("carol")
    async with opened(path) as journal:
        index = StreamerIndex(path)
        index.refresh()
        assert index.problem == ""
        found = set(store.list())
        assert found <= before
        if copied:
            assert found == before
        else:
            assert "keys (" in journal.notice
        store.add("carol")
        index.stop()


async def test_a_key_that_was_removed_since_the_copy_stays_removed_where_that_can_be_told(tmp_path: Path) -> None:
    path, store = tmp_path / "a.db", StreamerStore(tmp_path / "a.db")
    for name in ("alice", "bob"):
        store.add(name)
    async with opened(path) as journal:
        await journal.finish(fresh().snapshot())
    store.remove("alice")
    change(path, "UPDATE snapshot SET state = '{'")
    async with opened(path) as journal:
        assert [row.name for row in store.list()] == ["bob"]
        assert "keys" not in journal.notice


async def test_a_file_of_an_earlier_version_is_taken_over_as_it_is_and_marked_from_then_on(tmp_path: Path) -> None:
    path, director = tmp_path / "a.db", fresh()
    director.handle(ev.Published(1.0, session("alice")))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(
            """
            CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state TEXT NOT NULL);
            CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
            CREATE TABLE handover (id INTEGER PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL);
            CREATE TABLE stream (session TEXT PRIMARY KEY, body TEXT NOT NULL);
            CREATE TABLE streamer (
              name TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE, key_hash BLOB NOT NULL UNIQUE,
              turn REAL, enabled INTEGER NOT NULL, added_at REAL NOT NULL, key_at REAL NOT NULL
            );
            INSERT INTO streamer VALUES ('Dave', 'dave', zeroblob(32), NULL, 1, 1.0, 2.0);
            INSERT INTO event VALUES (8, '{"event":"Held","at":2.0}');
            INSERT INTO handover VALUES (1, 1.0, '{"attempt":1}');
            PRAGMA user_version=1;
            """
        )
        db.execute("INSERT INTO snapshot VALUES (1, 7, ?)", (json.dumps(director.snapshot()),))
    assert [row.name for row in StreamerStore(path).list()] == ["Dave"]
    async with opened(path) as journal:
        restored = await journal.restore(fresh)
        assert journal.notice == ""
        assert restored.lineup.find("alice") is not None
        assert restored.lineup.held
        assert await journal.handovers(5) == [{"attempt": 1}]
        await journal.save(restored.snapshot())
    StreamerStore(path).add("erin")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM streamer WHERE mark IS NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM snapshot WHERE mark IS NOT NULL").fetchone() == (2,)


# --- the log beside it ------------------------------------------------------------------------------------------------


async def a_killed_show(path: Path) -> Path:
    """What a kill leaves of five streamers who came one after the other: the file, and a log with what came last."""
    left = path.with_name("left.db")
    async with opened(path) as journal:
        director = await journal.restore(fresh)
        for number, name in enumerate(("alice", "bob", "carol", "dave", "erin")):
            await feed(journal, director, ev.Published(1.0 + number, session(name)))
        for end in ("", "-wal"):
            Path(f"{left}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    return left


def frames(path: Path) -> int:
    return (Path(f"{path}-wal").stat().st_size - 32) // (24 + 4096)


@pytest.mark.parametrize("frame", ["header", "first", "middle", "last"])
@pytest.mark.parametrize("part", [4, 9, 30, 3000], ids=["commit", "salt", "page begin", "page"])
async def test_a_log_that_is_damaged_is_told_and_what_came_before_is_kept(
    tmp_path: Path, frame: str, part: int
) -> None:
    path = await a_killed_show(tmp_path / "a.db")
    log, count = Path(f"{path}-wal"), frames(path)
    body = bytearray(log.read_bytes())
    number = {"header": 0, "first": 0, "middle": count // 2, "last": count - 1}[frame]
    at = part if frame == "header" and part < 32 else 32 + number * (24 + 4096) + part
    body[at] ^= 0x10
    log.write_bytes(body)
    async with opened(path) as journal:
        back = await journal.restore(fresh)
        kept = [entry.streamer for entry in back.lineup]
        assert kept == ["alice", "bob", "carol", "dave", "erin"][: len(kept)]
        assert len(kept) < 5 or frame == "last"
        # Of one commit alone the very mark that it is one may be what is damaged.
        if not (frame == "last" and part in (4, 9)):
            assert "the end of the database's log was damaged" in journal.notice
            assert back.switchover.next_input > 1000, "a name that was used is not used again"
            assert [text for _, text in journal.news.take()] == [journal.notice]
    async with opened(path) as journal:
        assert [entry.streamer for entry in (await journal.restore(fresh)).lineup] == kept
        assert journal.notice == ""


async def test_a_log_that_a_kill_left_whole_or_cut_off_at_a_write_is_no_damage(tmp_path: Path) -> None:
    path = await a_killed_show(tmp_path / "a.db")
    log, half = Path(f"{path}-wal"), tmp_path / "half.db"
    half.write_bytes(path.read_bytes())
    whole = log.read_bytes()
    Path(f"{half}-wal").write_bytes(whole[: 32 + (frames(path) - 1) * (24 + 4096)])
    for one, streamers in ((path, 5), (half, 4)):
        async with opened(one) as journal:
            assert len((await journal.restore(fresh)).lineup) == streamers
            assert journal.notice == ""


@pytest.mark.parametrize("older", [0, 3 * (24 + 4096)], ids=["at the end", "over an earlier log"])
async def test_a_kill_between_the_mark_of_a_commit_and_its_page_is_no_damage(tmp_path: Path, older: int) -> None:
    path = await a_killed_show(tmp_path / "a.db")
    log = Path(f"{path}-wal")
    body = log.read_bytes()
    log.write_bytes(body[:-4096] + bytes(older and 4096 + older))
    async with opened(path) as journal:
        assert len((await journal.restore(fresh)).lineup) == 4
        assert journal.notice == ""


async def test_a_page_that_was_written_and_not_committed_when_it_was_killed_is_no_damage(tmp_path: Path) -> None:
    path = await a_killed_show(tmp_path / "a.db")
    log = Path(f"{path}-wal")
    body = log.read_bytes()
    uncommitted = bytearray(body[-(24 + 4096) :])
    uncommitted[4:8] = bytes(4)
    log.write_bytes(body + uncommitted)
    async with opened(path) as journal:
        assert len((await journal.restore(fresh)).lineup) == 5
        assert journal.notice == ""


async def test_each_damage_of_one_run_is_news(tmp_path: Path) -> None:
    path, now = tmp_path / "a.db", [1000.0]
    journal = Journal(path, clock=lambda: now[0])
    await journal.open()
    try:
        director = await journal.restore(fresh)
        for number in range(1, 4):
            await journal.finish(director.snapshot())
            path.unlink()
            for _ in range(3):  # found out, mended, written
                now[0] += 60.0
                await feed(journal, director, ev.Held(now[0]))
            ((told, text),) = journal.news.take()
            assert (told, journal.problem) == (number, "")
            assert "the journal was missing" in text
    finally:
        await journal.close()
