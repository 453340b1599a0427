"""Large answers: made one at a time, sent piece by piece, and never kept for clients that do not read.

An answer that is written at once is copied into the memory of each connection that does not take it (asyncio's
transports buffer what the socket refuses). So a large body stays one object, of which a connection holds a piece; and
all bodies that wait for their readers together may have MOST_HELD bytes.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.http.limits import listening

LARGE: Final = 64 * 1024
"""Bytes from which on a body is sent in pieces: what a transport's buffer may hold anyway."""
PIECE: Final = LARGE + 1
"""aiohttp waits for the reader after more than 64 KiB."""
PIECE_SECONDS: Final = 10.0
"""That a client may take for one piece."""
MOST_HELD: Final = 32 * 1024 * 1024
"""Bytes of all bodies on their way. Beyond it the client that has waited longest is cut off."""
HEAVY: Final = frozenset(
    {"/history", "/metrics", "/queue", "/queue-json", "/status", "/stream-health/history", "/stream-health/status"}
)
"""What grows with the line-up or with time: of each one answer is made after the other, and hooks come in between."""


class Sending:
    """Its middleware comes before all that makes answers."""

    def __init__(self, most_held: int = MOST_HELD, piece_seconds: float = PIECE_SECONDS) -> None:
        self._most_held = most_held
        self._piece_seconds = piece_seconds
        # Each its own: one that waits for the disk must not hold up the others.
        self._turns = {path: asyncio.Lock() for path in HEAVY}
        self._under_way: OrderedDict[int, tuple[web.Request, bytes]] = OrderedDict()
        self._readers: Counter[int] = Counter()
        self.held = 0
        """Bytes of the bodies on their way, each counted once however many read it."""

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Send what the handler answers."""
        response = await handler(request)
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or len(body) <= LARGE or request.method == "HEAD":
            return response
        self._hold(request, body)
        try:
            return await self._send(request, response, body)
        finally:
            self._release(request)

    @web.middleware
    async def one_at_a_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The innermost, after the checks of who asks.

        What answers is what serves the path as it is now: a proxy's prefix was taken off since the handler was chosen.
        """
        match = request.match_info
        turn = self._turns.get(match.route.resource.canonical) if match.route.resource is not None else None
        if turn is None:
            return await match.handler(request)
        async with turn:
            response = await match.handler(request)
            await asyncio.sleep(0)  # the next one is made in another turn of the loop: hooks take theirs before it
            return response

    async def _send(self, request: web.Request, response: web.StreamResponse, body: bytes) -> web.StreamResponse:
        stream = web.StreamResponse(status=response.status, headers=response.headers)
        stream.content_length = len(body)
        transport = request.transport
        if transport is not None:
            transport.set_write_buffer_limits(high=0)  # go on when the last piece is with the system
        try:
            await stream.prepare(request)
            view = memoryview(body)
            for start in range(0, len(body), PIECE):
                # While it is the client's turn to read, it may be pushed out as one that is idle.
                with listening(request):
                    async with asyncio.timeout(self._piece_seconds):
                        await stream.write(view[start : start + PIECE])
                if id(request) in self._under_way:
                    self._under_way.move_to_end(id(request))
            await stream.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        else:
            if transport is not None:
                transport.set_write_buffer_limits()
        return stream

    def _hold(self, request: web.Request, body: bytes) -> None:
        self._under_way[id(request)] = (request, body)
        self._readers[id(body)] += 1
        if self._readers[id(body)] == 1:
            self.held += len(body)
        while self.held > self._most_held and len(self._under_way) > 1:
            slowest, _ = next(iter(self._under_way.values()))
            self._release(slowest)
            if slowest.transport is not None:
                slowest.transport.abort()

    def _release(self, request: web.Request) -> None:
        _, body = self._under_way.pop(id(request), (None, None))
        if body is None:
            return
        self._readers[id(body)] -= 1
        if not self._readers[id(body)]:
            del self._readers[id(body)]
            self.held -= len(body)


class Kept:
    """Bodies that many may ask for at once, made once for all of them: each for FRESH seconds, MOST of them."""

    FRESH: Final = 1.0
    MOST: Final = 4

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._bodies: OrderedDict[object, tuple[float, bytes]] = OrderedDict()

    def get(self, key: object, make: Callable[[], bytes]) -> bytes:
        """The one that is kept, or a new one; small ones are not worth keeping."""
        now = self._monotonic()
        made_at, body = self._bodies.get(key, (now - self.FRESH, b""))
        if now - made_at < self.FRESH:
            return body
        body = make()
        self._bodies.pop(key, None)
        if len(body) > LARGE:
            self._bodies[key] = (now, body)
        while len(self._bodies) > self.MOST:
            self._bodies.popitem(last=False)
        return body
