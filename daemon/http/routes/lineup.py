"""The line-up over HTTP, also under the names that existing users' scripts call."""

from typing import Final

from aiohttp import web

from daemon.core.shapes import Name
from daemon.http import views
from daemon.http.auth import TIMER_DATA
from daemon.http.dependencies import Control
from daemon.http.params import actor, done
from daemon.http.reading import Value
from daemon.http.shapes import parameters, show

COUNT: Final = Value(parameters.HandoverCount)
SECONDS: Final = Value(parameters.TurnSeconds)
WHOSE: Final = Value(Name)
FLAG: Final = Value(bool)
FOR_ANY_PAGE: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The timer of older set-ups is a page that OBS shows: it comes from a file or from elsewhere, and has no token."""


class QueueRoutes:
    """Who is on air, who waits, and what scripts ask by the names that they know."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._operator = control.operator

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/status", self._status),
            web.get("/queue", self._queue),
            web.get("/history", self._history),
            web.get("/queue-json", self._queue_json),
            web.get("/time-settings", self._time_settings),
            web.get(TIMER_DATA, self._timer_data),
            web.post("/update-timer/{seconds}", self._update_timer),
            web.get("/block-toggle", self._is_blocked),
            web.post("/block-toggle", self._block_toggle),
        ]

    # --- looking ---------------------------------------------------------------------------------------------

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response(self._status_now())

    def _status_now(self) -> show.Status:
        control = self._control
        recent, channel = control.refusals.recent(control.now()), control.config().channel
        status = views.status(control.view(), control.studio.info, recent, control.desk.measured, channel)
        if control.pair is not None:
            status["owner"] = control.pair.owner()
        return status

    async def _queue(self, _: web.Request) -> web.Response:
        return web.json_response(views.queue(self._control.view(), self._control.desk.measured))

    async def _history(self, request: web.Request) -> web.Response:
        count = COUNT.read(request.query.get("count", parameters.SOME_HANDOVERS), "count")
        return web.json_response({"history": [dict(row) for row in await self._control.history(count)]})

    # --- the names that scripts know -------------------------------------------------------------------------

    async def _queue_json(self, _: web.Request) -> web.Response:
        return web.json_response({"stream_queue": [place.streamer for place in self._control.view().queue]})

    async def _time_settings(self, _: web.Request) -> web.Response:
        return web.json_response({"swap_interval": int(self._control.policy().turn), "remaining_time": self._left()})

    async def _timer_data(self, _: web.Request) -> web.Response:
        return web.json_response({"remaining_time": self._left()}, headers=FOR_ANY_PAGE)

    def _left(self) -> int:
        on_air = self._control.view().on_air
        return int(on_air.remaining) if on_air and on_air.remaining is not None else 0

    async def _update_timer(self, request: web.Request) -> web.Response:
        seconds = SECONDS.read(request.match_info["seconds"], "seconds")
        restart = FLAG.read(request.query.get("reset_time", "false"), "reset_time")
        named = request.query.get("streamer")
        name = WHOSE.read(named, "streamer") if named is not None else None
        streamer = await self._operator.set_turn(actor(request), float(seconds), name, restart=restart)
        whose = f"the turn of {streamer}" if streamer else "a turn"
        return done(f"{whose} lasts {seconds} s", time=seconds, reset_time=restart)

    async def _is_blocked(self, _: web.Request) -> web.Response:
        return web.json_response({"is_blocked": self._control.policy().block_last})

    async def _block_toggle(self, request: web.Request) -> web.Response:
        blocks = await self._operator.toggle_block_last(actor(request))
        said = "may not come straight back" if blocks else "may come straight back"
        return done(f"the last one on air {said}", is_blocked=blocks, blocking=blocks)
