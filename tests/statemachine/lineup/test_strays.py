"""Whoever was taken out of the line-up may publish still: that picture is shown in nobody else's turn."""

import pytest

from statemachine.lineup.lineup import Lineup
from statemachine.lineup.order import STRAY_FOR
from statemachine.policy import Policy
from tests.statemachine.lineup.test_lineup import entry, names
from tests.statemachine.lineup.test_paths import listed, publishes


@pytest.mark.parametrize("after", ["removed", "turn over"])
def test_one_who_was_taken_out_of_the_line_up_and_still_publishes_keeps_the_path(after: str) -> None:
    line = Lineup(Policy(after_turn="kick"))
    line.publishers.publish(1.0, publishes("alice", 1))
    if after == "removed":
        line.requests.remove(2.0, "alice")
    else:
        line.turns.end_turn(2.0, entry(line, "alice"))
        assert line.turns.dismiss(2.5, None)
    line.publishers.publish(3.0, publishes("bob", 2))
    assert names(line) == []
    line.publishers.unpublish(4.0, "srs:1/1")
    line.publishers.publish(5.0, publishes("bob", 3))
    assert names(line) == ["bob"]


def test_where_no_list_tells_of_one_who_was_taken_out_its_path_is_free_after_a_minute() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.requests.remove(2.0, "alice")
    line.publishers.publish(2.0 + STRAY_FOR + 0.1, publishes("bob", 2))
    assert names(line) == ["bob"]


def test_whoever_was_kicked_keeps_the_path_while_it_is_kept_out_so_that_nobody_s_turn_shows_that_picture() -> None:
    """It may publish still: without a list nobody can tell, and not every server can be told to drop it."""
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.requests.kick(2.0, "alice", 600.0)
    for at, number in ((70.0, 2), (300.0, 3), (601.0, 4)):
        line.expire(at)
        line.publishers.publish(at, publishes("bob", number))
        assert names(line) == [], at
    line.publishers.publish(603.0, publishes("bob", 5))
    assert names(line) == ["bob"]


def test_the_path_of_one_who_was_kicked_is_free_once_it_has_ended_or_was_let_in_again() -> None:
    for ends in (True, False):
        line = Lineup(Policy())
        line.publishers.publish(1.0, publishes("alice", 1))
        line.requests.kick(2.0, "alice", 600.0)
        if ends:
            line.publishers.unpublish(100.0, "srs:1/1")
        else:
            line.requests.unblock(100.0, "alice")
        line.publishers.publish(101.0, publishes("bob", 2))
        assert names(line) == ["bob"]


def test_as_long_as_its_server_lists_it_the_path_of_one_who_was_taken_out_is_not_free() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.requests.remove(2.0, "alice")
    for at in range(10, 300, 5):
        listed(line, float(at), publishes("alice", 1))
        line.expire(float(at))
    line.publishers.publish(300.0, publishes("bob", 2))
    assert names(line) == []
