#!/usr/bin/env python3
# ruff: noqa: N999  # it is run by this name, and imported by nobody
"""Watches any OBS while streams are switched: prints a timeline and draws a picture of it. It changes nothing.

    .venv/bin/python tests/e2e/obs-stream-switch-monitor.py --poll-interval 0.2 --duration 60

The password is better given by MOTHERSTREAM_OBS__PASSWORD than on the command line, where every user can read it.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

try:
    from daemon.core.ports import ObsGone
    from tests.e2e.timeline import Change, Recorder, Timeline
    from tests.e2e.timeline_picture import draw
    from tests.e2e.watching import Watcher
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed for this Python; run `make test` once, and use .venv/bin/python")


def main() -> int:
    """0 when it has watched, 1 where OBS cannot be reached."""
    arguments = _arguments()
    try:
        timeline = asyncio.run(_watch(arguments))
    except ObsGone as error:
        print(f"OBS at {arguments.host} port {arguments.port} cannot be watched: {error}", file=sys.stderr)
        return 1
    draw(timeline).write(arguments.out)
    print(
        f"\n{len(timeline.inputs)} inputs, {len(timeline.cuts)} cuts in {timeline.end:.1f} s; drawn in {arguments.out}"
    )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(timeline.plain(), indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4455, help="of obs-websocket (default: 4455)")
    parser.add_argument("--password", default=os.environ.get("MOTHERSTREAM_OBS__PASSWORD", ""))
    parser.add_argument("--scene", default="MOTHERSTREAM", help="the scene to watch (default: MOTHERSTREAM)")
    parser.add_argument("--prefix", default="GMOTHERSTREAM", help="what the inputs' names begin with")
    parser.add_argument("--poll-interval", type=float, default=0.2, metavar="SECONDS", help="(default: 0.2)")
    parser.add_argument("--duration", type=float, default=0.0, metavar="SECONDS", help="0, the default: until Ctrl-C")
    parser.add_argument("--daemon", default="", metavar="URL", help="motherstream's API, to show its states as well")
    parser.add_argument("--out", type=Path, default=Path("obs-timeline.svg"), metavar="FILE.svg")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the timeline as figures")
    return parser.parse_args()


async def _watch(arguments: argparse.Namespace) -> Timeline:
    recorder = Recorder(f"OBS at {arguments.host} port {arguments.port}, scene {arguments.scene}")
    watcher = Watcher(
        recorder,
        began=time.monotonic(),
        scene=arguments.scene,
        prefix=arguments.prefix,
        interval=arguments.poll_interval,
        say=_print,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.duration > 0:
        loop.call_later(arguments.duration, stop.set)
    tasks = [
        asyncio.create_task(watcher.obs(arguments.host, arguments.port, arguments.password, patient=False)),
        asyncio.create_task(stop.wait()),
    ]
    if arguments.daemon:
        token = os.environ.get("MOTHERSTREAM_HTTP__TOKEN", "")
        tasks.append(asyncio.create_task(watcher.daemon(arguments.daemon.rstrip("/"), token)))
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return recorder.finish(watcher.now)


def _print(changes: Sequence[Change]) -> None:
    for change in changes:
        print(change.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
