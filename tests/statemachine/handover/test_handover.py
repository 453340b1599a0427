"""The director on a studio without faults: who is on air, when, and why."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.states import State
from statemachine.policy import Policy
from tests.statemachine.world import World


def channel(*streamers: str, **policy: object) -> World:
    """OBS is up, everybody publishes, the first has been on air for a while and the next stands by."""
    world = World(Policy(**policy))  # type: ignore[arg-type]  # by name
    world.obs_ready()
    for streamer in streamers:
        world.publish(streamer)
        world.run(0.5)
    world.run(5.0)
    world.told.clear()
    return world


def on_air(world: World) -> str:
    view = world.director.view(world.now)
    return view.on_air.streamer if view.on_air else ""


def standby(world: World) -> str:
    view = world.director.view(world.now)
    return view.standby.streamer if view.standby and view.standby.ready else ""


def handovers(world: World) -> list[facts.HandoverEnded]:
    return [fact for fact in world.told if isinstance(fact, facts.HandoverEnded)]


def reasons(world: World) -> list[str]:
    return [fact.reason for fact in handovers(world) if fact.outcome == "completed"]


def refusals(world: World) -> list[str]:
    return [fact.code for fact in world.told if isinstance(fact, facts.Refused)]


# --- the usual way ------------------------------------------------------------------------------------------------


def test_the_first_to_publish_comes_on_air() -> None:
    world = World(Policy())
    world.obs_ready()
    world.publish("alice")
    assert world.run_until(lambda: on_air(world) == "alice", 1.0) < 0.5
    assert reasons(world) == ["first"]


def test_the_next_in_line_is_made_ready_ahead_of_its_turn() -> None:
    world = channel("alice", "bob", "carol")
    assert (on_air(world), standby(world)) == ("alice", "bob")
    assert [item.name for item in world.obs.own] == ["GMOTHERSTREAM_1", "GMOTHERSTREAM_2"]


def test_without_standby_the_next_is_created_when_its_turn_comes() -> None:
    world = channel("alice", "bob", standby=False)
    assert len(world.obs.own) == 1
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert on_air(world) == "bob"


def test_a_skip_cuts_to_the_standby_at_once() -> None:
    world = channel("alice", "bob")
    commands = world.feed(ev.SkipRequested(world.now))
    assert commands == (cmd.Cut(2, "GMOTHERSTREAM_2", "GMOTHERSTREAM_1"),)
    world.settle()
    assert on_air(world) == "bob"
    assert reasons(world) == ["skip"]


def test_the_end_of_the_one_on_air_cuts_to_the_standby_at_once() -> None:
    world = channel("alice", "bob")
    world.unpublish("alice")
    world.settle()
    assert on_air(world) == "bob"
    assert reasons(world) == ["ended"]


def test_a_turn_that_ends_hands_over_and_comes_round_again() -> None:
    world = channel("alice", "bob", "carol", turn=20.0)
    seen: list[str] = []
    for _ in range(30):
        world.run(2.0)
        if seen[-1:] != [on_air(world)]:
            seen.append(on_air(world))
    assert seen == ["alice", "bob", "carol", "alice"]
    assert set(reasons(world)) == {"turn"}


def test_a_standby_is_replaced_when_the_line_up_changes() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.MoveRequested(world.now, "carol", 1))
    world.run(2.0)
    assert standby(world) == "carol"
    assert len(world.obs.own) == 2


def test_a_standby_whose_stream_ends_makes_room_for_the_next() -> None:
    world = channel("alice", "bob", "carol")
    world.unpublish("bob")
    world.run(2.0)
    assert (on_air(world), standby(world)) == ("alice", "carol")
    assert "stream_ended" in [fact.outcome for fact in handovers(world)]


def test_when_the_last_one_leaves_its_last_picture_stays_for_its_grace_only() -> None:
    world = channel("alice", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(7.5)
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_1"]
    world.run(3.0)
    assert (world.obs.shown, world.obs.own) == ([], [])


def test_nobody_is_put_on_air_before_obs_is_there() -> None:
    world = World(Policy())
    world.publish("alice")
    world.advance(30.0)
    assert world.lane == type(world.lane)()
    world.obs_ready()
    world.run(1.0)
    assert on_air(world) == "alice"


def test_one_who_returns_takes_the_turn_back_from_the_one_who_filled_in() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(4.0)
    assert on_air(world) == "bob"
    world.publish("alice")
    world.run(3.0)
    assert on_air(world) == "alice"
    assert reasons(world) == ["ended", "returned"]


def test_one_who_fills_in_has_the_turn_when_the_grace_of_the_other_is_over() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(10.0)
    view = world.director.view(world.now)
    assert [place.streamer for place in view.queue] == ["bob", "carol"]
    assert view.on_air is not None
    assert view.on_air.remaining is not None
    assert reasons(world) == ["ended"]


def test_while_it_fills_in_nobody_counts_its_turn() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(1.0)
    view = world.director.view(world.now)
    assert view.on_air is not None
    assert (view.on_air.streamer, view.on_air.remaining) == ("bob", None)


def test_when_the_one_who_fills_in_leaves_too_the_next_one_fills_in() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(1.0)
    world.unpublish("bob")
    world.run(2.0)
    assert on_air(world) == "carol"
    world.publish("alice")
    world.run(4.0)
    assert on_air(world) == "alice"


def test_a_second_session_is_shown_when_the_first_has_ended() -> None:
    world = channel("alice", "bob")
    first = world.ingest.of("alice")
    assert first is not None
    second = world.ingest.new_session("alice")
    world.feed(ev.Published(world.now, second))
    world.ingest.end(first.id)
    world.ingest.live[second.id] = second
    world.feed(ev.Unpublished(world.now, first.id))
    world.settle()
    assert on_air(world) == "bob", "the standby shows a moving picture meanwhile"
    world.run(4.0)
    program = world.director.switchover.program
    assert program is not None
    assert program.session == second
    assert reasons(world) == ["ended", "returned"]
    assert [place.has_turn for place in world.director.view(world.now).queue] == [True, False]


def test_a_hand_over_in_the_midst_of_another_goes_where_the_line_up_points_then() -> None:
    world = channel("alice", "bob", "carol", job_delay=0.0)
    world.feed(ev.SkipRequested(world.now))
    world.unpublish("bob")
    world.run(3.0)
    assert on_air(world) == "carol"


def test_a_turn_changed_for_all_counts_for_the_one_on_air() -> None:
    world = channel("alice", "bob")
    world.feed(ev.TurnChanged(world.now, 30.0, restart=True))
    view = world.director.view(world.now)
    assert view.on_air is not None
    assert view.on_air.remaining == 30.0


def test_a_turn_of_no_length_is_refused() -> None:
    world = channel("alice", "bob")
    for seconds in (0.0, -1.0, float("nan")):
        world.feed(ev.TurnChanged(world.now, seconds))
    assert refusals(world) == ["bad_setting"] * 3
    assert world.director.policy.turn == 3600.0


def test_one_whose_turn_is_over_when_somebody_comes_hands_over_at_once() -> None:
    world = channel("alice", turn=5.0)
    world.run(20.0)
    assert on_air(world) == "alice"
    world.publish("bob")
    world.run(1.0)
    assert on_air(world) == "bob"


# --- spacing ------------------------------------------------------------------------------------------------------


def test_hand_overs_are_spaced_by_job_delay() -> None:
    world = channel("alice", "bob", "carol", job_delay=2.0)
    world.feed(ev.SkipRequested(world.now))
    first = world.run_until(lambda: on_air(world) == "bob", 0.2)
    world.feed(ev.SkipRequested(world.now))
    second = world.run_until(lambda: on_air(world) == "carol", 3.0, step=0.05)
    assert first < 0.05
    assert 1.9 <= second <= 2.2


def test_the_first_hand_over_after_a_pause_is_not_delayed() -> None:
    world = channel("alice", "bob", job_delay=60.0)
    world.advance(70.0)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    assert on_air(world) == "bob"


def test_the_next_one_is_made_ready_while_its_hand_over_is_spaced() -> None:
    world = channel("alice", "bob", "carol", job_delay=10.0, turn=3600.0)
    world.run(10.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(4.0)
    assert (on_air(world), standby(world)) == ("bob", "carol")
    world.run(6.0)
    assert on_air(world) == "carol"


@pytest.mark.parametrize("how", ["ends", "is kicked", "stalls"])
def test_what_mends_a_dead_picture_is_not_spaced(how: str) -> None:
    world = channel("alice", "bob", "carol", job_delay=30.0)
    world.run(30.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(2.0)
    assert (on_air(world), standby(world)) == ("bob", "carol")
    if how == "ends":
        world.unpublish("bob")
    elif how == "is kicked":
        world.feed(ev.KickRequested(world.now, "bob", 60.0))
    else:
        session = world.ingest.of("bob")
        assert session is not None
        world.ingest.frozen.add(session.id)
    world.run(1.5)
    assert on_air(world) == "carol"


def test_the_grace_of_an_outgoing_does_not_keep_the_next_hand_over_waiting() -> None:
    world = channel("alice", "bob", "carol", job_delay=0.0, cleanup_grace=5.0)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    assert world.director.view(world.now).state is State.CLEANUP
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert on_air(world) == "carol"


# --- operators ----------------------------------------------------------------------------------------------------


def test_a_kick_takes_off_the_air_and_leaves_no_picture_where_nobody_follows() -> None:
    world = channel("alice")
    world.feed(ev.KickRequested(world.now, "alice", 60.0))
    world.run(2.0)
    assert (on_air(world), world.obs.own, world.ingest.live) == ("", [], {})
    assert reasons(world) == ["kick"]


def test_one_who_was_removed_is_off_the_air_though_it_publishes_on() -> None:
    world = channel("alice", "bob")
    world.feed(ev.RemoveRequested(world.now, "alice"))
    world.run(8.0)
    assert on_air(world) == "bob"
    assert [place.streamer for place in world.director.view(world.now).queue] == ["bob"]
    assert reasons(world) == ["removed"]


def test_a_standby_that_is_kicked_is_removed_before_its_turn_comes() -> None:
    world = channel("alice", "bob")
    world.feed(ev.KickRequested(world.now, "bob", 60.0))
    world.unpublish("alice")
    world.run(3.0)
    assert "bob" not in [fact.to_streamer for fact in handovers(world) if fact.outcome == "completed"]


def test_the_reason_of_one_kick_is_not_told_of_the_next_end() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.KickRequested(world.now, "carol", 60.0))
    world.run(3.0)
    world.unpublish("alice")
    world.run(3.0)
    assert reasons(world) == ["ended"]


def test_a_stream_that_no_hook_announced_is_handed_over_to_and_leaves_with_its_turn() -> None:
    world = channel("alice")
    session = ev.Session("test:1", "test", "live", "test")
    world.ingest.live[session.id] = session
    world.feed(ev.TestRequested(world.now, session))
    world.run_until(lambda: on_air(world) == "test", 2.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)
    assert [place.streamer for place in world.director.view(world.now).queue] == ["alice"]
    assert reasons(world) == ["test", "skip"]


def test_a_stream_asked_for_that_is_in_the_line_up_comes_next() -> None:
    world = channel("alice", "bob", "carol")
    session = world.ingest.of("carol")
    assert session is not None
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", "carol", "live", "carol")))
    world.run(3.0)
    assert on_air(world) == "carol"
    assert [place.streamer for place in world.director.view(world.now).queue] == ["carol", "bob", "alice"]


def test_a_moving_picture_is_not_given_the_name_of_whoever_is_asked_for_by_hand_on_its_path() -> None:
    """Its end was told wrongly: it goes on until the hand test has an input of its own."""
    world = channel("alice")
    alice = world.ingest.of("alice")
    assert alice is not None
    world.feed(ev.Unpublished(world.now, alice.id))
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", "bob", "live", "alice")))
    world.advance(3.0)
    assert on_air(world) == "alice"
    world.calm()
    assert on_air(world) == "alice"


@pytest.mark.parametrize(
    ("streamer", "stream", "code"),
    [("alice", "alice", "on_air"), ("bob", "other", "name_taken"), ("zoe", "zoe", "blocked")],
)
def test_a_stream_asked_for_that_cannot_be_is_refused(streamer: str, stream: str, code: str) -> None:
    world = channel("alice", "bob")
    world.feed(ev.KickRequested(world.now, "zoe", 60.0))
    before = [place.streamer for place in world.director.view(world.now).queue]
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", streamer, "live", stream)))
    assert refusals(world) == [code]
    assert [place.streamer for place in world.director.view(world.now).queue] == before


def test_held_the_turn_goes_on_until_released() -> None:
    world = channel("alice", "bob", turn=20.0)
    world.feed(ev.Held(world.now))
    world.run(60.0, step=0.5)
    assert on_air(world) == "alice"
    world.feed(ev.Released(world.now))
    world.run(1.0)
    assert on_air(world) == "bob"


def test_held_a_skip_is_carried_out_all_the_same() -> None:
    world = channel("alice", "bob")
    world.feed(ev.Held(world.now))
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    assert on_air(world) == "bob"
