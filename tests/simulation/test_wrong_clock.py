"""A wall clock that was wrong by years at a start: told, and over with the next start that has a right one."""

import asyncio
from pathlib import Path
from unittest import mock

import pytest

from tests.simulation import loop
from tests.simulation.stage import on_air
from tests.simulation.world import World

YEAR = 365.25 * 86_400


async def restart(w: World) -> None:
    await w.kill()
    await w.start()
    await w.until(lambda: w.director.switchover.on_air_streamer == "alice")


@pytest.mark.parametrize("years", [73, -40, 8000])
def test_one_start_with_a_clock_that_is_years_off_is_over_with_the_next(tmp_path: Path, years: float) -> None:
    async def act(w: World) -> None:
        await asyncio.sleep(20.0)
        before = (await w.ask("GET", "/status"))["on_air"]
        with mock.patch.object(loop, "EPOCH", loop.EPOCH + years * YEAR):
            await restart(w)
            await asyncio.sleep(20.0)
            assert (await w.ask("GET", "/status"))["on_air"]["streamer"] == "alice"
        await restart(w)
        await asyncio.sleep(20.0)
        after = (await w.ask("GET", "/status"))["on_air"]
        assert (after["streamer"], after["since"][:4]) == ("alice", before["since"][:4])
        assert before["seconds"] + 35 < after["seconds"] < before["seconds"] + 60
        if years > 0:
            assert len(w.said("the clock was wrong in an earlier run, or is wrong now")) == 2
        await restart(w)
        assert len(w.said("the clock was wrong in an earlier run, or is wrong now")) <= 2

    on_air(tmp_path, act)


def test_a_clock_that_is_set_right_while_it_runs_is_believed_at_the_next_start(tmp_path: Path) -> None:
    """A board without a clock of its own, whose first guess is decades off."""

    async def act(w: World) -> None:
        with mock.patch.object(loop, "EPOCH", loop.EPOCH + 30 * YEAR):
            await restart(w)
            await asyncio.sleep(10.0)
        await asyncio.sleep(10.0)
        turn = (await w.ask("GET", "/status"))["on_air"]["remaining"]
        await restart(w)
        after = (await w.ask("GET", "/status"))["on_air"]
        assert after["remaining"] == pytest.approx(turn, abs=20.0)
        assert after["since"].startswith("20")

    on_air(tmp_path, act)
