"""Looks at one input again and again, and tells what it sees. Polling: obs-gstreamer sends no media events at all."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from daemon.core.ports import NOT_FOUND, ObsError, ObsGone, ObsRefused, WatchCallbacks
from daemon.core.readings import Look
from daemon.obs.connection import Request, Result, sense
from daemon.obs.priming import RENDER_EVERY, prime, render
from daemon.obs.readiness import WATCHING, Failed, Judge, Observation, Ready, Resumed, Stalled, StateSeen
from daemon.obs.scene import ObsScene
from daemon.obs.scene_items import SceneItem, read_items

log = structlog.get_logger(__name__)

GONE = 5.0
"""Seconds that a picture is looked for which is gone from OBS: it may have been renamed, and get its name back."""


class InputWatch:
    """The watch over one input while ``run`` runs: until ``stop``, the input's failure, or the loss of OBS.

    ``gone`` is called where OBS knows no more of an input that was proven.
    """

    def __init__(
        self,
        scene: ObsScene,
        name: str,
        callbacks: WatchCallbacks,
        judge: Judge,
        *,
        gone: Callable[[], None],
    ) -> None:
        self.name = name
        self._link = scene.link
        self._scene = scene.name
        self._callbacks = callbacks
        self._gone = gone
        self._judge = judge
        self._quiet = judge.proven
        self.fps = scene.fps
        """OBS's frames a second."""
        self._hidden = not judge.proven
        self._rendered_at = time.monotonic()
        self._priming: asyncio.Task[bool] | None = None
        self._item: SceneItem | None = None
        self._gone_at: float | None = None
        self._failing = False
        self._alone = False
        """It asks by itself: what it asked last had no answer, and may be what held up the others' as well."""
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look, judge, tell, wait. Returns without a word where OBS is lost: that is told elsewhere."""
        try:
            while not self._stopping.is_set():
                try:
                    if await self._look_and_emit():
                        return
                    await self._keep_fresh()
                    self._failing = False
                except ObsGone:
                    raise
                except Exception:
                    # One that ended here would leave a picture that nobody looks at until its turn is over.
                    if not self._failing:
                        self._failing = True
                        text = f"What OBS reports about '{self.name}' cannot be interpreted; retrying"
                        log.exception(text, input=self.name)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self._next_look()):
                        await self._stopping.wait()
        except ObsGone:
            return
        finally:
            if self._priming is not None:
                self._priming.cancel()
                await asyncio.gather(self._priming, return_exceptions=True)

    @property
    def last(self) -> Look | None:
        """What it saw last; None before the first look."""
        return self._judge.last

    def stop(self) -> None:
        """No look after this. ``run`` returns once the one under way is over."""
        self._stopping.set()

    def shown(self) -> None:
        """It is in the program from now on, and OBS renders it by itself."""
        self._hidden = False

    def _next_look(self) -> float:
        """When, by the loop's clock. Unless in haste, all watches look at the same moments, and share a message."""
        interval, now = self._judge.interval, asyncio.get_running_loop().time()
        return now + interval if interval < WATCHING else next_beat(now, interval)

    async def _keep_fresh(self) -> None:
        if self._hidden and self._judge.proven and time.monotonic() - self._rendered_at >= RENDER_EVERY:
            await render(self._link, [self.name], self.fps)
            self._rendered_at = time.monotonic()

    async def _look_and_emit(self) -> bool:
        """Whether the watch is over."""
        try:
            look = await self._look()
        except ObsGone:
            raise
        except ObsError as error:
            if not isinstance(error, ObsRefused) or error.code != NOT_FOUND:
                # OBS is slow, or not ready. That says nothing of the input.
                return False
            look = None
        if self._stopping.is_set():
            return True
        if look is None:
            return self._input_gone()
        self._gone_at = None
        observations = self._judge.see(look)
        if look.width > 0:
            self._prime_once()
        if any(isinstance(observation, Ready) for observation in observations):
            await self._primed()
            if self._stopping.is_set():
                return True
        return any(self._emit(observation) for observation in observations)

    def _input_gone(self) -> bool:
        """OBS knows nothing of it. Whether the watch is over."""
        if not self._judge.proven:
            self._callbacks.failed("it no longer exists in OBS", "gone")
            return True
        if self._gone_at is None:
            # Somebody has taken away a picture. What to make of that is for the inventory to tell.
            self._gone_at = time.monotonic()
            self._gone()
        return time.monotonic() - self._gone_at >= GONE

    def _prime_once(self) -> None:
        """Have the first picture rendered, beside the looks that prove it and not after them.

        Not only for the time: OBS sets an input's sound to the time of its picture whenever that is rendered
        (``obs_source_update_async_video`` in libobs's obs-source.c). Where the two have begun more than 70 ms apart,
        as with obs-gstreamer, the sound has a hole at the first rendering, which had better be over when it is heard.
        """
        if self._hidden and self._priming is None:
            self._rendered_at = time.monotonic()
            self._priming = asyncio.create_task(prime(self._link, self.name, self.fps))

    async def _primed(self) -> None:
        """Wait for that picture; where it was in vain, or is old by now, render another."""
        there = self._priming is not None and await self._priming
        if not there or time.monotonic() - self._rendered_at >= RENDER_EVERY:
            await prime(self._link, self.name, self.fps)
            self._rendered_at = time.monotonic()

    async def _look(self) -> Look:
        if self._judge.proven:
            return self._read([await self._ask(self._status())])
        if self._item is None:
            self._item = await self._find()
        asked = {"sceneName": self._item.scene, "sceneItemId": self._item.id}
        results = await self._link.batch([self._status(), Request("GetSceneItemTransform", asked)])
        if len(results) == 2 and not results[1].ok:
            self._item = None  # the item was taken out and put in again by hand
        return self._read(results)

    async def _ask(self, request: Request) -> Result:
        alone, self._alone = self._alone, True
        with sense(request.kind):
            result = (await self._link.batch([request]))[0] if alone else await self._link.together.ask(request)
        self._alone = False
        return result

    async def _find(self) -> SceneItem:
        items = await read_items(self._link, self._scene, [self.name], deep=[self.name])
        return items.find(self.name, "GetSceneItemTransform")

    def _status(self) -> Request:
        return Request("GetMediaInputStatus", {"inputName": self.name})

    def _read(self, results: list[Result]) -> Look:
        if not results:
            raise ObsError("GetMediaInputStatus: an empty answer")
        status = results[0].checked()
        transform: Any = results[1].data.get("sceneItemTransform") if len(results) > 1 else None
        cursor = status.get("mediaCursor")
        with sense("GetSceneItemTransform"):
            width = float(transform.get("sourceWidth") or 0.0) if isinstance(transform, Mapping) else 0.0
        return Look(
            at=time.monotonic(),
            state=str(status.get("mediaState")),
            cursor=cursor if isinstance(cursor, int | float) else None,
            width=width,
        )

    def _emit(self, observation: Observation) -> bool:
        match observation:
            case StateSeen(state):
                # An adopted input's first state is no change.
                if not self._quiet:
                    log.info(f"Source '{self.name}' state: {state}", input=self.name, state=state)
                self._quiet = False
            case Ready(seconds):
                line = f"Source '{self.name}' is PLAYING after {seconds:.2f}s"
                log.info(line, input=self.name, seconds=round(seconds, 3))
                self._callbacks.ready(seconds)
            case Stalled(seconds, blank):
                self._callbacks.stalled(seconds, blank)
            case Resumed():
                self._callbacks.resumed()
            case Failed(reason, code):
                self._callbacks.failed(reason, code)
                return True
        return False


def next_beat(now: float, interval: float) -> float:
    """The next multiple of the interval, which is later than now.

    At a multiple, ``//`` rounds down to the one before as often as not (1.0 // 0.2 is 4): the next one would be now.
    """
    beat = (now // interval + 1) * interval
    return beat if beat > now else beat + interval
