"""What an input may wear, and what two daemons may say to each other, held by the fake OBS and a real one alike."""

from typing import Any

import pytest

from daemon.obs.connection import Link
from daemon.obs.dressing import SOUND
from daemon.obs.fade import FILTER_KIND
from daemon.obs.inputs import remove
from daemon.obs.owners import OWNER
from daemon.obs.sources import FfmpegSource
from tests.conformance.houses import CANVAS, SCENE, Hands, House
from tests.conformance.test_obs import adapter, box
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


async def test_what_an_operator_sets_on_an_input_is_read_and_set_by_the_same_fields(house: House, hands: Hands) -> None:
    name = hands.name()
    await hands.create(name, await house.publish("dressed"))
    tracks = {str(number): number in (2, 3) for number in range(1, 7)}
    values: dict[str, Any] = {
        "InputVolume": 0.5,
        "InputMute": True,
        "InputAudioBalance": 0.75,
        "InputAudioSyncOffset": 120,
        "InputAudioMonitorType": "OBS_MONITORING_TYPE_MONITOR_ONLY",
        "InputAudioTracks": tracks,
    }
    assert values.keys() == SOUND.keys()
    for kind, value in values.items():
        await hands.call(f"Set{kind}", {"inputName": name, SOUND[kind]: value})
        assert (await hands.call(f"Get{kind}", {"inputName": name}))[SOUND[kind]] == pytest.approx(value)
    silent, _ = await box(hands)
    assert {await hands.refused(f"Get{kind}", inputName=silent) for kind in SOUND} == {604}


async def test_filters_are_appended_moved_disabled_and_overwritten(hands: Hands) -> None:
    name, _ = await box(hands)
    for number in range(3):
        about = {"sourceName": name, "filterName": f"f{number}", "filterKind": FILTER_KIND}
        await hands.call("CreateSourceFilter", {**about, "filterSettings": {"opacity": 0.5, "gamma": 1.0}})
    await hands.call("SetSourceFilterIndex", {"sourceName": name, "filterName": "f2", "filterIndex": 0})
    await hands.call("SetSourceFilterEnabled", {"sourceName": name, "filterName": "f1", "filterEnabled": False})
    new = {"sourceName": name, "filterName": "f0", "filterSettings": {"gamma": 0.5}, "overlay": False}
    await hands.call("SetSourceFilterSettings", new)
    found = (await hands.call("GetSourceFilterList", {"sourceName": name}))["filters"]
    assert [(each["filterName"], each["filterIndex"], each["filterEnabled"]) for each in found] == [
        ("f2", 0, True),
        ("f0", 1, True),
        ("f1", 2, False),
    ]
    assert found[1]["filterSettings"]["gamma"] == 0.5
    assert found[1]["filterSettings"].get("opacity", 1.0) == 1.0


async def test_obs_lives_on_where_the_newest_input_goes_with_all_that_it_wears(hands: Hands) -> None:
    for _ in range(10):
        name, _ = await box(hands)
        for number in range(3):
            about = {"sourceName": name, "filterName": f"f{number}", "filterKind": FILTER_KIND}
            await hands.call("CreateSourceFilter", {**about, "filterSettings": {"opacity": 0.5}})
        await remove(hands.link, SCENE, name)
        assert name not in await hands.inputs()


async def test_settings_that_a_kind_does_not_know_are_kept(house: House, hands: Hands) -> None:
    name = hands.name()
    await hands.create(name, await house.publish("marked"))
    marked = {"inputName": name, "inputSettings": {OWNER: "abc"}, "overlay": True}
    await hands.call("SetInputSettings", marked)
    assert (await hands.call("GetInputSettings", {"inputName": name}))["inputSettings"][OWNER] == "abc"


async def test_a_custom_event_reaches_every_client(house: House, hands: Hands) -> None:
    other = Hands(await Link.open("127.0.0.1", house.port, house.password, seconds=10.0))
    await other.call("BroadcastCustomEvent", {"eventData": {"motherstream_asks": "abc"}})
    await hands.event("CustomEvent", motherstream_asks="abc")
    await other.event("CustomEvent", motherstream_asks="abc")
    await other.link.close()


async def test_what_is_set_on_an_input_is_told_to_others(house: House, hands: Hands) -> None:
    other = Hands(await Link.open("127.0.0.1", house.port, house.password, seconds=10.0))
    name = hands.name()
    await other.create(name, await house.publish("heard"))
    await other.call("SetInputVolume", {"inputName": name, "inputVolumeMul": 0.5})
    await hands.event("InputVolumeChanged", inputName=name)
    await other.call("SetInputAudioTracks", {"inputName": name, "inputAudioTracks": {"1": False}})
    await hands.event("InputAudioTracksChanged", inputName=name)
    about = {"sourceName": name, "filterName": "f", "filterKind": FILTER_KIND, "filterSettings": {}}
    await other.call("CreateSourceFilter", about)
    await hands.event("SourceFilterCreated", sourceName=name, filterName="f")
    await other.call("RemoveSourceFilter", {"sourceName": name, "filterName": "f"})
    await hands.event("SourceFilterRemoved", sourceName=name, filterName="f")
    await other.link.close()


async def test_a_fresh_input_wears_what_the_template_wears(house: House, hands: Hands) -> None:
    model = "MODEL"
    item = await hands.create(model, "rtmp://127.0.0.1:1/live/nobody")
    await hands.call("SetInputVolume", {"inputName": model, "inputVolumeMul": 0.25})
    await hands.call("SetInputMute", {"inputName": model, "inputMuted": True})
    tracks = {"1": False, "2": True, "3": False, "4": False, "5": False, "6": False}
    await hands.call("SetInputAudioTracks", {"inputName": model, "inputAudioTracks": tracks})
    for number in range(2):
        about = {"sourceName": model, "filterName": f"f{number}", "filterKind": FILTER_KIND}
        await hands.call("CreateSourceFilter", {**about, "filterSettings": {"gamma": 0.5}})
    await hands.call("SetSourceFilterEnabled", {"sourceName": model, "filterName": "f0", "filterEnabled": False})
    box = {"boundsType": "OBS_BOUNDS_STRETCH", "boundsWidth": 100.0, "boundsHeight": 50.0, "positionX": 30.0}
    place = {"sceneName": SCENE, "sceneItemId": item, "sceneItemTransform": {**box, "cropLeft": 4}}
    await hands.call("SetSceneItemTransform", place)
    url = await house.publish("wearer")
    async with adapter(house, template=model) as rig:
        await rig.up()
        name = hands.name()
        await rig.obs.create_input(name, url)
        await rig.obs.place_input(name, 2)
        for kind, field in SOUND.items():
            wanted = await hands.call(f"Get{kind}", {"inputName": model})
            assert (await hands.call(f"Get{kind}", {"inputName": name}))[field] == wanted[field]
        wanted = await hands.call("GetSourceFilterList", {"sourceName": model})
        assert await hands.call("GetSourceFilterList", {"sourceName": name}) == wanted
        worn = next(each for each in await hands.items() if each["sourceName"] == name)
        assert {key: worn["sceneItemTransform"][key] for key in (*box, "cropLeft")} == {**box, "cropLeft": 4}
        assert not worn["sceneItemEnabled"]


async def test_a_canvas_that_changes_while_it_runs_is_filled(house: House, hands: Hands) -> None:
    url = await house.publish("wide")
    async with adapter(house) as rig:
        await rig.up()
        name = hands.name()
        await rig.obs.create_input(name, url)
        await rig.obs.place_input(name, 0)
        try:
            new = {"baseWidth": 800, "baseHeight": 450, "outputWidth": 800, "outputHeight": 450}
            await hands.call("SetVideoSettings", new)

            async def filled() -> bool:
                found = next(each for each in await hands.items() if each["sourceName"] == name)
                return bool(found["sceneItemTransform"]["boundsWidth"] == 800.0)

            await until(filled)
            assert rig.obs.canvas == (800, 450)
        finally:
            width, height = CANVAS
            old = {"baseWidth": width, "baseHeight": height, "outputWidth": width, "outputHeight": height}
            await hands.call("SetVideoSettings", old)


async def test_a_canvas_of_another_shape_is_filled_in_a_fresh_collection_too(house: House, hands: Hands) -> None:
    """There items follow the canvas by themselves from OBS 31 on, and those across from its middle."""
    first = (await hands.call("GetSceneCollectionList"))["currentSceneCollectionName"]
    width, height = CANVAS
    try:
        await hands.call("CreateSceneCollection", {"sceneCollectionName": "reshaped"})
        async with adapter(house, scene="Scene") as rig:
            await rig.up()
            name = hands.name()
            await rig.obs.create_input(name, "rtmp://127.0.0.1:1/live/nobody")
            await rig.obs.place_input(name, 0)
            for new in ((800, 600), (960, 400), CANVAS):
                sizes = {"baseWidth": new[0], "baseHeight": new[1], "outputWidth": new[0], "outputHeight": new[1]}
                await hands.call("SetVideoSettings", sizes)

                async def filled(size: tuple[int, int] = new) -> bool:
                    (item,) = (await hands.call("GetSceneItemList", {"sceneName": "Scene"}))["sceneItems"]
                    found = item["sceneItemTransform"]
                    keys = ("positionX", "positionY", "boundsWidth", "boundsHeight")
                    return [found[key] for key in keys] == pytest.approx([0.0, 0.0, *size], abs=0.1)

                await until(filled, 5.0)
    finally:
        old = {"baseWidth": width, "baseHeight": height, "outputWidth": width, "outputHeight": height}
        await hands.call("SetVideoSettings", old)
        await hands.call("SetCurrentSceneCollection", {"sceneCollectionName": first})


async def test_a_media_source_says_by_its_settings_whether_it_plays_its_url_or_a_local_file(
    house: House, hands: Hands
) -> None:
    name, url = hands.name(), "rtmp://127.0.0.1:1/live/nobody"
    await hands.create(name, url)

    async def played() -> str | None:
        answer = await hands.call("GetInputSettings", {"inputName": name})
        return FfmpegSource().url(answer["inputSettings"])

    assert await played() == url
    local = {"inputName": name, "inputSettings": {"is_local_file": True, "local_file": ""}}
    await hands.call("SetInputSettings", local)
    assert await played() is None
    await hands.call("RemoveInput", {"inputName": name})
