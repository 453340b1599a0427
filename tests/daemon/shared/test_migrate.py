"""A channel that was kept in a file is taken over into the store: nothing is lost, and nothing is overwritten."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.journal.journal import Journal
from daemon.journal.lock import StoreLock
from daemon.shared.log import SharedLog
from daemon.shared.migrate import Migrated, MigrationError, migrate
from daemon.shared.portions import Position
from daemon.shared.postgres import Postgres, StoreGone
from daemon.shared.streamers import read_streamers
from daemon.streamers.store import StreamerStore
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy


async def a_show(path: Path, *names: str) -> Director:
    """A database as a daemon leaves it: streamers, a setting, a hand-over."""
    for name in names:
        StreamerStore(path).add(name)
    journal = Journal(path)
    await journal.open()
    director = await journal.restore(lambda: Director(Policy()))
    for event in (ev.SettingChanged(1.0, "turn", 99.0), ev.Held(2.0)):
        director.handle(event)
        await journal.append([event], director.snapshot, [(event.at, {"attempt": int(event.at)})])
    await journal.finish(director.snapshot())
    await journal.close()
    return director


async def test_keys_settings_history_and_line_up_are_in_the_store(tmp_path: Path, pg: Postgres) -> None:
    path = tmp_path / "a.db"
    director = await a_show(path, "alice", "bob")
    assert await migrate(path, pg, "gold") == Migrated(2, (), 2, line_up=True)
    assert set(await read_streamers(pg)) == set(StreamerStore(path).list())
    log = SharedLog(pg, "gold")
    portion = await log.read(Position())
    assert portion.snapshot is not None
    assert portion.end == (await log.position()).seq
    assert Director.restore(json.loads(portion.snapshot[1])).snapshot() == director.snapshot()
    assert [row["attempt"] for row in await log.handovers(5)] == [2, 1]


async def test_once_more_changes_nothing_and_another_channel_brings_what_is_new(tmp_path: Path, pg: Postgres) -> None:
    await a_show(tmp_path / "a.db", "alice")
    await migrate(tmp_path / "a.db", pg, "main")
    assert await migrate(tmp_path / "a.db", pg, "main") == Migrated(0, (), 0, line_up=False)
    await a_show(tmp_path / "b.db", "carol")
    assert (await migrate(tmp_path / "b.db", pg, "gold")).streamers == 1
    assert {row.name for row in await read_streamers(pg)} == {"alice", "carol"}


async def test_a_streamer_with_another_key_is_not_overwritten_and_not_lost_by_mistake(
    tmp_path: Path, pg: Postgres
) -> None:
    await a_show(tmp_path / "a.db", "alice")
    await migrate(tmp_path / "a.db", pg, "main")
    before = await read_streamers(pg)
    await a_show(tmp_path / "b.db", "ALICE", "carol")
    with pytest.raises(MigrationError, match=r"the store knows ALICE by another key\. Nothing was changed"):
        await migrate(tmp_path / "b.db", pg, "gold")
    assert await read_streamers(pg) == before
    assert (await SharedLog(pg, "gold").position()).seq == 0
    moved = await migrate(tmp_path / "b.db", pg, "gold", skip_known=True)
    assert (moved.streamers, moved.left_out) == (1, ("ALICE",))
    assert set(before) < set(await read_streamers(pg))


async def test_a_line_up_that_is_there_is_not_overwritten(tmp_path: Path, pg: Postgres) -> None:
    await a_show(tmp_path / "a.db")
    await migrate(tmp_path / "a.db", pg, "main")
    await a_show(tmp_path / "b.db")
    with pytest.raises(MigrationError, match="the store has a line-up of a channel main already"):
        await migrate(tmp_path / "b.db", pg, "main")


async def test_a_database_in_use_or_none_is_refused(tmp_path: Path, pg: Postgres) -> None:
    with pytest.raises(MigrationError, match="there is no database"):
        await migrate(tmp_path / "none.db", pg, "main")
    await a_show(tmp_path / "a.db")
    lock = StoreLock(tmp_path / "a.db")
    assert lock.take(0.0) is None
    with pytest.raises(MigrationError, match=r"a daemon .* uses .*: stop it first"):
        await migrate(tmp_path / "a.db", pg, "main")
    lock.release()


async def test_the_file_says_that_it_is_the_stores(tmp_path: Path, pg: Postgres) -> None:
    await a_show(tmp_path / "a.db")
    await migrate(tmp_path / "a.db", pg, "main")
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone() == ("1",)


async def test_one_that_was_broken_off_goes_on(tmp_path: Path, pg: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    journal = Journal(path)
    await journal.open()
    director = await journal.restore(lambda: Director(Policy()))
    for at in range(1, 601):
        event = ev.Held(float(at)) if at % 2 else ev.Released(float(at))
        director.handle(event)
        await journal.append([event], director.snapshot)
    await journal.close()
    StreamerStore(path).add("alice")
    written, write = 0, SharedLog.write

    async def broken(self: SharedLog, *args: Any, **more: Any) -> None:
        nonlocal written
        written += 1
        if written == 2:
            raise StoreGone("cut")
        await write(self, *args, **more)

    monkeypatch.setattr(SharedLog, "write", broken)
    with pytest.raises(StoreGone):
        await migrate(path, pg, "main")
    monkeypatch.undo()
    assert 0 < (await SharedLog(pg, "main").position()).seq < 600
    assert (await migrate(path, pg, "main")).line_up
    assert (await SharedLog(pg, "main").position()).seq == 600
    assert [row.name for row in await read_streamers(pg)] == ["alice"]
