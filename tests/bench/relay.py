"""Hooks of the ingest server, passed on to whichever daemon is being measured.

A server's hook URL is fixed when it starts, and the daemons come and go: this stands between, lets everybody publish
while there is no daemon, and tells a new one who publishes already.
"""

import json
from dataclasses import dataclass
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

from daemon.studio.ports import free_port


@dataclass(frozen=True, slots=True)
class Told:
    """A publish hook that still holds."""

    path: str
    body: bytes
    content_type: str


class Relay:
    """`async with Relay() as relay`; `relay.url` is what the ingest server is to be told."""

    def __init__(self) -> None:
        self.port = free_port()
        self._target = ""
        self._live: dict[str, Told] = {}
        self._client: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The hook URL for nginx-rtmp."""
        return f"http://127.0.0.1:{self.port}/hooks/nginx-rtmp"

    async def __aenter__(self) -> "Relay":
        app = web.Application()
        app.router.add_post("/hooks/{server}", self._handle)
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def serve(self, daemon: str) -> None:
        """Pass hooks on to this daemon, and tell it who publishes already. Empty: there is none."""
        self._target = daemon
        if daemon:
            for told in tuple(self._live.values()):
                await self._pass(told)

    async def _handle(self, request: web.Request) -> web.Response:
        told = Told(request.path, await request.read(), request.content_type)
        begins, stream = understood(told)
        status, body = await self._pass(told) if self._target else (200, b'{"code":0}')
        if begins and status < 300:
            self._live[stream] = told
        elif not begins:
            self._live.pop(stream, None)
        return web.Response(status=status, body=body, content_type="application/json")

    async def _pass(self, told: Told) -> tuple[int, bytes]:
        assert self._client is not None
        headers = {"Content-Type": told.content_type}
        async with self._client.post(f"{self._target}{told.path}", data=told.body, headers=headers) as answer:
            return answer.status, await answer.read()


def understood(told: Told) -> tuple[bool, str]:
    """Whether a hook tells of a beginning, and of which client's stream."""
    if told.path.endswith("/srs"):
        fields = json.loads(told.body)
        return fields["action"] == "on_publish", f"{fields['stream']} {fields.get('client_id')}"
    form = parse_qs(told.body.decode())
    return form["call"][0] == "publish", f"{form['name'][0]} {form['clientid'][0]}"
