"""OBS's Sources dock, its window's list of the scene's items, follows what becomes of them later, on its own thread.

What overtakes it can be the end of OBS. An item made while the list is read anew stands in it twice; if another is made
before that is put right, ``SourceTreeModel::ReorderItems`` never ends: the window hangs, and with it recordings, and no
input goes any more (seen on 32.2.2 with three inputs made within 0.1 s and two of them removed at once). So items are
made one at a time. And ``RemoveInput`` takes an entry of the list apart on another thread, while the list may drop it:
three at once, on busy processors, crashed OBS 32.2.2 within 150 rounds, three times of three; none did in 210 rounds
when they were taken out of the scene, as OBS's own Remove does it (see ``inputs.remove``).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from daemon.core.ports import ObsError, ObsRefused

SELECTED: Final = "SceneItemSelected"
"""OBS's event, which the dock causes: it selects each item that it takes in."""
TAKES: Final = 0.5
"""Seconds within which it takes an item in, unless it hangs: mostly 5 ms, 54 on two cores beside four busy programs."""
RESTS: Final = 0.1
RESTS_MOST: Final = 0.5
"""Seconds after an item was put into its place until the next one may be made, at least and at most: that the dock has
followed is told by no event."""
LAGS: Final = 5.0
"""How many times as long as the dock took to take it in that is."""
KNOWS: Final = 0.1
"""Seconds that an item that is to go waits for the dock to know it."""
LONG_AGO: Final = -3600.0
"""By the loop's clock, which never was below 0: nothing has to be waited for."""

Make = Callable[[], Awaitable[int]]
"""Makes an item, and returns its id. Raises ObsError; ObsRefused where there is none."""


class SourcesDock:
    """Nothing that is asked of it waits for longer than TAKES and RESTS_MOST."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._told = asyncio.Event()
        self._selected: dict[object, float] = {}
        """The items that it has taken in since the newest was asked for, and when."""
        self._newest = ""
        self._item: int | None = None
        """The newest one's id; None before OBS has told it, and where none came of it."""
        self._asked_at = self._placed_at = LONG_AGO
        self._placed = True

    async def add(self, name: str, make: Make) -> None:
        """Make an item once the dock has done with the one before. Raises what ``make`` does."""
        async with self._turn:
            await self._until(lambda: self._taken_in and self._placed, self._asked_at + TAKES)
            await asyncio.sleep(max(0.0, self._rests_until - _now()))
            self._newest, self._item, self._placed, self._asked_at = name, None, False, _now()
            self._selected.clear()
            try:
                self._item = await make()
            except ObsRefused:
                self._asked_at = self._placed_at = LONG_AGO
                raise
            except (ObsError, asyncio.CancelledError):
                self._asked_at = _now()  # OBS may carry it out all the same
                raise
            self._told.set()

    def placed(self, name: str) -> None:
        """It lies where it belongs, or will not."""
        if name == self._newest and not self._placed:
            self._placed, self._placed_at = True, _now()
            self._told.set()

    async def taken_in(self, name: str) -> None:
        """Wait a moment until the dock knows it: what goes while it is taken in stays in the list, and in OBS."""
        if name == self._newest:
            deadline = min(self._asked_at + TAKES, _now() + KNOWS)
            await self._until(lambda: self._taken_in or self._newest != name, deadline)

    def on_event(self, kind: str, data: Mapping[str, Any], scene: str) -> None:
        """One of OBS's events; ``scene`` is the one that items are made in."""
        if kind == SELECTED and data.get("sceneName") == scene:
            self._selected.setdefault(data.get("sceneItemId"), _now())
            self._told.set()

    @property
    def _taken_in(self) -> bool:
        return self._item is not None and self._item in self._selected

    @property
    def _rests_until(self) -> float:
        """A slow window is given more time."""
        taken = self._selected.get(self._item, self._asked_at + TAKES)
        rest = min(RESTS_MOST, max(RESTS, LAGS * (taken - self._asked_at)))
        return max(self._placed_at, taken) + rest

    async def _until(self, done: Callable[[], bool], deadline: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while not done():
                    self._told.clear()
                    await self._told.wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
