"""The keys in memory: fast, up to date within a second, and there whatever becomes of the file."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
import timeit
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.core.ports import KeyLookup, Streamer
from daemon.journal.archive import backup
from daemon.streamers.index import LOOK_EVERY, MOST_ASKERS, StreamerIndex
from daemon.streamers.store import StreamerStore, open_existing
from tests.support.waiting import until

DEADLINE = 10.0


@pytest.fixture
def store(tmp_path: Path) -> StreamerStore:
    return StreamerStore(tmp_path / "motherstream.db")


@pytest.fixture
def index(store: StreamerStore) -> Iterator[StreamerIndex]:
    index = StreamerIndex(store.path)
    yield index
    index.stop()


def test_it_answers_what_admission_asks(store: StreamerStore, index: StreamerIndex) -> None:
    lookup: KeyLookup = index
    key = store.add("alice", turn=600)
    store.add("bob")
    store.set("bob", enabled=False)
    index.refresh()
    assert lookup.find(key) == Streamer("alice", 600.0)
    assert lookup.find(key[:-1]) is None
    assert lookup.find("") is None
    assert lookup.find("x" * 100_000) is None
    assert not lookup.is_empty()
    assert set(index.all()) == {Streamer("alice", 600.0), Streamer("bob", None, enabled=False)}


@pytest.mark.speed
def test_a_look_up_takes_less_than_50_microseconds(store: StreamerStore, index: StreamerIndex) -> None:
    keys = [store.add(f"streamer{i}") for i in range(300)]
    index.refresh()
    for key in (keys[150], "nobody's"):
        best = min(timeit.repeat(lambda key=key: index.find(key), number=1000, repeat=20)) / 1000  # type: ignore[misc]  # bound as it is now
        assert best < 50e-6


def test_a_file_that_is_not_there_yet_is_no_trouble(store: StreamerStore, index: StreamerIndex) -> None:
    index.refresh()
    assert (index.problem, index.is_empty()) == ("", True)
    assert not store.path.exists()
    key = store.add("alice")
    index.refresh()
    assert index.find(key) == Streamer("alice")


def test_a_change_by_another_process_is_noticed_within_a_second(store: StreamerStore) -> None:
    old = store.add("alice")
    changed = threading.Event()
    index = StreamerIndex(store.path, on_change=changed.set)
    index.start()
    try:
        assert index.find(old) == Streamer("alice")
        changed.clear()
        code = (
            "import sys, time; from pathlib import Path; from daemon.streamers.store import StreamerStore\n"
            "print(StreamerStore(Path(sys.argv[1])).rotate('alice'))"
        )
        run = subprocess.run([sys.executable, "-c", code, store.path], capture_output=True, text=True, check=True)
        new = run.stdout.strip()
        assert changed.wait(DEADLINE)
        assert LOOK_EVERY < 1.0, "on a machine that has the time"
        assert index.find(old) is None
        assert index.find(new) == Streamer("alice")
    finally:
        index.stop()


async def test_a_key_that_was_made_a_moment_ago_is_found_by_whoever_asks(
    store: StreamerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.streamers.index.CATCH_UP_WITHIN", DEADLINE)  # a busy machine may take its time
    index = StreamerIndex(store.path)
    index.start()
    try:
        for number in range(20):  # by luck alone, one would be found, not each
            key = store.add(f"streamer{number}")
            await asyncio.gather(*(index.catch_up() for _ in range(50)))
            assert index.find(key) == Streamer(f"streamer{number}")
    finally:
        index.stop()
    key = store.add("late")
    await index.catch_up()
    assert index.find(key) is None, "after its stop nobody follows the file"


@asynccontextmanager
async def a_look_that_hangs(store: StreamerStore) -> AsyncIterator[tuple[StreamerIndex, threading.Event]]:
    """An index in the middle of a look that does not end before the event is set."""
    store.add("alice")
    hangs, goes_on = threading.Event(), threading.Event()

    def disk() -> None:
        hangs.set()
        goes_on.wait()

    index = StreamerIndex(store.path)
    index.start()
    index._on_change = disk
    try:
        store.add("bob")
        assert await asyncio.to_thread(hangs.wait, DEADLINE)
        yield index, goes_on
    finally:
        goes_on.set()
        index.stop()


async def test_a_look_that_hangs_holds_no_publisher_up(store: StreamerStore) -> None:
    async with a_look_that_hangs(store) as (index, _):
        index._look_began = time.monotonic()  # so far nobody can know that it hangs
        await asyncio.wait_for(index.catch_up(), DEADLINE)
        assert not index._asked_for(lambda: None), "nobody waits once it is known that it hangs"


async def test_whoever_makes_keys_up_by_the_thousand_is_refused_at_once(
    store: StreamerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.streamers.index.CATCH_UP_WITHIN", DEADLINE)
    async with a_look_that_hangs(store) as (index, goes_on):
        asked = [asyncio.create_task(index.catch_up()) for _ in range(1000)]
        await until(lambda: sum(task.done() for task in asked) == len(asked) - MOST_ASKERS)
        goes_on.set()
        await asyncio.wait_for(asyncio.gather(*asked), DEADLINE)


async def test_whoever_asks_while_it_stops_is_told(store: StreamerStore) -> None:
    index = StreamerIndex(store.path)
    for _ in range(2):  # it may be started again
        index.start()
        asked = [asyncio.create_task(index.catch_up()) for _ in range(10)]
        await asyncio.sleep(0)
        await asyncio.to_thread(index.stop)
        await asyncio.wait_for(asyncio.gather(*asked), DEADLINE)
        assert index._askers == []


def test_what_changes_nothing_is_not_told(store: StreamerStore) -> None:
    told: list[None] = []
    store.add("alice")
    index = StreamerIndex(store.path, on_change=lambda: told.append(None))
    index.refresh()
    index.refresh()
    store.set("alice", enabled=True)
    index.refresh()
    assert len(told) == 1
    index.stop()


def test_a_failing_listener_does_not_end_the_following(store: StreamerStore) -> None:
    calls = threading.Semaphore(0)

    def listener() -> None:
        calls.release()
        raise RuntimeError("of the listener's own")

    index = StreamerIndex(store.path, on_change=listener)
    index.start()
    try:
        for name in ("alice", "bob"):
            key = store.add(name)
            assert calls.acquire(timeout=DEADLINE)
            assert index.find(key) == Streamer(name)
    finally:
        index.stop()


# --- trouble with the file


def test_a_damaged_file_takes_no_key_away(store: StreamerStore, index: StreamerIndex) -> None:
    key = store.add("alice")
    index.refresh()
    sound = store.path.read_bytes()
    damaged = store.path.with_name("damaged")
    damaged.write_bytes(b"not a database" * 500)
    damaged.replace(store.path)
    index.refresh()
    assert index.problem == f"{store.path}: file is not a database"
    assert index.find(key) == Streamer("alice")

    mended = store.path.with_name("mended")
    mended.write_bytes(sound)
    mended.replace(store.path)
    index.refresh()
    assert index.problem == ""
    newer = store.rotate("alice")
    index.refresh()
    assert index.find(key) is None
    assert index.find(newer) == Streamer("alice")


def test_a_file_that_is_damaged_from_the_start_is_not_called_empty(store: StreamerStore, index: StreamerIndex) -> None:
    store.path.write_bytes(b"not a database" * 500)
    index.refresh()
    assert index.find("whatever") is None
    assert not index.is_empty()
    assert index.problem


def test_a_start_on_a_disk_that_cannot_be_written_reads_the_keys_all_the_same(
    store: StreamerStore, index: StreamerIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a read-only file system, where SQLite cannot make the files that it wants to read with."""
    key = store.add("alice")
    opened = open_existing

    class ReadOnly:
        def __init__(self, path: Path, patience: float) -> None:
            self._db = opened(path, patience)

        def execute(self, what: str) -> sqlite3.Cursor:
            error = sqlite3.OperationalError("attempt to write a readonly database")
            error.sqlite_errorcode = sqlite3.SQLITE_READONLY
            raise error

        def close(self) -> None:
            self._db.close()

    with monkeypatch.context() as patch:
        patch.setattr("daemon.streamers.store.open_existing", ReadOnly)
        patch.setattr("daemon.streamers.index.open_existing", ReadOnly)
        index.refresh()
        assert index.find(key) == Streamer("alice")
        assert "readonly" in index.problem
        assert not index.unreadable
        assert [row.name for row in store.list()] == ["alice"]
        backup(store.path, store.path.with_name("saved.db"))
    assert [row.name for row in StreamerStore(store.path.with_name("saved.db")).list()] == ["alice"]
    bob = store.add("bob")
    index.refresh()
    assert (index.find(bob), index.problem) == (Streamer("bob"), "")


def test_a_log_that_cannot_be_read_is_not_left_out_in_silence(
    store: StreamerStore, index: StreamerIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("alice")
    Path(f"{store.path}-wal").write_bytes(b"what came later")

    def read_only(path: Path, patience: float) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr("daemon.streamers.index.open_existing", read_only)
    monkeypatch.setattr("daemon.streamers.store.open_existing", read_only)
    index.refresh()
    assert index.unreadable
    assert not index.is_empty()


def test_a_file_that_has_gone_takes_no_key_away(store: StreamerStore, index: StreamerIndex) -> None:
    key = store.add("alice")
    index.refresh()
    store.path.unlink()
    index.refresh()
    assert index.problem == f"{store.path}: No such file or directory"
    assert index.find(key) == Streamer("alice")


def test_a_file_begun_anew_gets_the_known_keys_back(store: StreamerStore, index: StreamerIndex) -> None:
    key = store.add("alice", turn=600)
    store.add("bob")
    index.refresh()
    store.path.rename(store.path.with_name("motherstream.db.damaged-1"))
    store.path.touch()
    index.refresh()
    assert index.problem == ""
    assert index.find(key) == Streamer("alice", 600.0)
    found = store.find_by_key(key)
    assert found is not None
    assert found.name == "alice"


def test_the_last_streamers_removal_is_a_removal(store: StreamerStore, index: StreamerIndex) -> None:
    key = store.add("alice")
    index.refresh()
    store.remove("alice")
    index.refresh()
    assert index.find(key) is None
    assert index.is_empty()
    assert store.list() == ()


def test_after_its_stop_the_file_is_let_go_and_the_keys_stay(store: StreamerStore) -> None:
    key = store.add("alice")
    index = StreamerIndex(store.path)
    index.start()
    index.stop()
    index.stop()
    store.remove("alice")
    assert index.find(key) == Streamer("alice")
    assert "streamers" not in {thread.name for thread in threading.enumerate()}
    assert not store.path.with_name("motherstream.db-wal").exists(), "the last connection folds the -wal away"
