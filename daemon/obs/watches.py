"""The watches over inputs, one an input."""

import asyncio

import structlog

from daemon.core.readings import Look
from daemon.obs.watch import InputWatch

log = structlog.get_logger(__name__)


class Watches:
    """Runs them. One that fails is told: it takes nothing along."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[InputWatch, asyncio.Task[None]]] = {}

    def begin(self, watch: InputWatch) -> None:
        """Run it. It takes the place of one over the same input."""
        name = watch.name
        if name in self._running:
            self._running.pop(name)[0].stop()
        task = asyncio.create_task(watch.run(), name=f"obs-watch {name}")
        self._running[name] = (watch, task)
        task.add_done_callback(lambda done: self._ended(name, done))

    def find(self, name: str | None) -> InputWatch | None:
        """The one over that input."""
        return self._running[name][0] if name in self._running else None

    def last_look(self, name: str) -> Look | None:
        """What the one over that input saw last; None where it is not watched."""
        watch = self.find(name)
        return watch.last if watch else None

    def rendered_at(self, fps: float) -> None:
        """OBS renders so many frames a second from now on."""
        for watch, _ in self._running.values():
            watch.fps = fps

    async def end(self, name: str) -> None:
        """End the one over that input, and wait for a look that is under way: obs-gstreamer answers it unlocked
        against its own teardown."""
        watch, task = self._running.pop(name, (None, None))
        if watch is not None and task is not None:
            watch.stop()
            await asyncio.wait({task})

    def drop(self) -> list[asyncio.Task[None]]:
        """End them all, without a word and without waiting; their tasks."""
        running, self._running = list(self._running.values()), {}
        for watch, task in running:
            watch.stop()
            task.cancel()
        return [task for _, task in running]

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._running.get(name, (None, None))[1] is task:
            del self._running[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(f"The watch over '{name}' failed: {type(error).__name__}", input=name, exc_info=error)
