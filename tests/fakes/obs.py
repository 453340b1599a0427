"""A fake OBS: what a test starts, steers and asks. See FakeObs."""

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed

from daemon.studio.ports import free_port
from tests.fakes.obs_clock import Clock, LoopClock
from tests.fakes.obs_faults import Faults, Spoil, spoilt
from tests.fakes.obs_model import Input, SceneItem
from tests.fakes.obs_program import Program
from tests.fakes.obs_server import Logged, ObsServer
from tests.fakes.obs_streams import Streams
from tests.fakes.obs_studio import Studio
from tests.fakes.obs_versions import OBS_29, Version
from tests.support import Changes


class FakeObs:
    """One version of OBS with its obs-websocket, over msgpack on loopback, to be used with `async with`.

    version: see obs_versions. password: None: no authentication. scenes: made at the start, the first of them the
    program; OBS's own empty `Scene` is there too. gstreamer: the plugin is loaded. fps: of the renderer. clock: a
    FakeClock to move the time by hand. seed, jitter: see Faults. workers: threads of obs-websocket's pool.
    removal_delay: seconds by which a removed input keeps its name after its item is gone. prefix: of the inputs that
    the program recorder takes for the daemon's own.

    studio: scenes and inputs, also for changes made by hand. streams: what the network delivers. program: what was
    shown. faults: what goes wrong.
    """

    def __init__(
        self,
        *,
        password: str | None = "correct horse",
        scenes: tuple[str, ...] = ("MOTHERSTREAM",),
        gstreamer: bool = True,
        fps: int = 30,
        clock: Clock | None = None,
        seed: int = 0,
        jitter: float = 0.0,
        workers: int = 8,
        removal_delay: float = 0.0,
        prefix: str = "GMOTHERSTREAM_",
        canvas: tuple[int, int] = (1280, 720),
        version: Version = OBS_29,
    ) -> None:
        self.password = password
        self.clock: Clock = clock if clock is not None else LoopClock()
        self.port = 0
        self.studio = Studio(
            self.clock,
            gstreamer=gstreamer,
            fps=fps,
            prefix=prefix,
            removal_delay=removal_delay,
            canvas=canvas,
            version=version,
        )
        self.faults = Faults(jitter=jitter, seed=seed)
        self.server = ObsServer(self.studio, self.faults, password, workers)
        self._changes = Changes()
        self.studio.on_change = self._changes.wake
        self._scenes = scenes
        self._furnish()

    def _furnish(self) -> None:
        for name in self._scenes:
            self.studio.create_scene(name)
        if self._scenes:
            self.studio.set_program(self._scenes[0])

    # Life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop(abrupt=True)
        if error is None and self.server.errors:
            raise self.server.errors[0]  # a fault of the fake itself

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same port after that."""
        self.studio.busy = False
        # One that no outgoing connection is given while this fake is down.
        self.port = await self.server.start(self.port or free_port())
        self.studio.renderer.start()

    async def stop(self, *, abrupt: bool = False) -> None:
        """OBS ends, and says so: 1001 to every client. `abrupt`: it crashes, and the connections break off."""
        if not abrupt:
            self.studio.exit()
            await self.server.send_all()
        await self.studio.renderer.stop()
        await self.server.stop(abrupt=abrupt)

    async def restart(self, *, leftovers: bool, abrupt: bool = False) -> None:
        """End and come back. `leftovers`: with the scenes and inputs as they were; else with empty scenes."""
        await self.stop(abrupt=abrupt)
        self.reload(leftovers=leftovers)
        await self.start()

    def reload(self, *, leftovers: bool) -> None:
        """What the next start finds. Between `stop` and `start`."""
        if leftovers:
            self.studio.reload()
        else:
            self.studio.reset()
            self._furnish()

    # What there is

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def streams(self) -> Streams:
        return self.studio.streams

    @property
    def program(self) -> Program:
        return self.studio.program

    @property
    def inputs(self) -> dict[str, Input]:
        """By name, those included that were asked to go and have not gone."""
        self.studio.settle()
        return {source.name: source for source in self.studio.current.inputs}

    def scene_items(self, scene: str | None = None) -> list[SceneItem]:
        """Of the first of `scenes`, unless told which; the bottom first."""
        self.studio.settle()
        return list(self.studio.scene(scene if scene is not None else self._scenes[0]).items)

    def item(self, name: str, scene: str | None = None) -> SceneItem:
        """The lowest scene item of that source. Raises KeyError."""
        found = next((item for item in self.scene_items(scene) if item.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def calls(self) -> list[Logged]:
        """Every request in the order in which they were carried out or refused, those in batches too."""
        return self.server.log

    @property
    def requests(self) -> list[tuple[str, dict[str, Any] | None]]:
        """`calls` as (requestType, requestData)."""
        return [(call.type, call.data) for call in self.server.log]

    def requested(self, request_type: str) -> list[dict[str, Any]]:
        """The data of each request of that type."""
        return [call.data or {} for call in self.server.log if call.type == request_type]

    @property
    def clients(self) -> int:
        """Clients that are connected and identified."""
        return sum(session.identified for session in self.server.sessions)

    async def wait_for(self, condition: Callable[[], object], within: float = 5.0) -> None:
        """Wait until it holds; asked after every change and frame. TimeoutError after `within` real seconds."""
        await self._changes.until(condition, within)

    # Trouble with the connection and the renderer

    async def kick(self, code: int = 4011, reason: str = "Your session has been invalidated.") -> None:
        """Close every client's connection with that code."""
        for session in list(self.server.sessions):
            await session.connection.close(code, reason)

    def drop(self) -> None:
        """Every client's connection breaks off, without a goodbye."""
        for session in list(self.server.sessions):
            session.connection.transport.abort()

    def deafen(self) -> None:
        """The sockets stay open, and nothing is read from them any more: no answer, no pong."""
        for session in self.server.sessions:
            session.connection.transport.pause_reading()

    def hear(self) -> None:
        """Undo `deafen`: what has come in meanwhile is carried out now."""
        for session in self.server.sessions:
            session.connection.transport.resume_reading()

    def stall(self) -> None:
        """The renderer stands still behind a live socket: no frame, no answer to a SERIAL_FRAME batch."""
        self.studio.renderer.stalled = True

    def unstall(self) -> None:
        """It goes on, and carries out the batches that wait."""
        self.studio.renderer.stalled = False

    def freeze(self) -> None:
        """As by SIGSTOP: nothing is rendered, read or answered; new connections are accepted and left waiting."""
        self.stall()
        self.deafen()
        self.faults.upgrades = False
        self.server.goes_on.clear()

    def thaw(self) -> None:
        """Undo `freeze`. What was sent meanwhile is carried out now."""
        self.faults.upgrades = True
        self.server.goes_on.set()
        self.unstall()
        self.hear()

    async def send_raw(self, message: bytes | str) -> None:
        """Send that to every client, as it is."""
        for session in list(self.server.sessions):
            with contextlib.suppress(ConnectionClosed):
                await session.connection.send(message)

    async def poison(self, how: Spoil = Spoil.NO_OP) -> None:
        """Send every client an event spoilt in that way: NO_OP and NOT_A_MAP kill its receive loop."""
        await self.send_raw(spoilt(how, 5, {"eventType": "CustomEvent", "eventIntent": 1, "eventData": {}}))
