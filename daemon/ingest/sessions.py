"""Which session is which stream, and from where it is played. What is secret about a stream lives here alone."""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from daemon.ingest.hook import Verdict
from daemon.ingest.play_url import fill, placeholders, space_of
from daemon.ingest.stream import DEFAULT_VHOST, IDENTIFIER, StreamRef
from statemachine.events import Session

MOST: Final = 4096
"""Live sessions that are remembered, and as many ended ones; beyond it the oldest are forgotten."""
MANUAL_STREAM: Final = "test:"
"""What the ids of sessions begin with that an operator has opened by hand."""
TAKEOVER: Final = 2.0
"""Seconds between a newcomer's publish and the end of the one it replaces, at most."""

_AGAIN: Final = re.compile(r"~([0-9]{1,18})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Known:
    session: Session
    ref: StreamRef
    opened_at: float
    url: str = ""
    """Where it is played from if not by the template."""
    number: int = 0
    """Of its hook; 0 for one that no hook told of in this run."""


class SessionDirectory:
    """From hooks to session ids and from sessions to play URLs (``UrlPort``). For the event loop's thread only."""

    def __init__(
        self,
        template: Callable[[], str],
        keep: Callable[[str, dict[str, Any] | None], None] = lambda session_id, body: None,
        most: int = MOST,
    ) -> None:
        """``template`` gives ``ingest.rtmp_url`` as it is configured now.

        ``keep`` is to remember, over a restart, what a session is played with besides its name, and to forget it
        when told None. It is called for those sessions alone that need it, because it may be a key.
        """
        self._template = template
        self._keep = keep
        self._live = _Memory(most)
        self._by_path: dict[str, dict[str, None]] = {}
        """The ids of the live ones, the oldest first."""
        self._ended = _Memory(most)
        self._over: OrderedDict[str, None] = OrderedDict()
        """The ids of sessions that have ended, also of those that nobody knew."""
        self._latest: dict[str, str] = {}
        """From the server's own id to the session's, where that has come again."""
        self.opened_last = 0
        """How many sessions hooks have opened so far."""
        self._flat = False
        """There has been a path of one level."""

    # --- sessions come and go --------------------------------------------------------------------------------

    def superseded(self, ref: StreamRef, streamer: str) -> tuple[str, ...]:
        """The session that this publish says has ended: its client publishes something else now.

        Where a server names each connection, and one has one stream. Not nginx-rtmp, which counts its clients anew.
        """
        session_id = self._latest.get(ref.session_id, ref.session_id)
        known = self._live.get(session_id) if ref.client_id and ref.server in ("srs", "mediamtx") else None
        if known is None or (known.session.streamer, known.ref.path) == (streamer, ref.path):
            return ()
        self.ended(session_id)
        return (session_id,)

    def open(self, ref: StreamRef, verdict: Verdict, at: float) -> Session:
        """The session of an accepted publish. The same hook again gives the same session.

        A client that has left and publishes again is another session: SRS keeps the connection of an encoder that
        stops and starts (``ERROR_CONTROL_REPUBLISH``), and its client's id, and tells one after the other.
        """
        session_id = self._latest.get(ref.session_id, ref.session_id)
        known = self._live.get(session_id)
        if known and (known.session.streamer, known.ref.path) == (verdict.streamer, ref.path):
            return known.session
        space = space_of(self._template(), ref)
        # nginx-rtmp counts anew after a restart, which tells of no end: somebody else's is no repetition.
        if known or session_id in self._over:
            if not known and ref.client_id and ref.server == "oryx":
                # Each publish has an id of its own: the hook has come late. The rules know that, too.
                return Session(session_id, verdict.streamer, ref.app, ref.stream, verdict.turn, space)
            session_id = f"{ref.session_id}~{_publish_number(session_id) + 1}"
            self._latest[ref.session_id] = session_id
        session = Session(session_id, verdict.streamer, ref.app, ref.stream, verdict.turn, space)
        self.opened_last += 1
        self._begin(_Known(session, ref, at, number=self.opened_last))
        return session

    def open_url(self, session: Session, url: str, at: float) -> None:
        """A session that no hook announced, played from this URL."""
        self._begin(_Known(session, StreamRef("test", session.app, session.stream), at, url))

    def drop(self, session: Session) -> None:
        """The publish was refused after all."""
        if known := self._no_longer(session.id):
            self._forget(known)
        base = session.id.partition("~")[0]
        if self._latest.get(base) == session.id:
            del self._latest[base]
            for other in (*self._over, *self._live):
                if other.startswith(f"{base}~"):
                    self._remember_again(other)

    def end(self, ref: StreamRef, at: float) -> tuple[str, ...]:
        """The ids of the sessions that have ended with this unpublish, whether they were known or not.

        Where the server names no client, an end may belong to any publisher of that stream. A newcomer's publish
        may come before the end of the one it replaces, by as long as its hook takes: a session younger than that
        outlives the end if there is an older one. So too where MediaMTX names a session of RTSP that asked to publish
        by the id of its connection (before 1.19.3).
        """
        latest = self._latest.get(ref.session_id, ref.session_id)
        unheard = ref.server == "mediamtx" and latest not in self._live and latest not in self._over
        if ref.client_id and not (unheard and self.live(ref.path, ref.server)):
            ended: tuple[str, ...] = (latest,)
        else:
            there = (self._live[i] for i in self._by_path.get(ref.path, ()))
            live = [each for each in there if each.ref.server == ref.server and each.ref.vhost in ("", ref.vhost)]
            old = [known for known in live if at - known.opened_at > TAKEOVER]
            ended = tuple(known.session.id for known in old or live[:1])
        for session_id in ended:
            self.ended(session_id)
        return ended

    def ended(self, session_id: str) -> None:
        """This session is over; what is known of it stays for a while."""
        self._over[session_id] = None
        if len(self._over) > self._ended.most:
            self._over.popitem(last=False)
        if known := self._no_longer(session_id):
            self._forget(known)
            self._put(self._ended, known)

    def restore(
        self,
        sessions: Iterable[Session],
        kept: Mapping[str, Mapping[str, Any]],
        at: float,
        over: Iterable[str] = (),
    ) -> None:
        """The sessions that the rules still hold after a restart, what ``keep`` was told, and who has ended lately."""
        for session_id in over:
            self._over[session_id] = None
            self._remember_again(session_id)
        for session in sessions:
            self._remember_again(session.id)
            body = kept.get(session.id, {})
            ref = StreamRef(
                session.id.partition(":")[0],
                session.app,
                session.stream,
                vhost=_text(body.get("vhost")),
                key=_text(body.get("key")),
                args=_pairs(body.get("args")),
                flat=bool(body.get("flat", False)),
            )
            self._put(self._live, _Known(session, ref, at, _text(body.get("url"))))
        for session_id in kept:
            if session_id not in self._live:
                self._keep(session_id, None)

    # --- looking up ------------------------------------------------------------------------------------------

    def find(self, session_id: str) -> Session | None:
        """The session of that id, live or ended."""
        known = self._find(session_id)
        return known.session if known else None

    def live(self, path: str, server: str = "") -> tuple[Session, ...]:
        """The live sessions of ``app/stream``, the oldest first; at this server alone if one is named."""
        there = (self._live[i] for i in self._by_path.get(path, ()))
        return tuple(known.session for known in there if server in ("", known.ref.server))

    def opened(self, prefix: str, before: float) -> tuple[str, ...]:
        """The ids with that prefix of live sessions that were opened before that time."""
        return tuple(i for i, known in self._live.items() if known.opened_at < before and i.startswith(prefix))

    def instances(self, prefix: str, after: int) -> set[str]:
        """The servers' own ids in the ids of live sessions with that prefix, of those opened after that many."""
        live = (i for i, known in self._live.items() if known.number > after and i.startswith(prefix))
        return {i[len(prefix) :].rpartition("/")[0] for i in live}

    def is_shadowed(self, session: Session) -> bool:
        """Another streamer's session is played from the same URL, though by a URL of before its path was its own."""
        for other in self.live(f"{session.app}/{session.stream}"):
            if other.streamer != session.streamer and other.space != session.space:
                with contextlib.suppress(ValueError):
                    if self.play_url(other) == self.play_url(session):
                        return True
        return False

    def vhost(self, session: Session) -> str:
        """The virtual host that it was published to, as far as that is known."""
        known = self._find(session.id)
        return known.ref.vhost if known and known.ref.vhost else DEFAULT_VHOST

    def play_url(self, session: Session) -> str:
        """The RTMP URL for OBS, by the template. Raises ValueError on values outside the allow-list."""
        known = self._find(session.id)
        url = fill(self._template(), session, known.ref if known else None)
        return known.url if known is not None and known.url else url

    def listed(self, ids: Iterable[str]) -> Session | None:
        """The session that a server lists under one of these ids."""
        return next((found for i in ids if (found := self.find(self._latest.get(i, i)))), None)

    def stream_of(self, url: str) -> str | None:
        """The path of the session that an input with this URL plays; None where the URL's own path says it all."""
        if placeholders(self._template()) == {"app", "stream"} and not self._flat:
            return None
        for known in self._live.values():
            with contextlib.suppress(ValueError):
                if self.play_url(known.session) == url:
                    return known.session.path
        return None

    # --- helpers ---------------------------------------------------------------------------------------------

    def _find(self, session_id: str) -> _Known | None:
        return self._live.get(session_id) or self._ended.get(session_id)

    def _remember_again(self, session_id: str) -> None:
        base = session_id.partition("~")[0]
        if _publish_number(session_id) > _publish_number(self._latest.get(base, "")):
            self._latest[base] = session_id

    def _begin(self, known: _Known) -> None:
        self._put(self._live, known)
        if body := self._body(known):
            self._keep(known.session.id, body)

    def _forget(self, known: _Known) -> None:
        if self._body(known):
            self._keep(known.session.id, None)

    def _body(self, known: _Known) -> dict[str, Any]:
        """What a restart must not lose; nothing where the name alone will do."""
        if known.url:
            return {"url": known.url}
        ref = known.ref
        body: dict[str, Any] = {} if ref.vhost in ("", DEFAULT_VHOST) else {"vhost": ref.vhost}
        if ref.flat:
            body["flat"] = True
        named = placeholders(self._template())
        if ref.key and "stream_key" in named:
            body["key"] = ref.key
        if ref.args and "param" in named:
            body["args"] = [list(pair) for pair in ref.args]
        return body

    def _no_longer(self, session_id: str) -> _Known | None:
        known = self._live.pop(session_id, None)
        if known is not None:
            self._unlist(known)
        return known

    def _unlist(self, known: _Known) -> None:
        there = self._by_path.get(known.ref.path, {})
        there.pop(known.session.id, None)
        if not there:
            self._by_path.pop(known.ref.path, None)

    def _put(self, memory: "_Memory", known: _Known) -> None:
        memory[known.session.id] = known
        if memory is self._live:
            self._by_path.setdefault(known.ref.path, {})[known.session.id] = None
        self._flat = self._flat or known.ref.flat
        if len(memory) > memory.most:
            forgotten, dropped = memory.popitem(last=False)
            if memory is self._live:
                self._unlist(dropped)
                self._forget(dropped)
            base = forgotten.partition("~")[0]
            if self._latest.get(base) == forgotten and self._find(forgotten) is None:
                del self._latest[base]


class _Memory(OrderedDict[str, _Known]):
    """The oldest are forgotten where there are too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


def _publish_number(session_id: str) -> int:
    """Which publish of its client a session is, from 1: ``…~2`` is the second. A damaged id is the first."""
    found = _AGAIN.search(session_id)
    return int(found[1]) if found else 1


def _text(kept: object) -> str:
    return kept if isinstance(kept, str) else ""


def _pairs(kept: object) -> tuple[tuple[str, str], ...]:
    """A publisher's arguments as ``_body`` keeps them, as far as they can be read."""
    rows = kept if isinstance(kept, list) else []
    return tuple((str(row[0]), str(row[1])) for row in rows if isinstance(row, list) and len(row) == 2)


def client_of(session: Session) -> str:
    """The client's id at its server, out of the session's. Raises ValueError where there is none to name."""
    rest = session.id.partition(":")[2]
    client = rest.rpartition("/")[2].partition("~")[0]
    if not IDENTIFIER.fullmatch(client):
        raise ValueError(f"session {session.id} names no client")
    return client
