"""Poor streams: told, covered by the slate, skipped, kicked, each after its time and never on hearsay."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from tests.statemachine.handover.test_handover import channel, on_air, reasons, standby
from tests.statemachine.monitors.test_stalls import shown
from tests.statemachine.world import World

POOR, GOOD = 100.0, 3000.0


def sends(world: World, streamer: str, kbps: float | None) -> None:
    """From now on, as its server tells."""
    session = world.ingest.of(streamer)
    assert session is not None
    if kbps is None:
        world.ingest.kbps.pop(session.id, None)
    else:
        world.ingest.kbps[session.id] = kbps
    world.measure()


def steps(world: World) -> list[str]:
    return [fact.step for fact in world.told if isinstance(fact, facts.LowBitrate)]


def kicks(world: World) -> list[str]:
    kicked = [c for _, commands in world.trace for c in commands if isinstance(c, cmd.KickSession)]
    return [command.session.streamer for command in kicked]


# --- each step in its time ------------------------------------------------------------------------------------------


def test_a_poor_stream_is_told_once_after_its_time_and_stays_on_air() -> None:
    world = channel("alice", "bob", low_bitrate=250.0, low_bitrate_warn=10.0)
    sends(world, "alice", POOR)
    world.run(9.5)
    assert steps(world) == []
    world.run(60.0)
    assert steps(world) == ["warn"]
    assert (on_air(world), standby(world)) == ("alice", "bob")


def test_the_slate_takes_its_place_and_gives_it_back_when_the_bitrate_is_good_again() -> None:
    world = channel("alice", "bob", slate="SLATE", low_bitrate_slate=5.0)
    sends(world, "alice", POOR)
    world.run(5.5)
    assert shown(world) == ["SLATE"]
    assert reasons(world) == ["low_bitrate"]
    world.run(20.0)
    assert (shown(world), standby(world)) == (["SLATE"], "alice")
    sends(world, "alice", GOOD)
    assert world.run_until(lambda: on_air(world) == "alice", 12.0) == pytest.approx(10.0, abs=0.5)
    assert world.director.view(world.now).queue[0].has_turn
    assert steps(world) == ["slate", "warn", "over"]


def test_the_next_one_follows_where_it_is_skipped_and_it_waits_for_another_turn() -> None:
    world = channel("alice", "bob", low_bitrate_warn=0.0, low_bitrate_skip=8.0)
    sends(world, "alice", POOR)
    world.run(9.0)
    assert (on_air(world), steps(world), reasons(world)) == ("bob", ["skip"], ["low_bitrate"])
    assert [place.streamer for place in world.director.view(world.now).queue] == ["bob", "alice"]


def test_a_kick_cuts_it_off_and_keeps_it_out() -> None:
    world = channel("alice", "bob", low_bitrate_kick=8.0, low_bitrate_warn=0.0)
    sends(world, "alice", POOR)
    world.run(9.0)
    assert (on_air(world), steps(world), kicks(world)) == ("bob", ["kick"], ["alice"])
    assert world.director.admits("alice", world.now) is not None
    assert world.director.admits("alice", world.now + 301.0) is None


def test_all_steps_come_in_their_order() -> None:
    world = channel(
        "alice",
        slate="SLATE",
        low_bitrate_warn=2.0,
        low_bitrate_slate=4.0,
        low_bitrate_skip=6.0,
        low_bitrate_kick=20.0,
    )
    sends(world, "alice", POOR)
    world.run(10.0)
    assert steps(world) == ["warn", "slate"]
    world.publish("bob")
    world.run(2.0)
    assert steps(world) == ["warn", "slate", "skip"]
    assert on_air(world) == "bob"


# --- what it never does ---------------------------------------------------------------------------------------------


def test_with_nobody_to_follow_a_skip_does_not_darken_the_picture() -> None:
    world = channel("alice", low_bitrate_skip=5.0, slate="SLATE")
    sends(world, "alice", POOR)
    world.run(30.0)
    assert on_air(world) == "alice"
    world.publish("bob")
    world.run_until(lambda: on_air(world) == "bob", 2.0)
    assert "skip" in steps(world)


def test_nothing_is_done_where_the_server_does_not_tell_the_bytes() -> None:
    world = channel("alice", "bob", low_bitrate_warn=1.0, low_bitrate_skip=2.0, low_bitrate_kick=3.0)
    world.run(30.0)
    sends(world, "alice", POOR)
    sends(world, "alice", None)
    world.run(30.0)
    assert (on_air(world), steps(world)) == ("alice", [])


def test_behind_the_slate_a_bitrate_that_nobody_knows_any_more_counts_as_good() -> None:
    world = channel("alice", slate="SLATE", low_bitrate_slate=5.0)
    sends(world, "alice", POOR)
    world.run(7.0)
    assert shown(world) == ["SLATE"]
    sends(world, "alice", None)
    world.run_until(lambda: on_air(world) == "alice", 1.0)


def test_a_measurement_that_is_never_told_again_says_nothing_after_a_while() -> None:
    world = channel("alice", "bob", low_bitrate_warn=0.0, low_bitrate_skip=400.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.feed(ev.BitrateMeasured(world.now, session.id, POOR))
    world.advance(500.0)
    assert (on_air(world), steps(world)) == ("alice", [])


def test_a_bitrate_that_wavers_about_the_bound_is_poor_and_one_that_was_good_for_long_enough_is_not() -> None:
    world = channel("alice", "bob", low_bitrate_warn=30.0)
    for _ in range(6):
        sends(world, "alice", POOR)
        world.run(4.0)
        sends(world, "alice", GOOD)
        world.run(4.0)
    sends(world, "alice", POOR)
    assert steps(world) == ["warn"]
    sends(world, "alice", GOOD)
    world.run(11.0)
    assert steps(world) == ["warn", "over"]
    sends(world, "alice", POOR)
    world.run(25.0)
    assert steps(world) == ["warn", "over"]


def test_while_turns_are_held_it_is_told_and_no_more() -> None:
    world = channel("alice", "bob", low_bitrate_warn=2.0, low_bitrate_skip=4.0, low_bitrate_kick=6.0)
    world.feed(ev.Held(world.now))
    sends(world, "alice", POOR)
    world.run(20.0)
    assert (on_air(world), steps(world)) == ("alice", ["warn"])
    world.feed(ev.Released(world.now))
    world.run(1.0)
    assert on_air(world) == "bob"


def test_one_who_only_fills_in_is_relieved_and_the_turn_that_it_fills_in_for_goes_on() -> None:
    world = channel(
        "alice", "bob", "carol", slate="SLATE", reconnect_grace=60.0, low_bitrate_slate=2.0, low_bitrate_skip=5.0
    )
    world.unpublish("alice")
    world.run(3.0)
    assert on_air(world) == "bob"
    sends(world, "bob", POOR)
    world.run(4.5)
    assert on_air(world) == "bob", "the slate is for the turn's holder"
    world.run(2.0)
    assert (on_air(world), world.director.view(world.now).queue[0].streamer) == ("carol", "alice")


def test_the_clock_of_a_poor_stream_ends_with_its_stream_and_its_turn() -> None:
    world = channel("alice", "bob", low_bitrate_warn=5.0, low_bitrate_skip=9.0)
    sends(world, "alice", POOR)
    world.run(4.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(8.0)
    assert (on_air(world), steps(world)) == ("alice", ["warn"])


def test_another_holder_does_not_wait_behind_the_slate_of_the_one_before() -> None:
    world = channel("alice", "bob", slate="SLATE", low_bitrate_slate=3.0)
    sends(world, "alice", POOR)
    world.run(5.0)
    assert shown(world) == ["SLATE"]
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: on_air(world) == "bob", 2.0)


@pytest.mark.parametrize(("name", "value"), [("low_bitrate", 0.0), ("low_bitrate_slate", 0.0), ("low_bitrate", 50.0)])
def test_a_bound_that_is_lowered_live_brings_the_picture_back(name: str, value: float) -> None:
    world = channel("alice", slate="SLATE", low_bitrate_slate=3.0)
    sends(world, "alice", POOR)
    world.run(5.0)
    assert shown(world) == ["SLATE"]
    world.feed(ev.SettingChanged(world.now, name, value))
    world.measure()
    world.run_until(lambda: on_air(world) == "alice", 12.0)


def test_a_daemon_that_is_restarted_behind_the_slate_stays_behind_it() -> None:
    world = channel("alice", slate="SLATE", low_bitrate_slate=3.0)
    sends(world, "alice", POOR)
    world.run(5.0)
    world.crash(1.0)
    world.obs_ready()
    world.run(5.0)
    assert shown(world) == ["SLATE"]
    sends(world, "alice", GOOD)
    world.run_until(lambda: on_air(world) == "alice", 12.0)


@pytest.mark.parametrize("mode", ["pooled", "static"])
def test_the_other_modes_know_the_slate_and_the_way_back_too(mode: str) -> None:
    world = channel("alice", "bob", mode=mode, slate="SLATE", low_bitrate_slate=3.0)
    sends(world, "alice", POOR)
    world.run(5.0)
    assert shown(world) == ["SLATE"]
    sends(world, "alice", GOOD)
    world.run_until(lambda: on_air(world) == "alice", 14.0)
    assert len(shown(world)) == 1


def test_one_who_was_skipped_only_fills_in_while_the_next_one_has_no_picture_yet() -> None:
    world = channel("alice", "bob", slate="SLATE", low_bitrate_slate=5.0, low_bitrate_skip=20.0)
    sends(world, "alice", POOR)
    world.run(19.0)
    assert (shown(world), standby(world)) == (["SLATE"], "alice")
    session = world.ingest.of("bob")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(4.0)
    assert on_air(world) == "alice"
    assert [(place.streamer, place.has_turn) for place in world.director.view(world.now).queue] == [
        ("bob", False),
        ("alice", False),
    ]
    world.ingest.frozen.discard(session.id)
    world.run(2.0)
    assert on_air(world) == "bob"
    assert world.director.view(world.now).queue[0].has_turn


def test_whoever_is_covered_can_be_taken_all_the_same() -> None:
    world = channel("alice", slate="SLATE", low_bitrate_slate=5.0)
    sends(world, "alice", POOR)
    world.run(5.5)
    assert shown(world) == ["SLATE"]
    world.feed(ev.TakeRequested(world.now, "alice"))
    world.run(3.0)
    assert on_air(world) == "alice"
