"""A stream that is asked for by hand takes no path from whoever announced itself there."""

from dataclasses import replace

import pytest

from statemachine import events as ev
from statemachine.director import Director
from statemachine.lineup.lineup import Lineup
from statemachine.policy import Policy
from tests.statemachine.lineup.test_lineup import told
from tests.statemachine.lineup.test_paths import (
    SERVER,
    SHOW,
    comes_on_air,
    publishes,
    refusals,
    shows_alice,
)


def test_a_stream_that_was_asked_for_by_hand_takes_no_path_from_who_publishes_there() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, replace(publishes("carol", 1), id="test:1"), transient=True)
    line.publishers.publish(2.0, publishes("bob", 2))
    line.requests.set_turn(ev.TurnChanged(3.0, 100.0, "carol"))
    for found in (line, Lineup(Policy(), line.state)):
        assert found.by_stream(SHOW) == found.announced(SHOW) == publishes("bob", 2)
    line.publishers.unpublish(4.0, "test:1")
    line.publishers.publish(5.0, publishes("dave", 3))
    assert told(line)[-1] == "path_taken"
    line.publishers.publish(6.0, replace(publishes("carol", 1), id="test:2"), transient=True)
    line.publishers.unpublish(7.0, "srs:1/2")
    assert line.announced(SHOW) is None
    assert line.by_stream(SHOW) == replace(publishes("carol", 1), id="test:2")


@pytest.mark.parametrize("by_hand", [False, True])
def test_one_who_is_kicked_and_publishes_on_keeps_the_path_whoever_asked_for_its_stream_by_hand(by_hand: bool) -> None:
    director = Director(Policy())
    director.handle(ev.ObsReady(0.5, ev.Inventory()))
    if by_hand:
        director.handle(ev.TestRequested(1.0, replace(publishes("test", 9), id="test:1")))
    director.handle(ev.Published(2.0, publishes("alice", 1)))
    director.handle(ev.KickRequested(6.0, "alice", 300.0))
    director.handle(ev.PublishersListed(10.0, SERVER, 10.0, (publishes("alice", 1),)))
    assert refusals(director.handle(ev.Published(11.0, publishes("bob", 2)))) == ["path_taken"]


def test_a_stream_by_hand_that_announces_itself_as_its_turn_ends_is_an_ordinary_one() -> None:
    director = shows_alice()
    director.handle(ev.TestRequested(60.0, ev.Session("test:1", "test", "live", "x")))
    comes_on_air(director, 60.2)
    assert director.switchover.on_air_streamer == "test"
    director.handle(ev.SkipRequested(70.0))
    director.handle(ev.Published(70.2, ev.Session("srs:1/5", "test", "live", "x")))
    comes_on_air(director, 70.5)
    director.handle(ev.TimePassed(100.0))
    assert "test" in [entry.streamer for entry in director.lineup]
