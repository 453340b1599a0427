"""SRS's HTTP API: which streams are published, and ending a client (``srs_app_http_api.cpp``).

SRS 5 adds up ``recv_bytes`` every three seconds (``SrsServer::resample_kbps``), so it moves in steps. The ``server``
in an answer is the ``server_id`` of the hooks; it is kept over restarts of SRS 5, and new with each start of SRS 4.

A stream that SRS 6 has lost does not keep a second publisher off its path. That one is played, but the list goes on
naming the first, and nobody once the first has left (``SrsStatisticStream::publish``); its client list tells the truth.
"""

from itertools import islice
from math import inf
from typing import Any, Final

import structlog

from daemon.core.ports import IngestError
from daemon.ingest.api import Api
from daemon.ingest.listing import MOST_PAGES, PAGE, Listed, amount, codec, named, pixels, rows
from daemon.ingest.sessions import SessionDirectory, client_of
from daemon.ingest.stream import DEFAULT_VHOST, IDENTIFIER, StreamRef, arguments_of_url
from statemachine.events import Session, Tracks

CLIENT_NOT_FOUND: Final = 2049
"""ERROR_RTMP_CLIENT_NOT_FOUND, answered with status 200."""


MOST_OTHERS: Final = 64
MOST_ASKED: Final = 16
"""Clients that one list asks for."""

log = structlog.get_logger(__name__)


class SrsServer:
    """One SRS. All sessions with the prefix are taken to be its own, also those of an earlier ``server_id``.

    Not so those of a server that was heard of while this one answered with another id before and after: then there are
    two, and this one's list says nothing of the other's publishers.
    """

    prefix = "srs:"
    can_kick = True

    def __init__(self, api: Api, sessions: SessionDirectory | None = None) -> None:
        self._api = api
        self._sessions = sessions or SessionDirectory(lambda: "")
        self._id, self._heard = "", 0
        self._others: set[str] = set()
        self.where = api.where

    async def publishers(self) -> list[Listed]:
        """All streams that have a publisher. Raises IngestError."""
        found: dict[str, Listed] = {}
        paths: dict[str, dict[str, Any]] = {}
        for page in range(MOST_PAGES):
            # With the slash: without it SRS answers with a redirect.
            _, answer = await self._api.call("GET", "/api/v1/streams/", start=page * PAGE, count=PAGE)
            self._check(answer)
            streams = rows(answer, "streams", self.where)
            server = _text(answer.get("server"))
            self._heard_of(server)
            for row in streams:
                paths[f"{row.get('app')}/{row.get('name')}"] = row
                if listed := self._listed(row, server):
                    found[listed.session_ids[0]] = listed
            if len(streams) < PAGE:
                return [*found.values(), *await self._beside(paths, found, server)]
        raise IngestError(f"{self.where} lists more than {MOST_PAGES * PAGE} streams")

    async def kick(self, session: Session) -> bool:
        """End its client. Raises IngestError."""
        try:
            client = client_of(session)
        except ValueError:
            return False
        if session.id.startswith(self.others or "-"):
            return False
        _, answer = await self._api.call("DELETE", f"/api/v1/clients/{client}")
        if answer.get("code") != CLIENT_NOT_FOUND:
            self._check(answer)
        return True

    async def _beside(self, paths: dict[str, dict[str, Any]], found: dict[str, Listed], server: str) -> list[Listed]:
        """Publishers that hooks told of, on paths that are listed without them, and that are connected all the same."""
        named = {i for listed in found.values() for i in listed.session_ids}
        opened = (i for i in self._sessions.opened(f"{self.prefix}{server}/", inf) if i not in named)
        known = (session for i in opened if (session := self._sessions.find(i)) is not None)
        beside: list[Listed] = []
        for session in islice((each for each in known if f"{each.app}/{each.stream}" in paths), MOST_ASKED):
            try:
                client = client_of(session)
            except ValueError:
                continue
            _, answer = await self._api.call("GET", f"/api/v1/clients/{client}")
            told = answer.get("client")
            if isinstance(told, dict) and told.get("publish") is True and told.get("name") == session.stream:
                row = paths[f"{session.app}/{session.stream}"]
                ref = StreamRef("srs", session.app, session.stream, client_id=client, instance=server)
                # The codecs in the row are not its own.
                beside.append(Listed(ref, (session.id,), amount(row, "recv_bytes")))
        return beside

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
            # "/live/alice", or "host.example/live/alice" at a virtual host; the row's own vhost is SRS's number of it.
            vhost = _text(row.get("url")).partition("/")[0] or DEFAULT_VHOST
            ref = StreamRef("srs", str(app), str(stream), client_id=client, instance=server, vhost=vhost)
        # A hook of an old SRS names no server.
        ids = (f"srs:{server or 'srs'}/{client}", f"srs:srs/{client}")
        return Listed(ref, ids, amount(row, "recv_bytes"), _tracks(row))

    async def arguments(self, listed: Listed) -> tuple[tuple[str, str], ...]:
        """Those of the publisher's server: SRS lists the stream's name without its own. Raises IngestError."""
        if listed.ref is None:
            return ()
        _, answer = await self._api.call("GET", f"/api/v1/clients/{listed.ref.client_id}")
        client = answer.get("client")
        return arguments_of_url(_text(client.get("tcUrl"))) if isinstance(client, dict) else ()

    @property
    def others(self) -> tuple[str, ...]:
        """Of the servers whose hooks come here, too."""
        return tuple(f"srs:{server}/" for server in sorted(self._others))

    def _heard_of(self, server: str) -> None:
        """It answers by this id. If by the same as last time, a hook since that bears another is another server's."""
        self._others.discard(server)
        others = self._sessions.instances(self.prefix, self._heard) - {server, "srs", *self._others}
        if server and server == self._id and len(self._others) < MOST_OTHERS:
            for other in others:
                self._others.add(other)
                log.warning(
                    "Two SRS servers send hooks, but only one's list is read: falling back to hooks only for the other",
                    server=self.where,
                    other=other,
                )
        self._id, self._heard = server, self._sessions.opened_last

    def _check(self, answer: dict[str, Any]) -> None:
        if answer.get("code") != 0:
            raise IngestError(f"{self.where} answered with code {_text(answer.get('code'))[:16] or 'none'}")


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _tracks(row: dict[str, Any]) -> Tracks | None:
    """SRS writes null for what has not come yet; one that leaves both out does not tell.

    Of a publisher over WebRTC, which has no ``tcUrl``, the sound comes a second or two before the picture: no picture
    is none yet.
    """
    if row.get("video") is None and (row.get("tcUrl") == "" or row.get("audio") is None):
        return None
    if "video" not in row or "audio" not in row:
        return None
    video, audio = (found if isinstance(found := row[kind], dict) else {} for kind in ("video", "audio"))
    size = pixels(video.get("width")), pixels(video.get("height"))
    return Tracks(codec(video.get("codec")), codec(audio.get("codec")), *size)
