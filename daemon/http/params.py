"""What the control routes have in common: who asks, and saying that it is done."""

from aiohttp import web

from daemon.http.auth import ACTOR
from statemachine.events import Actor


def actor(_: web.Request) -> Actor:
    """Who asks: whom the guard let pass."""
    return ACTOR.get()


def done(message: str, **fields: object) -> web.Response:
    """The answer to a request that was carried out."""
    return web.json_response({"status": "success", "message": message, **fields})
