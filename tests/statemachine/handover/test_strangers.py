"""An own input that is found on air and that nobody remembers: kept while it moves, named once it is known whose."""

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.handover.test_adoption import shown
from tests.statemachine.handover.test_handover import handovers, on_air
from tests.statemachine.world import World


def stranger(stream: str = "live/alice") -> World:
    """A daemon that remembers nothing finds an own input on air."""
    world = World(Policy())
    app, _, name = stream.partition("/")
    session = world.ingest.new_session(name)
    world.ingest.live[session.id] = session
    world.obs.execute(cmd.CreateInput(0, "GMOTHERSTREAM_9", ev.Session("?", "?", app, name)), 0.0)
    world.obs.items["GMOTHERSTREAM_9"].shown = True
    world.obs.items["GMOTHERSTREAM_9"].session = session
    return world


def test_an_unknown_input_on_air_is_carried_on_with_once_the_server_names_its_stream() -> None:
    world = stranger()
    world.obs_ready()
    world.list_publishers()
    world.run(5.0)
    assert (on_air(world), shown(world)) == ("alice", ["GMOTHERSTREAM_9"])
    assert handovers(world) == []
    assert world.director.view(world.now).queue[0].has_turn


def test_an_unknown_input_on_air_is_named_at_once_where_its_stream_is_known() -> None:
    world = stranger()
    world.list_publishers()
    world.obs_ready()
    assert on_air(world) == "alice"


def test_an_unknown_input_on_air_is_not_given_the_name_of_whoever_is_asked_for_by_hand_on_its_path() -> None:
    world = stranger()
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", "bob", "live", "alice")))
    world.obs_ready()
    assert on_air(world) == ""


def test_a_publish_names_an_unknown_input_whose_picture_moves() -> None:
    world = stranger()
    world.ingest.live.clear()
    world.obs_ready()
    world.publish("alice")
    world.run(0.1)
    assert (on_air(world), shown(world)) == ("alice", ["GMOTHERSTREAM_9"])


def test_an_old_input_that_a_publish_named_and_that_stands_still_is_replaced() -> None:
    world = stranger()
    world.ingest.live.clear()
    world.obs_ready()
    world.publish("alice")
    world.run(8.0)
    assert (on_air(world), shown(world)) == ("alice", ["GMOTHERSTREAM_10"])


def test_an_unknown_input_on_air_is_kept_for_a_grace_and_no_longer() -> None:
    world = stranger("live/nobody")
    world.ingest.live.clear()
    world.obs_ready()
    world.run(7.5)
    assert shown(world) == ["GMOTHERSTREAM_9"]
    world.run(3.0)
    assert (shown(world), world.obs.own) == ([], [])


def test_of_several_unknown_inputs_the_one_that_a_live_stream_can_be_named_for_is_kept() -> None:
    world = stranger()
    world.list_publishers()
    world.obs.execute(cmd.CreateInput(0, "GMOTHERSTREAM_11", ev.Session("?", "?", "live", "gone")), 0.0)
    world.obs.items["GMOTHERSTREAM_11"].shown = world.obs.items["GMOTHERSTREAM_11"].astray = True
    world.obs_ready()
    world.run(3.0)
    assert (on_air(world), shown(world)) == ("alice", ["GMOTHERSTREAM_9"])
