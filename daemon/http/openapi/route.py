"""``GET /openapi.json``: made when it is first asked for, as it takes longer than anything else at the start would."""

import asyncio
import json
from functools import cache

from aiohttp import web

from daemon.http.dependencies import Control
from daemon.ingest.hook import JSON


def openapi_routes(control: Control) -> list[web.RouteDef]:
    """``GET /openapi.json``."""
    token = bool(control.config().http.token.get_secret_value())

    async def answer(_: web.Request) -> web.Response:
        secret = bool(control.config().hooks.secret.get_secret_value())
        # In a thread, for the show goes on meanwhile.
        return web.Response(body=await asyncio.to_thread(_encoded, token, secret), content_type=JSON)

    return [web.get("/openapi.json", answer)]


@cache
def _encoded(token: bool, secret: bool) -> bytes:
    from daemon.http.openapi.document import document  # noqa: PLC0415  # see above: nobody may ever ask

    return json.dumps(document(token=token, secret=secret), separators=(",", ":")).encode()
