"""Which way an input plays its stream: what waits for nothing first, and every try another way where one failed."""

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import events as ev
from statemachine.ways import Way, way_of
from tests.statemachine.handover.test_handover import channel
from tests.statemachine.monitors.test_streams import described, made


@pytest.mark.parametrize(
    ("audio", "ways"),
    [
        ("aac", ["aac", "sought", "whole", "aac"]),
        ("mp3", ["sought", "aac", "whole", "sought"]),
        (None, ["aac", "aac", "whole", "aac"]),
        # It may come later.
        ("", ["aac", "aac", "aac", "aac"]),
    ],
)
def test_sound_decides_the_way_and_each_failure_takes_the_next(audio: str | None, ways: list[Way]) -> None:
    assert [way_of(ev.Tracks("h264", audio), tries) for tries in range(4)] == ways


AUDIO = st.sampled_from([None, "", "aac", "mp3", "opus", "speex"])


@given(audio=AUDIO, video=st.sampled_from([None, "", "h264", "hevc"]), tries=st.integers(0, 10_000))
def test_no_stream_waits_for_sound_that_it_is_not_known_to_have_more_than_every_third_time(
    audio: str | None, video: str | None, tries: int
) -> None:
    three = [way_of(ev.Tracks(video, audio), tries + more) for more in range(3)]
    assert set(three) <= set(get_args(Way))
    if not audio:
        assert "sought" not in three
        assert three.count("whole") == (audio is None)
    else:
        assert all(before != after for before, after in pairwise(three)), "a way that failed is tried again at once"


def test_an_input_is_made_the_way_of_its_stream_and_another_way_after_each_failure() -> None:
    world = channel("alice", "bob")
    session = world.publish("carol")
    world.ingest.frozen.add(session.id)
    described(world, "carol", "h264", "mp3")
    world.unpublish("bob")
    world.run(300.0, step=0.5)
    ways = [create.way for create in made(world) if create.session == session]
    assert ways[:3] == ["sought", "aac", "whole"]


def test_a_stream_without_a_codec_of_sound_that_is_known_is_never_made_to_wait_for_it() -> None:
    world = channel("alice")
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    described(world, "bob", "h264", "")
    world.run(120.0, step=0.5)
    ways = [create.way for create in made(world) if create.session == session]
    assert len(ways) >= 3
    assert set(ways) == {"aac"}
