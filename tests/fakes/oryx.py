"""Oryx's management API by the wire: the list of active streams and kickoff, with its bearer secret."""

from aiohttp import web

from tests.fakes.serving import Serving


class FakeOryx(Serving):
    """Holds the active streams as (vhost, app, stream)."""

    def __init__(self, secret: str = "oryx-secret") -> None:
        super().__init__()
        self.secret = secret
        self.streams: list[tuple[str, str, str]] = []
        self.params: dict[tuple[str, str, str], str] = {}
        """What each publisher's URL ended in, as SRS told of it; where it is empty the row lacks it."""

    def routes(self) -> list[web.RouteDef]:
        prefix = "/terraform/v1/mgmt/streams"
        return [web.post(f"{prefix}/query", self._query), web.post(f"{prefix}/kickoff", self._kickoff)]

    def _allowed(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {self.secret}"

    async def _query(self, request: web.Request) -> web.Response:
        await request.json()
        if not self._allowed(request):
            return web.Response(status=500, text="authenticate: invalid bearer token")
        rows = [
            {
                "vhost": v,
                "app": a,
                "stream": s,
                **({"param": param} if (param := self.params.get((v, a, s))) else {}),
                "server_id": "vid-1",
                "client_id": "c1",
                "update": "2026-01-01T00:00:00Z",
            }
            for v, a, s in self.streams
        ]
        return web.json_response({"code": 0, "data": {"streams": rows or None}})

    async def _kickoff(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not self._allowed(request):
            return web.Response(status=500, text="authenticate: invalid bearer token")
        stream = (body.get("vhost"), body.get("app"), body.get("stream"))
        if stream not in self.streams:
            return web.Response(status=500, text="stream not found")
        self.streams.remove(stream)
        return web.json_response({"code": 0, "data": None})
