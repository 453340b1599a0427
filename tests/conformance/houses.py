"""An OBS to try things on, the fake or the real one, with streams that can be begun, frozen and ended."""

import asyncio
import functools
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from daemon.core.ports import ObsRefused
from daemon.obs.connection import Link
from daemon.obs.supervisor import Pace
from daemon.studio import Box, Publisher, Studio, colour_box
from tests.daemon.obs.rig import QUICK
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_versions import VERSIONS, Version
from tests.support import until

SCENE = "MOTHERSTREAM"
OVERLAYS = ("LOWER THIRD", "LOGO", "TEXT")
CANVAS = (640, 360)
FAKES = tuple(f"fake{major}" for major in VERSIONS)
KINDS = (*FAKES, pytest.param("real", marks=pytest.mark.real))
"""The houses that there are: the fake of each version, and the real OBS, of whatever version that is."""


class House(Protocol):
    """Both have ffmpeg_source and no obs-gstreamer, a scene SCENE on air, and in it OVERLAYS from the bottom up."""

    @property
    def port(self) -> int: ...

    @property
    def password(self) -> str: ...

    @property
    def pace(self) -> Pace:
        """How impatient a supervisor may be with it."""

    @property
    def version(self) -> Version:
        """What its OBS does, by its version."""

    async def versions(self) -> tuple[str, str]:
        """Of OBS and of obs-websocket, by another way than obs-websocket's."""

    async def publish(self, stream: str) -> str:
        """Begin a stream of the size of the canvas; the URL to play it from."""

    async def freeze(self, stream: str) -> None:
        """The publisher stops where it stands; its connection stays."""

    async def thaw(self, stream: str) -> None:
        """It goes on."""

    async def crash(self, stream: str) -> None:
        """The publisher dies without a word."""

    async def restart(self) -> None:
        """OBS crashes and comes back with what it had saved: the scene as it was at the beginning, at least."""

    async def end(self) -> None:
        """OBS ends as its user asks it to."""

    async def begin(self) -> None:
        """It starts again, with what it had saved."""

    async def stop_answering(self) -> None:
        """OBS freezes behind open sockets."""

    async def answer_again(self) -> None:
        """It goes on."""


class FakeHouse:
    """House on the fake."""

    pace = QUICK

    def __init__(self, fake: FakeObs) -> None:
        self._fake = fake
        self.port = fake.port
        self.password = fake.password or ""
        fake.studio.current.relative = False  # it was made for the oldest OBS, as the studio's is
        scene = fake.studio.scene(SCENE)
        for name in OVERLAYS:
            fake.studio.create_input(scene, name, "color_source_v3", {"width": 10, "height": 10})

    @property
    def version(self) -> Version:
        return self._fake.studio.version

    async def versions(self) -> tuple[str, str]:
        return self.version.obs, self.version.websocket

    async def publish(self, stream: str) -> str:
        url = f"rtmp://127.0.0.1:1935/live/{stream}"
        self._fake.streams[url] = Stream(0.3, buffer=0.3, width=CANVAS[0], height=CANVAS[1])
        return url

    async def freeze(self, stream: str) -> None:
        self._stream(stream).frozen = True

    async def thaw(self, stream: str) -> None:
        self._stream(stream).frozen = False

    async def crash(self, stream: str) -> None:
        self._stream(stream).frozen = True

    async def restart(self) -> None:
        await self._fake.restart(leftovers=True, abrupt=True)

    async def end(self) -> None:
        await self._fake.stop()

    async def begin(self) -> None:
        self._fake.reload(leftovers=True)
        await self._fake.start()

    async def stop_answering(self) -> None:
        self._fake.faults.listens = False

    async def answer_again(self) -> None:
        self._fake.faults.listens = True

    def _stream(self, stream: str) -> Stream:
        return self._fake.streams[f"rtmp://127.0.0.1:1935/live/{stream}"]


class RealHouse:
    """House on the throw-away real studio."""

    # Once after its start, with its first picture, its renderer may stand still for most of a second: 0.6 to 0.8 s on
    # OBS 30.2.3 and 32.2.2 (Mesa 25 and later, drawing in software on a busy machine).
    pace = replace(QUICK, heartbeat_interval=2.0)

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._publishers: dict[str, Publisher] = {}
        self.port = studio.obs.port
        self.password = studio.obs.password

    @functools.cached_property
    def version(self) -> Version:
        obs, _ = _logged_versions(self._studio.folder)
        return VERSIONS[obs.partition(".")[0]]

    async def versions(self) -> tuple[str, str]:
        return await asyncio.to_thread(_logged_versions, self._studio.folder)

    async def publish(self, stream: str) -> str:
        # The studio tells a few streamers apart by their looks; nobody looks at them here.
        self._publishers[stream] = await self._studio.publish("somebody", stream=stream, keyframe_every=15)
        return f"{self._studio.rtmp_base}/{stream}"

    async def freeze(self, stream: str) -> None:
        await self._publishers[stream].freeze()

    async def thaw(self, stream: str) -> None:
        await self._publishers[stream].thaw()

    async def crash(self, stream: str) -> None:
        await self._publishers[stream].kill()

    async def restart(self) -> None:
        await self._studio.obs.restart()

    async def end(self) -> None:
        await self._studio.obs.stop()

    async def begin(self) -> None:
        await self._studio.obs.start()

    async def stop_answering(self) -> None:
        await self._studio.obs.freeze()

    async def answer_again(self) -> None:
        await self._studio.obs.thaw()

    async def rest(self) -> None:
        """End the publishers, which cost CPU."""
        for publisher in self._publishers.values():
            await publisher.kill()
        self._publishers.clear()


def _logged_versions(folder: Path) -> tuple[str, str]:
    # OBS says its own with what Debian has added to it: 29.0.2.1-1+b1, 30.2.3.1-3, 32.2.2+ds-1+b2.
    text = "\n".join(path.read_text() for path in folder.rglob("logs/*.txt"))
    obs = re.search(r": OBS (\d+\.\d+\.\d+)", text)
    websocket = re.search(r"websockets \(Version: (\d+\.\d+\.\d+)", text)
    assert obs, text
    assert websocket, text
    return obs[1], websocket[1]


@asynccontextmanager
async def open_house(kind: str, *, duplicate_sources: bool = False) -> AsyncIterator[House]:
    """The house of that kind, with OBS's "Duplicate Sources" or without."""
    if kind in FAKES:
        version = VERSIONS[kind.removeprefix("fake")]
        async with FakeObs(gstreamer=False, canvas=CANVAS, version=version) as fake:
            fake.studio.mode.sources = duplicate_sources
            yield FakeHouse(fake)
        return
    overlays = [colour_box(name, (128, 128, 128), Box(width=10, height=10)) for name in OVERLAYS]
    async with Studio(scene=SCENE, overlays=overlays, drop_idle=None, duplicate_sources=duplicate_sources) as studio:
        house = RealHouse(studio)
        yield house


class Hands:
    """What a person does at OBS: requests over a connection of their own, and a look at what comes of them."""

    _numbers = itertools.count(1)

    def __init__(self, link: Link) -> None:
        self.link = link
        self.call = link.call
        self.batch = link.batch

    def name(self) -> str:
        """A fresh name for an input. No name is used twice in one OBS."""
        return f"GMOTHERSTREAM_{next(self._numbers)}"

    async def create(self, name: str, url: str, *, shown: bool = False) -> int:
        """An ffmpeg_source as the adapter makes them; its scene item's id."""
        settings = {
            "input": url,
            "is_local_file": False,
            "restart_on_activate": False,
            "close_when_inactive": False,
            "reconnect_delay_sec": 1,
            "ffmpeg_options": "fpsprobesize=0",
        }
        about = {"sceneName": SCENE, "inputName": name, "inputKind": "ffmpeg_source", "inputSettings": settings}
        return int((await self.call("CreateInput", {**about, "sceneItemEnabled": shown}))["sceneItemId"])

    async def status(self, name: str) -> tuple[str, int | None]:
        """Media state without its prefix, and the cursor."""
        answer = await self.call("GetMediaInputStatus", {"inputName": name})
        return str(answer["mediaState"]).removeprefix("OBS_MEDIA_STATE_"), answer["mediaCursor"]

    async def width(self, item: int) -> float:
        """sourceWidth of a scene item."""
        answer = await self.call("GetSceneItemTransform", {"sceneName": SCENE, "sceneItemId": item})
        return float(answer["sceneItemTransform"]["sourceWidth"])

    async def items(self) -> list[dict[str, Any]]:
        """The scene's items as OBS lists them."""
        return list((await self.call("GetSceneItemList", {"sceneName": SCENE}))["sceneItems"])

    async def inputs(self) -> set[str]:
        """The names of all inputs."""
        return {str(each["inputName"]) for each in (await self.call("GetInputList"))["inputs"]}

    async def refused(self, request: str, **data: Any) -> int:
        """The status with which OBS refuses that request; 0 where it does not."""
        try:
            await self.call(request, data or None)
        except ObsRefused as error:
            return error.code
        return 0

    async def event(self, kind: str, **data: Any) -> None:
        """Wait until OBS has told of that, with at least this in it."""
        async with asyncio.timeout(10):
            while True:
                event = await self.link.events.get()
                if event.kind == kind and data.items() <= event.data.items():
                    return

    async def tidy(self) -> None:
        """Leave OBS as it was."""
        await self.call("SetCurrentProgramScene", {"sceneName": SCENE})
        for name in await self.inputs():
            if name not in OVERLAYS:
                # With its filters on, OBS 30.2 might end. One that a test has removed may be listed for a moment more.
                with suppress(ObsRefused):
                    for each in (await self.call("GetSourceFilterList", {"sourceName": name}))["filters"]:
                        await self.call("RemoveSourceFilter", {"sourceName": name, "filterName": each["filterName"]})
                await self.refused("RemoveInput", inputName=name)
        for scene in (await self.call("GetSceneList"))["scenes"]:
            if scene["sceneName"] not in {SCENE, "Scene"}:
                await self.refused("RemoveScene", sceneName=scene["sceneName"])

        async def clean() -> bool:
            return await self.inputs() == set(OVERLAYS)

        await until(clean)
