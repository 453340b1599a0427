"""Who publishes with which key in the simulation: the default, ``queue.auth = "keys"``, in the two forms there are."""

import asyncio
import base64
import hashlib
from pathlib import Path

from daemon.streamers.index import LOOK_EVERY, StreamerIndex
from daemon.streamers.store import StreamerRow, StreamerStore, hash_key
from tests.simulation.loop import CURRENT, Process


def key_of(streamer: str) -> str:
    """Its key, the same in every run."""
    return base64.urlsafe_b64encode(hashlib.sha256(streamer.encode()).digest()[:24]).decode()


class Streamers:
    """Whom the database of one world knows, and how each publishes."""

    def __init__(self, database: Path, *, keys: bool) -> None:
        self._database = database
        self._keys = keys
        self._known: set[str] = set()
        self.key_is_stream = {"bob"}
        """Those whose key is their stream's name; the others have it as ``?key=``."""

    def add(self, streamer: str) -> None:
        """Let it in from now on; as ``motherstream streamer add`` does."""
        if not self._keys or streamer in self._known:
            return
        row = StreamerRow(streamer, None, True, 0.0, 0.0, hash_key(key_of(streamer)))
        StreamerStore(self._database).put_back([row])
        self._known.add(streamer)

    def forget(self) -> None:
        """The database was lost: whoever is added again is written again."""
        self._known.clear()

    def stream(self, streamer: str) -> str:
        """The name of its stream."""
        return key_of(streamer) if self._keys and streamer in self.key_is_stream else streamer

    def param(self, streamer: str) -> str:
        """What stands behind that in the URL that it publishes to."""
        return f"?key={key_of(streamer)}" if self._keys and streamer not in self.key_is_stream else ""

    def of(self, stream: str) -> str:
        """Whose stream it is."""
        return next((each for each in self.key_is_stream if self.stream(each) == stream), stream)


class Index(StreamerIndex):
    """The daemon's own, with a task of the simulation for its thread."""

    def start(self) -> None:
        """Read the file, and follow it."""
        self.refresh()
        process = CURRENT.get()
        assert isinstance(process, Process)
        process.on_change = self.refresh
        self._task = asyncio.create_task(self._look_again(), name="streamers")

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.refresh()

    def stop(self) -> None:
        """Let the file go."""
        self._task.cancel()
        super().stop()
