"""A live channel on the real thing: OBS, nginx-rtmp, ffmpeg publishers, and the daemon as a process of its own."""

import re

import pytest

from daemon.studio import Delivers, Studio, free_port
from daemon.studio.channel import Channel, on_air
from tests.e2e.live import (
    FRESH_SILENCE,
    PROMISED_SILENCE,
    QUICK,
    assert_seamless,
    live,
    note_hiccups,
    own_inputs,
    shown,
)
from tests.e2e.support import becomes
from tests.support import until

STALL = 1.0
"""The default of health.stall, in seconds."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


async def count_own(studio: Studio) -> int:
    """How many inputs of its own the daemon has in OBS.

    Publishers may come to a halt while a recording is analysed: another standby is made beside one that stands still.
    """
    return len(await own_inputs(studio))


@pytest.mark.parametrize("standby", [True, False], ids=["standby", "cold"])
async def test_six_skips_leave_no_blank_no_freeze_and_no_silence(standby: bool) -> None:
    async with live("alice", "bob", "carol", sources__standby=standby) as (studio, channel):
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        seen = ["alice"]
        for _ in range(6):
            if standby:
                await channel.until(lambda status: status["state"] == "STANDBY")
            seen.append(str(on_air(await channel.skip())))
        await channel.until(lambda status: status["state"] in ("STANDBY", "IDLE"))
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        verdict = await studio.analyse(recording)
        assert seen == ["alice", "bob", "carol", "alice", "bob", "carol", "alice"]
        assert len(verdict.cuts) == 6, verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE if standby else FRESH_SILENCE)
        await becomes(lambda: count_own(studio), 2 if standby else 1)


async def test_the_end_of_a_stream_moves_on_to_the_next() -> None:
    async with live("alice", "bob") as (studio, channel):
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.publishers[0].stop()
        status = await channel.until_on_air("bob")
        assert status["last_switch"]["reason"] == "ended"
        await studio.publishers[0].kill()
        await channel.until_on_air(None)
        await becomes(lambda: own_inputs(studio), {})


async def test_one_that_freezes_without_a_word_is_covered_before_it_is_a_stall_and_cut_back_to_in_its_turn() -> None:
    async with live("alice", "bob", queue__reconnect_grace=30) as (studio, channel):
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        await studio.publishers[0].freeze()
        status = await channel.until_on_air("bob")
        assert status["last_switch"]["reason"] == "stalled"
        places = (await channel.get("/queue"))["queue"]
        assert [(p["streamer"], p["has_turn"]) for p in places] == [("alice", True), ("bob", False)]
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        verdict = await studio.analyse(recording)
        assert verdict.blank_frames == 0, verdict.summary()
        assert verdict.longest_freeze < 30 * STALL + late.frames, verdict.summary()
        await studio.publishers[0].thaw()
        status = await channel.until_on_air("alice")
        assert status["last_switch"]["reason"] == "returned"


async def test_an_input_that_never_shows_a_frame_is_given_up_and_the_next_one_tried() -> None:
    async with live("alice", sources__ready_timeout=6.0) as (studio, channel):
        await studio.publish("mute", delivers=Delivers.SOUND)
        await studio.publish("bob")
        await channel.post("/queue/skip")
        # The next one does not wait until the first is given up.
        status = await channel.until_on_air("bob", within=5)
        assert status["last_switch"]["outcome"] == "completed"
        await becomes(lambda: shown(studio), [status["on_air"]["input"]])

        async def given_up() -> set[tuple[str, str]]:
            # A tenth of a second or two come on top where the machine is busy.
            ended = re.compile(r"did not become ready within 6\.\ds$")
            lines = [line for line in channel.lines() if ended.search(line["event"])]
            return {(line["to_streamer"], line["event"].partition(line["input"])[0]) for line in lines}

        await becomes(given_up, {("mute", "New source '")}, within=40)
        off_air = [line for line in channel.lines() if line["event"] == "nobody is on air"]
        assert off_air == []


async def test_a_kind_that_obs_does_not_have_is_told_and_nothing_is_created() -> None:
    async with live(sources__kind="gstreamer") as (studio, channel):
        await studio.publish("alice")
        wanted = "Failed to create GStreamer source 'GMOTHERSTREAM_1': Input kind not found"

        async def told() -> bool:
            return wanted in channel.events()

        await until(told, 20)
        assert await own_inputs(studio) == {}
        assert on_air(await channel.status()) is None


async def test_without_obs_the_daemon_starts_says_so_once_and_goes_on_air_when_it_comes() -> None:
    port = free_port()
    async with Studio(hook_url=Channel.hook_url(port)) as studio:
        await studio.obs.stop()
        async with Channel(studio, port=port, settings=QUICK) as channel:
            await studio.publish("alice")
            status = await channel.until(lambda status: [place["streamer"] for place in status["queue"]] == ["alice"])
            assert status["state"] == "RECOVERING"
            assert status["obs"]["connected"] is False
            await studio.obs.start()
            await channel.until_on_air("alice")
            assert len([text for text in channel.events() if text.startswith("OBS cannot be reached")]) == 1


@pytest.mark.parametrize("fresh", [True, False], ids=["empty", "with leftovers"])
async def test_obs_that_is_killed_on_air_comes_back_on_air_without_orphans(fresh: bool) -> None:
    async with live("alice", "bob") as (studio, channel):
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.kill()
        await channel.until(lambda status: status["state"] == "RECOVERING")
        await studio.obs.start(fresh=fresh)
        status = await channel.until(
            lambda status: on_air(status) == "alice" and status["state"] == "STANDBY", within=40
        )
        await becomes(lambda: shown(studio), [status["on_air"]["input"]])

        # What was still opening is swept beside the show.
        await becomes(lambda: count_own(studio), 2)


async def test_stopping_or_killing_the_daemon_leaves_the_picture_on_air_and_it_carries_on() -> None:
    async with live("alice", "bob") as (studio, channel):
        before = await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        for end in (channel.kill, channel.stop):
            await end()
            await channel.start()
            status = await channel.until(lambda status: on_air(status) == "alice")
            assert status["on_air"]["input"] == before["on_air"]["input"]
            assert status["on_air"]["since"] == before["on_air"]["since"]
            await channel.until(lambda status: status["state"] == "STANDBY")
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        verdict = await studio.analyse(recording)
        assert verdict.seen == ("alice",), verdict.summary()
        assert_seamless(verdict, late)
        await becomes(lambda: count_own(studio), 2)
