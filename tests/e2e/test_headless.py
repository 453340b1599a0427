"""OBS without a screen, begun with nothing, as docs/install.md has it and deploy/obs-headless.service starts it."""

import re
import shlex
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.core.ports import ObsError
from daemon.obs.connection import Link, Unreachable
from daemon.studio import free_port
from daemon.studio.obs import FRAMES_BEFORE_QUIT
from daemon.studio.process import Process
from daemon.studio.root import Root
from daemon.studio.xserver import XServer
from tests.deploy.support import DEPLOY, ROOT, done, read_unit, run
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

HOME = "/var/lib/obs"
"""As the unit has it."""
PORT = r'(ServerPort=|"server_port": ?)\d+'
"""Where the file of docs/install.md has it, and where later versions of obs-websocket keep it."""
SCENE = "Scene"
"""As docs/install.md sets obs.scene for an OBS that begins with nothing."""


class Headless:
    """OBS as the unit runs it, with another HOME, port and display.

    `root` is whose OBS it is; HOME stays what the one before has made of it.
    """

    def __init__(self, folder: Path, display: str, root: Root | None) -> None:
        text = (ROOT / "docs" / "install.md").read_text()
        assert f'`obs.scene = "{SCENE}"`' in text
        found = re.search(r"obs-studio/global\.ini <<EOF\n(.*?)^EOF$", text, flags=re.DOTALL | re.MULTILINE)
        assert found
        self.port = free_port()
        self._folder = folder
        settings = folder / ".config" / "obs-studio"
        if not settings.exists():
            settings.mkdir(parents=True)
            (settings / "global.ini").write_text(found[1])
        for path in settings.rglob("*"):
            if path.is_file() and path.suffix in (".ini", ".json"):
                path.write_text(re.sub(PORT, rf"\g<1>{self.port}", path.read_text()))
        service = read_unit(DEPLOY / "obs-headless.service")["Service"]
        self._before = [self._here(line.removeprefix("-")) for line in service["ExecStartPre"]]
        variables = dict(pair.split("=", 1) for line in service["Environment"] for pair in shlex.split(line))
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
        own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"), "DISPLAY": display, "PATH": "/usr/bin:/bin"}
        argv = self._here(service["ExecStart"][0])
        command = argv if root is None else root.command(argv, folder)
        self.process = Process("obs", command, log=folder / "obs.log", env=variables | own)

    def _here(self, line: str) -> list[str]:
        return shlex.split(line.replace(HOME, str(self._folder)))

    async def call(self, request: str, data: dict[str, Any]) -> dict[str, Any]:
        link = await Link.open("127.0.0.1", self.port, "A-PASSWORD", seconds=5.0)
        try:
            return await link.call(request, data)
        finally:
            await link.close()

    async def start(self) -> list[str]:
        """Start it as the unit does; the names of its scenes, once it answers."""
        for command in self._before:
            done(run(*command))
        await self.process.start()
        scenes: list[str] = []

        async def answers() -> bool:
            try:
                link = await Link.open("127.0.0.1", self.port, "A-PASSWORD", seconds=5.0)
            except Unreachable:
                return False
            try:
                scenes[:] = [each["sceneName"] for each in (await link.call("GetSceneList"))["scenes"]]
            except ObsError:
                return False
            finally:
                await link.close()
            return bool(scenes)

        await self.process.answers(answers, 60.0)
        return scenes


@asynccontextmanager
async def display(folder: Path) -> AsyncIterator[str]:
    xserver = XServer(folder)
    try:
        yield await xserver.start()
    finally:
        await xserver.stop()


@asynccontextmanager
async def headless(folder: Path, display: str, root: Root | None) -> AsyncIterator[Headless]:
    obs = Headless(folder, display, root)
    try:
        yield obs
    finally:
        await obs.process.kill()


async def test_obs_that_begins_with_nothing_has_the_scene_and_comes_back_after_a_crash(tmp_path: Path) -> None:
    async with display(tmp_path) as screen, headless(tmp_path, screen, Root.named(None)) as obs:
        assert await obs.start() == [SCENE]
        await obs.process.kill()
        assert await obs.start() == [SCENE]


async def test_an_obs_that_follows_this_systems_has_its_scenes_and_comes_back_after_a_crash(tmp_path: Path) -> None:
    """As after an upgrade of the system: settings move into other files, and no window asks about it."""
    async with display(tmp_path) as screen:
        async with headless(tmp_path, screen, None) as before:
            await before.start()
            about = {"sceneName": "SHOW", "inputName": "LOGO", "inputKind": "color_source_v3"}
            await before.call("CreateScene", {"sceneName": "SHOW"})
            await before.call("CreateInput", about)
            await _some_frames(before)
            await before.process.stop(signal.SIGINT, within=15.0)
        async with headless(tmp_path, screen, Root.named(None)) as after:
            assert set(await after.start()) == {SCENE, "SHOW"}
            (item,) = (await after.call("GetSceneItemList", {"sceneName": "SHOW"}))["sceneItems"]
            assert item["sourceName"] == "LOGO"
            await after.process.kill()
            assert set(await after.start()) == {SCENE, "SHOW"}


async def _some_frames(obs: Headless) -> None:
    # Asked to quit within its first second, OBS 29 crashes or hangs now and then.
    async def enough() -> bool:
        return bool((await obs.call("GetStats", {}))["renderTotalFrames"] >= FRAMES_BEFORE_QUIT)

    await until(enough, 20.0)
