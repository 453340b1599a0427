"""Standby is given up while OBS renders too late, and taken up again."""

import pytest

from statemachine import events as ev
from statemachine import facts
from statemachine.view import StandbyOff
from tests.statemachine.handover.test_handover import channel, on_air, standby
from tests.statemachine.world import World


def told(world: World) -> list[str]:
    kinds = (facts.StandbyGivenUp, facts.StandbyTakenUp)
    return [type(fact).__name__ for fact in world.told if isinstance(fact, kinds)]


def off(world: World) -> StandbyOff | None:
    return world.director.view(world.now).standby_off


def test_standby_is_given_up_where_obs_renders_late_for_a_while_and_its_input_goes() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.3, 20.0)
    assert (standby(world), told(world)) == ("bob", [])
    world.rendered(0.3, 10.0)
    assert told(world) == ["StandbyGivenUp"]
    world.run(3.0)
    assert (on_air(world), standby(world), len(world.obs.own)) == ("alice", "", 1)
    said = off(world)
    assert said is not None
    assert (said.reason, said.render_lag) == ("render_lag", 0.3)
    assert said.since == pytest.approx(world.now - 3.0)


def test_a_hand_over_goes_on_without_standby() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 30.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)
    assert (on_air(world), standby(world)) == ("bob", "")


def test_a_busy_moment_and_a_busy_machine_below_the_bound_cost_nothing() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    for _ in range(10):
        world.rendered(0.9, 20.0)
        world.rendered(0.2, 10.0)
    assert (standby(world), told(world), off(world)) == ("bob", [], None)


def test_it_is_taken_up_again_once_obs_has_done_well_for_long_enough() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 30.0)
    world.rendered(0.2, 300.0)  # better, not well
    assert told(world) == ["StandbyGivenUp"]
    world.rendered(0.05, 50.0)
    assert off(world) is not None
    world.rendered(0.05, 20.0)
    assert told(world) == ["StandbyGivenUp", "StandbyTakenUp"]
    world.run(2.0)
    assert (standby(world), off(world)) == ("bob", None)


def test_after_each_relapse_it_takes_twice_as_long() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    spans = []
    for _ in range(4):
        world.rendered(0.5, 40.0)
        began = world.now
        while off(world) is not None:
            world.rendered(0.0, 10.0)
        spans.append(world.now - began)
    assert spans == sorted(spans)
    assert spans[3] > 6 * spans[0]


def test_long_after_a_relapse_is_the_first_time_again() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    for _ in range(3):
        world.rendered(0.5, 40.0)
        world.rendered(0.0, 300.0)
    world.rendered(0.0, 700.0)
    world.rendered(0.5, 40.0)
    world.rendered(0.0, 70.0)
    assert off(world) is None


def test_what_obs_did_before_it_was_lost_says_nothing_of_now() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 20.0)
    world.obs_lost()
    world.obs_ready()
    world.rendered(0.5, 20.0)
    assert told(world) == []


def test_without_a_bound_it_is_taken_up_at_once() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 30.0)
    world.feed(ev.SettingChanged(world.now, "standby_lag", 0.0))
    assert told(world) == ["StandbyGivenUp", "StandbyTakenUp"]
    world.run(3.0)
    assert standby(world) == "bob"


@pytest.mark.parametrize(("name", "value"), [("standby", False), ("mode", "static")])
def test_where_standby_is_switched_off_nobody_is_told_that_it_is_taken_up(name: str, value: bool | str) -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 30.0)
    world.feed(ev.SettingChanged(world.now, name, value))
    assert (told(world), world.director.render_load.standby_suspended) == (["StandbyGivenUp"], False)


@pytest.mark.parametrize(("policy", "reason"), [({"standby": False}, "configured"), ({"mode": "static"}, "static")])
def test_nothing_is_given_up_where_there_is_no_standby_and_the_view_says_why(
    policy: dict[str, object], reason: str
) -> None:
    world = channel("alice", "bob", standby_lag=0.25, **policy)
    world.rendered(0.9, 60.0)
    assert told(world) == []
    assert off(world) == StandbyOff(reason)


def test_one_who_stalled_in_its_turn_is_looked_for_all_the_same() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    world.rendered(0.5, 30.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run_until(lambda: on_air(world) == "bob", 4.0)
    world.ingest.frozen.clear()
    world.run_until(lambda: on_air(world) == "alice", 8.0)


def test_reports_without_sense_change_nothing() -> None:
    world = channel("alice", "bob", standby_lag=0.25)
    before = world.director.render_load.state
    for frames, seconds in ((0, 10.0), (-5, 10.0), (300, 0.0), (300, -1.0)):
        world.feed(ev.ObsRendered(world.now, seconds, frames, 5))
    assert world.director.render_load.state == before
