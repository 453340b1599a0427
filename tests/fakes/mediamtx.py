"""MediaMTX's control API by the wire, as 1.20.1 and 1.11.3 were seen to answer.

Its paths with their sources, and a kick route for each kind of source. The shapes of its answers are compared with
recorded ones (``tests/daemon/ingest/test_recorded_servers.py``).
"""

from typing import Any

from aiohttp import web

from tests.fakes.serving import Serving

KINDS = {
    "rtmpConn": "rtmpconns",
    "rtspSession": "rtspsessions",
    "srtConn": "srtconns",
    "webRTCSession": "webrtcsessions",
    "moqSession": "moqsessions",
}
WHEN = "2026-11-29T03:12:17.533854533Z"
CONFIGURED = "~^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$"
PROPERTIES: dict[str, dict[str, Any]] = {
    "H264": {"width": 640, "height": 360, "profile": "Baseline", "level": "3"},
    "MPEG-4 Audio": {"sampleRate": 48000, "channelCount": 1},
}


class FakeMediaMtx(Serving):
    """Holds paths as name -> (kind of source, id, bytes); ``old`` answers as 1.11.3 does."""

    def __init__(self, *, old: bool = False) -> None:
        super().__init__()
        self.old = old
        self.always: set[str] = set()
        """Paths that are ready without a publisher."""
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
        ready, online = bool(kind) or name in self.always, bool(kind)
        tracks = self.tracks.get(name, ["H264", "MPEG-4 Audio"]) if ready else []
        head = {"name": name, "confName": CONFIGURED}
        if self.old:
            old = {"source": source_row, "ready": ready, "readyTime": WHEN if ready else None, "tracks": tracks}
            return {**head, **old, "bytesReceived": received, "bytesSent": 0, "readers": []}
        times = {"ready": ready, "readyTime": WHEN if ready else None, "available": ready}
        times |= {"availableTime": WHEN if ready else None, "online": online, "onlineTime": WHEN if online else None}
        known = [{"codec": track, "codecProps": PROPERTIES.get(track)} for track in tracks]
        sent = {"readers": [], "inboundBytes": received, "outboundBytes": 0, "inboundFramesInError": 0}
        old_names = {"bytesReceived": received, "bytesSent": 0}
        return {**head, **times, "source": source_row, "tracks": tracks, "tracks2": known, **sent, **old_names}

    async def _list(self, request: web.Request) -> web.Response:
        size, page = int(request.query["itemsPerPage"]), int(request.query["page"])
        names = sorted(self.paths)
        items = [self._row(name) for name in names[page * size : (page + 1) * size]]
        return web.json_response({"itemCount": len(names), "pageCount": -(-len(names) // size), "items": items})

    async def _get(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.paths:
            return self._missing("path not found")
        return web.json_response(self._row(name))

    async def _client(self, request: web.Request) -> web.Response:
        client = request.match_info["id"]
        return web.json_response({"id": client, "state": "publish", "query": self.queries.get(client, "")})

    async def _kick(self, request: web.Request) -> web.Response:
        for name, (kind, source, _) in self.paths.items():
            if source == request.match_info["id"] and KINDS.get(kind) == request.match_info["kind"]:
                del self.paths[name]
                return web.Response() if self.old else web.json_response({"status": "ok"})
        return self._missing("connection not found")

    def _missing(self, error: str) -> web.Response:
        head = {} if self.old else {"status": "error"}
        return web.json_response({**head, "error": error}, status=404)
