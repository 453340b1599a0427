"""The scene's items on a real OBS: the slate in a group, hands on the items, a template, a canvas that changes."""

from typing import Any

import pytest

from daemon.studio import Studio, default_overlays, free_port
from daemon.studio.channel import Channel, on_air
from daemon.studio.errors import ObsCallError
from daemon.studio.scene import Canvas, group, slate_item
from tests.e2e.live import NOT_FOUND, QUICK, live, own_inputs, shown
from tests.e2e.support import becomes
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

SOUND: dict[str, dict[str, Any]] = {
    "InputVolume": {"inputVolumeMul": 0.5},
    "InputAudioMonitorType": {"monitorType": "OBS_MONITORING_TYPE_MONITOR_ONLY"},
    "InputAudioTracks": {"inputAudioTracks": {str(number): number in (1, 3) for number in range(1, 7)}},
}
FILTER: dict[str, Any] = {"filterName": "tint", "filterKind": "color_filter_v2", "filterSettings": {"gamma": 0.25}}


async def worn(studio: Studio, name: str) -> dict[str, Any]:
    """What an operator may have set on an input."""
    found = {kind: await studio.obs.call(f"Get{kind}", {"inputName": name}) for kind in SOUND}
    filters = (await studio.obs.call("GetSourceFilterList", {"sourceName": name}))["filters"]
    return {
        "volume": round(found["InputVolume"]["inputVolumeMul"], 3),
        "monitoring": found["InputAudioMonitorType"]["monitorType"],
        "tracks": found["InputAudioTracks"]["inputAudioTracks"],
        "filters": [(each["filterName"], each["filterEnabled"], each["filterSettings"]) for each in filters],
    }


async def wear(studio: Studio, name: str) -> dict[str, Any]:
    for kind, data in SOUND.items():
        await studio.obs.call(f"Set{kind}", {"inputName": name, **data})
    await studio.obs.call("CreateSourceFilter", {"sourceName": name, **FILTER})
    return await worn(studio, name)


async def transforms(studio: Studio) -> dict[str, dict[str, Any]]:
    """Of all that is in the scene at one moment: an input that is asked for afterwards may be gone by then."""
    items = (await studio.obs.call("GetSceneItemList", {"sceneName": studio.scene}))["sceneItems"]
    return {each["sourceName"]: dict(each["sceneItemTransform"]) for each in items}


async def test_each_fresh_input_wears_what_the_template_wears_from_its_first_frame_on() -> None:
    async with live("alice", "bob", obs__template="MODEL") as (studio, channel):
        made = await studio.obs.call(
            "CreateInput",
            {
                "sceneName": studio.scene,
                "inputName": "MODEL",
                "inputKind": "ffmpeg_source",
                "inputSettings": {"is_local_file": False},
                "sceneItemEnabled": False,
            },
        )
        box = {"boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsWidth": 320.0, "boundsHeight": 180.0, "positionX": 160.0}
        place = {"sceneName": studio.scene, "sceneItemId": made["sceneItemId"], "sceneItemTransform": box}
        await studio.obs.call("SetSceneItemTransform", place)
        wanted = await wear(studio, "MODEL")
        status: dict[str, Any] = {}
        for _ in range(3):
            await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])
            status = await channel.skip()
        name = status["on_air"]["input"]
        assert await worn(studio, name) == wanted
        found = (await transforms(studio))[name]
        assert {key: found[key] for key in box} == box


async def test_what_is_set_on_the_one_on_air_stays_from_hand_over_to_hand_over_and_the_canvas_is_filled() -> None:
    async with live("alice", "bob") as (studio, channel):
        status = await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])
        wanted = await wear(studio, status["on_air"]["input"])

        async def follows() -> bool:
            standby = (await channel.status())["standby"]
            try:
                return standby is not None and await worn(studio, standby["input"]) == wanted
            except ObsCallError as error:
                if error.code != NOT_FOUND:
                    raise
                return False  # another one is made in its place

        await until(follows)
        for _ in range(2):
            await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])
            status = await channel.skip()
            assert await worn(studio, status["on_air"]["input"]) == wanted
        size = {"baseWidth": 800, "baseHeight": 450, "outputWidth": 800, "outputHeight": 450}
        await studio.obs.call("SetVideoSettings", size)

        async def filled() -> bool:
            placed = await transforms(studio)
            return {placed[name]["boundsWidth"] for name in placed if name.startswith("GMOTHERSTREAM_")} == {800.0}

        await until(filled)
        await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])
        status = await channel.skip()
        assert (await transforms(studio))[status["on_air"]["input"]]["boundsHeight"] == 450.0


async def test_a_slate_in_a_group_is_shown_and_hands_on_the_items_are_made_good() -> None:
    port, canvas = free_port(), Canvas()
    overlays = (group("GROUP", slate_item("SLATE", canvas), visible=False), *default_overlays(canvas))
    async with (
        Studio(hook_url=Channel.hook_url(port), overlays=overlays) as studio,
        Channel(studio, port=port, settings={**QUICK, "obs.slate": "SLATE"}) as channel,
    ):
        in_group = {"sceneName": "GROUP"}

        async def slate_is_shown() -> bool:
            rows = (await studio.obs.call("GetGroupSceneItemList", in_group))["sceneItems"]
            return bool(rows[0]["sceneItemEnabled"])

        await becomes(slate_is_shown, True)
        await studio.publish("alice")
        status = await channel.until_on_air("alice")
        await becomes(slate_is_shown, False)
        name = status["on_air"]["input"]
        scene = {"sceneName": studio.scene}
        # Copied into another scene, and removed from the show's: as an input that was removed.
        await studio.obs.call("CreateScene", {"sceneName": "MULTIVIEW"})
        await studio.obs.call("CreateSceneItem", {"sceneName": "MULTIVIEW", "sourceName": name})
        item = (await studio.obs.call("GetSceneItemId", scene | {"sourceName": name}))["sceneItemId"]
        await studio.obs.call("RemoveSceneItem", scene | {"sceneItemId": item})
        status = await channel.until(lambda status: on_air(status) == "alice" and status["on_air"]["input"] != name)
        await becomes(lambda: shown(studio), [status["on_air"]["input"]])

        async def gone() -> bool:
            return name not in {row["name"] for row in (await channel.get("/obs/list-inputs"))["inputs"]}

        await until(gone)
        # Duplicated: shown once.
        again = scene | {"sourceName": status["on_air"]["input"]}
        await studio.obs.call("CreateSceneItem", again)

        async def once() -> bool:
            rows = (await studio.obs.call("GetSceneItemList", scene))["sceneItems"]
            return [row["sceneItemEnabled"] for row in rows if row["sourceName"] == again["sourceName"]].count(
                True
            ) == 1

        await until(once)
        await studio.obs.start_recording()
        await studio.publishers[0].stop()
        await channel.until_on_air(None)
        await becomes(slate_is_shown, True)
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.blank_frames == 0, verdict.summary()


async def test_a_second_daemon_in_the_same_scene_takes_nothing_away_and_says_who_is_there() -> None:
    async with live("alice", "bob") as (studio, channel):
        await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])
        shows = (await channel.status())["on_air"]["input"]
        await studio.obs.start_recording()
        async with Channel(studio, settings=QUICK) as second:

            async def told() -> bool:
                return any("another Motherstream" in text for text in second.events())

            await until(told)
            # Longer than one who does not answer is waited for.
            began = await studio.obs.recording_position()

            async def long_enough() -> bool:
                return await studio.obs.recording_position() > began + 9.0

            await until(long_enough, 20)

            async def all_there() -> bool:
                standby = (await channel.status())["standby"]  # one that stood still for a second is another now
                return standby is not None and await own_inputs(studio) == {shows: True, standby["input"]: False}

            await until(all_there)
            assert on_air(await channel.skip()) == "bob"
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.blank_frames == 0, verdict.summary()
        assert verdict.seen == ("alice", "bob"), verdict.summary()
