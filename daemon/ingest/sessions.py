"""Which session is which stream, and from where it is played. What is secret about a stream lives here alone."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from daemon.ingest.hook import Verdict
from daemon.ingest.stream import DEFAULT_VHOST, IDENTIFIER, NAME, StreamRef
from statemachine.events import Session

MOST: Final = 4096
"""Live sessions that are remembered, and as many ended ones; beyond it the oldest are forgotten."""
TAKEOVER: Final = 2.0
"""Seconds between a newcomer's publish and the end of the one it replaces, at most."""

_PLACEHOLDER: Final = re.compile(r"\{(app|stream|stream_key|param)\}")


@dataclass(frozen=True, slots=True)
class _Known:
    session: Session
    ref: StreamRef
    opened_at: float
    url: str = ""
    """Where it is played from if not by the template."""


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
        self._ended = _Memory(most)
        self._latest: dict[str, str] = {}
        """From the server's own id to the session's, where that has come again."""

    # --- sessions come and go --------------------------------------------------------------------------------

    def open(self, ref: StreamRef, verdict: Verdict, at: float) -> Session:
        """The session of an accepted publish. The same hook again gives the same session."""
        session_id = self._latest.get(ref.session_id, ref.session_id)
        if known := self._live.get(session_id):
            return known.session
        if session_id in self._ended:
            if ref.client_id and ref.server != "nginx":
                # The hook has come late: this client has left. The rules know that, too, and change nothing.
                return Session(session_id, verdict.streamer, ref.app, ref.stream, verdict.turn)
            session_id = f"{ref.session_id}~{int(session_id.partition('~')[2] or 1) + 1}"
            self._latest[ref.session_id] = session_id
        session = Session(session_id, verdict.streamer, ref.app, ref.stream, verdict.turn)
        self._begin(_Known(session, ref, at))
        return session

    def open_url(self, session: Session, url: str, at: float) -> None:
        """A session that no hook announced, played from this URL."""
        self._begin(_Known(session, StreamRef("test", session.app, session.stream), at, url))

    def drop(self, session: Session) -> None:
        """The publish was refused after all."""
        if known := self._live.pop(session.id, None):
            self._forget(known)

    def end(self, ref: StreamRef, at: float) -> tuple[str, ...]:
        """The ids of the sessions that have ended with this unpublish, whether they were known or not.

        Where the server names no client, an end may belong to any publisher of that stream. A newcomer's publish
        may come before the end of the one it replaces, by as long as its hook takes: a session younger than that
        outlives the end if there is an older one.
        """
        if ref.client_id:
            ended: tuple[str, ...] = (self._latest.get(ref.session_id, ref.session_id),)
        else:
            live = [
                known
                for known in self._live.values()
                if (known.ref.server, known.ref.path) == (ref.server, ref.path) and known.ref.vhost in ("", ref.vhost)
            ]
            old = [known for known in live if at - known.opened_at > TAKEOVER]
            ended = tuple(known.session.id for known in old or live[:1])
        for session_id in ended:
            self.ended(session_id)
        return ended

    def ended(self, session_id: str) -> None:
        """This session is over; what is known of it stays for a while."""
        if known := self._live.pop(session_id, None):
            self._forget(known)
            self._put(self._ended, known)

    def restore(self, sessions: Iterable[Session], kept: Mapping[str, Mapping[str, Any]], at: float) -> None:
        """The sessions that the rules still hold after a restart, and what ``keep`` was told."""
        for session in sessions:
            base, again, _ = session.id.partition("~")
            if again:
                self._latest[base] = session.id
            body = kept.get(session.id, {})
            ref = StreamRef(
                session.id.partition(":")[0],
                session.app,
                session.stream,
                vhost=str(body.get("vhost", "")),
                key=str(body.get("key", "")),
                args=tuple((str(name), str(value)) for name, value in body.get("args", ())),
            )
            self._put(self._live, _Known(session, ref, at, str(body.get("url", ""))))
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
        return tuple(
            known.session
            for known in self._live.values()
            if known.ref.path == path and server in ("", known.ref.server)
        )

    def opened(self, prefix: str, before: float) -> tuple[str, ...]:
        """The ids with that prefix of live sessions that were opened before that time."""
        return tuple(i for i, known in self._live.items() if known.opened_at < before and i.startswith(prefix))

    def vhost(self, session: Session) -> str:
        """The virtual host that it was published to, as far as that is known."""
        known = self._find(session.id)
        return known.ref.vhost if known and known.ref.vhost else DEFAULT_VHOST

    def play_url(self, session: Session) -> str:
        """The RTMP URL for OBS, by the template. Raises ValueError on values outside the allow-list.

        ``{stream_key}`` is the publisher's key where it gave one, else the stream's name; ``{param}`` holds those
        of its arguments that pass the allow-list.
        """
        for what, value in (("app", session.app), ("stream", session.stream)):
            if not NAME.fullmatch(value):
                raise ValueError(f"the {what} of session {session.id} is outside the allow-list")
        known = self._find(session.id)
        if known is not None and known.url:
            return known.url
        key = known.ref.key if known and known.ref.key else session.stream
        if not NAME.fullmatch(key):
            raise ValueError(f"the key of session {session.id} is outside the allow-list")
        template = self._template()
        arguments = urlencode(known.ref.args if known else ())
        values = {"app": session.app, "stream": session.stream, "stream_key": key}

        def fill(found: re.Match[str]) -> str:
            if found[1] == "param":
                return _joined(template[: found.start()], arguments)
            return values[found[1]]

        return _PLACEHOLDER.sub(fill, template)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _find(self, session_id: str) -> _Known | None:
        return self._live.get(session_id) or self._ended.get(session_id)

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
        named = set(_PLACEHOLDER.findall(self._template()))
        if ref.key and "stream_key" in named:
            body["key"] = ref.key
        if ref.args and "param" in named:
            body["args"] = [list(pair) for pair in ref.args]
        return body

    def _put(self, memory: "_Memory", known: _Known) -> None:
        memory[known.session.id] = known
        if len(memory) > memory.most:
            forgotten, dropped = memory.popitem(last=False)
            if memory is self._live:
                self._forget(dropped)
            base = forgotten.partition("~")[0]
            if self._latest.get(base) == forgotten and self._find(forgotten) is None:
                del self._latest[base]


class _Memory(OrderedDict[str, _Known]):
    """The oldest are forgotten where there are too many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


def _joined(before: str, arguments: str) -> str:
    """The arguments with the mark that has to stand before them; SRS's own ``param`` begins with a question mark."""
    if not arguments or before.endswith(("?", "&")):
        return arguments
    return f"{'&' if '?' in before else '?'}{arguments}"


def client_of(session: Session) -> str:
    """The client's id at its server, out of the session's. Raises ValueError where there is none to name."""
    rest = session.id.partition(":")[2]
    client = rest.rpartition("/")[2]
    if not IDENTIFIER.fullmatch(client):
        raise ValueError(f"session {session.id} names no client")
    return client
