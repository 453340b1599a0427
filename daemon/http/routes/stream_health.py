"""How the show plays, over HTTP: ``/stream-health/*``.

``current`` and each row of ``history`` hold, with null for what is not known::

    {"at": "2026-01-01T20:00:00Z", "time": 1767297600.0, "score": 97.5, "issues": ["render_lag"],
     "penalties": {"render_lag": 2.5}, "streamer": "alice", "input": "GMOTHERSTREAM_12", "waiting": 1,
     "media": {"state": "OBS_MEDIA_STATE_PLAYING", "cursor": 83200, "progress": 1.0, "jitter": 12.1, "still": 0.0,
               "width": 1920, "height": 1080},
     "ingest": {"received": 31200000, "bitrate": 3000.0},
     "obs": {"connected": true, "fps": 30.0, "render_lag": 0.02, "encoder_lag": 0.0, "dropped": null,
             "memory_mb": 412.0, "cpu_percent": 38.0, "streaming": false}}

Times are seconds, ``time`` since the epoch; ``cursor`` and ``jitter`` are milliseconds, ``bitrate`` kbit/s; lags and
``dropped`` are shares from 0 to 1. ``current`` adds ``status`` ("success", or "no_monitoring" before the first
sample, with a ``score`` of null) and ``monitoring_active``. daemon/health/score.py has the issues' names and weights.
"""

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
