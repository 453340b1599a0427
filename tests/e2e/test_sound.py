"""Sound, on the real thing, where OBS mixes it late."""

import re

import pytest

from daemon.studio import Studio
from tests.e2e.live import PROMISED_SILENCE, live, note_hiccups
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

BUFFERED = re.compile(r"total audio buffering is now (\d+) milliseconds")
TOGETHER = 0.1
"""Seconds between a change of the picture and that of its sound which nobody notices."""


async def mix_late(studio: Studio, milliseconds: int) -> None:
    """Have OBS mix its sound so much later than it comes, as it does after days with inputs that were late at times.

    It never takes that back. It is brought to it by an input whose sound, all at once, is from the past.
    """
    url, log = f"{studio.rtmp_base}/alice", studio.folder / "obs.log"
    await studio.obs.call(
        "CreateInput",
        {
            "sceneName": studio.scene,
            "inputName": "late",
            "inputKind": "ffmpeg_source",
            "inputSettings": {"is_local_file": False, "input": url, "restart_on_activate": False},
            "sceneItemEnabled": False,
        },
    )
    offsets = iter(range(10**6))

    async def mixed_late() -> bool:
        if any(int(found) >= milliseconds for found in BUFFERED.findall(log.read_text())):
            return True
        # OBS moves what it has of an input only from one offset to another, not from none.
        offset = -milliseconds - 50 if next(offsets) % 20 == 19 else 20
        await studio.obs.call("SetInputAudioSyncOffset", {"inputName": "late", "inputAudioSyncOffset": offset})
        return False

    await until(mixed_late, 60)
    await studio.obs.call("RemoveInput", {"inputName": "late"})


async def test_sound_changes_with_the_picture_however_late_obs_mixes_it() -> None:
    async with live("alice", "bob", "carol", sources__cleanup_grace=1.0) as (studio, channel):
        await mix_late(studio, 600)
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        for _ in range(3):
            await channel.until(lambda status: status["state"] == "STANDBY")
            await channel.skip()
        await channel.until(lambda status: status["state"] == "STANDBY")
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        heard: dict[str, float] = {}
        for span in verdict.heard[1:]:
            heard.setdefault(span.who, span.start)
        allowance = late.seconds
        for span in verdict.shown[1:]:
            assert heard[span.who] == pytest.approx(span.start, abs=TOGETHER + allowance), verdict.summary()
        assert verdict.longest_silence <= PROMISED_SILENCE + 1000 * allowance, verdict.summary()
