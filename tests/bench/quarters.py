"""A studio without a picture: a fake OBS that plays every stream, for what is measured of the daemon alone."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from daemon.studio import Canvas
from daemon.studio.channel import Channel
from daemon.studio.keys import Keyring
from daemon.studio.process import Process
from tests.bench.ours import OPEN

SCENE = "MOTHERSTREAM"


@dataclass(frozen=True, slots=True)
class FakeAddress:
    """Where the fake OBS listens."""

    port: int
    password: str
    pid: int


@dataclass(frozen=True, slots=True)
class Quarters:
    """What a daemon needs of a studio."""

    folder: Path
    obs: FakeAddress
    canvas: Canvas = field(default_factory=Canvas)
    scene: str = SCENE
    slate: str | None = None
    rtmp_url: str = "rtmp://127.0.0.1:1935/{app}/{stream}"
    keys: Keyring = field(default_factory=Keyring)


@asynccontextmanager
async def quarters(first_frame: float = 0.2) -> AsyncIterator[Quarters]:
    """A fake OBS in a process of its own, each of whose streams has its first picture after so many seconds."""
    with tempfile.TemporaryDirectory(prefix="motherstream-bench-") as name:
        folder = Path(name)
        port_file = folder / "fake-obs"
        command = (sys.executable, "-m", "tests.bench.fake_obs", str(port_file), f"{first_frame:g}")
        fake = Process("fake OBS", command, log=folder / "fake.log")
        await fake.start()
        try:
            await fake.answers(lambda: asyncio.to_thread(port_file.exists), 20)
            port, password = port_file.read_text().splitlines()
            assert fake.pid is not None
            yield Quarters(folder, FakeAddress(int(port), password, fake.pid))
        finally:
            await fake.kill()


@asynccontextmanager
async def fake_channel(settings: Mapping[str, object] | None = None) -> AsyncIterator[Channel]:
    """A daemon on a fake OBS."""
    async with quarters() as where, Channel(where, settings={**OPEN, **(settings or {})}) as channel:
        yield channel
