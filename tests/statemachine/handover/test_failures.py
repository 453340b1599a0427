"""What goes wrong on the way to a picture: the one on air stays, and the next candidate is tried."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.states import State
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, handovers, on_air, reasons, refusals, standby
from tests.statemachine.world import World


def silent(world: World, streamer: str) -> None:
    """It publishes, and no picture ever comes of it."""
    session = world.publish(streamer)
    world.ingest.frozen.add(session.id)


def test_an_incoming_that_never_delivers_a_frame_is_removed_and_the_next_candidate_is_tried() -> None:
    world = channel("alice", ready_timeout=15.0)
    silent(world, "bob")
    world.publish("carol")
    world.feed(ev.SkipRequested(world.now))
    world.run(0.9)
    assert on_air(world) == "alice"
    world.run(1.0)
    assert on_air(world) == "carol"
    world.run(15.0)
    first = next(ended for ended in handovers(world) if ended.to_streamer == "bob")
    assert (first.to_streamer, first.outcome, first.detail) == (
        "bob",
        "not_ready",
        "did not become ready within 15.0s",
    )


def test_the_first_candidates_failure_does_not_keep_the_screen_empty() -> None:
    world = World(Policy(ready_timeout=15.0))
    world.obs_ready()
    silent(world, "alice")
    world.publish("bob")
    world.run(17.0)
    assert on_air(world) == "bob"


def test_one_who_failed_comes_on_air_when_it_plays_at_last() -> None:
    world = channel("alice")
    silent(world, "bob")
    world.run(40.0)
    world.ingest.frozen.clear()
    world.run(70.0, step=0.5)
    assert standby(world) == "bob"


def test_one_who_failed_before_does_not_push_a_ready_standby_aside() -> None:
    world = channel("alice")
    silent(world, "bob")
    world.publish("carol")
    world.run(20.0)
    assert standby(world) == "carol"
    world.told.clear()
    world.run(120.0, step=0.5)
    assert (standby(world), handovers(world)) == ("carol", [])


def test_a_kind_that_obs_does_not_know_leaves_everything_as_it_is() -> None:
    world = channel("alice", standby=False)
    world.publish("bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("refused")
    world.deliver()
    world.settle()
    assert (on_air(world), handovers(world)[0].outcome) == ("alice", "creation_failed")
    assert [item.name for item in world.obs.own] == ["GMOTHERSTREAM_1"]


def test_an_input_that_was_created_though_obs_said_nothing_is_removed() -> None:
    world = channel("alice", standby=False)
    world.publish("bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("lied")
    assert len(world.obs.own) == 2
    world.deliver()
    world.settle()
    assert [item.name for item in world.obs.own] == ["GMOTHERSTREAM_1"]


def test_an_input_that_is_created_after_all_long_after_its_time_is_swept() -> None:
    world = channel("alice", standby=False)
    world.publish("bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("timeout")
    world.deliver()
    world.settle()
    world.carry_out_late(0)
    assert len(world.obs.own) == 2
    world.read_inventory()
    world.settle()
    assert [item.name for item in world.obs.own] == ["GMOTHERSTREAM_1"]


def test_a_failed_cut_puts_the_one_on_air_back_and_blames_the_incoming() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("lied")
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_2"]
    world.deliver()
    world.carry_out()
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_1"]
    world.run(3.0)
    assert on_air(world) == "carol"
    assert [fact.outcome for fact in handovers(world)][:2] == ["cut_failed", "completed"]


def test_a_cut_that_is_never_answered_times_out() -> None:
    world = channel("alice", "bob", cut_timeout=2.0)
    commands = world.feed(ev.SkipRequested(world.now))
    assert [type(command) for command in commands] == [cmd.Cut]
    world.lane.clear()
    world.advance(1.9)
    assert world.director.view(world.now).state is State.SWAPPING
    world.advance(0.2)
    assert world.lane == type(world.lane)([cmd.RestoreOutgoing(2, "GMOTHERSTREAM_2", "GMOTHERSTREAM_1")])


def test_a_fade_has_its_own_time_on_top_of_the_cuts() -> None:
    world = channel("alice", "bob", cut_timeout=2.0, fade=3.0)
    world.feed(ev.SkipRequested(world.now))
    world.lane.clear()
    world.advance(4.9)
    assert world.director.view(world.now).state is State.SWAPPING


def test_a_cut_that_happens_long_after_its_time_is_mended_by_the_next_reading() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("timeout")
    world.deliver()
    world.carry_out()
    world.deliver()
    world.carry_out_late(0)
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_2"]
    world.settle()
    world.advance(0.1)
    world.read_inventory()
    world.settle()
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_1"]


def test_an_outgoing_that_was_removed_by_hand_does_not_keep_the_scene_from_being_put_right() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SkipRequested(world.now))
    world.carry_out("refused")
    del world.obs.items["GMOTHERSTREAM_1"]
    world.now += 0.01
    world.read_inventory()
    world.run_until(lambda: on_air(world) == "alice", 1.0)
    world.run(8.0)
    assert not world.amiss()


def test_an_outgoing_that_obs_does_not_let_go_is_swept_later_and_holds_nobody_up() -> None:
    world = channel("alice", "bob", "carol", removal_tries=5, job_delay=0.0)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    world.advance(1.1)
    world.carry_out("refused")
    world.deliver()
    world.unpublish("bob")
    world.carry_out("refused")
    world.deliver()
    assert [fact.input for fact in world.told if isinstance(fact, facts.OrphanReported)] == ["GMOTHERSTREAM_1"]
    world.run(3.0)
    assert on_air(world) == "carol"
    world.run(15.0)
    assert not world.amiss()


def test_leftovers_are_swept_one_at_a_time() -> None:
    world = World(Policy())
    for number in (3, 4, 5):
        world.obs.execute(cmd.CreateInput(0, f"GMOTHERSTREAM_{number}", ev.Session("x", "x", "live", "x")), 0.0)
    world.obs_ready()
    assert list(world.lane) == [cmd.RemoveOrphan("GMOTHERSTREAM_3")]
    world.carry_out()
    world.deliver()
    assert list(world.lane) == [cmd.RemoveOrphan("GMOTHERSTREAM_4")]
    world.settle()
    assert world.obs.own == []


def test_a_leftover_that_stays_is_tried_less_and_less_often() -> None:
    world = World(Policy())
    world.obs.execute(cmd.CreateInput(0, "GMOTHERSTREAM_3", ev.Session("x", "x", "live", "x")), 0.0)
    world.obs_ready()
    began, asked = world.now, []
    while world.now < began + 1000.0:
        if world.lane:
            asked.append(world.now - began)
            world.carry_out("refused")
            world.deliver()
        world.advance(1.0)
    assert asked == [0.0, 10.0, 30.0, 70.0, 150.0, 310.0, 610.0, 910.0]


def test_emptying_the_program_is_tried_again_until_it_is_done() -> None:
    world = channel("alice")
    world.feed(ev.KickRequested(world.now, "alice", 60.0))
    for _ in range(3):
        world.carry_out("refused")
        world.deliver()
        world.settle()
        assert on_air(world) == "alice"
        world.advance(1.5)
    world.settle()
    assert (on_air(world), world.obs.shown) == ("", [])


@pytest.mark.parametrize("state", ["CREATING", "BUFFERING", "STANDBY", "SWAPPING", "CLEANUP"])
def test_a_late_answer_of_an_abandoned_attempt_changes_nothing(state: str) -> None:
    world = channel("alice", "bob")
    late = [
        ev.InputCreated(world.now, 1),
        ev.CreationFailed(world.now, 1, ""),
        ev.MediaReady(world.now, 1),
        ev.CutDone(world.now, 1),
        ev.CutFailed(world.now, 1, ""),
        ev.OutgoingRestored(world.now, 1),
        ev.RestoreFailed(world.now, 1, ""),
        ev.InputRemoved(world.now, 1),
        ev.RemovalFailed(world.now, 1, ""),
    ]
    world.feed(ev.KickRequested(world.now, "bob", 60.0))
    world.settle()
    world.publish("carol")
    while world.director.view(world.now).state.value != state:
        if world.lane:
            world.carry_out()
        elif world.answers:
            world.deliver()
        elif state in ("SWAPPING", "CLEANUP") and standby(world):
            world.feed(ev.SkipRequested(world.now))
            world.advance(0.3)
        else:
            world.advance(0.3)
            world.look()
    before = world.director.switchover.kept
    for event in late:
        assert world.feed(event) == ()
    assert world.director.switchover.kept == before
    world.calm()


def test_nothing_that_is_refused_is_remembered_as_a_reason() -> None:
    world = channel("alice")
    world.feed(ev.SkipRequested(world.now))
    assert refusals(world) == ["nobody_waits"]
    world.publish("bob")
    world.run(3.0)
    world.unpublish("alice")
    world.run(1.0)
    assert reasons(world) == ["ended"]


# --- trust is earned by a picture -------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [("eve",), ("eve", "frank")])
@pytest.mark.parametrize("moment", [2.5, 6.0, 17.0, 40.0])
def test_a_follower_without_a_picture_costs_no_second_of_dead_air(broken: tuple[str, ...], moment: float) -> None:
    world = channel("alice")
    for name in broken:
        silent(world, name)
    world.publish("carol")
    world.run(moment)
    assert standby(world) == "carol"
    world.unpublish("alice")
    world.run_until(lambda: on_air(world) == "carol", 0.1)


@pytest.mark.parametrize("moment", [0.1, 0.6, 1.2, 2.6])
@pytest.mark.parametrize(
    ("broken", "within", "slate"),
    [(1, 1.0, ""), (2, 1.0, ""), (3, 1.0, ""), (4, 1.8, ""), (7, 2.0, ""), (3, 1.0, "SLATE"), (7, 9.0, "SLATE")],
)
def test_a_row_of_fresh_ones_without_a_picture_holds_up_nobody_who_has_one(
    broken: int, within: float, slate: str, moment: float
) -> None:
    world = channel("alice", slate=slate)
    for number in range(broken):
        silent(world, f"eve{number}")
    world.publish("carol")
    world.run(moment)
    world.unpublish("alice")
    world.run_until(lambda: on_air(world) == "carol", within)


def test_one_whose_place_others_needed_is_tried_again_and_has_a_reason_until_it_has_a_picture() -> None:
    world = channel("alice")
    for number in range(5):
        silent(world, f"eve{number}")
    world.publish("carol")
    world.unpublish("alice")
    world.run_until(lambda: on_air(world) == "carol", 2.0)
    ended = [fact for fact in world.told if isinstance(fact, facts.HandoverEnded) and fact.to_streamer == "eve0"]
    assert [fact.outcome for fact in ended] == ["superseded"]
    found = [fact for fact in world.told if isinstance(fact, facts.ProblemFound) and fact.streamer == "eve0"]
    assert [fact.reason for fact in found] == ["not_ready"]
    world.ingest.frozen.clear()
    world.run_until(lambda: standby(world) == "eve0", 20.0)
    assert [place.problem for place in world.director.view(world.now).queue if place.streamer == "eve0"] == [None]


def test_nobody_on_air_yet_and_a_first_in_line_without_a_picture_the_second_is_on_air_soon() -> None:
    world = World(Policy())
    world.obs_ready()
    silent(world, "eve")
    world.publish("bob")
    world.run_until(lambda: on_air(world) == "bob", 2.0)


def test_a_skip_does_not_throw_a_ready_standby_away_for_one_whose_picture_never_came() -> None:
    world = channel("alice")
    silent(world, "eve")
    world.publish("bob")
    world.run(30.0)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: on_air(world) == "bob", 0.2)


def test_a_ready_standby_is_kept_while_one_who_was_moved_before_it_is_tried() -> None:
    world = channel("alice", "bob")
    silent(world, "eve")
    world.feed(ev.MoveRequested(world.now, "eve", 1))
    world.run(0.5)
    assert standby(world) == "bob"
    world.unpublish("alice")
    world.run_until(lambda: on_air(world) == "bob", 0.1)


def test_the_slate_is_shown_within_a_second_where_nobody_who_follows_has_a_picture() -> None:
    world = channel("alice", slate="SLATE")
    silent(world, "eve")
    world.unpublish("alice")
    world.run_until(lambda: world.obs.slates == {"SLATE"}, 1.0)
    world.ingest.frozen.clear()
    world.run_until(lambda: on_air(world) == "eve", 1.0)
    assert world.obs.slates == set()


def test_one_who_is_kicked_after_the_turn_stays_until_somebody_follows() -> None:
    world = channel("alice", turn=20.0, after_turn="kick")
    silent(world, "eve")
    world.run(120.0)
    assert on_air(world) == "alice"
    assert world.ingest.of("alice") is not None
    world.ingest.frozen.clear()
    world.run_until(lambda: on_air(world) == "eve", 120.0)
    world.run(0.5)
    assert world.ingest.of("alice") is None


def inputs(world: World) -> list[str]:
    return [item.name for item in world.obs.own]


def pushed_aside() -> World:
    """Carol stands by, and eve's input, of no use any more, opens since less than a second."""
    world = channel("alice")
    silent(world, "eve")
    world.run(0.3)
    world.publish("carol")
    world.feed(ev.MoveRequested(world.now, "carol", 1))
    world.run_until(lambda: standby(world) == "carol", 0.5)
    world.run(0.1)
    assert [(ended.to_streamer, ended.outcome) for ended in handovers(world)][-1:] == [("eve", "superseded")]
    assert inputs(world) == ["GMOTHERSTREAM_1", "GMOTHERSTREAM_2", "GMOTHERSTREAM_3"]
    return world


def test_an_input_that_still_opens_is_removed_when_it_has_opened_and_not_before() -> None:
    world = pushed_aside()
    world.run(3.0)
    assert "GMOTHERSTREAM_2" in inputs(world)
    world.ingest.frozen.clear()
    world.run(1.0)
    assert inputs(world) == ["GMOTHERSTREAM_1", "GMOTHERSTREAM_3"]


def test_an_input_that_never_opens_is_removed_within_ten_seconds() -> None:
    world = pushed_aside()
    world.run(10.0)
    assert inputs(world) == ["GMOTHERSTREAM_1", "GMOTHERSTREAM_3"]


def test_an_input_that_opens_is_removed_within_two_seconds_where_its_stream_has_ended() -> None:
    world = channel("alice")
    silent(world, "eve")
    world.run(0.3)
    world.unpublish("eve")
    world.run(1.0)
    assert inputs(world) == ["GMOTHERSTREAM_1", "GMOTHERSTREAM_2"]
    world.run(1.0)
    assert (inputs(world), world.director.orphans) == (["GMOTHERSTREAM_1"], ())


def test_an_input_that_was_not_ready_in_time_is_removed_at_once() -> None:
    world = channel("alice", standby=False)
    silent(world, "eve")
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: bool(handovers(world)), 20.0)
    assert handovers(world)[-1].outcome == "not_ready"
    world.run(0.1)
    assert inputs(world) == ["GMOTHERSTREAM_1"]


def test_a_hundred_publishers_who_come_and_go_leave_nothing_and_never_many_inputs() -> None:
    world = World(Policy())
    world.obs_ready()
    most = 0
    for number in range(100):
        name = f"s{number}"
        silent(world, name)
        world.settle()
        world.unpublish(name)
        world.settle()
        world.advance(0.01)
        most = max(most, len(world.obs.own))
    world.run(60.0, step=0.5)
    assert (world.obs.own, world.director.orphans) == ([], ())
    assert most <= 16
