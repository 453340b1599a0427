"""``motherstream demo``: a whole studio on this machine, streamers taking turns, until Ctrl-C."""

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from daemon.studio import StudioError
from daemon.studio.channel import Channel, on_air
from daemon.studio.more import Also, Answering, Plan
from daemon.studio.ports import free_port
from daemon.studio.prober import Prober
from daemon.studio.saying import say as _print
from daemon.studio.spoiling import Spoilt
from daemon.studio.studio import Studio

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
GUEST = "you"
"""For whoever looks on and wants to publish, too."""
TURN = 8.0
"""Seconds of a turn: short, because people watch it."""
SILENCE = 4.5
"""Seconds without sound until the slate is shown."""
SILENT_FOR = 10.0
"""Seconds for which a streamer's sound dies, for people to see what is done about it."""


async def demo(plan: Plan) -> int:
    """Run it; the exit code. A second signal does not wait for the verdict."""
    stop = asyncio.Event()
    show = asyncio.create_task(_show(plan, stop))

    def on_signal() -> None:
        if stop.is_set():
            show.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        return await show
    except asyncio.CancelledError:
        return 130
    except StudioError as error:
        print(f"motherstream demo: {error}", file=sys.stderr)  # noqa: T201  # it tells whoever looks on
        return 1


async def _show(plan: Plan, stop: asyncio.Event) -> int:
    names = NAMES[: plan.streamers]
    port = plan.port or free_port()
    also = Also(plan, port)
    _print(f"starting a throw-away studio: headless OBS, an RTMP server, {plan.streamers} streamers")
    # Plain colours take few bits.
    settings: dict[str, object] = {"queue.turn": TURN, "quality.silence": SILENCE, "health.low_bitrate": 20}
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(
            Studio(hook_url=also.hook_url, others=also.hooks, slate="SLATE", progress=_print)
        )
        settings |= await also.prepare(studio, stack)
        channel = await stack.enter_async_context(Channel(studio, port=port, settings=settings))
        await also.begin(studio, channel, settings, stack)
        await stack.enter_async_context(Prober(channel.url, studio.folder))
        for name in names:
            if stop.is_set():
                return 0
            await studio.publish(name, spoilable=name == names[0])
            if name == names[0]:
                await channel.until_on_air(name)
        await studio.obs.start_recording()
        lagged = await studio.render_stats()
        await _tell(plan, studio, channel, also)
        beside = [asyncio.create_task(_go_silent(studio, channel)), asyncio.create_task(also.kill_the_owner(channel))]
        await _narrate(also.answering(channel), plan.duration, stop)
        for task in beside:
            task.cancel()
        _print("reading the recording, frame by frame")
        recording = await studio.obs.stop_recording()
        verdict = await studio.analyse(recording)
        for line in verdict.summary().splitlines():
            _print(line)
        difference = await studio.render_stats() - lagged
        _print(f"OBS rendered {difference.rendered} frames, {difference.lagged} of them late on this machine")
        if plan.keep is not None:
            await asyncio.to_thread(_keep, plan.keep, recording, channel)
        return 1 if verdict.blank_frames else 0


async def _tell(plan: Plan, studio: Studio, channel: Channel, also: Also) -> None:
    """Where everything is."""
    _print("")
    _print(f"dashboard  {channel.url}/")
    for line in also.lines():
        _print(line)
    _print(f"status     curl {channel.url}/status")
    _print(f"skip       curl -X POST {channel.url}/queue/skip")
    _print(f"log        tail -f {channel.log_file}")
    guest = studio.keys.address(GUEST)
    await studio.keys.admit(GUEST)
    _print(f"publish    {studio.rtmp_base}/{guest.stream}" + (f"?{guest.query}" if guest.query else ""))
    _print("")
    ends = f"ends after {plan.duration:g} s" if plan.duration else "Ctrl-C ends it"
    _print(f"a turn lasts {TURN:g} s; {ends}")


async def _go_silent(studio: Studio, channel: Channel) -> None:
    """The first streamer's sound dies once, in its second turn: it is covered, and whoever is next follows."""
    first = studio.publishers[0]
    await channel.until(lambda status: on_air(status) not in (first.name, None), within=3600)
    await channel.until_on_air(first.name, within=3600)
    first.spoil(Spoilt.MUTED)
    _print(f"{first.name} goes silent for {SILENT_FOR:g} s")
    await asyncio.sleep(SILENT_FOR)
    first.mend()
    _print(f"{first.name} sounds again")


async def _narrate(channel: Answering, duration: float, stop: asyncio.Event) -> None:
    """Say every hand-over, until it is time."""
    end = time.monotonic() + duration if duration else None
    shown, attempt, covered = "", 0, None
    while not stop.is_set() and (end is None or time.monotonic() < end):
        status = await channel.answer()
        streamer, last = on_air(status) or "nobody", status["last_switch"]
        if streamer != shown:
            took = f"  ({last['reason']}, {last['seconds'] * 1000:.0f} ms from request to picture)" if last else ""
            _print(f"on air: {streamer}{took}")
            shown = streamer
        if status["covered"] != covered:
            covered = status["covered"]
            _print(f"covered by the slate: {covered}" if covered else "no longer covered")
        attempt = status["attempt"]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.1)
    _print(f"{attempt} inputs were created")


def _keep(folder: Path, recording: Path, channel: Channel) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(recording, folder)
    shutil.copy(channel.log_file, folder)
    _print(f"kept in {folder}")
