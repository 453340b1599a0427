"""Sessions of which nothing comes, and whose end nobody has told."""

from statemachine import events as ev
from statemachine.monitors.ghosts import GONE_AFTER
from tests.statemachine.handover.test_handover import channel
from tests.statemachine.model_ingest import UNLISTED
from tests.statemachine.world import World


def line(world: World) -> list[str]:
    return [entry.streamer for entry in world.director.lineup]


def nothing_comes(world: World, streamer: str, seconds: float, *, sees: bool = True) -> None:
    session, other = world.ingest.of(streamer), world.ingest.of("alice")
    assert session is not None
    since = world.now
    for _ in range(round(seconds / 5.0)):
        if other is not None and sees:
            world.feed(ev.StreamMeasured(world.now, other.id))
        world.feed(ev.StreamStopped(world.now, session.id, since))
        world.run(5.0, step=1.0)


def with_a_ghost(server: str = UNLISTED) -> World:
    """Bob, behind alice, whose encoder has gone without a word."""
    world = channel("alice", reconnect_grace=5.0)
    session = world.publish("bob", server=server)
    world.run(3.0)
    world.ingest.frozen.add(session.id)
    return world


def test_one_whom_no_list_vouches_for_leaves_after_its_time() -> None:
    world = with_a_ghost()
    nothing_comes(world, "bob", GONE_AFTER - 10.0)
    assert line(world) == ["alice", "bob"]
    nothing_comes(world, "bob", 10.0)
    world.run(20.0)
    assert line(world) == ["alice"]


def test_one_that_comes_again_stays() -> None:
    world = channel("alice", "carol")
    session = world.publish("bob", server=UNLISTED)
    world.run(3.0)
    for _ in range(6):
        nothing_comes(world, "bob", 60.0)
        world.feed(ev.StreamMeasured(world.now, session.id))
        world.run(1.0)
    assert "bob" in line(world)


def test_a_word_that_is_not_repeated_says_nothing() -> None:
    world = with_a_ghost()
    nothing_comes(world, "bob", 10.0)
    world.run(GONE_AFTER + 30.0, step=1.0)
    assert world.director.ghosts.state.stopped == {}


def test_where_the_server_lists_its_publishers_that_is_for_the_list() -> None:
    world = channel("alice", "bob")
    session = world.ingest.of("bob")
    assert session is not None
    for _ in range(30):
        world.list_publishers()
        world.feed(ev.StreamStopped(world.now, session.id, world.now - 200.0))
        world.run(5.0, step=1.0)
    assert "bob" in line(world)


def test_one_whose_picture_moves_on_air_stays() -> None:
    world = channel()
    session = world.publish("bob", server=UNLISTED)
    world.run(3.0)
    world.feed(ev.StreamStopped(world.now, session.id, world.now - 200.0))
    world.run(1.0)
    assert line(world) == ["bob"]


def test_whoever_sees_nothing_of_anybody_is_not_believed() -> None:
    world = channel("alice", "carol", reconnect_grace=5.0)
    world.publish("bob", server=UNLISTED)
    world.run(3.0)
    nothing_comes(world, "bob", GONE_AFTER + 30.0, sees=False)
    assert "bob" in line(world)


def test_one_that_is_ready_to_be_shown_stays() -> None:
    world = channel("alice")
    world.publish("bob", server=UNLISTED)
    world.run(3.0)
    nothing_comes(world, "bob", GONE_AFTER + 30.0)
    assert "bob" in line(world)


def test_a_restart_forgets_what_was_seen_before() -> None:
    world = with_a_ghost()
    nothing_comes(world, "bob", 60.0)
    world.crash(60.0)
    world.obs_ready()
    assert world.director.ghosts.state.stopped == {}
