"""Where a probe reports and hears whom to measure, and what it has seen of each."""

import asyncio
from typing import Final

from aiohttp import web

from daemon.core.probing import PATH, Reports
from daemon.core.shapes import Name
from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.reading import JsonBody, Value

BODY_BYTES: Final = 64 * 1024 * 16
"""Bytes of a report: sixteen times any other body, for the previews in it."""
EVERY: Final = 0.3
"""Seconds between two reports at least: one that floods is told so before it is read."""
REPORTS: Final = JsonBody(Reports, BODY_BYTES)
NAME: Final = Value(Name)


class ProbeRoutes:
    """``POST /probe`` and ``GET /preview/NAME.jpg``."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._taken_at = float("-inf")

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [web.post(PATH, self._report), web.get("/preview/{name:.+}.jpg", self._preview)]

    async def _report(self, request: web.Request) -> web.Response:
        if self._control.config().probe.enabled == "off":
            raise ApiError(403, "probe_off", "probe.enabled is off: no probe is wanted")
        now = asyncio.get_running_loop().time()
        if now - self._taken_at < EVERY:
            raise ApiError(429, "too_often", f"one report in {EVERY:g} s is enough", {"Retry-After": "1"})
        reports = await REPORTS.read(request)
        self._taken_at = now
        return web.json_response(self._control.desk.report(reports))

    async def _preview(self, request: web.Request) -> web.Response:
        name = NAME.read(request.match_info["name"], "name")
        image = self._control.desk.preview(name)
        if image is None:
            raise ApiError(404, "no_preview", f"nobody has looked at {name} in the last seconds")
        return web.Response(body=image, content_type="image/jpeg", headers={"Cache-Control": "no-store"})
