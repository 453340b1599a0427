"""The way from an heir to its channel's owner, over HTTP: hooks, and what people ask."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict

from daemon.core.ports import Letter
from daemon.http.auth import HOOK, PASSED_ON, PEER, PEER_HOOK, SAFE, peer_value
from daemon.http.errors import ApiError
from daemon.http.forwarded import SIGNS
from daemon.http.limits import read_body
from daemon.ingest.hook import Verdict

HOOK_SECONDS: Final = 2.0
"""Seconds for the owner's verdict on a hook: then nobody owns the channel, for all that is known here."""
LOOK_SECONDS: Final = 2.5
"""The same for what is only looked at."""
ASK_SECONDS: Final = 15.0
"""The same for what people ask to be done."""
OWNER_SECONDS: Final = 0.2
"""Seconds between two looks at who is the owner, while its answer is waited for."""
BODY_BYTES: Final = 1024 * 1024
NOT_PASSED_ON: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
    | {"upgrade", PEER.lower()}
)
"""Headers that are about one connection."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnerAt:
    """Where the owner is."""

    name: str
    address: str
    secret: str = field(repr=False)


class Peers:
    """``owner`` tells who owns the channel now; None where nobody does."""

    def __init__(self, client: aiohttp.ClientSession, owner: Callable[[], OwnerAt | None]) -> None:
        self._client = client
        self._owner = owner

    async def ask(self, letter: Letter) -> Verdict | None:
        """The owner's verdict on a hook; None where no owner answers."""
        owner = self._owner()
        if owner is None:
            return None
        body = {"server": letter.server, "content_type": letter.content_type}
        body["body"] = base64.b64encode(letter.body).decode()
        try:
            async with (
                asyncio.timeout(HOOK_SECONDS),
                self._client.post(owner.address + PEER_HOOK, json=body, headers=as_peer(owner, HOOK)) as answer,
            ):
                if answer.status != 200:
                    log.warning("the owner would not take a hook", owner=owner.name, status=answer.status)
                    return None
                said: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.info("the owner did not answer to a hook", owner=owner.name, reason=str(error) or type(error).__name__)
            return None
        return Verdict(
            bool(said.get("accepted")),
            str(said.get("code", "")),
            str(said.get("message", "")),
            str(said.get("streamer", "")),
            status=int(said.get("status", 403)),
        )

    async def pass_on(
        self, request: web.Request, change: Callable[[dict[str, Any]], None] | None = None
    ) -> web.StreamResponse:
        """Have the owner answer a request; ``change`` what it says. Raises ApiError where it does not answer."""
        if request.path.startswith("/peer/"):
            raise ApiError(404, "not_found", "only the owner of the channel is asked that, by its heir")
        owner = self._owner()
        if PEER in request.headers:
            what = "this daemon does not own the channel, though another one thinks so: is its store.address right?"
            raise ApiError(503, "no_owner", what)
        if owner is None:
            what = "nobody owns the channel right now: this daemon takes over in a moment"
            raise ApiError(503, "no_owner", what, {"Retry-After": "2"})
        body = await read_body(request, BODY_BYTES) if request.can_read_body else None
        begun: web.StreamResponse | None = None
        try:
            async with await self._while_owner(owner, self._asking(owner, request, body)) as answer:
                if change is not None and answer.status == 200:
                    said = await answer.json()
                    change(said)
                    return web.json_response(said)
                begun = _begin(answer)
                await begun.prepare(request)
                async for chunk in answer.content.iter_any():
                    await begun.write(chunk)
                await begun.write_eof()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if begun is not None and begun.prepared:
                # Half of it is with the client: it must not take that for the whole.
                if request.transport is not None:
                    request.transport.abort()
                return begun
            what = f"the owner of the channel ({owner.name} at {_shown(owner.address)}) does not answer"
            raise ApiError(503, "no_owner", what, {"Retry-After": "2"}) from error
        return begun

    def _asking(
        self, owner: OwnerAt, request: web.Request, body: bytes | None
    ) -> Coroutine[Any, Any, aiohttp.ClientResponse]:
        """The same request, of the owner."""
        headers = CIMultiDict((k, v) for k, v in request.headers.items() if _is_passed_on(k.lower()))
        headers.update(as_peer(owner, PASSED_ON))
        within = LOOK_SECONDS if request.method in SAFE else ASK_SECONDS
        streams = request.rel_url.raw_path == "/events"
        return self._client.request(
            request.method,
            owner.address + request.rel_url.raw_path_qs,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None if streams else within, sock_connect=HOOK_SECONDS),
        )

    async def _while_owner(
        self, owner: OwnerAt, asking: Coroutine[Any, Any, aiohttp.ClientResponse]
    ) -> aiohttp.ClientResponse:
        """Wait for the head of its answer, for as long as it is the owner. Raises TimeoutError."""
        asked = asyncio.ensure_future(asking)
        try:
            while not (await asyncio.wait({asked}, timeout=OWNER_SECONDS))[0]:
                if self._owner() != owner:
                    raise TimeoutError("it owns the channel no more")
            return asked.result()
        finally:
            asked.cancel()


def as_peer(owner: OwnerAt, purpose: str) -> dict[str, str]:
    """What shows to the owner that its heir asks."""
    return {PEER: peer_value(owner.secret, purpose)}


def _is_passed_on(name: str) -> bool:
    """Whether a header is; not what proxies say: the owner would take it for ours."""
    return name not in NOT_PASSED_ON and name not in SIGNS and not name.startswith("x-forwarded")


def _begin(answer: aiohttp.ClientResponse) -> web.StreamResponse:
    stream = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if _is_passed_on(name.lower()):
            stream.headers.add(name, value)
    if answer.content_length is not None:
        stream.content_length = answer.content_length
    return stream


def _shown(address: str) -> str:
    return urlsplit(address).netloc or address
