"""The line-up over HTTP, also under the names that existing users' scripts call."""

from typing import Final

from aiohttp import web

from daemon.config.types import LONGEST_TURN
from daemon.http import views
from daemon.http.auth import TIMER_DATA
from daemon.http.dependencies import Control
from daemon.http.params import actor, checked_name, done, name_in, parse_bool, parse_float, parse_int
from daemon.http.shapes import show

KICK_SECONDS: Final = "300"
MOST_HISTORY: Final = 1000
FOR_ANY_PAGE: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The timer of older set-ups is a page that OBS shows: it comes from a file or from elsewhere, and has no token."""


class QueueRoutes:
    """Who is on air, who waits, and what can be done about it."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._operator = control.operator

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/status", self._status),
            web.get("/queue", self._queue),
            web.get("/history", self._history),
            web.post("/queue/skip", self._skip),
            web.post("/queue/hold", self._hold),
            web.post("/queue/release", self._release),
            web.post("/queue/{name:[^/]+}/move", self._move),
            web.post("/queue/{name:[^/]+}/kick", self._kick),
            web.post("/queue/{name:[^/]+}/let-in", self._unblock),
            web.delete("/queue/{name:[^/]+}", self._remove),
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
        return views.status(control.view(), control.studio.info, control.refusals.recent(control.now()))

    async def _queue(self, _: web.Request) -> web.Response:
        return web.json_response(views.queue(self._control.view()))

    async def _history(self, request: web.Request) -> web.Response:
        count = parse_int(request.query.get("count", "50"), "count", 1, MOST_HISTORY)
        return web.json_response({"history": [dict(row) for row in await self._control.history(count)]})

    # --- changing --------------------------------------------------------------------------------------------

    async def _skip(self, request: web.Request) -> web.Response:
        skipped = (await self._operator.skip(actor(request))).streamer
        return done(f"the turn of {skipped} is over" if skipped else "skipped")

    async def _hold(self, request: web.Request) -> web.Response:
        await self._operator.hold(actor(request))
        return done("held: no turn ends by the clock", held=True)

    async def _release(self, request: web.Request) -> web.Response:
        await self._operator.release(actor(request))
        return done("released: turns end by the clock", held=False)

    async def _move(self, request: web.Request) -> web.Response:
        name = name_in(request, "name")
        position = parse_int(request.query.get("position"), "position", 0, 1_000_000)
        streamer = (await self._operator.move(actor(request), name, position)).streamer
        return done(f"{streamer} is at position {position}", streamer=streamer, position=position)

    async def _kick(self, request: web.Request) -> web.Response:
        name = name_in(request, "name")
        seconds = parse_float(request.query.get("seconds", KICK_SECONDS), "seconds", 0, LONGEST_TURN)
        answer = await self._operator.kick(actor(request), name, seconds)
        # Whoever mistypes a name has to see that nobody was kicked.
        what = "is kicked" if answer.changed("kicked") else "is not in the line-up"
        streamer = answer.streamer
        return done(f"{streamer} {what}, and blocked for {seconds:g} s", streamer=streamer, seconds=seconds)

    async def _unblock(self, request: web.Request) -> web.Response:
        streamer = (await self._operator.unblock(actor(request), name_in(request, "name"))).streamer
        return done(f"{streamer} may publish again", streamer=streamer)

    async def _remove(self, request: web.Request) -> web.Response:
        streamer = (await self._operator.remove(actor(request), name_in(request, "name"))).streamer
        return done(f"{streamer} is out of the line-up", streamer=streamer)

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
        seconds = parse_int(request.match_info["seconds"], "the turn", 1, LONGEST_TURN)
        restart = parse_bool(request.query.get("reset_time"), "reset_time")
        named = request.query.get("streamer")
        name = checked_name(named) if named is not None else None
        streamer = (await self._operator.set_turn(actor(request), float(seconds), name, restart=restart)).streamer
        whose = f"the turn of {streamer}" if streamer else "a turn"
        return done(f"{whose} takes {seconds} s", time=seconds, reset_time=restart)

    async def _is_blocked(self, _: web.Request) -> web.Response:
        return web.json_response({"is_blocked": self._control.policy().block_last})

    async def _block_toggle(self, request: web.Request) -> web.Response:
        blocks = await self._operator.toggle_block_last(actor(request))
        said = "may not come straight back" if blocks else "may come straight back"
        return done(f"the last one on air {said}", is_blocked=blocks, blocking=blocks)
