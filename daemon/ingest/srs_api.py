"""SRS's HTTP API: which streams are published, and ending a client (``srs_app_http_api.cpp``).

SRS 5 adds up ``recv_bytes`` every three seconds (``SrsServer::resample_kbps``), so it moves in steps. The ``server``
in an answer is the ``server_id`` of the hooks; it is kept over restarts of SRS 5, and new with each start of SRS 4.
"""

from typing import Any, Final

from daemon.ingest.api import Api
from daemon.ingest.listing import MOST_PAGES, PAGE, Listed, amount, named, rows
from daemon.ingest.sessions import client_of
from daemon.ingest.stream import IDENTIFIER, StreamRef
from daemon.ports import IngestError
from statemachine.events import Session

CLIENT_NOT_FOUND: Final = 2049
"""ERROR_RTMP_CLIENT_NOT_FOUND, answered with status 200."""


class SrsServer:
    """One SRS. All sessions with the prefix are taken to be its own, also those of an earlier ``server_id``."""

    prefix = "srs:"

    def __init__(self, api: Api) -> None:
        self._api = api
        self.where = api.where

    async def publishers(self) -> list[Listed]:
        """All streams that have a publisher. Raises IngestError."""
        found: dict[str, Listed] = {}
        for page in range(MOST_PAGES):
            # With the slash: without it SRS answers with a redirect.
            _, answer = await self._api.call("GET", "/api/v1/streams/", start=page * PAGE, count=PAGE)
            self._check(answer)
            streams = rows(answer, "streams", self.where)
            for row in streams:
                if listed := self._listed(row, _text(answer.get("server"))):
                    found[listed.session_ids[0]] = listed
            if len(streams) < PAGE:
                return list(found.values())
        raise IngestError(f"{self.where} lists more than {MOST_PAGES * PAGE} streams")

    async def kick(self, session: Session) -> bool:
        """End its client. Raises IngestError."""
        try:
            client = client_of(session)
        except ValueError:
            return False
        _, answer = await self._api.call("DELETE", f"/api/v1/clients/{client}")
        if answer.get("code") != CLIENT_NOT_FOUND:
            self._check(answer)
        return True

    def _listed(self, row: dict[str, Any], server: str) -> Listed | None:
        publish = row.get("publish")
        if not isinstance(publish, dict) or not isinstance(publish.get("active"), bool):
            raise IngestError(f"{self.where} lists a stream without its publisher")
        if not publish["active"]:
            return None
        client, app, stream = _text(publish.get("cid")), row.get("app"), row.get("name")
        if not IDENTIFIER.fullmatch(client):
            raise IngestError(f"{self.where} lists a publisher without its id")
        ref = None
        if named(app, stream):
            ref = StreamRef("srs", str(app), str(stream), client_id=client, instance=server)
        # A hook of an old SRS names no server.
        ids = (f"srs:{server or 'srs'}/{client}", f"srs:srs/{client}")
        return Listed(ref, ids, amount(row, "recv_bytes"))

    def _check(self, answer: dict[str, Any]) -> None:
        if answer.get("code") != 0:
            raise IngestError(f"{self.where} answered with code {_text(answer.get('code'))[:16] or 'none'}")


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
