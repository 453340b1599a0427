"""The least that an aiohttp server can do with a hook: it reads the JSON and answers. A program of its own.

    python -m tests.bench.bare

Prints its port, and serves until it is ended. It is what the daemon's hooks are measured beside: the same library,
the same connections, the same machine, and nothing that would be remembered.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

PATH = "/hooks/srs"


async def answer(request: web.Request) -> web.Response:
    """As SRS wants it."""
    await request.json()
    return web.json_response({"code": 0})


async def serve() -> None:
    """Until it is ended."""
    app = web.Application()
    app.router.add_post(PATH, answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@asynccontextmanager
async def running() -> AsyncIterator[int]:
    """Its port, while it runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            port = int(await process.stdout.readline())
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(serve())
