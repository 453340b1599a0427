"""Whether the plugin plays at all: a hidden input of a test picture, by the elements of the real pipeline."""

import asyncio
import contextlib
import secrets
from typing import Final

from daemon.config.model import Sources
from daemon.core.ports import ObsError
from daemon.core.readings import PLAYING
from daemon.obs import inputs
from daemon.obs.connection import Link
from daemon.obs.pipeline import trial
from daemon.obs.sources import GSTREAMER, GstreamerSource

WITHIN: Final = 5.0
"""Seconds that the test picture may take."""
POLL: Final = 0.1
"""Seconds between looks at it."""


async def plays(link: Link, scene: str, sources: Sources) -> bool:
    """Make it, see it play, remove it. Raises ObsError where OBS does not answer."""
    # Not one of the daemon's names: one that runs beside this sweeps its own.
    name = f"motherstream check {secrets.token_hex(4)}"
    settings = GstreamerSource().settings("rtmp://127.0.0.1/check/check", sources)
    settings["pipeline"] = trial(sources.pipeline, width=sources.width, height=sources.height)
    await inputs.create(link, scene, inputs.InputSpec(name, GSTREAMER, settings))
    try:
        return await _moves(link, name)
    finally:
        with contextlib.suppress(ObsError):
            await inputs.remove(link, scene, name)


async def _moves(link: Link, name: str) -> bool:
    loop = asyncio.get_running_loop()
    until, last = loop.time() + WITHIN, None
    while loop.time() < until:
        status = await link.call("GetMediaInputStatus", {"inputName": name})
        cursor = status.get("mediaCursor")
        playing = status.get("mediaState") == PLAYING and isinstance(cursor, int | float)
        if playing and last is not None and cursor > last:
            return True
        last = cursor if playing else None
        await asyncio.sleep(POLL)
    return False
