"""Who may use the control API: a token, a sign-in cookie, and no page of another site.

A token that is set is asked for everywhere but at the hooks, which have a secret of their own, at the probes and at
the sign-in; ``/metrics`` names streamers, so it asks, too (Prometheus sends bearer tokens). Where none is set the
daemon listens on loopback alone, and what remains is somebody's browser: a request must name a host that is this
machine's, lest a page's own name be pointed at it, and one that changes something must not come from another site.

The right token always passes: wrong ones are limited, each client's by itself, so nobody is locked out by another's.
"""

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.config.model import Http
from daemon.config.quality import Probe
from daemon.config.types import is_loopback
from daemon.core.probing import PATH
from daemon.core.redaction import same
from daemon.http.errors import ApiError
from daemon.http.forwarded import client_of, forwarded_host, forwarded_https, passed_a_proxy, whose
from daemon.observability.throttle import LogThrottle
from statemachine.events import Actor

COOKIE: Final = "motherstream"
COOKIE_SECONDS: Final = 30 * 24 * 3600
TIMER_DATA: Final = "/timer-data"
OPEN: Final = frozenset({"/healthz", "/readyz", "/owner", "/sign-in", "/sign-out", "/", TIMER_DATA})
"""Paths that ask for no token: probes, what one signs in with, and the seconds that the show's own timer shows."""
OPEN_PREFIX: Final = "/dashboard/"
"""The dashboard's own files: they hold nothing of anybody's."""
UNCHECKED: Final = frozenset({"/healthz", "/readyz", "/owner"})
"""Paths that may be asked for by any host's name: probes use addresses."""
HOOKS: Final = "/hooks/"
PEER_HOOK: Final = "/peer/hook"
"""Where the channel's other daemon passes hooks on."""
PEER: Final = "X-Motherstream-Peer"
"""The header in which that one shows that it is it."""
HOOK, PASSED_ON = "hook", "passed on"
"""What it shows that for: a hook that it has checked, or what anybody has asked of it."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

LOCAL: Final = Actor("local")
ACTOR: Final = ContextVar("actor", default=LOCAL)
"""Who asks, while a request is answered that needs a token. Not kept with the request: the library's way to do that
without a warning differs between its versions."""
TOKEN: Final = Actor("token")
SIGNED_IN: Final = Actor("sign-in")

WRONG_TOKENS: Final = 10
"""Wrong tokens in a row that a client may try."""
REFILL: Final = 6.0
"""Seconds until it may try one more."""
MOST_ADDRESSES: Final = 4096

log = structlog.get_logger(__name__)


def peer_value(secret: str, purpose: str) -> str:
    """What stands in the header. Whoever is passed on for one purpose is believed nothing for the other."""
    return hmac.new(secret.encode(), f"motherstream {purpose}".encode(), hashlib.sha256).hexdigest()


class TokenAttempts:
    """How many wrong tokens each address may still give."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._forgiven_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 where it may now."""
        forgiven_at = self._forgiven_at.get(address, 0.0)
        return max(0.0, forgiven_at - self._clock() - (WRONG_TOKENS - 1) * REFILL)

    def wrong(self, address: str) -> None:
        """It gave a wrong one."""
        self._forgiven_at[address] = max(self._forgiven_at.get(address, 0.0), self._clock()) + REFILL
        self._forgiven_at.move_to_end(address)
        while len(self._forgiven_at) > MOST_ADDRESSES:
            self._forgiven_at.popitem(last=False)


class Guard:
    """The middleware, and the sign-in's two routes."""

    def __init__(
        self,
        settings: Callable[[], Http],
        probe: Callable[[], Probe] = Probe,
        peer: str = "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``probe`` is the probe's configuration: what it may show in place of the token. ``peer`` is what another
        daemon of the channel shows, which passes people's requests on; empty where there is none."""
        self._settings = settings
        self._probe = probe
        self._peer = peer
        self._token = settings().token.get_secret_value()
        self._host = settings().host.lower()
        self._tries = TokenAttempts()
        self._throttle = LogThrottle(60.0)
        self._wall = wall

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through, or raise ApiError."""
        # What is in fact served counts, not how its path was spelt.
        resource = request.match_info.route.resource
        path = resource.canonical if resource is not None else ""
        if path == PEER_HOOK:
            if not self._is_peer(request, HOOK):
                raise ApiError(403, "not_a_peer", "this is for the other daemon of the channel")
        elif not path.startswith(HOOKS):
            if not self._is_peer(request, PASSED_ON):  # which has looked itself where the page is
                self.check_origin(request, unchecked=path in UNCHECKED)
            if path == PATH and (own := self._probe().token.get_secret_value()):
                ACTOR.set(self._who(request, own))
            elif path not in OPEN and not path.startswith(OPEN_PREFIX):
                self.check_token(request)
        return await handler(request)

    def check_origin(self, request: web.Request, *, unchecked: bool = False) -> None:
        """Whether a page of another site has sent it; ``unchecked``: by whatever name of this host. Raises ApiError."""
        if not self._token and not unchecked:
            self._check_host(request)
        if request.method not in SAFE:
            self._check_site(request)

    def _is_peer(self, request: web.Request, purpose: str) -> bool:
        return bool(self._peer) and same(request.headers.get(PEER, ""), peer_value(self._peer, purpose))

    # --- the sign-in -----------------------------------------------------------------------------------------

    def sign_in(self, request: web.Request, token: str) -> web.Response:
        """Set the cookie for the right token. Raises ApiError."""
        if self._token:
            self._try(request, token)
        response = web.json_response({"status": "success", "message": "signed in"})
        if self._token:
            response.set_cookie(
                COOKIE,
                self._cookie(int(self._wall()) + COOKIE_SECONDS),
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="Strict",
                secure=self._is_https(request),
                path=self._cookie_path(request),
            )
        return response

    def sign_out(self, request: web.Request) -> web.Response:
        """Take the cookie back."""
        response = web.json_response({"status": "success", "message": "signed out"})
        secure, path = self._is_https(request), self._cookie_path(request)
        response.del_cookie(COOKIE, path=path, httponly=True, samesite="Strict", secure=secure)
        return response

    def state(self, request: web.Request) -> web.Response:
        """Whether a token is required, and whether this client has signed in."""
        signed_in = not self._token or self._has_cookie(request)
        return web.json_response({"token_required": bool(self._token), "signed_in": signed_in})

    # --- checks ----------------------------------------------------------------------------------------------

    def check_token(self, request: web.Request) -> None:
        """Note who asks. Raises ApiError where a token is asked for, and was not given."""
        if self._token:
            ACTOR.set(self._who(request))

    def _who(self, request: web.Request, also: str = "") -> Actor:
        """Who asks; ``also`` is another token that does."""
        if self._token and self._has_cookie(request):
            return SIGNED_IN
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else request.headers.get("X-Token", "")
        if not token:
            raise _unauthorized("a token is required")
        self._try(request, token, also)
        return TOKEN

    def _try(self, request: web.Request, token: str, also: str = "") -> None:
        # The right one passes whatever others try: whoever guesses behind the same address must keep nobody out.
        if any(right and same(token, right) for right in (self._token, also)):
            return
        client = client_of(request, self._settings().trusted_proxies)
        counted = whose(client)
        if wait := self._tries.wait(counted):
            seconds = str(int(wait) + 1)
            message = f"too many wrong tokens: try again in {seconds} s"
            raise ApiError(429, "too_many_tries", message, {"Retry-After": seconds, "Connection": "close"})
        self._tries.wrong(counted)
        if (count := self._throttle.suppressed(counted)) is not None:
            log.warning("A wrong token was given", client=client, more=count)
        raise _unauthorized("the token is wrong")

    def _has_cookie(self, request: web.Request) -> bool:
        return any(self._is_valid(cookie) for cookie in _cookies(request))

    def _is_valid(self, cookie: str) -> bool:
        expires = cookie.partition(".")[0]
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12 or int(expires) < self._wall():
            return False
        return same(cookie, self._cookie(int(expires)))

    def _cookie(self, expires: int) -> str:
        text = f"motherstream sign-in until {expires}".encode()
        return f"{expires}.{hmac.new(self._token.encode(), text, hashlib.sha256).hexdigest()}"

    # --- where the page is -----------------------------------------------------------------------------------

    def _is_https(self, request: web.Request) -> bool:
        """Whether the browser has the page by TLS: it says so itself, else the proxy, else the configuration."""
        if origin := request.headers.get("Origin"):
            return origin.lower().startswith("https://")
        settings = self._settings()
        return (
            request.secure
            or forwarded_https(request, settings.trusted_proxies)
            or settings.public_url.lower().startswith("https://")
        )

    def _cookie_path(self, request: web.Request) -> str:
        """The public URL's path where the page was asked for there: two daemons may share a host."""
        settings = self._settings()
        public = urlsplit(settings.public_url)
        origin = request.headers.get("Origin")
        if origin is not None:
            is_public = _place(origin) == public.netloc.lower()
        else:
            is_public = passed_a_proxy(request, settings.trusted_proxies)
        return f"{public.path}/" if is_public else "/"

    def _check_host(self, request: web.Request) -> None:
        hosts = request.headers.getall("Host", [])
        own = {self._host, urlsplit(self._settings().public_url).hostname}
        # The target itself may name one, too, and then it is that one which is meant (RFC 9112, 3.2.2).
        for host in {*hosts, request.host} if hosts else ():
            name = (_host_name(host) or "").lower()
            if not (is_loopback(name) or name in own):
                message = "this host name is not served: use 127.0.0.1 or localhost, or set http.token"
                raise ApiError(403, "bad_host", message)

    def _check_site(self, request: web.Request) -> None:
        refusal = ApiError(
            403,
            "cross_site",
            "pages of other sites may not do this; if it is the dashboard behind a proxy, set http.public_url",
        )
        # Each of them, should there be more than one: which is meant may be seen otherwise in between.
        sites = request.headers.getall("Sec-Fetch-Site", [])
        if not {"same-origin", "none"}.issuperset(sites):
            raise refusal
        # The browser's own word, which no page can change. Without a token a name may have been pointed here.
        if self._token and sites == ["same-origin"]:
            return
        settings = self._settings()
        here = {
            request.headers.get("Host", "").lower(),
            urlsplit(settings.public_url).netloc.lower(),
            forwarded_host(request, settings.trusted_proxies),
        } - {""}
        if any(_place(origin) not in here for origin in request.headers.getall("Origin", [])):
            raise refusal


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, "unauthorized", message, {"WWW-Authenticate": 'Bearer realm="motherstream"'})


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _cookies(request: web.Request) -> Iterator[str]:
    """Each of our cookies: a browser sends those of more than one path."""
    for header in request.headers.getall("Cookie", []):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                yield value.strip('"')
