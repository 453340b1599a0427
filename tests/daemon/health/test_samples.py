"""Samples of the fake OBS."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from daemon.core.ports import ObsGone, ObsTimeout
from daemon.core.readings import PLAYING
from daemon.health.samples import Sampler, SampleSources, read_size
from statemachine.view import View
from tests.daemon.health.figures import place, view
from tests.daemon.health.wire import WireObs
from tests.fakes import FakeClock, FakeObs, Stream
from tests.fakes.obs_client import GSTREAMER, SCENE, URL, Caller, client

ONE = "GMOTHERSTREAM_1"


class Set:
    """Alice is on air, on a stream that flows."""

    def __init__(self, fake: FakeObs, clock: FakeClock, obs: WireObs) -> None:
        self.fake = fake
        self.clock = clock
        self.obs = obs
        self.view: View = view("alice", place("alice"), place("bob", 1))
        self.received: int | None = None
        self.output: Mapping[str, Any] = {}
        self.sampler = Sampler(
            SampleSources(obs, lambda: self.view, lambda session: self.received, clock.now, output=lambda: self.output),
            scene=lambda: SCENE,
            period=lambda: 5.0,
        )

    async def pass_by(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.obs.beat()
        await self.obs.watch(ONE)


@pytest.fixture
async def stage() -> AsyncIterator[Set]:
    clock = FakeClock()
    async with FakeObs(clock=clock) as fake, client(fake) as ws:
        assert await ws.wait_until_identified()
        call = Caller(ws)
        fake.streams[URL] = Stream()
        await call.create(ONE, "gstreamer-source", GSTREAMER, shown=True)
        made = Set(fake, clock, WireObs(fake, clock, call))
        await made.pass_by(2)
        yield made


async def test_a_picture_that_plays_is_sampled_with_its_pace_and_its_size(stage: Set) -> None:
    await stage.sampler.take(stage.view)
    await stage.pass_by(1)
    sample = await stage.sampler.take(stage.view)
    assert (sample.connected, sample.streamer, sample.input, sample.waiting) == (True, "alice", ONE, 1)
    assert sample.state == PLAYING
    assert sample.progress == pytest.approx(1.0, abs=0.1)
    assert (sample.width, sample.height) == (1280, 720)
    assert (sample.still, sample.resized) == (0.0, False)
    assert sample.fps == 30.0
    assert sample.render_lag == 0.0


async def test_a_publisher_that_stops_leaves_a_picture_that_stands_still(stage: Set) -> None:
    stage.fake.streams[URL].frozen = True
    await stage.pass_by(2)
    await stage.sampler.take(stage.view)
    await stage.pass_by(3)
    sample = await stage.sampler.take(stage.view)
    assert sample.state == PLAYING
    assert sample.progress == 0.0
    assert sample.still == pytest.approx(3.0)


async def test_a_sample_costs_one_small_request_and_the_input_itself_is_not_asked(stage: Set) -> None:
    await stage.sampler.take(stage.view)
    stage.obs.asked.clear()
    await stage.sampler.take(stage.view)
    assert stage.obs.asked == ["GetSceneItemTransform"]


async def test_nobody_on_air_costs_no_request(stage: Set) -> None:
    stage.view = view("", place("bob"))
    sample = await stage.sampler.take(stage.view)
    assert stage.obs.asked == []
    assert (sample.input, sample.state, sample.width, sample.waiting) == ("", None, None, 1)
    assert sample.fps == 30.0


async def test_an_obs_that_is_gone_leaves_what_is_known_without_it(stage: Set) -> None:
    stage.obs.info.connected = False
    stage.received = 1000
    sample = await stage.sampler.take(stage.view)
    assert stage.obs.asked == []
    assert (sample.connected, sample.streamer, sample.received) == (False, "alice", 1000)
    assert (sample.fps, sample.state, sample.still) == (None, None, 0.0)


@pytest.mark.parametrize("error", [ObsGone("it is gone"), ObsTimeout("GetSceneItemTransform", 5)])
async def test_an_obs_that_does_not_answer_costs_the_size_alone(stage: Set, error: Exception) -> None:
    assert isinstance(error, ObsGone | ObsTimeout)
    stage.obs.error = error
    sample = await stage.sampler.take(stage.view)
    assert (sample.width, sample.height, sample.resized) == (None, None, False)
    assert sample.state == PLAYING


async def test_an_item_that_was_put_in_again_by_hand_is_found_again(stage: Set) -> None:
    await stage.sampler.take(stage.view)
    call = stage.obs.call
    item = stage.fake.item(ONE).id
    await call("CreateSceneItem", {"sceneName": SCENE, "sourceName": ONE})
    await call("RemoveSceneItem", {"sceneName": SCENE, "sceneItemId": item})
    assert (await stage.sampler.take(stage.view)).width is None
    assert (await stage.sampler.take(stage.view)).width == 1280


async def test_an_item_in_a_group_has_its_size(stage: Set) -> None:
    scene = stage.fake.studio.scene(SCENE)
    stage.fake.studio.group(scene, "CAMERAS", [stage.fake.item(ONE)], enabled=True)
    sample = await stage.sampler.take(stage.view)
    assert (sample.width, sample.height) == (1280, 720)
    assert (await stage.sampler.take(stage.view)).width == 1280
    assert stage.obs.asked.count("GetSceneItemId") == 1


async def test_a_picture_that_changes_its_size_says_so_once(stage: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.sampler.take(stage.view)
    call = stage.obs.call

    async def smaller(request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = await call(request, data)
        if request == "GetSceneItemTransform":
            answer["sceneItemTransform"] = {"sourceWidth": 640.0, "sourceHeight": 360.0}
        return answer

    monkeypatch.setattr(stage.obs, "call", smaller)
    assert (await stage.sampler.take(stage.view)).resized is True
    assert (await stage.sampler.take(stage.view)).resized is False


async def test_the_next_streamers_size_is_no_change(stage: Set) -> None:
    await stage.sampler.take(stage.view)
    caller = stage.obs
    data = {"sceneName": SCENE, "inputName": "GMOTHERSTREAM_2", "inputKind": "color_source_v3"}
    await caller.call("CreateInput", {**data, "inputSettings": {"width": 320, "height": 240}})
    stage.view = view("bob", place("bob"), name="GMOTHERSTREAM_2")
    sample = await stage.sampler.take(stage.view)
    assert (sample.width, sample.height, sample.resized) == (320, 240, False)
    assert sample.state is None


async def test_an_input_is_stuck_where_bytes_come_in_and_its_picture_stands_still(stage: Set) -> None:
    stuck = []
    for second in range(40):
        if second == 12:
            stage.fake.streams[URL].frozen = True
        await stage.pass_by(1)
        stage.received = 375_000 * (second - second % 5)
        stuck.append((await stage.sampler.take(stage.view)).stuck)
    assert not any(stuck[:20])
    assert all(stuck[25:])


async def test_a_stream_that_sends_nothing_is_not_the_inputs_fault(stage: Set) -> None:
    for second in range(40):
        if second == 12:
            stage.fake.streams[URL].frozen = True
        await stage.pass_by(1)
        stage.received = 375_000 * min(second, 12) + second  # players acknowledge what they get
        assert not (await stage.sampler.take(stage.view)).stuck


async def test_the_bitrate_comes_from_what_the_ingest_server_received(stage: Set) -> None:
    rates = []
    for second in range(20):
        stage.received = 375_000 * (second - second % 5)
        rates.append((await stage.sampler.take(stage.view)).bitrate)
        await stage.clock.advance(1)
    assert rates[0] is None
    assert rates[-1] == pytest.approx(3000.0)


async def test_what_the_output_drops_is_a_share_of_what_it_sends(stage: Set) -> None:
    stage.output = {"outputActive": True, "outputSkippedFrames": 0, "outputTotalFrames": 0}
    await stage.sampler.take(stage.view)
    stage.output = {"outputActive": True, "outputSkippedFrames": 6, "outputTotalFrames": 60}
    sample = await stage.sampler.take(stage.view)
    assert sample.dropped == pytest.approx(0.1)
    assert sample.streaming is True
    stage.output = {}
    assert (await stage.sampler.take(stage.view)).streaming is None


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        ({"sceneItemTransform": {"sourceWidth": 1280.0, "sourceHeight": 720.0}}, (1280, 720)),
        ({"sceneItemTransform": {"sourceWidth": 0.0, "sourceHeight": 0.0}}, None),
        ({"sceneItemTransform": {"sourceWidth": "wide"}}, None),
        ({"sceneItemTransform": None}, None),
        ({}, None),
    ],
)
def test_a_size_is_read_where_there_is_one(answer: dict[str, Any], size: tuple[int, int] | None) -> None:
    assert read_size(answer) == size
