"""What the adapter rests on, held by the fake OBS and by the real one alike; and the adapter itself on both."""

import asyncio
import base64
import hashlib
from typing import Any

import msgpack
import pytest
import websockets

from daemon.obs.connection import Link, PasswordRefused, Request
from daemon.obs.fade import FILTER, FILTER_KIND, VOLUMES
from daemon.obs.priming import SIZE, shows_something
from statemachine import events as ev
from tests.conformance.houses import CANVAS, OVERLAYS, SCENE, Hands, House
from tests.daemon.obs.rig import Rig, config
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


def show(item: int, shown: bool) -> Request:
    return Request("SetSceneItemEnabled", {"sceneName": SCENE, "sceneItemId": item, "sceneItemEnabled": shown})


async def box(hands: Hands, *, shown: bool = False) -> tuple[str, int]:
    """A coloured box in the scene: its name and its item."""
    name = hands.name()
    about = {"sceneName": SCENE, "inputName": name, "inputKind": "color_source_v3", "inputSettings": {}}
    return name, int((await hands.call("CreateInput", {**about, "sceneItemEnabled": shown}))["sceneItemId"])


async def frames(hands: Hands) -> int:
    return int((await hands.call("GetStats"))["renderTotalFrames"])


async def _lacks(hands: Hands, name: str) -> bool:
    return name not in await hands.inputs()


async def some_frames(hands: Hands, count: int = 5) -> None:
    """Let OBS render."""
    goal = await frames(hands) + count

    async def enough() -> bool:
        return await frames(hands) >= goal

    await until(enough)


async def picture(hands: Hands, item: int) -> None:
    """Wait for the first frame."""

    async def wide() -> bool:
        return await hands.width(item) > 0

    await until(wide)


# -- getting in ----------------------------------------------------------------------------------------------------


async def raw(house: House) -> tuple[Any, dict[str, Any]]:
    """A bare socket, and the Hello that came over it."""
    subprotocol: Any = "obswebsocket.msgpack"
    socket = await websockets.connect(f"ws://127.0.0.1:{house.port}", subprotocols=[subprotocol])
    return socket, msgpack.unpackb(await socket.recv())


async def test_hello_offers_the_challenge_and_the_right_answer_identifies(house: House) -> None:
    socket, hello = await raw(house)
    assert hello["op"] == 0
    assert hello["d"]["rpcVersion"] == 1
    offer = hello["d"]["authentication"]
    secret = base64.b64encode(hashlib.sha256((house.password + offer["salt"]).encode()).digest())
    answer = base64.b64encode(hashlib.sha256(secret + offer["challenge"].encode()).digest()).decode()
    await socket.send(msgpack.packb({"op": 1, "d": {"rpcVersion": 1, "authentication": answer}}))
    assert msgpack.unpackb(await socket.recv()) == {"op": 2, "d": {"negotiatedRpcVersion": 1}}
    await socket.close()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"op": 1, "d": {"rpcVersion": 1, "authentication": "wrong"}}, 4009),
        ({"op": 1, "d": {"rpcVersion": 1}}, 4009),
        ({"op": 6, "d": {"requestType": "GetVersion", "requestId": "1"}}, 4007),
    ],
)
async def test_who_is_not_let_in_is_told_why_by_the_close_code(
    house: House, message: dict[str, Any], code: int
) -> None:
    socket, _ = await raw(house)
    await socket.send(msgpack.packb(message))
    await socket.wait_closed()
    assert socket.close_code == code


async def test_a_wrong_password_is_told_apart_from_a_missing_obs(house: House) -> None:
    with pytest.raises(PasswordRefused):
        await Link.open("127.0.0.1", house.port, "wrong", seconds=10.0)


async def test_what_settling_reads_is_there(house: House, hands: Hands) -> None:
    version = await hands.call("GetVersion")
    assert (version["obsVersion"], version["obsWebSocketVersion"]) == await house.versions()
    assert "png" in version["supportedImageFormats"]
    assert SCENE in {each["sceneName"] for each in (await hands.call("GetSceneList"))["scenes"]}
    kinds = (await hands.call("GetInputKindList"))["inputKinds"]
    assert "ffmpeg_source" in kinds
    assert "gstreamer-source" not in kinds
    video = await hands.call("GetVideoSettings")
    assert (video["baseWidth"], video["baseHeight"]) == CANVAS
    assert video["fpsNumerator"] / video["fpsDenominator"] == 30


async def test_rendered_frames_are_counted(hands: Hands) -> None:
    await some_frames(hands)


# -- inputs and items ----------------------------------------------------------------------------------------------


async def test_an_input_is_created_hidden_on_top_of_the_scene(hands: Hands) -> None:
    name, item = await box(hands)
    last = (await hands.items())[-1]
    assert (last["sourceName"], last["sceneItemId"], last["sceneItemEnabled"]) == (name, item, False)


async def test_refusals_bear_the_codes_that_the_adapter_knows(hands: Hands) -> None:
    name, item = await box(hands)
    again = {"sceneName": SCENE, "inputName": name, "inputKind": "color_source_v3", "inputSettings": {}}
    assert await hands.refused("CreateInput", **again) == 601
    assert await hands.refused("CreateInput", **{**again, "inputName": "x", "inputKind": "gstreamer-source"}) == 605
    assert await hands.refused("CreateInput", **{**again, "inputName": "x", "sceneName": "nowhere"}) == 600
    assert await hands.refused("GetSceneItemList", sceneName="nowhere") == 600
    for request in ("RemoveInput", "GetInputSettings", "GetMediaInputStatus", "GetInputVolume"):
        assert await hands.refused(request, inputName="nobody") == 600
    for request in ("GetSceneItemTransform", "RemoveSceneItem"):
        assert await hands.refused(request, sceneName=SCENE, sceneItemId=item + 1000) == 600
    assert await hands.refused("CreateSourceFilter", sourceName="nobody", filterName="f", filterKind=FILTER_KIND) == 600
    assert await hands.refused("RemoveSourceFilter", sourceName=name, filterName="f") == 600
    assert await hands.refused("GetNoSuchThing") == 204


async def test_index_0_is_the_bottom_and_an_item_goes_to_the_index_that_it_is_given(hands: Hands) -> None:
    name, item = await box(hands)
    for index in (0, 2, len(OVERLAYS), 1):
        await hands.call("SetSceneItemIndex", {"sceneName": SCENE, "sceneItemId": item, "sceneItemIndex": index})
        expected = list(OVERLAYS)
        expected.insert(index, name)
        items = await hands.items()
        assert [each["sourceName"] for each in items] == expected
        assert [each["sceneItemIndex"] for each in items] == list(range(len(expected)))


async def test_a_removed_input_is_gone_from_the_list_after_a_while_and_its_item_with_it(hands: Hands) -> None:
    name, _ = await box(hands)
    await some_frames(hands, 15)  # the window of OBS 32 may hang over an input that goes as it comes
    await hands.call("RemoveInput", {"inputName": name})
    await until(lambda: _lacks(hands, name), 3.0)
    assert name not in {each["sourceName"] for each in await hands.items()}


async def test_a_removed_input_keeps_its_name_while_another_scene_is_the_program(hands: Hands) -> None:
    name, item = await box(hands)
    await hands.call("CreateScene", {"sceneName": "break"})
    await hands.call("SetCurrentProgramScene", {"sceneName": "break"})
    await some_frames(hands, 15)  # OBS crosses from one scene to the other, and renders both until it is over
    await hands.call("RemoveInput", {"inputName": name})
    await some_frames(hands)
    assert name in await hands.inputs()
    await hands.call("RemoveSceneItem", {"sceneName": SCENE, "sceneItemId": item})

    await until(lambda: _lacks(hands, name), 3.0)


# -- batches -------------------------------------------------------------------------------------------------------


async def test_a_frame_batch_does_all_in_order_and_answers_for_each(hands: Hands) -> None:
    (_, one), (_, two) = await box(hands, shown=True), await box(hands)
    results = await hands.batch([show(two, True), show(one, False)], frame=True, halt=True)
    assert [(result.kind, result.code) for result in results] == [("SetSceneItemEnabled", 100)] * 2
    shown = {each["sceneItemId"]: each["sceneItemEnabled"] for each in await hands.items()}
    assert (shown[one], shown[two]) == (False, True)


async def test_a_frame_batch_that_halts_does_nothing_after_its_first_failure(hands: Hands) -> None:
    _, item = await box(hands)
    results = await hands.batch([show(item + 1000, True), show(item, True)], frame=True, halt=True)
    assert [result.code for result in results] == [600]
    assert not (await hands.items())[-1]["sceneItemEnabled"]


async def test_a_batch_that_does_not_halt_goes_on(hands: Hands) -> None:
    _, item = await box(hands)
    results = await hands.batch([show(item + 1000, True), show(item, True)])
    assert [result.code for result in results] == [600, 100]
    assert (await hands.items())[-1]["sceneItemEnabled"]


async def test_frames_slept_in_a_batch_are_rendered(hands: Hands) -> None:
    before = await frames(hands)
    results = await hands.batch([Request("Sleep", {"sleepFrames": 6}), Request("GetStats")], frame=True)
    assert [result.code for result in results] == [100, 100]
    assert await frames(hands) - before >= 6


# -- media ---------------------------------------------------------------------------------------------------------


async def test_playing_is_said_before_there_is_a_picture(house: House, hands: Hands) -> None:
    url = await house.publish("early")

    async def caught() -> bool:
        name = hands.name()
        media = Request("GetMediaInputStatus", {"inputName": name})
        place = Request("GetSceneItemTransform", {"sceneName": SCENE, "sceneItemId": await hands.create(name, url)})
        shot = Request("GetSourceScreenshot", {"sourceName": name, "imageFormat": "png"})
        while True:
            state, size, picture = await hands.batch([media, place, shot])
            if state.data["mediaState"] == "OBS_MEDIA_STATE_PLAYING":
                return size.data["sceneItemTransform"]["sourceWidth"] == 0 and picture.code == 702

    await until(caught)  # on one or another: a busy machine may look too late


async def test_a_hidden_input_comes_to_a_width_and_its_cursor_moves(house: House, hands: Hands) -> None:
    url = await house.publish("moving")
    name = hands.name()
    item = await hands.create(name, url)
    await picture(hands, item)
    assert await hands.width(item) == CANVAS[0]
    _, first = await hands.status(name)

    async def moved() -> bool:
        return ((await hands.status(name))[1] or 0) > (first or 0)

    await until(moved, 5.0)


async def test_a_hidden_input_can_be_rendered_by_a_screenshot(house: House, hands: Hands) -> None:
    url = await house.publish("primed")
    name = hands.name()
    item = await hands.create(name, url)
    await picture(hands, item)
    about = {"sourceName": name, "imageFormat": "png", "imageWidth": SIZE, "imageHeight": SIZE}

    async def seen() -> bool:
        return shows_something((await hands.call("GetSourceScreenshot", about))["imageData"])

    await until(seen, 5.0)


async def test_a_stream_that_nobody_publishes_is_playing_and_never_has_a_picture(house: House, hands: Hands) -> None:
    url = (await house.publish("present")).replace("present", "absent")
    name = hands.name()
    item = await hands.create(name, url)
    await some_frames(hands, 45)
    assert (await hands.status(name))[0] == "PLAYING"
    assert await hands.width(item) == 0


@pytest.mark.parametrize("end", ["freeze", "crash"])
async def test_an_input_whose_publisher_is_gone_says_playing_for_ever_and_its_cursor_stands_still(
    house: House, hands: Hands, end: str
) -> None:
    url = await house.publish("dying")
    name = hands.name()
    item = await hands.create(name, url, shown=True)
    await picture(hands, item)
    await (house.freeze("dying") if end == "freeze" else house.crash("dying"))

    async def still() -> bool:
        before = await hands.status(name)
        await some_frames(hands, 12)
        return before == await hands.status(name)

    await until(still)
    assert (await hands.status(name))[0] == "PLAYING"
    assert await hands.width(item) == CANVAS[0]


# -- filters and sound ---------------------------------------------------------------------------------------------


async def test_a_fade_filter_is_made_set_and_taken_away_between_frames(house: House, hands: Hands) -> None:
    name = hands.name()
    await hands.create(name, await house.publish("faded"), shown=True)
    at = {"sourceName": name, "filterName": FILTER}
    made = {**at, "filterKind": FILTER_KIND, "filterSettings": {"opacity": 0.0, VOLUMES: {name: 0.5}}}
    await hands.call("CreateSourceFilter", made)
    assert (await hands.call("GetSourceFilter", at))["filterSettings"][VOLUMES] == {name: 0.5}
    assert await hands.refused("CreateSourceFilter", **made) == 601
    steps = [
        request
        for share in (0.25, 0.5, 1.0)
        for request in (
            Request("SetSourceFilterSettings", {**at, "filterSettings": {"opacity": share}}),
            Request("SetInputVolume", {"inputName": name, "inputVolumeMul": share}),
            Request("Sleep", {"sleepFrames": 1}),
        )
    ]
    results = await hands.batch([*steps, Request("RemoveSourceFilter", at)], frame=True, halt=True)
    assert {result.code for result in results} == {100}
    assert (await hands.call("GetSourceFilterList", {"sourceName": name}))["filters"] == []
    assert (await hands.call("GetInputVolume", {"inputName": name}))["inputVolumeMul"] == 1.0


# -- events --------------------------------------------------------------------------------------------------------


async def test_a_change_by_hand_is_told_to_others(house: House, hands: Hands) -> None:
    other = Hands(await Link.open("127.0.0.1", house.port, house.password, seconds=10.0))
    name, item = await box(other)
    await hands.event("InputCreated", inputName=name)
    await other.batch([show(item, True)], frame=True)
    await hands.event("SceneItemEnableStateChanged", sceneName=SCENE, sceneItemId=item, sceneItemEnabled=True)
    await other.call("SetInputName", {"inputName": name, "newInputName": f"{name} renamed"})
    await hands.event("InputNameChanged", oldInputName=name, inputName=f"{name} renamed")
    await other.call("RemoveInput", {"inputName": f"{name} renamed"})
    await hands.event("InputRemoved", inputName=f"{name} renamed")
    await hands.event("SceneItemRemoved", sceneName=SCENE, sceneItemId=item)
    await other.call("CreateScene", {"sceneName": "another"})
    await hands.event("SceneCreated", sceneName="another")
    await other.call("SetSceneName", {"sceneName": "another", "newSceneName": "still another"})
    await hands.event("SceneNameChanged", oldSceneName="another", sceneName="still another")
    await other.call("RemoveScene", {"sceneName": "still another"})
    await hands.event("SceneRemoved", sceneName="still another")
    await other.link.close()


# -- the adapter ---------------------------------------------------------------------------------------------------


def adapter(house: House, **obs: Any) -> Rig:
    return Rig(
        config(
            house.port,
            house.password,
            obs={"request_timeout": 5.0, **obs},
            sources={"width": CANVAS[0], "height": CANVAS[1], "ffmpeg": {"ffmpeg_options": "fpsprobesize=0"}},
        ),
        pace=house.pace,
    )


async def test_hand_overs_by_cut_and_by_fade_leave_one_input_and_no_trace(house: House, hands: Hands) -> None:
    urls = [await house.publish("alice"), await house.publish("bob")]
    async with adapter(house) as rig:
        await rig.up()
        assert rig.obs.info.source_kind == "ffmpeg_source"
        outgoing: tuple[str, ...] = ()
        name = ""
        for number, fade in enumerate((0.0, 0.0, 0.3)):
            name = hands.name()
            await rig.obs.create_input(name, urls[number % 2])
            assert await rig.obs.place_input(name, 2) == 2
            seen = rig.watch(name)
            await rig.until(lambda seen=seen: seen.ready, 30.0)  # type: ignore[misc]  # bound as it is now
            await rig.obs.cut(show=name, hide=outgoing, also_show=None, fade=fade)
            shown = {each["sourceName"] for each in await hands.items() if each["sceneItemEnabled"]}
            assert shown == {*OVERLAYS, name}
            for left in outgoing:
                await rig.obs.remove_input(left)
            outgoing = (name,)
        assert [mine.stream for mine in (await rig.obs.inventory()).inputs if mine.name == name] == ["live/alice"]
        items = await hands.items()
        assert [each["sourceName"] for each in items] == [OVERLAYS[0], name, *OVERLAYS[1:]]
        transform = items[1]["sceneItemTransform"]
        assert transform["boundsType"] == "OBS_BOUNDS_SCALE_INNER"
        assert (transform["boundsWidth"], transform["boundsHeight"]) == CANVAS
        assert (await hands.call("GetSourceFilterList", {"sourceName": name}))["filters"] == []
        assert (await hands.call("GetInputVolume", {"inputName": name}))["inputVolumeMul"] == 1.0
        assert await hands.inputs() == {*OVERLAYS, name}
        assert (await rig.obs.inventory()).inputs == (ev.OwnInput(name, True, "live/alice"),)


async def test_a_frozen_publisher_is_a_stall_and_its_return_is_told(house: House, hands: Hands) -> None:
    url = await house.publish("frozen")
    async with adapter(house) as rig:
        await rig.up()
        name = hands.name()
        seen = await rig.on_air(name, url)
        await house.freeze("frozen")
        await rig.until(lambda: seen.stalled)
        await house.thaw("frozen")
        await rig.until(lambda: seen.resumed, 30.0)
        assert seen.failed == []


async def test_hands_on_an_own_input_are_told(house: House, hands: Hands) -> None:
    url = await house.publish("touched")
    async with adapter(house) as rig:
        await rig.up()
        name = hands.name()
        await rig.on_air(name, url)
        item = next(each["sceneItemId"] for each in await hands.items() if each["sourceName"] == name)

        def read(*inputs: ev.OwnInput) -> bool:
            return rig.count(ev.InventoryRead) > 0 and rig.last(ev.InventoryRead).inventory.inputs == inputs

        await rig.until(lambda: read(ev.OwnInput(name, True, "live/touched")))
        await hands.call("SetSceneItemEnabled", {"sceneName": SCENE, "sceneItemId": item, "sceneItemEnabled": False})
        await rig.until(lambda: read(ev.OwnInput(name, False, "live/touched")))
        await hands.call("RemoveInput", {"inputName": name})
        await rig.until(read)


async def test_an_input_is_aimed_anew(house: House, hands: Hands) -> None:
    urls = [await house.publish("first"), await house.publish("second")]
    async with adapter(house) as rig:
        await rig.up()
        name = hands.name()
        await rig.ready(name, urls[0])
        await rig.obs.park_input(name)
        await rig.obs.create_input(name, urls[1], reuse=True)
        seen = rig.watch(name)
        await rig.until(lambda: seen.ready, 30.0)
        assert (await rig.obs.inventory()).inputs == (ev.OwnInput(name, False, "live/second"),)


async def test_an_obs_that_crashes_is_lost_and_found_again(house: House, hands: Hands) -> None:
    async with adapter(house) as rig:
        await rig.up()
        await house.restart()
        await rig.until(lambda: rig.count(ev.ObsReady) == 2, 30.0)
        assert [type(event) for event in rig.events] == [ev.ObsReady, ev.ObsLost, ev.ObsReady]


async def test_an_obs_that_freezes_is_lost_and_found_again(house: House, hands: Hands) -> None:
    async with adapter(house) as rig:
        await rig.up()
        await house.stop_answering()
        try:
            await rig.until(lambda: rig.count(ev.ObsLost), 20.0)
        finally:
            await house.answer_again()
        await rig.until(lambda: rig.count(ev.ObsReady) == 2, 30.0)
        assert "OBS is connected but unresponsive" in rig.last(ev.ObsLost).reason


async def test_two_daemons_worth_of_calls_at_once_are_each_answered(hands: Hands) -> None:
    asked = [hands.call("GetInputSettings", {"inputName": name}) for name in OVERLAYS * 10]
    answers = await asyncio.gather(*asked)
    assert {answer["inputKind"] for answer in answers} == {"color_source_v3"}
