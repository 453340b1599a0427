"""One who is to go as soon as somebody follows on air, and of whom nothing moves until then."""

from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.model_ingest import UNLISTED
from tests.statemachine.world import World

BUSY = ev.Session(f"{UNLISTED}busy", "bob", "live", "bob")
"""Of a publisher whom the server refused after it had asked."""


def about_to_go() -> World:
    """Alice has had her turn, and nobody follows."""
    world = World(Policy(turn=20.0, after_turn="kick", turn_when_alone=True))
    world.obs_ready()
    world.publish("alice", server=UNLISTED)
    world.run_until(lambda: any(entry.leaves is not None for entry in world.director.lineup), 30.0)
    return world


def shown_anew(world: World, before: str) -> bool:
    return world.obs.shown[0].name != before and world.director.pictures.moves


def test_one_who_is_to_go_and_whose_input_died_is_shown_by_a_fresh_one_as_long_as_nobody_follows() -> None:
    world = about_to_go()
    program = world.director.switchover.program
    assert program is not None
    world.feed(ev.MediaFailed(world.now, program.attempt, "the pipeline failed"))
    world.run_until(lambda: shown_anew(world, program.input), 15.0)
    assert on_air(world) == "alice"


def test_one_who_is_to_go_and_publishes_anew_is_shown_though_nobody_told_of_the_end_before() -> None:
    world = about_to_go()
    before = world.obs.shown[0].name
    for session_id in list(world.ingest.live):
        world.ingest.end(session_id)
    world.publish("alice", server=UNLISTED)
    world.run_until(lambda: shown_anew(world, before), 60.0)
    assert on_air(world) == "alice"


def test_one_who_is_to_go_and_stands_still_goes_where_somebody_can_follow() -> None:
    world = about_to_go()
    session = world.ingest.of("alice")
    assert session is not None
    world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.run_until(lambda: world.ingest.of("alice") is None, 10.0)
    assert on_air(world) == "bob"


def test_one_who_was_taken_to_be_gone_and_comes_back_has_a_reason_for_waiting() -> None:
    world = channel("alice")
    world.feed(ev.Published(world.now, BUSY))
    session = world.publish("bob", server=UNLISTED)
    world.ingest.frozen.add(session.id)
    world.unpublish("bob")
    world.run_until(lambda: world.director.lineup.find("bob") is None, 120.0)
    world.publish("bob")
    entry = world.director.lineup.find("bob")
    assert entry is not None
    assert entry.retry_at is not None
    assert entry.problem is not None


def test_one_of_two_streams_that_a_plugin_does_not_show_is_tried_the_other_way_at_once() -> None:
    world = World(Policy())
    world.fallback = True
    world.obs_ready()
    world.feed(ev.Published(world.now, BUSY))
    world.ingest.frozen.add(world.publish("bob", server=UNLISTED).id)
    world.run_until(lambda: any(entry.failures for entry in world.director.lineup), 60.0)
    assert [entry.retry_at for entry in world.director.lineup] == [None]
