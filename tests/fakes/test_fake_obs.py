"""The fake OBS has obs-websocket's manners, and its scenes behave as OBS's do."""

from typing import Any

import pytest
from simpleobsws import Request

from tests.fakes import FakeClock, FakeObs
from tests.fakes.obs_client import SCENE, Caller, client, enable
from tests.fakes.obs_faults import pack
from tests.fakes.obs_versions import OBS_30, OBS_31, OBS_32, Version

# The wire


async def test_a_wrong_password_is_told_by_close_code_4009(fake_obs: FakeObs) -> None:
    async with client(fake_obs, password="wrong") as ws:
        await ws.recv_task
        assert (ws.ws.close_code, ws.ws.close_reason) == (4009, "Authentication failed.")
        assert not ws.identified


async def test_no_password_is_asked_for_where_none_is_set(clock: FakeClock) -> None:
    async with FakeObs(clock=clock, password=None) as fake, client(fake) as ws:
        assert await ws.wait_until_identified()


async def test_events_come_only_to_those_who_subscribe(fake_obs: FakeObs) -> None:
    heard: dict[str, list[str]] = {"scenes": [], "inputs": []}

    async def on_scenes(event: str, data: Any) -> None:
        heard["scenes"].append(event)

    async def on_inputs(event: str, data: Any) -> None:
        heard["inputs"].append(event)

    async with client(fake_obs, subscriptions=1 << 2) as scenes, client(fake_obs, subscriptions=1 << 3) as inputs:
        scenes.register_event_callback(on_scenes)
        inputs.register_event_callback(on_inputs)
        await scenes.wait_until_identified()
        await inputs.wait_until_identified()
        fake_obs.studio.create_scene("another")
        fake_obs.studio.create_input(fake_obs.studio.scene("another"), "colour", "color_source_v3", {})
        await fake_obs.wait_for(lambda: fake_obs.clients == 2)
        for ws in (scenes, inputs):  # an answer comes after the events that went before it
            await ws.call(Request("GetVersion"))
    assert heard == {"scenes": ["SceneCreated", "SceneListChanged"], "inputs": ["InputCreated"]}


async def test_reidentifying_changes_the_subscriptions(fake_obs: FakeObs) -> None:
    async with client(fake_obs, subscriptions=0) as ws:
        await ws.wait_until_identified()
        await fake_obs.wait_for(lambda: fake_obs.clients == 1)
        await ws.ws.send(pack({"op": 3, "d": {"eventSubscriptions": 4}}))
        await fake_obs.wait_for(lambda: fake_obs.server.sessions[0].subscriptions == 4)


@pytest.mark.parametrize(
    ("request_type", "data", "refusal"),
    [
        ("Nonsense", {}, (204, "Your request type is not valid.")),
        ("Sleep", {"sleepMillis": 1}, (206, None)),
        ("CreateScene", {}, (301, "Your request data is missing or invalid (non-object)")),
        ("CreateScene", {"name": "x"}, (300, "Your request is missing the `sceneName` field.")),
        ("CreateScene", {"sceneName": 5}, (401, "The field value of `sceneName` must be a string.")),
        ("CreateScene", {"sceneName": ""}, (403, "The field value of `sceneName` must not be empty.")),
        ("CreateScene", {"sceneName": SCENE}, (601, "A source already exists by that scene name.")),
        ("GetSceneItemList", {"sceneName": "x"}, (600, "No source was found by the name of `x`.")),
        (
            "GetSceneItemEnabled",
            {"sceneName": SCENE, "sceneItemId": 9},
            (600, f"No scene items were found in scene `{SCENE}` with the ID `9`."),
        ),
        (
            "GetSceneItemEnabled",
            {"sceneName": SCENE, "sceneItemId": -1},
            (402, "The field value of `sceneItemId` is below the minimum of `0.000000`"),
        ),
        ("GetInputSettings", {"inputName": SCENE}, (602, "The specified source is not an input.")),
        ("StopStream", {}, (501, None)),
        ("GetInputDefaultSettings", {"inputKind": "x"}, (605, None)),
    ],
)
async def test_a_refusal_has_obs_websockets_code_and_words(
    call: Caller, request_type: str, data: dict[str, Any], refusal: tuple[int, str | None]
) -> None:
    assert await call(request_type, **data) == refusal


async def test_an_unknown_kind_and_a_taken_name_are_told_apart(clock: FakeClock) -> None:
    async with FakeObs(clock=clock, gstreamer=False) as fake, client(fake) as ws:
        await ws.wait_until_identified()
        call = Caller(ws)
        data = {"sceneName": SCENE, "inputName": "one"}
        assert (await call("CreateInput", **data, inputKind="gstreamer-source"))[0] == 605
        assert (await call("CreateInput", **data, inputKind="ffmpeg_source"))["sceneItemId"] == 1
        assert (await call("CreateInput", **data, inputKind="ffmpeg_source"))[0] == 601
        assert "gstreamer-source" not in (await call("GetInputKindList"))["inputKinds"]


async def test_what_was_requested_is_logged_in_order(fake_obs: FakeObs, call: Caller) -> None:
    await call("GetVersion")
    item = await call.create("one", "color_source_v3", {})
    await call.batch(enable(item, True))
    assert [name for name, _ in fake_obs.requests] == ["GetVersion", "CreateInput", "SetSceneItemEnabled"]
    assert fake_obs.requested("SetSceneItemEnabled") == [enable(item, True).requestData]
    assert [logged.batch for logged in fake_obs.calls] == [None, None, 1]


# Scenes


async def test_index_0_is_the_bottom_and_a_new_item_comes_on_top(fake_obs: FakeObs, call: Caller) -> None:
    for name in ("a", "b", "c"):
        await call.create(name, "color_source_v3", {}, shown=True)
    await call("SetSceneItemIndex", sceneName=SCENE, sceneItemId=3, sceneItemIndex=0)
    assert [item.name for item in fake_obs.scene_items()] == ["c", "a", "b"]
    await call("SetSceneItemIndex", sceneName=SCENE, sceneItemId=3, sceneItemIndex=99)
    assert [item.name for item in fake_obs.scene_items()] == ["a", "b", "c"]


async def test_a_removed_input_keeps_its_name_until_a_frame_is_rendered(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    await call.create("one", "color_source_v3", {})
    assert await call("RemoveInput", inputName="one") is None
    assert "one" in fake_obs.inputs
    again = {"sceneName": SCENE, "inputName": "one", "inputKind": "color_source_v3"}
    assert (await call("CreateInput", **again))[0] == 601
    await clock.advance(0.1)
    assert "one" not in fake_obs.inputs
    assert fake_obs.scene_items() == []


async def test_a_removed_input_stays_while_its_scene_is_not_rendered(
    fake_obs: FakeObs, call: Caller, clock: FakeClock
) -> None:
    await call.create("one", "color_source_v3", {})
    await call("SetCurrentProgramScene", sceneName="Scene")
    await call("RemoveInput", inputName="one")
    await clock.advance(5)
    assert "one" in fake_obs.inputs
    await call("RemoveSceneItem", sceneName=SCENE, sceneItemId=1)
    assert "one" not in fake_obs.inputs


async def test_a_leaking_obs_never_lets_an_input_go(fake_obs: FakeObs, call: Caller, clock: FakeClock) -> None:
    fake_obs.studio.leak_inputs = True
    await call.create("one", "color_source_v3", {})
    await call("RemoveInput", inputName="one")
    await clock.advance(60)
    assert fake_obs.inputs["one"].leaked
    assert fake_obs.scene_items() == []


@pytest.mark.parametrize("version", [OBS_30, OBS_31, OBS_32], ids=lambda version: version.obs)
async def test_between_two_collections_an_obs_from_30_on_is_not_ready(clock: FakeClock, version: Version) -> None:
    async with FakeObs(clock=clock, version=version) as fake, client(fake) as ws:
        await ws.wait_until_identified()
        call = Caller(ws)
        fake.studio.begin_collection_change("Other")
        assert await call("GetSceneList") == (207, "OBS is not ready to perform the request.")
        assert await call.batch(Request("GetSceneList")) == [207]
        fake.studio.finish_collection_change()
        assert [scene["sceneName"] for scene in (await call("GetSceneList"))["scenes"]] == ["Scene"]


async def test_between_two_collections_there_is_nothing(fake_obs: FakeObs, call: Caller) -> None:
    await call.create("one", "color_source_v3", {})
    fake_obs.studio.begin_collection_change("Other")
    assert (await call("GetSceneList"))["scenes"] == []
    assert (await call("GetInputList"))["inputs"] == []
    fake_obs.studio.finish_collection_change()
    assert (await call("GetSceneCollectionList"))["sceneCollections"] == ["Other", "Untitled"]
    await call("SetCurrentSceneCollection", sceneCollectionName="Untitled")
    assert list(fake_obs.inputs) == ["one"]
