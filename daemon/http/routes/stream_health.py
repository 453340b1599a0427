"""How the show plays, over HTTP: ``/stream-health/*``; daemon/health/shapes.py says what the answers hold."""

from typing import Final

from aiohttp import web

from daemon.health.shapes import HealthNow, HealthStatus
from daemon.http.dependencies import StreamHealth
from daemon.http.reading import Value
from daemon.http.sending import Kept
from daemon.http.shapes import parameters

COUNT: Final = Value(parameters.SampleCount)


class StreamHealthRoutes:
    """Looking only: nothing can be changed here."""

    def __init__(self, health: StreamHealth) -> None:
        self._health = health
        self._kept = Kept()

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/stream-health/current", self._current),
            web.get("/stream-health/history", self._history),
            web.get("/stream-health/status", self._status),
        ]

    async def _current(self, _: web.Request) -> web.Response:
        current = self._health.current()
        now = HealthNow(status="no_monitoring" if current["score"] is None else "success", **current)
        return web.json_response(now)

    async def _history(self, request: web.Request) -> web.Response:
        count = COUNT.read(request.query.get("count", parameters.SOME_SAMPLES), "count")
        return web.Response(body=self._kept.get(count, lambda: self._body(count)), content_type="application/json")

    def _body(self, count: int) -> bytes:
        rows = self._health.rows(count)
        return b'{"status": "success", "count": %d, "history": [%b]}' % (len(rows), b", ".join(rows))

    async def _status(self, _: web.Request) -> web.Response:
        status = HealthStatus(status="success", **self._health.status())
        return web.json_response(status)
