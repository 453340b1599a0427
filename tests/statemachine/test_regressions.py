"""Cases that a search has found once, each under the name of what it broke."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air, reasons, refusals, standby
from tests.statemachine.model_obs import STATIC
from tests.statemachine.monitors.test_stalls import freeze
from tests.statemachine.world import World


def by_hand(number: int, name: str, stream: str = "") -> ev.Session:
    return ev.Session(f"test:{number}", name, "live", stream or name)


def test_a_stream_asked_for_under_an_id_in_use_does_not_end_the_turn_of_one_who_is_gone() -> None:
    world = channel("alice")
    session = by_hand(1, "dave")
    world.ingest.live[session.id] = session
    world.feed(ev.TestRequested(world.now, session))
    world.run(3.0)
    assert on_air(world) == "dave"
    world.feed(ev.TestRequested(world.now, by_hand(1, "zoe")))
    assert world.director.lineup.find("dave") is None
    world.ingest.live.clear()
    world.calm()


def test_a_stream_asked_for_under_an_id_that_is_over_leaves_the_turn_alone() -> None:
    world = channel("alice", "bob")
    world.feed(ev.Unpublished(world.now, "test:1"))
    world.feed(ev.TestRequested(world.now, by_hand(1, "zoe")))
    assert refusals(world) == ["not_found"]
    assert world.director.view(world.now).queue[0].has_turn


def test_a_blocked_one_is_not_put_on_air_by_hand_either() -> None:
    world = channel("alice")
    world.feed(ev.KickRequested(world.now, "zoe", 60.0))
    world.feed(ev.TestRequested(world.now, by_hand(1, "zoe")))
    assert refusals(world) == ["blocked"]
    assert world.director.lineup.find("zoe") is None


def test_a_slate_whose_hiding_was_lost_with_the_connection_is_hidden_when_it_is_back() -> None:
    world = channel(slate="SLATE")
    world.feed(ev.SettingChanged(world.now, "slate", "OTHER"))
    world.obs_lost()
    world.calm()
    assert world.obs.slates == {"OTHER"}


def test_a_slate_that_could_not_be_hidden_when_it_was_given_up_is_hidden_when_obs_is_read_again() -> None:
    world = channel(slate="SLATE")
    world.feed(ev.SettingChanged(world.now, "slate", ""))
    world.carry_out("refused")
    assert world.obs.slates == {"SLATE"}
    world.read_inventory()
    world.advance(0.1)
    world.read_inventory()
    world.settle()
    assert world.obs.slates == set()


def test_a_slate_set_in_static_mode_goes_with_the_first_picture() -> None:
    world = World(Policy(mode="static"))
    world.feed(ev.SettingChanged(world.now, "slate", "OTHER"))
    world.publish("alice")
    world.calm()
    assert world.obs.slates == set()


def test_a_static_picture_does_not_come_beside_one_of_another_mode() -> None:
    world = channel("alice", turn_when_alone=True, standby=False)
    world.feed(ev.PolicyLoaded(world.now, Policy(mode="static")))
    world.feed(ev.KickRequested(world.now, "alice", 0.0))
    world.obs_lost()
    world.publish("alice")
    world.calm()
    assert [item.name for item in world.obs.shown] == [STATIC]


def test_a_static_cut_that_came_too_late_does_not_stay_beside_the_next_picture() -> None:
    world = World(Policy(mode="static"))
    world.obs_ready()
    world.publish("alice")
    world.settle()
    world.advance(0.3)
    world.look()
    world.feed(ev.PolicyLoaded(world.now, Policy(standby=False)))
    world.advance(2.5)
    world.calm()
    assert [item.name for item in world.obs.shown] == ["GMOTHERSTREAM_1"]


def test_a_new_session_of_the_one_on_air_does_not_wait_behind_the_standby_for_ever() -> None:
    world = channel("alice", "bob", turn=1e6)
    old = world.ingest.of("alice")
    assert old is not None
    assert standby(world) == "bob"
    new = world.ingest.new_session("alice")
    world.ingest.end(old.id)
    world.ingest.live[new.id] = new
    world.list_publishers()
    world.feed(ev.Unpublished(world.now, old.id))
    world.run(8.0)
    program = world.director.switchover.program
    assert program is not None
    assert program.session == new


def test_one_who_stalled_alone_behind_the_slate_is_looked_for_again() -> None:
    world = channel("alice", slate="SLATE")
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    world.run(3.0)
    assert world.obs.slates == {"SLATE"}
    world.calm()
    assert on_air(world) == "alice"


def test_a_standby_does_not_keep_a_picture_on_air_that_is_to_give_way_to_the_slate() -> None:
    world = channel("alice", "bob", slate="SLATE", during_grace="slate")
    assert standby(world) == "bob"
    world.unpublish("alice")
    world.settle()
    assert world.obs.shown == []


def test_a_leftover_that_is_on_air_after_all_is_not_swept() -> None:
    world = channel("alice", "bob", removal_tries=0)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    world.advance(1.0)
    world.carry_out("refused")
    world.deliver()
    assert world.director.orphans == ("GMOTHERSTREAM_1",)
    world.lane.clear()
    world.obs_lost()
    for item in world.obs.own:
        item.shown, item.astray = item.name == "GMOTHERSTREAM_1", True
    world.obs_ready()
    assert cmd.RemoveOrphan("GMOTHERSTREAM_1") not in world.lane
    world.calm()


def test_what_is_due_at_the_very_moment_of_an_event_is_not_forgotten() -> None:
    world = channel("alice", turn=3.0)
    world.run(10.0)
    world.publish("bob")
    assert [place.streamer for place in world.director.view(world.now).queue] == ["bob", "alice"]


def test_a_frozen_last_picture_does_not_stay_while_the_new_session_never_plays() -> None:
    world = channel("alice", reconnect_grace=8.0, ready_timeout=3.0)
    old = world.ingest.of("alice")
    assert old is not None
    new = world.ingest.new_session("alice")
    world.feed(ev.Published(world.now, new))
    world.ingest.end(old.id)
    world.ingest.live[new.id] = new
    world.ingest.frozen.add(new.id)
    world.feed(ev.Unpublished(world.now, old.id))
    world.run(14.0)
    assert world.obs.shown == []


def test_a_last_picture_gives_way_to_the_slate_at_once_although_its_first_cut_was_lost_with_the_daemon() -> None:
    world = channel("alice", slate="SLATE")
    world.unpublish("alice")
    assert world.lane.pop() == cmd.Cut(world.director.switchover.last_number, None, "GMOTHERSTREAM_1", "SLATE")
    world.crash()
    world.obs_ready()
    world.run(0.5)
    assert (world.obs.shown, world.obs.slates) == ([], {"SLATE"})


def test_a_static_input_that_was_found_on_air_and_restarted_for_nothing_does_not_stay_when_nobody_publishes() -> None:
    world = channel("alice", mode="static", ready_timeout=2.0)
    world.crash()
    world.obs_ready()
    world.run(1.0)
    world.ingest.pictureless.add(world.publish("bob").id)
    world.unpublish("alice")
    world.run(12.0)
    world.unpublish("bob")
    world.run(30.0)
    assert world.obs.shown == []


def test_in_dead_air_one_whose_turn_is_over_fills_in_and_has_no_other_turn_before_those_who_wait() -> None:
    world = channel("carol", "bob", "alice", standby=False)
    world.obs_lost()
    world.obs.items.clear()
    world.obs_ready()
    world.carry_out()  # carol's input is asked for, and her turn ends before it shows a picture
    world.feed(ev.TurnChanged(world.now, 1.0, "carol"))
    assert [place.streamer for place in world.director.view(world.now).queue] == ["bob", "alice", "carol"]
    bob = world.ingest.of("bob")
    assert bob is not None
    world.ingest.frozen.add(bob.id)
    world.run(0.6)
    assert on_air(world) == "carol"
    world.ingest.frozen.clear()
    world.run(0.6)
    assert not world.director.view(world.now).queue[0].has_turn
    world.run(6.0)
    assert (on_air(world), world.director.view(world.now).queue[0].has_turn) == ("bob", True)
    world.calm()


@pytest.mark.parametrize("outcome", ["refused", "timeout"])
@pytest.mark.parametrize("mode", ["dynamic", "pooled", "static"])
def test_a_cut_to_the_slate_that_failed_is_tried_again_within_a_second(mode: str, outcome: str) -> None:
    world = channel("alice", mode=mode, slate="SLATE", reconnect_grace=0.0)
    world.unpublish("alice")
    while not (world.lane and isinstance(world.lane[0], cmd.Cut)):
        world.advance(0.1)
    world.carry_out(outcome)
    while world.answers:
        world.deliver()
    world.settle()
    assert not world.obs.slates
    world.run(1.1)
    assert world.obs.slates == {"SLATE"}
    world.calm()


def test_a_picture_that_moves_again_after_a_failed_cut_to_the_slate_is_not_taken_off() -> None:
    world = channel("alice", slate="SLATE")
    session = world.ingest.of("alice")
    assert session is not None
    world.ingest.frozen.add(session.id)
    while not (world.lane and isinstance(world.lane[0], cmd.Cut)):
        world.advance(0.1)
        world.look()
    world.carry_out("refused")
    world.deliver()
    world.settle()
    world.run(0.5)
    world.ingest.frozen.clear()
    before = len(world.trace)
    world.run(5.0)
    cuts = [c for _, commands in world.trace[before:] for c in commands if isinstance(c, cmd.Cut)]
    assert all(cut.incoming for cut in cuts), "the slate took its place"
    assert on_air(world) == "alice"
    world.calm()


def test_who_fills_in_is_not_relieved_by_another_while_the_new_stream_of_the_turns_holder_has_no_picture() -> None:
    world = channel("alice", "bob", "carol", turn=600.0)
    world.unpublish("alice")
    world.run(3.0)
    assert on_air(world) == "bob"
    world.ingest.frozen.add(world.publish("alice").id)
    world.run(6.0)
    assert on_air(world) == "bob"
    world.calm()
    assert on_air(world) == "alice"


def test_who_fills_in_for_one_without_a_picture_is_not_relieved_by_one_behind_it() -> None:
    world = World(Policy())
    silent = world.publish("alice")
    world.ingest.frozen.add(silent.id)
    world.publish("bob")
    world.publish("carol")
    world.obs_ready()
    world.run(10.0)
    cuts = [c for _, commands in world.trace for c in commands if isinstance(c, cmd.Cut)]
    assert (on_air(world), len(cuts)) == ("bob", 1)
    world.calm()


def test_a_skip_after_which_nobody_followed_is_no_reason_any_more() -> None:
    world = channel("alice", "bob", standby=False, ready_timeout=2.0, retry_first=600.0, retry_most=600.0)
    freeze(world, "bob")
    world.feed(ev.SkipRequested(world.now))
    world.run(5.0)
    assert on_air(world) == "alice"
    world.publish("carol")
    world.run(3.0)
    world.unpublish("alice")
    world.run(3.0)
    assert (on_air(world), reasons(world)) == ("carol", ["ended"])
