"""In what OBS 29, 30, 31 and 32 differ, held by the fake of each and by the real one of whatever version it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from simpleobsws import Request

from tests.conformance.houses import CANVAS, OVERLAYS, SCENE, Hands, House
from tests.conformance.test_obs import adapter, box, raw, some_frames
from tests.fakes.obs_client import client
from tests.fakes.obs_events import Intent
from tests.fakes.obs_kinds import input_kinds
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

EVERYTHING = int(Intent.ALL | Intent.INPUT_ACTIVE_STATE_CHANGED | Intent.INPUT_SHOW_STATE_CHANGED) | 1 << 11 | 1 << 19
NOBODY = "00000000-0000-4000-8000-000000000000"

TRANSFORM = (
    "alignment boundsAlignment boundsHeight boundsType boundsWidth cropBottom cropLeft cropRight 30:cropToBounds"
    " cropTop height positionX positionY rotation scaleX scaleY sourceHeight sourceWidth width"
)
ITEM = (
    "inputKind isGroup sceneItemBlendMode sceneItemEnabled sceneItemId sceneItemIndex sceneItemLocked"
    " sceneItemTransform sourceName 30:sourceUuid sourceType"
)
INPUT = "inputKind 31:inputKindCaps inputName 30:inputUuid unversionedInputKind"
VIDEO = "baseHeight baseWidth fpsDenominator fpsNumerator outputHeight outputWidth"

ANSWERS: tuple[tuple[str, dict[str, Any], tuple[str | int, ...], str], ...] = (
    (
        *("GetVersion", {}, ()),
        "availableRequests obsVersion obsWebSocketVersion platform platformDescription rpcVersion"
        " supportedImageFormats",
    ),
    (
        *("GetSceneList", {}, ()),
        "currentPreviewSceneName 30:currentPreviewSceneUuid currentProgramSceneName 30:currentProgramSceneUuid scenes",
    ),
    ("GetSceneList", {}, ("scenes", 0), "sceneIndex sceneName 30:sceneUuid"),
    (
        *("GetCurrentProgramScene", {}, ()),
        "currentProgramSceneName 30:currentProgramSceneUuid 30:sceneName 30:sceneUuid",
    ),
    ("GetInputList", {}, ("inputs", 0), INPUT),
    ("GetVideoSettings", {}, (), VIDEO),
    ("GetSceneItemList", {"sceneName": SCENE}, ("sceneItems", 0), ITEM),
    ("GetSceneItemList", {"sceneName": SCENE}, ("sceneItems", 0, "sceneItemTransform"), TRANSFORM),
    ("GetSceneItemTransform", {"sceneName": SCENE, "sceneItemId": 1}, ("sceneItemTransform",), TRANSFORM),
    ("GetSceneItemId", {"sceneName": SCENE, "sourceName": OVERLAYS[0]}, (), "sceneItemId"),
    ("GetInputSettings", {"inputName": OVERLAYS[0]}, (), "inputKind inputSettings"),
)
"""A request, what of its answer is meant, and the fields of it, each with the version of OBS that has it first."""

EVENTS = {
    "InputCreated": f"{INPUT} inputSettings defaultInputSettings",
    "InputNameChanged": "inputName 30:inputUuid oldInputName",
    "InputRemoved": "inputName 30:inputUuid",
    "InputActiveStateChanged": "inputName 30:inputUuid videoActive",
    "InputShowStateChanged": "inputName 30:inputUuid videoShowing",
    "SceneItemCreated": "sceneItemId sceneItemIndex sceneName 30:sceneUuid sourceName 30:sourceUuid",
    "SceneItemRemoved": "sceneItemId sceneName 30:sceneUuid sourceName 30:sourceUuid",
    "SceneItemSelected": "sceneItemId sceneName 30:sceneUuid",
    "SceneItemEnableStateChanged": "sceneItemEnabled sceneItemId sceneName 30:sceneUuid",
    "SceneItemListReindexed": "sceneItems sceneName 30:sceneUuid",
    "SceneItemTransformChanged": "sceneItemId sceneItemTransform sceneName 30:sceneUuid",
    "SceneCreated": "isGroup sceneName 30:sceneUuid",
    "SceneRemoved": "isGroup sceneName 30:sceneUuid",
    "SceneNameChanged": "oldSceneName sceneName 30:sceneUuid",
    "CurrentProgramSceneChanged": "sceneName 30:sceneUuid",
    "CurrentPreviewSceneChanged": "sceneName 30:sceneUuid",
    "SceneTransitionStarted": "transitionName 30:transitionUuid",
    "SceneTransitionVideoEnded": "transitionName 30:transitionUuid",
    "SceneTransitionEnded": "transitionName 30:transitionUuid",
}


def fields(text: str, house: House) -> set[str]:
    """Those that the house's OBS has. ``30:name``: since OBS 30."""
    split = [name.rpartition(":") for name in text.split()]
    return {name for since, _, name in split if int(since or "0") <= house.version.major}


@dataclass(frozen=True)
class Listener:
    """A client of the house that hears of all that OBS tells anybody."""

    ws: Any
    events: list[tuple[str, Mapping[str, Any]]]

    def heard(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for each, data in self.events if each == kind]

    async def until(self, kind: str, **data: Any) -> None:
        async def told() -> bool:
            return any(data.items() <= each.items() for each in self.heard(kind))

        await until(told)


@dataclass(frozen=True)
class _Address:
    url: str
    password: str


@contextlib.asynccontextmanager
async def listener(house: House) -> AsyncIterator[Listener]:
    address = _Address(f"ws://127.0.0.1:{house.port}", house.password)
    async with client(address, subscriptions=EVERYTHING) as ws:
        listening = Listener(ws, [])

        async def hear(kind: str, data: Any) -> None:
            listening.events.append((kind, data or {}))

        ws.register_event_callback(hear)
        assert await ws.wait_until_identified()
        yield listening


async def test_the_hello_names_obs_from_31_on(house: House) -> None:
    socket, hello = await raw(house)
    obs, websocket = await house.versions()
    assert hello["d"]["obsWebSocketVersion"] == websocket
    assert hello["d"].get("obsStudioVersion", "").startswith(obs if house.version.major >= 31 else "")
    assert hello["d"].keys() == fields("authentication 31:obsStudioVersion obsWebSocketVersion rpcVersion", house)
    await socket.close()


@pytest.mark.parametrize(
    ("request_type", "data", "path", "expected"),
    ANSWERS,
    ids=[f"{row[0]}-{'-'.join(map(str, row[2]))}" for row in ANSWERS],
)
async def test_an_answer_has_the_fields_of_its_version(
    house: House, hands: Hands, request_type: str, data: dict[str, Any], path: tuple[str | int, ...], expected: str
) -> None:
    found: Any = await hands.call(request_type, data)
    for step in path:
        found = found[step]
    assert found.keys() == fields(expected, house)


async def test_what_is_made_is_answered_with_its_uuid_from_30_on(house: House, hands: Hands) -> None:
    name = hands.name()
    about = {"sceneName": SCENE, "inputName": name, "inputKind": "color_source_v3", "inputSettings": {}}
    made = await hands.call("CreateInput", about)
    assert made.keys() == fields("30:inputUuid sceneItemId", house)
    listed = (await hands.call("GetInputList"))["inputs"]
    assert made.get("inputUuid") == next(each for each in listed if each["inputName"] == name).get("inputUuid")
    assert (await hands.items())[-1].get("sourceUuid") == made.get("inputUuid")
    scene = await hands.call("CreateScene", {"sceneName": "made"})
    assert scene.keys() == fields("30:sceneUuid", house)


async def test_an_event_has_the_fields_of_its_version(house: House, hands: Hands) -> None:
    async with listener(house) as listening:
        name, item = await box(hands)
        place = {"sceneName": SCENE, "sceneItemId": item}
        await hands.call("SetSceneItemEnabled", {**place, "sceneItemEnabled": True})
        await hands.call("SetSceneItemIndex", {**place, "sceneItemIndex": 0})
        await hands.call("SetSceneItemTransform", {**place, "sceneItemTransform": {"positionX": 8.0}})
        await hands.call("SetInputName", {"inputName": name, "newInputName": f"{name} renamed"})
        await hands.call("CreateScene", {"sceneName": "a"})
        await hands.call("SetSceneName", {"sceneName": "a", "newSceneName": "b"})
        await hands.call("SetCurrentProgramScene", {"sceneName": "b"})
        await listening.until("SceneTransitionEnded")
        await hands.call("SetCurrentProgramScene", {"sceneName": SCENE})
        await hands.call("SetStudioModeEnabled", {"studioModeEnabled": True})
        try:
            await hands.call("SetCurrentPreviewScene", {"sceneName": "b"})
            await listening.until("CurrentPreviewSceneChanged")
        finally:
            await hands.call("SetStudioModeEnabled", {"studioModeEnabled": False})
        await hands.call("RemoveScene", {"sceneName": "b"})
        await hands.call("RemoveInput", {"inputName": f"{name} renamed"})
        for kind in EVENTS:
            await listening.until(kind)
        for kind, expected in EVENTS.items():
            for data in listening.heard(kind):
                assert data.keys() == fields(expected, house), kind
        for data in listening.heard("SceneItemTransformChanged"):
            assert data["sceneItemTransform"].keys() == fields(TRANSFORM, house)


async def test_the_kinds_of_input_and_their_defaults_are_those_of_the_version(house: House, hands: Hands) -> None:
    kinds = input_kinds(house.version.major, gstreamer=False)
    assert (await hands.call("GetInputKindList"))["inputKinds"] == list(kinds)
    for name, kind in kinds.items():
        answer = await hands.call("GetInputDefaultSettings", {"inputKind": name})
        assert answer["defaultInputSettings"] == kind.defaults, name


async def test_what_an_input_is_able_to_is_told_from_31_on(house: House, hands: Hands) -> None:
    await hands.create(hands.name(), "rtmp://127.0.0.1:1/live/nobody")
    await box(hands)
    listed = (await hands.call("GetInputList"))["inputs"]
    caps = {each["inputKind"]: each.get("inputKindCaps") for each in listed}
    known = house.version.major >= 31
    assert caps == {"ffmpeg_source": 8327 if known else None, "color_source_v3": 32777 if known else None}


# -- UUIDs ---------------------------------------------------------------------------------------------------------


async def test_an_input_is_found_by_its_uuid_whatever_its_name_is_by_then(house: House, hands: Hands) -> None:
    name, _ = await box(hands)
    uuid = (await hands.items())[-1].get("sourceUuid", NOBODY)
    await hands.call("SetInputName", {"inputName": name, "newInputName": "by hand"})
    if not house.version.uuids:
        assert await hands.refused("GetInputSettings", inputUuid=uuid) == 300
        return
    assert (await hands.items())[-1]["sourceUuid"] == uuid
    assert (await hands.call("GetInputSettings", {"inputUuid": uuid}))["inputKind"] == "color_source_v3"
    await hands.call("SetInputName", {"inputUuid": uuid, "newInputName": name})
    assert (await hands.items())[-1]["sourceName"] == name
    await hands.call("RemoveInput", {"inputUuid": uuid})

    async def gone() -> bool:
        return name not in await hands.inputs()

    await until(gone, 3.0)
    assert await hands.refused("GetInputSettings", inputUuid=uuid) == 600


async def test_an_input_that_is_renamed_while_it_opens_is_waited_for_cut_to_and_removed_from_30_on(
    house: House, hands: Hands
) -> None:
    url = await house.publish("renamed")
    async with adapter(house) as rig:
        await rig.up()
        name = hands.name()
        await rig.obs.create_input(name, url)
        seen = rig.watch(name)
        await hands.call("SetInputName", {"inputName": name, "newInputName": "by hand"})
        if not house.version.uuids:
            await rig.until(lambda: seen.failed)
            return
        await rig.until(lambda: seen.ready, 30.0)
        await rig.obs.cut(show=name, hide=(), also_show=None, fade=0.3)

        async def named_again() -> bool:
            return {each["sourceName"] for each in await hands.items() if each["sceneItemEnabled"]} == {*OVERLAYS, name}

        await until(named_again)
        await rig.obs.cut(show=None, hide=(name,), also_show=None, fade=0.0)
        await hands.call("SetInputName", {"inputName": name, "newInputName": "by hand again"})
        await rig.obs.remove_input(name)
        assert await hands.inputs() == set(OVERLAYS)
        assert seen.failed == []


async def test_of_a_name_and_a_uuid_the_name_counts_before_32_and_the_uuid_from_then_on(
    house: House, hands: Hands
) -> None:
    name, _ = await box(hands)
    uuid = (await hands.items())[-1].get("sourceUuid", "")
    right_uuid = await hands.refused("GetInputSettings", inputName="nobody", inputUuid=uuid)
    right_name = await hands.refused("GetInputSettings", inputName=name, inputUuid=NOBODY)
    assert (right_uuid, right_name) == ((0, 600) if house.version.major >= 32 else (600, 0))


async def test_a_request_that_names_nothing_is_refused_as_incomplete(house: House, hands: Hands) -> None:
    codes = [await hands.refused("GetInputSettings", **data) for data in ({"inputName": ""}, {"inputName": 7})]
    codes.append(await hands.refused("GetInputSettings", nothing=True))
    assert codes == ([300, 300, 300] if house.version.uuids else [403, 401, 300])
    assert await hands.refused("GetInputSettings") == (300 if house.version.uuids else 301)


async def test_canvases_are_there_from_32_on_and_ours_is_the_main_one(house: House, hands: Hands) -> None:
    if not house.version.canvases:
        assert await hands.refused("GetCanvasList") == 204
        assert await hands.refused("GetSceneItemList", sceneName=SCENE, canvasUuid=NOBODY) == 0
        return
    (canvas,) = (await hands.call("GetCanvasList"))["canvases"]
    assert canvas.keys() == {"canvasFlags", "canvasName", "canvasUuid", "canvasVideoSettings"}
    assert (canvas["canvasName"], canvas["canvasFlags"]["MAIN"]) == ("Main", True)
    assert canvas["canvasVideoSettings"] == await hands.call("GetVideoSettings")
    for request in ("GetSceneItemList", "GetSceneList"):
        assert await hands.refused(request, sceneName=SCENE, canvasUuid=canvas["canvasUuid"]) == 0
        assert await hands.refused(request, sceneName=SCENE, canvasUuid=NOBODY) == 600


# -- what happens otherwise ----------------------------------------------------------------------------------------


async def test_changed_settings_are_told_from_30_on(house: House, hands: Hands) -> None:
    name, _ = await box(hands)
    async with listener(house) as listening:
        await hands.call("SetInputSettings", {"inputName": name, "inputSettings": {"width": 20}})
        if house.version.tells_settings:
            await listening.until("InputSettingsChanged", inputName=name)
            (told,) = listening.heard("InputSettingsChanged")
            assert told.keys() == {"inputName", "inputUuid", "inputSettings"}
            assert told["inputSettings"]["width"] == 20
        await some_frames(hands)
        assert len(listening.heard("InputSettingsChanged")) == int(house.version.tells_settings)


async def test_the_settings_of_a_filter_that_was_made_by_request_are_told_to_nobody(house: House, hands: Hands) -> None:
    name, _ = await box(hands, shown=True)
    about = {"sourceName": name, "filterName": "f"}
    await hands.call("CreateSourceFilter", {**about, "filterKind": "color_filter_v2", "filterSettings": {}})
    async with listener(house) as listening:
        await some_frames(hands)
        await hands.call("BroadcastCustomEvent", {"eventData": {"number": 1}})
        await listening.until("CustomEvent", number=1)
        listening.events.clear()  # what was told of the input that has come on
        await hands.call("SetSourceFilterSettings", {**about, "filterSettings": {"opacity": 0.5}})
        await some_frames(hands)
        await hands.call("BroadcastCustomEvent", {"eventData": {"number": 2}})
        await listening.until("CustomEvent", number=2)
        assert [kind for kind, _ in listening.events] == ["CustomEvent"]


async def test_between_two_collections_only_29_tells_of_what_goes_and_comes(house: House, hands: Hands) -> None:
    first = (await hands.call("GetSceneCollectionList"))["currentSceneCollectionName"]
    async with listener(house) as listening:
        await hands.call("CreateSceneCollection", {"sceneCollectionName": "another"})
        await listening.until("CurrentSceneCollectionChanged", sceneCollectionName="another")
        await hands.call("SetCurrentSceneCollection", {"sceneCollectionName": first})
        await listening.until("CurrentSceneCollectionChanged", sceneCollectionName=first)
    kinds = [kind for kind, _ in listening.events]
    told = set(kinds) - {
        "CurrentSceneCollectionChanging",
        "CurrentSceneCollectionChanged",
        "SceneCollectionListChanged",
    }
    between = {"InputRemoved", "SceneRemoved", "SceneCreated", "CurrentProgramSceneChanged"}
    assert told & between == (set() if house.version.guards else between)
    assert await hands.inputs() == set(OVERLAYS)


async def test_items_follow_the_canvas_from_31_on_unless_an_older_obs_has_made_them(house: House, hands: Hands) -> None:
    first = (await hands.call("GetSceneCollectionList"))["currentSceneCollectionName"]
    await hands.call("CreateSceneCollection", {"sceneCollectionName": "fresh"})
    larger = {"baseWidth": 960, "baseHeight": 540, "outputWidth": 960, "outputHeight": 540}
    width, height = CANVAS
    usual = {"baseWidth": width, "baseHeight": height, "outputWidth": width, "outputHeight": height}
    try:
        for scene, follows in (("Scene", house.version.relative), (SCENE, False)):
            about = {"inputKind": "color_source_v3", "inputSettings": {"width": 10, "height": 10}}
            name = hands.name()
            made = await hands.call("CreateInput", {"sceneName": scene, "inputName": name, **about})
            place = {"sceneName": scene, "sceneItemId": made["sceneItemId"]}
            bounds = {"boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsWidth": 640.0, "boundsHeight": 360.0}
            wanted = {**bounds, "positionX": 32.0, "positionY": 16.0}
            await hands.call("SetSceneItemTransform", {**place, "sceneItemTransform": wanted})
            await hands.call("SetVideoSettings", larger)
            await some_frames(hands)
            found = (await hands.call("GetSceneItemTransform", place))["sceneItemTransform"]
            factor = 1.5 if follows else 1.0
            for key, value in wanted.items():
                expected = value * factor if isinstance(value, float) else value
                assert found[key] == (pytest.approx(expected, abs=0.01) if isinstance(value, float) else value), key
            assert found["scaleX"] == pytest.approx(factor)
            await hands.call("SetVideoSettings", usual)
            await hands.call("SetCurrentSceneCollection", {"sceneCollectionName": first})
    finally:
        await hands.call("SetVideoSettings", usual)
        await hands.call("SetCurrentSceneCollection", {"sceneCollectionName": first})


async def test_an_obs_that_ends_says_so_and_closes_with_1001(house: House) -> None:
    async with listener(house) as listening, listener(house) as asking:
        codes: list[int] = []

        async def ask() -> None:
            while not asking.ws.recv_task.done():
                answer = await asking.ws.call(Request("GetVersion"), timeout=5)
                codes.append(answer.requestStatus.code)

        asked = asyncio.create_task(ask())
        await house.end()
        try:
            await listening.ws.recv_task
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            assert set(codes) <= ({100, 207} if house.version.guards else {100})
            assert codes == sorted(codes), "what is refused once is refused from then on"
            assert listening.ws.ws.close_code == 1001
            kinds = [kind for kind, _ in listening.events]
            assert kinds.count("ExitStarted") == 1
            # OBS 29 takes its scenes apart before, and clients hear of it as if a hand had done so.
            assert ("InputRemoved" in kinds[: kinds.index("ExitStarted")]) is (not house.version.guards)
        finally:
            await house.begin()
