"""When a picture that stands still counts, who covers it, and what becomes of one that does so again and again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statemachine import events as ev
from tests.statemachine.handover.test_handover import channel, handovers, on_air, reasons, standby
from tests.statemachine.monitors.test_stalls import freeze, shown
from tests.statemachine.world import World

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def thaw(world: World) -> None:
    world.ingest.frozen.clear()


def pauses(world: World, streamer: str, *, of: float, every: float, seconds: float) -> None:
    """Its picture stands still for ``of`` seconds, again and again."""
    end = world.now + seconds
    while world.now < end:
        freeze(world, streamer)
        world.run(of, step=0.05)
        thaw(world)
        world.run(every - of, step=0.05)


def has_turn(world: World) -> str:
    return next((place.streamer for place in world.director.view(world.now).queue if place.has_turn), "")


# --- when it counts ---------------------------------------------------------------------------------------------------


def test_a_hiccup_changes_nothing_and_costs_nobody_the_turn() -> None:
    world = channel("alice", "bob")
    freeze(world, "alice")
    world.run(0.3)
    thaw(world)
    world.run(5.0)
    assert (on_air(world), standby(world), has_turn(world)) == ("alice", "bob", "alice")
    assert handovers(world) == []
    assert [place.stalled for place in world.director.view(world.now).queue] == [False, False]


def test_where_nobody_stands_by_the_whole_of_stall_counts() -> None:
    world = channel("alice", "bob", standby=False, stall=2.0)
    freeze(world, "alice")
    world.run(1.8)
    assert world.director.switchover.attempt is None
    world.run(0.2)
    world.run(1.0)
    assert on_air(world) == "bob"


def test_a_standby_that_becomes_ready_while_the_picture_stands_still_covers_it_at_once() -> None:
    world = channel("alice", stall=8.0)
    freeze(world, "alice")
    world.run(5.0)
    world.publish("bob")
    assert world.run_until(lambda: on_air(world) == "bob", 1.0) < 0.5


def test_a_standby_that_stands_still_itself_covers_nothing() -> None:
    world = channel("alice", "bob", "carol")
    freeze(world, "alice")
    freeze(world, "bob")
    world.run(0.9)
    assert (on_air(world), handovers(world)) == ("alice", [])
    world.run_until(lambda: on_air(world) == "carol", 3.0)
    assert reasons(world) == ["stalled"]


def test_a_short_standstill_of_the_standby_does_not_cost_it_its_place() -> None:
    world = channel("alice", "bob", "carol")
    freeze(world, "bob")
    world.run(0.7)
    thaw(world)
    world.run(3.0)
    assert standby(world) == "bob"
    assert len(world.obs.own) == 2


def test_one_that_moved_before_anybody_looked_at_the_clock_has_not_stalled() -> None:
    world = channel("alice", "bob")
    world.feed(ev.MediaStalled(world.now, ONE, world.now - 0.3))
    world.advance(5.0, punctual=False)
    world.feed(ev.MediaResumed(world.now, ONE))
    world.run(3.0)
    assert (on_air(world), handovers(world)) == ("alice", [])


def test_where_the_slate_is_preferred_to_the_next_one_it_comes_at_the_full_stall_only() -> None:
    world = channel("alice", "bob", slate="SLATE", during_grace="slate", stall=2.0)
    assert standby(world) == "bob"
    freeze(world, "alice")
    world.run(1.9, step=0.05)
    assert shown(world) == [ONE]
    world.run(0.3, step=0.05)
    assert shown(world) == ["SLATE"]


def test_one_who_fills_in_and_stands_still_is_covered_as_well() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=60.0)
    world.unpublish("alice")
    world.run(4.0)
    assert (on_air(world), standby(world)) == ("bob", "carol")
    freeze(world, "bob")
    assert world.run_until(lambda: on_air(world) == "carol", 0.7) == pytest.approx(0.5)


@pytest.mark.parametrize("stall", [0.2, 10.0])
def test_the_operator_says_how_long_a_picture_may_stand_still(stall: float) -> None:
    world = channel("alice", "bob", stall=stall)
    freeze(world, "alice")
    took = world.run_until(lambda: on_air(world) == "bob", 8.0, step=0.05)
    assert took == pytest.approx(max(0.5 * stall, 0.25), abs=0.06)


def test_another_stall_holds_at_once_for_a_picture_that_stands_still() -> None:
    world = channel("alice", "bob", stall=30.0)
    freeze(world, "alice")
    world.run(1.0)
    world.feed(ev.SettingChanged(world.now, "stall", 1.0))
    world.settle()
    assert on_air(world) == "bob"


# --- when it moves again ----------------------------------------------------------------------------------------------


def test_one_that_stalled_has_to_go_on_moving_before_it_counts() -> None:
    world = channel("alice")
    world.feed(ev.MediaStalled(world.now, ONE, world.now - 1.0))
    world.advance(0.5)
    world.feed(ev.MediaResumed(world.now, ONE))
    world.advance(0.5)
    program = world.director.switchover.program
    assert program is not None
    assert program.stalled_since is not None
    world.feed(ev.MediaStalled(world.now, ONE, world.now - 0.3))
    world.feed(ev.MediaResumed(world.now, ONE))
    world.advance(0.5)
    assert [place.stalled for place in world.director.view(world.now).queue] == [True]
    world.advance(0.1)
    assert [place.stalled for place in world.director.view(world.now).queue] == [False]


def test_a_hiccup_of_one_who_proves_itself_delays_its_return_no_longer_than_the_hiccup() -> None:
    world = channel("alice", "bob")
    freeze(world, "alice")
    world.run(1.0)
    thaw(world)
    world.run_until(lambda: standby(world) == "alice", 3.0)
    world.run(2.6)
    freeze(world, "alice")
    world.run(0.6)
    assert on_air(world) == "bob"
    thaw(world)
    assert world.run_until(lambda: on_air(world) == "alice", 2.0) >= 0.6


# --- again and again --------------------------------------------------------------------------------------------------


def test_a_stream_that_pauses_again_and_again_is_cut_away_from_twice_and_then_left_alone() -> None:
    world = channel("alice", "bob", turn=1e6)
    pauses(world, "alice", of=0.6, every=3.0, seconds=240.0)
    assert reasons(world) == ["stalled", "returned"] * 2
    assert (on_air(world), has_turn(world)) == ("alice", "alice")


def test_one_that_was_steady_for_long_enough_is_covered_as_soon_as_the_first_time() -> None:
    world = channel("alice", "bob", turn=1e6)
    pauses(world, "alice", of=0.6, every=70.0, seconds=200.0)
    assert reasons(world) == ["stalled", "returned"] * 3


def test_a_stream_that_stalls_again_and_again_loses_its_turn_and_is_not_flapped_to() -> None:
    world = channel("alice", "bob", turn=1e6)
    pauses(world, "alice", of=1.2, every=5.0, seconds=60.0)
    assert reasons(world).count("returned") <= 2
    assert (on_air(world), has_turn(world)) == ("bob", "bob")


def test_alone_a_stream_that_stalls_again_and_again_does_not_flap_with_the_slate() -> None:
    world = channel("alice", turn=1e6, slate="SLATE")
    pauses(world, "alice", of=1.2, every=5.0, seconds=300.0)
    assert reasons(world).count("returned") <= 6


PAUSES = st.tuples(st.sampled_from([0.3, 0.6, 0.9, 1.5, 4.0]), st.sampled_from([0.4, 2.0, 4.0, 9.0]))


@given(
    pattern=st.lists(PAUSES, min_size=1, max_size=4),
    slate=st.sampled_from(["", "SLATE"]),
    mode=st.sampled_from(["dynamic", "pooled"]),
    others=st.sampled_from([(), ("bob",), ("bob", "carol")]),
)
@settings(max_examples=30)
def test_however_a_stream_pauses_the_viewer_does_not_see_the_picture_flap(
    pattern: list[tuple[float, float]], slate: str, mode: str, others: tuple[str, ...]
) -> None:
    world = channel("alice", *others, turn=1e6, slate=slate, mode=mode)
    end = world.now + 180.0
    while world.now < end:
        for still, moving in pattern:
            pauses(world, "alice", of=still, every=still + moving, seconds=still)
    returns = [fact.at for fact in handovers(world) if fact.reason == "returned" and fact.outcome == "completed"]
    for began in returns:
        assert sum(began <= at < began + 60.0 for at in returns) <= 3
    thaw(world)
    world.calm()
