"""What a daemon answers that does not own its channel: what it is itself, hooks by way of the owner, and all else as
the owner does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from daemon.config.model import Config
from daemon.core.ports import Check
from daemon.http.app import ENTRANCE, add_headers_to
from daemon.http.auth import Guard
from daemon.http.entrance import Entrance
from daemon.http.errors import ApiError, errors
from daemon.http.limits import BODY_BYTES, Gate, Limits, connection_limit
from daemon.http.peers import Peers
from daemon.http.prefix import PathPrefix
from daemon.http.routes.hooks import HookRoutes, PublishingPort
from daemon.http.shapes import pair, show, studio

OWN: Final = frozenset({"/healthz", "/readyz", "/owner", "/metrics"})


@dataclass(frozen=True, slots=True)
class HeirControl:
    """Everything that the routes use."""

    config: Callable[[], Config]
    publishing: PublishingPort
    registry: CollectorRegistry
    peers: Peers
    owner: Callable[[], pair.Owner]
    status: Callable[[], show.Status]
    """As far as it is known here: shown while the owner does not answer."""
    ready: Callable[[], Sequence[Check]]


class HeirRoutes:
    """The routes of their own."""

    def __init__(self, control: HeirControl) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them; whatever else there is, the owner answers."""
        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/owner", self._owner),
            web.get("/metrics", self._metrics),
            web.get("/status", self._status),
            web.route("*", "/{path:.*}", self._control.peers.pass_on),
        ]

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response(studio.Alive(status="ok"))

    async def _owner(self, _: web.Request) -> web.Response:
        return web.json_response(pair.Role(role="heir"), status=503)

    async def _ready(self, _: web.Request) -> web.Response:
        owner = self._control.owner()
        who = f"{owner['name']} at {owner['address']} owns the channel" if owner["name"] else "nobody owns the channel"
        checks = (Check("owner", ok=False, detail=f"this daemon is the heir: {who}"), *self._control.ready())
        answer = studio.Ready(
            ready=False, checks={check.name: {"ok": check.ok, "detail": check.detail} for check in checks}
        )
        return web.json_response(answer, status=503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._control.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _status(self, request: web.Request) -> web.StreamResponse:
        def elsewhere(told: dict[str, Any]) -> None:
            told["owner"]["here"] = self._control.owner()["here"]

        try:
            return await self._control.peers.pass_on(request, elsewhere)
        except ApiError:
            return web.json_response(self._control.status())


def build_heir(control: HeirControl) -> tuple[web.Application, Gate]:
    """The application, and the gate that its server has to pass connections through."""
    gate = Gate(Limits(connections=connection_limit()))
    guard = Guard(lambda: control.config().http)
    hooks = HookRoutes(control)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        # The owner asks for the token; that no other site's page has sent it can only be seen here.
        if request.path not in hooks.handlers:
            guard.check_origin(request, unchecked=request.path in OWN)
        if request.path == "/metrics":
            guard.check_token(request)
        return await handler(request)

    prefix = PathPrefix(lambda: control.config().http.public_url)
    app = web.Application(
        middlewares=[gate.middleware, prefix.middleware, errors, hooks.astray, guarded, _as_it_is_now],
        client_max_size=BODY_BYTES,
    )
    app[ENTRANCE] = Entrance(hooks.handlers, gate)
    app.on_response_prepare.append(add_headers_to)
    app.add_routes(hooks.routes())
    app.add_routes(HeirRoutes(control).routes())
    return app, gate


@web.middleware
async def _as_it_is_now(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A proxy's prefix was taken off since ``handler`` was chosen."""
    return await request.match_info.handler(request)
