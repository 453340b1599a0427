"""OBS as the daemon sees it, and the knobs that operators know by the seed's names."""

import asyncio
from typing import Final, Literal

from aiohttp import web

from daemon.core.redaction import redact_url
from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.manual_stream import read_url
from daemon.http.params import actor, done
from daemon.http.reading import JsonBody, Value
from daemon.http.shapes import parameters, studio
from daemon.http.shapes.control import TestBody

TEST: Final = JsonBody(TestBody)
INPUT: Final = Value(parameters.InputName)
OFFSET: Final = Value(parameters.Layers)
DELAY: Final = Value(parameters.Delay)
RECONNECT_SECONDS: Final = 15.0
"""Seconds that the answer waits for the new connection."""


class ObsRoutes:
    """``/obs/*`` and ``/debug/*``."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/obs/list-inputs", self._list_inputs),
            web.get("/obs/media-input-status/{input}", self._media_status),
            web.get("/obs/connection-health", self._health),
            web.post("/obs/force-reconnect", self._reconnect),
            web.get("/obs/streaming-status", self._streaming),
            web.post("/debug/test-dynamic-source-switch", self._test),
            web.post("/debug/set-source-z-offset", self._set_offset),
            web.get("/debug/get-source-z-offset", self._get_offset),
            web.get("/debug/obs-job-delay", self._get_delay),
            web.post("/debug/obs-job-delay", self._set_delay),
        ]

    # --- OBS -------------------------------------------------------------------------------------------------

    async def _list_inputs(self, _: web.Request) -> web.Response:
        inputs = list(await self._control.studio.list_inputs())
        answer: studio.Inputs = {"status": "success", "inputs": inputs, "count": len(inputs)}
        return web.json_response(answer)

    async def _media_status(self, request: web.Request) -> web.Response:
        name = INPUT.read(request.match_info["input"], "input")
        media = dict(await self._control.studio.media_status(name))
        return web.json_response({"status": "success", "input_name": name, "media_status": media})

    async def _health(self, _: web.Request) -> web.Response:
        connected = self._control.studio.info.connected
        message = "OBS is connected" if connected else "OBS is not connected"
        answer: studio.Connection = {
            "status": "success",
            "connection_healthy": connected,
            "message": message,
            "connection": self._control.studio.health(),
        }
        return web.json_response(answer)

    async def _reconnect(self, _: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(RECONNECT_SECONDS):
                connected = await self._control.studio.reconnect()
        except TimeoutError:
            connected = False
        message = "OBS is connected" if connected else "OBS is not connected yet; retrying"
        status: Literal["success", "warning"] = "success" if connected else "warning"
        answer: studio.Reconnected = {"status": status, "connection_healthy": connected, "message": message}
        return web.json_response(answer)

    async def _streaming(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "success", **await self._control.studio.stream_status()})

    # --- a hand-over by hand ---------------------------------------------------------------------------------

    async def _test(self, request: web.Request) -> web.Response:
        body = await TEST.read(request)
        config = self._control.config()
        if body.get("scene_name", config.obs.scene) != config.obs.scene:
            raise ApiError(409, "other_scene", f"streams are shown only in the scene {config.obs.scene} (obs.scene)")
        target = read_url(body["rtmp_url"], config.ingest.rtmp_url)
        session = await self._control.operator.show_manual_stream(actor(request), target.url, target.app, target.stream)
        view = self._control.view()
        answer = {
            "status": "success",
            "message": "a new input is created, buffered, and shown when it is ready",
            "rtmp_url": redact_url(target.url),
            "scene_name": config.obs.scene,
            "attempt": view.attempt,
            "state": view.state.value,
            "session": session.id,
        }
        return web.json_response(answer, status=202)

    # --- knobs -----------------------------------------------------------------------------------------------

    async def _set_offset(self, request: web.Request) -> web.Response:
        offset = OFFSET.read(request.query.get("z_offset"), "z_offset")
        await self._control.operator.set(actor(request), "z_offset", offset)
        return done(f"new inputs are placed {offset} layers below the top", z_offset=offset)

    async def _get_offset(self, _: web.Request) -> web.Response:
        offset = self._control.policy().z_offset
        return done(f"new inputs are placed {offset} layers below the top", z_offset=offset)

    async def _get_delay(self, _: web.Request) -> web.Response:
        delay = self._control.policy().job_delay
        return done(f"hand-overs are at least {delay:g} s apart", obs_job_delay_seconds=delay)

    async def _set_delay(self, request: web.Request) -> web.Response:
        text = request.query.get("delay_seconds", request.query.get("seconds"))
        delay = DELAY.read(text, "delay_seconds")
        await self._control.operator.set(actor(request), "job_delay", delay)
        return done(f"hand-overs are at least {delay:g} s apart", obs_job_delay_seconds=delay)
