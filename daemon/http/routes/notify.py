"""Whether notifications arrive: ``POST /notify/test``."""

import asyncio

from aiohttp import web

from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.shapes.control import NotifyTest


class NotifyRoutes:
    """One at a time: each sends to people."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._turn = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [web.post("/notify/test", self._test)]

    async def _test(self, _: web.Request) -> web.Response:
        if self._turn.locked():
            raise ApiError(409, "test_running", "a test is under way already")
        async with self._turn:
            tried = await self._control.test_notifications()
        if not tried:
            raise ApiError(409, "no_targets", "no targets are configured: set notify.urls")
        failed = sum(1 for _, problem in tried if problem)
        what = f"{failed} of {len(tried)} could not be sent" if failed else f"sent to {len(tried)}"
        answer = NotifyTest(
            status="warning" if failed else "success",
            message=what,
            targets=[{"target": label, "ok": not problem, "problem": problem or None} for label, problem in tried],
        )
        return web.json_response(answer)
