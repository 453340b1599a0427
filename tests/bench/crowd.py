"""Clients that nobody needs: idle ones, ones that dribble, ones that send far too much. A program of its own.

    python -m tests.bench.crowd --port 8000 --seconds 30

On loopback alone. Prints JSON: how many connections of each kind were opened and ended by the server, how much of the
long bodies was sent before the answer came, and what the answers were.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

BODY = 10_000_000
PIECE = 65536
DRIBBLE = 0.5
"""Seconds from one byte to the next."""
PAUSE = 0.1
"""Seconds from an end to the next try."""
MOST_SECONDS = 600.0
MOST = 2000

HEAD = b"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

Stop = Callable[[], bool]


@dataclass(slots=True)
class Crowd:
    """What became of them."""

    opened: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    """By the server."""
    refused: int = 0
    """Connections that were not taken."""
    statuses: Counter[str] = field(default_factory=Counter)
    """The answers to long bodies."""
    sent: list[int] = field(default_factory=list)
    """Bytes of each long body that were sent before its answer."""


async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crowd: Crowd) -> None:
    """Say nothing."""
    await reader.read()


async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crowd: Crowd) -> None:
    """A head that never ends."""
    await _dribble(reader, writer, HEAD + b"X-More: ")


async def half_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crowd: Crowd) -> None:
    """A body that never ends."""
    await _dribble(reader, writer, HEAD + b"Content-Length: 1000\r\n\r\n")


async def no_reader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crowd: Crowd) -> None:
    """Ask for the events and take none."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
    writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await asyncio.Event().wait()


async def long_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, crowd: Crowd) -> None:
    """Ten megabytes, half of the times without saying so beforehand."""
    in_pieces = random.random() < 0.5
    length = b"Transfer-Encoding: chunked\r\n\r\n" if in_pieces else b"Content-Length: %d\r\n\r\n" % BODY
    writer.write(HEAD + length)
    answer = asyncio.ensure_future(reader.readline())
    piece, sent = b"x" * PIECE, 0
    try:
        while sent < BODY and not answer.done():
            writer.write(b"%x\r\n%b\r\n" % (PIECE, piece) if in_pieces else piece[: BODY - sent])
            await writer.drain()
            sent += PIECE
            await asyncio.sleep(0)
        if sent >= BODY and in_pieces:
            writer.write(b"0\r\n\r\n")
        status = (await answer).split()
        crowd.statuses[status[1].decode() if len(status) > 1 else "none"] += 1
    except ConnectionError:
        crowd.statuses["none"] += 1
    finally:
        answer.cancel()
        crowd.sent.append(min(sent, BODY))


async def _dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
    writer.write(first)
    over = asyncio.ensure_future(reader.read())
    try:
        while not over.done():
            await asyncio.wait({over}, timeout=DRIBBLE)
            writer.write(b"a")
            await writer.drain()
    finally:
        over.cancel()


Kind = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Crowd], Awaitable[None]]
KINDS: dict[str, Kind] = {
    "idle": idle,
    "half a head": half_a_head,
    "half a body": half_a_body,
    "no reader": no_reader,
    "long body": long_body,
}


async def again_and_again(name: str, port: int, crowd: Crowd) -> None:
    """Be one of that kind, and come back when it is over."""
    while True:
        try:
            # A small buffer, so that one who does not read is noticed.
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        except OSError:
            crowd.refused += 1
            await asyncio.sleep(PAUSE)
            continue
        crowd.opened[name] += 1
        try:
            with suppress(ConnectionError):
                await KINDS[name](reader, writer, crowd)
            crowd.ended[name] += 1
        finally:
            writer.transport.abort()
        await asyncio.sleep(PAUSE)


async def gather(port: int, seconds: float, sizes: dict[str, int], crowd: Crowd) -> None:
    """So many of each kind, for so long."""
    tasks = [
        asyncio.create_task(again_and_again(name, port, crowd)) for name, size in sizes.items() for _ in range(size)
    ]
    try:
        # They never end by themselves, but by a fault of their own.
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def main(argv: Sequence[str] | None = None) -> int:
    """Print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crowd", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=30.0)
    for name, size in (("idle", 160), ("half a head", 160), ("half a body", 160), ("no reader", 20), ("long body", 4)):
        parser.add_argument(f"--{name.replace(' ', '-')}", type=int, default=size, metavar="N", dest=name)
    arguments = vars(parser.parse_args(argv))
    sizes = {name: int(arguments[name]) for name in KINDS}
    if not 0 < arguments["seconds"] <= MOST_SECONDS or not 0 <= sum(sizes.values()) <= MOST:
        parser.error(f"at most {MOST} clients, for {MOST_SECONDS:g} seconds")
    began = time.process_time()
    crowd = Crowd()
    asyncio.run(gather(arguments["port"], arguments["seconds"], sizes, crowd))
    result = {
        "opened": crowd.opened,
        "ended": crowd.ended,
        "refused": crowd.refused,
        "statuses": crowd.statuses,
        "sent_most": max(crowd.sent, default=0),
        "long_bodies": len(crowd.sent),
        "own_cpu": time.process_time() - began,
    }
    json.dump(result, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
