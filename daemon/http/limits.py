"""Against clients that are slow, many or long-winded: caps on connections, on time and on bytes."""

import asyncio
import resource
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.http.errors import ApiError

BODY_BYTES: Final = 64 * 1024
BODY_SECONDS: Final = 5.0
"""Seconds that a body may take, from its head to its last byte."""
MOST_CONNECTIONS: Final = 512
RESERVED: Final = 64
"""File descriptors that are left to OBS, the database, the log, ingest servers and targets of notifications."""


def connection_limit() -> int:
    """MOST_CONNECTIONS, or fewer where the process may not have so many files open (RLIMIT_NOFILE)."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else max(8, min(MOST_CONNECTIONS, files - RESERVED))


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take."""

    connections: int = MOST_CONNECTIONS
    """Open at once. One more pushes out the one that has waited longest without a request."""
    waiting: float = 20.0
    """Seconds that a connection may take to deliver a request's head, and to be idle between two."""
    sweep: float = 1.0
    """Seconds between two looks at who has waited too long."""


def _too_long(most: int) -> ApiError:
    return ApiError(413, "too_large", f"the body may be at most {most} bytes", {"Connection": "close"})


async def read_body(request: web.Request, most: int = BODY_BYTES) -> bytes:
    """The body, if it comes in time and has at most so many bytes. Raises ApiError."""
    seconds = BODY_SECONDS
    body = bytearray()
    try:
        if request.content.is_eof():  # as a hook's does, it came with its head: there is nothing to wait for
            whole = request.content.read_nowait()
            if len(whole) > most:
                raise _too_long(most)
            return whole
        if request.content_length is not None and request.content_length > most:
            raise _too_long(most)
        with listening(request):
            async with asyncio.timeout(seconds):
                async for chunk in request.content.iter_chunked(16384):
                    body += chunk
                    if len(body) > most:
                        raise _too_long(most)
    except TimeoutError:
        raise ApiError(408, "too_slow", f"the body took longer than {seconds:g}s", {"Connection": "close"}) from None
    except web.RequestPayloadError:
        raise ApiError(400, "bad_body", "the body does not match its headers", {"Connection": "close"}) from None
    return bytes(body)


class Guarded(asyncio.Protocol):
    """One connection: passes everything on to aiohttp's protocol, and is known to the gate."""

    def __init__(self, inner: asyncio.Protocol, gate: "Gate") -> None:
        self._inner = inner
        self.gate = gate
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.gate.arrived(self)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.left(self)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _guarded(request: web.Request) -> Guarded | None:
    connection = request.transport.get_protocol() if request.transport else None
    return connection if isinstance(connection, Guarded) else None


@contextmanager
def listening(request: web.Request) -> Iterator[None]:
    """While a body is read its sender is waited for: such connections are pushed out as idle ones are."""
    connection = _guarded(request)
    if connection is None:
        yield
        return
    connection.gate.waits(connection)
    try:
        yield
    finally:
        connection.gate.works(connection)


class Gate:
    """Counts the connections, and ends those that wait too long for their own next request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: OrderedDict[Guarded, float] = OrderedDict()
        self._busy: set[Guarded] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._busy)

    def arrived(self, connection: Guarded) -> None:
        """A new one; where there are too many, the one that has waited longest goes, and that may be itself."""
        self._waiting[connection] = time.monotonic()
        if len(self) > self._limits.connections:
            self._end(next(iter(self._waiting)))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._limits.sweep, self._sweep)

    def left(self, connection: Guarded) -> None:
        """It is closed."""
        self._waiting.pop(connection, None)
        self._busy.discard(connection)

    def close(self) -> None:
        """No more looks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def works(self, connection: Guarded) -> None:
        """Its request is being worked on: it keeps its place."""
        if self._waiting.pop(connection, None) is not None:
            self._busy.add(connection)

    def waits(self, connection: Guarded) -> None:
        """It is the client's turn again: to send the rest of a body, or the next request."""
        if connection in self._busy:
            self._busy.discard(connection)
            self._waiting[connection] = time.monotonic()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A connection whose request is being worked on does not wait."""
        connection = _guarded(request)
        if connection is None:
            return await handler(request)
        self.works(connection)
        try:
            return await handler(request)
        finally:
            self.waits(connection)

    def _end(self, connection: Guarded) -> None:
        self.left(connection)
        if connection.transport is not None:
            connection.transport.abort()

    def _sweep(self) -> None:
        self._timer = None
        latest = time.monotonic() - self._limits.waiting
        while self._waiting:
            connection, since = next(iter(self._waiting.items()))
            if since > latest:
                self._timer = asyncio.get_running_loop().call_later(self._limits.sweep, self._sweep)
                return
            self._end(connection)
