"""The whole daemon as ``daemon.app`` builds it, between a fake OBS and a fake SRS, in simulated time.

It can be killed between any two steps, as by SIGKILL: what it has sent is on its way, and not a byte follows.
"""

import asyncio
import itertools
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import copy_context
from pathlib import Path
from typing import Any, cast
from unittest import mock

import aiohttp
from structlog.testing import capture_logs

from daemon.app import App
from daemon.composition.live import Live
from daemon.config.keys import secret_values
from daemon.config.loader import load
from daemon.config.model import Config
from daemon.core.dispatcher import Dispatcher
from daemon.core.redaction import Redactor
from daemon.obs.owners import OWNER
from daemon.observability.logging import LogHandle
from statemachine.director import Director
from statemachine.handover.states import State
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_model import Input, Scene, SceneItem
from tests.fakes.srs import Client, FakeSrs
from tests.simulation.loop import CURRENT, Around, Process, SimLoop, as_it_is
from tests.simulation.streamers import Index, Streamers

SCENE, SLATE, STATIC, PREFIX = "MOTHERSTREAM", "SLATE", "GMOTHERSTREAM", "GMOTHERSTREAM_"
PASSWORD = "correct horse"
SOMEBODY = "somebody else"
"""Who marks an input of the daemon's prefix as another daemon does."""
LOOK_EVERY = 0.02
"""Seconds."""
SETTINGS: Mapping[str, object] = {
    "sources.job_delay": 0,
    "sources.cleanup_grace": 0.3,
    "sources.ready_timeout": 5,
    "queue.reconnect_grace": 2,
    "ingest.reconcile": 1,
    "health.report_dir": "",
}


class _Quiet:
    """The log's handle, where the test reads the lines themselves."""

    def set_level(self, level: str) -> None:
        """There is but one."""

    def reopen(self) -> None:
        """There is no file."""


class _Dispatcher(Dispatcher):
    """Known to its process."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        process = CURRENT.get()
        assert isinstance(process, Life)
        process.dispatcher = self


class SimConnector(aiohttp.UnixConnector):
    """aiohttp's way to a port of the simulation; it takes a socket of its own for TCP."""

    def __init__(self, **_: Any) -> None:
        super().__init__("-")

    async def _create_connection(self, req: Any, *rest: Any) -> Any:
        try:
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(self._factory, req.url.host, req.url.port)
        except OSError as error:
            raise aiohttp.ClientConnectorError(req.connection_key, error) from error
        return protocol


class Life(Process):
    """One run of the daemon, from its start to its end."""

    def __init__(self, config_file: Path, around: Around) -> None:
        super().__init__()
        self.around = around
        self.dispatcher: Dispatcher | None = None
        self._file = config_file
        self.main: asyncio.Task[int] | None = None
        self.app: App | None = None

    @property
    def config(self) -> Config:
        """What it goes by."""
        assert self.app is not None
        return self.app.config

    def start(self) -> None:
        """Begin. It runs by itself from here on."""
        context = copy_context()
        context.run(CURRENT.set, self)
        self.main = asyncio.get_running_loop().create_task(self._run(), name="daemon", context=context)

    async def _run(self) -> int:
        config = load(self._file, {})
        handle = cast("LogHandle", _Quiet())
        self.app = App(Live(config, self._file, Redactor(*secret_values(config)), handle))
        return await self.app.run()

    @property
    def director(self) -> Director:
        """The rules as they stand in its memory."""
        assert self.dispatcher is not None
        return self.dispatcher.director

    def kill(self) -> None:
        """SIGKILL, at once: nothing that it does from now on has any effect."""
        self.dead = True
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        loop.sever(self)
        for task in loop.tasks.pop(self, set()):
            task.cancel()

    def signal(self, number: signal.Signals) -> None:
        """Send it one that it handles."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        loop.signals[self, number]()

    async def ended(self) -> int | None:
        """Wait for its end; the exit code, None where it was killed."""
        assert self.main is not None
        await asyncio.wait({self.main})
        return None if self.main.cancelled() else self.main.result()


class World:
    """``async with world(folder) as world`` has a fake OBS and a fake SRS, and no daemon yet."""

    def __init__(self, folder: Path, settings: Mapping[str, object], obs: FakeObs, srs: FakeSrs) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        self.loop, self.obs, self.srs = loop, obs, srs
        self.port = loop.free_port()
        self.settings = {
            "http.port": self.port,
            "obs.port": obs.port,
            "obs.password": PASSWORD,
            "ingest.srs_api": srs.url,
            "store.path": str(folder / "motherstream.db"),
            "log.file": str(folder / "motherstream.log"),
            **SETTINGS,
            **settings,
        }
        self.file = folder / "motherstream.toml"
        self.write_settings()
        srs.hook_url = f"http://127.0.0.1:{self.port}/hooks/srs"
        self.life: Life | None = None
        self.around: Around = as_it_is
        """Does what the daemon hands to threads."""
        self.lines: list[Any] = []
        self.clients: dict[str, Client] = {}
        keys = self.settings.get("queue.auth", "keys") == "keys"
        self.streamers = Streamers(Path(str(self.settings["store.path"])), keys=keys)

    def write_settings(self, **changes: object) -> None:
        """The configuration file; a key's dots are written as two underscores."""
        self.settings |= {key.replace("__", "."): value for key, value in changes.items()}
        sections: dict[str, list[str]] = {"": []}
        for key, value in self.settings.items():
            section, _, name = key.rpartition(".")
            sections.setdefault(section, []).append(f"{name} = {json.dumps(value)}")
        heads = {name: f"[{name}]\n" if name else "" for name in sections}
        self.file.write_text("".join(heads[name] + "\n".join(rows) + "\n" for name, rows in sections.items()))

    def reload(self, **changes: object) -> None:
        """Change the file, and have the daemon read it."""
        self.write_settings(**changes)
        self.running.signal(signal.SIGHUP)

    # --- the daemon ------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the daemon, and wait until it listens."""
        self.life = Life(self.file, lambda work, args: self.around(work, args))
        self.life.start()
        await self.until(lambda: (self.life, signal.SIGHUP) in self.loop.signals, 5.0)

    async def kill(self) -> None:
        """SIGKILL, and its end."""
        life = self.running
        life.kill()
        await life.ended()

    async def stop(self) -> int | None:
        """SIGTERM, and its end."""
        self.running.signal(signal.SIGTERM)
        return await self.running.ended()

    @property
    def running(self) -> Life:
        """The daemon's present run."""
        assert self.life is not None
        return self.life

    @property
    def director(self) -> Director:
        """The rules as they stand in the daemon's memory."""
        return self.running.director

    def said(self, part: str) -> list[str]:
        """The lines of the log that hold this."""
        return [line["event"] for line in self.lines if part in line["event"]]

    def said_count(self, beginnings: tuple[str, ...]) -> int:
        """How many lines of the log begin so."""
        return sum(line["event"].startswith(beginnings) for line in self.lines)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The daemon's API, decoded."""
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.port}") as http,
            http.request(method, path, json=body) as answer,
        ):
            return await answer.json()

    def furnish(self) -> None:
        """Somebody makes what the configuration names in an empty scene."""
        self.obs.studio.create_input(self.obs.studio.scene(SCENE), SLATE, "color_source_v3", {}, enabled=False)

    # --- streamers -------------------------------------------------------------------------------------------

    def url(self, streamer: str) -> str:
        """Where OBS plays it from."""
        return f"rtmp://127.0.0.1:1935/live/{self.streamers.stream(streamer)}"

    def add_streamer(self, streamer: str) -> None:
        """It has a key, and the daemon, if it runs, knows it."""
        self.streamers.add(streamer)
        if self.life is not None and not self.life.dead:
            self.life.on_change()

    async def publish(self, streamer: str) -> bool:
        """It goes live, if it is let."""
        if streamer in self.live:
            return False
        self.add_streamer(streamer)
        client = await self.srs.publish("live", self.streamers.stream(streamer), self.streamers.param(streamer))
        if client is None:
            return False
        before, self.clients[streamer] = self.clients.get(streamer), client
        if (stream := self.obs.streams.get(self.url(streamer))) is None:
            stream = self.obs.streams[self.url(streamer)] = Stream(0.1)
        stream.frozen = False
        if client.lost or (before is not None and before.lost):
            stream.first_frame_after = None if client.lost else 0.1
        return True

    async def unpublish(self, streamer: str) -> None:
        """It ends its stream."""
        self.freeze(streamer)
        if client := self.clients.pop(streamer, None):
            await self.srs.unpublish(client)

    def freeze(self, streamer: str) -> None:
        """Nothing comes of it any more, though it stays connected."""
        self.obs.streams[self.url(streamer)].frozen = True

    @property
    def live(self) -> set[str]:
        """Those who publish, by the ingest server's own books."""
        return {self.streamers.of(client.stream) for client in self.srs.clients.values()}

    @property
    def moving(self) -> set[str]:
        """Those of them of whom a picture can be had."""
        return {name for name in self.live if self.obs.streams[self.url(name)].delivering}

    # --- what is shown ---------------------------------------------------------------------------------------

    @property
    def own(self) -> list[SceneItem]:
        """The daemon's own items of the scene."""
        return [item for item, _ in self._items() if _is_own(item)]

    def _items(self) -> list[tuple[SceneItem, bool]]:
        """Those of the scene and its groups, with whether each is shown, which takes its group to be."""
        items = [(item, item.enabled) for item in self.obs.scene_items(SCENE)]
        for item, enabled in list(items):
            if isinstance(group := item.source, Scene) and group.is_group:
                items += [(each, enabled and each.enabled) for each in group.items]
        return items

    @property
    def shown(self) -> list[str]:
        """The own inputs that are shown."""
        return [item.name for item, shown in self._items() if shown and _is_own(item)]

    def streamer_of(self, name: str) -> str | None:
        """Whose stream an input plays, by its settings."""
        settings = self.obs.inputs[name].settings
        text = str(settings.get("input") or settings.get("pipeline") or "")
        return next((each for each in self.clients if self.url(each) + '"' in text + '"'), None)

    def _is_shown(self, slate: str) -> bool:
        return any(shown for item, shown in self._items() if item.name == slate)

    def amiss(self) -> str:
        """What is not as it ought to be once all is quiet; empty where nothing is."""
        life = self.running
        if life.dispatcher is None:
            return "the daemon has not begun"
        director = life.director
        state, program = director.switchover.state, director.switchover.program
        if state not in (State.IDLE, State.STANDBY):
            return f"it is still {state.name}"
        if SCENE not in {scene.name for scene in self.obs.studio.current.scenes}:
            return "the scene is not there"
        shown = self.shown
        names = [entry.streamer for entry in director.lineup if entry.sessions]
        if set(names) != self.live:
            return f"{sorted(self.live)} publish, the line-up has {names}"
        known = {name for name, each in self.obs.inputs.items() if name.startswith(PREFIX) and _is_ours(each)}
        if len(known) > 2:
            return f"it owns {sorted(known)}"
        if director.orphans:
            return f"orphans: {director.orphans}"
        if self.moving:
            if program is None or shown != [program.input]:
                return f"OBS shows {shown}, the daemon says {program}"
            static = self.settings.get("sources.mode") == "static"
            if not static and self.streamer_of(shown[0]) not in self.moving:
                return f"{shown[0]} plays {self.streamer_of(shown[0])}, who does not"
            if self.obs.program.now.on_air != shown[0]:
                return f"{shown[0]} has no picture"
        elif not self.live and (shown or program is not None):
            return f"OBS shows {shown}, and nobody publishes"
        slate = str(self.settings.get("obs.slate") or "")
        if any(item.name == slate for item, _ in self._items()) and self._is_shown(slate) == bool(shown):
            return "the slate is on the wrong side"
        return ""

    async def until(self, condition: Callable[[], object], within: float = 10.0) -> float:
        """Let time pass until it holds; the seconds. AssertionError, with what is amiss, where it does not."""
        began = self.loop.now
        while not condition():
            if self.loop.now - began > within:
                raise AssertionError(f"not within {within:g} s; {self.amiss()}\n" + "\n".join(self.tail()))
            await asyncio.sleep(LOOK_EVERY)
        return self.loop.now - began

    async def well(self, within: float = 10.0) -> float:
        """Wait until nothing is amiss; the seconds."""
        return await self.until(lambda: not self.amiss(), within)

    async def stays_well(self, seconds: float) -> None:
        """Nothing is amiss for so long, but for hand-overs that are under way."""
        end = self.loop.now + seconds
        while self.loop.now < end:
            assert not self.amiss()
            await asyncio.sleep(0.05)

    def tail(self, count: int = 40) -> list[str]:
        """The end of the log."""
        return [f"{line['log_level']:8} {line['event']}" for line in self.lines[-count:]]


def _is_own(item: SceneItem) -> bool:
    return item.name.startswith(PREFIX) or item.name == STATIC


def _is_ours(source: Input) -> bool:
    """The rules' search has made it somebody else's where it says so."""
    return source.settings.get(OWNER) != SOMEBODY


_numbers = itertools.count()


@asynccontextmanager
async def world(folder: Path, settings: Mapping[str, object] | None = None, **obs: Any) -> AsyncIterator[World]:
    """Open one. It leaves no task behind."""
    place = folder / f"world-{next(_numbers)}"
    place.mkdir()
    with (
        capture_logs() as lines,
        mock.patch("daemon.composition.studio.Dispatcher", _Dispatcher),
        mock.patch("daemon.composition.store.StreamerIndex", Index),
        mock.patch("aiohttp.client.TCPConnector", SimConnector),
    ):
        async with FakeObs(**{"password": PASSWORD, "fps": 30, **obs}) as fake, FakeSrs() as srs:
            it = World(place, settings or {}, fake, srs)
            it.lines = lines
            it.furnish()
            try:
                yield it
            finally:
                if it.life is not None and not it.life.dead:
                    await it.kill()
