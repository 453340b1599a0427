"""Probes and metrics."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from daemon.http.dependencies import Control
from daemon.http.shapes import studio


class HealthRoutes:
    """``/healthz``: it runs. ``/readyz``: it can do its work. ``/metrics``: for Prometheus."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]

    async def _alive(self, _: web.Request) -> web.Response:
        alive = self._control.alive()
        answer = studio.Alive(status="ok" if alive else "stuck")
        return web.json_response(answer, status=200 if alive else 503)

    async def _ready(self, _: web.Request) -> web.Response:
        checks = self._control.ready()
        ready = all(check.ok for check in checks)
        answer = studio.Ready(
            ready=ready,
            checks={check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
        )
        return web.json_response(answer, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        # Not in a thread: some collectors look at the rules, which belong to the event loop's.
        return web.Response(body=generate_latest(self._control.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
