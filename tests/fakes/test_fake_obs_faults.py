"""The fake OBS can be broken in each of the ways in which a real one, or the way to it, breaks."""

import asyncio

import pytest
import simpleobsws
from simpleobsws import Request
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.fakes import BATCH, FakeClock, FakeObs, Fault, Spoil, Stream
from tests.fakes.obs_client import GSTREAMER, SCENE, URL, Caller, client, enable

SOON = 0.2  # seconds for a call that is to time out
VERSION = Request("GetVersion")


# Answers


async def test_a_lost_answer_times_out_though_the_request_was_carried_out(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.lose("CreateScene", executes=True)
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(Request("CreateScene", {"sceneName": "new"}), timeout=SOON)
    assert fake_obs.studio.current.source("new") is not None
    assert (await call("CreateScene", sceneName="new"))[0] == 601


async def test_a_lost_request_times_out_and_is_never_carried_out(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.lose("CreateScene", executes=False)
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(Request("CreateScene", {"sceneName": "new"}), timeout=SOON)
    assert fake_obs.studio.current.source("new") is None


async def test_a_refusal_set_for_one_input_strikes_that_one_alone(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.add(Fault("CreateInput", None, when=lambda data: data["inputName"] == "bad", code=700))
    data = {"sceneName": SCENE, "inputKind": "color_source_v3"}
    assert (await call("CreateInput", inputName="bad", **data)) == (700, None)
    assert (await call("CreateInput", inputName="good", **data)) == {"sceneItemId": 1}


async def test_a_delayed_request_is_carried_out_later(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.faults.delay("CreateScene", 3.0)
    pending = asyncio.create_task(call("CreateScene", sceneName="new"))
    await call("GetVersion")
    await clock.advance(2.9)
    assert fake_obs.studio.current.source("new") is None
    await clock.advance(0.2)
    assert await pending is None
    assert fake_obs.studio.current.source("new") is not None


@pytest.mark.parametrize("how", [Spoil.NO_REQUEST_ID, Spoil.NO_OP, Spoil.NOT_A_MAP])
async def test_some_spoilt_answers_kill_the_receive_loop_in_silence(
    fake_obs: FakeObs, call: Caller, how: Spoil
) -> None:
    fake_obs.faults.spoil("GetVersion", how)
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(VERSION, timeout=SOON)
    assert isinstance(call.ws.recv_task.exception(), KeyError | TypeError)
    assert call.ws.ws_open
    assert call.ws.identified
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(VERSION, timeout=SOON)


@pytest.mark.parametrize("how", [Spoil.GARBAGE, Spoil.TRUNCATED, Spoil.TEXT])
async def test_other_spoilt_answers_are_skipped(fake_obs: FakeObs, call: Caller, how: Spoil) -> None:
    fake_obs.faults.spoil("GetVersion", how)
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(VERSION, timeout=SOON)
    assert (await call("GetVersion"))["obsVersion"] == "29.0.2"


async def test_half_an_answer_is_a_key_error_in_the_call(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.spoil("GetVersion", Spoil.NO_STATUS)
    with pytest.raises(KeyError):
        await call("GetVersion")
    fake_obs.faults.spoil("GetVersion", Spoil.EMPTY_DATA)
    assert await call("GetVersion") == {}
    fake_obs.faults.spoil(BATCH, Spoil.NO_RESULTS)
    with pytest.raises(KeyError):
        await call.batch(VERSION)


async def test_a_poisoned_event_kills_the_receive_loop_in_silence(fake_obs: FakeObs, call: Caller) -> None:
    await fake_obs.poison()
    with pytest.raises(KeyError):
        await call.ws.recv_task
    assert call.ws.ws_open


async def test_an_obs_that_is_not_ready_answers_207(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.not_ready = True
    assert await call("GetVersion") == (207, "OBS is not ready to perform the request.")
    fake_obs.faults.clear()
    assert isinstance(await call("GetVersion"), dict)


async def test_something_can_happen_at_the_very_moment_of_a_request(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {})
    fake_obs.faults.before("SetSceneItemEnabled", lambda: fake_obs.studio.remove_scene(SCENE))
    assert await call.batch(enable(1, True)) == [600]


# Order


async def _answers_in_order(seed: int) -> list[int]:
    order: list[int] = []
    async with FakeObs(clock=FakeClock(), jitter=1.0, seed=seed) as fake, client(fake) as ws:
        await ws.wait_until_identified()

        async def ask(number: int) -> None:
            await ws.call(VERSION)
            order.append(number)

        await asyncio.gather(*(ask(number) for number in range(8)))
    return order


async def test_answers_keep_no_order_and_the_disorder_goes_by_the_seed() -> None:
    orders = [await _answers_in_order(seed) for seed in (1, 1, 2)]
    assert sorted(orders[0]) == list(range(8))
    assert orders[0] != list(range(8))
    assert orders[0] == orders[1] != orders[2]


async def test_events_can_be_dropped_doubled_and_overtaken(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    heard: list[str] = []

    async def on_event(event: str, data: object) -> None:
        heard.append(event)

    call.ws.register_event_callback(on_event)
    fake_obs.faults.drop_events("SceneItemSelected")
    fake_obs.faults.repeat_events("SceneItemCreated")
    fake_obs.faults.delay_events("InputCreated", 1.0)
    await call.create("one", "ffmpeg_source", {}, shown=True)
    await clock.advance(2)
    await call("GetVersion")
    assert heard == ["SceneItemCreated", "SceneItemCreated", "MediaInputActionTriggered", "InputCreated"]


# The connection


@pytest.mark.parametrize("code", [1001, 4009, 4011])
async def test_a_kick_closes_with_its_code(fake_obs: FakeObs, call: Caller, code: int) -> None:
    await fake_obs.kick(code)
    await call.ws.recv_task
    assert call.ws.ws.close_code == code


async def test_a_dropped_connection_has_no_goodbye(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.drop()
    await call.ws.recv_task
    assert call.ws.ws.close_code == 1006
    await fake_obs.wait_for(lambda: fake_obs.clients == 0)


async def test_a_connection_can_be_accepted_and_never_upgraded(fake_obs: FakeObs) -> None:
    fake_obs.faults.upgrades = False
    ws = simpleobsws.WebSocketClient(fake_obs.url, fake_obs.password)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ws.connect(), SOON)


async def test_a_client_left_waiting_does_not_hold_up_the_end(clock: FakeClock) -> None:
    async with FakeObs(clock=clock) as fake:
        fake.faults.upgrades = False
        waiting = asyncio.create_task(simpleobsws.WebSocketClient(fake.url, "").connect())
        await fake.wait_for(lambda: fake.server.left_waiting)
    with pytest.raises((OSError, InvalidHandshake, EOFError)):
        await waiting


async def test_a_connection_can_be_upgraded_and_get_no_hello(fake_obs: FakeObs) -> None:
    fake_obs.faults.hello = False
    async with client(fake_obs) as ws:
        assert not await ws.wait_until_identified(timeout=SOON)


async def test_a_deaf_obs_answers_neither_calls_nor_pings(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.deafen()
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(Request("CreateScene", {"sceneName": "new"}), timeout=SOON)
    pong = await call.ws.ws.ping()
    assert not pong.done()
    fake_obs.hear()
    await pong
    await fake_obs.wait_for(lambda: fake_obs.studio.current.source("new"))


async def test_an_obs_that_does_not_listen_answers_pings_all_the_same(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.faults.listens = False
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.ws.call(VERSION, timeout=SOON)
    await asyncio.wait_for(await call.ws.ws.ping(), 5)


# The renderer


async def test_a_dead_renderer_counts_no_frames_and_answers_no_batch(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    await call.create("one", "color_source_v3", {})
    fake_obs.stall()
    before = (await call("GetStats"))["renderTotalFrames"]
    with pytest.raises(simpleobsws.MessageTimeout):
        await call.batch(enable(1, True), timeout=SOON)
    await clock.advance(5)
    assert (await call("GetStats"))["renderTotalFrames"] == before
    assert not fake_obs.item("one").enabled
    fake_obs.unstall()
    await clock.advance(0.1)
    assert fake_obs.item("one").enabled


async def test_batches_stuck_behind_a_dead_renderer_use_up_the_pool(clock: FakeClock) -> None:
    async with FakeObs(clock=clock, workers=2) as fake, client(fake) as ws:
        await ws.wait_until_identified()
        fake.stall()
        for _ in range(2):
            with pytest.raises(simpleobsws.MessageTimeout):
                await Caller(ws).batch(VERSION, timeout=SOON)
        with pytest.raises(simpleobsws.MessageTimeout):
            await ws.call(VERSION, timeout=SOON)


# Coming and going


async def test_a_stopped_obs_says_1001_and_comes_back_on_the_same_port(fake_obs: FakeObs, call: Caller) -> None:
    port = fake_obs.port
    await fake_obs.stop()
    await call.ws.recv_task
    assert (call.ws.ws.close_code, call.ws.ws.close_reason) == (1001, "Server stopping.")
    with pytest.raises(OSError, match="Connect call failed"):
        await simpleobsws.WebSocketClient(fake_obs.url, fake_obs.password).connect()
    await fake_obs.start()
    assert fake_obs.port == port
    async with client(fake_obs) as ws:
        assert await ws.wait_until_identified()


async def test_a_restart_without_leftovers_has_empty_scenes(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("GMOTHERSTREAM_1", "color_source_v3", {}, shown=True)
    await fake_obs.restart(leftovers=False)
    assert fake_obs.inputs == {}
    assert fake_obs.scene_items() == []
    assert fake_obs.studio.renderer.frames == 0


async def test_a_restart_with_leftovers_plays_them_from_the_start(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    fake_obs.streams[URL] = Stream(0.5)
    await call.create("GMOTHERSTREAM_1", "gstreamer-source", GSTREAMER, shown=True)
    await clock.advance(2)
    await fake_obs.restart(leftovers=True, abrupt=True)
    assert fake_obs.item("GMOTHERSTREAM_1").enabled
    assert fake_obs.inputs["GMOTHERSTREAM_1"].cursor == 0
    async with client(fake_obs) as ws:
        await ws.wait_until_identified()
        await clock.advance(1)
        assert (await Caller(ws).status("GMOTHERSTREAM_1"))[0] == "PLAYING"
    assert fake_obs.program.on_air == "GMOTHERSTREAM_1"


async def test_hands_at_the_studio_change_what_a_client_sees(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {}, shown=True)
    fake_obs.studio.hide("one")
    assert await call("GetSceneItemEnabled", sceneName=SCENE, sceneItemId=1) == {"sceneItemEnabled": False}
    fake_obs.studio.rename(SCENE, "renamed")
    assert (await call("GetSceneItemList", sceneName=SCENE))[0] == 600
    fake_obs.studio.remove_scene("renamed")
    assert fake_obs.inputs == {}
    assert (await call("GetCurrentProgramScene")) == {"currentProgramSceneName": "Scene"}


async def test_a_stream_that_cannot_be_sent_stops_by_itself(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.studio.stream.fails = True
    assert await call("StartStream") is None
    await clock.advance(1)
    assert (await call("GetStreamStatus"))["outputActive"] is False
    fake_obs.studio.stream.fails = False
    await call("StartStream")
    await clock.advance(1)
    assert (await call("GetStreamStatus"))["outputActive"] is True
    assert await call("StartStream") == (500, None)


async def test_a_call_on_a_closed_connection_fails_at_once(fake_obs: FakeObs, call: Caller) -> None:
    fake_obs.drop()
    with pytest.raises((ConnectionClosed, simpleobsws.MessageTimeout, simpleobsws.NotIdentifiedError)):
        await call.ws.call(VERSION, timeout=SOON)
