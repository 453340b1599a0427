"""OBS without a screen, begun with nothing, as docs/install.md has it and deploy/obs-headless.service starts it."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.core.ports import ObsError
from daemon.obs.connection import Link, Unreachable
from daemon.studio import free_port
from daemon.studio.process import Process
from daemon.studio.root import Root
from daemon.studio.xserver import XServer
from tests.deploy.support import DEPLOY, ROOT, done, read_unit, run

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

HOME = "/var/lib/obs"
"""As the unit has it."""
SCENE = "Scene"
"""As docs/install.md sets obs.scene for an OBS that begins with nothing."""


class Headless:
    """OBS as the unit runs it, with another HOME, port and display."""

    def __init__(self, folder: Path, display: str) -> None:
        text = (ROOT / "docs" / "install.md").read_text()
        assert f'`obs.scene = "{SCENE}"`' in text
        found = re.search(r"obs-studio/global\.ini <<EOF\n(.*?)^EOF$", text, flags=re.DOTALL | re.MULTILINE)
        assert found
        self.port = free_port()
        self._folder = folder
        settings = folder / ".config" / "obs-studio"
        settings.mkdir(parents=True)
        (settings / "global.ini").write_text(found[1].replace("4455", str(self.port)))
        service = read_unit(DEPLOY / "obs-headless.service")["Service"]
        self._before = [self._here(line.removeprefix("-")) for line in service["ExecStartPre"]]
        variables = dict(pair.split("=", 1) for line in service["Environment"] for pair in shlex.split(line))
        (folder / "run").mkdir(mode=0o700)
        own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"), "DISPLAY": display, "PATH": "/usr/bin:/bin"}
        argv = self._here(service["ExecStart"][0])
        root = Root.named(None)
        command = argv if root is None else root.command(argv, folder)
        self.process = Process("obs", command, log=folder / "obs.log", env=variables | own)

    def _here(self, line: str) -> list[str]:
        return shlex.split(line.replace(HOME, str(self._folder)))

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
async def headless(folder: Path) -> AsyncIterator[Headless]:
    xserver = XServer(folder)
    obs = Headless(folder, await xserver.start())
    try:
        yield obs
    finally:
        await obs.process.kill()
        await xserver.stop()


async def test_obs_that_begins_with_nothing_has_the_scene_and_comes_back_after_a_crash(tmp_path: Path) -> None:
    async with headless(tmp_path) as obs:
        assert await obs.start() == [SCENE]
        await obs.process.kill()
        assert await obs.start() == [SCENE]
