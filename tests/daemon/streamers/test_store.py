"""The streamers in the file: keys that nobody can read there, and names that are safe to show."""

import os
import re
import sqlite3
import stat
import unicodedata
from pathlib import Path

import pytest

from daemon.journal.journal import Journal
from daemon.streamers import store as streamers
from daemon.streamers.store import StreamerError, StreamerStore


@pytest.fixture
def store(tmp_path: Path) -> StreamerStore:
    return StreamerStore(tmp_path / "motherstream.db")


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


# --- keys


def test_a_key_is_32_characters_that_a_url_and_a_pipeline_take_as_they_are(store: StreamerStore) -> None:
    keys = {store.add(f"streamer{i}") for i in range(50)}
    assert len(keys) == 50
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", key) for key in keys)


def test_a_key_finds_its_streamer_and_no_other_key_does(store: StreamerStore) -> None:
    alice, bob = store.add("alice", turn=600), store.add("bob")
    found = store.find_by_key(alice)
    assert found is not None
    assert (found.name, found.turn, found.enabled) == ("alice", 600.0, True)
    assert store.find_by_key(alice + "x") is None
    assert store.find_by_key(bob.swapcase()) is None
    assert store.find_by_key("") is None
    assert store.find_by_key("\ud800") is None


def test_neither_the_file_nor_a_repr_holds_a_key(store: StreamerStore, tmp_path: Path) -> None:
    keeper = sqlite3.connect(store.path)  # else the last connection to close would fold the -wal away
    keeper.execute("PRAGMA journal_mode=WAL")
    keeper.execute("SELECT count(*) FROM sqlite_master").fetchall()
    key = store.add("alice")
    newer = store.rotate("alice")
    there = everything_in(tmp_path)
    assert (tmp_path / "motherstream.db-wal").exists()
    assert b"alice" in there
    assert key.encode() not in there
    assert newer.encode() not in there
    row = store.list()[0]
    assert row.key_hash.hex() not in repr(row)
    assert repr(row.key_hash) not in repr(row)
    keeper.close()


def test_rotate_voids_the_old_key_and_keeps_the_rest(store: StreamerStore) -> None:
    old = store.add("alice", turn=90)
    before = store.list()[0]
    new = store.rotate("alice")
    after = store.find_by_key(new)
    assert store.find_by_key(old) is None
    assert after is not None
    assert (after.name, after.turn, after.added_at) == ("alice", 90.0, before.added_at)
    assert after.key_at >= before.key_at


def test_remove_voids_the_key_and_frees_the_name(store: StreamerStore) -> None:
    old = store.add("Alice")
    assert store.remove("alice") == "Alice"
    assert store.list() == ()
    assert store.find_by_key(old) is None
    assert store.find_by_key(store.add("alice")) is not None


def test_set_changes_what_is_given_and_nothing_else(store: StreamerStore) -> None:
    key = store.add("alice", turn=600)
    assert store.set("alice", enabled=False).turn == 600.0
    assert store.set("alice", turn=None).enabled is False
    row = store.set("alice", turn=30.5, enabled=True)
    assert (row.turn, row.enabled) == (30.5, True)
    assert store.find_by_key(key) == row


@pytest.mark.parametrize("turn", [0, 0.5, -1, 604_801, float("nan"), float("inf")])
def test_a_turn_that_the_configuration_would_refuse_is_refused(store: StreamerStore, turn: float) -> None:
    with pytest.raises(StreamerError, match="a turn must be 1 to 604800 seconds"):
        store.add("alice", turn=turn)
    assert store.list() == ()


# --- names


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "DJ Ötzi",
        "Хованский",
        "小林さん",
        "🎧",
        "🎛️ deck",
        "Ab-Soul'",
        "हिन्दी",
        "AC/DC",
        "<script>alert(1)</script>",
        "x" * 64,
        "ﬁn",
    ],
)
def test_what_can_be_printed_is_a_name(store: StreamerStore, name: str) -> None:
    store.add(name)
    assert [row.name for row in store.list()] == [name]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 65,
        "a\nb",
        "a\x1b[31m",
        "a\x9bb",
        "\u202egnp.exe",
        "a\u2066b",
        "a\u200bb",
        "a\u00a0b",
        "\u3164",
        "\u2800",
        "\ud800",
        "\ue000",
        ".",
        "..",
        "\u0301",
        "Z" + "\u0353" * 5,
    ],
)
def test_what_would_mislead_or_cannot_be_seen_is_no_name(store: StreamerStore, name: str) -> None:
    with pytest.raises(StreamerError) as refused:
        store.add(name)
    assert str(refused.value).isprintable()
    assert store.list() == ()


def test_a_name_is_the_same_however_its_letters_are_composed(store: StreamerStore) -> None:
    store.add(unicodedata.normalize("NFD", " DJ Ötzi "))
    assert store.list()[0].name == "DJ Ötzi"
    assert store.set(unicodedata.normalize("NFD", "DJ Ötzi"), enabled=False).enabled is False


@pytest.mark.parametrize("twin", ["alice", "ALICE", "\uff21lice", "Alice\ufe0f"])
def test_two_streamers_cannot_pass_for_one_another(store: StreamerStore, twin: str) -> None:
    key = store.add("Alice")
    with pytest.raises(StreamerError, match="there is already a streamer Alice"):
        store.add(twin)
    assert store.find_by_key(key) is not None


def test_streamers_are_listed_by_name(store: StreamerStore) -> None:
    for name in ("carol", "Bob", "alice"):
        store.add(name)
    assert [row.name for row in store.list()] == ["alice", "Bob", "carol"]


# --- the file


def test_asking_about_streamers_makes_no_file(store: StreamerStore) -> None:
    assert store.list() == ()
    for ask in (store.remove, store.rotate, store.set):
        with pytest.raises(StreamerError, match="there is no streamer alice"):
            ask("alice")
    assert not store.path.exists()


def test_the_file_is_for_its_owner_only(store: StreamerStore) -> None:
    store.add("alice")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_file_made_by_root_belongs_to_the_owner_of_its_folder(
    store: StreamerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _handle, uid, gid: given.append((uid, gid)))
    store.add("alice")
    store.add("bob")
    folder = store.path.parent.stat()
    assert given == [(folder.st_uid, folder.st_gid)]


async def test_the_journal_and_the_streamers_share_a_file(store: StreamerStore) -> None:
    first = store.add("alice")
    journal = Journal(store.path)
    await journal.open()
    second = store.add("bob")
    await journal.append([], dict, [(1.0, {"to": "alice"})])
    assert await journal.handovers(5) == [{"to": "alice"}]
    assert journal.problem == ""
    await journal.close()
    assert store.find_by_key(first) is not None
    assert store.find_by_key(second) is not None


def test_the_version_of_the_file_stays_the_journals(store: StreamerStore) -> None:
    db = sqlite3.connect(store.path)
    db.execute("PRAGMA user_version=7")
    db.close()
    store.add("alice")
    db = sqlite3.connect(store.path)
    assert db.execute("PRAGMA user_version").fetchone() == (7,)
    db.close()


def test_a_damaged_file_is_told_and_left_as_it_is(store: StreamerStore) -> None:
    store.path.write_bytes(b"not a database" * 500)
    for ask in (store.list, lambda: store.add("alice"), lambda: store.rotate("alice")):
        with pytest.raises(StreamerError, match=r"motherstream\.db cannot be (read|written): file is not a database"):
            ask()
    assert store.path.read_bytes() == b"not a database" * 500


def test_a_row_of_nonsense_is_told_not_used(store: StreamerStore) -> None:
    store.add("alice")
    db = sqlite3.connect(store.path)
    db.execute("UPDATE streamer SET key_hash = 'text'")
    db.commit()
    db.close()
    with pytest.raises(StreamerError, match="a streamer's row is damaged"):
        store.list()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StreamerError, match="No such file or directory"):
        StreamerStore(tmp_path / "nowhere" / "motherstream.db").add("alice")


def test_a_file_that_cannot_be_written_is_told(store: StreamerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add("alice")
    monkeypatch.setattr(streamers, "LOCK_PATIENCE", 0.01)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StreamerError, match=r"motherstream\.db cannot be written: database is locked"):
        store.add("bob")
    assert [row.name for row in store.list()] == ["alice"], "a reader does not wait for a writer"
    other.execute("ROLLBACK")
    other.close()
