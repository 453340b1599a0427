"""Where requests come in: an ingest server's hook by the short way, all else through the application.

A hook passes the gate, the form of all errors and its own handler. What else the application asks of a request is not
asked of hooks, or finds nothing to do (a proxy's prefix, the token, the turns of large answers), and costs as much as
reading one does.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from aiohttp import web

from daemon.http.errors import errors
from daemon.http.headers import add_headers
from daemon.http.limits import Gate

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]
Handling = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Entrance:
    """Takes the place of the application's own handler."""

    def __init__(self, hooks: Mapping[str, Answering], gate: Gate) -> None:
        """``hooks`` are the handlers by their paths, each for POST."""
        self._hooks: Final = {path: _in_form(handler) for path, handler in hooks.items()}
        self._gate = gate

    def before(self, application: Handling) -> Handling:
        """What is called with each request; ``application`` with those that are no plain hook.

        One that is spelt in another way, or waits to be told to go on (``Expect``), goes through the application too.
        """
        hooks, gate = self._hooks, self._gate

        def enter(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
            handler = hooks.get(request.rel_url.raw_path)
            if handler is None or request.method != "POST" or "Expect" in request.headers:
                return application(request)
            return gate.middleware(cast("web.Request", request), handler)  # its server makes no others

        return enter


def _in_form(handler: Answering) -> Answering:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await errors(request, handler)
        if "Server" not in response.headers:
            add_headers(response.headers)
        return response

    return answer
