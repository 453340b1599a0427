"""What the probe costs for each stream, and whether hand-overs feel it: ten streams, seven of them in 1080p30."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from daemon.studio import StudioError
from daemon.studio.channel import Channel, on_air
from daemon.studio.prober import Prober
from daemon.studio.process import Process
from tests.bench.figures import cpu_ticks, percentile, resident_mb
from tests.bench.markdown import table
from tests.bench.ours import PACE, channel_on
from tests.bench.soak import recorded
from tests.bench.stage import NAMES, TICKS, Stage

LARGE: Final = 7
"""Streams in 1080p30, of 4 Mbit/s, which wait. With those of the stage it is ten."""
CPU_PERCENT, MEMORY_MB = 5.0, 60.0
"""The aim, of one such stream."""
LATE_MORE: Final = 1.5
"""Times as many late frames as without a probe are what a busy machine does from one recording to the next."""

Row = dict[str, Any]


async def measured(stage: Stage, *, seconds: float, turns: int, skips: int) -> Row:
    """What it costs over ``seconds``; and ``turns`` recordings of so many hand-overs, without a probe and with one."""
    settings = {**PACE, "sources.kind": "ffmpeg", "probe.streams": 16}
    async with channel_on(stage, settings) as channel, _large(stage) as names:
        everybody = {*NAMES, *names}
        await channel.until(lambda status: everybody <= {row["streamer"] for row in status["queue"]}, 60)
        now = on_air(await channel.status())
        for position, name in enumerate([name for name in NAMES if name != now], 1):
            await channel.post(f"/queue/{name}/move?position={position}")
        async with Prober(channel.url, stage.studio.folder) as prober:
            await channel.until(lambda status: all(row["probe"] for row in status["queue"]), 90)
            costs = await _costs(prober, seconds)
        pieces: dict[str, list[Row]] = {"without": [], "with": []}
        for _ in range(turns):
            for kept in pieces.values():
                async with AsyncExitStack() as stack:
                    if kept is pieces["with"]:
                        await stack.enter_async_context(Prober(channel.url, stage.studio.folder))
                        await channel.until(lambda status: all(row["probe"] for row in status["queue"]), 90)
                    async with recorded(stage, kept):
                        for _ in range(skips):
                            await _next(channel)
    return {"streams": len(everybody), "seconds": seconds, "skips": skips, "costs": costs, "pieces": pieces}


async def _next(channel: Channel) -> None:
    """One of the stage comes on air, and whoever was there is the one after the next: the large ones only wait."""
    status = await channel.until(lambda status: bool(status["state"] == "STANDBY"), 60)
    await asyncio.sleep(0.5)
    before = on_air(status)
    await channel.skip(60)
    await channel.post(f"/queue/{before}/move?position=2")


@asynccontextmanager
async def _large(stage: Stage) -> AsyncIterator[list[str]]:
    """Streams that were encoded beforehand, so that they cost next to nothing to publish; their names."""
    names = [f"large{number}" for number in range(LARGE)]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="motherstream-large-")))
        file = folder / "large.flv"
        await _ffmpeg(*_encoding(), str(file), log=folder / "encoding.log")
        for name in names:
            address = stage.studio.keys.address(name)
            await stage.studio.keys.admit(name)
            url = f"{stage.studio.rtmp_base}/{address.stream}" + (f"?{address.query}" if address.query else "")
            argv = [*_quietly("-re", "-stream_loop", "-1", "-i", str(file)), "-c", "copy", "-f", "flv", url]
            process = Process(name, argv, log=folder / f"{name}.log")
            await process.start()
            stack.push_async_callback(process.stop)
        yield names


def _quietly(*arguments: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-loglevel", "error", *arguments]


def _encoding() -> list[str]:
    """Ten seconds with a key frame every two, music-like noise, and a picture in which much moves."""
    picture = ("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30", "-f", "lavfi", "-i", "anoisesrc=c=pink:a=0.3:r=48000")
    video = ("-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
    rate = ("-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M", "-x264-params", "nal-hrd=cbr")
    return [*picture, "-t", "10", *video, *rate, "-c:a", "aac", "-b:a", "160k", "-ac", "2"]


async def _ffmpeg(*arguments: str, log: Path) -> None:
    process = Process("ffmpeg", _quietly(*arguments), log=log)
    await process.start()
    if await process.wait() != 0:
        raise process.failed("could not encode")


async def _costs(prober: Prober, seconds: float) -> Row:
    """Percent of a core and MB of each ffmpeg, and of the probe itself."""
    pid = prober.process.pid
    assert pid is not None
    before = _ticks(pid)
    began = time.monotonic()
    await asyncio.sleep(seconds)
    after, spent = _ticks(pid), time.monotonic() - began
    if len(kept := before.keys() & after.keys()) < 2:
        raise StudioError("the probe's ffmpegs did not live long enough")
    percent = {each: 100.0 * (after[each] - before[each]) / TICKS / spent for each in kept}
    return {
        "cpu": sorted(percent[each] for each in kept if each != pid),
        "own_cpu": percent[pid],
        "pss": sorted(_pss_mb(each) for each in kept if each != pid),
        "rss": sorted(_rss_mb(each) for each in kept if each != pid),
        "own_rss": _rss_mb(pid),
    }


def _ticks(pid: int) -> dict[int, int]:
    """CPU time of a process and its children."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    return {each: cpu_ticks(Path(f"/proc/{each}/stat").read_text()) for each in {pid, *children}}


def _pss_mb(pid: int) -> float:
    """Its share of memory: pages that several use count in parts (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def _rss_mb(pid: int) -> float:
    return resident_mb(Path(f"/proc/{pid}/status").read_text())


def lines(row: Mapping[str, Any]) -> Iterator[str]:
    """For the report."""
    costs = row["costs"]
    yield (
        f"{row['streams']} streams, {LARGE} of them 1080p30 of 4 Mbit/s with a key frame every two seconds, over "
        f"{row['seconds']:g} s. Memory is what each ffmpeg adds: what they share (libraries) counts in parts.\n"
    )
    yield from table(
        ("of each stream", "median", "most"),
        [
            ("% of a core", f"{percentile(costs['cpu'], 0.5):.1f}", f"{costs['cpu'][-1]:.1f}"),
            ("MB, its share", f"{percentile(costs['pss'], 0.5):.0f}", f"{costs['pss'][-1]:.0f}"),
            ("MB, with all that is shared", f"{percentile(costs['rss'], 0.5):.0f}", f"{costs['rss'][-1]:.0f}"),
        ],
    )
    yield f"\nThe probe itself: {costs['own_cpu']:.1f} % of a core, {costs['own_rss']:.0f} MB.\n"
    yield from table(
        (
            "probe",
            "hand-overs",
            "blank frames",
            "frames rendered late",
            "longest freeze, frames",
            "longest silence, ms",
        ),
        [
            (
                name,
                f"{len(pieces) * row['skips']}",
                f"{sum(piece['blank'] for piece in pieces)}",
                f"{100 * _late(pieces):.2f} %",
                f"{max(piece['freeze'] for piece in pieces)}",
                f"{max(piece['silence'] for piece in pieces):.0f}",
            )
            for name, pieces in row["pieces"].items()
        ],
    )


def aims(row: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Whether it is as cheap as it is to be, and hand-overs feel nothing of it."""
    cpu, pss = row["costs"]["cpu"][-1], row["costs"]["pss"][-1]
    yield (
        "the probe: under 5 % of a core and 60 MB for each waiting stream",
        f"at most {cpu:.1f} %, {pss:.0f} MB",
        cpu < CPU_PERCENT and pss < MEMORY_MB,
    )
    without, with_it = (row["pieces"][name] for name in ("without", "with"))
    blank = sum(piece["blank"] for piece in with_it)
    yield (
        "ten streams measured: no blank frame, no more late frames than without",
        f"{blank} blank in {len(with_it) * row['skips']}; {100 * _late(with_it):.2f} % late against "
        f"{100 * _late(without):.2f} %",
        not blank and _late(with_it) <= max(0.01, LATE_MORE * _late(without)),
    )


def _late(pieces: list[Row]) -> float:
    """The share of frames that OBS rendered late: the median of the recordings."""
    return float(statistics.median(piece["late"] / max(1, piece["frames"]) for piece in pieces))
