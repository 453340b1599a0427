"""MediaMTX's HTTP API: which paths have a publisher, and ending one (``api/openapi.yaml``).

The list of paths covers publishers of every protocol; each kind has its own route to be kicked by.
"""

from typing import Any, Final
from urllib.parse import quote

from daemon.ingest.api import Api
from daemon.ingest.listing import MOST_PAGES, PAGE, Listed, amount, named, rows
from daemon.ingest.sessions import client_of
from daemon.ingest.stream import IDENTIFIER, StreamRef
from daemon.ports import IngestError
from statemachine.events import Session

KICK: Final = {
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "webRTCSession": "webrtcsessions",
    "srtConn": "srtconns",
}
"""From the kind of a path's source to the route of its kind. Other sources are not publishers."""


class MediaMtxServer:
    """One MediaMTX."""

    prefix = "mediamtx:"

    def __init__(self, api: Api) -> None:
        self._api = api
        self.where = api.where

    async def publishers(self) -> list[Listed]:
        """All paths with a publisher. Raises IngestError."""
        found: dict[str, Listed] = {}
        for page in range(MOST_PAGES):
            _, answer = await self._api.call("GET", "/v3/paths/list", itemsPerPage=PAGE, page=page)
            items = rows(answer, "items", self.where)
            for row in items:
                if listed := self._listed(row):
                    found[listed.session_ids[0]] = listed
            if len(items) < PAGE:
                return list(found.values())
        raise IngestError(f"{self.where} lists more than {MOST_PAGES * PAGE} paths")

    async def kick(self, session: Session) -> bool:
        """End its connection, by the route of its kind. Raises IngestError."""
        client = client_of(session)
        name = quote(f"{session.app}/{session.stream}")
        status, path = await self._api.call("GET", f"/v3/paths/get/{name}", accept=(200, 404))
        source = _source(path)
        if status == 404 or source is None or source[1] != client:
            return True
        await self._api.call("POST", f"/v3/{KICK[source[0]]}/kick/{client}", accept=(200, 404))
        return True

    def _listed(self, row: dict[str, Any]) -> Listed | None:
        source = _source(row)
        if source is None:
            return None
        if not IDENTIFIER.fullmatch(source[1]):
            raise IngestError(f"{self.where} lists a publisher without its id")
        app, _, stream = str(row.get("name")).partition("/")
        ref = StreamRef("mediamtx", app, stream, client_id=source[1]) if named(app, stream) else None
        return Listed(ref, (f"mediamtx:{source[1]}",), amount(row, "inboundBytes", "bytesReceived"))


def _source(row: dict[str, Any]) -> tuple[str, str] | None:
    source = row.get("source")
    if not isinstance(source, dict) or source.get("type") not in KICK:
        return None
    return str(source["type"]), str(source.get("id", ""))
