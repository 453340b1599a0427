"""The studio on which all ways are tried in turn: one OBS, three streamers who keep publishing, a mark for the time."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol, Self

from daemon.core.ports import ObsError
from daemon.obs import inputs
from daemon.obs.connection import Link, Request
from daemon.obs.sources import FFMPEG, GSTREAMER
from daemon.obs.transition import check
from daemon.studio import Appearance, Box, Canvas, Publisher, Studio, StudioError, analyse, colour_box, default_overlays
from tests.bench.figures import MARK, Ask, Block, cpu_ticks, hands_of, middle, offsets, resident_mb
from tests.bench.relay import Relay
from tests.e2e import lent

NAMES = ("alice", "bob", "carol")
KEYFRAMES = 60
"""Frames from one key frame to the next: two seconds, as streaming services ask of streamers."""

MARK_HUE = 60.0
MARK_COLOUR = (0xC8, 0xC8, 0x14)
MARK_SECONDS = 0.3
AFTER = 1.2
"""Seconds that the last hand-over of a recording is looked at."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Given:
    """What the environment lends, by the variables of tests/e2e/lent.py."""

    plugins: Mapping[str, Path] = field(default_factory=dict)
    """obs-gstreamer's folder, by its name."""
    srs: Path | None = None
    """SRS's program."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Given":
        """As they say."""
        return cls(lent.plugins(environ), lent.srs_program(environ))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of input that can be tried."""
        return (FFMPEG, GSTREAMER) if self.plugins else (FFMPEG,)


class Everybody:
    """Who publishes on the stage has a key, as in a real channel, though daemons come and go."""

    async def add_streamer(self, name: str, key: str) -> None:
        """Nobody asks yet."""


class Meter:
    """CPU time of a process since it was made."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")
        self._began = time.monotonic()
        self._ticks = cpu_ticks((self._proc / "stat").read_text())

    def percent(self) -> float:
        """Of one core."""
        used = cpu_ticks((self._proc / "stat").read_text()) - self._ticks
        return 100.0 * used / TICKS / (time.monotonic() - self._began)

    def resident(self) -> float:
        """Megabytes."""
        return resident_mb((self._proc / "status").read_text())


class Way(Protocol):
    """One way of handing over."""

    name: str
    kind: str
    ours: bool

    def on(self, stage: "Stage") -> Any:
        """An async context manager: everything is there, and the first streamer on air."""

    async def settle(self) -> None:
        """Wait until the next hand-over may be asked for."""

    async def hand_over(self) -> Ask:
        """Ask for the next one and wait until it is done."""

    def pid(self) -> int | None:
        """The process that decides, where it is one of its own."""

    async def phases(self) -> dict[str, tuple[float, float]]:
        """Seconds spent in each of its states, and how often; empty where it has none."""


@dataclass(slots=True)
class Stage:
    """`async with Stage(given) as stage`."""

    given: Given
    studio: Studio = field(init=False)
    relay: Relay = field(init=False)
    link: Link = field(init=False)
    srs: lent.Srs | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(20))
    _cast: list[Publisher] = field(default_factory=list)
    _marks: list[float] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        canvas = Canvas()
        mark = colour_box(MARK, MARK_COLOUR, Box.whole(canvas), visible=False)
        async with AsyncExitStack() as stack:
            self.relay = await stack.enter_async_context(Relay())
            if self.given.srs is not None:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="motherstream-srs-")))
                self.srs = await stack.enter_async_context(lent.srs(self.given.srs, folder, self.relay.port))
            self.studio = await stack.enter_async_context(
                Studio(
                    hook_url=self.relay.url,
                    canvas=canvas,
                    overlays=(*default_overlays(canvas), mark),
                    external_rtmp=self.srs.rtmp_base if self.srs else None,
                    obs_plugins=self.given.plugins,
                )
            )
            self.studio.keys.join(Everybody())
            for name in NAMES:
                self._cast.append(await self.studio.publish(name, keyframe_every=KEYFRAMES))
            obs = self.studio.obs
            self.link = await Link.open(obs.host, obs.port, obs.password, seconds=10)
            stack.push_async_callback(self.link.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def url(self, name: str) -> str:
        """Where a streamer, or a stream of another name, is played."""
        return f"{self.studio.rtmp_base}/{self.studio.keys.address(name).stream if name in NAMES else name}"

    async def all_publish(self) -> None:
        """See to it that every streamer publishes, and moves."""
        for publisher in self._cast:
            await publisher.thaw()
            if not publisher.running:
                await publisher.start()

    async def run(self, way: Way, hands: int) -> Block:
        """Try a way: so many hand-overs in one recording, and what that shows."""
        async with way.on(self):
            await way.settle()
            await self.studio.obs.start_recording()
            self._marks = []
            await self._mark()
            stats = await self.studio.render_stats()
            pid = self.studio.obs.pid
            assert pid is not None
            obs, own = Meter(pid), Meter(decider) if (decider := way.pid()) else None
            began = time.monotonic()
            asks = []
            for _ in range(hands):
                # A random moment, so that requests do not fall into step with the frames.
                await asyncio.sleep(self.chance.uniform(0.3, 0.6))
                asks.append(await way.hand_over())
                await way.settle()
            await asyncio.sleep(max(0.0, asks[-1].at + AFTER - time.monotonic()) if asks else AFTER)
            end = time.monotonic()
            block = Block(seconds=end - began, obs_cpu=obs.percent(), daemon_cpu=own.percent() if own else None)
            since = await self.studio.render_stats() - stats
            block.lagged, block.rendered = since.lagged, since.rendered
            block.phases = await way.phases()
            await self._mark()
            recording = await self.studio.obs.stop_recording()
        await self._read(block, recording, asks, end)
        return block

    async def _read(self, block: Block, recording: Path, asks: Sequence[Ask], end: float) -> None:
        verdict = await analyse(recording, (*self.studio.looks, Appearance(MARK, MARK_HUE, None, still=True)))
        try:
            offset, spread = middle(offsets(verdict, self._marks))
        except ValueError as error:
            raise StudioError(f"{error}\n{verdict.summary()}") from error
        block.mark_spread = spread * 1000
        block.hands = hands_of(verdict, asks, end, offset)
        recording.unlink()

    async def _mark(self) -> None:
        """Show the mark and hide it, in OBS's own frames: the same two moments by the clock and in the recording."""
        item = await self.item(MARK)
        for shown in (True, False):
            await self.in_one_frame({item: shown})
            self._marks.append(time.monotonic())
            await asyncio.sleep(MARK_SECONDS)

    # -- OBS -------------------------------------------------------------------------------------------------

    async def items(self) -> dict[str, int]:
        """The scene's items and their ids."""
        answer = await self.link.call("GetSceneItemList", {"sceneName": self.studio.scene})
        return {str(item["sourceName"]): int(item["sceneItemId"]) for item in answer["sceneItems"]}

    async def item(self, name: str) -> int:
        """One item's id."""
        return (await self.items())[name]

    async def in_one_frame(self, shown: Mapping[int, bool]) -> None:
        """Show and hide items by their ids, before OBS renders its next frame."""
        requests = [
            Request(
                "SetSceneItemEnabled",
                {"sceneName": self.studio.scene, "sceneItemId": item, "sceneItemEnabled": enabled},
            )
            for item, enabled in shown.items()
        ]
        check(requests, await self.link.batch(requests, frame=True, halt=True))

    async def remove_inputs(self, prefix: str) -> None:
        """Leave none of these behind, and see them gone."""
        for each in (await self.link.call("GetInputList"))["inputs"]:
            if (name := str(each["inputName"])).startswith(prefix):
                try:
                    await inputs.remove(self.link, self.studio.scene, name)
                except ObsError as error:
                    raise StudioError(str(error)) from error


@asynccontextmanager
async def cleared(stage: Stage, prefix: str) -> AsyncIterator[None]:
    """Before and after, no input with this prefix is there."""
    await stage.remove_inputs(prefix)
    try:
        yield
    finally:
        await stage.remove_inputs(prefix)
