"""Re-reads the inventory after OBS's hints. Hints come in bursts, unordered, and for the daemon's own doings too."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import structlog

from daemon.core.ports import ObsError, ObsGone
from daemon.obs.connection import ObsEvent
from daemon.obs.inventory import InputNames

log = structlog.get_logger(__name__)

DEBOUNCE = 0.08
"""Seconds that a burst of events may take."""

RETRY = 1.0
"""Seconds until a reading that failed is tried again."""

READ_EVERY = 2.0
"""Seconds until it is read without a hint: hints may be lost, and a hand that was respected may have to be mended."""

REST_EVERY = 5.0
"""The same where nothing is in OBS, or is to be there, that is of use: nobody publishes, mostly for hours."""

_INPUTS = ("InputCreated", "InputRemoved", "InputNameChanged")
_PROGRAM = ("CurrentProgramSceneChanged", "StudioModeStateChanged", "SceneTransitionEnded")
_ITEMS = ("SceneItemCreated", "SceneItemRemoved", "SceneItemEnableStateChanged")


class Refresher:
    """``read`` is awaited a moment after the first hint, and every few seconds without one, but never with a change of
    the daemon's own under way.

    A reading that such a change has overtaken is done again: what it says may never have been true as a whole.
    ``touch`` is called where one begins and where it ends.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[Callable[[], None]]],
        *,
        touch: Callable[[], None] = lambda: None,
        debounce: float = DEBOUNCE,
        every: float = READ_EVERY,
    ) -> None:
        self.at_rest = False
        self._read = read
        self._touch = touch
        self._debounce = debounce
        self._every = every
        self._poked = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._changing = 0
        self._changes = 0
        self._failing = False

    def poke(self) -> None:
        """Somebody may have changed something."""
        self._poked.set()

    def forget(self) -> None:
        """What was poked for has been read, or cannot be."""
        self._poked.clear()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """A change of the daemon's own is under way."""
        self._changing += 1
        self._changes += 1
        self._idle.clear()
        self._touch()
        try:
            yield
        finally:
            self._touch()
            self._changing -= 1
            if not self._changing:
                self._idle.set()

    async def run(self) -> NoReturn:
        """Until cancelled. ``read`` returns what is to be done with what it read."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REST_EVERY if self.at_rest else self._every):
                    await self._poked.wait()
                    await asyncio.sleep(self._debounce)
            await self._idle.wait()
            self._poked.clear()
            changes = self._changes
            try:
                emit = await self._read()
            except ObsGone:
                continue  # it is read again when it has come back
            except ObsError:
                self._poked.set()
                await asyncio.sleep(RETRY)
                continue
            except Exception:
                # Whatever OBS has answered: it must not end the daemon, which keeps the picture on air.
                if not self._failing:
                    self._failing = True
                    log.exception("OBS's answer cannot be read; retrying")
                await asyncio.sleep(RETRY)
                continue
            self._failing = False
            if changes == self._changes:
                emit()
            else:
                self._poked.set()


def concerns(event: ObsEvent, scenes: Collection[str], names: InputNames) -> bool:
    """Whether the own inputs may be others, or shown otherwise, in the scene or in the Program, after this event.

    ``scenes``: the scene and what it holds.
    """
    data: Mapping[str, Any] = event.data
    if event.kind in _PROGRAM:
        return True
    if event.kind in _ITEMS:
        name = data.get("sourceName")
        return data.get("sceneName") in scenes and (name is None or names.own(str(name)))
    if event.kind in _INPUTS:
        return any(names.own(str(data.get(key, ""))) for key in ("inputName", "oldInputName"))
    return False
