"""``POST /hooks/…``: what the ingest servers tell, answered at once in each server's own form."""

import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import unquote, unquote_plus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Histogram

from daemon.config.model import Config, Hooks
from daemon.core.redaction import same
from daemon.http.errors import ApiError
from daemon.http.forwarded import address_of, passed_a_proxy, within
from daemon.http.headers import complete
from daemon.http.limits import read_body
from daemon.http.ready import ReadyAnswer
from daemon.ingest.hook import ACCEPTED, Publish, Reply, Unpublish, Verdict, refused
from daemon.ingest.servers import nginx_rtmp
from daemon.ingest.servers.kinds import SERVERS, Server
from daemon.ingest.stream import HookError
from daemon.observability.throttle import LogThrottle

MOST_SENDERS: Final = 1024

BROWSERS: Final = frozenset({"origin", "referer", "cookie", "accept-language", "upgrade-insecure-requests"})
"""Headers that browsers send, in small letters."""

MOST_UNKNOWN: Final = 64

WRONG_SECRET: Final = (
    "the hook's URL must end in ?secret= with hooks.secret; of its characters & and # are written there as %26 and %23"  # noqa: S105  # a sentence
)

log = structlog.get_logger(__name__)


ASTRAY: Final = (
    "A hook came to an address that takes none, so nobody can publish there: in the RTMP server's configuration "
    f"the hooks' URL has to be that of its kind, {', '.join(server.path for server in SERVERS)}"
)
BY_GET: Final = "nginx-rtmp"
"""The server whose hooks may be a GET, by ``notify_method get``, which most of its tutorials set."""


class PublishingPort(Protocol):
    """What a hook means, as much of it as is needed here."""

    async def publish(self, hook: Publish, raw: bytes, content_type: str) -> Verdict:
        """Whether this publisher may publish. ``raw`` is the hook as its server sent it."""

    async def unpublish(self, hook: Unpublish, raw: bytes, content_type: str) -> Verdict:
        """A publisher has left."""

    def misread(self, error: HookError) -> Verdict:
        """The verdict on a hook that could not be read."""

    def note_refusal(self, server: str, verdict: Verdict, address: str | None) -> None:
        """Remember and log a refusal; ``address`` is whose hook it was."""


class HookControl(Protocol):
    """What is needed of the rest of the daemon."""

    @property
    def config(self) -> Callable[[], Config]:
        """As it is now."""

    @property
    def publishing(self) -> PublishingPort:
        """What a hook means."""

    @property
    def registry(self) -> CollectorRegistry:
        """Prometheus's."""


class HookRoutes:
    """The hooks' handlers: each reads what a server says and writes the answer. What it means is Publishing's."""

    def __init__(self, control: HookControl) -> None:
        self._control = control
        self._publishing = control.publishing
        self._throttle = LogThrottle()
        self._senders = Senders()
        self._unknown: set[str] = set()
        self._metrics = HookMetrics(control.registry)
        self.handlers: Final = {server.path: self._handler(server) for server in SERVERS}
        """What takes a hook, by its path."""

    def routes(self) -> list[web.RouteDef]:
        """One for each server."""
        by_get = [
            web.get(each.path, self.handlers[each.path], allow_head=False) for each in SERVERS if each.name == BY_GET
        ]
        return [*(web.post(path, handler) for path, handler in self.handlers.items()), *by_get]

    @web.middleware
    async def astray(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Tell of a hook at an address that takes none: its server refuses each publisher, and nothing else says why.

        Comes before whatever asks for a token. The answer stays what it is.
        """
        if request.method == "POST" and request.match_info.http_exception is not None and is_near(request.path):
            sender = request.remote or ""
            known = self._senders.allowed(sender, self._control.config().hooks) and not from_browser(request.headers)
            if known and (count := self._throttle.suppressed("astray")) is not None:
                log.warning(ASTRAY, path=request.path[:80], address=sender, more=count)
        return await handler(request)

    def _handler(self, server: Server) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        accepted = server.answer(ACCEPTED)
        ready = ReadyAnswer(accepted.status, accepted.body, complete(accepted.content_type))

        async def handle(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            verdict = await self._verdict(server, request)
            if isinstance(verdict, Reply):
                reply, verdict = verdict, ACCEPTED
            elif verdict.accepted:
                reply = accepted
            else:
                reply = server.answer(verdict)
                self._publishing.note_refusal(server.name, verdict, request.remote)
            self._metrics.count(server.name, verdict.code, time.perf_counter() - began)
            if reply is accepted and ready.fits(request):
                return ready
            return web.Response(status=reply.status, body=reply.body, headers=complete(reply.content_type))

        return handle

    async def _verdict(self, server: Server, request: web.Request) -> Verdict | Reply:
        try:
            raw = await self._body(server, request)
            hook = server.parse(raw, self._control.config().ingest)
        except ApiError as error:
            return refused(error.code, str(error), error.status)
        except HookError as error:
            return self._publishing.misread(error)
        match hook:
            case Publish():
                return await self._publishing.publish(hook, raw, server.content_type)
            case Unpublish():
                return await self._publishing.unpublish(hook, raw, server.content_type)
        if not hook.known:
            self._log_unknown(server, hook.action)
        if hook.answer is not None:
            return hook.answer
        return ACCEPTED if hook.client_ip is None else self._reader_verdict(hook.client_ip)

    async def _body(self, server: Server, request: web.Request) -> bytes:
        """What the server says. Raises ApiError where it may not, or says it in a way of its own."""
        if request.method == "GET":
            own, said = nginx_rtmp.parts_of_query(request.rel_url.raw_query_string)
            self._check_sender(request, own)
            return said.encode()
        self._check_sender(request, request.rel_url.raw_query_string)
        if request.content_type != server.content_type:
            raise ApiError(415, "wrong_content_type", f"the body must be {server.content_type}")
        return await read_body(request)

    # --- who sends -------------------------------------------------------------------------------------------

    def _check_sender(self, request: web.Request, query: str) -> None:
        config = self._control.config()
        hooks = config.hooks
        if not self._senders.allowed(request.remote or "", hooks):
            raise ApiError(403, "address_not_allowed", not_allowed(request.remote or ""))
        if from_browser(request.headers):
            raise ApiError(403, "cross_site", "hooks are not accepted from browsers")
        secret = hooks.secret.get_secret_value()
        if not secret and passed_a_proxy(request, config.http.trusted_proxies):
            # To whom its address belongs says nothing: it is the proxy's, for whoever reaches the proxy.
            raise ApiError(403, "through_a_proxy", "hooks passed on by a proxy are accepted only with hooks.secret")
        if secret and not has_secret(query, secret):
            raise ApiError(403, "wrong_secret", WRONG_SECRET)

    def _reader_verdict(self, ip: str) -> Verdict:
        """MediaMTX asks about somebody who does not publish."""
        if self._senders.allowed(ip, self._control.config().hooks):
            return ACCEPTED
        return refused("reader_not_allowed", "readers are admitted from hooks.allow only; see authHTTPExclude")

    def _log_unknown(self, server: Server, action: str) -> None:
        kind = f"{server.name} {action}"
        if kind not in self._unknown and len(self._unknown) < MOST_UNKNOWN:
            self._unknown.add(kind)
            log.info("A hook of an unknown kind was accepted and ignored", server=server.name, action=action)


def has_secret(query: str, secret: str) -> bool:
    """Whether the hook URL's own query, as it was sent, holds the secret: percent-encoded, or as somebody pasted it.

    A + stands for a blank in a query, and for itself in what base64 makes.
    """
    given = next((part[len("secret=") :] for part in query.split("&") if part.startswith("secret=")), "")
    return any(same(text, secret) for text in dict.fromkeys((given, unquote(given), unquote_plus(given))))


class HookMetrics:
    """What hooks there were, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._hooks = Counter(
            "motherstream_hooks", "Hooks by server and outcome", ("server", "outcome"), registry=registry
        )
        self._seconds = Histogram(
            "motherstream_hook_seconds",
            "Seconds from a hook's arrival to its answer",
            ("server",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
            registry=registry,
        )
        self._known: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def count(self, server: str, outcome: str, seconds: float) -> None:
        """One more."""
        counters = self._known.get((server, outcome))
        if counters is None:
            counters = self._hooks.labels(server, outcome), self._seconds.labels(server)
            self._known[server, outcome] = counters
        counters[0].inc()
        counters[1].observe(seconds)


class Senders:
    """Whether an address may send hooks, remembered: it is mostly the same one."""

    def __init__(self) -> None:
        self._hooks: Hooks | None = None
        self._known: dict[str, bool] = {}

    def allowed(self, address: str, hooks: Hooks) -> bool:
        """Whether the address is in one of ``hooks.allow``."""
        if hooks is not self._hooks or len(self._known) >= MOST_SENDERS:
            self._hooks, self._known = hooks, {}
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = allowed(address, hooks)
        return known


def is_near(path: str) -> bool:
    """Whether a hook may have been meant for it: "/" took them in older set-ups."""
    return path == "/" or "hook" in path.lower()


def from_browser(headers: Mapping[str, str]) -> bool:
    """Whether a browser sent it, because a page made it: no ingest server sends any of these.

    A form that a page posts has an Origin. A GET, as for a picture, need have none, nor, to an address that is not
    this machine's, a ``Sec-Fetch-Site``; but no page can keep a browser from naming itself and its languages.
    """
    return any(map(_is_browsers, headers)) or "mozilla" in headers.get("User-Agent", "").lower()


@lru_cache(maxsize=256)
def _is_browsers(name: str) -> bool:
    lower = name.lower()
    return lower in BROWSERS or lower.startswith("sec-")


def allowed(address: str, hooks: Hooks) -> bool:
    """Whether the address is in one of ``hooks.allow``."""
    return within(address_of(address), hooks.allow)


def not_allowed(address: str) -> str:
    """Why hooks from there are refused; to somebody in a private network, with what mends it."""
    message = "hooks are not accepted from this address (hooks.allow)"
    found = address_of(address)
    if found is None or not found.is_private or found.is_loopback or found.is_link_local or found.is_unspecified:
        return message
    network = ipaddress.ip_network((found, 16 if found.version == 4 else 64), strict=False)
    return (
        f"hooks are not accepted from {found}, a private address such as a container's bridge has: "
        f'if the RTMP server is there, add it, or its network ("{network}"), to hooks.allow'
    )
