"""What nginx-rtmp tells where ``rtmp_stat`` is on, and how it is told to drop a publisher where ``rtmp_control`` is.

One worker process answers for itself alone (``ngx_rtmp_stat_module.c``), so with several of them no answer is a list.
The module ends its lines with both of a teletype's characters and closes all elements; names are escaped.
"""

import asyncio
from typing import Final
from xml.etree import ElementTree

from daemon.core.ports import IngestError
from daemon.ingest.api import Api
from daemon.ingest.listing import Listed, codec, named
from daemon.ingest.stream import StreamRef
from statemachine.events import Session, Tracks

NUMBER: Final = 10
"""Digits of a client's number, at most."""
MOST_WORKERS: Final = 256
"""Changes of the worker that answers, which are remembered."""
PORTION: Final = 8192
"""Bytes of a document that are read in one turn of the loop: with eight megabytes at once it stood for seconds."""
STREAMS: Final = 16
"""Streams that are looked at in one turn of the loop."""


class NginxServer:
    """One nginx. ``control`` is None where ``rtmp_control`` is not configured."""

    prefix = "nginx:"
    others: tuple[str, ...] = ()

    def __init__(self, stat: Api, control: Api | None) -> None:
        self._stat = stat
        self._control = control
        self.where = stat.where
        self._workers: list[str] = []

    async def publishers(self) -> list[Listed]:
        """All streams that have a publisher. Raises IngestError."""
        _, body = await self._stat.fetch("GET", "")
        root = await self._parsed(body)
        self._check_worker(root.findtext("pid", ""))
        streams = [
            (each.findtext("name", ""), stream) for each in root.iter("application") for stream in each.iter("stream")
        ]
        found: list[Listed] = []
        for begin in range(0, len(streams), STREAMS):
            several = (self._listed(app, stream) for app, stream in streams[begin : begin + STREAMS])
            found += (listed for listed in several if listed is not None)
            await asyncio.sleep(0)
        return found

    @property
    def can_kick(self) -> bool:
        """``rtmp_control`` is on."""
        return self._control is not None

    async def kick(self, session: Session) -> bool:
        """Drop the client that publishes it. Raises IngestError."""
        client = session.id.removeprefix(self.prefix).partition("-")[0]
        if self._control is None or not _is_number(client):
            return False
        where = {"app": session.app, "name": session.stream, "clientid": client}
        await self._control.fetch("GET", "/drop/publisher", accept=(200, 204), **where)
        return True

    async def arguments(self, _: Listed) -> tuple[tuple[str, str], ...]:
        """None: it does not tell."""
        return ()

    async def _parsed(self, body: bytes) -> ElementTree.Element:
        # The body is bounded, and a document of rtmp_stat's declares nothing: one that does, and with it every entity
        # that could be expanded, is turned away unread. The encoding is given, so that none of the document's own can
        # hide a declaration. So expat has nothing left that defusedxml would hold back.
        try:
            if b"<!" in body:
                raise ValueError("a declaration")
            plain = ElementTree.XMLParser(encoding="utf-8")  # noqa: S314  # see above
            for begin in range(0, len(body), PORTION):
                plain.feed(body[begin : begin + PORTION])
                await asyncio.sleep(0)
            root = plain.close()
        except (ElementTree.ParseError, ValueError) as error:
            raise IngestError(f"{self.where} answered something that is not rtmp_stat's XML") from error
        if root.tag != "rtmp":
            raise IngestError(f"{self.where} answered something that is not rtmp_stat's XML")
        return root

    def _check_worker(self, pid: str) -> None:
        """Another worker than last time is a restart, or one of several: its next answer tells."""
        others, last = self._workers[:-1], self._workers[-1:]
        if last != [pid]:
            self._workers = [*self._workers[-MOST_WORKERS:], pid]
        if pid in others or last not in ([], [pid]):
            raise IngestError(f"{self.where} was restarted, or has several workers: set worker_processes 1")

    def _listed(self, app: str, stream: ElementTree.Element) -> Listed | None:
        publisher = next((each for each in stream.iter("client") if each.find("publishing") is not None), None)
        if publisher is None:
            return None
        client, name = publisher.findtext("id", ""), stream.findtext("name", "")
        if not _is_number(client):
            raise IngestError(f"{self.where} lists a publisher without its id")
        received = stream.findtext("bytes_in", "")
        count = int(received) if received.isascii() and received.isdigit() and len(received) < 20 else 0
        if not named(app, name):
            return Listed(None, (f"nginx:{client}",), count)
        ref = StreamRef("nginx", app, name, client_id=client)
        return Listed(ref, (ref.session_id,), count, _tracks(stream.find("meta")))


def _tracks(meta: ElementTree.Element | None) -> Tracks | None:
    """It tells of codecs once it has seen what the encoder says of them."""
    if meta is None:
        return None
    video, audio = meta.find("video"), meta.find("audio")
    if video is None or audio is None:
        return None
    width, height = (_pixels(video.findtext(side, "")) for side in ("width", "height"))
    return Tracks(codec(video.findtext("codec", "")), codec(audio.findtext("codec", "")), width, height)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= NUMBER


def _pixels(text: str) -> int:
    return int(text) if _is_number(text) and int(text) <= 65_536 else 0
