"""The simulation itself: it is the daemon, it is the same each time, and what is dead does nothing any more."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.loop import CURRENT, START, simulated
from tests.simulation.world import World, world


async def on_air(w: World, *streamers: str) -> None:
    await w.start()
    for streamer in streamers:
        await w.publish(streamer)
    await w.until(lambda: w.director.switchover.on_air_streamer == streamers[0])
    await w.well()


def test_an_evening_takes_a_moment_and_is_the_same_each_time(tmp_path: Path) -> None:
    async def evening() -> list[str]:
        async with world(tmp_path, {"queue.turn": 3.0}) as w:
            await on_air(w, "alice", "bob", "carol")
            await asyncio.sleep(8.0)
            await w.kill()
            await w.start()
            await w.well()
            assert await w.stop() == 0
            w.obs.program.assert_seamless()
            return [f"{call.at:.6f} {call.type}" for call in w.obs.calls]

    def play() -> list[str]:
        with simulated() as runner:
            calls: list[str] = runner.run(evening())
            return calls

    first = play()
    assert first == play()
    assert len([line for line in first if line.endswith(" CreateInput")]) >= 4


def test_time_stands_still_while_anything_is_done() -> None:
    async def work() -> None:
        assert time.monotonic() == START
        for _ in range(100):
            await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() == START
        await asyncio.sleep(3600.0)
        assert time.monotonic() == START + 3600.0

    with simulated() as runner:
        runner.run(work())


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with simulated() as runner, pytest.raises(RuntimeError, match="nothing will ever happen"):
        runner.run(wait())


def test_a_killed_daemon_says_asks_and_writes_nothing_more(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path) as w:
            await on_air(w, "alice")
            written: list[str] = []

            def noted(work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
                written.append(work.__name__)
                return work(*args)

            w.around = noted
            asked = len(w.obs.calls)
            dead = w.running
            dead.kill()
            await dead.ended()
            await asyncio.sleep(5.0)
            assert len(w.obs.calls) == asked
            assert w.obs.clients == 0
            assert set(written) <= {"_close"}
            assert w.obs.program.on_air == "GMOTHERSTREAM_1"
            assert CURRENT.get() is None
            with pytest.raises(OSError, match="Connect"):
                await w.ask("GET", "/status")

    with simulated() as runner:
        runner.run(play())
