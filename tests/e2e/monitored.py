"""Plays a scenario on a throw-away studio, watches it, and judges OBS's recording: `run-monitored-test.sh` calls it."""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from daemon.studio import Studio, StudioError, free_port
from daemon.studio.channel import Channel
from tests.e2e.scenarios import SCENARIOS, Stage
from tests.e2e.timeline import Change, Recorder, Timeline
from tests.e2e.timeline_picture import draw
from tests.e2e.watching import Watcher

SLATE = "SLATE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one scenario: 0 where all went well, 1 where not, 2 where the studio itself failed."""
    arguments = _arguments(argv)
    out: Path = arguments.out or Path("build/monitored") / f"{arguments.scenario}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        return asyncio.run(_play(arguments, out))
    except StudioError as error:
        print(f"the studio failed: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run-monitored-test.sh", description=__doc__)
    parser.add_argument("scenario", choices=tuple(SCENARIOS))
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the results go (default: build/monitored/…)")
    parser.add_argument("--poll-interval", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long chaotic goes on (default: 45)")
    parser.add_argument("--seed", type=int, default=1, help="chance in chaotic (default: 1)")
    return parser.parse_args(argv)


async def _play(arguments: argparse.Namespace, out: Path) -> int:
    port = free_port()
    recorder = Recorder(f"{arguments.scenario} on the throw-away studio")
    async with (
        Studio(hook_url=Channel.hook_url(port), slate=SLATE, progress=_say) as studio,
        Channel(studio, port=port) as channel,
    ):
        watcher = Watcher(
            recorder,
            began=time.monotonic(),
            scene=studio.scene,
            prefix="GMOTHERSTREAM_",
            interval=arguments.poll_interval,
            also=(SLATE,),
            say=_print,
        )
        stage = Stage(studio, channel, recorder, watcher, _print, seed=arguments.seed, seconds=arguments.seconds)
        watching = [
            asyncio.create_task(watcher.obs(studio.obs.host, studio.obs.port, studio.obs.password)),
            asyncio.create_task(watcher.daemon(channel.url)),
        ]
        before = await studio.render_stats()
        try:
            await SCENARIOS[arguments.scenario](stage)
        except StudioError as error:
            stage.fault(f"the scenario broke off: {error}")
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        timeline = recorder.finish(stage.now)
        await stage.recorded()
        lagged = (await studio.render_stats() - before).lagged
        _say("reading the recording, frame by frame")
        timeline.hues = {look.name: look.hue for look in studio.looks}
        timeline.readings = await stage.read()
        for check in stage.checks:
            check()
        await asyncio.to_thread(_write, out, timeline, channel)
    return verdict_of(timeline, stage.faults, lagged, out)


def verdict_of(timeline: Timeline, faults: list[str], lagged: int, out: Path) -> int:
    """Say how it went; the exit code."""
    _say("")
    for reading in timeline.readings:
        worst = {
            kind: max((run.length * 1000 for run in getattr(reading, kind)), default=0.0)
            for kind in ("blank", "frozen", "silent")
        }
        _say(
            f"recording of {reading.end - reading.start:.1f} s: longest blank {worst['blank']:.0f} ms, "
            f"longest freeze {worst['frozen']:.0f} ms, longest silence {worst['silent']:.0f} ms"
        )
        _say("  seen: " + ", ".join(f"{run.what} {run.start:.2f}" for run in reading.seen))
    if lagged > 0:
        _say(f"this machine rendered {lagged} frames late: each of them shows as a repeated one")
    blanks = timeline.unexpected_blanks()
    faults = [*faults, *(f"blank for {blank.length * 1000:.0f} ms at {blank.start:.2f} s" for blank in blanks)]
    _say(f"picture and figures: {out / 'timeline.svg'}, {out / 'timeline.json'}")
    for fault in faults:
        _say(f"FAULT: {fault}")
    _say("as it has to be" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def _write(out: Path, timeline: Timeline, channel: Channel) -> None:
    draw(timeline).write(out / "timeline.svg")
    (out / "timeline.json").write_text(json.dumps(timeline.plain(), indent=1) + "\n")
    if channel.log_file.exists():
        shutil.copy(channel.log_file, out / "motherstream.log")


def _print(changes: Sequence[Change]) -> None:
    for change in changes:
        print(change.line(), flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
