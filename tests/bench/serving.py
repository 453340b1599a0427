"""The daemon as a server: hooks under load, rest, growth, start."""

import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp

from daemon.studio import StudioError
from daemon.studio.channel import Channel, on_air
from tests.bench.figures import metric, percentile
from tests.bench.ours import OPEN, channel_on, text_of
from tests.bench.quarters import fake_channel
from tests.bench.stage import NAMES, Meter, Stage

LOAD_NAME = re.compile(r"load\d+x\d+")
LOAD_SESSION = re.compile(r"\bc(\d+)n(\d+)$")
SIZES = (10, 100, 1000)

Row = dict[str, Any]


# -- hooks -----------------------------------------------------------------------------------------------------


async def hooks_on_obs(stage: Stage, *, rate: float, seconds: float) -> Row:
    """Hooks while the real OBS hands over."""
    async with channel_on(stage, {**OPEN, "sources.kind": "ffmpeg"}) as channel:
        await channel.until(lambda status: status["state"] == "STANDBY", 60)
        return await _under_load(channel, rate, seconds, pause=1.0)


async def hooks_on_fake(*, rate: float, seconds: float) -> Row:
    """The same with a fake OBS: what the daemon can do where OBS has a machine of its own."""
    async with fake_channel() as channel:
        await tell(channel, "on_publish", [(name, f"real-{name}") for name in NAMES])
        await channel.until(lambda status: status["state"] == "STANDBY", 60)
        return await _under_load(channel, rate, seconds, pause=0.5)


async def _under_load(channel: Channel, rate: float, seconds: float, *, pause: float) -> Row:
    pid = channel.process.pid
    assert pid is not None
    meter = Meter(pid)
    numbers = ("--rate", f"{rate:g}", "--seconds", f"{seconds:g}")
    told = asyncio.create_task(program("tests.bench.load", channel.port, *numbers))
    took: list[float] = []
    try:
        while not told.done():
            with suppress(StudioError, TimeoutError, aiohttp.ClientError):
                took.append(await _next_real(channel, told))
            await asyncio.wait({told}, timeout=pause)
        row = await told
    finally:
        told.cancel()
    row |= {"cpu": meter.percent(), "rss": meter.resident(), "hand_overs": len(took)}
    row |= {"hand_over_p50": percentile(took, 0.5) * 1000, "hand_over_max": percentile(took, 1.0) * 1000}
    return row | await _accounted_for(channel, row)


async def _next_real(channel: Channel, over: "asyncio.Future[Any]") -> float:
    """One hand-over among the real streamers, who are kept at the head of the line-up; seconds by the daemon's word."""
    await channel.until(lambda status: status["state"] == "STANDBY" or over.done(), 60)
    status = await channel.status()
    leaving, to = str(on_air(status)), str(status["queue"][1]["streamer"])
    await channel.post("/queue/skip")
    status = await channel.until(lambda status: on_air(status) == to, 60)
    await channel.post(f"/queue/{leaving}/move?position={len(NAMES) - 1}")
    return float(status["last_switch"]["seconds"])


async def _accounted_for(channel: Channel, row: Row) -> Row:
    """Nothing lost, nothing out of order: by the line-up, by the daemon's count of hooks, and by its log."""
    # One that has ended keeps its place for a while, without publishing.
    queue = [place["streamer"] for place in (await channel.get("/queue"))["queue"] if place["publishing"]]
    there = sorted(name for name in queue if LOAD_NAME.fullmatch(name))
    counted = metric(await text_of(channel, "/metrics"), "motherstream_hooks_total", server="srs", outcome="ok")
    published = row.pop("published")
    lines = await asyncio.to_thread(channel.lines)
    logged = [str(line["session"]) for line in lines if line["event"] == "A stream is published"]
    return {
        "lineup_wrong": len(set(there) ^ set(published)) + len(there) - len(set(there)),
        "counted": counted,
        "logged": sum(1 for session in logged if LOAD_SESSION.search(session)),
        "misordered": misordered(logged),
    }


def misordered(sessions: Sequence[str]) -> int:
    """How many publishes of one connection stand behind a later one. A session's id ends in cCONNECTIONnNUMBER."""
    latest: dict[str, int] = {}
    wrong = 0
    for session in sessions:
        found = LOAD_SESSION.search(session)
        if found is None:
            continue
        wrong += int(found[2]) <= latest.get(found[1], 0)
        latest[found[1]] = max(latest.get(found[1], 0), int(found[2]))
    return wrong


# -- clients that nobody needs ---------------------------------------------------------------------------------


async def crowded(*, seconds: float) -> Row:
    """Hooks at a modest rate while hundreds of clients idle, dribble, do not read, or send far too much."""
    async with fake_channel() as channel:
        pid = channel.process.pid
        assert pid is not None
        alone = await _load(channel, 100, 5.0)
        meter = Meter(pid)
        before = most = meter.resident()
        crowd = asyncio.create_task(program("tests.bench.crowd", channel.port, "--seconds", f"{seconds + 4:g}"))
        await asyncio.sleep(2.0)
        hooks = asyncio.create_task(_load(channel, 100, seconds))
        while not crowd.done():
            most = max(most, meter.resident())
            await asyncio.wait({crowd}, timeout=0.25)
        row = await hooks
        return {
            "alone_p99": alone["p99"],
            "hooks": {name: row[name] for name in ("rate", "unsent", "refused", "broken", "p50", "p99", "max")},
            "crowd": await crowd,
            "rss_before": before,
            "rss_most": most,
            "rss_after": meter.resident(),
            "cpu": meter.percent(),
        }


async def _load(channel: Channel, rate: float, seconds: float) -> Row:
    numbers = ("--rate", f"{rate:g}", "--seconds", f"{seconds:g}", "--connections", "4")
    return await program("tests.bench.load", channel.port, *numbers)


async def program(module: str, port: int, *arguments: str) -> Row:
    """Run one that asks whoever listens there, and prints what it has found as JSON. Raises StudioError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "--port", str(port), *arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise StudioError(f"{module} ended with {process.returncode}")
    row: Row = json.loads(output)
    return row


# -- rest and growth -------------------------------------------------------------------------------------------


async def at_rest(stage: Stage, *, seconds: float) -> Row:
    """CPU and memory with nobody there, and with one on air and one on standby; and the time to start."""
    async with Channel(stage.studio) as channel:
        await channel.until(lambda status: status["state"] == "IDLE")
        await asyncio.sleep(2.0)
        empty = await _rest(channel, seconds)
    async with channel_on(stage, {"sources.kind": "ffmpeg"}) as channel:
        await channel.until(lambda status: status["state"] == "STANDBY", 60)
        await asyncio.sleep(2.0)
        busy = await _rest(channel, seconds)
        starts = []
        for _ in range(5):
            await channel.stop()
            starts.append(await channel.start())
    return {
        "empty_cpu": empty[0],
        "empty_rss": empty[1],
        "on_air_cpu": busy[0],
        "on_air_rss": busy[1],
        "start_p50": percentile(starts, 0.5) * 1000,
        "start_max": percentile(starts, 1.0) * 1000,
    }


async def growth(size: int, *, seconds: float) -> Row:
    """The same with so many in the line-up, on a fake OBS, and what a hook, a look and a hand-over take then."""
    async with fake_channel() as channel:
        real = [(name, f"real-{name}") for name in NAMES]
        queued = [(f"queued{number}", f"q{number}") for number in range(size - len(NAMES))]
        await tell(channel, "on_publish", real)
        began = time.monotonic()
        await tell(channel, "on_publish", queued)
        joined = time.monotonic() - began
        await channel.until(lambda status: status["state"] == "STANDBY" and len(status["queue"]) == size, 60)
        await asyncio.sleep(2.0)
        cpu, rss = await _rest(channel, seconds)
        numbers = itertools.count()

        async def hook() -> None:
            number = next(numbers)
            one = [(f"comes{number}", f"x{number}")]
            await tell(channel, "on_publish", one)
            await tell(channel, "on_unpublish", one)

        hooks = [seconds / 2 for seconds in await _times(hook, 150)]
        status = await _times(channel.status, 60)
        queue = await _times(lambda: channel.get("/queue"), 60)
        skips = [await _next_real(channel, asyncio.get_running_loop().create_future()) for _ in range(8)]
        starts = []
        for _ in range(3):
            await channel.stop()
            starts.append(await channel.start())
        await channel.until(lambda status: len(status["queue"]) == size, 30)
    return {
        "streamers": size,
        "join_each": joined / max(1, len(queued)) * 1000,
        "cpu": cpu,
        "rss": rss,
        "hook_p50": percentile(hooks, 0.5) * 1000,
        "hook_p99": percentile(hooks, 0.99) * 1000,
        "status_p50": percentile(status, 0.5) * 1000,
        "queue_p50": percentile(queue, 0.5) * 1000,
        "skip_p50": percentile(skips, 0.5) * 1000,
        "start_p50": percentile(starts, 0.5) * 1000,
    }


async def _rest(channel: Channel, seconds: float) -> tuple[float, float]:
    """CPU in percent of a core, and resident megabytes, while nothing is asked."""
    pid = channel.process.pid
    assert pid is not None
    meter = Meter(pid)
    await asyncio.sleep(seconds)
    return meter.percent(), meter.resident()


async def _times(call: Callable[[], Awaitable[object]], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - began)
    return taken


async def tell(channel: Channel, action: str, streams: Sequence[tuple[str, str]]) -> None:
    """Hooks of streams (name, client), one after the other, on one connection as `Channel` keeps it."""
    for name, client in streams:
        hook = {"action": action, "server_id": "bench", "client_id": client, "app": "live", "stream": name}
        await channel.post("/hooks/srs", hook)
