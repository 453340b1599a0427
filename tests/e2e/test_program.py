"""Viewers get every hand-over: studio mode left, driven or held, with and without "Duplicate Scene", on a real OBS."""

import asyncio
import time
from typing import Any

import pytest

from daemon.studio import UNKNOWN, Studio
from daemon.studio.channel import Channel, on_air
from tests.e2e.live import live
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

SKIPS = 6


async def studio_mode(studio: Studio, on: bool) -> None:
    await studio.obs.call("SetStudioModeEnabled", {"studioModeEnabled": on})


async def choose(studio: Studio, scene: str) -> None:
    """Into preview; a scene that was just created is not in OBS's own list yet, and then this does nothing."""

    async def chosen() -> bool:
        await studio.obs.call("SetCurrentPreviewScene", {"sceneName": scene})
        return bool((await studio.obs.call("GetSceneList"))["currentPreviewSceneName"] == scene)

    await until(chosen)


async def ready(channel: Channel) -> dict[str, Any]:
    return await channel.until(lambda status: status["state"] == "STANDBY" and status["standby"]["ready"])


def people(seen: tuple[str, ...]) -> list[str]:
    """Who is seen, one after the other; in the middle of a fade nobody can be told."""
    named = [who for who in seen if who != UNKNOWN]
    return [who for number, who in enumerate(named) if number == 0 or named[number - 1] != who]


@pytest.mark.parametrize("duplicate", [True, False], ids=["duplicate scene", "one scene"])
@pytest.mark.parametrize(("policy", "transition"), [("leave", "Cut"), ("drive", "Cut"), ("drive", "Fade")])
async def test_six_skips_with_studio_mode_switched_on_in_mid_show_leave_no_blank_frame(
    policy: str, transition: str, duplicate: bool
) -> None:
    async with live("alice", "bob", duplicate_scene=duplicate, obs__studio_mode=policy) as (studio, channel):
        await studio.obs.call("CreateScene", {"sceneName": "NEXT"})
        await studio.obs.call("SetCurrentSceneTransition", {"transitionName": transition})
        await ready(channel)
        await studio.obs.start_recording()
        await studio_mode(studio, True)
        if policy == "drive":
            await choose(studio, "NEXT")
        for _ in range(SKIPS):
            await ready(channel)
            status = await channel.skip()
            assert status["program"]["shown"] is True
        status = await ready(channel)
        recording = await studio.obs.stop_recording()
        verdict = await studio.analyse(recording)
        assert verdict.blank_frames == 0, verdict.summary()
        assert people(verdict.seen) == ["alice", "bob", "alice", "bob", "alice", "bob", "alice"], verdict.summary()
        assert (on_air(status), status["program"]["studio_mode"]) == ("alice", policy == "drive")
        if policy == "drive":
            preview = (await studio.obs.call("GetCurrentPreviewScene"))["currentPreviewSceneName"]
            assert preview == "NEXT", "the operator's preview is another"


async def test_held_in_studio_mode_and_told_within_two_seconds_of_another_scene() -> None:
    async with live("alice", "bob", obs__studio_mode="hold") as (studio, channel):
        await studio.obs.call("CreateScene", {"sceneName": "BREAK"})
        await ready(channel)
        await studio.obs.start_recording()

        # Held: whoever is skipped stays, and it is said why.
        await studio_mode(studio, True)
        await channel.until(lambda status: status["program"]["held"], within=2.0)
        await channel.post("/queue/skip")
        await asyncio.sleep(1.5)  # nothing is to happen for a while
        assert on_air(await channel.status()) == "alice"
        errors = (line["event"] for line in channel.lines() if line["level"] == "error")
        assert any("no hand-over until it is switched off" in event for event in errors)
        await studio_mode(studio, False)
        await channel.until(lambda status: on_air(status) == "bob" and status["program"]["shown"])
        await ready(channel)

        # Elsewhere: told at once, and the turn's clock stands still.
        began = time.monotonic()
        await studio.obs.call("SetCurrentProgramScene", {"sceneName": "BREAK"})
        status = await channel.until(lambda status: status["program"]["shown"] is False, within=2.0)
        told = time.monotonic() - began
        assert told < 2.0
        assert status["program"]["scene"] == "BREAK"
        left = status["on_air"]["remaining"]
        await asyncio.sleep(1.0)  # a clock that stands is seen by waiting
        later = await channel.status()
        assert later["on_air"]["remaining"] == pytest.approx(left, abs=0.1)
        status = await channel.skip()  # in the scene that nobody sees: it is there when they come back
        assert (on_air(status), status["program"]["shown"]) == ("alice", False)
        await studio.obs.call("SetCurrentProgramScene", {"sceneName": studio.scene})
        status = await channel.until(lambda status: status["program"]["shown"] is True, within=2.0)
        assert (on_air(status), status["program"]["scene"]) == ("alice", studio.scene)
        await ready(channel)
        recording = await studio.obs.stop_recording()
        verdict = await studio.analyse(recording)
        assert people(verdict.seen) == ["alice", "bob", "(blank)", "alice"], verdict.summary()
        said = [line["event"] for line in channel.lines()]
        assert any("viewers do not see bob: OBS's Program shows the scene 'BREAK'" in line for line in said)
        assert any("viewers see alice again" in line for line in said)
