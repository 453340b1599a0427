"""What several end-to-end tests of the live channel share."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from daemon.studio import Studio, free_port
from daemon.studio.channel import Channel
from daemon.studio.errors import ObsCallError
from daemon.studio.verdict import RecordingVerdict
from tests.e2e.lent import Srs, plugins, srs, srs_program

QUICK: Mapping[str, object] = {"sources.job_delay": 0, "sources.cleanup_grace": 0.3}
"""Six hand-overs need not be two seconds apart to be six."""


@asynccontextmanager
async def live(*names: str, **settings: object) -> AsyncIterator[tuple[Studio, Channel]]:
    """A studio and a daemon with these streamers, the first on air. A key's dots are written as two underscores;
    ``slate`` names the studio's slate, ``duplicate_scene`` is OBS's "Duplicate Scene". What is lent (tests/e2e/lent.py)
    is used: obs-gstreamer for the inputs, SRS in place of nginx-rtmp."""
    port = free_port()
    slate = settings.pop("slate", None)
    duplicate = bool(settings.pop("duplicate_scene", True))
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    async with AsyncExitStack() as stack:
        borrowed, program = plugins(), srs_program()
        kind: dict[str, object] = {"sources.kind": "gstreamer"} if borrowed else {}
        server: Srs | None = None
        if program is not None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="motherstream-srs-")))
            server = await stack.enter_async_context(srs(program, folder, port))
            kind |= {"ingest.srs_api": server.api}
        studio = await stack.enter_async_context(
            Studio(
                hook_url=Channel.hook_url(port),
                slate=str(slate) if slate else None,
                duplicate_scene=duplicate,
                obs_plugins=borrowed,
                external_rtmp=server.rtmp_base if server else None,
            )
        )
        channel = await stack.enter_async_context(Channel(studio, port=port, settings={**QUICK, **kind, **dotted}))
        await in_turn(studio, channel, *names, server=server)
        yield studio, channel


async def in_turn(
    studio: Studio, channel: Channel, *names: str, keyframe_every: int = 30, server: Srs | None = None
) -> None:
    """Have them publish, the first on air before the second begins: of two who begin together, the one whose picture
    moves is shown, and on a slow machine that may be the second."""
    for name in names:
        publisher = await studio.publish(name, keyframe_every=keyframe_every)
        if server is not None and not await is_there(server, studio.keys.address(name).stream):
            await publisher.stop()
            await publisher.start()
        if name == names[0]:
            await channel.until_on_air(name)


async def is_there(server: Srs, stream: str) -> bool:
    """Whether SRS has the stream, at once or in a moment, and has not lost it."""
    for _ in range(50):
        if await server.has(stream):
            return await server.plays(stream)
        await asyncio.sleep(0.1)
    return False


NOT_FOUND = 600
"""What obs-websocket answers where there is no such input."""

FRESH_SILENCE = 250.0
"""Milliseconds: OBS mixes no sound of a hidden input, and one that has only just started may have none yet.
A standby has had time for it: PROMISED_SILENCE."""
PROMISED_SILENCE = 60.0


@dataclass(frozen=True, slots=True)
class Hiccups:
    """What this machine was late with by itself, which is no fault of a hand-over."""

    frames: int
    """Those that OBS rendered late."""
    publishers: float
    """The longest time in seconds for which a publisher could not send. What comes that late is missing where the
    sound is cut to within a quarter of a second: 100 to 130 ms of it after 150 ms (OBS 29, ``ffmpeg_source``)."""

    @property
    def seconds(self) -> float:
        """By how much a sound may come late."""
        return self.frames / 30 + self.publishers


async def note_hiccups(studio: Studio) -> Callable[[], Awaitable[Hiccups]]:
    """Begin to note them; what is returned tells of those until then."""
    began, before = time.monotonic(), await studio.render_stats()

    async def hiccups() -> Hiccups:
        lagged = (await studio.render_stats() - before).lagged
        return Hiccups(lagged, max((each.held_up(began) for each in studio.publishers), default=0.0))

    return hiccups


def assert_seamless(verdict: RecordingVerdict, late: Hiccups, *, silence: float = FRESH_SILENCE) -> None:
    """What the viewer is promised, but for what the machine itself was late with."""
    assert verdict.blank_frames == 0, verdict.summary()
    assert verdict.longest_freeze <= 3 + late.frames, verdict.summary()
    assert verdict.longest_silence <= silence + 1000 * late.seconds, (late, verdict.summary())


async def own_inputs(studio: Studio) -> dict[str, bool]:
    items = (await studio.obs.call("GetSceneItemList", {"sceneName": studio.scene}))["sceneItems"]
    return {
        item["sourceName"]: item["sceneItemEnabled"]
        for item in items
        if item["sourceName"].startswith("GMOTHERSTREAM_")
    }


async def shown(studio: Studio) -> list[str]:
    return [name for name, enabled in (await own_inputs(studio)).items() if enabled]


async def traces(studio: Studio) -> list[str]:
    """The inputs that have a filter, or another volume than before."""
    found = []
    for name in await own_inputs(studio):
        try:
            filters = await studio.obs.call("GetSourceFilterList", {"sourceName": name})
            volume = await studio.obs.call("GetInputVolume", {"inputName": name})
        except ObsCallError as error:
            if error.code != NOT_FOUND:
                raise
            continue  # removed since the list was read: it has left no trace
        if filters["filters"] or volume["inputVolumeMul"] != pytest.approx(1.0, abs=0.01):
            found.append(name)
    return found
