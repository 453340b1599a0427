"""The ways in which others switch, each as a small driver over obs-websocket.

They use the same settings of the inputs as the daemon does, so that what differs is the way.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from daemon.config.model import Config
from daemon.obs.sources import SOURCES
from daemon.studio import StudioError
from daemon.studio.process import Process
from tests.bench.figures import Ask
from tests.bench.stage import NAMES, Stage, cleared

PREFIX = "OTHER_"
POLL = 0.5
"""Seconds between two looks at the media state."""
GIVE_UP = 20.0
PLAYING = "OBS_MEDIA_STATE_PLAYING"
PROGRAM = "program"
"""The stream that a relay feeds."""


class Other(ABC):
    """What the drivers share: whose turn it is, and inputs."""

    ours = False

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self._number = 0
        self._turn = 0
        self._stage: Stage | None = None

    @property
    def stage(self) -> Stage:
        """Where it is tried."""
        assert self._stage is not None
        return self._stage

    @asynccontextmanager
    async def on(self, stage: Stage) -> AsyncIterator[None]:
        """The first one on air."""
        self._stage, self._turn = stage, 0
        async with cleared(stage, PREFIX):
            await self.begin()
            yield
            await self.end()

    @abstractmethod
    async def begin(self) -> None:
        """Bring the first one on air."""

    async def end(self) -> None:  # noqa: B027  # not every way leaves something behind
        """Take away what OBS does not hold."""

    async def settle(self) -> None:
        """As long as the daemon takes between two, so that neither has more time to come to rest."""
        await asyncio.sleep(1.0)

    def pid(self) -> int | None:
        """It runs in the benchmark's own process."""
        return None

    async def phases(self) -> dict[str, tuple[float, float]]:
        """It has no states."""
        return {}

    def next_one(self) -> str:
        """Whose turn comes."""
        self._turn += 1
        return NAMES[self._turn % len(NAMES)]

    def settings(self, stream: str) -> dict[str, Any]:
        """As the daemon would have them."""
        canvas = self.stage.studio.canvas
        sources = Config().sources.model_copy(update={"width": canvas.width, "height": canvas.height})
        return SOURCES[self.kind].settings(self.stage.url(stream), sources)

    async def create(self, stream: str, *, shown: bool) -> tuple[str, int]:
        """An input of its own for a stream, at the bottom of the scene; its name and its item."""
        self._number += 1
        name = f"{PREFIX}{self._number}"
        scene = self.stage.studio.scene
        answer = await self.stage.link.call(
            "CreateInput",
            {
                "sceneName": scene,
                "inputName": name,
                "inputKind": self.kind,
                "inputSettings": self.settings(stream),
                "sceneItemEnabled": shown,
            },
        )
        item = int(answer["sceneItemId"])
        await self.stage.link.call("SetSceneItemIndex", {"sceneName": scene, "sceneItemId": item, "sceneItemIndex": 0})
        return name, item

    async def show(self, item: int, *, shown: bool) -> None:
        """A request of its own, as these ways make it."""
        await self.stage.link.call(
            "SetSceneItemEnabled",
            {"sceneName": self.stage.studio.scene, "sceneItemId": item, "sceneItemEnabled": shown},
        )

    async def until_playing(self, name: str) -> None:
        """Poll until OBS says PLAYING."""
        deadline = time.monotonic() + GIVE_UP
        while True:
            answer = await self.stage.link.call("GetMediaInputStatus", {"inputName": name})
            if answer["mediaState"] == PLAYING:
                return
            if time.monotonic() > deadline:
                raise StudioError(f"{name} does not play: {answer['mediaState']}")
            await asyncio.sleep(POLL)

    async def until_seen(self, name: str) -> None:
        """Wait for a first picture, however the way itself judges that."""
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline:
            answer = await self.stage.link.call(
                "GetSceneItemTransform",
                {"sceneName": self.stage.studio.scene, "sceneItemId": await self.stage.item(name)},
            )
            if answer["sceneItemTransform"]["sourceWidth"] > 0:
                return
            await asyncio.sleep(0.1)
        raise StudioError(f"{name} has no picture")


class HideWaitShow(Other):
    """Hide the outgoing one, make the incoming one, show it when it says PLAYING."""

    async def begin(self) -> None:
        self._now = await self.create(NAMES[0], shown=True)
        await self.until_seen(self._now[0])

    async def hand_over(self) -> Ask:
        """The next one."""
        to, outgoing = self.next_one(), self._now
        at = time.monotonic()
        await self.show(outgoing[1], shown=False)
        self._now = await self.create(to, shown=False)
        await asyncio.sleep(POLL)
        await self.until_playing(self._now[0])
        await self.show(self._now[1], shown=True)
        took = time.monotonic() - at
        await self.stage.link.call("RemoveInput", {"inputName": outgoing[0]})
        await self.until_seen(self._now[0])
        return Ask(at, to, took)


class ChangeUrl(Other):
    """One input, whose URL is changed while it is shown."""

    async def begin(self) -> None:
        self._input, _ = await self.create(NAMES[0], shown=True)
        await self.until_seen(self._input)

    async def hand_over(self) -> Ask:
        """The next one."""
        to = self.next_one()
        at = time.monotonic()
        await self.stage.link.call(
            "SetInputSettings", {"inputName": self._input, "inputSettings": self.settings(to), "overlay": True}
        )
        took = time.monotonic() - at
        # It tells nothing by which the end could be known; the recording does.
        await asyncio.sleep(2.0)
        return Ask(at, to, took)


class RestartStatic(Other):
    """One input on one URL: a relay feeds it from the streamer whose turn it is, and it is restarted and toggled."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self._relay: Process | None = None
        self._drain: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._feed(NAMES[0])
        self._input, self._item = await self.create(PROGRAM, shown=True)
        await self.until_seen(self._input)

    async def end(self) -> None:
        if self._relay is not None:
            await self._relay.stop()

    async def hand_over(self) -> Ask:
        """The next one."""
        to = self.next_one()
        at = time.monotonic()
        await self._feed(to)
        await self.stage.link.call(
            "TriggerMediaInputAction",
            {"inputName": self._input, "mediaAction": "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_RESTART"},
        )
        await self.show(self._item, shown=False)
        await asyncio.sleep(POLL)
        await self.until_playing(self._input)
        await self.show(self._item, shown=True)
        took = time.monotonic() - at
        await asyncio.sleep(2.0)
        return Ask(at, to, took)

    async def _feed(self, streamer: str) -> None:
        """Point the relay at another streamer; it copies, and does not encode."""
        if self._relay is not None:
            await self._relay.stop()
        argv = ["ffmpeg", "-nostdin", "-loglevel", "error", "-progress", "pipe:1", "-stats_period", "0.1"]
        argv += ["-fflags", "nobuffer", "-analyzeduration", "500000", "-i", self.stage.url(streamer), "-c", "copy"]
        self._relay = Process(
            "relay", [*argv, "-f", "flv", self.stage.url(PROGRAM)], log=self.stage.studio.folder / "relay.log"
        )
        await self._relay.start(pipe=True)
        async with asyncio.timeout(GIVE_UP):
            while line := await self._relay.stdout.readline():
                if line.startswith(b"total_size=") and line.strip() not in (b"total_size=N/A", b"total_size=0"):
                    break
        self._drain = asyncio.create_task(_drain(self._relay))


class Nothing(Other):
    """No hand-over at all: what this machine does by itself to one picture that goes on."""

    async def begin(self) -> None:
        name, _ = await self.create(NAMES[0], shown=True)
        await self.until_seen(name)

    async def hand_over(self) -> Ask:
        """Look on for as long as a hand-over takes."""
        at = time.monotonic()
        await asyncio.sleep(2.0)
        return Ask(at, "")


async def _drain(process: Process) -> None:
    """Read what nobody wants to know, lest it fill the pipe."""
    while await process.stdout.readline():
        pass
