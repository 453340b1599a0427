"""Inputs of the fake OBS play, stand still, fail and restart as measured on real ones."""

from typing import Any

import pytest

from tests.fakes import FakeClock, FakeObs, Stream
from tests.fakes.obs_client import FFMPEG, GSTREAMER, PIPELINE, URL, Caller, enable


async def test_gstreamer_says_playing_long_before_its_first_frame(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream(1.0, width=640)
    await call.create("one", "gstreamer-source", GSTREAMER)
    assert await call.status("one") == ("OPENING", None, 0)
    await clock.advance(0.1)
    assert await call.status("one") == ("PLAYING", 0, 0)
    await clock.advance(1.0)
    assert await call.status("one") == ("PLAYING", 100, 640)
    await clock.advance(0.5)
    assert await call.status("one") == ("PLAYING", 600, 640)


async def test_gstreamer_may_say_buffering_first(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.streams[URL] = Stream(3.0, buffering=2.0)
    await call.create("one", "gstreamer-source", GSTREAMER)
    await clock.advance(1.0)
    assert (await call.status("one"))[0] == "BUFFERING"
    await clock.advance(1.5)
    assert (await call.status("one"))[0] == "PLAYING"


async def test_a_hidden_gstreamer_input_with_stop_on_hide_never_starts(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream()
    item = await call.create("one", "gstreamer-source", {"pipeline": PIPELINE})
    await clock.advance(60)
    assert await call.status("one") == ("NONE", None, 0)
    await call.batch(enable(item, True))
    await clock.advance(1)
    assert (await call.status("one"))[0] == "PLAYING"


@pytest.mark.parametrize(("kind", "settings"), [("gstreamer-source", GSTREAMER), ("ffmpeg_source", FFMPEG)])
async def test_a_stopped_publisher_leaves_an_input_playing_and_still(
    fake_obs: FakeObs, call: Caller, clock: FakeClock, kind: str, settings: dict[str, Any]
) -> None:
    fake_obs.streams[URL] = Stream(0.2, buffer=0.5)
    await call.create("one", kind, settings)
    await clock.advance(1.2)
    fake_obs.streams[URL].frozen = True
    await clock.advance(60)
    assert await call.status("one") == ("PLAYING", 1500, 1280)
    fake_obs.streams[URL].frozen = False
    await clock.advance(1)
    assert await call.status("one") == ("PLAYING", 2500, 1280)


@pytest.mark.parametrize(("kind", "settings"), [("gstreamer-source", GSTREAMER), ("ffmpeg_source", FFMPEG)])
async def test_a_stream_that_nobody_publishes_plays_without_a_frame_until_somebody_does(
    fake_obs: FakeObs, call: Caller, clock: FakeClock, kind: str, settings: dict[str, Any]
) -> None:
    await call.create("one", kind, settings)
    await clock.advance(60)
    assert await call.status("one") == ("PLAYING", 0, 0)
    fake_obs.streams[URL] = Stream(0.2)
    await clock.advance(1.2)
    assert await call.status("one") == ("PLAYING", 1000, 1280)


async def test_a_newcomer_to_a_frozen_stream_gets_what_the_server_has_cached(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream(0.2, frozen=True, cached=2.0)
    await call.create("one", "gstreamer-source", GSTREAMER)
    await clock.advance(60)
    assert await call.status("one") == ("PLAYING", 2000, 1280)
    assert fake_obs.inputs["one"].medium.frozen


async def test_a_refused_connection_is_an_error_for_gstreamer_and_comes_and_goes_for_ffmpeg(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream(refused=True)
    await call.create("g", "gstreamer-source", GSTREAMER | {"restart_on_error": True, "restart_timeout": 2000})
    await call.create("f", "ffmpeg_source", FFMPEG | {"reconnect_delay_sec": 1})
    await clock.advance(0.5)
    assert await call.status("g") == ("ERROR", None, 0)
    assert await call.status("f") == ("ENDED", None, 0)
    fake_obs.streams[URL].refused = False
    await clock.advance(3)
    assert (await call.status("g"))[0] == (await call.status("f"))[0] == "PLAYING"


async def test_the_end_of_a_stream_clears_the_picture(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.streams[URL] = Stream()
    await call.create("g", "gstreamer-source", GSTREAMER | {"restart_on_eos": False})
    await call.create("f", "ffmpeg_source", FFMPEG)
    await clock.advance(1)
    fake_obs.streams[URL].end()
    assert await call.status("g") == await call.status("f") == ("ENDED", None, 0)


async def test_ffmpeg_restarts_itself_when_shown_unless_told_not_to(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream()
    kept = await call.create("GMOTHERSTREAM_1", "ffmpeg_source", FFMPEG)
    await clock.advance(1)
    mark = fake_obs.program.mark()
    await call.batch(enable(kept, True))
    await clock.advance(1)
    assert fake_obs.program.blanks(mark) == []
    await call("RemoveInput", inputName="GMOTHERSTREAM_1")
    item = await call.create("GMOTHERSTREAM_2", "ffmpeg_source", {"is_local_file": False, "input": URL})
    await clock.advance(1)
    assert await call.status("GMOTHERSTREAM_2") == ("NONE", None, 0)
    mark = fake_obs.program.mark()
    await call.batch(enable(item, True))
    assert await call.status("GMOTHERSTREAM_2") == ("PLAYING", 0, 0)
    await clock.advance(1)
    assert fake_obs.program.on_air == "GMOTHERSTREAM_2"
    assert sum(shot.frames for shot in fake_obs.program.shots[mark:] if shot.own and shot.on_air is None) >= 8


async def test_showing_a_failed_gstreamer_input_leaks_its_pipeline(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    item = await call.create("one", "gstreamer-source", {"pipeline": "nonsense !", "stop_on_hide": False})
    assert await call.status("one") == ("ERROR", None, 0)
    await call.batch(enable(item, True))
    assert fake_obs.inputs["one"].medium.lost_pipelines == 1


async def test_two_screenshots_differ_while_it_moves(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.streams[URL] = Stream()
    await call.create("one", "gstreamer-source", GSTREAMER)
    picture = {"sourceName": "one", "imageFormat": "png", "imageWidth": 16}
    assert (await call("GetSourceScreenshot", **picture))[0] == 702
    await clock.advance(1)
    first = await call("GetSourceScreenshot", **picture)
    await clock.advance(0.5)
    assert await call("GetSourceScreenshot", **picture) != first
    fake_obs.streams[URL].frozen = True
    await clock.advance(1)
    last = await call("GetSourceScreenshot", **picture)
    await clock.advance(1)
    assert await call("GetSourceScreenshot", **picture) == last
