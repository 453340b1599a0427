"""MediaMTX's HTTP API: which paths have a publisher, and ending one (``api/openapi.yaml``).

The list of paths covers publishers of every protocol; each kind has its own route to be kicked by.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from daemon.core.ports import IngestError
from daemon.ingest.api import Api
from daemon.ingest.listing import MOST_PAGES, PAGE, Listed, amount, codec, named, pixels, rows
from daemon.ingest.sessions import SessionDirectory, client_of
from daemon.ingest.stream import IDENTIFIER, StreamRef, arguments_of
from statemachine.events import Session, Tracks

KICK: Final = {
    "rtmpConn": "rtmpconns",
    "rtmpsConn": "rtmpsconns",
    "rtspSession": "rtspsessions",
    "rtspsSession": "rtspssessions",
    "webRTCSession": "webrtcsessions",
    "srtConn": "srtconns",
    "moqSession": "moqsessions",
}
"""From the kind of a path's source to the route of its kind. Other sources are not publishers."""


class MediaMtxServer:
    """One MediaMTX."""

    prefix = "mediamtx:"
    can_kick = True

    others: tuple[str, ...] = ()

    def __init__(
        self, api: Api, sessions: SessionDirectory | None = None, default_app: Callable[[], str] = lambda: ""
    ) -> None:
        self._api = api
        self._sessions = sessions or SessionDirectory(lambda: "")
        self._default_app = default_app
        self._kinds: dict[str, str] = {}
        self.where = api.where

    async def publishers(self) -> list[Listed]:
        """All paths with a publisher. Raises IngestError."""
        found: dict[str, Listed] = {}
        self._kinds.clear()
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
        source = await self._source_of(session)
        if source is None:
            return True
        kind, client = source
        newest = self._sessions.live(f"{session.app}/{session.stream}", "mediamtx")[-1:]
        if client != client_of(session) and not (kind.startswith("rtsp") and newest == (session,)):
            return True  # a newcomer's: this one is gone
        # Before 1.16 the answer has no body.
        await self._api.fetch("POST", f"/v3/{KICK[kind]}/kick/{client}", accept=(200, 404))
        return True

    async def arguments(self, listed: Listed) -> tuple[tuple[str, str], ...]:
        """Those in its publisher's URL. Raises IngestError."""
        kind = self._kinds.get(listed.session_ids[0])
        if kind is None:
            return ()
        client = listed.session_ids[0].partition(":")[2]
        _, answer = await self._api.call("GET", f"/v3/{KICK[kind]}/get/{client}", accept=(200, 404))
        query = answer.get("query")
        return arguments_of(query) if isinstance(query, str) else ()

    async def _source_of(self, session: Session) -> tuple[str, str] | None:
        """What publishes to its path."""
        flat = (session.stream,) if session.app == self._default_app() else ()
        for name in (f"{session.app}/{session.stream}", *flat):
            status, path = await self._api.call("GET", f"/v3/paths/get/{quote(name)}", accept=(200, 404))
            if status == 200 and (source := _source(path)):
                return source
        return None

    def _listed(self, row: dict[str, Any]) -> Listed | None:
        source = _source(row)
        if source is None:
            return None
        if not IDENTIFIER.fullmatch(source[1]):
            raise IngestError(f"{self.where} lists a publisher without its id")
        name = str(row.get("name"))
        app, slash, stream = name.partition("/")
        if not slash:
            app, stream = self._default_app(), name
        ref = StreamRef("mediamtx", app, stream, client_id=source[1], flat=not slash) if named(app, stream) else None
        ids = [f"mediamtx:{source[1]}"]
        self._kinds[ids[0]] = source[0]
        if ref is not None and self._sessions.find(ids[0]) is None:
            # Before 1.19.3 an RTSP client asked by its connection's id, and is listed by its session's. There is one
            # publisher to a path, the newest.
            ids += [session.id for session in self._sessions.live(ref.path, "mediamtx")[-1:]]
        return Listed(ref, tuple(ids), amount(row, "inboundBytes", "bytesReceived"), _tracks(row))


PICTURES: Final = frozenset({"h264", "hevc", "av1", "vp9", "vp8", "mpeg-4 video", "mpeg-1/2 video", "m-jpeg"})
ANNOUNCED: Final = frozenset({"opus", "flac", "ac-3"})
"""Sound that goes only to players over RTMP that say they know it (``internal/protocols/rtmp/from_stream.go``).

None of what OBS plays with does (librtmp, FFmpeg up to 7): it gets the picture alone. All of WebRTC's sound is Opus.
"""


def _tracks(row: dict[str, Any]) -> Tracks | None:
    """The codecs of a path that is ready; with their properties from 1.16 on (``tracks2``).

    A path that is always available is ready before its publisher is online, with the codecs of its offline card.
    """
    if row.get("online", row.get("ready")) is not True:
        return None
    found = row.get("tracks2", row.get("tracks"))
    if not isinstance(found, list):
        return None
    known = [track if isinstance(track, dict) else {"codec": track} for track in found]
    names = [codec(track.get("codec")) for track in known]
    video = next((track for track, name in zip(known, names, strict=True) if name in PICTURES), {})
    audio = next((name for name in names if name not in PICTURES and name not in ANNOUNCED), "")
    about = video.get("codecProps")
    size = (pixels(about.get("width")), pixels(about.get("height"))) if isinstance(about, dict) else (0, 0)
    return Tracks(codec(video.get("codec")), audio, *size)


def _source(row: dict[str, Any]) -> tuple[str, str] | None:
    source = row.get("source")
    if not isinstance(source, dict) or source.get("type") not in KICK:
        return None
    return str(source["type"]), str(source.get("id", ""))
