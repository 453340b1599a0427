"""The daemon is killed, stopped or asked to read its configuration while somebody is on air."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.simulation.stage import on_air
from tests.simulation.world import PREFIX, World

READY_WITHIN = 2.0
"""Seconds that it waits for others from its start on; what it computes takes no time here."""


@pytest.mark.parametrize("gap", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_its_end_changes_nothing_that_is_seen_and_it_is_ready_again_at_once(
    tmp_path: Path, end: str, gap: float
) -> None:
    async def act(w: World) -> None:
        before = w.director.lineup.holder
        assert before
        mark, shown = w.obs.program.mark(), w.shown
        if end == "kill":
            await w.kill()
        else:
            assert await w.stop() == 0
        await asyncio.sleep(gap)
        began = w.loop.now
        await w.start()
        await w.until(lambda: w.director.switchover.state.name in ("IDLE", "CREATING", "BUFFERING", "STANDBY"), 2.0)
        assert w.loop.now - began <= READY_WITHIN
        assert (await w.ask("GET", "/readyz"))["ready"] is True
        status = await w.ask("GET", "/status")
        assert (status["on_air"]["streamer"], status["on_air"]["input"]) == ("alice", shown[0])
        await w.well()
        # One and the same picture all the time, to the recorder's eye.
        assert len(w.obs.program.shots[mark:]) == 1
        holder = w.director.lineup.holder
        assert holder
        assert (holder.streamer, holder.turn_began) == (before.streamer, before.turn_began)

    on_air(tmp_path, act)


def test_one_who_left_while_nobody_ran_it_is_followed_by_the_next(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.kill()
        await w.unpublish("alice")
        await asyncio.sleep(1.0)
        await w.start()
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob", 5.0)
        await w.well()
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


def test_it_finds_its_way_although_neither_obs_nor_the_ingest_server_is_there_when_it_starts(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.kill()
        await w.srs.stop()
        await w.obs.stop(abrupt=True)
        await w.start()
        await asyncio.sleep(20.0)
        assert w.director.switchover.state.name == "RECOVERING"
        await w.obs.start()
        await w.until(lambda: w.obs.program.on_air, 5.0)
        await w.srs.start()
        await w.well(70.0)
        assert w.director.switchover.on_air_streamer == "alice"

    on_air(tmp_path, act)


def test_a_configuration_that_is_broken_when_it_is_reloaded_changes_nothing(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        whole = w.file.read_text()
        w.file.write_text(whole.replace("[queue]", "[queue]\nturn = -5"))
        w.running.signal(signal.SIGHUP)
        await w.until(lambda: w.said("the configuration was not reloaded"))
        await w.stays_well(3.0)
        w.file.write_text(whole.replace("[queue]", "[queue]\nturn = 2"))
        w.running.signal(signal.SIGHUP)
        await w.until(lambda: w.said("the configuration was reloaded"))
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob", 4.0)
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


def test_a_restart_with_another_prefix_leaves_the_picture_on_air_and_nothing_of_the_former_one_stays(
    tmp_path: Path,
) -> None:
    async def act(w: World) -> None:
        mark, shown = w.obs.program.mark(), w.shown
        await w.stop()
        w.write_settings(sources__prefix="LIVE_")
        await w.start()
        await w.until(lambda: w.director.switchover.state.name == "STANDBY" and w.shown == shown)
        assert (await w.ask("GET", "/status"))["on_air"]["input"] == shown[0]
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        await w.until(lambda: not [name for name in w.obs.inputs if name.startswith(PREFIX)], 15.0)
        assert w.obs.program.blanks(mark, own=False) == []
        await w.obs.restart(leftovers=True)
        await w.until(lambda: w.director.switchover.state.name == "STANDBY", 15.0)
        assert w.said("a command failed") == []

    on_air(tmp_path, act)
