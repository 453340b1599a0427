"""The throw-away studio: a real OBS, RTMP server and publishers on loopback, gone when it is left."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from daemon.studio.errors import StudioError
from daemon.studio.keys import Address, Keyring
from daemon.studio.nginx import MODULE, MODULE_PACKAGE, Nginx
from daemon.studio.obs import RenderStats, StudioObs
from daemon.studio.obs_home import Setup
from daemon.studio.process import require
from daemon.studio.publisher import SLATE_HUE, Appearance, Encoding, Publisher, look
from daemon.studio.recording import analyse
from daemon.studio.root import Root
from daemon.studio.scene import Canvas, Item, default_overlays, slate_item
from daemon.studio.verdict import RecordingVerdict
from daemon.studio.workspace import Workspace
from daemon.studio.xserver import XServer

APP = "live"

Progress = Callable[[str], None]


def _silent(line: str) -> None:
    """Nobody wants to know."""


@dataclass(kw_only=True, eq=False, repr=False)
class Studio:
    """An async context manager; everything in it dies with it, also on exceptions and cancellation.

        async with Studio(hook_url="http://127.0.0.1:8000/hooks/nginx-rtmp") as studio:
            alice = await studio.publish("alice")
            await studio.obs.start_recording()
            ...
            verdict = await studio.analyse(await studio.obs.stop_recording())

    Run its event loop in the main thread (see `Process`).
    """

    hook_url: str | None = None
    """What nginx-rtmp asks on publish and tells on publish_done; None lets everybody publish."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Further applications of nginx-rtmp beside `live`, other channels' say, each with its own hook URL."""
    canvas: Canvas = field(default_factory=Canvas)
    scene: str = "MOTHERSTREAM"
    overlays: Sequence[Item] | None = None
    """Items on top of the scene, lowest first; None takes `default_overlays`."""
    slate: str | None = None
    """The name of a hidden colour input at the bottom of the scene that fills the canvas; None: no slate."""
    external_rtmp: str | None = None
    """An RTMP server that runs already, "rtmp://127.0.0.1:1935/live" say; no nginx is started then."""
    obs_plugins: Mapping[str, Path] = field(default_factory=dict)
    """Extra OBS plugins, each name with the folder that holds its shared object."""
    obs_root: Path | None = None
    """Another system's root folder, whose OBS is taken; None takes the one that $MOTHERSTREAM_OBS_ROOT names."""
    duplicate_scene: bool = True
    """OBS's "Duplicate Scene", which makes studio mode show a private copy of the scene."""
    duplicate_sources: bool = False
    """Its "Duplicate Sources", which makes that copy hold copies of nested scenes."""
    drop_idle: float | None = 10.0
    """Seconds after which nginx-rtmp drops a publisher that sends nothing; None never does."""
    keep: bool = False
    """Leave the folder with logs and recordings behind."""
    progress: Progress = _silent
    """Told in a line each what is being started."""
    keys: Keyring = field(init=False, default_factory=Keyring)
    """The streamers' keys, where a channel asks for them."""
    _root: Root | None = field(init=False)
    _workspace: Workspace | None = field(init=False, default=None)
    _xserver: XServer | None = field(init=False, default=None)
    _obs: StudioObs | None = field(init=False, default=None)
    _nginx: Nginx | None = field(init=False, default=None)
    _publishers: list[Publisher] = field(init=False, default_factory=list)
    _looks: dict[str, Appearance] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._root = Root.named(self.obs_root)

    # -- life --------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        needed = ["Xvfb", "ffmpeg", "ffprobe", "setpriv"]
        needed += ["obs"] if self._root is None else ["unshare", "chroot"]
        if self.external_rtmp is None:
            require([*needed, "nginx"], {MODULE: MODULE_PACKAGE})
        else:
            require(needed)
        began = time.monotonic()
        self._workspace = Workspace()
        try:
            await _together(self._start_obs(self.folder), self._start_nginx(self.folder))
        except BaseException:
            await self.close()
            raise
        self.progress(f"the studio is up after {time.monotonic() - began:.1f} s")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End everything and clear up. It runs to its end even where its caller is cancelled meanwhile."""
        closing = asyncio.ensure_future(self._close())
        cancelled: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError as error:
                cancelled = error
        closing.result()
        if cancelled is not None:
            raise cancelled

    async def _close(self) -> None:
        programs: list[Publisher | StudioObs | XServer | Nginx] = [*self._publishers]
        programs += [program for program in (self._obs, self._nginx) if program is not None]
        for program in programs:
            program.kill_group()
        endings: list[Coroutine[Any, Any, None]] = [publisher.kill() for publisher in self._publishers]
        if self._obs is not None:
            endings.append(self._obs.close())
        if self._nginx is not None:
            endings.append(self._nginx.kill())
        results: list[BaseException | None] = list(await asyncio.gather(*endings, return_exceptions=True))
        if self._xserver is not None:
            results += await asyncio.gather(self._xserver.stop(), return_exceptions=True)
        if self._workspace is not None:
            workspace, self._workspace = self._workspace, None
            await asyncio.to_thread(workspace.close, keep=self.keep)
            if self.keep:
                self.progress(f"kept: {workspace.folder}")
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _start_obs(self, folder: Path) -> None:
        self.progress("starting an X server and OBS")
        self._xserver = XServer(folder)
        setup = Setup(
            scene=self.scene,
            items=self._items(),
            canvas=self.canvas,
            plugins=self.obs_plugins,
            root=self._root,
            duplicate_scene=self.duplicate_scene,
            duplicate_sources=self.duplicate_sources,
        )
        self._obs = StudioObs(folder, setup)
        self._obs.prepare()
        self._obs.display = await self._xserver.start()
        seconds = await self._obs.start()
        self.progress(f"OBS answers after {seconds:.1f} s")

    def _items(self) -> tuple[Item, ...]:
        slate = () if self.slate is None else (slate_item(self.slate, self.canvas),)
        return (*slate, *(default_overlays(self.canvas) if self.overlays is None else self.overlays))

    async def _start_nginx(self, folder: Path) -> None:
        if self.external_rtmp is not None:
            return
        self.progress("starting nginx-rtmp")
        apps = {APP: self.hook_url, **self.others}
        self._nginx = Nginx(folder / "nginx", apps=apps, drop_idle=self.drop_idle)
        await self._nginx.start()
        self.progress("nginx-rtmp listens")

    # -- what is in it -----------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where logs and recordings are."""
        if self._workspace is None:
            raise StudioError("the studio is not open")
        return self._workspace.folder

    @property
    def obs(self) -> StudioObs:
        """OBS: its address and password, its start and end, its recording."""
        if self._obs is None:
            raise StudioError("the studio is not open")
        return self._obs

    @property
    def nginx(self) -> Nginx:
        """The RTMP server of the studio's own."""
        if self._nginx is None:
            raise StudioError("the studio uses an RTMP server that is not its own")
        return self._nginx

    @property
    def rtmp_base(self) -> str:
        """The URL below which streams are published and played, without the stream's name."""
        return self.nginx.rtmp_base(APP) if self.external_rtmp is None else self.external_rtmp.rstrip("/")

    @property
    def rtmp_url(self) -> str:
        """The same as the daemon's `ingest.rtmp_url`, with {app} and {stream} to be filled in."""
        return f"rtmp://{urlsplit(self.rtmp_base).netloc}/{{app}}/{{stream}}"

    @property
    def publishers(self) -> tuple[Publisher, ...]:
        """Those that run, in the order in which they were started."""
        return tuple(publisher for publisher in self._publishers if publisher.running)

    @property
    def looks(self) -> tuple[Appearance, ...]:
        """Everybody whom a recording may show: all streamers so far, and the slate."""
        slate = () if self.slate is None else (Appearance(self.slate, SLATE_HUE, None, still=True),)
        return (*self._looks.values(), *slate)

    # -- what can be done in it --------------------------------------------------------------------------

    def publisher(
        self,
        name: str,
        *,
        stream: str | None = None,
        query: str = "",
        app: str = APP,
        **encoding: Any,
    ) -> Publisher:
        """A publisher that is not started yet. A name always has the same look.

        It publishes to `app`, with a key of its own where a channel asks for one, unless it is said how: `stream` is
        the stream's name where that is not the streamer's, `query` the URL's parameters ("key=…"). `encoding` are
        fields of `Encoding`. Mind that ffmpeg's URL can be read in the process list, like that of every streamer's
        ffmpeg.
        """
        if name not in self._looks:
            self._looks[name] = look(name, len(self._looks))
        by_hand = stream is not None or query != ""
        address = Address(stream or name, query) if by_hand else self.keys.address(name)
        base = self.rtmp_base if app == APP else self.nginx.rtmp_base(app)
        url = f"{base}/{address.stream}" + (f"?{address.query}" if address.query else "")
        publisher = Publisher(
            self._looks[name],
            url,
            log=self.folder / f"publisher-{len(self._publishers)}.log",
            encoding=Encoding(canvas=self.canvas, **encoding),
            admit=None if by_hand else lambda: self.keys.admit(name),
        )
        self._publishers.append(publisher)
        return publisher

    async def publish(
        self,
        name: str,
        *,
        stream: str | None = None,
        query: str = "",
        app: str = APP,
        **encoding: Any,
    ) -> Publisher:
        """As `publisher`, started and accepted. Raises PublishError."""
        publisher = self.publisher(name, stream=stream, query=query, app=app, **encoding)
        seconds = await publisher.start()
        self.progress(f"{name} publishes after {seconds:.1f} s")
        return publisher

    async def render_stats(self) -> RenderStats:
        """OBS's account of its frames; see RenderStats."""
        return await self.obs.render_stats()

    async def analyse(self, path: Path, *, start: float = 0.0, end: float | None = None) -> RecordingVerdict:
        """Read a recording for everybody who has been in this studio; see `recording.analyse`."""
        return await analyse(path, self.looks, start=start, end=end)


async def _together(*steps: Coroutine[Any, Any, None]) -> None:
    """Run all; on the first failure cancel the others and raise that one alone."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
