"""`make bench`: measures ways of switching against each other on a real OBS, and the daemon as a server.

`--only PART` measures one part; those that need no OBS (hooks, growth, clients, soak) then start none. Writes
benchmarks.md, and benchmarks/ with the plots and all figures, into --out (docs). What was measured on one OBS stays
there when another is measured: MOTHERSTREAM_OBS_ROOT lends one (`make matrix` makes roots), and then only the parts
that need an OBS are measured. OBS_GSTREAMER_SO, obs-gstreamer's shared object, and SRS_BIN, SRS's program, are used
where they are lent.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from daemon.studio import StudioError
from daemon.studio.root import VARIABLE
from tests.bench import beside, endurance, probing, serving, soak
from tests.bench.aims import SPACED
from tests.bench.figures import Result, cpu_model
from tests.bench.others import ChangeUrl, HideWaitShow, Nothing, RestartStatic
from tests.bench.ours import KINDS, Daemon, Failover
from tests.bench.plots import write_plots
from tests.bench.report import ALONE, write_report
from tests.bench.stage import Given, Stage, Way

PARTS = ("viewer", "rest", "hooks", "hooks-obs", "growth", "clients", "soak", "soak-obs", "goes-obs", "probe")
ON_OBS = frozenset({"viewer", "rest", "hooks-obs", "soak-obs", "goes-obs", "probe"})
"""The others need no studio: a fake OBS plays all streams."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, or write the report anew of what was measured."""
    arguments = _arguments(argv)
    figures = arguments.out / "benchmarks" / "figures.json"
    if arguments.render:
        found = json.loads(figures.read_text())
    else:
        try:
            found = asyncio.run(_measure(arguments, figures))
        except StudioError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    write_plots(found, arguments.out / "benchmarks")
    write_report(found, arguments.out / "benchmarks.md")
    print(f"written: {arguments.out / 'benchmarks.md'} and {arguments.out / 'benchmarks'}/")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", type=int, default=12, help="hand-overs of each way (default: 12)")
    parser.add_argument("--rounds", type=int, default=3, help="turns in which each way has its share (default: 3)")
    parser.add_argument("--full", action="store_true", help="50 hand-overs of each way, in 5 turns (an hour)")
    parser.add_argument("--quick", action="store_true", help="3 hand-overs of each way; 500 hooks a second for 10 s")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part alone; keep the others")
    parser.add_argument("--soak", type=int, metavar="N", help="hand-overs of a soak, of each kind (default: 1000)")
    parser.add_argument("--out", type=Path, default=Path("docs"), metavar="FOLDER")
    parser.add_argument("--render", action="store_true", help="measure nothing: write tables and plots anew")
    arguments = parser.parse_args(argv)
    if arguments.full:
        arguments.hands, arguments.rounds = 50, 5
    if arguments.quick:
        arguments.hands, arguments.rounds = 3, 1
    if arguments.soak is not None and not 10 <= arguments.soak <= 100_000:
        parser.error("--soak must be from 10 to 100000")
    if not 1 <= arguments.rounds <= arguments.hands <= 1000:
        parser.error("--hands must be from 1 to 1000, and --rounds no more than that")
    return arguments


def ways_of(kind: str) -> tuple[list[Way], list[Way]]:
    """All ways with this kind of input; those that are asked for a hand-over, and those that are taken by surprise."""
    asked: list[Way] = [
        Daemon("standby, cut", kind, standby=True),
        Daemon("cold, cut", kind, standby=False),
        Daemon(SPACED, kind, standby=True, spaced=True),
        Daemon("standby, fade", kind, standby=True, fade=True),
        Daemon("cold, fade", kind, standby=False, fade=True),
        HideWaitShow("hide, wait, show", kind),
        RestartStatic("restart one input", kind),
        ChangeUrl("change one input's URL", kind),
        Nothing("no hand-over", kind),
    ]
    surprised: list[Way] = [
        Failover("the one on air ends", kind, "stop"),
        Failover("the one on air is killed", kind, "kill"),
        Failover("the one on air freezes", kind, "freeze"),
    ]
    return asked, surprised


async def _measure(arguments: argparse.Namespace, path: Path) -> dict[str, Any]:
    given = Given.of(os.environ)
    parts = arguments.only or [part for part in PARTS if part in ON_OBS or not os.environ.get(VARIABLE)]
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    async with contextlib.AsyncExitStack() as stack:
        stage, studio = None, {}
        for part in parts:
            if part in ON_OBS and stage is None:
                stage = await stack.enter_async_context(Stage(given))
                studio = await _studio(stage)
            book = _book(found, studio) if part in ON_OBS else _book(found, {})
            began = time.time()
            load = os.getloadavg()[0]

            def keep(part: str = part, book: dict[str, Any] = book, began: float = began, load: float = load) -> None:
                book["parts"][part] = {
                    "began": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(began)),
                    "seconds": time.time() - began,
                    "load_before": load,
                }
                _save(path, found)

            await _part(part, stage, arguments, book, keep)
            keep()
    return found


def _book(found: dict[str, Any], studio: dict[str, Any]) -> dict[str, Any]:
    """What is known of one OBS, or, without one, of the daemon alone."""
    book: dict[str, Any] = found.setdefault(studio.get("obs", ALONE), {})
    book["machine"] = _machine() | studio
    book.setdefault("parts", {})
    return book


async def _part(
    part: str, stage: Stage | None, arguments: argparse.Namespace, book: dict[str, Any], keep: Callable[[], None]
) -> None:
    """Measure one part; what was found goes to where the report looks for it. ``keep`` writes it down on the way."""
    quick = arguments.quick
    match part:
        case "hooks":
            book["hooks"] = await _hooks("fake", None, quick=quick)
            book["beside"] = await beside.measured(turns=3 if quick else 7, seconds=2.0 if quick else 5.0)
            _say(f"hooks, beside a bare aiohttp handler: {beside.told(book['beside'])}")
        case "growth":
            book["growth"] = [await _growth(size, quick=quick) for size in serving.SIZES]
        case "clients":
            book["clients"] = await _clients(quick=quick)
        case "soak":
            book["soak"] = {"fake": _told("fake", await soak.on_fake(_soaked(arguments, 100)))}
        case _ if stage is None:
            raise ValueError(f"{part} needs a studio")
        case "viewer":
            async for results in _viewer(stage, arguments):
                book["viewer"] = [asdict(result) for result in results]
                keep()
        case "rest":
            _say("at rest")
            book["rest"] = await serving.at_rest(stage, seconds=5.0 if quick else 20.0)
        case "hooks-obs":
            book["hooks"] = await _hooks("obs", stage, quick=quick)
        case "soak-obs":
            for kind in stage.given.kinds:
                row = await soak.on_obs(stage, _soaked(arguments, 20), KINDS[kind])
                book.setdefault("soak", {})[kind] = _told(kind, row)
        case "goes-obs":
            for kind in stage.given.kinds:
                row = await soak.come_and_go(stage, 20 if quick else 100, KINDS[kind])
                book.setdefault("goes", {})[kind] = _told(f"{kind}, guests who come and go", row)
        case "probe":
            _say("the probe, on ten streams")
            turns, skips = (1, 3) if quick else (3, 10)
            book["probe"] = await probing.measured(stage, seconds=10.0 if quick else 30.0, turns=turns, skips=skips)
        case _:
            raise ValueError(part)


def _soaked(arguments: argparse.Namespace, quick: int) -> int:
    return int(arguments.soak or (quick if arguments.quick else 1000))


async def _studio(stage: Stage) -> dict[str, Any]:
    version = await stage.link.call("GetVersion")
    ingest = "nginx-rtmp" if stage.srs is None else f"SRS {await _srs_version(stage.srs.api)}"
    return {"obs": version["obsVersion"], "websocket": version["obsWebSocketVersion"], "ingest": ingest}


async def _srs_version(api: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{api}/api/v1/versions") as answer:
        return str((await answer.json())["data"]["version"])


async def _viewer(stage: Stage, arguments: argparse.Namespace) -> AsyncIterator[list[Result]]:
    """What is known after each turn: an hour's work that is broken off is not lost."""
    ways = []
    for kind in stage.given.kinds:
        asked, surprised = ways_of(kind)
        # A third will do for what nobody asks for, and for what never changes.
        ways += [(way, 1 / 3 if isinstance(way, Nothing) else 1.0) for way in asked]
        ways += [(way, 1 / 3) for way in surprised]
    results = [Result(way.name, way.kind, way.ours) for way, _ in ways]
    for turn in range(arguments.rounds):
        # Another one begins in each turn, so that none always has the machine at the same age.
        order = [(number + turn * 5) % len(ways) for number in range(len(ways))]
        for number in order:
            way, share = ways[number]
            hands = max(1, math.ceil(arguments.hands / arguments.rounds * share))
            began = time.monotonic()
            try:
                block = await stage.run(way, hands)
            except StudioError as error:
                _say(f"  {way.kind} {way.name}: broke off: {str(error).splitlines()[0]}")
                await _recover(stage)
                continue
            results[number].blocks.append(block)
            shown = ", ".join("none" if hand.picture is None else f"{hand.picture:.0f}" for hand in block.hands)
            _say(
                f"{turn + 1}/{arguments.rounds} {way.kind:<17} {way.name:<25} {time.monotonic() - began:5.1f} s  "
                f"blank {sum(hand.blank for hand in block.hands)}, ms to the picture: {shown}"
            )
        yield results


async def _recover(stage: Stage) -> None:
    """After a way that broke off: no recording, everybody publishing."""
    status = await stage.link.call("GetRecordStatus")
    if status["outputActive"]:
        (await stage.studio.obs.stop_recording()).unlink()
    await stage.all_publish()


async def _hooks(name: str, stage: Stage | None, *, quick: bool) -> dict[str, Any]:
    rate, seconds = (500.0, 10.0) if quick else (2000.0, 60.0)
    if stage is None:
        row = await serving.hooks_on_fake(rate=rate, seconds=seconds)
    else:
        row = await serving.hooks_on_obs(stage, rate=rate, seconds=seconds)
    _say(
        f"hooks, {name}: {row['rate']:.0f} a second, p50 {row['p50']:.1f} ms, p99 {row['p99']:.1f} ms, "
        f"{row['hand_overs']} hand-overs, daemon's CPU {row['cpu']:.0f} %"
    )
    return row


async def _growth(size: int, *, quick: bool) -> dict[str, Any]:
    row = await serving.growth(size, seconds=3.0 if quick else 10.0)
    _say(f"{size} queued: {row['rss']:.0f} MB, {row['cpu']:.1f} % CPU, hook p99 {row['hook_p99']:.1f} ms")
    return row


async def _clients(*, quick: bool) -> dict[str, Any]:
    row = await serving.crowded(seconds=8.0 if quick else 40.0)
    _say(
        f"clients that nobody needs: hook p99 {row['hooks']['p99']:.1f} ms ({row['alone_p99']:.1f} ms without them), "
        f"{row['rss_before']:.0f} MB before, {row['rss_most']:.0f} MB at most"
    )
    return row


def _told(name: str, row: dict[str, Any]) -> dict[str, Any]:
    seen = endurance.viewers(row)
    _say(
        f"soak, {name}: {row['completed']:.0f} hand-overs, {row['left']} inputs left, {row['orphans']:.0f} orphans, "
        f"memory {row['rss']:.1f} MB, risen by {row['rss_rise']:.2f} MB{f'; {seen}' if seen else ''}"
    )
    return row


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "processor": cpu_model(Path("/proc/cpuinfo").read_text()),
        "memory_gb": round(memory),
        "python": sys.version.split()[0],
    }


def _save(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=None, separators=(",", ":")) + "\n")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
