"""Whoever is not shown has a reason in one word, in the line-up and told once; and nobody is named whom nobody sees."""

import pytest

from statemachine import events as ev
from statemachine import facts
from tests.statemachine.handover.test_handover import channel, on_air, standby
from tests.statemachine.monitors.test_bitrate import GOOD, POOR, sends
from tests.statemachine.monitors.test_stalls import freeze
from tests.statemachine.monitors.test_streams import problem, problems, recovered, without_picture
from tests.statemachine.world import World

ONE = "GMOTHERSTREAM_1"


def breaks(world: World, streamer: str) -> None:
    """Its player reports an error: OBS shows nothing of it."""
    session = world.ingest.of(streamer)
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.ingest.broken.add(session.id)


def mends(world: World) -> None:
    world.ingest.frozen.clear()
    world.ingest.broken.clear()


def on_air_told(world: World) -> list[tuple[str, bool]]:
    return [(fact.streamer, fact.same_input) for fact in world.told if isinstance(fact, facts.OnAirChanged)]


# --- a picture that has gone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [{}, {"after_turn": "kick"}, {"job_delay": 20.0}, {"standby": False}])
def test_one_of_whom_nothing_is_shown_is_not_called_on_air(policy: dict[str, object]) -> None:
    world = channel("alice", **policy)
    breaks(world, "alice")
    world.run(0.6, step=0.05)
    view = world.director.view(world.now)
    assert (view.on_air, view.program.input, view.program.blank) == (None, ONE, True)
    assert on_air_told(world) == [("", True)]
    world.run(2.0)
    assert (on_air(world), problem(world, "alice")) == ("", "stalled")
    world.run(20.0)
    assert (on_air(world), problem(world, "alice")) == ("", "not_ready")  # what became of a fresh input of it


def test_one_whose_picture_is_back_is_on_air_again_and_told_so() -> None:
    world = channel("alice")
    breaks(world, "alice")
    world.run(5.0)
    mends(world)
    world.run(2.0)
    assert (on_air(world), problem(world, "alice")) == ("alice", None)
    assert on_air_told(world)[0] == ("", True)
    assert on_air_told(world)[-1][0] == "alice"


def test_a_picture_that_stands_still_is_still_seen_and_named() -> None:
    world = channel("alice")
    freeze(world, "alice")
    world.run(5.0)
    view = world.director.view(world.now)
    assert (on_air(world), view.program.blank, problem(world, "alice")) == ("alice", False, "stalled")
    assert on_air_told(world) == []


def test_one_that_breaks_after_it_has_stood_still_for_long_is_called_on_air_no_more() -> None:
    world = channel("alice")
    freeze(world, "alice")
    world.run(5.0)
    breaks(world, "alice")
    world.run(0.5)
    assert on_air(world) == ""


def test_one_that_breaks_under_its_very_cut_is_not_called_on_air() -> None:
    world = channel("alice", "bob")
    number = world.director.switchover.attempt
    assert number is not None
    world.feed(ev.SkipRequested(world.now))
    world.feed(ev.MediaStalled(world.now, number.input, world.now - 0.3, blank=True))
    while world.lane or world.answers:
        if world.lane:
            world.carry_out()
        else:
            world.deliver()
    program = world.director.switchover.program
    assert program is not None
    assert (program.input, on_air(world)) == (number.input, "")


def test_the_next_one_is_named_as_soon_as_it_is_cut_to() -> None:
    world = channel("alice", "bob")
    breaks(world, "alice")
    world.run(2.0)
    assert on_air(world) == "bob"
    assert on_air_told(world)[-1] == ("bob", False)


def test_a_new_connection_to_obs_looks_anew_whether_there_is_a_picture() -> None:
    world = channel("alice")
    breaks(world, "alice")
    world.run(5.0)
    world.obs_lost()
    world.obs_ready()
    assert on_air(world) == "alice"


# --- each way to be passed over ---------------------------------------------------------------------------------------


def test_one_that_gave_up_its_place_in_dead_air_has_a_reason_at_once() -> None:
    world = channel()
    for name in ("d1", "d2", "d3", "d4", "d5"):
        without_picture(world, name)
    world.run(3.0, step=0.1)
    ((first, reason),) = problems(world)
    assert (reason, problem(world, first)) == ("not_ready", "not_ready")


@pytest.mark.parametrize("policy", [{}, {"slate": "SLATE"}])
def test_without_standby_one_that_was_passed_over_has_a_reason(policy: dict[str, object]) -> None:
    world = channel("alice", standby=False, **policy)
    without_picture(world, "bob")
    world.publish("carol")
    world.unpublish("alice")
    world.run(1.5, step=0.05)
    world.ingest.frozen.clear()
    session = world.ingest.of("bob")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(4.0)
    assert on_air(world) == "carol"
    assert problem(world, "bob") == "not_ready"
    assert problems(world) == [("bob", "not_ready")]


def test_with_standby_the_one_that_is_tried_again_at_once_is_not_blamed_yet() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    world.publish("carol")
    world.unpublish("alice")
    world.run(4.0)
    assert (on_air(world), problems(world)) == ("carol", [])


def test_one_who_filled_in_and_stalled_has_a_reason_until_it_moves() -> None:
    world = channel("alice", "bob", reconnect_grace=60.0, grace_cap=60.0)
    world.unpublish("alice")
    world.run(2.0)
    assert (on_air(world), problem(world, "alice")) == ("bob", "away")
    freeze(world, "bob")
    world.run(3.0)
    assert ("bob", "stalled") in problems(world)
    assert problem(world, "bob") == "stalled"
    world.ingest.frozen.clear()
    world.run(40.0)
    assert (problem(world, "bob"), recovered(world)) == (None, ["bob"])


def test_one_whose_turn_ended_while_it_stood_still_has_a_reason() -> None:
    world = channel("alice", "bob", reconnect_grace=2.0)
    freeze(world, "alice")
    world.run(6.0)
    assert on_air(world) == "bob"
    assert problem(world, "alice") == "stalled"


def test_one_whose_cut_failed_has_a_reason_that_a_picture_alone_does_not_mend() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.carry_out("refused")
    world.deliver()
    assert (problem(world, "bob"), problems(world)) == ("cut_failed", [("bob", "cut_failed")])
    world.run(60.0)
    assert (standby(world), problem(world, "bob")) == ("bob", "cut_failed")
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert (on_air(world), problem(world, "bob")) == ("bob", None)
    assert recovered(world) == ["bob"]


def test_one_that_comes_back_within_its_backoff_brings_its_reason_along() -> None:
    world = channel("alice", ready_timeout=2.0, reconnect_grace=1.0)
    without_picture(world, "bob")
    world.run(4.0)
    assert problem(world, "bob") == "not_ready"
    world.unpublish("bob")
    world.run(3.0)
    without_picture(world, "bob")
    place = next(place for place in world.director.view(world.now).queue if place.streamer == "bob")
    assert (place.failures > 0, problem(world, "bob")) == (True, "not_ready")


# --- what is no failure of its own ------------------------------------------------------------------------------------


def test_who_is_on_probation_is_said_to_be() -> None:
    world = channel("alice", "bob", reconnect_grace=60.0, grace_cap=60.0)
    freeze(world, "alice")
    world.run(2.0)
    assert (on_air(world), problem(world, "alice")) == ("bob", "stalled")
    world.ingest.frozen.clear()
    world.run_until(lambda: problem(world, "alice") != "stalled", 10.0)
    assert problem(world, "alice") == "probation"
    world.run(5.0)
    assert (on_air(world), problem(world, "alice")) == ("alice", None)


def test_while_obs_is_away_the_first_in_line_waits_for_that() -> None:
    world = World()
    world.publish("alice")
    world.publish("bob")
    assert (problem(world, "alice"), problem(world, "bob")) == ("obs_unreachable", None)
    world.obs_ready()
    world.run(2.0)
    assert (on_air(world), problem(world, "alice")) == ("alice", None)


def test_who_may_not_follow_because_of_studio_mode_is_said_to_wait_for_that() -> None:
    world = channel("alice", "bob", studio_mode="hold")
    world.obs.program.switch_studio_mode(True)
    world.run(1.0)
    world.read_inventory()
    world.unpublish("alice")
    world.run(20.0)
    assert problem(world, "bob") == "studio_mode"
    world.obs.program.switch_studio_mode(False)
    world.read_inventory()
    world.run(2.0)
    assert (on_air(world), problem(world, "bob")) == ("bob", None)


def test_who_is_on_air_while_viewers_are_shown_another_scene_is_said_not_to_be_seen() -> None:
    world = channel("alice", "bob")
    world.obs.program.transition("BREAK")
    world.run(1.0)
    world.read_inventory()
    world.run(1.0)
    place = world.director.view(world.now).queue[0]
    assert place.problem is not None
    assert (place.streamer, place.problem.reason, place.problem.detail) == ("alice", "program_elsewhere", "BREAK")
    assert problem(world, "bob") is None


def test_whose_turn_is_over_and_who_stays_until_somebody_follows_is_said_to_be_leaving() -> None:
    world = channel("alice", "bob", after_turn="kick")
    world.feed(ev.SkipRequested(world.now))
    assert problem(world, "alice") == "leaving"


def test_whom_the_slate_covers_for_a_poor_bitrate_is_said_to_send_too_little() -> None:
    world = channel("alice", "bob", slate="SLATE", low_bitrate_slate=5.0)
    sends(world, "alice", POOR)
    world.run(6.0)
    assert (on_air(world), problem(world, "alice")) == ("", "low_bitrate")
    sends(world, "alice", GOOD)
    world.run_until(lambda: on_air(world) == "alice", 12.0)
    assert problem(world, "alice") is None


def test_one_who_filled_in_with_a_poor_bitrate_and_was_skipped_has_that_reason() -> None:
    world = channel("alice", "bob", "carol", low_bitrate_skip=5.0, reconnect_grace=60.0, grace_cap=60.0)
    world.unpublish("alice")
    world.run(2.0)
    assert on_air(world) == "bob"
    sends(world, "bob", POOR)
    world.run(8.0)
    assert (on_air(world), problem(world, "bob")) == ("carol", "low_bitrate")
