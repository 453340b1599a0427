"""Streams of fewer frames a second than OBS's own: in most of its frames no picture of theirs is due."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from daemon.studio import Canvas, Studio
from tests.daemon.obs.rig import Rig, config
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

CUTS = 6


@pytest.fixture(params=[60, 30])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Studio, Rig]]:
    """OBS at 60 and at 30 frames a second, publishers at 15."""
    async with Studio(canvas=Canvas(fps=request.param)) as studio:
        studio.canvas = Canvas(fps=15)
        sources = {"width": studio.canvas.width, "height": studio.canvas.height, "kind": "ffmpeg"}
        settings = config(studio.obs.port, studio.obs.password, obs={"request_timeout": 10.0}, sources=sources)
        async with Rig(settings) as rig:
            await asyncio.wait_for(rig.up(), 30)
            yield studio, rig


async def ready(rig: Rig, name: str, url: str) -> None:
    await rig.obs.create_input(name, url)
    seen = rig.watch(name)
    await rig.until(lambda: seen.ready, 30.0)


async def test_no_cut_to_an_input_that_nobody_has_seen_begins_with_a_blank(rig: tuple[Studio, Rig]) -> None:
    studio, adapter = rig
    names = ("alice", "bob", "carol")
    for name in names:
        await studio.publish(name, keyframe_every=15)
    own = [f"GMOTHERSTREAM_{number}" for number in range(1, CUTS + 2)]
    urls = [f"{studio.rtmp_base}/{names[number % 3]}" for number in range(len(own))]
    await ready(adapter, own[0], urls[0])
    await adapter.obs.cut(show=own[0], hide=(), also_show=None, fade=0.0)
    await studio.obs.start_recording()
    for outgoing, incoming, url in zip(own[:-1], own[1:], urls[1:], strict=True):
        await ready(adapter, incoming, url)
        await adapter.obs.cut(show=incoming, hide=(outgoing,), also_show=None, fade=0.0)
        await adapter.obs.remove_input(outgoing)
    done = await studio.obs.recording_position()

    async def recorded() -> bool:
        return await studio.obs.recording_position() >= done + 0.5

    await until(recorded)
    verdict = await studio.analyse(await studio.obs.stop_recording())
    assert len(verdict.cuts) == CUTS, verdict.summary()
    assert verdict.blank_frames == 0, verdict.summary()
