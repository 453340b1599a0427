"""OBS as people look at it: what the HTTP API asks of the adapter."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from daemon.core.ports import Check, ObsError, ObsInfo
from daemon.core.readings import count, number
from daemon.core.shapes import ConnectionDetail, Input
from daemon.obs import ObsAdapter
from statemachine.view import ProgramView

RECONNECT_WITHIN: Final = 10.0
"""Seconds that a reconnect asked for by hand is waited for."""
POLL: Final = 0.05


def check_program(program: ProgramView) -> Check:
    """Whether viewers get what is on air, and hand-overs can be made, for ``/readyz``."""
    if program.barred:
        return Check("program", False, "studio mode is on: no hand-over until it is switched off (obs.studio_mode)")
    if program.shown is False and program.input is not None:
        return Check("program", False, f"viewers do not see the streamer on air: OBS shows the scene {program.scene!r}")
    return Check("program", True, "")


class ObsDiagnostics:
    """Implements ``StudioPort`` over the OBS adapter."""

    def __init__(self, obs: ObsAdapter, scene: Callable[[], str], program: Callable[[], ProgramView]) -> None:
        self._obs = obs
        self._scene = scene
        self._program = program

    @property
    def info(self) -> ObsInfo:
        """As last heard."""
        return self._obs.info

    def health(self) -> ConnectionDetail:
        """The connection in some detail."""
        known, stats = self._obs.info, self._obs.stats
        return {
            "connected": known.connected,
            "reason": known.reason,
            "version": known.version,
            "websocket": known.websocket,
            "losses": self._obs.losses,
            "fps": number(stats.get("activeFps")),
            "rendered_frames": count(stats.get("renderTotalFrames")),
            "lagged_frames": count(stats.get("renderSkippedFrames")),
            "cpu_percent": number(stats.get("cpuUsage")),
            "memory_mb": number(stats.get("memoryUsage")),
        }

    async def list_inputs(self) -> Sequence[Input]:
        """Raises ObsError."""
        return await self._obs.list_inputs()

    async def media_status(self, name: str) -> Mapping[str, Any]:
        """Raises ObsError."""
        return await self._obs.media_status(name)

    async def stream_status(self) -> Mapping[str, Any]:
        """Raises ObsError."""
        return await self._obs.call("GetStreamStatus")

    async def screenshot(self, width: int) -> bytes | None:
        """What viewers get, as a JPEG so many pixels wide, None where OBS gives none."""
        canvas_width, canvas_height = self._obs.canvas
        # Both have to be given: obs-websocket divides by the source's height for the one that is not.
        size = {"imageWidth": width, "imageHeight": max(8, round(width * canvas_height / canvas_width))}
        wanted = {"sourceName": self._on_screen, "imageFormat": "jpg", "imageCompressionQuality": 70, **size}
        try:
            answer = await self._obs.call("GetSourceScreenshot", wanted)
        except ObsError:
            return None
        _, _, encoded = str(answer.get("imageData", "")).partition(",")
        try:
            return base64.b64decode(encoded) or None
        except ValueError:
            return None

    @property
    def _on_screen(self) -> str:
        """The scene that viewers are shown. Of studio mode's copy of it there is no picture: then the input in it."""
        program = self._program()
        if program.copied and program.shown and program.input:
            return program.input
        return program.scene or self._scene()

    async def reconnect(self) -> bool:
        """Drop the connection and make it anew; whether it is up again."""
        # Where OBS is down there is no connection to lose: the next one is the new one.
        before = self._obs.losses if self._obs.info.connected else -1
        self._obs.force_reconnect()
        try:
            async with asyncio.timeout(RECONNECT_WITHIN):
                while not (self._obs.info.connected and self._obs.losses != before):  # noqa: ASYNC110  # rare, and not worth an event of its own
                    await asyncio.sleep(POLL)
        except TimeoutError:
            return self._obs.info.connected
        return True
