"""How loud each one is made: at once while it is hidden, slowly on air, within bounds, and remembered."""

import pytest

from statemachine import events as ev
from statemachine.director import Director
from statemachine.monitors.levels import EVERY, MOST, PEAK, STEP
from statemachine.timeline import shifted
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.world import World


def heard(world: World, streamer: str, loudness: float | None, peak: float | None = -20.0) -> None:
    session = world.ingest.of(streamer)
    assert session is not None
    world.feed(ev.StreamMeasured(world.now, session.id, (), loudness, peak))


def gains(world: World) -> dict[str, float]:
    """By streamer, as OBS has them."""
    return {item.session.streamer: item.gain for item in world.obs.items.values() if item.session is not None}


def test_one_who_waits_is_levelled_before_its_cut() -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", -24.0)
    world.run(0.5)
    assert gains(world) == {"alice": 0.0, "bob": 10.0}
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)
    assert on_air(world) == "bob"
    assert gains(world)["bob"] == 10.0


def test_off_by_default() -> None:
    world = channel("alice", "bob")
    heard(world, "bob", -24.0)
    world.run(5.0)
    assert set(gains(world).values()) == {0.0}


@pytest.mark.parametrize(
    ("loudness", "peak", "gain"),
    [
        (-40.0, -30.0, MOST),
        (4.0, -3.0, -MOST),
        (-24.0, -4.0, 3.0),  # never above -1 dBTP
        (-14.0, 2.0, PEAK - 2.0),
        (-14.0, -5.0, 0.0),
    ],
)
def test_within_bounds(loudness: float, peak: float, gain: float) -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", loudness, peak)
    world.run(0.5)
    assert gains(world)["bob"] == pytest.approx(gain)


def test_the_one_on_air_is_moved_slowly_and_only_where_it_is_off_by_more_than_a_little() -> None:
    world = channel("alice", target_loudness=-14.0)
    heard(world, "alice", -14.8)
    world.run(10.0)
    assert gains(world) == {"alice": 0.0}
    heard(world, "alice", -18.0)
    world.run(0.5)
    assert gains(world)["alice"] == pytest.approx(STEP)
    world.run(2 * EVERY)
    assert gains(world)["alice"] == pytest.approx(3 * STEP)
    world.run(30.0)
    assert gains(world)["alice"] == pytest.approx(4.0)


def test_what_was_heard_of_a_streamer_is_remembered_for_the_next_time_and_over_a_restart() -> None:
    world = channel("alice", "bob", target_loudness=-14.0, reconnect_grace=1.0)
    heard(world, "bob", -20.0)
    world.run(1.0)
    world.unpublish("bob")
    world.run(5.0)
    world.crash(3.0)
    world.obs_ready()
    world.publish("bob")
    world.run(3.0)
    assert gains(world)["bob"] == pytest.approx(6.0)


def test_nothing_heard_changes_nothing() -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", -20.0)
    world.run(1.0)
    heard(world, "bob", None, None)
    world.run(1.0)
    assert gains(world)["bob"] == pytest.approx(6.0)


def test_switched_off_while_it_runs_everything_goes_back() -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", -20.0)
    heard(world, "alice", -20.0)
    world.run(40.0)
    assert gains(world) == {"alice": pytest.approx(6.0), "bob": pytest.approx(6.0)}
    world.feed(ev.SettingChanged(world.now, "target_loudness", 0.0))
    world.run(40.0)
    assert gains(world) == {"alice": pytest.approx(0.0), "bob": pytest.approx(0.0)}


def test_a_clock_that_was_wrong_by_years_makes_nothing_louder() -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", -20.0)
    world.run(1.0)
    director = Director.restore(shifted(world.director.snapshot(), 1e8))
    assert director.levels.state.heard == world.director.levels.state.heard
    assert director.levels.state.gains == world.director.levels.state.gains


def test_the_one_input_of_mode_static_is_levelled_for_whom_it_plays() -> None:
    world = channel("alice", "bob", target_loudness=-14.0, mode="static")
    heard(world, "alice", -14.0)
    heard(world, "bob", -24.0)
    world.run(1.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(5.0)
    assert on_air(world) == "bob"
    world.run(60.0)
    assert gains(world)["bob"] == pytest.approx(10.0)


def test_a_pooled_input_is_levelled_anew_for_the_next_one() -> None:
    world = channel("alice", "bob", "carol", target_loudness=-14.0, mode="pooled")
    for streamer, loudness in (("alice", -14.0), ("bob", -24.0), ("carol", -18.0)):
        heard(world, streamer, loudness)
    for _ in range(3):
        world.feed(ev.SkipRequested(world.now))
        world.run(6.0)
        for streamer, wanted in (("alice", 0.0), ("bob", 10.0), ("carol", 4.0)):
            assert gains(world).get(streamer, wanted) == pytest.approx(wanted, abs=0.5)


def test_peaks_that_have_risen_are_lowered_at_once() -> None:
    world = channel("alice", target_loudness=-14.0)
    heard(world, "alice", -26.0, -20.0)
    world.run(120.0)
    assert gains(world)["alice"] == pytest.approx(MOST)
    heard(world, "alice", -24.0, -4.0)
    world.run(0.5)
    assert gains(world)["alice"] == pytest.approx(3.0)


def test_a_little_above_the_ceiling_is_above_it() -> None:
    world = channel("alice", "bob", target_loudness=-14.0)
    heard(world, "bob", -24.0, -4.0)
    world.run(1.0)
    heard(world, "bob", -24.0, -3.6)
    world.run(1.0)
    assert gains(world)["bob"] == pytest.approx(2.6)


def test_the_one_input_of_mode_static_does_not_keep_the_gain_of_the_one_before() -> None:
    world = channel("alice", "bob", target_loudness=-14.0, mode="static")
    heard(world, "alice", -24.0)
    world.run(60.0)
    assert gains(world)["alice"] == pytest.approx(10.0)
    heard(world, "bob", -8.0, -1.5)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: on_air(world) == "bob", 10.0)
    world.run(0.5)
    assert gains(world)["bob"] == pytest.approx(-6.0)


def test_the_one_input_of_mode_static_is_levelled_for_whom_it_plays_also_after_the_slate() -> None:
    world = channel("alice", target_loudness=-14.0, mode="static", slate="SLATE", reconnect_grace=1.0)
    heard(world, "alice", -24.0)
    world.run(60.0)
    assert gains(world)["alice"] == pytest.approx(10.0)
    world.unpublish("alice")
    world.run(10.0)
    assert on_air(world) == ""
    world.publish("bob")
    world.run_until(lambda: on_air(world) == "bob", 10.0)
    world.run(0.5)
    assert gains(world)["bob"] == 0.0


def test_on_air_it_is_moved_slowly_whoever_was_there_before() -> None:
    world = channel("alice", "bob", target_loudness=-14.0, mode="static")
    heard(world, "alice", -24.0)
    heard(world, "bob", -24.0)
    world.run(60.0)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: on_air(world) == "bob", 10.0)
    heard(world, "bob", -16.0)
    world.run(0.5)
    assert gains(world)["bob"] == pytest.approx(10.0 - STEP)


def test_switched_off_nothing_of_it_stays() -> None:
    world = channel("alice", target_loudness=-14.0)
    heard(world, "alice", -16.0)
    world.run(30.0)
    assert gains(world)["alice"] == pytest.approx(2.0)
    world.feed(ev.SettingChanged(world.now, "target_loudness", 0.0))
    world.run(30.0)
    assert gains(world)["alice"] == 0.0
