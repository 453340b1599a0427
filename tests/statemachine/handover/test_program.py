"""What viewers get: studio mode and other scenes, what is told of them, and that nothing they see is removed."""

from dataclasses import replace

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.handover.states import State
from statemachine.policy import Policy
from statemachine.reading import ProgramReading
from tests.statemachine.model_program import BREAK, NESTING, OURS
from tests.statemachine.world import World


def channel(policy: Policy | None = None) -> World:
    """Alice is on air, Bob stands by."""
    world = World(policy or Policy(turn=60.0))
    world.obs_ready()
    world.publish("alice")
    world.publish("bob")
    world.run_until(lambda: not world.amiss(), 10.0)
    world.run(5.0)
    return world


def on_air(world: World) -> str:
    view = world.director.view(world.now).on_air
    return view.streamer if view else ""


def seen(world: World) -> set[str]:
    """Whose pictures viewers see."""
    sessions = [world.obs.items[name].session for name in world.obs.program.shows]
    return {session.streamer for session in sessions if session}


def told(world: World, kind: type[facts.Fact]) -> list[facts.Fact]:
    return [fact for fact in world.told if isinstance(fact, kind)]


def asked(world: World, kind: type[cmd.Command]) -> int:
    return sum(isinstance(command, kind) for _, commands in world.trace for command in commands)


@pytest.mark.parametrize("duplicates", [True, False])
@pytest.mark.parametrize("policy", ["leave", "drive"])
def test_a_skip_in_studio_mode_reaches_viewers(policy: str, duplicates: bool) -> None:
    world = channel(Policy(studio_mode=policy, turn=600.0))
    world.obs.program.duplicates = duplicates
    world.obs.program.switch_studio_mode(True)
    for streamer in ("bob", "alice", "bob"):
        world.feed(ev.SkipRequested(world.now))
        world.run_until(lambda streamer=streamer: seen(world) == {streamer}, 5.0)  # type: ignore[misc]  # bound as it is now
        world.run_until(lambda: not world.amiss(), 20.0)
    assert world.obs.program.studio_mode is (policy == "drive")
    assert world.director.view(world.now).program.shown is True


def test_studio_mode_that_is_on_at_the_start_is_left_before_anything_else() -> None:
    world = World(Policy(slate="SLATE"))
    world.obs.program.switch_studio_mode(True)
    world.obs_ready()
    first = next(command for _, commands in world.trace for command in commands)
    assert isinstance(first, cmd.LeaveStudioMode)
    world.run(3.0)
    assert not world.obs.program.studio_mode
    assert [fact.on for fact in told(world, facts.StudioModeChanged)] == [True, False]  # type: ignore[attr-defined]  # told() gives that kind alone


def test_held_nobody_is_cut_to_until_studio_mode_is_off_and_the_next_one_is_ready_by_then() -> None:
    world = channel(Policy(studio_mode="hold", turn=600.0))
    world.obs.program.switch_studio_mode(True)
    world.run(3.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(30.0)
    assert (on_air(world), seen(world)) == ("alice", {"alice"})
    view = world.director.view(world.now)
    assert view.program.barred
    assert view.standby is not None
    assert (view.standby.streamer, view.standby.ready) == ("bob", True)
    world.obs.program.switch_studio_mode(False)
    world.run_until(lambda: seen(world) == {"bob"}, 3.0)


def test_held_the_one_on_air_that_ends_stays_for_the_slate_too_is_a_change() -> None:
    world = channel(Policy(studio_mode="hold", slate="SLATE", reconnect_grace=0.0))
    world.obs.program.switch_studio_mode(True)
    world.run(3.0)
    world.unpublish("alice")
    world.unpublish("bob")
    world.run(20.0)
    assert world.obs.program.shows
    world.obs.program.switch_studio_mode(False)
    world.run_until(lambda: world.obs.slates == {"SLATE"} and not world.obs.program.shows, 5.0)


def test_an_outgoing_that_viewers_still_see_is_not_removed_and_goes_as_soon_as_they_do_not() -> None:
    world = channel(Policy(studio_mode="hold", turn=600.0, removal_tries=2))
    outgoing = world.director.view(world.now).program.input
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    # Between the cut and the removal: a copy is shown that was made before the cut.
    world.obs.program.studio_mode = True
    world.obs.program._copy = {str(outgoing)}
    world.run(30.0)
    assert outgoing in world.obs.items, "removed under the viewers' eyes"
    assert told(world, facts.OrphanReported)
    assert world.director.view(world.now).program.shown is False
    world.obs.program.switch_studio_mode(False)
    world.run_until(lambda: outgoing not in world.obs.items, 320.0, step=1.0)


@pytest.mark.parametrize(("policy", "stands"), [("follow", True), ("warn", False)])
def test_another_scene_is_told_once_with_its_end_and_the_clock_of_the_turn_has_its_policy(
    policy: str, stands: bool
) -> None:
    world = channel(Policy(turn=40.0, program=policy))
    before = world.director.view(world.now).on_air
    assert before is not None
    assert before.remaining is not None
    world.obs.program.transition(BREAK)
    world.run(20.0)
    program = world.director.view(world.now).program
    assert (program.scene, program.shown) == (BREAK, False)
    (elsewhere,) = told(world, facts.ProgramElsewhere)
    assert isinstance(elsewhere, facts.ProgramElsewhere)
    assert (elsewhere.scene, elsewhere.streamer, elsewhere.clock_stands) == (BREAK, "alice", stands)
    after = world.director.view(world.now).on_air
    assert after is not None
    assert after.remaining is not None
    passed = before.remaining - after.remaining
    assert passed == pytest.approx(2.0 if stands else 20.0, abs=2.0)
    world.run(30.0)
    assert on_air(world) == ("alice" if stands else "bob")
    world.obs.program.transition(OURS)
    world.run(3.0)
    assert world.director.view(world.now).program.shown is True
    assert len(told(world, facts.ProgramBack)) == len(told(world, facts.ProgramElsewhere)) == 1
    world.run_until(lambda: on_air(world) == ("bob" if stands else "alice"), 60.0)


def test_a_turn_s_stand_is_kept_over_a_restart_of_the_daemon() -> None:
    world = channel(Policy(turn=40.0))
    world.obs.program.transition(BREAK)
    world.run(60.0)
    world.crash()
    world.obs_ready()
    world.run(5.0)
    assert on_air(world) == "alice"
    assert world.director.view(world.now).program.shown is False


@pytest.mark.parametrize("gap", [1.0, 60.0])
def test_how_long_viewers_saw_another_scene_is_told_over_a_restart_too(gap: float) -> None:
    world = channel(Policy(turn=600.0))
    began = world.now
    world.obs.program.transition(BREAK)
    world.run(60.0)
    world.crash(gap)
    world.obs.program.transition(OURS)
    world.obs_ready()
    world.run(3.0)
    (back,) = told(world, facts.ProgramBack)
    assert isinstance(back, facts.ProgramBack)
    assert back.seconds == pytest.approx(back.at - began, abs=3.0)


def test_our_scene_within_the_one_that_is_shown_counts_as_shown() -> None:
    world = channel(Policy(studio_mode="drive", turn=600.0))
    world.obs.program.transition(NESTING)
    world.obs.program.switch_studio_mode(True)
    world.run(3.0)
    program = world.director.view(world.now).program
    assert (program.scene, program.shown) == (NESTING, True)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: seen(world) == {"bob"}, 5.0)
    assert not told(world, facts.ProgramElsewhere)
    assert asked(world, cmd.BringToProgram) == 0


def test_behind_another_scene_the_show_goes_on_and_is_there_when_viewers_come_back() -> None:
    world = channel(Policy(studio_mode="drive", turn=600.0))
    world.obs.program.transition(BREAK)
    world.run(3.0)
    world.unpublish("alice")
    world.run(20.0)
    assert on_air(world) == "bob"
    assert world.obs.program.scene == BREAK, "the operator's scene was taken off"
    world.obs.program.transition(OURS)
    world.run(3.0)
    assert seen(world) == {"bob"}


def test_driven_what_is_done_to_the_scene_outside_a_cut_is_brought_to_viewers_too() -> None:
    world = channel(Policy(studio_mode="drive", turn=600.0))
    world.obs.program.switch_studio_mode(True)
    name = str(world.director.view(world.now).program.input)
    world.obs.items[name].shown, world.obs.items[name].astray = False, True
    world.obs.program.transition(OURS)
    assert not world.obs.program.shows
    world.run(5.0)
    assert seen(world) == {"alice"}


def test_while_studio_mode_s_transition_runs_no_second_one_is_begun_for_what_leaves_in_it() -> None:
    world = channel(Policy(studio_mode="drive", turn=600.0))
    world.obs.program.switch_studio_mode(True)
    world.run(3.0)
    name = str(world.director.view(world.now).program.input)
    both = ProgramReading(
        OURS, studio_mode=True, live=False, copied=True, inputs=("GMOTHERSTREAM_99", name), moving=True
    )
    world.feed(ev.InventoryRead(world.now, replace(world.obs.inventory(), program=both)))
    assert asked(world, cmd.BringToProgram) == 0
    rest = replace(both, moving=False)
    # OBS tells the end of a stinger before it lets go of what has left in it: a second one would be seen for nothing.
    world.feed(ev.InventoryRead(world.now, replace(world.obs.inventory(), program=rest)))
    assert asked(world, cmd.BringToProgram) == 0
    world.advance(1.0)
    world.feed(ev.InventoryRead(world.now, replace(world.obs.inventory(), program=rest)))
    assert asked(world, cmd.BringToProgram) == 1


def test_a_transition_between_two_scenes_is_no_news() -> None:
    world = channel(Policy(turn=600.0))
    world.obs.program.transition(BREAK)
    world.read_inventory()
    world.advance(0.3)
    world.obs.program.transition(OURS)
    world.read_inventory()
    world.run(5.0)
    assert not told(world, facts.ProgramElsewhere)
    assert not told(world, facts.ProgramBack)


def test_a_snapshot_without_a_word_of_the_program_still_loads() -> None:
    world = channel()
    plain = world.director.snapshot()
    del plain["viewers"]
    for entry in plain["lineup"]["entries"]:
        del entry["turn_paused"]
    for policy in (plain["base"],):
        del policy["studio_mode"], policy["program"]
    director = Director.restore(plain)
    assert director.view(world.now).program.shown is None
    assert director.switchover.state is not State.RECOVERING
