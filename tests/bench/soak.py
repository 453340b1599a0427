"""Many hand-overs, one after the other: nothing is left behind, and the memory does not grow."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from daemon.obs.connection import Link
from daemon.studio.channel import Channel
from tests.bench.figures import metric, rise
from tests.bench.ours import PACE, PREFIX, channel_on, text_of
from tests.bench.quarters import quarters
from tests.bench.serving import tell
from tests.bench.stage import NAMES, Meter, Stage

SETTLED = 0.3
"""The share of the hand-overs after which the memory is to have its size: the daemon's rings and SQLite's cache too."""
SAMPLES = 100
SHORT: Mapping[str, object] = {"health.history": 60}
"""An hour of samples, as users keep it, grows for an hour."""
QUICK: Mapping[str, object] = {**PACE, **SHORT, "sources.cleanup_grace": 0, "sources.poll_interval": 0.1}

Row = dict[str, Any]


async def on_fake(count: int) -> Row:
    """So many on a fake OBS, as fast as they go."""
    async with quarters(first_frame=0.02) as where, Channel(where, settings=QUICK) as channel:
        await tell(channel, "on_publish", [(name, f"real-{name}") for name in NAMES])
        link = await Link.open("127.0.0.1", where.obs.port, where.obs.password, seconds=10)
        try:
            return await _hand_over(channel, link, None, count)
        finally:
            await link.close()


async def on_obs(stage: Stage, count: int, kind: str) -> Row:
    """So many on the real OBS."""
    async with _on_obs(stage, kind) as channel:
        return await _hand_over(channel, stage.link, stage.studio.obs.pid, count)


@asynccontextmanager
async def _on_obs(stage: Stage, kind: str) -> AsyncIterator[Channel]:
    async with channel_on(stage, {**SHORT, "sources.kind": kind, "sources.cleanup_grace": 0.1}) as channel:
        await channel.until(lambda status: len(status["queue"]) >= len(NAMES))
        yield channel


async def _hand_over(channel: Channel, link: Link, obs_pid: int | None, count: int) -> Row:
    pid = channel.process.pid
    assert pid is not None
    daemon, obs = Meter(pid), Meter(obs_pid) if obs_pid else None
    own, theirs, files, took = [], [], [], []
    most_inputs = 0
    every = max(1, count // SAMPLES)
    for number in range(count):
        took.append(await _next(channel))
        if number % every == 0:
            own.append((float(number), daemon.resident()))
            files.append(len(await asyncio.to_thread(_open_files, pid)))
            most_inputs = max(most_inputs, len(await _own_inputs(link)))
            if obs is not None:
                theirs.append((float(number), obs.resident()))
    await channel.until(lambda status: status["state"] == "STANDBY", 60)
    left = await _left(link)
    metrics = await text_of(channel, "/metrics")
    return {
        "asked": count,
        "completed": metric(metrics, "motherstream_handovers_total", outcome="completed"),
        "orphans": metric(metrics, "motherstream_orphans_total"),
        "left": len(left),
        "most_inputs": most_inputs,
        "seconds_p50": sorted(took)[len(took) // 2],
        "rss": own[-1][1],
        "rss_rise": rise(_after(own, count)),
        "obs_rss": theirs[-1][1] if theirs else None,
        "obs_rss_rise": rise(_after(theirs, count)) if theirs else None,
        "files": [files[0], files[-1], max(files)],
        "samples": own,
        "obs_samples": theirs,
    }


async def _next(channel: Channel) -> float:
    """The next one's turn; the seconds that it took by the daemon's word."""
    await channel.until(lambda status: status["state"] == "STANDBY", 60)
    status = await channel.skip(60)
    return float(status["last_switch"]["seconds"])


async def _left(link: Link) -> list[str]:
    """The daemon's inputs in OBS, which answers before it has let go of one: so not at once."""
    left = await _own_inputs(link)
    for _ in range(100):
        if len(left) <= 2:
            break
        await asyncio.sleep(0.1)
        left = await _own_inputs(link)
    return left


def _after(samples: Sequence[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    return [sample for sample in samples if sample[0] >= count * SETTLED]


def _open_files(pid: int) -> list[str]:
    return [path.name for path in Path(f"/proc/{pid}/fd").iterdir()]


async def _own_inputs(link: Link) -> list[str]:
    inputs = (await link.call("GetInputList"))["inputs"]
    return [str(each["inputName"]) for each in inputs if str(each["inputName"]).startswith(PREFIX)]
