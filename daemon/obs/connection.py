"""One obs-websocket connection, from its Hello to its end, over simpleobsws.

simpleobsws 1.4.3 has no disconnect callback, its receive loop may die without a word, a pending call waits its whole
timeout after a disconnect, and a wrong password looks like ten seconds of silence. So the receive task is watched
here, every call is raced against it, and the close code is read as soon as there is one.
"""

import asyncio
import contextlib
import inspect
import itertools
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeVar

import simpleobsws
import websockets

from daemon.core.ports import NAME_TAKEN, NOT_FOUND, UNKNOWN_KIND, ObsError, ObsGone, ObsRefused, ObsTimeout
from daemon.obs.identity import Identities
from daemon.obs.together import Together

# Its debug log holds whole requests, and with them stream URLs and their keys. simpleobsws itself caps the logger
# of websockets, which would tell the same, at INFO.
logging.getLogger("simpleobsws").setLevel(logging.INFO)


class _NoWords:
    """In place of json, which simpleobsws 1.4 uses for that log alone: it writes every message out, heard or not.

    A sixth of the time that the daemon takes while nothing happens. Messages travel as MessagePack.
    """

    @staticmethod
    def dumps(message: object, **how: object) -> str:
        return ""


if hasattr(simpleobsws, "msgpack"):
    simpleobsws.json = _NoWords


class _Numbers:
    """In place of uuid, of which simpleobsws makes a request's number: unique within the connection is enough.

    libuuid opens and locks a file of the whole machine for each: another sixth of that time.
    """

    _next = itertools.count(1)

    @classmethod
    def uuid1(cls) -> int:
        return next(cls._next)


simpleobsws.uuid = _Numbers

# General, Config, Scenes, Inputs, Transitions, Filters, Outputs, SceneItems, Ui: none of the high-volume ones.
EVENT_SUBSCRIPTIONS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10

PASSWORD_REFUSED = 4009
SESSION_KICKED = 4011

NOT_READY = 207

# What OBS leaves unsaid, or says at such length that users would not find it in the log.
WORDS = {
    NOT_READY: "OBS is not ready yet",
    NOT_FOUND: "not found",
    NAME_TAKEN: "a source of that name exists already",
    UNKNOWN_KIND: "Input kind not found",
}
_REPLACED = frozenset({UNKNOWN_KIND})

CLOSE_SECONDS = 0.5
"""How long the closing handshake may take; a dead or frozen OBS never answers it."""

# websockets 15 and later would go through the proxy of the environment, also to loopback.
_NO_PROXY: dict[str, Any] = (
    {"proxy": None} if "proxy" in inspect.signature(websockets.connect.__init__).parameters else {}
)

T = TypeVar("T")


class Unreachable(ObsGone):
    """No connection came about, or it has ended."""


class PasswordRefused(Unreachable):
    """Close code 4009."""


class KickedByObs(Unreachable):
    """Close code 4011: OBS's user has ended this session."""


class ObsEvent(NamedTuple):
    """A hint from OBS. Events come unordered, so what they say is read again."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a batch, by obs-websocket's names."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    """Fields besides, and the variables of the batch that they have the values of."""
    gives: Mapping[str, str] = field(default_factory=dict)
    """Variables of the batch, and the fields of the answer that they get their values from."""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one request of a batch."""

    kind: str
    code: int
    comment: str
    ok: bool
    data: Mapping[str, Any]

    def checked(self) -> Mapping[str, Any]:
        """Its data. Raises ObsRefused."""
        if not self.ok:
            raise ObsRefused(self.kind, self.code, self.comment)
        return self.data


NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError)
"""What Python makes of an answer that is not as the protocol has it."""


@contextlib.contextmanager
def sense(kind: str) -> Iterator[None]:
    """Read an answer to a request of that kind. Raises ObsError where it is not as the protocol has it."""
    try:
        yield
    except NONSENSE as error:
        raise ObsError(f"{kind}: OBS's answer makes no sense ({type(error).__name__})") from error


class _Client(simpleobsws.WebSocketClient):  # type: ignore[misc]  # it has no types
    """As simpleobsws connects, but past any proxy and without its keep-alive: the heartbeat looks closer."""

    async def connect(self) -> bool:
        self.identified = False
        self.hello_message = None
        self.ws = await websockets.connect(
            self.url,
            subprotocols=["obswebsocket.msgpack"],  # type: ignore[list-item]  # a NewType of str
            max_size=2**24,
            ping_interval=None,
            **_NO_PROXY,
        )
        self.ws_open = True
        self.recv_task = asyncio.create_task(self._ws_recv_task(), name="obs-receive")
        return True


HARMLESS = frozenset({"BroadcastCustomEvent", "SetPersistentData", "Sleep"})
"""Requests that change nothing of OBS, besides those that read."""


def changes(kind: str) -> bool:
    """Whether such a request changes something of OBS."""
    return not kind.startswith("Get") and kind not in HARMLESS


class Gate(Protocol):
    """Stands before what changes OBS."""

    async def admit(self, link: "Link") -> None:
        """Prepare for a request. Raises ObsError."""

    def check(self) -> None:
        """Whether it may be sent in this very moment. Raises ObsError."""


class Link:
    """An identified connection. It does not heal: once lost it stays lost."""

    def __init__(self, client: _Client, timeout: float) -> None:
        self.events: asyncio.Queue[ObsEvent] = asyncio.Queue()
        self.timeout = timeout
        self._client = client
        self.identities = Identities()
        self.together: Together[Request, Result] = Together(lambda asked: self.batch(asked, seconds=min(timeout, 1.0)))
        """For questions that several ask at the same time: not for long, as one may hold up the others' answers."""
        self.gate: Gate | None = None
        """Before what changes something, where OBS may be another daemon's."""
        self._receive: asyncio.Task[None] = client.recv_task
        # The callback must not do more: simpleobsws neither orders nor keeps the tasks that it makes of it.
        client.register_event_callback(self._on_event)

    @classmethod
    async def open(cls, host: str, port: int, password: str, *, seconds: float) -> "Link":
        """Connect and identify, each within ``seconds``.

        Raises PasswordRefused, KickedByObs, or Unreachable for any other reason.
        """
        shown = f"[{host}]" if ":" in host else host
        client = _Client(
            url=f"ws://{shown}:{port}",
            password=password,
            identification_parameters=simpleobsws.IdentificationParameters(eventSubscriptions=EVENT_SUBSCRIPTIONS),
        )
        try:
            async with asyncio.timeout(seconds):
                await client.connect()
        except TimeoutError as error:
            raise Unreachable(f"no answer within {seconds:g}s") from error
        except OSError as error:
            raise Unreachable(_os_reason(error)) from error
        except websockets.WebSocketException as error:
            raise Unreachable(f"this is not obs-websocket 5 ({type(error).__name__})") from error
        link = cls(client, seconds)
        try:
            await link._identify()
        except BaseException:
            await link.close()
            raise
        return link

    @property
    def lost(self) -> bool:
        """Whether nothing will be received any more."""
        return self._receive.done()

    async def until_lost(self) -> ObsGone:
        """Wait for the end and return its reason."""
        await asyncio.wait({self._receive})
        return self._reason()

    async def call(
        self, kind: str, data: Mapping[str, Any] | None = None, *, seconds: float | None = None
    ) -> dict[str, Any]:
        """One request. Raises ObsGone, ObsTimeout, ObsRefused; ObsError where the answer makes no sense."""
        limit = self.timeout if seconds is None else seconds
        request = simpleobsws.Request(kind, None if data is None else self.identities.outgoing(kind, data))
        sending = self._gated(changes(kind), lambda: self._client.call(request, timeout=None))
        response = await self._race(kind, await sending, limit)
        with sense(kind):
            result = self._result(kind, response)
        return dict(result.checked())

    async def batch(
        self,
        requests: Sequence[Request],
        *,
        frame: bool = False,
        halt: bool = False,
        seconds: float | None = None,
    ) -> list[Result]:
        """Several requests in one message, in their order.

        With ``frame`` they run on OBS's graphics thread, before it renders: what they change, changes in one frame
        (a renderer that stands never answers). With ``halt`` the first failure ends the batch, and what comes after
        it is missing from the results. Raises ObsGone, ObsTimeout, ObsError; failures of single requests are for
        the caller to check.
        """
        limit = self.timeout if seconds is None else seconds
        kinds = simpleobsws.RequestBatchExecutionType

        def calling() -> Awaitable[list[Any]]:
            return self._client.call_batch(  # type: ignore[no-any-return]  # the library says nothing of its types
                [self._request(each) for each in requests],
                timeout=None,
                halt_on_failure=halt,
                execution_type=kinds.SerialFrame if frame else kinds.SerialRealtime,
            )

        sending = self._gated(any(changes(each.kind) for each in requests), calling)
        responses = await self._race(requests[0].kind, await sending, limit)
        with sense(requests[0].kind):
            return [self._result(request.kind, each) for request, each in zip(requests, responses, strict=False)]

    async def _gated(self, changing: bool, sending: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """What sends a request, if the gate admits it then. Raises ObsError."""
        if not changing or self.gate is None:
            return sending
        gate = self.gate
        await gate.admit(self)

        async def checked() -> T:
            gate.check()
            return await sending()

        return checked

    def _request(self, each: Request) -> simpleobsws.Request:
        data = self.identities.outgoing(each.kind, each.data)
        return simpleobsws.Request(each.kind, data, dict(each.takes) or None, dict(each.gives) or None)

    def give_up_early(self, seconds: float) -> None:
        """Have the system give the connection up once OBS's machine has not confirmed for so long what was sent.

        What is sent again and again through a network that was cut must not arrive when another daemon acts there.
        """
        found = self._client.ws.transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))

    async def close(self) -> None:
        """End it. Never raises, never takes longer than CLOSE_SECONDS."""
        self._receive.cancel()
        await asyncio.wait({self._receive})
        client = self._client.ws
        with contextlib.suppress(TimeoutError, OSError, websockets.WebSocketException):
            async with asyncio.timeout(CLOSE_SECONDS):
                await client.close()
        client.transport.abort()

    async def _identify(self) -> None:
        identified = asyncio.ensure_future(self._client.wait_until_identified(timeout=self.timeout))
        try:
            await asyncio.wait({identified, self._receive}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            identified.cancel()
        if self._receive.done():
            raise self._reason()
        if not self._client.identified:
            raise Unreachable(f"no obs-websocket greeting within {self.timeout:g}s")

    async def _race(self, kind: str, calling: Callable[[], Awaitable[T]], seconds: float) -> T:
        if self._receive.done():
            raise self._reason()
        task = asyncio.ensure_future(calling())
        try:
            await asyncio.wait({task, self._receive}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._reason() if self._receive.done() else ObsTimeout(kind, seconds)
            with sense(kind):
                return task.result()
        except (simpleobsws.NotIdentifiedError, websockets.WebSocketException, OSError) as error:
            raise Unreachable("WebSocket connection closed") from error
        finally:
            task.cancel()

    def _reason(self) -> ObsGone:
        error = None if self._receive.cancelled() else self._receive.exception()
        if error is not None:
            gone = Unreachable(f"OBS sent something that cannot be understood ({type(error).__name__})")
            gone.__cause__ = error
            return gone
        code = self._client.ws.close_code
        if code == PASSWORD_REFUSED:
            return PasswordRefused("OBS rejects the password")
        if code == SESSION_KICKED:
            return KickedByObs("the session was ended in OBS")
        return Unreachable("WebSocket connection closed")

    def _result(self, kind: str, response: Any) -> Result:
        result = _result(kind, response)
        data = self.identities.incoming(kind, result.data)
        return result if data is result.data else replace(result, data=data)

    async def _on_event(self, kind: str, data: Any) -> None:
        self.events.put_nowait(ObsEvent(str(kind), data if isinstance(data, Mapping) else {}))


def _result(kind: str, response: Any) -> Result:
    status = response.requestStatus
    code = int(status.code)
    comment = "" if code in _REPLACED else str(status.comment or "")
    data = response.responseData
    return Result(
        kind=kind,
        code=code,
        comment=comment or WORDS.get(code, "refused"),
        ok=bool(status.result),
        data=data if isinstance(data, Mapping) else {},
    )


def _os_reason(error: OSError) -> str:
    # Not its own text, which repeats the address; where a host has several addresses there is no number.
    return os.strerror(error.errno).lower() if error.errno else "nothing answers there"
