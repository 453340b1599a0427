"""A fake OBS on a thread of its own, so that a test may block while a daemon speaks with it."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tests.fakes.obs import FakeObs
from tests.fakes.obs_streams import Stream

PASSWORD: Final = "correct horse"
DEADLINE: Final = 20.0
"""Seconds."""
OWN: Final = "GMOTHERSTREAM_"

T = TypeVar("T")


class ThreadedObs:
    """``with ThreadedObs() as obs``: every stream that is asked for plays at once."""

    def __init__(self, password: str = PASSWORD) -> None:
        self.fake = FakeObs(password=password)
        self.fake.streams.default = Stream(first_frame_after=0.05)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.fake.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.fake.stop(abrupt=True))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    @property
    def port(self) -> int:
        """Of its WebSocket server."""
        return self.fake.port

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the fake's own loop do it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def own(self) -> dict[str, bool]:
        """The daemon's inputs in the scene, and whether each is shown."""

        async def look() -> dict[str, bool]:
            return {item.name: item.enabled for item in self.fake.scene_items() if item.name.startswith(OWN)}

        return self.run(look())

    def shown(self) -> list[str]:
        """Those of them that are shown."""
        return [name for name, enabled in self.own().items() if enabled]
