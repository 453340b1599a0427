"""The dashboard: its files, and what only it asks for, the state table and the program's picture."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ETag, web

from daemon.core.ports import ObsError
from daemon.health.issues import ISSUES
from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.forwarded import forwarded_prefix
from daemon.http.shapes import show
from daemon.observability.checks import CHECKS
from daemon.observability.wording import for_page
from statemachine.handover.states import State
from statemachine.handover.table import TRANSITIONS

FOLDER: Final = Path(__file__).parents[1] / "dashboard"
TYPES: Final = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        # Nothing may turn a text into markup or into a script, so a name cannot become either by mistake.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

WIDTHS: Final = {"small": 640, "large": 1280}
"""Pixels of the thumbnail: few sizes, because each is rendered and kept by itself."""
FRESH: Final = 1.0
"""Seconds that a thumbnail is kept: OBS renders it on the thread that renders the show."""


class Thumbnails:
    """The program's picture, taken once for all who look."""

    def __init__(
        self,
        shoot: Callable[[int], Awaitable[bytes | None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``shoot`` takes a width in pixels; it may raise ObsError."""
        self._shoot = shoot
        self._monotonic = monotonic
        self._taking: dict[int, asyncio.Task[bytes | ObsError | None]] = {}
        self._taken_at: dict[int, float] = {}

    async def take(self, width: int) -> bytes | None:
        """A JPEG that is not older than FRESH; None while there is no picture. Raises ObsError."""
        task = self._taking.get(width)
        if task is None or (task.done() and self._monotonic() - self._taken_at[width] >= FRESH):
            task = asyncio.create_task(self._take(width))
            self._taking[width] = task
        # One who leaves must not take the picture from the others.
        taken = await asyncio.shield(task)
        if isinstance(taken, ObsError):
            raise taken
        return taken

    async def _take(self, width: int) -> bytes | ObsError | None:
        try:
            return await self._shoot(width)
        except ObsError as error:
            return error
        finally:
            self._taken_at[width] = self._monotonic()


class DashboardRoutes:
    """``/`` and its files, ``/states``, ``/thumbnail``."""

    def __init__(self, control: Control) -> None:
        self._control = control
        paths = [path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES]
        self._files = {path.name: _File(path.read_bytes(), path.suffix) for path in paths}
        self._files["wording.js"] = _File(wording_script(), ".js")
        self._thumbnails = Thumbnails(lambda width: control.studio.screenshot(width))  # noqa: PLW0108  # as it is by then

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/", self._page),
            web.get("/dashboard/{file}", self._file),
            web.get("/states", self._states),
            web.get("/thumbnail", self._thumbnail),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        page, http = self._files["index.html"], self._control.config().http
        prefix = urlsplit(http.public_url).path or forwarded_prefix(request, http.trusted_proxies)
        return page.based(prefix) if prefix else page.answer(request)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["file"])
        if file is None:
            raise ApiError(404, "not_found", "the dashboard has no such file")
        return file.answer(request)

    async def _states(self, _: web.Request) -> web.Response:
        return web.json_response(states())

    async def _thumbnail(self, request: web.Request) -> web.Response:
        width = WIDTHS.get(request.query.get("size", "small"))
        if width is None:
            raise ApiError(400, "bad_value", f"size must be one of: {', '.join(WIDTHS)}")
        picture = await self._thumbnails.take(width)
        if picture is None:
            raise ApiError(503, "no_picture", "OBS has no picture to show", {"Retry-After": "2"})
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def states() -> show.StateTable:
    """The transition table, for the state diagram."""
    rows: list[show.Transition] = [
        {
            "from": row.source.value,
            "event": row.event.__name__,
            "to": row.dest.value,
            "when": row.when.replace("_", " "),
            "meaning": row.meaning,
        }
        for row in TRANSITIONS
    ]
    return {"states": [state.value for state in State], "transitions": rows}


def page_words() -> dict[str, object]:
    """All sentences of the page that others say as well."""
    return {
        **for_page(),
        "ISSUES": {issue.name: issue.advice for issue in ISSUES},
        "CHECKS": {name: words.means for name, words in CHECKS.items()},
    }


def wording_script() -> bytes:
    """The same as a module for the page's scripts."""
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in page_words().items()).encode()


class _File:
    """One file, read once: a change of it takes a restart, as a change of the daemon does."""

    def __init__(self, body: bytes, suffix: str) -> None:
        self._body = body
        self._type = TYPES[suffix]
        self._etag = ETag(hashlib.sha256(self._body).hexdigest()[:32])
        # The page itself is small and names the others. They are asked for each time, and mostly not sent again.
        self._caching = "no-store" if suffix == ".html" else "no-cache"

    def based(self, prefix: str) -> web.Response:
        """The page for behind a proxy's path: without a slash at its end, everything would be sought beside it."""
        base = f'<head>\n    <base href="{prefix}/">'.encode()
        response = web.Response(body=self._body.replace(b"<head>", base, 1), content_type=self._type, charset="utf-8")
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = POLICY.replace("base-uri 'none'", "base-uri 'self'")
        response.headers["Cache-Control"] = self._caching
        return response

    def answer(self, request: web.Request) -> web.Response:
        """The file, or that the client has it already."""
        known = request.if_none_match or ()
        if any(tag.value in (self._etag.value, "*") for tag in known) and self._caching != "no-store":
            response = web.Response(status=304, headers=HEADERS)
        else:
            response = web.Response(body=self._body, content_type=self._type, charset="utf-8", headers=HEADERS)
        response.headers["Cache-Control"] = self._caching
        if self._caching != "no-store":
            response.etag = self._etag
        return response
