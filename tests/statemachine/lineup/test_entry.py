"""What is written out by hand for its speed is what a dataclass would do."""

from dataclasses import fields, replace
from typing import Any

import pytest

from statemachine.events import Session
from statemachine.lineup.entry import Entry, changed

ONE = Session("srs:1", "alice", "live", "alice", 60.0, "host")


@pytest.mark.parametrize("name", [each.name for each in fields(Session)])
def test_sessions_that_differ_in_anything_are_not_the_same(name: str) -> None:
    change: dict[str, Any] = {name: 30.0 if name == "turn" else "other"}
    assert replace(ONE, **change) != ONE


def test_equal_sessions_are_one_in_a_set() -> None:
    assert {ONE, replace(ONE)} == {ONE}


def test_a_changed_entry_is_what_replace_makes_of_it() -> None:
    entry = Entry("alice", 1.0, sessions=(ONE,), failures=2)
    assert changed(entry, failures=3, retry_at=9.0) == replace(entry, failures=3, retry_at=9.0)
    assert changed(entry) == entry
