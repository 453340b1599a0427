"""An aiohttp application on a free port of loopback, for the wire-level fakes."""

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.studio.ports import free_port


class Faults:
    """What the fake does instead of its duty."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.silent: asyncio.Event | None = None
        self.delay = 0.0
        """Seconds by which each answer comes late."""
        self.half = False
        """An answer breaks off in its middle."""

    def answer(self, status: int, body: bytes = b"") -> None:
        """From now on every request gets this."""
        self.status, self.body = status, body

    def hang(self) -> None:
        """From now on no request gets an answer."""
        self.silent = asyncio.Event()

    def mend(self) -> None:
        """Its duty again."""
        self.status, self.delay, self.half = 0, 0.0, False
        if self.silent:
            self.silent.set()
        self.silent = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.silent:
            await self.silent.wait()
        if self.status:
            return web.Response(status=self.status, body=self.body, content_type="application/json")
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.half:
            await _break_off(request, await handler(request))
        return await handler(request)


async def _break_off(request: web.Request, whole: web.StreamResponse) -> None:
    """Send the first half of it, and close the connection."""
    body = bytes(whole.body) if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    broken = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await broken.prepare(request)
    await broken.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    raise ConnectionResetError


class Serving:
    """Base of a fake: ``async with Fake() as fake`` serves it at ``fake.url``."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.requests: list[str] = []
        """Method and path with query of all that was asked."""
        self._runner: web.AppRunner | None = None
        self._port = 0

    def routes(self) -> list[web.RouteDef]:
        """What the fake serves."""
        return []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Serve; on the same port again after a stop."""

        @web.middleware
        async def remember(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.requests.append(f"{request.method} {request.path_qs}")
            return await handler(request)

        app = web.Application(middlewares=[remember, self.faults.middleware])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        # One that no outgoing connection is given while this fake is down.
        self._port = self._port or free_port()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()

    async def stop(self) -> None:
        """Connections are refused from now on."""
        self.faults.mend()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
