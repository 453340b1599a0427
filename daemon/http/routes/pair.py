"""Who owns the channel, and how it changes hands: for people, for proxies, and for the channel's other daemon."""

import base64
import binascii
from typing import Final

from aiohttp import web

from daemon.core.ports import Letter
from daemon.http.auth import PEER_HOOK
from daemon.http.dependencies import PairControl
from daemon.http.errors import ApiError
from daemon.http.params import actor, done
from daemon.http.reading import JsonBody
from daemon.http.shapes import pair

BODY_BYTES: Final = 200_000
"""Bytes of a hook that is passed on: those of a hook, in base64 and JSON."""
PEER_HOOKS: Final = JsonBody(pair.PeerHook, BODY_BYTES)
ALONE: Final = ApiError(409, "no_store", "this daemon shares its channel with no other: store.url is not set")


class PairRoutes:
    """``/owner``, ``/step-down``, ``/fleet``, and what another daemon asks."""

    def __init__(self, control: PairControl | None) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/owner", self._owner),
            web.post("/step-down", self._step_down),
            web.get("/fleet", self._fleet),
            web.post(PEER_HOOK, self._hook),
        ]

    async def _owner(self, _: web.Request) -> web.Response:
        # One that is on its way out says so at once.
        if self._control is not None and not self._control.owner()["here"]:
            return web.json_response(pair.Role(role="heir"), status=503)
        return web.json_response(pair.Role(role="owner"))

    async def _step_down(self, request: web.Request) -> web.Response:
        if self._control is None:
            raise ALONE
        return done(f"{self._control.step_down(actor(request))} takes over")

    async def _fleet(self, _: web.Request) -> web.Response:
        if self._control is None:
            raise ALONE
        return web.json_response(await self._control.fleet())

    async def _hook(self, request: web.Request) -> web.Response:
        if self._control is None:
            raise ALONE
        asked = await PEER_HOOKS.read(request)
        try:
            raw = base64.b64decode(asked["body"], validate=True)
        except binascii.Error:
            raise ApiError(400, "bad_value", "body must be base64") from None
        verdict = await self._control.take(Letter(asked["server"], asked["content_type"], raw))
        answer = pair.PeerVerdict(
            accepted=verdict.accepted,
            code=verdict.code,
            message=verdict.message,
            streamer=verdict.streamer,
            status=verdict.status,
        )
        return web.json_response(answer)
