"""What a publisher tells of itself while it sends."""

import asyncio
import time
from pathlib import Path

from daemon.studio import Publisher
from daemon.studio.publisher import look
from tests.support import until

FROZEN = 0.4


async def test_one_that_was_kept_from_sending_tells_for_how_long(tmp_path: Path) -> None:
    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            continue
        writer.close()

    server = await asyncio.start_server(read, "127.0.0.1", 0)
    async with server:
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        publisher = Publisher(look("alice", 0), url, log=tmp_path / "log")
        await publisher.start()
        try:
            began = time.monotonic()
            await publisher.freeze()
            await asyncio.sleep(FROZEN)
            await publisher.thaw()
            await until(lambda: publisher.held_up(began) >= FROZEN / 2)
            assert publisher.held_up(time.monotonic() + 1.0) == 0.0
        finally:
            await publisher.stop()
    await asyncio.sleep(0)
