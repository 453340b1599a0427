"""MediaMTX's control API by the wire: its paths with their sources, and a kick route for each kind of source."""

from typing import Any

from aiohttp import web

from tests.fakes.serving import Serving

KINDS = {"rtmpConn": "rtmpconns", "rtspSession": "rtspsessions", "srtConn": "srtconns"}


class FakeMediaMtx(Serving):
    """Holds paths as name -> (kind of source, id, bytes)."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[str, tuple[str, str, int]] = {}
        self.tracks: dict[str, list[str]] = {}
        """Of a path, where they are not H264 and MPEG-4 Audio."""
        self.queries: dict[str, str] = {}
        """What each publisher's URL ended in, by its id."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v3/paths/list", self._list),
            web.get("/v3/paths/get/{name:.+}", self._get),
            web.get("/v3/{kind}/get/{id}", self._client),
            web.post("/v3/{kind}/kick/{id}", self._kick),
        ]

    def _row(self, name: str) -> dict[str, Any]:
        kind, source, received = self.paths[name]
        source_row = {"type": kind, "id": source} if kind else None
        tracks = self.tracks.get(name, ["H264", "MPEG-4 Audio"])
        row = {"name": name, "ready": bool(kind), "source": source_row, "inboundBytes": received}
        return {**row, "tracks": tracks if kind else []}

    async def _list(self, request: web.Request) -> web.Response:
        size, page = int(request.query["itemsPerPage"]), int(request.query["page"])
        names = sorted(self.paths)
        items = [self._row(name) for name in names[page * size : (page + 1) * size]]
        return web.json_response({"itemCount": len(names), "pageCount": -(-len(names) // size), "items": items})

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.paths:
            return web.json_response({"status": "error", "error": "path not found"}, status=404)
        return web.json_response(self._row(name))

    async def _client(self, request: web.Request) -> web.Response:
        client = request.match_info["id"]
        return web.json_response({"id": client, "state": "publish", "query": self.queries.get(client, "")})

    async def _kick(self, request: web.Request) -> web.Response:
        for name, (kind, source, _) in self.paths.items():
            if source == request.match_info["id"] and KINDS.get(kind) == request.match_info["kind"]:
                del self.paths[name]
                return web.json_response({"status": "ok"})
        return web.json_response({"status": "error", "error": "connection not found"}, status=404)
