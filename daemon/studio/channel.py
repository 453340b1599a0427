"""The daemon itself, as a process of its own beside a studio: what `make demo`, tests and benchmarks drive."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp

from daemon.shared.postgres import Postgres
from daemon.shared.streamers import put_streamers, read_streamers
from daemon.streamers.store import StreamerRow, StreamerStore, hash_key
from daemon.studio.errors import StudioError
from daemon.studio.keys import Keyring
from daemon.studio.ports import free_port
from daemon.studio.process import Process, environment, until
from daemon.studio.scene import Canvas

POLL = 0.02
"""Seconds between two looks at /status."""
START_TIMEOUT = 20.0
"""Seconds in which the daemon has to answer."""
KEYS_TIMEOUT = 10.0
"""Seconds in which it has to read a new key."""


class Reachable(Protocol):
    """Where an OBS listens, and its password."""

    @property
    def port(self) -> int:
        """Of obs-websocket."""

    @property
    def password(self) -> str:
        """What it asks for."""


class Surroundings(Protocol):
    """A studio, as much of it as a daemon needs."""

    @property
    def folder(self) -> Path:
        """For everything that the daemon writes."""

    @property
    def obs(self) -> Reachable:
        """The studio's OBS."""

    @property
    def canvas(self) -> Canvas:
        """Its size."""

    @property
    def scene(self) -> str:
        """Where streamers are shown."""

    @property
    def slate(self) -> str | None:
        """What is shown while nobody is on air."""

    @property
    def rtmp_url(self) -> str:
        """The daemon's ``ingest.rtmp_url``."""

    @property
    def keys(self) -> Keyring:
        """The streamers' keys."""


class Channel:
    """A running daemon that hands the studio's program from streamer to streamer.

        port = free_port()
        async with Studio(hook_url=Channel.hook_url(port)) as studio, Channel(studio, port=port) as channel:
            await studio.publish("alice")
            await channel.until(lambda status: on_air(status) == "alice")

    ``settings`` are dotted configuration keys, on top of those that point the daemon at the studio. None leaves
    one out.
    """

    def __init__(
        self, studio: Surroundings, *, port: int | None = None, settings: Mapping[str, object] | None = None
    ) -> None:
        self.studio = studio
        self.port = port or free_port()
        self.folder = studio.folder / f"daemon-{self.port}"
        self._settings = dict(settings or {})
        self._admitted: set[str] = set()
        self._process: Process | None = None
        self._http: aiohttp.ClientSession | None = None

    @staticmethod
    def hook_url(port: int) -> str:
        """Where the studio's RTMP server reports to."""
        return f"http://127.0.0.1:{port}/hooks/nginx-rtmp"

    @property
    def url(self) -> str:
        """The address of the API and the dashboard."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> Process:
        """The daemon's process."""
        if self._process is None:
            raise StudioError("the daemon was not started")
        return self._process

    @property
    def log_file(self) -> Path:
        """Its structured log, JSON lines."""
        return self.folder / "motherstream.log"

    # --- life ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        if self._settings.get("queue.auth", "keys") == "keys":
            self.studio.keys.join(self)
        self._http = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=15))
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the daemon; the picture stays on air."""
        self.studio.keys.leave(self)
        try:
            await self.stop()
        finally:
            if self._http is not None:
                await self._http.close()

    async def start(self) -> float:
        """Start the daemon; the seconds until its API answered."""
        began = time.monotonic()
        self._process = Process(
            "motherstream",
            [sys.executable, "-m", "daemon", "run"],
            log=self.folder / "console.log",
            env=self._environment(),
            cwd=self.folder,
        )
        await self._process.start()
        await self._process.answers(self._alive, START_TIMEOUT, poll=POLL)
        return time.monotonic() - began

    async def stop(self) -> None:
        """SIGTERM, and its end."""
        if self._process is not None:
            await self._process.stop(signal.SIGTERM, within=10.0)

    async def kill(self) -> None:
        """SIGKILL, as a crash does."""
        await self.process.kill()

    # --- streamers -------------------------------------------------------------------------------------------

    async def add_streamer(self, name: str, key: str) -> None:
        """Let this streamer in with this key. Returns once the daemon, if it runs, has read it."""
        if name in self._admitted:
            return
        now = time.time()
        row = StreamerRow(name, None, True, now, now, hash_key(key))
        if url := self._settings.get("store.url"):
            count = await _share(str(url), row)
        else:
            store = StreamerStore(Path(str(self._settings.get("store.path") or self.folder / "motherstream.db")))
            await asyncio.to_thread(store.put_back, [row])
            count = len(await asyncio.to_thread(store.list))
        self._admitted.add(name)
        if self._process is not None and not await until(
            lambda: not self.process.running or self._keys_read() >= count, KEYS_TIMEOUT, poll=POLL
        ):
            raise StudioError(
                f"the daemon did not read the key of {name} within {KEYS_TIMEOUT:g} s\n{self.process.tail(30)}"
            )

    def _keys_read(self) -> int:
        read = [line["streamers"] for line in self.lines() if line["event"] == "streamers' keys read"]
        return int(read[-1]) if read else 0

    # --- the API ---------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """GET, decoded. Raises StudioError on anything but 200."""
        return await self.call("GET", path)

    async def post(self, path: str, body: object = None) -> Any:
        """POST, decoded. Raises StudioError on anything but 2xx."""
        return await self.call("POST", path, body)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Any method."""
        if self._http is None:
            raise StudioError("the channel is not open")
        async with self._http.request(method, path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise StudioError(f"{method} {path}: {answer.status} {text}")
            return json.loads(text) if text else None

    async def status(self) -> dict[str, Any]:
        """GET /status."""
        status: dict[str, Any] = await self.get("/status")
        return status

    async def role(self) -> str:
        """What this daemon is to its channel: owner or heir."""
        if self._http is None:
            raise StudioError("the channel is not open")
        async with self._http.get("/owner") as answer:
            return str((await answer.json())["role"])

    async def until(self, condition: Callable[[dict[str, Any]], bool], within: float = 30.0) -> dict[str, Any]:
        """Poll /status until ``condition`` holds; the status. Raises StudioError, with the status, when time is up."""
        deadline = time.monotonic() + within
        status: dict[str, Any] = {}
        while True:
            try:
                status = await self.status()
                if condition(status):
                    return status
            except aiohttp.ClientError as error:
                if not self.process.running:
                    raise self.process.failed("the daemon ended") from error
            if time.monotonic() >= deadline:
                raise StudioError(f"not within {within:g} s; /status: {json.dumps(status)}\n{self.process.tail(30)}")
            await asyncio.sleep(POLL)

    async def until_on_air(self, streamer: str | None, within: float = 30.0) -> dict[str, Any]:
        """Wait until this streamer's picture (None: nobody's) is on air."""
        return await self.until(lambda status: on_air(status) == streamer, within)

    async def skip(self, within: float = 30.0) -> dict[str, Any]:
        """Skip, and wait until somebody else is on air."""
        before = on_air(await self.status())
        await self.post("/queue/skip")
        return await self.until(lambda status: on_air(status) not in (before, None), within)

    async def _alive(self) -> bool:
        try:
            await self.get("/healthz")
        except (aiohttp.ClientError, StudioError, TimeoutError):
            return False
        return True

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far, one dict a line."""
        text = self.log_file.read_text() if self.log_file.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def events(self) -> list[str]:
        """The texts of its log so far."""
        return [line["event"] for line in self.lines()]

    def _environment(self) -> dict[str, str]:
        obs = self.studio.obs
        settings: dict[str, object] = {
            "http.port": self.port,
            "obs.port": obs.port,
            "obs.password": obs.password,
            "obs.scene": self.studio.scene,
            "sources.width": self.studio.canvas.width,
            "sources.height": self.studio.canvas.height,
            "ingest.rtmp_url": self.studio.rtmp_url,
            "store.path": self.folder / "motherstream.db",
            "log.file": self.log_file,
            "health.report_dir": self.folder / "stream-health",
        }
        if self.studio.slate:
            settings["obs.slate"] = self.studio.slate
        settings |= self._settings
        return environment() | {
            "MOTHERSTREAM_" + key.upper().replace(".", "__"): _plain(value)
            for key, value in settings.items()
            if value is not None
        }


async def _share(url: str, row: StreamerRow) -> int:
    """Put a streamer into the store that daemons share, if it is not there; how many there are."""
    postgres = Postgres(url, within=10.0)
    try:
        if row.name not in {known.name for known in await read_streamers(postgres)}:
            await put_streamers(postgres, [row])
        return len(await read_streamers(postgres))
    finally:
        await postgres.close()


def on_air(status: Mapping[str, Any]) -> str | None:
    """Whose picture a /status shows."""
    return status["on_air"]["streamer"] if status.get("on_air") else None


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | tuple) else str(value)
