"""A TCP connection with somebody in between: it can be cut without a word, and what a daemon asks of OBS is read."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgpack

from daemon.obs.connection import changes
from daemon.studio.ports import free_port

PIECE = 65_536


class Wire:
    """`async with Wire(port) as wire`: whoever connects to `wire.port` reaches that port, until it is cut."""

    def __init__(self, target: int, seen: Callable[[bytes, bool], None] | None = None) -> None:
        """``seen`` is called with what clients send, and whether it is a connection's first."""
        self.port = free_port()
        self._target = target
        self._seen = seen
        self._whole = asyncio.Event()
        self._whole.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Nothing gets through any more, and nobody is told."""
        self._whole.clear()

    def mend(self) -> None:
        """It does again."""
        self._whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await self._whole.wait()
        try:
            there, away = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        ways = {
            asyncio.create_task(self._pass(reader, away, self._seen)),
            asyncio.create_task(self._pass(there, writer, None)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in (writer, away):
                each.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        seen: Callable[[bytes, bool], None] | None,
    ) -> None:
        first = True
        with contextlib.suppress(OSError):
            while piece := await reader.read(PIECE):
                await self._whole.wait()
                if seen is not None:
                    seen(piece, first)
                first = False
                writer.write(piece)
                await writer.drain()


@dataclass(frozen=True, slots=True)
class Act:
    """Something that changes OBS."""

    at: float
    who: str
    kind: str


class Acts:
    """What daemons ask of OBS that changes something, in the order in which it went there."""

    def __init__(self) -> None:
        self.all: list[Act] = []

    def of(self, who: str) -> Callable[[bytes, bool], None]:
        """For a wire on which that daemon asks."""
        buffer = bytearray()
        upgraded = False

        def seen(piece: bytes, first: bool) -> None:
            nonlocal upgraded
            if first:
                buffer.clear()
                upgraded = False
            buffer.extend(piece)
            if not upgraded:
                end = buffer.find(b"\r\n\r\n")
                if end < 0:
                    return
                del buffer[: end + 4]
                upgraded = True
            for payload in _frames(buffer):
                self.all += [Act(time.monotonic(), who, kind) for kind in _kinds(payload) if changes(kind)]

        return seen

    def turns(self) -> list[str]:
        """Who acted, each time that another one did than before."""
        found: list[str] = []
        for act in self.all:
            if not found or found[-1] != act.who:
                found.append(act.who)
        return found


def _frames(buffer: bytearray) -> Iterator[bytes]:
    """The whole frames of a client that are there: RFC 6455, 5.2. They are taken out."""
    while len(buffer) >= 6:
        length, start = buffer[1] & 0x7F, 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + 4 + length:
            return
        mask = bytes(buffer[start : start + 4])
        masked = bytes(buffer[start + 4 : start + 4 + length])
        opcode = buffer[0] & 0x0F
        del buffer[: start + 4 + length]
        if opcode in (1, 2) and length:
            key = (mask * (length // 4 + 1))[:length]
            yield (int.from_bytes(masked, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")


def _kinds(payload: bytes) -> Iterator[str]:
    """The kinds of the requests in a message of obs-websocket."""
    message: dict[str, Any] = msgpack.unpackb(payload)
    data = message.get("d", {})
    if message.get("op") == 6:
        yield data["requestType"]
    elif message.get("op") == 8:
        yield from (request["requestType"] for request in data["requests"])
