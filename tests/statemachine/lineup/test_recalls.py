"""A stream that its server lists and nobody can play is kicked once, so that its encoder publishes anew."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.lineup import Lineup
from statemachine.lineup.recalls import RECALLED_UNWAITED
from statemachine.lineup.sessions import RECALL_FIRST, RECALL_MOST, RECALLS_MOST
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.model_ingest import SERVER, UNLISTED
from tests.statemachine.monitors.test_streams import described, problem, recovered
from tests.statemachine.world import World

TWO_TRIES = 60.0
"""Seconds: 15 each, 5 and 10 between them, and a list while the third one waits."""


def kicked(world: World) -> list[tuple[float, str]]:
    """When, after the start of the world's clock, and whose session."""
    return [
        (event.at, command.session.id)
        for event, commands in world.trace
        for command in commands
        if isinstance(command, cmd.KickSession) and command.reason == "republish"
    ]


def alone(**policy: Any) -> World:
    world = World(Policy(**policy))
    world.obs_ready()
    return world


# --- the cure -----------------------------------------------------------------------------------------------------


def test_a_stream_that_its_server_has_lost_is_on_air_after_one_kick() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    world.run_until(lambda: on_air(world) == "alice", TWO_TRIES)
    ((_, kicked_id),) = kicked(world)
    assert kicked_id == session.id
    assert world.ingest.of("alice") != session, "by another publish"
    world.run(600.0, step=1.0)
    assert len(kicked(world)) == 1
    assert (on_air(world), problem(world, "alice")) == ("alice", None)


def test_it_keeps_its_place_and_is_told_once_with_its_end() -> None:
    world = channel("alice")
    world.publish("bob", lost=True)
    world.publish("carol", lost=True)
    world.run_until(lambda: len(kicked(world)) == 2, TWO_TRIES)
    assert problem(world, "carol") == "republish"
    world.run(60.0)
    assert [place.streamer for place in world.director.view(world.now).queue] == ["alice", "bob", "carol"]
    assert (on_air(world), problem(world, "bob"), problem(world, "carol")) == ("alice", None, None)
    found = [
        fact.streamer for fact in world.told if isinstance(fact, facts.ProblemFound) and fact.reason == "republish"
    ]
    assert found == ["bob", "carol"]
    assert set(recovered(world)) == {"bob", "carol"}


@pytest.mark.parametrize(
    ("reason", "is_kicked"), [("not_ready", True), ("obs", True), ("cut_failed", True), ("no_video", False)]
)
def test_what_obs_did_wrong_before_does_not_hide_that_it_cannot_be_opened(reason: str, is_kicked: bool) -> None:
    """The last failures may name no reason: whether it plays in an input of another kind is still to be seen."""
    line, session = Lineup(Policy()), ev.Session("srs:1/1", "alice", "live", "alice")
    line.publishers.publish(1.0, session)
    line.standing.blame(2.0, session.id, reason)
    for number in range(RECALLED_UNWAITED):
        line.recalls.failed(3.0 + number, session.id)
    told = ev.PublishersListed(20.0, "srs:", 20.0, (session,), can_kick=True)
    assert line.recalls.listed(told, None, ()) == ([session] if is_kicked else [])


def test_its_next_publish_is_tried_at_once_and_not_after_the_backoff_of_the_lost_one() -> None:
    world = alone(retry_first=20.0)
    world.publish("alice", lost=True)
    world.run_until(lambda: bool(kicked(world)), 100.0)
    world.run_until(lambda: on_air(world) == "alice", 6.0)


def test_so_it_is_where_it_comes_back_after_its_place_was_lost() -> None:
    world = alone(retry_first=20.0, reconnect_grace=1.0)
    world.publish("alice", lost=True)
    world.run_until(lambda: bool(kicked(world)), 100.0)
    world.called_back.clear()
    world.run(10.0)
    assert world.director.lineup.find("alice") is None
    world.publish("alice")
    world.run_until(lambda: on_air(world) == "alice", 2.0)


def test_so_it_is_where_the_new_publish_is_told_before_the_end_of_the_lost_one() -> None:
    world = alone(retry_first=20.0)
    lost = world.publish("alice", lost=True)
    world.run_until(lambda: bool(kicked(world)), 100.0)
    world.called_back.clear()
    world.publish("alice")
    world.feed(ev.Unpublished(world.now, lost.id))
    world.run_until(lambda: on_air(world) == "alice", 2.0)


def test_it_is_kicked_while_an_input_waits_for_it_which_is_left_until_its_encoder_is_back() -> None:
    """SRS clears no stream away that somebody plays: the next one is not lost as well."""
    world = alone()
    session = world.publish("alice", lost=True)
    world.run_until(lambda: bool(kicked(world)), TWO_TRIES)
    world.called_back.clear()
    waits = [item.name for item in world.obs.own if item.session == session]
    assert len(waits) == 1
    world.feed(ev.Unpublished(world.now, session.id))
    world.run(5.0)
    assert [item.name for item in world.obs.own] == waits
    world.publish("alice")
    world.run(3.0)
    assert on_air(world) == "alice"
    assert [item.session for item in world.obs.own] == [world.ingest.of("alice")]


def test_where_lists_are_few_it_is_kicked_after_four_failures_whoever_waits() -> None:
    world = alone(ready_timeout=3.0)
    session = world.publish("alice", lost=True)
    _run_without_lists(world, 3.0 + 5.0 + 3.0 + 10.0 + 3.0 + 20.0 + 3.0 + 1.0)
    assert world.director.lineup.state.unopened[session.id].failures == 4
    assert not world.director.switchover.incoming
    world.list_publishers()
    assert len(kicked(world)) == 1


# --- whom it does not touch ---------------------------------------------------------------------------------------


def test_after_one_failure_nobody_is_kicked() -> None:
    world = alone(retry_first=300.0)
    world.publish("alice", lost=True)
    world.run(200.0, step=1.0)
    assert kicked(world) == []


@pytest.mark.parametrize(
    ("what", "about"),
    [
        ("switched off", lambda world, _: world.feed(ev.SettingChanged(world.now, "kick_unreachable", False))),
        ("held", lambda world, _: world.feed(ev.Held(world.now))),
        ("no picture", lambda world, session: described(world, session.streamer, "")),
    ],
)
def test_who_is_not_to_be_kicked_is_not(what: str, about: Callable[[World, ev.Session], object]) -> None:
    world = channel("bob")
    session = world.publish("alice", lost=True)
    about(world, session)
    world.run(400.0, step=1.0)
    assert kicked(world) == [], what


def test_one_in_a_codec_that_is_played_by_luck_alone_is_not_kicked() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    world.feed(ev.StreamDescribed(world.now, session.id, ev.Tracks("hevc", "aac")))
    world.run(200.0, step=1.0)
    assert problem(world, "alice") == "codec"
    assert kicked(world) == []


def test_after_the_release_it_is_kicked_like_any_other() -> None:
    world = alone()
    world.feed(ev.Held(world.now))
    world.publish("alice", lost=True)
    world.run(100.0, step=0.5)
    assert kicked(world) == []
    world.feed(ev.Released(world.now))
    world.run_until(lambda: on_air(world) == "alice", 10.0)


def test_one_whom_no_list_names_is_not_kicked() -> None:
    world = alone()
    session = world.publish("alice", server=UNLISTED)
    world.ingest.lost.add(session.id)
    world.run(100.0, step=0.5)
    assert kicked(world) == []


def test_a_server_that_cannot_kick_is_not_asked_to() -> None:
    world = alone()
    world.ingest.can_kick = False
    world.publish("alice", lost=True)
    world.run(300.0, step=1.0)
    assert kicked(world) == []
    assert problem(world, "alice") == "not_ready"


def test_a_list_that_was_asked_for_before_the_second_failure_says_nothing() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    asked_at = world.now
    listing = ev.PublishersListed(world.now, SERVER, asked_at, (session,), can_kick=True)
    _run_without_lists(world, 50.0)
    assert world.director.lineup.state.unopened[session.id].failures == 2
    assert world.director.switchover.incoming
    assert world.feed(replace(listing, at=world.now)) == ()
    assert cmd.KickSession(session, "republish") in world.feed(replace(listing, at=world.now, asked_at=world.now))


def test_one_that_another_server_of_that_prefix_has_is_not_kicked() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    _run_without_lists(world, 50.0)
    listing = ev.PublishersListed(world.now, "srs:", world.now, (session,), (SERVER,), can_kick=True)
    assert world.feed(listing) == ()


def test_a_picture_between_two_failures_makes_them_none_in_a_row() -> None:
    world = alone()
    world.publish("alice", lost=True)
    world.run(16.0)
    world.ingest.lost.clear()
    world.run_until(lambda: on_air(world) == "alice", 20.0)
    assert world.director.lineup.state.unopened == {}


def test_what_another_obs_could_not_open_is_no_reason_to_kick() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    _run_without_lists(world, 50.0)
    assert session.id in world.director.lineup.state.unopened
    world.obs_lost()
    world.obs_ready()
    world.list_publishers()
    assert kicked(world) == []


# --- not again and again ------------------------------------------------------------------------------------------


def test_one_that_can_never_be_played_is_kicked_less_and_less_often() -> None:
    world = alone()
    world.publish("alice", lost=True)
    for _ in range(4 * 3600):
        world.ingest.lost |= set(world.ingest.live)
        world.run(1.0, step=1.0)
    times = [at for at, _ in kicked(world)]
    pauses = [after - before for before, after in pairwise(times)]
    assert all(pause >= min(RECALL_MOST, RECALL_FIRST * 2**number) for number, pause in enumerate(pauses)), pauses
    assert len(times) == 8


def test_one_session_is_kicked_once_though_the_kick_does_nothing() -> None:
    world = alone()
    session = world.publish("alice", lost=True)
    world.ingest.outlives_kicks = True
    world.run(3 * 3600.0, step=2.0)
    assert [session_id for _, session_id in kicked(world)] == [session.id]
    assert world.ingest.of("alice") == session


def test_a_picture_makes_the_next_kick_as_soon_as_the_first_and_not_sooner() -> None:
    world = alone()
    for number in range(3):
        world.publish("alice", lost=True)
        world.run_until(partial(_was_kicked, world, number + 1), RECALL_FIRST + TWO_TRIES + 60.0)
        world.run_until(lambda: on_air(world) == "alice", 10.0)
        world.unpublish("alice")
        world.run(10.0)
    times = [at for at, _ in kicked(world)]
    assert len(times) == 3
    assert all(RECALL_FIRST <= b - a < 2 * RECALL_FIRST for a, b in pairwise(times)), times


def test_a_restart_of_the_daemon_forgets_neither_the_failures_nor_the_kick() -> None:
    world = alone()
    world.publish("alice", lost=True)
    _run_without_lists(world, 50.0)
    world.crash(1.0)
    world.obs_ready()
    assert kicked(world) == []
    world.publish("bob")
    world.run(2.0)
    world.run_until(lambda: len(kicked(world)) == 1, 2 * TWO_TRIES)
    world.ingest.outlives_kicks = True
    world.crash(1.0)
    world.obs_ready()
    world.run(100.0, step=0.5)
    assert len(kicked(world)) == 1


def test_a_crowd_that_is_kicked_does_not_fill_the_memory() -> None:
    world = alone(ready_timeout=0.1, retry_first=0.001, reconnect_grace=0.0)
    director = world.director
    for number in range(RECALLS_MOST + 50):
        name = f"s{number}"
        session = ev.Session(f"{SERVER}x{number}", name, "live", name)
        world.now += 1.0
        director.handle(ev.Published(world.now, session))
        for _ in range(RECALLED_UNWAITED):
            director.lineup.recalls.failed(world.now, session.id)
        director.lineup.standing.blame(world.now, session.id, "not_ready")
        step = director.handle(ev.PublishersListed(world.now, SERVER, world.now, (session,), can_kick=True))
        assert cmd.KickSession(session, "republish") in step.commands
        director.handle(ev.Unpublished(world.now, session.id))
    director.handle(ev.TimePassed(world.now + 1.0))
    state = director.lineup.state
    assert len(state.recalls) <= RECALLS_MOST
    assert state.unopened == {}
    director.handle(ev.TimePassed(world.now + 3 * 3600.0))
    assert director.lineup.state.recalls == {}


def _was_kicked(world: World, times: int) -> bool:
    return len(kicked(world)) == times


def _run_without_lists(world: World, seconds: float) -> None:
    for _ in range(round(seconds / 0.5)):
        world.advance(0.5)
        world.settle()
        world.look()
        world.settle()
