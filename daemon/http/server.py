"""The listening side: aiohttp behind the gate."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from daemon.http.app import put_entrance
from daemon.http.errors import error_response
from daemon.http.limits import MOST_CONNECTIONS, RESERVED, Gate, Guarded, connection_limit

LINGER: Final = 2.0
"""Seconds that an unread body is thrown away for, so that its sender reads the answer."""
BACKLOG: Final = 256
"""Connections that wait to be taken, and that are taken in one turn of the loop, before the gate sees any of them."""
FEW: Final = RESERVED // 4
"""The same where there are few file descriptors."""

# aiohttp tells every malformed request with a traceback: anybody could fill the disk.
_protocol_log = logging.getLogger("daemon.http.protocol")
_protocol_log.setLevel(logging.CRITICAL)


class _Protocol(web.RequestHandler):
    """aiohttp's, but what is no HTTP is answered without being quoted: it may hold a key, and its sender keep a log."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)
        what = HTTPStatus(status)
        text = "this is not an HTTP request" if status < 500 else "internal error"
        response = error_response(status, what.name.lower(), text, {"Server": "motherstream"})
        response.force_close()
        return response


class Claim:
    """A port that is ours. Nobody is answered there until it is served; who comes before waits for that."""

    def __init__(self, host: str, port: int) -> None:
        self.address = host, port
        self.listener: asyncio.Server | None = None
        self._make: Callable[[], asyncio.BaseProtocol] | None = None

    async def take(self) -> None:
        """Raises OSError where somebody else has it, or it cannot be had."""
        self.listener = await self._listening()

    async def serve(self, make: Callable[[], asyncio.BaseProtocol]) -> asyncio.Server:
        """Answer whoever comes from now on. Raises OSError as ``take`` does, where that has not been called."""
        if self.listener is None:
            self.listener = await self._listening()
        self._make = make
        await self.listener.start_serving()
        return self.listener

    def leave(self, make: Callable[[], asyncio.BaseProtocol]) -> None:
        """Answer nobody any more by that; unless somebody else answers there by now, the port is let go."""
        if self._make is make:
            self.release()

    def release(self) -> None:
        """Let it go. May be repeated."""
        if self.listener is not None:
            self.listener.close()

    async def _listening(self) -> asyncio.Server:
        backlog = BACKLOG if connection_limit() == MOST_CONNECTIONS else FEW
        listener = await asyncio.get_running_loop().create_server(
            self._made, *self.address, backlog=backlog, start_serving=False
        )
        try:
            for each in listener.sockets:
                # An address that is only bound can be bound again (SO_REUSEADDR): listening makes it ours.
                with each.dup() as same:
                    same.listen(backlog)
        except OSError:
            listener.close()
            raise
        return listener

    def _made(self) -> asyncio.BaseProtocol:
        if self._make is None:
            raise RuntimeError("served before there was anything to serve")
        return self._make()


class HttpServer:
    """Serves one application. ``start`` raises OSError where it cannot listen."""

    def __init__(self, app: web.Application, gate: Gate, claim: Claim, *, stop_within: float = 3.0) -> None:
        """``gate`` is the application's own (``build_app`` returns both); ``claim`` may be taken already."""
        self._port = claim.address[1]
        self._gate = gate
        self._claim = claim
        self._listener: asyncio.Server | None = None
        self._make: Callable[[], asyncio.BaseProtocol] | None = None
        self._app = app
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_protocol_log,
            keepalive_timeout=15.0,
            lingering_time=LINGER,
            auto_decompress=False,
            shutdown_timeout=stop_within,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        if self._listener is not None and self._listener.sockets:
            self._port = int(self._listener.sockets[0].getsockname()[1])
        return self._port

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        server = self._runner.server
        if server is None:
            raise RuntimeError("the application has no server")
        put_entrance(self._app, server)
        make = server

        def connection() -> Guarded:
            protocol = make()
            protocol.__class__ = _Protocol  # the application's server makes its own kind and asks for none
            return Guarded(protocol, self._gate)

        self._make = connection
        self._listener = await self._claim.serve(connection)

    async def stop(self) -> None:
        """Take no more connections, let requests end, close."""
        if self._make is not None:
            self._claim.leave(self._make)
        self._gate.close()
        await self._runner.cleanup()
        self._listener = None
