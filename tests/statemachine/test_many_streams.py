"""One streamer with several streams at once: whichever can be shown is, and by hand any of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air, refusals, standby
from tests.statemachine.monitors.test_streams import described, problem, without_picture
from tests.statemachine.world import World


def another(world: World, streamer: str, stream: str) -> ev.Session:
    """It publishes one more, to a path of its own."""
    session = replace(world.ingest.new_session(streamer), stream=stream)
    world.ingest.live[session.id] = session
    world.feed(ev.Published(world.now, session))
    return session


@pytest.mark.parametrize("seconds", [0.0, 8.0], ids=["at once", "once the first is known to have no picture"])
def test_a_stream_without_a_picture_does_not_hide_another_of_the_same_streamer(seconds: float) -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(seconds)
    session = another(world, "bob", "bob2")
    world.run(40.0)
    assert (standby(world), problem(world, "bob")) == ("bob", None)
    world.feed(ev.SkipRequested(world.now))
    world.run(2.0)
    program = world.director.switchover.program
    assert program is not None
    assert program.session == session


def test_of_two_streams_without_a_picture_none_is_tried_again_and_again() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(8.0)
    session = another(world, "bob", "bob2")
    world.ingest.frozen.add(session.id)
    world.feed(ev.StreamDescribed(world.now, session.id, ev.Tracks("")))
    world.run(10.0)
    count, entry = len(world.trace), world.director.lineup.find("bob")
    world.run(120.0)
    assert problem(world, "bob") == "no_video"
    assert world.director.lineup.find("bob") == entry
    assert not [c for _, commands in world.trace[count:] for c in commands]
    assert on_air(world) == "alice"


def test_any_of_the_streams_of_one_who_waits_can_be_asked_for_by_hand() -> None:
    world = channel("alice", "bob")
    session = another(world, "bob", "bob2")
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", "x", "live", "bob2")))
    world.run(5.0)
    program = world.director.switchover.program
    assert program is not None
    assert program.session == session


def test_a_stream_of_which_no_picture_can_be_had_is_not_asked_for_by_hand_at_anybodys_cost() -> None:
    world = channel("alice", "carol")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(8.0)
    before = world.director.lineup.holder
    world.feed(ev.TestRequested(world.now, ev.Session("test:1", "x", "live", "bob")))
    assert refusals(world) == ["no_picture"]
    assert world.director.lineup.holder == before
    world.run(5.0)
    assert on_air(world) == "alice"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "publish", "end", "no picture", "no picture", "a picture", "wait"]),
        st.sampled_from(["alice", "bob"]),
        st.integers(1, 3),
    ),
    min_size=8,
    max_size=30,
)


@given(STEPS)
def test_whatever_is_told_of_streams_nobody_waits_for_one_while_another_of_its_own_can_be_shown(
    steps: list[tuple[str, str, int]],
) -> None:
    director, now, live, count = Director(Policy()), 0.0, dict[str, str](), 0
    for what, streamer, number in steps:
        path = f"{streamer}{number}"
        now += 4.0 if what == "wait" else 0.1
        if what == "publish" and path not in live:
            count += 1
            live[path] = f"srs:1/{count}"
            director.handle(ev.Published(now, ev.Session(live[path], streamer, "live", path)))
        elif what == "end" and path in live:
            director.handle(ev.Unpublished(now, live.pop(path)))
        elif path in live:
            director.handle(ev.StreamDescribed(now, live[path], ev.Tracks("" if what == "no picture" else "h264")))
        else:
            director.handle(ev.TimePassed(now))
        for entry in director.lineup:
            if entry.session is not None and entry.session.id == entry.barred:
                assert all(director.streams.of(session.id).video == "" for session in entry.sessions)
