"""The other ways of working, on the real thing: fade, slate, pooled, static, a hand-over by hand."""

from functools import partial

import pytest

from daemon.studio import Studio
from daemon.studio.channel import on_air
from tests.e2e.live import assert_seamless, in_turn, live, note_hiccups, own_inputs, shown, traces
from tests.e2e.support import becomes
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


async def test_a_fade_shows_no_blank_frame_and_leaves_no_trace() -> None:
    async with live("alice", "bob", transition__kind="fade", transition__duration=0.5) as (studio, channel):
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        for _ in range(3):
            await channel.until(lambda status: status["state"] == "STANDBY")
            await channel.skip()
        await channel.until(lambda status: status["state"] == "STANDBY")
        recording = await studio.obs.stop_recording()
        verdict = await studio.analyse(recording)
        late = await hiccups()
        assert_seamless(verdict, late)
        await becomes(lambda: traces(studio), [])


async def test_pooled_two_inputs_take_turns_and_none_is_made_after_them() -> None:
    async with live(sources__mode="pooled") as (studio, channel):
        # A keyframe every few frames: a third input is made beside one that has no picture for a second.
        await in_turn(studio, channel, "alice", "bob", "carol", keyframe_every=5)
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        seen = set()
        for _ in range(4):
            await channel.until(lambda status: status["state"] == "STANDBY")
            status = await channel.skip()
            seen.add(status["on_air"]["input"])
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        assert_seamless(await studio.analyse(recording), late)
        assert seen == {"GMOTHERSTREAM_1", "GMOTHERSTREAM_2"}

        async def two_are_left() -> bool:
            return len(await own_inputs(studio)) == 2

        # Beside one that is slow to show a picture a third is begun, and one of them is removed with the cut.
        await until(two_are_left)


async def static_input(studio: Studio, stream: str) -> None:
    await studio.obs.call(
        "CreateInput",
        {
            "sceneName": studio.scene,
            "inputName": "GMOTHERSTREAM",
            "inputKind": "ffmpeg_source",
            "inputSettings": {"is_local_file": False, "input": f"{studio.rtmp_base}/{stream}"},
            "sceneItemEnabled": True,
        },
    )


async def test_static_the_one_named_input_is_restarted_and_none_is_made() -> None:
    async with live(sources__mode="static") as (studio, channel):
        await static_input(studio, "alice")
        await studio.publish("alice")
        status = await channel.until_on_air("alice")
        assert status["on_air"]["input"] == "GMOTHERSTREAM"
        assert await own_inputs(studio) == {}
        inputs = {row["name"]: row for row in (await channel.get("/obs/list-inputs"))["inputs"]}
        assert inputs["GMOTHERSTREAM"]["shown"] is True


async def test_static_the_one_input_plays_whoever_is_reported_on_air() -> None:
    async with live(sources__mode="static") as (studio, channel):
        await static_input(studio, "somebody")
        await in_turn(studio, channel, "alice", "bob")
        await studio.obs.start_recording()
        spans = []
        for name in ("bob", "alice", "bob"):
            await channel.skip()
            await channel.until_on_air(name)
            began = await studio.obs.recording_position()
            await until(partial(longer, studio, began + 1.5), 20)
            assert on_air(await channel.status()) == name
            spans.append((began, await studio.obs.recording_position(), name))
        verdict = await studio.analyse(await studio.obs.stop_recording())
        for began, ended, name in spans:
            seen = {span.who for span in verdict.shown if span.start < ended - MARGIN and span.end > began + MARGIN}
            assert seen == {name}, verdict.summary()
        assert await own_inputs(studio) == {}


MARGIN = 0.5
"""Seconds by which the recording's clock and the answers of OBS may be apart."""


async def longer(studio: Studio, seconds: float) -> bool:
    return await studio.obs.recording_position() >= seconds


async def test_static_an_input_that_can_play_no_stream_is_refused_with_the_reason_and_nobody_is_named() -> None:
    async with live(sources__mode="static") as (studio, channel):
        colour = {"sceneName": studio.scene, "inputName": "GMOTHERSTREAM", "inputKind": "color_source_v3"}
        await studio.obs.call("CreateInput", {**colour, "inputSettings": {}, "sceneItemEnabled": True})
        await studio.publish("alice")
        status = await channel.until(lambda status: any(entry["problem"] for entry in status["queue"]))
        assert status["on_air"] is None
        [problem] = [entry["problem"] for entry in status["queue"]]
        assert problem["reason"] == "static_input"
        assert "make it a ffmpeg_source or a gstreamer-source" in problem["message"]


async def test_the_slate_is_shown_while_nobody_is_on_air_and_hidden_with_the_first_picture() -> None:
    async with live(slate="SLATE") as (studio, channel):

        async def slate() -> bool:
            items = (await studio.obs.call("GetSceneItemList", {"sceneName": studio.scene}))["sceneItems"]
            return next(bool(item["sceneItemEnabled"]) for item in items if item["sourceName"] == "SLATE")

        await becomes(slate, True)
        publisher = await studio.publish("alice")
        await channel.until_on_air("alice")
        assert await slate() is False
        await publisher.stop()
        await channel.until_on_air(None)
        await becomes(slate, True)
        assert await shown(studio) == []


async def test_a_hand_over_by_hand_goes_to_the_stream_that_was_named() -> None:
    async with live("alice", "bob") as (studio, channel):
        url = f"{studio.rtmp_base}/bob"
        await channel.post("/debug/test-dynamic-source-switch", {"rtmp_url": url, "scene_name": studio.scene})
        status = await channel.until_on_air("bob")
        assert status["last_switch"]["reason"] == "test"


async def test_an_input_removed_or_hidden_by_hand_is_mended() -> None:
    async with live("alice") as (studio, channel):
        status = await channel.status()
        name = status["on_air"]["input"]
        item = await studio.obs.call("GetSceneItemId", {"sceneName": studio.scene, "sourceName": name})
        hidden = {"sceneName": studio.scene, "sceneItemId": item["sceneItemId"], "sceneItemEnabled": False}
        await studio.obs.call("SetSceneItemEnabled", hidden)
        await becomes(lambda: shown(studio), [name])
        await studio.obs.call("RemoveInput", {"inputName": name})
        status = await channel.until(lambda status: on_air(status) == "alice" and status["on_air"]["input"] != name)

        async def shown_again() -> bool:
            return await shown(studio) == [status["on_air"]["input"]]

        await until(shown_again)
