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
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

SELECTED: Final = "SceneItemSelected"
"""OBS's event, which the dock causes: it selects each item that it takes in."""
TAKES: Final = 0.5
"""Seconds within which it takes an item in, unless it hangs: mostly 5 ms, 54 on two cores beside four busy programs."""
RESTS: Final = 0.1
"""Seconds after an item was put into its place until the next one may be made: no event tells that it has followed."""


class SourcesDock:
    """Nothing that is asked of it waits for longer than TAKES and RESTS."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._told = asyncio.Event()
        self._selected: set[object] = set()
        self._newest, self._item = "", 0
        self._placed = True
        self._made_at = self._settled_at = -math.inf

    async def add(self, name: str, make: Callable[[], Awaitable[int]]) -> None:
        """Make an item once the dock has done with the one before. ``make`` returns its id, 0 where nobody tells."""
        async with self._turn:
            await self._until(lambda: self._taken_in and self._placed)
            await asyncio.sleep(max(0.0, self._settled_at + RESTS - _now()))
            self._selected.clear()
            self._item = await make()
            self._newest, self._placed, self._made_at = name, False, _now()

    def placed(self, name: str) -> None:
        """It lies where it belongs, or will not."""
        if name == self._newest and not self._placed:
            self._placed = True
            self._tell()

    async def taken_in(self, name: str) -> None:
        """Wait until the dock knows it: what goes before that stays in its list, and with it the input."""
        if name == self._newest:
            await self._until(lambda: self._taken_in)

    def on_event(self, kind: str, data: Mapping[str, Any]) -> None:
        """One of OBS's events."""
        if kind == SELECTED:
            self._selected.add(data.get("sceneItemId"))
            self._tell()

    @property
    def _taken_in(self) -> bool:
        return not self._item or self._item in self._selected

    def _tell(self) -> None:
        self._settled_at = _now()
        self._told.set()

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done() and (left := self._made_at + TAKES - _now()) > 0:
            self._told.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), left)


def _now() -> float:
    return asyncio.get_running_loop().time()
