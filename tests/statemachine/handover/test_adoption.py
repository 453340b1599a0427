"""After a restart, a crash, a lost connection or somebody's hand: what OBS shows is carried on with."""

from dataclasses import replace

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.states import State
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air, reasons, standby
from tests.statemachine.model_obs import Item
from tests.statemachine.world import World

FIRST, SECOND = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def shown(world: World) -> list[str]:
    return [item.name for item in world.obs.shown]


def changed(world: World) -> list[str]:
    """Names that commands showed or hid."""
    return [
        c.incoming or ""
        for _, commands in world.trace
        for c in commands
        if isinstance(c, cmd.Cut | cmd.RestoreOutgoing)
    ]


# --- the daemon was restarted -------------------------------------------------------------------------------------


def test_a_restart_carries_on_without_touching_the_picture() -> None:
    world = channel("alice", "bob")
    before = world.director.view(world.now)
    world.trace.clear()
    world.crash(gap=2.0)
    world.obs_ready()
    world.run(5.0)
    after = world.director.view(world.now)
    assert before.on_air is not None
    assert after.on_air is not None
    assert (after.on_air.input, after.on_air.since) == (before.on_air.input, before.on_air.since)
    assert shown(world) == [FIRST]
    assert changed(world) == []


@pytest.mark.parametrize("hidden", [False, True])
def test_an_input_that_took_a_name_that_a_crash_forgot_is_not_the_one_that_bore_it(hidden: bool) -> None:
    world = channel("alice", "bob")
    bob = world.ingest.of("bob")
    assert bob is not None
    world.crash()
    world.obs.items[FIRST] = Item(FIRST, bob, shown=not hidden)
    world.obs.remove(SECOND)
    world.obs_ready()
    assert on_air(world) == ("" if hidden else "bob")


def test_one_that_is_over_keeps_its_name_where_nobody_can_tell_what_its_input_plays() -> None:
    """How to play it is forgotten with it; it is told apart by nothing but its input's name."""
    world = channel("alice")
    world.obs_lost()
    world.unpublish("alice")
    first = replace(world.obs.inventory().inputs[0], stream="elsewhere/alice")
    world.feed(ev.ObsReady(world.now, ev.Inventory((first,))))
    program = world.director.switchover.program
    assert program is not None
    assert program.session is not None
    assert program.session.streamer == "alice"


def test_the_turns_clock_goes_on_over_a_restart() -> None:
    world = channel("alice", "bob", turn=60.0)
    before = world.director.view(world.now).on_air
    world.crash(gap=2.0)
    world.obs_ready()
    after = world.director.view(world.now).on_air
    assert before is not None
    assert after is not None
    assert before.remaining is not None
    assert after.remaining == pytest.approx(before.remaining - 2.0)


def test_the_standby_of_before_is_swept_and_made_anew() -> None:
    world = channel("alice", "bob")
    world.crash()
    world.obs_ready()
    world.run(3.0)
    assert [item.name for item in world.obs.own] == [FIRST, "GMOTHERSTREAM_3"]
    assert standby(world) == "bob"


def test_an_adopted_input_is_watched_again() -> None:
    world = channel("alice", "bob")
    world.crash()
    world.obs_ready()
    assert cmd.WatchOnAir(FIRST) in world.lane
    world.run(3.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(3.0)
    assert on_air(world) == "bob"


def test_a_failure_that_the_new_watch_tells_of_counts_for_the_adopted_input() -> None:
    world = channel("alice", "bob")
    world.crash()
    world.obs_ready()
    world.run(3.0)
    world.feed(ev.MediaFailed(world.now, 0, "the pipeline failed"))
    world.settle()
    assert on_air(world) == "bob"


def test_one_who_left_while_nobody_looked_is_replaced_when_the_server_says_so_twice() -> None:
    world = channel("alice", "bob", reconnect_grace=2.0)
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.end(session.id)
    world.crash(gap=5.0)
    world.obs_ready()
    world.run(9.0)
    assert on_air(world) == "bob"


def test_one_whose_grace_ran_while_the_daemon_did_not_may_still_return() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(1.0)
    world.crash(gap=60.0)
    world.obs_ready()
    world.run(2.0)
    world.publish("alice")
    world.run(4.0)
    assert on_air(world) == "alice"
    assert world.director.view(world.now).queue[0].has_turn


def test_a_kick_outlives_a_restart() -> None:
    world = channel("alice", "bob")
    world.feed(ev.KickRequested(world.now, "bob", 60.0))
    world.crash(gap=2.0)
    assert world.director.admits("bob", world.now) is not None
    assert world.director.admits("bob", world.now + 60.0) is None


def test_a_hold_and_what_was_set_live_outlive_a_restart() -> None:
    world = channel("alice", "bob")
    world.feed(ev.Held(world.now))
    world.feed(ev.SettingChanged(world.now, "z_offset", 2))
    world.crash()
    world.feed(ev.PolicyLoaded(world.now, Policy()))
    assert world.director.view(world.now).held
    assert world.director.policy.z_offset == 2


# --- a cut was interrupted ----------------------------------------------------------------------------------------


def test_an_incoming_that_is_shown_after_an_interrupted_cut_is_adopted() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("lost")
    world.crash()
    world.obs_ready()
    world.run(3.0)
    assert (on_air(world), shown(world)) == ("bob", [SECOND])
    assert world.director.view(world.now).queue[0].has_turn


def test_an_incoming_that_is_not_shown_after_an_interrupted_cut_is_tried_again() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.crash()
    world.obs_ready()
    assert on_air(world) == "alice"
    world.run(4.0)
    assert (on_air(world), shown(world)) == ("bob", ["GMOTHERSTREAM_3"])


def test_of_two_that_are_shown_after_an_interrupted_fade_the_incoming_is_kept() -> None:
    world = channel("alice", "bob", fade=1.0)
    world.feed(ev.SkipRequested(world.now))
    world.obs.items[SECOND].shown = world.obs.items[SECOND].astray = True
    world.obs_lost()
    world.obs_ready()
    assert cmd.HideInput(FIRST) in world.lane
    world.run(3.0)
    assert (on_air(world), shown(world)) == ("bob", [SECOND])


def test_a_cut_that_failed_and_was_not_put_right_before_obs_was_lost_is_judged_by_what_is_shown() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("lied")
    world.deliver()
    world.obs_lost()
    world.obs_ready()
    assert (on_air(world), shown(world)) == ("bob", [SECOND])
    world.calm()


def test_a_program_that_was_just_being_emptied_is_not_shown_again() -> None:
    world = channel("alice")
    world.feed(ev.RemoveRequested(world.now, "alice"))
    world.carry_out("lost")
    world.obs_lost()
    world.obs_ready()
    assert not any(isinstance(command, cmd.ShowInput) for command in world.lane)
    world.calm()
    assert world.obs.own == []


# --- OBS came back ------------------------------------------------------------------------------------------------


def test_obs_restarted_empty_is_filled_anew() -> None:
    world = channel("alice", "bob")
    world.obs_lost()
    for name in (FIRST, SECOND):
        del world.obs.items[name]
    world.obs_ready()
    assert world.run_until(lambda: on_air(world) == "alice", 1.0) < 0.5
    assert shown(world) == ["GMOTHERSTREAM_3"]
    assert world.director.view(world.now).queue[0].has_turn


def test_obs_restarted_with_leftovers_is_swept() -> None:
    world = channel("alice", "bob")
    world.obs_lost()
    world.obs.execute(cmd.CreateInput(0, "GMOTHERSTREAM_77", ev.Session("x", "x", "live", "x")), 0.0)
    world.obs_ready()
    world.run(5.0)
    assert [item.name for item in world.obs.own] == [FIRST, "GMOTHERSTREAM_78"]


def test_obs_restarted_with_the_program_hidden_shows_it_again_at_once() -> None:
    world = channel("alice", "bob")
    world.obs_lost()
    world.obs.items[FIRST].shown = False
    world.obs_ready()
    assert list(world.lane)[:2] == [cmd.WatchOnAir(FIRST), cmd.ShowInput(FIRST)]
    world.settle()
    assert (on_air(world), shown(world)) == ("alice", [FIRST])


def test_a_hidden_program_whose_stream_is_gone_is_swept_and_not_shown() -> None:
    world = channel("alice", reconnect_grace=0.0)
    world.obs_lost()
    world.obs.items[FIRST].shown = False
    world.unpublish("alice")
    world.obs_ready()
    world.run(2.0)
    assert (world.obs.own, shown(world)) == ([], [])


def test_what_happened_while_obs_was_away_counts_when_it_is_back() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=2.0)
    world.obs_lost()
    world.unpublish("alice")
    world.advance(5.0)
    world.feed(ev.MoveRequested(world.now, "carol", 0))
    world.obs_ready()
    world.run(3.0)
    assert on_air(world) == "carol"


@pytest.mark.parametrize("state", ["CREATING", "BUFFERING", "STANDBY", "SWAPPING", "CLEANUP"])
def test_obs_lost_in_any_state_comes_right_again(state: str) -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.SkipRequested(world.now))
    for _ in range(100):
        if world.director.view(world.now).state.value == state:
            break
        if world.lane:
            world.carry_out()
        elif world.answers:
            world.deliver()
        else:
            world.advance(0.3)
            world.look()
    assert world.director.view(world.now).state.value == state
    world.obs_lost()
    assert world.director.view(world.now).state is State.RECOVERING
    world.advance(60.0)
    assert not world.lane
    world.obs_ready()
    began = world.now
    world.calm()
    assert world.now - began < 20.0


# --- somebody's hand ----------------------------------------------------------------------------------------------


def touch(world: World, name: str, what: str) -> None:
    if what == "remove":
        del world.obs.items[name]
    else:
        world.obs.items[name].shown, world.obs.items[name].astray = what == "show", True
    world.advance(0.1)
    world.read_inventory()


def test_an_input_that_was_hidden_by_hand_is_shown_again() -> None:
    world = channel("alice", "bob")
    touch(world, FIRST, "hide")
    assert list(world.lane) == [cmd.ShowInput(FIRST)]
    world.settle()
    assert shown(world) == [FIRST]


def test_an_input_that_was_removed_by_hand_is_made_anew_and_said() -> None:
    world = channel("alice")
    touch(world, FIRST, "remove")
    assert facts.OnAirChanged(world.now, "", "") in world.told
    world.run(2.0)
    assert (on_air(world), shown(world)) == ("alice", [SECOND])
    assert reasons(world) == ["lost"]


def test_while_it_is_made_anew_the_standby_is_shown() -> None:
    world = channel("alice", "bob")
    touch(world, FIRST, "remove")
    world.settle()
    assert shown(world) == [SECOND]
    world.run(4.0)
    assert on_air(world) == "alice"


def test_held_somebodys_hand_is_respected_until_released() -> None:
    for what in ("hide", "remove"):
        world = channel("alice", "bob")
        world.feed(ev.Held(world.now))
        touch(world, FIRST, what)
        world.run(5.0)
        assert shown(world) == []
        world.feed(ev.Released(world.now))
        world.run(5.0)
        assert on_air(world) == "alice"
        assert len(shown(world)) == 1


def test_a_standby_that_was_shown_by_hand_is_hidden_again() -> None:
    world = channel("alice", "bob")
    touch(world, SECOND, "show")
    assert list(world.lane) == [cmd.HideInput(SECOND)]
    world.settle()
    assert shown(world) == [FIRST]


def test_a_standby_that_was_removed_by_hand_is_made_anew() -> None:
    world = channel("alice", "bob")
    touch(world, SECOND, "remove")
    world.run(8.0)
    assert standby(world) == "bob"
    assert not world.amiss()


def test_an_input_of_ours_that_nobody_asked_for_is_swept() -> None:
    world = channel("alice")
    world.obs.execute(cmd.CreateInput(0, "GMOTHERSTREAM_50", ev.Session("x", "x", "live", "x")), 0.0)
    touch(world, "GMOTHERSTREAM_50", "show")
    world.settle()
    assert [item.name for item in world.obs.own] == [FIRST]
    world.publish("bob")
    world.run(3.0)
    assert [item.name for item in world.obs.own] == [FIRST, "GMOTHERSTREAM_51"]


def test_a_reading_that_was_begun_before_the_last_cut_does_not_count() -> None:
    world = channel("alice", "bob")
    stale = ev.InventoryRead(world.now, world.obs.inventory())
    world.advance(0.1)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    assert world.feed(stale) == ()
    assert shown(world) == [SECOND]


def test_a_reading_of_the_connection_before_does_not_count() -> None:
    world = channel("alice", "bob")
    stale = ev.InventoryRead(world.now, ev.Inventory())
    world.advance(1.0)
    world.obs_lost()
    world.obs_ready()
    world.settle()
    world.feed(stale)
    world.settle()
    assert (on_air(world), shown(world)) == ("alice", [FIRST])


def test_a_reading_while_the_cut_is_under_way_leaves_the_scene_alone() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.advance(0.1)
    world.obs.items[SECOND].shown = True
    assert world.feed(ev.InventoryRead(world.now, world.obs.inventory())) == ()
