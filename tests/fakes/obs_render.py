"""The fake's renderer: frames at a steady rate, and what OBS does between two of them."""

import asyncio
import contextlib
from collections.abc import Callable

from tests.fakes.obs_clock import Clock


class Renderer:
    """Counts frames and calls `on_frame` for each. `stalled` stops it dead: no frame, no batch, no clearing away.

    behind: seconds since the frame that is rendered was due. libobs gives each the time at which it was due, however
    late it is rendered (`video_time` in obs-video.c), and takes a stream's pictures by that.
    """

    def __init__(self, clock: Clock, fps: int, on_frame: Callable[[], None]) -> None:
        self.clock = clock
        self.fps = fps
        self.frames = 0
        self.skipped = 0
        self.stalled = False
        self.behind = 0.0
        self._on_frame = on_frame
        self._callbacks: list[Callable[[], bool]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.frames = self.skipped = 0
        self._task = asyncio.create_task(self._run(), name="fake OBS renderer")

    async def stop(self) -> None:
        self._callbacks.clear()
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task  # a fault of the fake itself comes out here

    def between_frames(self, callback: Callable[[], bool]) -> None:
        """Call it before each frame until it says that it is done."""
        self._callbacks.append(callback)

    def tick(self) -> None:
        """Render one frame."""
        if self.stalled:
            return
        self.frames += 1
        # libobs calls its tick callbacks from the last added to the first.
        self._callbacks = [callback for callback in reversed(self._callbacks) if not callback()][::-1]
        self._on_frame()

    async def _run(self) -> None:
        due = self.clock.now()
        while True:
            due += 1 / self.fps
            await self.clock.sleep(due - self.clock.now())
            late = int((self.clock.now() - due) * self.fps)
            if late > 0 and not self.stalled:  # a busy machine: frames are counted, and not rendered
                self.frames += late
                self.skipped += late
            due += late / self.fps
            self.behind = self.clock.now() - due
            self.tick()
