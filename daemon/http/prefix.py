"""The path that a proxy has put before ours: taken off where the proxy has not done so itself."""

from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from yarl import URL


class PathPrefix:
    """Its middleware comes before all that looks at what is asked for; the innermost one asks for the handler anew."""

    def __init__(self, public_url: Callable[[], str]) -> None:
        self._public_url = public_url

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pass the request on as one for our own path."""
        path, public = request.rel_url.raw_path, self._public_url()
        own = own_path(path, urlsplit(public).path if public else "")
        if own == path:
            return await handler(request)
        asked = request.rel_url
        # With the host, if the target names one: that is checked as well.
        url = URL.build(
            scheme=asked.scheme,
            authority=asked.raw_authority,
            path=own,
            query_string=asked.raw_query_string,
            encoded=True,
        )
        moved = request.clone(rel_url=url)
        match = await request.app.router.resolve(moved)
        match.add_app(request.app)
        match.freeze()
        moved._match_info = match  # as aiohttp's own normalize_path_middleware does
        return await handler(moved)


def own_path(path: str, prefix: str) -> str:
    """``/live/status`` is ``/status`` behind ``/live``, and so is ``//status``, of which a proxy took too little."""
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        path = path.removeprefix(prefix) or "/"
    return f"/{path.lstrip('/')}" if path.startswith("//") else path
