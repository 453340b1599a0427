"""Cases of pooled, static, and of what a start finds in the file, each under the name of what it broke."""

from dataclasses import replace

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.model_obs import OTHER_STATIC, STATIC
from tests.statemachine.world import World

FIRST, SECOND, THIRD = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2", "GMOTHERSTREAM_3"


def issued(world: World, kind: type[cmd.Command], name: str) -> list[cmd.Command]:
    found = [command for _, commands in world.trace for command in commands if isinstance(command, kind)]
    return [command for command in found if getattr(command, "input", "") == name]


def until(world: World, kind: type[cmd.Command]) -> None:
    """Do all that is asked, until a command of this kind is next."""
    while not (world.lane and isinstance(world.lane[0], kind)):
        if world.lane:
            world.carry_out()
        elif world.answers:
            world.deliver()
        else:
            world.advance(0.1)
            world.look()


def restart(world: World, gap: float = 0.0, **changes: object) -> None:
    """The daemon is killed and started with another file."""
    world.crash(gap, replace(world.director.settings.base, **changes))  # type: ignore[arg-type]  # fields by name
    world.obs_ready()


# --- pooled -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["refused", "lied", "timeout"])
def test_pooled_an_input_whose_creation_failed_is_removed_and_not_used_again(outcome: str) -> None:
    world = channel("alice", mode="pooled")
    world.publish("bob")
    until(world, cmd.CreateInput)
    world.carry_out(outcome)
    world.run(8.0)
    assert issued(world, cmd.RemoveInput, SECOND)
    assert not issued(world, cmd.ParkInput, SECOND)
    assert len(issued(world, cmd.CreateInput, SECOND)) == 1
    assert issued(world, cmd.CreateInput, THIRD)
    world.calm()


def test_pooled_an_input_whose_cut_timed_out_is_not_there_any_more_when_the_cut_comes_late() -> None:
    world = channel("alice", "bob", mode="pooled")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.Cut)
    world.carry_out("timeout")
    world.run(8.0)
    assert issued(world, cmd.RemoveInput, SECOND)
    world.carry_out_late(0)
    assert [item.name for item in world.obs.shown] != [SECOND]
    world.calm()


def test_pooled_an_input_that_could_not_be_parked_is_removed_by_the_next_try() -> None:
    world = channel("alice", "bob", mode="pooled")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.ParkInput)
    world.carry_out("refused")
    world.run(3.0)
    assert issued(world, cmd.RemoveInput, FIRST)
    assert [item.name for item in world.obs.own] == [SECOND, THIRD]


def test_pooled_an_input_whose_creation_nobody_answered_before_obs_was_lost_is_not_used_again() -> None:
    world = channel("alice", mode="pooled")
    world.publish("bob")
    until(world, cmd.CreateInput)
    world.carry_out("timeout")
    world.answers.clear()
    world.obs_lost()
    world.obs_ready()
    world.run(3.0)
    assert len(issued(world, cmd.CreateInput, SECOND)) == 1
    world.carry_out_late(0)
    world.calm()


def test_pooled_one_input_beside_the_one_on_air_is_enough_after_a_cut_that_nobody_answered() -> None:
    world = channel("alice", "bob", "carol", mode="pooled")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.Cut)
    world.obs_lost(done=1)
    world.obs_ready()
    world.run(5.0)
    assert on_air(world) == "bob"
    assert [item.name for item in world.obs.own] == [FIRST, SECOND]
    world.calm()


def test_pooled_inputs_of_a_former_prefix_are_not_used_again() -> None:
    world = channel("alice", "bob", mode="pooled")
    restart(world, prefix="LIVE_")
    world.calm()
    names = [program.input for program in [world.director.switchover.program] if program]
    assert names
    assert all(name.startswith("LIVE_") for name in [*names, *world.director.switchover.scene.names.pool])


# --- static -------------------------------------------------------------------------------------------------------


def test_static_one_who_stalled_alone_behind_the_slate_is_tried_again() -> None:
    world = channel("alice", mode="static", slate="SLATE")
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(3.0)
    assert world.obs.slates == {"SLATE"}
    world.calm()
    assert on_air(world) == "alice"


def two_without_a_picture() -> World:
    """Alice and Bob publish, and neither shows anything yet; a try takes 15 s."""
    world = channel(mode="static", ready_timeout=15.0)
    for streamer in ("alice", "bob"):
        world.ingest.frozen.add(world.publish(streamer).id)
    return world


def test_static_the_first_try_of_one_in_line_is_not_cut_short_by_one_who_failed_before() -> None:
    world = two_without_a_picture()
    world.run(14.5)
    assert [each for each in world.director.lineup if each.failures] == []
    world.run(1.0)
    bob = world.ingest.of("bob")
    assert bob is not None
    assert world.obs.items[STATIC].session == bob, "alice has had her time"
    world.run(9.0)
    assert world.obs.items[STATIC].session == bob, "she would be tried again by now"
    world.ingest.frozen.discard(bob.id)
    world.run(1.0)
    assert on_air(world) == "bob"


def test_static_an_operators_move_does_not_wait_for_the_try_of_another() -> None:
    world = two_without_a_picture()
    world.run(16.0)
    alice = world.ingest.of("alice")
    world.feed(ev.MoveRequested(world.now, "alice", 0))
    world.run(0.5)
    assert world.obs.items[STATIC].session == alice


def test_static_a_restart_that_failed_leaves_nobody_named_for_the_picture() -> None:
    world = channel("alice", mode="static")
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.WatchInput)
    playing = world.obs.items[STATIC].session
    assert playing == session
    world.run(16.0)
    assert world.obs.items[STATIC].session == world.ingest.of("alice"), "she was said to be on air, and was not"
    assert on_air(world) == "alice"


def test_static_a_restart_cut_short_by_a_crash_is_made_anew_in_another_mode() -> None:
    world = channel("alice", mode="static")
    world.publish("bob")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.WatchInput)
    restart(world, mode="pooled")
    world.feed(ev.RemoveRequested(world.now, "bob"))
    world.calm()
    program = world.director.switchover.program
    assert program is not None
    assert world.obs.items[program.input].session == program.session


def test_static_a_restart_for_one_alone_cut_short_by_a_lost_obs_is_made_anew() -> None:
    world = channel("alice", mode="static")
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.look()
    world.feed(ev.MediaStalled(world.now, STATIC, world.now))
    until(world, cmd.WatchInput)
    world.obs_lost(done=0)
    world.calm()
    assert on_air(world) == "alice"


def test_static_its_input_shown_by_hand_while_nobody_is_on_air_is_hidden() -> None:
    world = channel(mode="static")
    world.obs.items[STATIC].shown = True
    world.run(3.0)
    assert world.obs.shown == []


def test_static_another_input_named_in_the_file_takes_the_place_of_the_one_before() -> None:
    world = channel("alice", mode="static")
    restart(world, static_input=OTHER_STATIC)
    world.calm()
    assert [item.name for item in world.obs.shown] == [OTHER_STATIC]


# --- a start -------------------------------------------------------------------------------------------------------


def test_a_picture_of_a_former_prefix_does_not_stay_beside_the_next() -> None:
    world = channel("alice")
    restart(world, prefix="LIVE_")
    world.calm()
    assert [item.name for item in world.obs.shown] == ["LIVE_2"]


def test_a_picture_of_a_former_prefix_does_not_stay_either_where_more_was_changed_before_obs_is_back() -> None:
    world = channel("alice", slate="SLATE")
    for slate in ("ONE", "TWO", "THREE", "FOUR", "FIVE"):
        world.crash(0.0, replace(world.director.settings.base, prefix="LIVE_", slate=slate))
    world.obs_ready()
    world.calm()
    assert [item.name for item in world.obs.shown] == ["LIVE_2"]


def test_an_adopted_picture_that_cannot_be_watched_does_not_stay_for_ever() -> None:
    world = World(Policy())
    world.obs_ready()
    session = ev.Session("test:1", "alice", "live", "alice")
    world.feed(ev.TestRequested(world.now, session))
    world.obs_lost(done=1)
    for item in world.obs.own:
        item.shown, item.astray = True, True
    world.obs_ready()
    world.carry_out("refused")
    world.calm()
    assert world.obs.shown == []


def test_a_start_tells_first_that_the_clocks_stood_still_and_then_of_the_file() -> None:
    world = channel("alice")
    policy = Policy(turn=77.0)
    assert [type(event) for event in world.director.restarted(world.now, policy)] == [ev.ObsLost, ev.PolicyLoaded]
    fresh = World(policy).director
    assert fresh.restarted(5.0, policy) == (ev.PolicyLoaded(5.0, policy),)


def test_a_grace_does_not_run_out_while_the_daemon_does_not_run() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(2.0)
    restart(world, gap=30.0)
    world.publish("alice")
    world.run(3.0)
    assert on_air(world) == "alice"


def test_one_who_stalled_does_not_lose_the_turn_while_the_daemon_does_not_run() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0, turn=600.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(3.0)
    world.ingest.frozen.clear()
    restart(world, gap=30.0)
    world.run(8.0)
    assert on_air(world) == "alice"


def test_a_poor_bitrate_does_not_grow_older_while_the_daemon_does_not_run() -> None:
    world = channel("alice", "bob", low_bitrate_kick=20.0, turn=600.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.kbps[session.id] = 100.0
    world.run(3.0)
    restart(world, gap=60.0)
    world.ingest.kbps[session.id] = 3000.0
    world.run(15.0)
    assert on_air(world) == "alice"


@pytest.mark.parametrize("slate", ["", "SLATE"])
def test_the_one_input_is_tried_to_the_end_though_its_still_picture_is_to_be_hidden(slate: str) -> None:
    world = channel("alice", mode="static", slate=slate)
    lost = world.ingest.of("alice")
    assert lost is not None
    world.ingest.lost.add(lost.id)
    world.run(2.0, step=0.25)
    world.run_until(lambda: on_air(world) == "alice" and world.ingest.of("alice") != lost, 90.0, step=0.25)
    outcomes = [fact.outcome for fact in world.told if isinstance(fact, facts.HandoverEnded)]
    assert outcomes.count("not_ready") == 2, "after two tries to the end she is kicked to publish anew"
    assert "superseded" not in outcomes


def test_static_a_picture_that_moves_stays_on_air_although_nobody_can_be_named_for_it() -> None:
    world = channel("alice", "bob", mode="static", slate="SLATE", turn=600.0)
    world.unpublish("alice")
    world.run_until(lambda: on_air(world) == "bob", 3.0)
    world.publish("alice")
    for _ in ("hers", "his again"):
        until(world, cmd.RestartInput)
        world.carry_out("timeout")
        world.deliver()
    world.run(0.5)
    assert not world.obs.slates
    assert [item.name for item in world.obs.shown] == [STATIC]


def test_static_the_slate_stands_in_for_a_stream_that_the_one_input_opens_in_vain() -> None:
    world = channel("alice", mode="static", slate="SLATE", turn=600.0)
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: world.obs.slates == {"SLATE"}, 1.75)
    world.ingest.frozen.clear()
    world.run_until(lambda: on_air(world) == "bob", 2.0)
