"""The copy beside the database: whole, without streams, and in its place when it is damaged at a start."""

import os
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from daemon.journal import backup as journal_copy
from daemon.journal.backup import COPY_EVERY, NAMES_BESIDES, SETTLES, TRY_AGAIN
from daemon.journal.journal import Journal
from daemon.streamers.store import StreamerRow, StreamerStore
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy

pytestmark = pytest.mark.usefixtures("waits_for_the_disk")

CANARY = "c4n4ry-c4n4ry-c4n4ry-c4n4ry"
RUBBISH = b"this is no database" * 1000


def fresh() -> Director:
    return Director(Policy())


def session(name: str) -> ev.Session:
    return ev.Session(f"srs:1/{name}", name, "live", name)


class Channel:
    """A journal, its director, and a clock that the test moves."""

    def __init__(self, path: Path, known_keys: Callable[[], tuple[StreamerRow, ...] | None] = lambda: None) -> None:
        self.path = path
        self.copy = path.with_name(f"{path.name}.backup")
        self.at = 0.0
        self.journal = Journal(path, clock=lambda: self.at)
        self.journal.use_keys(known_keys)
        self.director = fresh()

    async def feed(self, *events: ev.Event) -> None:
        for event in events:
            self.director.handle(event)
        if late := await self.journal.append(events, self.director.snapshot):
            await late

    async def passes(self, seconds: float) -> None:
        """Time passes, and with the next event the copy is made, if it is due."""
        self.at += seconds
        await self.feed(ev.TimePassed(self.director.now))
        await self.journal._copy._thread.run(lambda: None)

    async def finish(self) -> None:
        await self.journal.finish(self.director.snapshot())


@asynccontextmanager
async def opened(
    path: Path, known_keys: Callable[[], tuple[StreamerRow, ...] | None] = lambda: None
) -> AsyncIterator[Channel]:
    channel = Channel(path, known_keys)
    await channel.journal.open()
    try:
        channel.director = await channel.journal.restore(fresh)
        yield channel
    finally:
        await channel.journal.close()


async def a_show(path: Path) -> int:
    """Two streamers, a setting, some history and a clean stop; the number of the next input."""
    store = StreamerStore(path)
    store.add("alice")
    store.add("bob")
    async with opened(path) as channel:
        await channel.feed(ev.ObsReady(1.0, ev.Inventory()), ev.Published(2.0, session("alice")))
        await channel.feed(ev.InputCreated(2.1, 1), ev.MediaReady(2.2, 1), ev.CutDone(2.3, 1))
        await channel.feed(ev.SettingChanged(3.0, "turn", 900.0))
        await channel.journal.append([], channel.director.snapshot, [(3.0, {"attempt": 1})])
        await channel.finish()
        return channel.director.switchover.next_input


def no_room(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(free=0)


def names(path: Path) -> list[str]:
    return [row.name for row in StreamerStore(path).list()]


def rubbish(path: Path) -> None:
    path.write_bytes(RUBBISH)


def torn(path: Path) -> None:
    """Half of it is zeros, as after a power cut."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(bytes(size // 2))


def shortened(path: Path) -> None:
    os.truncate(path, 5000)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def gone(path: Path) -> None:
    path.unlink()


# --- coming back from it


@pytest.mark.parametrize("harm", [rubbish, torn, shortened, emptied, gone])
async def test_a_file_damaged_at_a_start_comes_back_from_its_copy(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    path = tmp_path / "a.db"
    used = await a_show(path)
    harm(path)
    harmed = path.read_bytes() if path.exists() else None
    with capture_logs() as logged:
        async with opened(path) as channel:
            assert channel.journal.problem == ""
            assert names(path) == ["alice", "bob"]
            assert channel.director.policy.turn == 900.0
            if harm not in (torn, shortened):  # some of these can still be read
                assert len(channel.director.lineup) == 0
            assert channel.director.switchover.next_input >= used + NAMES_BESIDES
            assert await channel.journal.handovers(5) == [{"attempt": 1}]
            await channel.feed(ev.Published(9.0, session("carol")))
    assert path.stat().st_mode & 0o777 == 0o600
    told = [line for line in logged if "took its place" in line["event"] and "last good copy" in line["event"]]
    assert [line["log_level"] for line in told] == ["error"]
    assert told[0]["copied_seconds_ago"] < 60
    aside = list(tmp_path.glob("a.db.damaged-*"))
    assert [file.read_bytes() for file in aside] == ([] if harmed is None else [harmed])
    async with opened(path) as channel:
        assert channel.director.lineup.find("carol") is not None


@pytest.mark.parametrize("harm", [rubbish, gone])
async def test_the_log_of_a_lost_file_is_not_read_into_the_one_that_takes_its_place(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    async with opened(path) as channel:
        await channel.feed(ev.Published(5.0, session("carol")))
        left = Path(f"{path}-wal").read_bytes()
    harm(path)
    Path(f"{path}-wal").write_bytes(left)
    async with opened(path) as channel:
        assert channel.journal.problem == ""
        assert channel.director.lineup.find("carol") is None
        assert names(path) == ["alice", "bob"]
    if harm is gone:
        assert next(tmp_path.glob("a.db.damaged-*-wal")).read_bytes() == left


async def test_keys_that_are_known_are_not_replaced_by_those_of_the_copy(tmp_path: Path) -> None:
    """A key that was removed since does not come back."""
    path = tmp_path / "a.db"
    await a_show(path)
    rubbish(path)
    async with opened(path, known_keys=tuple) as channel:
        assert names(path) == []
        assert channel.director.policy.turn == 900.0


async def test_damage_while_it_runs_keeps_the_line_up_and_what_the_copy_has_of_the_history(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    async with opened(path, known_keys=tuple) as channel:
        await channel.feed(ev.Published(5.0, session("carol")))
        rubbish(path)
        channel.journal.distrust()
        await channel.feed(ev.Published(6.0, session("dave")))
        assert channel.journal.problem == ""
        assert await channel.journal.handovers(5) == [{"attempt": 1}]
    async with opened(path) as channel:
        assert [entry.streamer for entry in channel.director.lineup] == ["alice", "carol", "dave"]


@pytest.mark.parametrize("harm", [rubbish, torn, shortened, emptied])
async def test_a_copy_that_is_damaged_too_is_put_aside_and_the_file_begun_anew(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    copy = Path(f"{path}.backup")
    rubbish(path)
    harm(copy)
    harmed = copy.read_bytes()
    with capture_logs() as logged:
        async with opened(path) as channel:
            assert channel.journal.problem == ""
            assert (names(path), channel.director.policy.turn) == ([], Policy().turn)
            await channel.feed(ev.Published(9.0, session("carol")))
    told = [line["event"] for line in logged]
    assert "the journal's backup copy cannot be used" in told
    assert [
        line
        for line in told
        if line.startswith("the journal was damaged: it was quarantined, and a new one started empty")
    ]
    assert next(tmp_path.glob("a.db.damaged-*.backup")).read_bytes() == harmed
    assert not copy.exists()


async def test_a_copy_of_a_newer_version_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    with closing(sqlite3.connect(f"{path}.backup")) as db:
        db.execute("PRAGMA user_version=99")
    rubbish(path)
    async with opened(path):
        assert names(path) == []
    assert len(list(tmp_path.glob("a.db.damaged-*.backup"))) == 1


async def test_without_room_for_the_copy_nothing_is_moved_and_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    rubbish(path)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", no_room)
        channel = Channel(path)
        await channel.journal.open()
        assert "No space left on device" in channel.journal.problem
        assert path.read_bytes() == RUBBISH
    channel.at = 60.0
    await channel.feed(ev.Published(9.0, session("carol")))
    assert channel.journal.problem == ""
    assert names(path) == ["alice", "bob"]
    await channel.journal.close()


@pytest.mark.parametrize(("ago", "at_least"), [(7200.0, 72_000), (-7200.0, 864_000)])
async def test_no_name_of_an_input_is_used_twice_however_old_the_copy_is(
    tmp_path: Path, ago: float, at_least: int
) -> None:
    """Or seems to be: a clock that was set back since says nothing of its age."""
    path = tmp_path / "a.db"
    used = await a_show(path)
    with closing(sqlite3.connect(f"{path}.backup", isolation_level=None)) as db:
        db.execute("UPDATE copied SET at = at - ?", (ago,))
    rubbish(path)
    async with opened(path) as channel:
        assert channel.director.switchover.next_input >= used + at_least


# --- making it


async def test_the_copy_is_made_soon_after_the_start_then_hourly_and_soon_after_keys_have_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    StreamerStore(path).add("alice")
    async with opened(path) as channel:
        await channel.passes(SETTLES / 2)
        assert not channel.copy.exists()
        await channel.passes(SETTLES)
        assert names(channel.copy) == ["alice"]
        assert channel.copy.stat().st_mode & 0o777 == 0o600

        StreamerStore(path).add("bob")
        channel.journal.keys_changed()
        await channel.passes(SETTLES / 2)
        assert names(channel.copy) == ["alice"]
        await channel.passes(SETTLES)
        assert names(channel.copy) == ["alice", "bob"]

        StreamerStore(path).remove("alice")
        await channel.passes(COPY_EVERY / 2)
        assert names(channel.copy) == ["alice", "bob"]
        await channel.passes(COPY_EVERY)
        assert names(channel.copy) == ["bob"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.db", "a.db.backup"]


async def test_no_key_in_plain_text_is_in_the_copy_nor_in_what_it_was_made_from_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []
    write = journal_copy.write_whole

    def writing(image: bytes, place: Path) -> None:
        written.append(image)
        write(image, place)

    monkeypatch.setattr(journal_copy, "write_whole", writing)
    async with opened(tmp_path / "a.db") as channel:
        hidden = ev.Session(f"srs:1/{CANARY}", "alice", "live", CANARY)
        channel.journal.keep_stream(hidden.id, {"key": CANARY, "args": [["key", CANARY]]})
        await channel.feed(ev.Published(2.0, hidden))
        await channel.passes(SETTLES)
        await channel.feed(ev.Unpublished(3.0, hidden.id))
        await channel.finish()
        kept = b"".join(file.read_bytes() for file in tmp_path.glob("a.db*") if not file.name.endswith(".backup"))
    assert CANARY.encode() in kept
    assert len(written) == 2
    assert not [image for image in (*written, channel.copy.read_bytes()) if CANARY.encode() in image]


async def test_a_copy_that_cannot_be_made_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    before = Path(f"{path}.backup").read_bytes()
    with capture_logs() as logged:
        async with opened(path) as channel:
            with monkeypatch.context() as full:
                full.setattr(shutil, "disk_usage", no_room)
                await channel.passes(SETTLES)
                await channel.passes(TRY_AGAIN)
            assert channel.journal.problem == ""
            assert channel.copy.read_bytes() == before
            await channel.passes(TRY_AGAIN)
            assert channel.copy.read_bytes() != before
    told = [line for line in logged if "the journal could not be backed up" in line["event"]]
    assert [(line["log_level"], line["error"]) for line in told] == [("warning", "[Errno 28] No space left on device")]
    assert len([line for line in logged if line["event"] == "the journal can be backed up again"]) == 1


async def test_a_write_that_fails_half_way_leaves_the_last_good_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    before = Path(f"{path}.backup").read_bytes()

    def failing(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    async with opened(path) as channel:
        monkeypatch.setattr(os, "fsync", failing)
        await channel.passes(SETTLES)
        assert "Input/output error" in channel.journal._copy.problem
    assert channel.copy.read_bytes() == before
    assert not Path(f"{channel.copy}.new").exists()


async def test_a_damaged_file_does_not_replace_its_good_copy_and_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await a_show(path)
    async with opened(path, known_keys=tuple) as channel:
        before = channel.copy.read_bytes()
        torn(path)
        rubbish(path)
        await channel.passes(SETTLES)
        assert channel.copy.read_bytes() == before
        await channel.feed(ev.Published(6.0, session("carol")))
        assert channel.journal.problem == ""
    assert len(list(tmp_path.glob("a.db.damaged-*"))) >= 1
    async with opened(path) as channel:
        assert channel.director.lineup.find("carol") is not None


async def test_no_write_of_the_journal_waits_for_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, asked = threading.Event(), threading.Event()
    write = journal_copy.write_whole

    def slow(image: bytes, place: Path) -> None:
        asked.set()
        assert release.wait(20.0)
        write(image, place)

    monkeypatch.setattr(journal_copy, "write_whole", slow)
    async with opened(tmp_path / "a.db") as channel:
        channel.at = SETTLES
        try:
            await channel.feed(ev.Published(2.0, session("alice")))
            assert asked.wait(20.0)
            channel.at += COPY_EVERY
            await channel.feed(ev.Published(3.0, session("bob")))
            with closing(sqlite3.connect(channel.path)) as db:
                assert db.execute("SELECT max(seq) FROM event").fetchone() == (2,)
        finally:
            release.set()
    assert channel.copy.exists()
