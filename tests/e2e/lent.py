"""obs-gstreamer and SRS, which no package brings: the tests of the live channel use them where they are lent.

``OBS_GSTREAMER_SO`` names the plugin's shared object, built against the OBS that is run, ``SRS_BIN`` SRS's program.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from daemon.studio import free_port
from daemon.studio.process import Process
from tests.deploy.support import DEPLOY, rewritten

PLAYS_WITHIN = 3.0
"""Seconds in which a stream's next key frame comes to a player."""

PLUGIN, SERVER = "OBS_GSTREAMER_SO", "SRS_BIN"


def plugins(environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """obs-gstreamer's name and folder, where it is lent."""
    path = environ.get(PLUGIN, "")
    return {"obs-gstreamer": Path(path).resolve(strict=True).parent} if path else {}


def srs_program(environ: Mapping[str, str] = os.environ) -> Path | None:
    """SRS's program, where it is lent."""
    path = environ.get(SERVER, "")
    return Path(path).resolve(strict=True) if path else None


@dataclass(frozen=True, slots=True)
class Srs:
    """An SRS that runs: the URL below which streams are published, and its API."""

    rtmp_base: str
    api: str

    async def has(self, stream: str) -> bool:
        """Whether its API tells of its picture."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.api}/api/v1/streams/?count=100") as answer:
            streams = (await answer.json(content_type=None))["streams"]
        return any(each["name"] == stream and each["publish"]["active"] and each["video"] for each in streams)

    async def plays(self, stream: str) -> bool:
        """Whether it comes to a player. SRS 6 loses one publish in thirty while it lets them in, and tells nobody."""
        process = await asyncio.create_subprocess_exec(
            *("ffmpeg", "-nostdin", "-loglevel", "quiet", "-rw_timeout", f"{PLAYS_WITHIN * 1_000_000:.0f}"),
            *("-i", f"{self.rtmp_base}/{stream}", "-frames:v", "1", "-f", "null", "-"),
        )
        try:
            async with asyncio.timeout(2 * PLAYS_WITHIN):
                return await process.wait() == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False


@asynccontextmanager
async def srs(program: Path, folder: Path, hooks_port: int) -> AsyncIterator[Srs]:
    """SRS with deploy/srs.conf, on ports of its own. Its hooks go to a daemon without a secret on `hooks_port`."""
    rtmp, api = free_port(), free_port()
    changes = {
        "listen              1935": f"listen {rtmp}",
        "127.0.0.1:1985;\n}": f"127.0.0.1:{api};\n}}",
        "http://127.0.0.1:8000/hooks/srs?secret=CHANGE-ME": f"http://127.0.0.1:{hooks_port}/hooks/srs",
        "daemon              off;": f"daemon off;\npid {folder}/srs.pid;",
    }
    config = rewritten(DEPLOY / "srs.conf", folder / "srs.conf", changes)
    process = Process("SRS", (str(program), "-c", str(config)), log=folder / "srs.log", cwd=folder)
    running = Srs(f"rtmp://127.0.0.1:{rtmp}/live", f"http://127.0.0.1:{api}")
    await process.start()
    try:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                try:
                    async with session.get(f"{running.api}/api/v1/versions") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await process.answers(answers, 10.0)
        yield running
    finally:
        await process.kill()
