"""Server-sent events: everything the rules tell, resumable, never waiting for a subscriber."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, Final, NamedTuple

from aiohttp import web

from daemon.config.types import FIRST_CHANNEL
from daemon.core.clock import iso
from daemon.http.errors import ApiError
from daemon.observability.wording import kind_of
from statemachine import facts
from statemachine.events import Actor

RING: Final = 1024
"""Events kept for those who come back."""
MOST_WAITING: Final = 256
"""Events that a subscriber may be behind."""
MOST_SUBSCRIBERS: Final = 64
HEARTBEAT: Final = 15.0
"""Seconds without an event after which a comment is sent, so that both ends see that the connection is alive."""
WRITE_SECONDS: Final = 10.0
"""Seconds in which a subscriber has to take what it is sent."""


class Subscription:
    """One subscriber's share: frames that wait to be sent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.over = False
        """No more will come: the hub is closed, or this one was too slow."""

    def put(self, frame: bytes, *, limited: bool = True) -> None:
        """One more; the subscription is over where too many wait already."""
        if limited and len(self._frames) >= self._most:
            self.end()
        elif not self.over:
            self._frames.append(frame)
            self._news.set()

    def end(self) -> None:
        """Send what there is no more."""
        self.over = True
        self._frames.clear()
        self._news.set()

    async def take(self) -> bytes:
        """All that waits, as soon as there is any; empty when it is over."""
        await self._news.wait()
        self._news.clear()
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept for whom, and for how long."""

    ring: int = RING
    most_waiting: int = MOST_WAITING
    most_subscribers: int = MOST_SUBSCRIBERS
    heartbeat: float = HEARTBEAT
    write_seconds: float = WRITE_SECONDS


DEFAULT: Final = Bounds()


class EventHub:
    """Gives each event a number, keeps the last ones, and passes them on."""

    def __init__(
        self,
        clean: Callable[[Any], Any] = lambda value: value,
        channel: str = FIRST_CHANNEL,
        *,
        bounds: Bounds = DEFAULT,
    ) -> None:
        """``clean`` makes a copy without secrets, as ``Redactor.value`` does. Each event bears the ``channel``."""
        self._clean = clean
        self._channel = {"channel": channel}
        self._ring: deque[_Kept] = deque(maxlen=bounds.ring)
        self._most_waiting = bounds.most_waiting
        self._most_subscribers = bounds.most_subscribers
        self._subscribers: set[Subscription] = set()
        # Numbers begin anew with each start: the prefix tells one run's from another's.
        self._run = secrets.token_hex(4)
        self._number = 0
        self.heartbeat = bounds.heartbeat
        self.write_seconds = bounds.write_seconds
        self.closed = False

    @property
    def subscribers(self) -> int:
        """How many listen."""
        return len(self._subscribers)

    def publish(self, kind: str, data: Mapping[str, object]) -> None:
        """One event of any kind, its data plain values for JSON. Never blocks."""
        self._publish(kind, self._clean(data))

    def publish_facts(self, published: Sequence[facts.Fact]) -> None:
        """What the rules told in one step; an observer of the dispatcher."""
        for fact in published:
            if not isinstance(fact, facts.EventIgnored):
                self._publish(kind_of(type(fact)), fact)

    def _publish(self, kind: str, data: "facts.Fact | Mapping[str, object]") -> None:
        self._number += 1
        kept = _Kept(self._number, kind, data)
        self._ring.append(kept)
        if self._subscribers:
            frame = self._frame(kept)
            for subscriber in tuple(self._subscribers):
                subscriber.put(frame)
                if subscriber.over:
                    self._subscribers.discard(subscriber)

    def _frame(self, kept: "_Kept") -> bytes:
        """An event as it is sent: written when somebody listens, for mostly nobody does."""
        data = self._clean(_plain(kept.data)) if isinstance(kept.data, facts.Fact) else kept.data
        text = json.dumps({**data, **self._channel}, separators=(",", ":"))
        return f"id: {self._run}-{kept.number}\nevent: {kept.kind}\ndata: {text}\n\n".encode()

    def subscribe(self, last_event_id: str = "") -> Subscription:
        """Begin to listen, after that event if it is still kept. Raises ApiError where too many listen."""
        if self.closed or len(self._subscribers) >= self._most_subscribers:
            raise ApiError(503, "too_many", "there are too many event subscribers already", {"Retry-After": "5"})
        subscription = Subscription(self._most_waiting)
        number = self._resumable(last_event_id)
        start = self._number if number is None else number
        # What was missed has to be fetched from /status where "resumed" is false.
        hello = _Kept(start, "hello", {"resumed": number is not None})
        subscription.put(self._frame(hello), limited=False)
        for kept in self._ring:
            if kept.number > start:
                subscription.put(self._frame(kept), limited=False)
        self._subscribers.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Listen no more."""
        self._subscribers.discard(subscription)

    def close(self) -> None:
        """End all subscriptions: the daemon stops."""
        self.closed = True
        for subscriber in self._subscribers:
            subscriber.end()
        self._subscribers.clear()

    def _resumable(self, last_event_id: str) -> int | None:
        run, _, number = last_event_id.partition("-")
        if run != self._run or not number.isascii() or not number.isdigit() or len(number) > 15:
            return None
        oldest = self._ring[0].number if self._ring else self._number + 1
        return int(number) if oldest - 1 <= int(number) <= self._number else None


class _Kept(NamedTuple):
    number: int
    kind: str
    data: facts.Fact | Mapping[str, object]
    """A fact, or plain values without secrets."""


def _plain(fact: facts.Fact) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields(fact):
        value = getattr(fact, field.name)
        values[field.name] = _as_json(value)
    values["at"] = iso(fact.at)
    return values


def _as_json(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return asdict(value) if isinstance(value, Actor) else value


async def stream(request: web.Request, hub: EventHub) -> web.StreamResponse:
    """``GET /events``: until the subscriber leaves, is too slow, or the daemon stops."""
    subscription = hub.subscribe(request.headers.get("Last-Event-ID", ""))
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    try:
        await response.prepare(request)
        while not subscription.over:
            try:
                async with asyncio.timeout(hub.heartbeat):
                    frames = await subscription.take()
            except TimeoutError:
                frames = b":\n\n"
            if frames:
                async with asyncio.timeout(hub.write_seconds):
                    await response.write(frames)
    except (TimeoutError, ConnectionResetError):
        if request.transport is not None:
            request.transport.abort()
    finally:
        hub.leave(subscription)
    return response
