"""SRS by the wire: its hooks and its HTTP API, as SRS 5.0.216, 6.0.157 and 7.0.18 were seen to behave.

It hooks before its busy check, releases a stream before it tells of the end, answers a client that it does not know
with status 200 and code 2049, lists ten streams unless asked for more, and forgets all without a word when it dies.
"""

import json
import random
import string
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.serving import Serving

VHOST = "__defaultVhost__"
VID = "vid-i6c61ew"
"""SRS's number of the virtual host."""


SIZE = {"width": 640, "height": 360}


@dataclass
class Client:
    """A publisher's connection."""

    id: str
    app: str
    stream: str
    param: str
    stream_id: str
    received: int = 0
    tc_url: str = ""
    """The URL of its server, where that bears more than the app."""
    video: str = "H264"
    """Its codec, as SRS writes it; empty: no picture has come."""
    audio: str = "AAC"
    lost: bool = False
    """Its stream was cleared away while its hook was answered: it is listed, and nobody who plays it gets anything."""
    beside: bool = False
    """Let in beside one that was lost: it is played, and the list names the other one, or nobody once that has left."""
    webrtc: bool = False
    """It came over WHIP: SRS has no URL of its server."""

    @property
    def url(self) -> str:
        """Its ``tcUrl``."""
        return "" if self.webrtc else self.tc_url or f"rtmp://127.0.0.1:1935/{self.app}"


@dataclass
class HookAnswer:
    """What SRS was answered to a hook."""

    action: str
    client_id: str
    status: int
    text: str

    @property
    def accepted(self) -> bool:
        """As ``SrsHttpHooks::do_post`` judges it."""
        if self.status not in (200, 201) or not self.text:
            return False
        try:
            info = json.loads(self.text)
        except ValueError:
            return False
        return info == 0 or (isinstance(info, dict) and info.get("code") == 0)


@dataclass
class Numbers:
    """Ids as SRS makes them, the same in every run."""

    source: random.Random = field(default_factory=lambda: random.Random(5))

    def client(self) -> str:
        return "".join(self.source.choices(string.ascii_lowercase + string.digits, k=8))

    def vid(self) -> str:
        return f"vid-{self.client()[:7]}"


class Lists(Enum):
    """What its list of streams is."""

    TRUE = "as it is"
    STALE = "as it was when it was last true"
    EMPTY = "nobody publishes"
    DOUBLED = "every stream twice"
    TORN = "streams without their publishers"


class FakeSrs(Serving):
    """``version`` 4 sends the fewest fields; 5 and 6 all."""

    def __init__(self, hook_url: str = "", *, version: int = 5) -> None:
        super().__init__()
        self.hook_url = hook_url
        self.version = version
        self.lose_hooks = False
        self.lost: set[str] = set()
        """Actions whose hooks are not sent; a publisher is let in without."""
        self.loses: set[str] = set()
        """Streams of which the next publish is lost while its hook is answered, as SRS 6.0.157 was seen to do."""
        self.lists: Lists = Lists.TRUE
        self._last_rows: list[dict[str, Any]] = []
        self.answers: list[HookAnswer] = []
        self.clients: dict[str, Client] = {}
        self._numbers = Numbers()
        self.server_id = self._numbers.vid()
        self.service_id = self._numbers.client()
        self._http: aiohttp.ClientSession | None = None

    # --- publishers ------------------------------------------------------------------------------------------

    async def publish(self, app: str, stream: str, param: str = "") -> Client | None:
        """Connect and publish; None where the hook, or SRS itself, refused."""
        client = Client(self._numbers.client(), app, stream, param, self._numbers.vid())
        if not await self.hook("on_publish", client):
            return None
        there = [other for other in self.clients.values() if (other.app, other.stream) == (app, stream)]
        if any(not other.lost for other in there):
            return None  # busy, and no on_unpublish for it
        client.beside = bool(there)
        client.lost = stream in self.loses
        self.loses.discard(stream)
        self.clients[client.id] = client
        return client

    async def unpublish(self, client: Client) -> None:
        """End cleanly, or die: SRS tells both alike."""
        if self.clients.pop(client.id, None):
            await self.hook("on_unpublish", client)

    async def hook(self, action: str, client: Client, **changes: Any) -> bool:
        """Post one hook; True if SRS takes the answer for a yes."""
        if not self.hook_url or self.lose_hooks or action in self.lost:
            return True
        if self._http is None:
            self._http = aiohttp.ClientSession(headers={"User-Agent": "SRS/5.0.216(Bee)"})
        body = json.dumps({**self.hook_body(action, client), **changes}, separators=(",", ":"))
        try:
            async with self._http.post(
                self.hook_url, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
            ) as response:
                answer = HookAnswer(action, client.id, response.status, await response.text())
        except aiohttp.ClientError:
            return False  # nobody is there: a publisher is refused, and an end is told to nobody
        self.answers.append(answer)
        return answer.accepted

    def hook_body(self, action: str, client: Client) -> dict[str, Any]:
        """The body of a hook, its fields in SRS's order."""
        common = {
            "action": action,
            "client_id": client.id,
            "ip": "127.0.0.1",
            "vhost": VHOST,
            "app": client.app,
            "tcUrl": client.url,
            "stream": client.stream,
            "param": client.param,
        }
        if self.version < 5:
            return common
        ids = {"server_id": self.server_id, "service_id": self.service_id}
        url = {"stream_url": f"/{client.app}/{client.stream}", "stream_id": client.stream_id}
        return {**ids, **common, **url}

    def restart(self, *, new_server_id: bool = False) -> None:
        """Die with all publishers, without a hook, and be back at once."""
        self.clients.clear()
        self.service_id = self._numbers.client()
        if new_server_id:
            self.server_id = self._numbers.vid()

    async def stop(self) -> None:
        if self._http:
            await self._http.close()
            self._http = None
        await super().stop()

    # --- the API ---------------------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/versions", self._versions),
            web.get("/api/v1/streams", self._redirect),
            web.get("/api/v1/streams/", self._streams),
            web.get("/api/v1/clients/{id}", self._client),
            web.delete("/api/v1/clients/{id}", self._kick),
        ]

    def _answer(self, **fields: Any) -> web.Response:
        head = {"code": 0, "server": self.server_id, "service": self.service_id, "pid": "10164"}
        return web.json_response({**head, **fields}, headers={"Server": "SRS/5.0.216(Bee)", "Connection": "Close"})

    async def _versions(self, _: web.Request) -> web.Response:
        return self._answer(data={"major": 5, "minor": 0, "revision": 216, "version": "5.0.216"})

    async def _redirect(self, request: web.Request) -> web.Response:
        # SRS's mux answers so for a path that it knows with a slash at its end.
        return web.Response(status=302, headers={"Location": request.path_qs.replace("streams", "streams/", 1)})

    async def _streams(self, request: web.Request) -> web.Response:
        start = max(0, int(request.query.get("start", "0")))
        count = max(10, int(request.query.get("count", "10")))
        first = {(each.app, each.stream) for each in self.clients.values() if not each.beside}
        named = [each for each in self.clients.values() if not each.beside or (each.app, each.stream) not in first]
        rows = sorted((self._row(client) for client in named), key=lambda row: str(row["id"]))
        match self.lists:
            case Lists.TRUE:
                self._last_rows = rows
            case Lists.STALE:
                rows = self._last_rows
            case Lists.EMPTY:
                rows = []
            case Lists.DOUBLED:
                rows = [row for row in rows for _ in range(2)]
            case Lists.TORN:
                rows = [{key: row[key] for key in list(row)[:-3]} for row in rows] or [{}]
        return self._answer(streams=rows[start : start + count])

    def _row(self, client: Client) -> dict[str, Any]:
        return {
            "id": client.stream_id,
            "name": client.stream,
            "vhost": VID,
            "app": client.app,
            "tcUrl": client.url,
            "url": f"/{client.app}/{client.stream}",
            "live_ms": 1795350849936,
            "clients": 1,
            "frames": 0,
            "send_bytes": 4291,
            "recv_bytes": client.received,
            "kbps": {"recv_30s": 0, "send_30s": 0},
            "publish": {"active": not client.beside, "cid": "gone0000" if client.beside else client.id},
            "video": {"codec": client.video, "profile": "Baseline", "level": "3", **SIZE}
            if client.video and not client.beside
            else None,
            "audio": {"codec": client.audio, "sample_rate": 44100, "channel": 2, "profile": "LC"}
            if client.audio and not client.beside
            else None,
        }

    async def _client(self, request: web.Request) -> web.Response:
        client = self.clients.get(request.match_info["id"])
        if client is None:
            return web.json_response({"code": 2049})
        # The stream's own arguments are not among them (``SrsStatisticClient::dumps``).
        where = {"vhost": VID, "stream": client.stream_id, "ip": "127.0.0.1", "pageUrl": "", "swfUrl": ""}
        what = {"tcUrl": client.url, "url": f"/{client.app}/{client.stream}", "name": client.stream}
        kind = {"type": "rtc-publish" if client.webrtc else "fmle-publish", "publish": True, "alive": 5.2}
        sent = {"send_bytes": 4291, "recv_bytes": client.received, "kbps": {"recv_30s": 0, "send_30s": 0}}
        return self._answer(client={"id": client.id, **where, **what, **kind, **sent})

    async def _kick(self, request: web.Request) -> web.Response:
        client = self.clients.get(request.match_info["id"])
        if client is None:
            return web.json_response({"code": 2049})
        await self.unpublish(client)
        return self._answer()
