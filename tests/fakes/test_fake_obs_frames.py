"""What the fake OBS puts in one frame, and what its program recorder sees."""

import asyncio
from itertools import cycle

import pytest
from simpleobsws import Request

from tests.fakes import FakeClock, FakeObs, Stream
from tests.fakes.obs_client import GSTREAMER, SCENE, URL, Caller, client, enable


async def _two_inputs(call: Caller, fake_obs: FakeObs, clock: FakeClock) -> tuple[int, int]:
    fake_obs.streams[URL] = Stream()
    old = await call.create("GMOTHERSTREAM_1", "gstreamer-source", GSTREAMER, shown=True)
    new = await call.create("GMOTHERSTREAM_2", "gstreamer-source", GSTREAMER)
    await clock.advance(1)
    return old, new


async def test_a_batch_between_frames_cuts_in_one_frame(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    old, new = await _two_inputs(call, fake_obs, clock)
    assert await call.batch(enable(new, True), enable(old, False)) == [100, 100]
    await clock.advance(1)
    fake_obs.program.assert_seamless()
    assert [(cut.outgoing, cut.incoming, cut.clean) for cut in fake_obs.program.cuts()] == [
        ("GMOTHERSTREAM_1", "GMOTHERSTREAM_2", True)
    ]


async def test_hiding_first_by_plain_requests_is_seen_as_a_blank_however_fast(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    old, new = await _two_inputs(call, fake_obs, clock)
    mark = fake_obs.program.mark()
    await call.ws.call(enable(old, False))
    await call.ws.call(enable(new, True))
    assert [shot.own for shot in fake_obs.program.blanks(mark)] == [()]
    with pytest.raises(AssertionError, match="blank"):
        fake_obs.program.assert_seamless(mark)


async def test_showing_first_by_plain_requests_is_seen_as_two_at_once(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    old, new = await _two_inputs(call, fake_obs, clock)
    await call.ws.call(enable(new, True))
    await call.ws.call(enable(old, False))
    assert [shot.own for shot in fake_obs.program.doubles()] == [("GMOTHERSTREAM_1", "GMOTHERSTREAM_2")]


async def test_showing_an_input_without_a_picture_is_seen_as_a_blank(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    old, _ = await _two_inputs(call, fake_obs, clock)
    late = await call.create("GMOTHERSTREAM_3", "gstreamer-source", GSTREAMER)
    await call.batch(enable(late, True), enable(old, False))
    assert fake_obs.program.now.on_air is None
    assert fake_obs.program.blanks() != []


SLOW = 3.0
"""Frames a second, where OBS makes 30: in nine of ten frames no picture is due."""


def shot(name: str) -> Request:
    return Request("GetSourceScreenshot", {"sourceName": name, "imageFormat": "png", "imageWidth": 8, "imageHeight": 8})


async def _one_slow_input(call: Caller, fake_obs: FakeObs, clock: FakeClock) -> int:
    """Hidden, and just past a picture that nobody saw."""
    fake_obs.streams[URL] = Stream(fps=SLOW)
    item = await call.create("GMOTHERSTREAM_1", "gstreamer-source", GSTREAMER)
    await clock.advance(1)
    while not fake_obs.inputs["GMOTHERSTREAM_1"].medium.due:
        await clock.advance(1 / 30)
    await clock.advance(1 / 30)
    return item


async def test_a_hidden_input_that_is_shown_between_two_pictures_is_blank_until_the_next(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    item = await _one_slow_input(call, fake_obs, clock)
    mark = fake_obs.program.mark()
    await call.batch(enable(item, True))
    await clock.advance(1)
    blank, seen = fake_obs.program.shots[mark + 1 :]
    assert (blank.own, blank.on_air, blank.frames) == (("GMOTHERSTREAM_1",), None, 8)
    assert (seen.on_air, seen.stale) == ("GMOTHERSTREAM_1", False)


async def test_an_input_that_was_rendered_long_ago_is_shown_as_it_was_then(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    item = await _one_slow_input(call, fake_obs, clock)
    await call.batch(enable(item, True))
    await clock.advance(1)
    await call.batch(enable(item, False))
    await clock.advance(60)
    mark = fake_obs.program.mark()
    await call.batch(enable(item, True))
    await clock.advance(1)
    assert [shot.on_air for shot in fake_obs.program.stales(mark)] == ["GMOTHERSTREAM_1"]
    assert not fake_obs.program.now.stale
    with pytest.raises(AssertionError, match="stale"):
        fake_obs.program.assert_seamless(mark)


async def test_a_screenshot_in_each_frame_misses_no_picture(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    item = await _one_slow_input(call, fake_obs, clock)
    mark = fake_obs.program.mark()
    each = [request for _ in range(10) for request in (shot("GMOTHERSTREAM_1"), Request("Sleep", {"sleepFrames": 1}))]
    await call.batch(*each, enable(item, True))
    await clock.advance(1)
    fake_obs.program.assert_seamless(mark)
    assert fake_obs.program.blanks(mark, rendered_only=True) == []
    assert [shot.own for shot in fake_obs.program.shots[mark + 1 :]] == [("GMOTHERSTREAM_1",)]


class Jittery(FakeClock):
    """Wakes each sleeper a little late, never by the same amount twice in a row, as a busy machine does."""

    def __init__(self) -> None:
        super().__init__()
        self._late = cycle((0.0, 0.03, 0.005, 0.02, 0.012))

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + next(self._late) if seconds > 0 else seconds)


async def test_a_frame_that_is_rendered_late_takes_the_pictures_of_the_time_when_it_was_due() -> None:
    clock = Jittery()
    async with FakeObs(clock=clock) as fake_obs, client(fake_obs) as ws:
        assert await ws.wait_until_identified()
        fake_obs.streams[URL] = Stream(fps=15)
        await Caller(ws).create("GMOTHERSTREAM_1", "gstreamer-source", GSTREAMER)
        await clock.advance(1)
        medium, due = fake_obs.inputs["GMOTHERSTREAM_1"].medium, list[bool]()

        def look() -> bool:
            due.append(medium.due)
            return False

        fake_obs.studio.renderer.between_frames(look)
        await clock.advance(3)
        assert due[:80] == [due[0], not due[0]] * 40


async def test_a_batch_stops_at_its_first_failure_only_when_asked(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {})
    requests = enable(1, True), enable(99, True), enable(1, False)
    assert await call.batch(*requests) == [100, 600, 100]
    assert await call.batch(*requests, halt_on_failure=True) == [100, 600]


async def test_frames_slept_in_a_batch_lie_between_its_requests(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {})
    mark = fake_obs.program.mark()
    assert await call.batch(enable(1, True), Request("Sleep", {"sleepFrames": 5}), enable(1, False)) == [100, 100, 100]
    shown = [shot for shot in fake_obs.program.shots[mark:] if shot.layers]
    assert [shot.frames for shot in shown] == [5]


async def test_a_fade_is_seen_in_the_opacity_of_each_frame(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    await call.create("GMOTHERSTREAM_1", "color_source_v3", {}, shown=True)
    where = {"sourceName": "GMOTHERSTREAM_1", "filterName": "fade"}
    await call("CreateSourceFilter", **where, filterKind="color_filter_v2", filterSettings={"opacity": 0.0})
    assert fake_obs.program.on_air is None
    steps = []
    for opacity in (0.25, 0.5, 1.0):
        steps += [Request("SetSourceFilterSettings", {**where, "filterSettings": {"opacity": opacity}})]
        steps += [Request("Sleep", {"sleepFrames": 1})]
    mark = fake_obs.program.mark()
    await call.batch(*steps)
    assert [shot.layers[0].opacity for shot in fake_obs.program.shots[mark:]] == [0.0, 0.25, 0.5, 1.0]


async def test_variables_pass_from_one_request_of_a_batch_to_the_next(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {})
    first = Request("GetSceneItemId", {"sceneName": SCENE, "sourceName": "one"}, None, {"found": "sceneItemId"})
    then = Request("GetSceneItemEnabled", {"sceneName": SCENE}, {"sceneItemId": "found"})
    assert await call.batch(first, then, variables={"any": 1}) == [100, 100]


async def test_on_its_own_clock_frames_go_by_in_real_time() -> None:
    async with FakeObs(fps=60) as fake, client(fake) as ws:
        await ws.wait_until_identified()
        before = (await ws.call(Request("GetStats"))).responseData["renderTotalFrames"]
        await fake.wait_for(lambda: fake.studio.renderer.frames > before + 3)
        fake.streams[URL] = Stream(0.02)
        await Caller(ws).create("one", "gstreamer-source", GSTREAMER)
        await fake.wait_for(lambda: fake.inputs["one"].cursor > 0)
        assert await asyncio.wait_for(Caller(ws).batch(enable(1, True)), 5) == [100]
