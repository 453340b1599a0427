"""What an input says of whose it is."""

import pytest

from daemon.obs.owners import OWNER, SESSION, STREAMER, Owners


def owners(own: str = "me") -> Owners:
    return Owners(own, "MOTHERSTREAM", lambda: 0.0)


def read(one: Owners, settings: dict[str, object]) -> None:
    """As a reading of OBS goes, of an input in the daemon's scene."""
    one.mark("GMOTHERSTREAM_1", settings)
    if not one.foreign("GMOTHERSTREAM_1", in_scene=True):
        one.taken("GMOTHERSTREAM_1")


def test_an_input_says_whose_stream_it_was_made_for() -> None:
    one = owners()
    read(one, one.marked({"input": "x"}, "srs:vid-1/c1~2", "alice"))
    assert one.streamer_of("srs:vid-1/c1") == "alice"
    assert one.streamer_of("srs:vid-1/c2") == ""


@pytest.mark.parametrize(
    "settings",
    [
        {OWNER: "other", SESSION: "srs:1/a", STREAMER: "mallory"},
        {SESSION: "srs:1/a", STREAMER: "mallory"},
        {OWNER: "me", SESSION: "srs:1/a", STREAMER: "x" * 1000},
        {OWNER: "me", SESSION: 7, STREAMER: "mallory"},
        {OWNER: "me", SESSION: "srs:1/a", STREAMER: None},
    ],
)
def test_another_s_input_and_nonsense_name_nobody(settings: dict[str, object]) -> None:
    one = owners()
    read(one, settings)
    assert one.streamer_of("srs:1/a") == ""


async def test_what_a_daemon_has_left_that_is_gone_names_whom_it_was_made_for() -> None:
    one, left = owners(), dict[str, object]({OWNER: "old me", SESSION: "srs:1/a", STREAMER: "alice"})
    one.connected()
    read(one, left)
    assert one.streamer_of("srs:1/a") == "", "it may live"
    assert await one.await_answers()
    read(one, left)
    assert one.streamer_of("srs:1/a") == "alice"


def test_without_an_id_of_its_own_a_daemon_marks_nothing() -> None:
    assert owners("").marked({"input": "x"}, "srs:1/a", "alice") == {"input": "x"}
