"""Publish and unpublish hooks at a steady rate over several connections: a program of its own, on loopback alone.

    python -m tests.bench.load --port 8000 --rate 2000 --seconds 60

Each connection owns some streams, and asks only when it has been answered, so that the order of a stream's hooks is
known. Prints JSON: what was sent and answered, how long the answers took, and which streams are published in the end.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.figures import percentile

MOST_SECONDS = 600.0
MOST_RATE = 20_000
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
PATIENCE = 10.0
"""Seconds after the last hook was due that its answer is waited for."""


@dataclass(slots=True)
class Tally:
    """What all connections have seen."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    unsent: int = 0
    """Hooks that were due, and for which time ran out because earlier ones were not answered."""
    broken: int = 0
    """Connections that ended before an answer came."""
    publishes: int = 0
    answers: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the beginning, and seconds from a hook to its answer."""
    late: list[float] = field(default_factory=list)
    """Seconds that a hook was sent after it was due, because the one before was not answered yet."""


class Streams:
    """The streams of one connection: each hook begins one that is not published, or ends one that is."""

    def __init__(self, connection: int, count: int) -> None:
        self._chance = random.Random(connection)
        self._names = [f"load{connection}x{number}" for number in range(count)]
        self._clients: dict[str, int] = {}
        self._connection = connection
        self._number = 0

    @property
    def published(self) -> list[str]:
        """Those that are published now."""
        return sorted(self._clients)

    def next_hook(self) -> tuple[bool, bytes]:
        """Whether it is a publish, and its body."""
        name = self._chance.choice(self._names)
        known = self._clients.pop(name, None)
        if known is not None:
            return False, _body("on_unpublish", name, self._connection, known)
        self._number += 1
        self._clients[name] = self._number
        return True, _body("on_publish", name, self._connection, self._number)


def _body(action: str, stream: str, connection: int, client: int) -> bytes:
    """As SRS writes it. Put together by hand, for the load shall cost the cores less than what it is put upon."""
    return (
        f'{{"server_id":"bench","action":"{action}","client_id":"c{connection}n{client}","ip":"127.0.0.1",'
        f'"vhost":"__defaultVhost__","app":"live","tcUrl":"rtmp://127.0.0.1:1935/live","stream":"{stream}","param":"",'
        f'"stream_url":"/live/{stream}"}}'
    ).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection with one hook under way at a time."""

    def __init__(self, tally: Tally, streams: Streams, *, port: int, every: float, first: float, end: float) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.streams = streams
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._head = (
            f"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self._every = every
        self._due = first
        self._began = first
        self._end = end
        self._sent_at = 0.0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._plan(time.monotonic())

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        status = complete(self._buffer)
        if status is None:
            return
        self._buffer = b""
        now = time.monotonic()
        self._tally.answers.append((now - self._began, now - self._sent_at))
        if 200 <= status < 300:
            self._tally.accepted += 1
        else:
            self._tally.refused += 1
        self._plan(now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._tally.broken += 1
            self.done.set_result(None)

    def _plan(self, now: float) -> None:
        if self._due >= self._end or now >= self._end:
            self._tally.unsent += max(0, round((self._end - self._due) / self._every))
            self.done.set_result(None)
            assert self._transport is not None
            self._transport.close()
        elif self._due <= now:
            self._send()
        else:
            self._loop.call_later(self._due - now, self._send)

    def _send(self) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return
        publish, body = self.streams.next_hook()
        self._tally.sent += 1
        self._tally.publishes += publish
        self._sent_at = time.monotonic()
        self._tally.late.append(max(0.0, self._sent_at - self._due))
        self._due += self._every
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))


def complete(buffer: bytes) -> int | None:
    """The status of a whole HTTP answer, None while some of it is missing."""
    head, found, body = buffer.partition(b"\r\n\r\n")
    if not found:
        return None
    length = _LENGTH.search(head)
    return int(head[9:12]) if len(body) >= (int(length[1]) if length else 0) else None


async def load(port: int, rate: float, seconds: float, connections: int, streams: int) -> dict[str, object]:
    """Ask, and count. Ends by itself."""
    tally = Tally()
    spent = time.process_time()
    loop = asyncio.get_running_loop()
    first = time.monotonic() + 0.2
    every = connections / rate
    asking = []
    for number in range(connections):
        begins = first + every * number / connections
        connection = Connection(
            tally, Streams(number, streams), port=port, every=every, first=begins, end=first + seconds
        )
        await loop.create_connection(lambda connection=connection: connection, "127.0.0.1", port)  # type: ignore[misc]  # bound as it is now
        asking.append(connection)
    await asyncio.wait([connection.done for connection in asking], timeout=seconds + PATIENCE)
    cpu = (time.process_time() - spent) / max(1, tally.sent)
    took = max((at for at, _ in tally.answers), default=0.0)
    published = [name for connection in asking for name in connection.streams.published]
    return summary(tally, published, took) | {"own_cpu": cpu * 1000}


def summary(tally: Tally, published: Sequence[str], took: float) -> dict[str, object]:
    """Plain values. Times in milliseconds."""
    answers = [seconds * 1000 for _, seconds in tally.answers]
    by_second: dict[int, list[float]] = {}
    for at, seconds in tally.answers:
        by_second.setdefault(int(at), []).append(seconds * 1000)
    return {
        "sent": tally.sent,
        "accepted": tally.accepted,
        "refused": tally.refused,
        "unsent": tally.unsent,
        "broken": tally.broken,
        "publishes": tally.publishes,
        "seconds": took,
        "rate": len(answers) / took if took else 0.0,
        "p50": percentile(answers, 0.50),
        "p90": percentile(answers, 0.90),
        "p99": percentile(answers, 0.99),
        "p999": percentile(answers, 0.999),
        "max": percentile(answers, 1.0),
        "late_p99": percentile([late * 1000 for late in tally.late], 0.99),
        "by_second": [
            [second, len(values), percentile(values, 0.50), percentile(values, 0.99)]
            for second, values in sorted(by_second.items())
        ],
        "published": sorted(published),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2000.0, help="hooks a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--streams", type=int, default=12, help="streams of each connection")
    arguments = parser.parse_args(argv)
    if not 0 < arguments.rate <= MOST_RATE or not 0 < arguments.seconds <= MOST_SECONDS:
        parser.error(f"at most {MOST_RATE} hooks a second, for {MOST_SECONDS:g} seconds")
    result = asyncio.run(
        load(arguments.port, arguments.rate, arguments.seconds, arguments.connections, arguments.streams)
    )
    json.dump(result, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
