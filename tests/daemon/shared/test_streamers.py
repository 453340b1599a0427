"""The streamers in both stores: what the command line does there."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.shared.streamers import SharedStreamers
from daemon.streamers.store import StreamerError, StreamerStore

Store = StreamerStore | SharedStreamers


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        yield StreamerStore(tmp_path / "a.db")
    else:
        yield SharedStreamers(request.getfixturevalue("store_url"))


def test_a_key_is_its_streamers_until_it_is_rotated_or_removed(store: Store) -> None:
    assert store.list() == ()
    key = store.add(" Alice ", 600.0)
    row = store.find_by_key(key)
    assert row is not None
    assert (row.name, row.turn, row.enabled) == ("Alice", 600.0, True)
    assert key.encode() not in row.key_hash
    again = store.rotate("alice")
    assert store.find_by_key(key) is None
    assert store.find_by_key(again) == store.list()[0]
    assert store.remove("ALICE") == "Alice"
    assert store.find_by_key(again) is None


def test_what_is_given_is_changed_and_no_more(store: Store) -> None:
    store.add("alice")
    assert store.set("alice", turn=60.0).turn == 60.0
    row = store.set("alice", enabled=False)
    assert (row.turn, row.enabled) == (60.0, False)
    assert store.set("alice", turn=None).turn is None
    assert store.set("alice", enabled=True).enabled


@pytest.mark.parametrize("name", ["\uff21lice", "ALICE", "alice "])
def test_no_two_bear_names_that_people_take_for_one(store: Store, name: str) -> None:
    store.add("alice")
    with pytest.raises(StreamerError, match="already a streamer alice: use rotate"):
        store.add(name)
    assert len(store.list()) == 1


def test_mistakes_are_told_alike(store: Store) -> None:
    store.add("bob")
    for call in (lambda: store.remove("alice"), lambda: store.rotate("alice"), lambda: store.set("alice", turn=5.0)):
        with pytest.raises(StreamerError, match="there is no streamer alice"):
            call()
    with pytest.raises(StreamerError, match="a turn must be"):
        store.add("carol", 0.1)
    with pytest.raises(StreamerError, match="a turn must be"):
        store.set("bob", turn=1e12)
    with pytest.raises(StreamerError, match="visible characters"):
        store.add("a\u202eb")
    assert [row.name for row in store.list()] == ["bob"]


def test_they_are_listed_by_their_names(store: Store) -> None:
    for name in ("dora", "Ärger", "Bob", "alice"):
        store.add(name)
    assert [row.name for row in store.list()] == ["alice", "Bob", "dora", "Ärger"]


def test_two_who_add_at_the_same_time_add_one(store: Store) -> None:
    store.add("first")
    done: list[str] = []

    def add() -> None:
        try:
            done.append(store.add("alice"))
        except StreamerError:
            done.append("")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([key for key in done if key]) == 1
    assert [row.name for row in store.list()] == ["alice", "first"]


def test_a_store_that_is_away_says_so_and_nothing_is_changed() -> None:
    store = SharedStreamers("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StreamerError, match=r"the shared store cannot be used .*: nothing was changed"):
        store.add("alice")
