"""The application: all routes behind the guards."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from daemon.http.auth import Guard
from daemon.http.dependencies import Control
from daemon.http.entrance import Entrance
from daemon.http.errors import errors
from daemon.http.headers import add_headers
from daemon.http.limits import BODY_BYTES, Gate, Limits, connection_limit
from daemon.http.openapi.route import openapi_routes
from daemon.http.prefix import PathPrefix
from daemon.http.reading import JsonBody
from daemon.http.routes.dashboard import DashboardRoutes
from daemon.http.routes.events import stream
from daemon.http.routes.hooks import HookRoutes
from daemon.http.routes.lineup import QueueRoutes
from daemon.http.routes.measurements import MeasurementRoutes
from daemon.http.routes.notify import NotifyRoutes
from daemon.http.routes.obs import ObsRoutes
from daemon.http.routes.pair import PairRoutes
from daemon.http.routes.probe import ProbeRoutes
from daemon.http.routes.probes import HealthRoutes
from daemon.http.routes.stream_health import StreamHealthRoutes
from daemon.http.routes.use_cases import use_case_routes
from daemon.http.sending import Sending
from daemon.http.shapes.control import SignInBody

SIGN_IN: Final = JsonBody(SignInBody)

ENTRANCE: Final = web.AppKey("entrance", Entrance)
"""Of an application: what its server is to put before it."""


def build_app(control: Control, limits: Limits | None = None) -> tuple[web.Application, Gate]:
    """The application and the gate that its server has to pass connections through."""
    gate = Gate(limits or Limits(connections=connection_limit()))
    sending = Sending()
    prefix = PathPrefix(lambda: control.config().http.public_url)
    peer = control.pair.secret if control.pair is not None else ""
    guard = Guard(lambda: control.config().http, lambda: control.config().probe, peer)
    hooks = HookRoutes(control)
    app = web.Application(
        middlewares=[
            gate.middleware,
            sending.middleware,
            prefix.middleware,
            errors,
            hooks.astray,
            guard.middleware,
            sending.one_at_a_time,
        ],
        client_max_size=BODY_BYTES,
    )
    app[ENTRANCE] = Entrance(hooks.handlers, gate)
    app.on_response_prepare.append(add_headers_to)
    app.on_shutdown.append(_closing(control))
    app.add_routes(hooks.routes())
    app.add_routes(QueueRoutes(control).routes())
    app.add_routes(use_case_routes(control.operator))
    app.add_routes(ObsRoutes(control).routes())
    app.add_routes(HealthRoutes(control).routes())
    app.add_routes(StreamHealthRoutes(control.health).routes())
    app.add_routes(NotifyRoutes(control).routes())
    app.add_routes(MeasurementRoutes(control).routes())
    app.add_routes(ProbeRoutes(control).routes())
    app.add_routes(DashboardRoutes(control).routes())
    app.add_routes(PairRoutes(control.pair).routes())
    app.add_routes(_sign_in_routes(guard))
    app.add_routes(openapi_routes(control))
    app.add_routes([web.get("/events", _events(control), allow_head=False)])
    return app, gate


def put_entrance(app: web.Application, server: web.Server) -> None:
    """Have a server of that application take hooks by the short way. To be called before its first connection."""
    server.request_handler = app[ENTRANCE].before(server.request_handler)


def _events(control: Control) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def events(request: web.Request) -> web.StreamResponse:
        return await stream(request, control.hub)

    return events


def _sign_in_routes(guard: Guard) -> list[web.RouteDef]:
    async def state(request: web.Request) -> web.Response:
        return guard.state(request)

    async def sign_in(request: web.Request) -> web.Response:
        return guard.sign_in(request, (await SIGN_IN.read(request))["token"])

    async def sign_out(request: web.Request) -> web.Response:
        return guard.sign_out(request)

    return [web.get("/sign-in", state), web.post("/sign-in", sign_in), web.post("/sign-out", sign_out)]


def _closing(control: Control) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        control.hub.close()

    return close


async def add_headers_to(_: web.Request, response: web.StreamResponse) -> None:
    """Those that every answer has."""
    add_headers(response.headers)
