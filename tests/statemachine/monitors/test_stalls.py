"""Pictures that stand still, and the slate."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from tests.statemachine.handover.test_handover import channel, on_air, reasons, standby
from tests.statemachine.world import World


def freeze(world: World, streamer: str) -> None:
    session = world.ingest.of(streamer)
    assert session is not None
    world.ingest.frozen.add(session.id)


def shown(world: World) -> list[str]:
    return [*(item.name for item in world.obs.shown), *sorted(world.obs.slates)]


# --- stalls -------------------------------------------------------------------------------------------------------


def test_a_picture_that_stands_still_is_covered_by_the_standby_before_it_counts_as_a_stall() -> None:
    world = channel("alice", "bob", stall=1.0)
    freeze(world, "alice")
    assert world.run_until(lambda: on_air(world) == "bob", 0.7) == pytest.approx(0.5)
    assert reasons(world) == ["stalled"]


def test_one_who_moves_again_is_cut_back_to_when_it_has_shown_that_it_goes_on_moving() -> None:
    world = channel("alice", "bob")
    freeze(world, "alice")
    world.run(1.0)
    world.ingest.frozen.clear()
    took = world.run_until(lambda: on_air(world) == "alice", 8.0)
    assert took > 3.0
    assert reasons(world) == ["stalled", "returned"]
    assert [place.has_turn for place in world.director.view(world.now).queue] == [True, False]


def test_a_dead_stream_that_plays_its_gop_once_more_is_not_cut_back_to() -> None:
    world = channel("alice", "bob")
    freeze(world, "alice")
    world.run(2.0)
    item = next(item for item in world.watches() if not item.proven)
    item.proven = True
    world.feed(ev.MediaReady(world.now, item.attempt))
    world.run(2.9)
    assert on_air(world) == "bob"
    assert reasons(world) == ["stalled"]


def test_a_stalled_one_loses_the_turn_with_its_grace() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=8.0)
    freeze(world, "alice")
    world.run(10.0)
    view = world.director.view(world.now)
    assert [place.streamer for place in view.queue] == ["bob", "carol", "alice"]
    assert view.queue[0].has_turn


def test_a_stall_with_nobody_else_keeps_its_last_picture_and_goes_on_when_it_moves() -> None:
    world = channel("alice")
    freeze(world, "alice")
    world.run(30.0)
    assert on_air(world) == "alice"
    world.ingest.frozen.clear()
    world.run(1.0)
    world.run(30.0)
    assert (on_air(world), world.amiss()) == ("alice", "")


def test_an_input_that_died_under_a_living_stream_is_replaced_by_a_fresh_one() -> None:
    world = channel("alice")
    item = world.obs.items["GMOTHERSTREAM_1"]
    world.feed(ev.MediaFailed(world.now, item.attempt, "the pipeline failed"))
    item.session = None
    world.run(5.0)
    assert shown(world) == ["GMOTHERSTREAM_2"]
    assert (on_air(world), reasons(world)) == ("alice", ["stalled"])


def test_one_whose_picture_resumes_by_itself_is_not_replaced() -> None:
    world = channel("alice")
    world.feed(ev.MediaStalled(world.now, "GMOTHERSTREAM_1", world.now - 1.0))
    world.run(1.0)
    world.feed(ev.MediaResumed(world.now, "GMOTHERSTREAM_1"))
    world.run(5.0)
    assert shown(world) == ["GMOTHERSTREAM_1"]
    assert [item.name for item in world.obs.own] == ["GMOTHERSTREAM_1"]


def test_a_standby_that_stands_still_makes_room_for_the_next() -> None:
    world = channel("alice", "bob", "carol")
    freeze(world, "bob")
    world.run(2.0)
    assert standby(world) == "carol"


def test_a_stall_while_the_cut_is_under_way_is_not_lost() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.SkipRequested(world.now))
    world.feed(ev.MediaStalled(world.now, "GMOTHERSTREAM_2", world.now - 1.0))
    world.carry_out()
    freeze(world, "bob")
    world.deliver()
    world.run(2.5)
    assert on_air(world) == "carol"


def test_a_failure_while_the_cut_is_under_way_is_not_lost() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.SkipRequested(world.now))
    world.feed(ev.MediaFailed(world.now, 2, "the pipeline failed"))
    world.carry_out()
    freeze(world, "bob")
    world.deliver()
    world.run(2.5)
    assert on_air(world) == "carol"


def test_a_stall_of_one_who_fills_in_brings_the_next_who_can_be_shown() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=60.0)
    world.unpublish("alice")
    world.run(2.0)
    freeze(world, "bob")
    world.run(2.0)
    assert on_air(world) == "carol"
    world.ingest.frozen.clear()
    world.publish("alice")
    world.run(4.0)
    assert on_air(world) == "alice"
    assert not world.amiss()


def test_one_who_fills_in_is_not_relieved_by_another_who_would_only_fill_in() -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=60.0)
    world.unpublish("alice")
    world.run(4.0)
    assert on_air(world) == "bob"
    world.feed(ev.MoveRequested(world.now, "carol", 1))
    world.run(5.0)
    assert on_air(world) == "bob"
    world.feed(ev.SkipRequested(world.now))
    world.run(5.0)
    assert on_air(world) == "carol"


def test_one_who_comes_back_late_in_its_grace_is_given_the_time_to_prove_it() -> None:
    world = channel("alice", "bob", reconnect_grace=8.0)
    freeze(world, "alice")
    world.run(6.5)
    world.ingest.frozen.clear()
    world.run(8.0)
    assert (on_air(world), reasons(world)) == ("alice", ["stalled", "returned"])


def test_one_who_filled_in_and_stalled_is_shown_again_later() -> None:
    world = channel("alice", "bob", reconnect_grace=60.0)
    world.unpublish("alice")
    world.run(2.0)
    freeze(world, "bob")
    world.run(2.0)
    world.ingest.frozen.clear()
    world.run(10.0)
    assert on_air(world) == "bob"
    assert not world.amiss()


@pytest.mark.parametrize("since", [0.0, -1e9, 1e9])
def test_a_stall_that_is_said_to_have_begun_at_any_time_begins_while_it_is_on_air(since: float) -> None:
    world = channel("alice", "bob")
    world.feed(ev.MediaStalled(world.now, "GMOTHERSTREAM_1", since))
    world.advance(1.0)
    program = world.director.switchover.program
    assert program is not None
    assert program.stalled_since is not None
    assert program.since <= program.stalled_since <= world.now


def test_a_stall_of_an_input_that_nobody_knows_changes_nothing() -> None:
    world = channel("alice", "bob")
    now = world.director.now
    before = world.director.snapshot()
    world.feed(ev.MediaStalled(now, "GMOTHERSTREAM_99", now))
    world.feed(ev.MediaResumed(now, "GMOTHERSTREAM_99"))
    assert world.director.snapshot() == before


# --- slate --------------------------------------------------------------------------------------------------------


def test_the_slate_is_shown_from_the_start_and_hidden_with_the_first_picture() -> None:
    world = channel(slate="SLATE")
    assert shown(world) == ["SLATE"]
    world.publish("alice")
    world.run(0.3)
    assert [c for c in world.lane if isinstance(c, cmd.SetSlate)] == []
    world.run(0.5)
    assert shown(world) == ["GMOTHERSTREAM_1"]
    cut = next(c for _, commands in world.trace for c in commands if isinstance(c, cmd.Cut))
    assert (cut.slate, cut.outgoing) == ("SLATE", None)


def test_with_a_slate_one_who_is_away_and_alone_is_replaced_by_it_at_once() -> None:
    world = channel("alice", slate="SLATE", reconnect_grace=8.0)
    world.unpublish("alice")
    world.settle()
    assert shown(world) == ["SLATE"]
    world.publish("alice")
    world.run(2.0)
    assert shown(world) == ["GMOTHERSTREAM_2"]
    assert reasons(world) == ["ended", "returned"]


def test_with_a_slate_one_who_stalls_alone_is_replaced_by_it_and_cut_back_to() -> None:
    world = channel("alice", slate="SLATE")
    freeze(world, "alice")
    world.run(1.0)
    assert shown(world) == ["SLATE"]
    world.run(60.0, step=0.25)
    assert shown(world) == ["SLATE"]
    world.ingest.frozen.clear()
    world.run(70.0, step=0.25)
    assert (on_air(world), world.amiss()) == ("alice", "")


def test_during_grace_the_slate_is_shown_where_the_operator_prefers_it() -> None:
    world = channel("alice", "bob", slate="SLATE", during_grace="slate", reconnect_grace=8.0)
    assert standby(world) == "bob"
    world.unpublish("alice")
    world.settle()
    assert shown(world) == ["SLATE"]
    world.run(2.0)
    assert standby(world) == "bob", "the next one is made ready behind it"
    world.run(7.0)
    assert on_air(world) == "bob"


def test_during_grace_the_return_is_cut_back_to_from_the_slate() -> None:
    world = channel("alice", "bob", slate="SLATE", during_grace="slate", reconnect_grace=8.0)
    world.unpublish("alice")
    world.run(3.0)
    world.publish("alice")
    world.run(1.0)
    assert on_air(world) == "alice"
    assert reasons(world) == ["ended", "returned"]


def test_the_slate_does_not_stand_in_for_one_who_publishes_and_cannot_be_shown() -> None:
    world = channel("alice", "bob", slate="SLATE", during_grace="slate", ready_timeout=3.0)
    world.unpublish("alice")
    world.settle()
    session = world.publish("alice")
    world.ingest.pictureless.add(session.id)
    world.run_until(lambda: on_air(world) == "bob", 1.0)
    for _ in range(240):
        world.run(0.25)
        assert on_air(world) == "bob", "also while she waits for her next try, and in it"


def test_a_slate_that_could_not_be_shown_is_shown_when_obs_is_read_again() -> None:
    world = channel(slate="SLATE")
    world.obs.slates.clear()
    world.read_inventory()
    world.settle()
    assert shown(world) == ["SLATE"]


def test_another_slate_takes_the_place_of_the_one_that_is_shown() -> None:
    world = channel(slate="SLATE")
    world.feed(ev.SettingChanged(world.now, "slate", "OTHER"))
    world.settle()
    assert shown(world) == ["OTHER"]
    world.feed(ev.SettingChanged(world.now, "slate", ""))
    world.settle()
    assert shown(world) == []


def test_a_slate_that_changes_while_obs_is_away_is_put_right_when_it_is_back() -> None:
    world = channel(slate="SLATE")
    world.obs_lost()
    world.feed(ev.SettingChanged(world.now, "slate", "OTHER"))
    world.obs_ready()
    world.settle()
    assert shown(world) == ["OTHER"]


@pytest.mark.parametrize("grace", [0.0, 10.0])
def test_what_is_still_to_be_removed_does_not_keep_the_slate_off_dead_air(grace: float) -> None:
    world = channel("alice", "bob", slate="SLATE", after_turn="kick", cleanup_grace=grace)
    world.feed(ev.SkipRequested(world.now))
    world.run(0.3)
    assert on_air(world) == "bob"
    # Its turn is over, too, and whoever was to follow is gone again.
    world.publish("carol")
    world.feed(ev.SkipRequested(world.now))
    world.run(0.2)
    world.unpublish("carol")
    freeze(world, "bob")
    assert world.run_until(lambda: shown(world) == ["SLATE"], 2.0) < 1.5


@pytest.mark.parametrize("grace", [0.0, 10.0])
def test_what_is_still_to_be_removed_keeps_nobody_behind_the_slate(grace: float) -> None:
    world = channel("alice", slate="SLATE", cleanup_grace=grace)
    program = world.director.switchover.program
    assert program is not None
    world.obs.items[program.input].watched_since = None
    world.feed(ev.MediaFailed(world.now, program.attempt, "its media state is OBS_MEDIA_STATE_ERROR"))
    world.run(0.1)
    assert shown(world) == ["SLATE"]
    assert world.run_until(lambda: on_air(world) == "alice", 10.0) < 4.0
