"""Many hand-overs, and many who come and go: viewers see no gap, nothing stays behind, and no memory grows."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from daemon.obs.connection import Link
from daemon.studio import StudioError
from daemon.studio.channel import Channel
from tests.bench.figures import metric, percentile, rise
from tests.bench.ours import OPEN, PACE, PREFIX, channel_on, text_of
from tests.bench.quarters import quarters
from tests.bench.serving import tell
from tests.bench.stage import KEYFRAMES, NAMES, Meter, Stage

SETTLED = 0.3
"""The share of the hand-overs after which the memory is to have its size: the daemon's rings and SQLite's cache too."""
SAMPLES = 100
"""Of the memory, as the report keeps them."""
PAUSE = 0.5
"""Seconds from a standby to its skip on a real OBS, which mixes no sound of what has only just begun."""
PIECE = 20
"""Hand-overs of one recording."""
GUESTS = 8
"""Who come and go, by turns: the studio tells so many streamers apart besides those who stay."""
SHORT: Mapping[str, object] = {"health.history": 60}
"""An hour of samples, as users keep it, grows for an hour."""
QUICK: Mapping[str, object] = {**OPEN, **SHORT, "sources.cleanup_grace": 0, "sources.poll_interval": 0.1}

Row = dict[str, Any]


async def on_fake(count: int) -> Row:
    """So many on a fake OBS, as fast as they go."""
    async with quarters(first_frame=0.02) as where, Channel(where, settings=QUICK) as channel:
        await tell(channel, "on_publish", [(name, f"real-{name}") for name in NAMES])
        link = await Link.open("127.0.0.1", where.obs.port, where.obs.password, seconds=10)
        try:
            growth = Growth(channel, link, None)
            return await growth.of(count, [await _next(channel, growth, pause=0.0) for _ in range(count)])
        finally:
            await link.close()


async def on_obs(stage: Stage, count: int, kind: str) -> Row:
    """So many on the real OBS, which records them PIECE by PIECE: what viewers got is a part of the figures."""
    settings = {**PACE, **SHORT, "sources.kind": kind}
    async with channel_on(stage, settings) as channel:
        await channel.until(lambda status: len(status["queue"]) >= len(NAMES) and _is_ready(status), 60)
        growth = Growth(channel, stage.link, stage.studio.obs.pid)
        pieces: list[Row] = []
        took: list[float] = []
        while len(took) < count:
            async with recorded(stage, pieces):
                took += [await _next(channel, growth, pause=PAUSE) for _ in range(min(PIECE, count - len(took)))]
                await channel.until(_is_ready, 60)
        return await growth.of(count, took) | {"pieces": pieces}


async def come_and_go(stage: Stage, count: int, kind: str) -> Row:
    """So many guests who publish for a moment each, and are skipped, stopped or killed, beside three who stay."""
    chance = random.Random(7)
    async with channel_on(stage, {**PACE, **SHORT, "sources.kind": kind}) as channel:
        await channel.until(lambda status: len(status["queue"]) >= len(NAMES) and _is_ready(status), 60)
        growth = Growth(channel, stage.link, stage.studio.obs.pid)
        pieces: list[Row] = []
        for first in range(0, count, PIECE):
            async with recorded(stage, pieces):
                for number in range(first, min(count, first + PIECE)):
                    guest = await stage.studio.publish(f"guest{number % GUESTS}", keyframe_every=KEYFRAMES)
                    await asyncio.sleep(chance.uniform(0.05, 0.9))
                    if chance.random() < 0.3:
                        with contextlib.suppress(StudioError):  # nobody else may be there in that moment
                            await channel.post("/queue/skip")
                    await (guest.stop() if chance.random() < 0.5 else guest.kill())
                    await growth.look()
                await channel.until(_is_ready, 60)
        await channel.until(lambda status: len(status["queue"]) == len(NAMES), 60)
        return await growth.of(count, []) | {"pieces": pieces, "alive": stage.studio.obs.running}


class Growth:
    """What the daemon and OBS hold, looked at on the way."""

    def __init__(self, channel: Channel, link: Link, obs_pid: int | None) -> None:
        assert channel.process.pid is not None
        self._channel, self._link, self._pid = channel, link, channel.process.pid
        self._daemon, self._obs = Meter(self._pid), Meter(obs_pid) if obs_pid else None
        self._own: list[tuple[float, float]] = []
        self._theirs: list[tuple[float, float]] = []
        self._files: list[int] = []
        self._most_inputs = 0
        self._looks = 0

    async def look(self) -> None:
        """One more hand-over, or guest, is over."""
        number = float(self._looks)
        self._looks += 1
        self._own.append((number, self._daemon.resident()))
        self._files.append(len(await asyncio.to_thread(_open_files, self._pid)))
        self._most_inputs = max(self._most_inputs, len(await _own_inputs(self._link)))
        if self._obs is not None:
            self._theirs.append((number, self._obs.resident()))

    async def of(self, count: int, took: Sequence[float]) -> Row:
        """The figures."""
        await self._channel.until(_is_ready, 60)
        left = await _left(self._link)
        metrics = await text_of(self._channel, "/metrics")
        own, theirs = self._own, self._theirs
        thin = max(1, self._looks // SAMPLES)
        return {
            "asked": count,
            "completed": metric(metrics, "motherstream_handovers_total", outcome="completed"),
            "orphans": metric(metrics, "motherstream_orphans_total"),
            "left": len(left),
            "most_inputs": self._most_inputs,
            "seconds_p50": percentile(took, 0.5),
            "seconds_p95": percentile(took, 0.95),
            "rss": own[-1][1],
            "rss_rise": rise(_after(own, count)),
            "obs_rss": theirs[-1][1] if theirs else None,
            "obs_rss_rise": rise(_after(theirs, count)) if theirs else None,
            "files": [self._files[0], self._files[-1], max(self._files)],
            "samples": own[::thin],
            "obs_samples": theirs[::thin],
        }


@asynccontextmanager
async def recorded(stage: Stage, pieces: list[Row]) -> AsyncIterator[None]:
    """One recording, read once it is over."""
    obs = stage.studio.obs
    await obs.start_recording()
    before = await stage.studio.render_stats()
    yield
    lagged = (await stage.studio.render_stats() - before).lagged
    recording = await obs.stop_recording()
    verdict = await stage.studio.analyse(recording)
    recording.unlink()
    pieces.append(
        {
            "frames": verdict.frames,
            "late": lagged,
            "blank": verdict.blank_frames,
            "freeze": verdict.longest_freeze,
            "silence": verdict.longest_silence,
        }
    )


def _is_ready(status: Mapping[str, Any]) -> bool:
    return bool(status["state"] == "STANDBY")


async def _next(channel: Channel, growth: Growth, *, pause: float) -> float:
    """The next one's turn; the seconds that it took by the daemon's word."""
    await channel.until(_is_ready, 60)
    await asyncio.sleep(pause)
    status = await channel.skip(60)
    await growth.look()
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
