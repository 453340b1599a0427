"""Cases of mode static with a slate, where OBS does not do as it is told: each under the name of what it broke."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.model_obs import STATIC
from tests.statemachine.test_regressions_modes import until
from tests.statemachine.world import World


def static_channel(*streamers: str) -> World:
    return channel(*streamers, mode="static", slate="SLATE", turn=600.0)


def freeze(world: World, streamer: str) -> None:
    session = world.ingest.of(streamer)
    assert session is not None
    world.ingest.frozen.add(session.id)


def run(world: World, seconds: float, outcome: Callable[[cmd.Command], str]) -> None:
    """As ``World.run``, but what becomes of each command is said by ``outcome``; "" for done."""
    end = world.now + seconds
    while world.now < end:
        world.advance(0.1)
        _work_off(world, outcome)
        world.look()
        _work_off(world, outcome)


def _work_off(world: World, outcome: Callable[[cmd.Command], str]) -> None:
    for _ in range(200):
        if world.lane:
            world.carry_out(outcome(world.lane[0]) or "done")
        elif world.answers:
            world.deliver()
        else:
            return
    raise AssertionError("the commands never end")


def to_the_slate(command: cmd.Command) -> bool:
    return isinstance(command, cmd.Cut) and command.incoming is None


@pytest.mark.parametrize("outcome", ["refused", "timeout"])
def test_a_slate_that_cannot_be_shown_does_not_cut_each_try_short(outcome: str) -> None:
    world = static_channel("alice", "bob")
    freeze(world, "bob")
    world.feed(ev.SkipRequested(world.now))
    run(world, 20.0, lambda command: outcome if to_the_slate(command) else "")
    assert on_air(world) == "alice"
    outcomes = [fact.outcome for fact in world.told if isinstance(fact, facts.HandoverEnded)]
    assert outcomes.count("superseded") == 2
    assert outcomes.count("not_ready") == 1


@pytest.mark.parametrize("streamers", [("alice",), ("alice", "bob")])
def test_a_restart_that_failed_does_not_make_a_still_picture_move(streamers: tuple[str, ...]) -> None:
    world = static_channel(*streamers)
    freeze(world, "alice")
    refused: list[cmd.Command] = []

    def outcome(command: cmd.Command) -> str:
        if to_the_slate(command) and not refused:
            refused.append(command)
            return "refused"
        return "timeout" if isinstance(command, cmd.RestartInput) else ""

    run(world, 2.5, outcome)
    assert refused
    assert world.obs.slates == {"SLATE"}


def test_one_cut_to_the_slate_that_fails_is_made_again_within_two_seconds() -> None:
    world = static_channel("alice", "bob")
    freeze(world, "bob")
    world.feed(ev.SkipRequested(world.now))
    run(world, 2.5, first(1, to_the_slate, "refused"))
    assert world.obs.slates == {"SLATE"}


def first(times: int, which: Callable[[cmd.Command], bool], outcome: str) -> Callable[[cmd.Command], str]:
    """The first so many of these fail."""
    failed: list[cmd.Command] = []

    def told(command: cmd.Command) -> str:
        if not which(command) or len(failed) >= times:
            return ""
        failed.append(command)
        return outcome

    return told


def to_a_picture(command: cmd.Command) -> bool:
    return isinstance(command, cmd.Cut) and command.incoming is not None


@pytest.mark.parametrize("outcome", ["refused", "timeout"])
@pytest.mark.parametrize("slate", ["", "SLATE"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_proven_picture_whose_cuts_fail_is_not_taken_off(outcome: str, slate: str, times: int) -> None:
    world = channel("alice", "bob", mode="static", slate=slate, turn=600.0)
    world.unpublish("alice")
    run(world, 20.0, first(times, to_a_picture, outcome))
    assert on_air(world) == "bob"
    assert not [command for _, commands in world.trace for command in commands if to_the_slate(command)]


@pytest.mark.parametrize("leaves", ["removed", "ended"])
def test_a_proven_picture_that_bears_no_name_goes_with_its_streamer(leaves: str) -> None:
    world = static_channel("alice", "bob")
    world.unpublish("alice")
    run(world, 1.0, first(1, to_a_picture, "refused"))
    assert (on_air(world), world.obs.slates) == ("", set())
    if leaves == "removed":
        world.feed(ev.RemoveRequested(world.now, "bob"))
    else:
        world.unpublish("bob")
    world.run_until(lambda: world.obs.slates == {"SLATE"}, 1.0)


def test_a_picture_that_is_proven_while_the_scene_is_barred_does_not_stall() -> None:
    world = channel("alice", "bob", mode="static", slate="SLATE", turn=600.0, studio_mode="hold")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.WatchInput)
    world.obs.program.studio_mode = True
    world.read_inventory()
    world.run(3.0)
    assert world.director.switchover.scene.barred
    program = world.director.switchover.program
    assert program is not None
    assert (program.still_since, program.stalled_since) == (None, None)


def test_an_input_that_reports_an_error_while_it_is_tried_fails_the_try_at_once() -> None:
    world = static_channel("alice", "bob")
    freeze(world, "bob")
    world.feed(ev.SkipRequested(world.now))
    until(world, cmd.WatchInput)
    world.carry_out()
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.feed(ev.MediaFailed(world.now, attempt.number, "it reports an error", "error"))
    outcomes = [fact.outcome for fact in world.told if isinstance(fact, facts.HandoverEnded)]
    assert outcomes[-1] == "media_failed"


def test_the_slate_waits_no_longer_where_one_after_the_other_is_opened_in_vain() -> None:
    names = [f"s{number}" for number in range(6)]
    world = static_channel("alice", *names)
    for name in names:
        freeze(world, name)
    world.feed(ev.SkipRequested(world.now))
    began = world.now
    for name in names:
        world.run(0.45, step=0.05)
        world.unpublish(name)
        if world.obs.slates:
            break
    assert world.obs.slates == {"SLATE"}
    assert world.now - began <= 2.0


@pytest.mark.parametrize("done", [True, False])
def test_a_crash_that_forgets_a_try_leaves_nobody_under_another_s_name(done: bool) -> None:
    """What was journaled last may not have reached the disk, and its restart of the one input may be done."""
    world = channel("alice", "bob", mode="static", slate="SLATE", turn=20.0)
    world.kept = deque([world.director.snapshot()], maxlen=4)
    while not world.lane:
        world.advance(0.25)
    assert isinstance(world.lane[0], cmd.RestartInput)
    if done:
        world.carry_out("lost")
    world.crash(forgotten=1)
    world.obs_ready()
    assert on_air(world) == ("" if done else "alice"), "who is tried is not named before a picture of it is seen"
    world.run_until(lambda: on_air(world) == "bob", 2.0)


@pytest.mark.parametrize("slate", ["", "SLATE"])
def test_one_who_was_removed_while_obs_was_away_does_not_come_on_air_with_it(slate: str) -> None:
    world = channel("alice", "bob", mode="static", slate=slate, turn=600.0)
    freeze(world, "bob")
    world.feed(ev.SkipRequested(world.now))
    world.run(2.0)
    assert world.obs.items[STATIC].session == world.ingest.of("bob")
    world.ingest.frozen.clear()
    world.obs_lost()
    for streamer in ("alice", "bob"):
        world.feed(ev.RemoveRequested(world.now, streamer))
    world.obs_ready()
    world.run(5.0)
    assert world.director.switchover.program is None
    assert (world.obs.items[STATIC].shown, world.obs.slates) == (False, {slate} - {""})


def test_one_of_a_virtual_host_that_nobody_knows_by_now_keeps_the_name_of_what_is_played() -> None:
    world = World(Policy(mode="static"))
    world.obs_ready()
    session = replace(world.ingest.new_session("alice"), space="a.example")
    world.ingest.live[session.id] = session
    world.feed(ev.Published(world.now, session))
    world.run_until(lambda: on_air(world) == "alice", 5.0)
    world.obs_lost()
    world.obs_ready()
    assert on_air(world) == "alice"
