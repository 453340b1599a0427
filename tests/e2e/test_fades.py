"""Fades that are broken off, on the real thing."""

import pytest

from daemon.studio.channel import on_air
from tests.e2e.live import live, shown, traces
from tests.e2e.support import becomes
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.mark.parametrize("broken_off", ["the daemon is killed", "the connection is lost", "the outgoing ends"])
async def test_a_fade_that_is_broken_off_ends_with_one_picture_and_leaves_no_trace(broken_off: str) -> None:
    async with live("alice", "bob", transition__kind="fade", transition__duration=2.0) as (studio, channel):
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        await channel.post("/queue/skip")

        async def both_shown() -> bool:
            return len(await shown(studio)) == 2

        await until(both_shown)
        if broken_off == "the daemon is killed":
            await channel.kill()
            await channel.start()
        elif broken_off == "the connection is lost":
            await channel.post("/obs/force-reconnect")
        else:
            await studio.publishers[0].kill()
        status = await channel.until(
            lambda status: on_air(status) is not None and status["state"] in ("STANDBY", "IDLE"), within=40
        )
        await becomes(lambda: shown(studio), [status["on_air"]["input"]])
        await becomes(lambda: traces(studio), [])
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.blank_frames == 0, verdict.summary()
