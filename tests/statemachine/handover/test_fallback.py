"""A plugin that is there and of no use: OBS's own media source takes its place once it is shown to play."""

import pytest

from statemachine import events as ev
from statemachine import facts
from statemachine.policy import CHOICES, Policy
from tests.statemachine.handover.test_handover import channel, on_air, standby
from tests.statemachine.monitors.test_streams import made
from tests.statemachine.world import World


def plugin_there(*streamers: str, works: bool = False) -> World:
    """An OBS that has the plugin; whatever the plugin makes fails, unless it works."""
    world = World()
    world.obs.up = True
    world.feed(ev.ObsReady(world.now, ev.Inventory(), fallback=True))
    for streamer in streamers:
        world.publish(streamer)
    evening(world, 1.0, works=works)
    return world


def evening(world: World, seconds: float, *, works: bool) -> None:
    """Time goes by. An input of the plugin's that does not work ends in an error."""
    for _ in range(round(seconds * 10)):
        attempt = world.director.switchover.attempt
        frozen = attempt is not None and attempt.target is not None and not attempt.plain and not works
        if attempt is not None and attempt.target is not None:
            (world.ingest.frozen.add if frozen else world.ingest.frozen.discard)(attempt.target.id)
        world.run(0.1)
        attempt = world.director.switchover.attempt
        if frozen and attempt is not None and attempt.deadline is not None and not attempt.plain:
            world.feed(ev.MediaFailed(world.now, attempt.number, "its media state is OBS_MEDIA_STATE_ERROR"))


def told(world: World, kind: type[facts.Fact]) -> int:
    return len([fact for fact in world.told if isinstance(fact, kind)])


def test_a_plugin_that_never_showed_a_picture_is_replaced_after_its_first_failure_and_told_once() -> None:
    world = plugin_there("alice", "bob")
    evening(world, 4.0, works=False)
    assert on_air(world) == "alice"
    evening(world, 60.0, works=False)
    assert (on_air(world), standby(world)) == ("alice", "bob")
    assert [create.plain for create in made(world)][:2] == [False, True]
    assert told(world, facts.PluginFailed) == 1
    assert told(world, facts.ProblemFound) == 0, "nothing is wrong with the streams"
    assert world.director.view(world.now).fallen_back


def test_one_that_worked_before_is_replaced_only_after_two_failures_in_a_row() -> None:
    world = plugin_there("alice", works=True)
    assert on_air(world) == "alice"
    world.publish("bob")
    evening(world, 0.5, works=False)
    assert told(world, facts.PluginFailed) == 0
    evening(world, 12.0, works=False)
    assert standby(world) == "bob"
    assert [create.plain for create in made(world)] == [False, False, False, True]


def test_a_stream_that_neither_of_the_two_plays_replaces_nothing() -> None:
    world = plugin_there("alice", works=True)
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.run(300.0, step=0.5)
    assert told(world, facts.PluginFailed) == 0
    world.unpublish("bob")
    world.publish("carol")
    evening(world, 5.0, works=True)
    assert made(world)[-1].plain is False


def test_the_plugin_is_tried_again_after_a_while_and_when_obs_comes_back() -> None:
    world = plugin_there("alice", "bob")
    evening(world, 4.0, works=False)
    assert world.director.view(world.now).fallen_back
    world.run(601.0, step=1.0)
    world.feed(ev.SkipRequested(world.now))
    evening(world, 6.0, works=True)
    world.feed(ev.SkipRequested(world.now))
    evening(world, 6.0, works=True)
    assert told(world, facts.PluginWorks) == 1
    assert not world.director.view(world.now).fallen_back


def test_without_a_choice_of_kinds_there_is_no_other_way() -> None:
    world = channel("alice")
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.run(300.0, step=0.5)
    assert not any(create.plain for create in made(world))


def test_enhanced_rtmp_is_left_to_obs_own_media_source_where_there_is_a_choice() -> None:
    world = plugin_there("alice", works=True)
    session = world.publish("bob")
    world.feed(ev.StreamDescribed(world.now, session.id, ev.Tracks("hevc", "aac")))
    evening(world, 8.0, works=False)
    assert [create.plain for create in made(world) if create.session == session] == [False, True]
    assert standby(world) == "bob"
    assert told(world, facts.PluginFailed) == 0


def test_a_picture_of_another_stream_proves_nothing_against_the_plugin() -> None:
    world = plugin_there("alice", works=True)
    world.obs_lost()
    world.obs.up = True
    world.feed(ev.ObsReady(world.now, world.obs.inventory(), fallback=True))
    broken = world.publish("bob")
    world.ingest.frozen.add(broken.id)
    world.run(1.0)
    attempt = world.director.switchover.attempt
    assert attempt is not None
    assert attempt.target == broken
    world.feed(ev.MediaFailed(world.now, attempt.number, "its media state is OBS_MEDIA_STATE_ERROR"))
    world.unpublish("bob")
    world.publish("carol")
    world.run(5.0)
    assert standby(world) == "carol"
    assert told(world, facts.PluginFailed) == 0


@pytest.mark.parametrize("mode", CHOICES["mode"])
def test_in_no_mode_a_stream_that_fails_at_once_is_tried_without_a_pause(mode: str) -> None:
    world = World(Policy(mode=mode))
    world.obs.up = True
    world.feed(ev.ObsReady(world.now, ev.Inventory(), fallback=True))
    session = world.publish("alice")
    world.ingest.frozen.add(session.id)
    failures = 0
    for _ in range(300):
        world.run(0.2)
        attempt = world.director.switchover.attempt
        if attempt is not None and attempt.opened_at is not None and not attempt.outcome:
            world.feed(ev.MediaFailed(world.now, attempt.number, "its media state is OBS_MEDIA_STATE_ERROR"))
            failures += 1
    # A minute: after 0, 5, 15 and 35 seconds, each time by two ways at most.
    assert failures <= 8
