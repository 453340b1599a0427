"""A reload in mid-show, on the real thing."""

import os
import signal

import pytest

from tests.e2e.live import assert_seamless, live, note_hiccups
from tests.e2e.support import becomes

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


async def test_another_scene_takes_the_picture_along_without_a_blank_frame() -> None:
    # No key of the environment, which cannot change: the default scene, until there is a file.
    async with live("alice", "bob", obs__scene=None) as (studio, channel):
        assert studio.scene == "MOTHERSTREAM"
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.call("CreateScene", {"sceneName": "NEW"})
        await studio.obs.call("SetCurrentSceneTransition", {"transitionName": "Cut"})
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        (channel.folder / "motherstream.toml").write_text('[obs]\nscene = "NEW"\n')
        assert channel.process.pid is not None
        os.kill(channel.process.pid, signal.SIGHUP)

        async def in_new() -> list[str]:
            items = (await studio.obs.call("GetSceneItemList", {"sceneName": "NEW"}))["sceneItems"]
            return [item["sourceName"] for item in items if item["sceneItemEnabled"]]

        await becomes(in_new, ["GMOTHERSTREAM_1"])
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.call("SetCurrentProgramScene", {"sceneName": "NEW"})
        await channel.skip()
        await channel.until(lambda status: status["state"] == "STANDBY")
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        verdict = await studio.analyse(recording)
        assert len(verdict.cuts) == 1, verdict.summary()
        assert_seamless(verdict, late)
        assert await in_new() == [(await channel.status())["on_air"]["input"]]
        old = (await studio.obs.call("GetSceneItemList", {"sceneName": "MOTHERSTREAM"}))["sceneItems"]
        assert "GMOTHERSTREAM_1" not in [item["sourceName"] for item in old]
