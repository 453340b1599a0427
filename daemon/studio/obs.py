"""OBS as one of the studio's programs, with a small obs-websocket client to record and to look at it."""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import simpleobsws
import websockets

from daemon.studio.errors import ObsCallError, StudioError
from daemon.studio.obs_home import Setup, bring_plugins, forget_crash, write_home, write_scene
from daemon.studio.ports import free_port
from daemon.studio.process import Process
from daemon.studio.scene import Item

START_TIMEOUT = 60.0
"""Seconds that OBS has to load and to answer. An idle machine needs 2 to 10."""

CALL_TIMEOUT = 10.0
"""Seconds that OBS may take for an answer."""
RUNS_AFTER = 500.0
"""Milliseconds of a recording after which its beginning no longer holds OBS up."""

FRAMES_BEFORE_QUIT = 60


@dataclass(frozen=True, slots=True)
class RenderStats:
    """OBS's own account of its frames since it started (GetStats).

    A lagged frame was not rendered in time: OBS repeats the one before, and a recording shows it as frozen.
    Subtract two samples to tell a hiccup of the machine from a fault of what is tried.
    """

    rendered: int
    lagged: int
    encoded: int
    skipped: int
    active_fps: float
    frame_time_ms: float
    cpu_percent: float
    memory_mb: float

    def __sub__(self, earlier: "RenderStats") -> "RenderStats":
        """Counts since `earlier`; the momentary values stay those of the later sample."""
        return RenderStats(
            rendered=self.rendered - earlier.rendered,
            lagged=self.lagged - earlier.lagged,
            encoded=self.encoded - earlier.encoded,
            skipped=self.skipped - earlier.skipped,
            active_fps=self.active_fps,
            frame_time_ms=self.frame_time_ms,
            cpu_percent=self.cpu_percent,
            memory_mb=self.memory_mb,
        )


class StudioObs:
    """A real OBS with its own HOME in `folder`, on the X display `display`, to be set before it is started.

    With a root in its `setup` it is the OBS of that root, and runs in it.

    obs-websocket 5.1 cannot be bound to loopback alone: it listens on `port` of every address, behind a random
    password.
    """

    def __init__(self, folder: Path, setup: Setup) -> None:
        self.setup = setup
        self.host = "127.0.0.1"
        self.port = free_port()
        self.password = secrets.token_urlsafe(18)
        self.recordings = folder / "recordings"
        self._folder = folder
        self._home = folder / "home"
        self._runtime = folder / "run"
        self._log = folder / "obs.log"
        self.display = ""
        self._process: Process | None = None
        self._client: simpleobsws.WebSocketClient | None = None

    def __repr__(self) -> str:
        return f"<Obs port={self.port} running={self.running}>"

    # -- the program -------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def prepare(self) -> None:
        """Write OBS's HOME and the scene as it stands at the beginning."""
        self._runtime.mkdir(mode=0o700, exist_ok=True)
        write_home(self._home, self.setup, port=self.port, password=self.password, recordings=self.recordings)
        bring_plugins(self._home, self.setup.plugins, copied=self.setup.root is not None)
        write_scene(self._home, self.setup.scene, self.setup.items)

    async def start(self, *, fresh: bool = False, leftovers: Sequence[Item] = ()) -> float:
        """Start OBS and wait until it answers with its scene. Returns the seconds that this took.

        By default it comes back with the scene that it last saved. `fresh` brings back the scene as it was at
        the beginning; `leftovers`, which imply that, come on top, as a daemon that died might have left them.

        Raises StartError with the tail of OBS's log.
        """
        if self.running:
            raise StudioError("OBS is running already")
        if fresh or leftovers:
            write_scene(self._home, self.setup.scene, (*self.setup.items, *leftovers))
        forget_crash(self._home)
        began = time.monotonic()
        self._process = Process("OBS", self._argv(), log=self._log, env=self._env())
        await self._process.start()
        await self._process.answers(self._settled, START_TIMEOUT)
        return time.monotonic() - began

    async def stop(self) -> None:
        """Ask OBS to quit, as its user does; it saves its scene. Killed after 10 s."""
        await self._grow_up()
        await self._disconnect()
        if self._process is not None:
            await self._process.stop(signal.SIGINT, within=10.0)

    async def _grow_up(self) -> None:
        # Asked to quit within its first second, OBS 29.0.2 crashed or hung in 8 or 9 of 25 tries; later than that,
        # in none of 95. It still loads in the background, and says nowhere when it has done.
        await self.thaw()
        deadline = time.monotonic() + FRAMES_BEFORE_QUIT / self.setup.canvas.fps * 3
        with contextlib.suppress(ObsCallError):
            while self.running and time.monotonic() < deadline:
                if (await self.render_stats()).rendered >= FRAMES_BEFORE_QUIT:
                    return
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """SIGKILL, as a crash does. OBS's muxer outlives it briefly and finishes a recording that runs."""
        await self._disconnect()
        if self._process is not None:
            await self._process.kill()

    async def restart(self, *, fresh: bool = False, leftovers: Sequence[Item] = ()) -> float:
        """Kill and start again; the same arguments and result as `start`."""
        await self.kill()
        return await self.start(fresh=fresh, leftovers=leftovers)

    async def freeze(self) -> None:
        """SIGSTOP: the port stays open and nothing answers."""
        if self._process is not None:
            await self._process.freeze()

    async def thaw(self) -> None:
        """SIGCONT."""
        if self._process is not None:
            await self._process.thaw()

    def tail(self, lines: int = 15) -> str:
        """The last lines of OBS's log."""
        return "" if self._process is None else self._process.tail(lines)

    def kill_group(self) -> None:
        """SIGKILL to OBS and its muxer, without waiting."""
        if self._process is not None:
            self._process.kill_group()

    async def close(self) -> None:
        """End OBS and its client for good. Nothing is saved."""
        if self._process is not None:
            self._process.kill_group()
        await self._disconnect()
        if self._process is not None:
            await self._process.kill()

    # -- obs-websocket -----------------------------------------------------------------------------------

    async def call(
        self, request: str, data: Mapping[str, Any] | None = None, *, within: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        """One obs-websocket request and its answer's data.

        Raises ObsCallError with OBS's code, or with 0 where OBS does not answer within so many seconds.
        """
        client = await self._connected(request)
        try:
            response = await client.call(
                simpleobsws.Request(request, None if data is None else dict(data)), timeout=within
            )
        except simpleobsws.MessageTimeout as error:
            raise ObsCallError(request, 0, f"no answer within {within:g} s") from error
        except (OSError, websockets.WebSocketException, simpleobsws.NotIdentifiedError) as error:
            await self._disconnect()
            raise ObsCallError(request, 0, "the connection was lost") from error
        if not response.ok():
            raise ObsCallError(request, response.requestStatus.code, response.requestStatus.comment or "")
        return dict(response.responseData or {})

    async def render_stats(self) -> RenderStats:
        """GetStats: rendered and lagged frames, encoded and skipped ones, CPU and memory."""
        stats = await self.call("GetStats")
        return RenderStats(
            rendered=int(stats["renderTotalFrames"]),
            lagged=int(stats["renderSkippedFrames"]),
            encoded=int(stats["outputTotalFrames"]),
            skipped=int(stats["outputSkippedFrames"]),
            active_fps=float(stats["activeFps"]),
            frame_time_ms=float(stats["averageFrameRenderTime"]),
            cpu_percent=float(stats["cpuUsage"]),
            memory_mb=float(stats["memoryUsage"]),
        )

    async def start_recording(self) -> None:
        """Start a recording and wait until it runs: its beginning holds OBS up for up to 0.3 s on two cores."""
        await self.call("StartRecord")
        await self._until_recording(active=True)

    async def recording_position(self) -> float:
        """Seconds into the running recording, by OBS's count of encoded frames: the mark to cut an analysis by.

        The count runs behind: what is done now is seen 0.07 to 0.14 s after this mark (measured).
        """
        status = await self.call("GetRecordStatus")
        return float(status["outputDuration"]) / 1000.0

    async def stop_recording(self) -> Path:
        """Stop the recording and return its file, complete."""
        answer = await self.call("StopRecord")
        await self._until_recording(active=False)
        return Path(str(answer["outputPath"]))

    async def _until_recording(self, *, active: bool) -> None:
        deadline = time.monotonic() + CALL_TIMEOUT
        while True:
            status = await self.call("GetRecordStatus")
            if bool(status["outputActive"]) is active and (not active or status["outputDuration"] >= RUNS_AFTER):
                return
            if time.monotonic() >= deadline:
                word = "start" if active else "stop"
                raise ObsCallError("GetRecordStatus", 0, f"the recording did not {word}:\n{self.tail()}")
            await asyncio.sleep(0.05)

    async def _connected(self, request: str) -> simpleobsws.WebSocketClient:
        client = self._client
        if client is not None and client.identified and not client.recv_task.done():
            return client
        await self._disconnect()
        client = simpleobsws.WebSocketClient(
            url=f"ws://{self.host}:{self.port}",
            password=self.password,
            identification_parameters=simpleobsws.IdentificationParameters(eventSubscriptions=0),
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                await client.connect()
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            raise ObsCallError(request, 0, "OBS cannot be reached") from error
        self._client = client
        if not await client.wait_until_identified(timeout=5):
            await self._disconnect()
            raise ObsCallError(request, 0, "OBS did not let us in")
        return client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is None or client.recv_task is None:
            return
        task = client.recv_task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if client.ws is not None:
            # A dead or frozen peer never answers the closing handshake.
            client.ws.transport.abort()

    async def _settled(self) -> bool:
        # obs-websocket before 5.3 lets requests in while OBS still loads its scenes.
        try:
            await self.call("GetVersion")
            scenes = (await self.call("GetSceneList"))["scenes"]
            if all(scene["sceneName"] != self.setup.scene for scene in scenes):
                return False
            # Answered by the thread of the windows, and so only once that has built them.
            await self.call("SetCurrentProgramScene", {"sceneName": self.setup.scene})
        except ObsCallError:
            return False
        return True

    # -- how it is started -------------------------------------------------------------------------------

    def _argv(self) -> tuple[str, ...]:
        argv = (
            "obs",
            "--multi",
            "--minimize-to-tray",
            "--disable-updater",
            "--disable-missing-files-check",
            # After a crash OBS 30 and 31 would ask whether to start in safe mode; see forget_crash for later ones.
            "--disable-shutdown-check",
        )
        root = self.setup.root
        return argv if root is None else root.command(argv, self._folder)

    def _env(self) -> dict[str, str]:
        keep = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TZ") if key in os.environ}
        return keep | {
            "HOME": str(self._home),
            "DISPLAY": self.display,
            "XDG_RUNTIME_DIR": str(self._runtime),
            "TMPDIR": str(self._runtime),
            "QT_QPA_PLATFORM": "xcb",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GALLIUM_DRIVER": "llvmpipe",
            # Else the threads that decode leave heaps behind, and what OBS keeps grows for hundreds of inputs before it
            # levels out: by 140 MB in 200 hand-overs with obs-gstreamer, and not at all with these two.
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_TRIM_THRESHOLD_": "131072",
            # Without these two, libraries start a message bus and a sound server, which outlive the studio.
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "PULSE_SERVER": f"unix:{self._runtime}/no-sound-server",
        }
