"""Whoever was taken out of the line-up may publish still: that picture is shown in nobody else's turn."""

import pytest

from statemachine.lineup.lineup import Lineup
from statemachine.lineup.order import STRAY_FOR
from statemachine.policy import Policy
from tests.statemachine.lineup.test_lineup import entry, names
from tests.statemachine.lineup.test_paths import listed, playing, publishes


@pytest.mark.parametrize("after", ["removed", "turn over"])
@pytest.mark.parametrize("sessions", [1, 2])
def test_one_who_was_taken_out_of_the_line_up_and_still_publishes_keeps_the_path(after: str, sessions: int) -> None:
    """Until each of its sessions there has ended: nobody knows which of them is played."""
    line = Lineup(Policy(after_turn="kick"))
    for number in range(sessions):
        line.publishers.publish(1.0, publishes("alice", 1 + number))
    if after == "removed":
        line.requests.remove(2.0, "alice")
    else:
        line.turns.end_turn(2.0, entry(line, "alice"))
        assert line.turns.dismiss(2.5, None)
    for number in range(sessions):
        assert {session.id for session in line.live_sessions} == {f"srs:1/{n + 1}" for n in range(number, sessions)}
        line.publishers.publish(3.0 + number, publishes("bob", 3 + number))
        assert names(line) == []
        line.publishers.unpublish(3.5 + number, f"srs:1/{number + 1}")
    line.publishers.publish(6.0, publishes("bob", 6))
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


def test_one_who_was_refused_as_the_path_was_taken_does_not_hold_it_afterwards() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.publish(2.0, publishes("bob", 2))
    line.publishers.unpublish(3.0, "srs:1/1")
    listed(line, 4.0, publishes("bob", 2))
    line.publishers.publish(5.0, publishes("alice", 3))
    assert playing(line, "alice") == ["srs:1/3"]


@pytest.mark.parametrize("told", ["by the list", "by a hook", "by nobody"])
def test_of_two_sessions_of_one_who_was_removed_the_one_that_publishes_on_keeps_the_path(told: str) -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.publish(4.0, publishes("alice", 2))  # SRS asks first, and finds the path busy then
    line.requests.remove(6.0, "alice")
    now = 7.0
    if told == "by a hook":
        line.publishers.unpublish(now, "srs:1/2")
    for _ in range(0 if told == "by a hook" else 2 if told == "by the list" else 13):
        now += 5.0
        listed(line, now, publishes("alice", 1))
    line.publishers.publish(now + 1.0, publishes("bob", 3))
    assert names(line) == []
