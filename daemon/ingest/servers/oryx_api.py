"""Oryx's HTTP API: which streams are published, and ending one (``platform/service.go`` of 5.15.20)."""

from typing import Any

from daemon.core.ports import IngestError
from daemon.ingest.api import Api
from daemon.ingest.listing import Listed, named, rows
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import DEFAULT_VHOST, HookError, StreamRef, arguments_of
from statemachine.events import Session


class OryxServer:
    """One Oryx. Its list and its hooks have no id in common: a stream in the list is the oldest session of its name."""

    prefix = "oryx:"
    can_kick = True
    others: tuple[str, ...] = ()

    def __init__(self, api: Api, sessions: SessionDirectory) -> None:
        self._api = api
        self._sessions = sessions
        self._params: dict[str, str] = {}
        self.where = api.where

    async def publishers(self) -> list[Listed]:
        """All active streams. Raises IngestError."""
        _, answer = await self._api.call("POST", "/terraform/v1/mgmt/streams/query", body={})
        data = answer.get("data")
        if answer.get("code") != 0 or not isinstance(data, dict):
            raise IngestError(f"{self.where} answered without its data")
        self._params.clear()
        return [self._listed(row) for row in rows(data, "streams", self.where)]

    async def kick(self, session: Session) -> bool:
        """End the stream's publisher, by the stream's name: not where that is another one's. Raises IngestError."""
        live = self._sessions.live(f"{session.app}/{session.stream}", "oryx")
        if live and live[0].id != session.id and live[0].streamer != session.streamer:
            return False
        body = {"vhost": self._sessions.vhost(session), "app": session.app, "stream": session.stream}
        # A stream that is not active any more is answered with 500 and a text.
        _, answer = await self._api.call("POST", "/terraform/v1/mgmt/streams/kickoff", body=body)
        if answer.get("code") != 0:
            raise IngestError(f"{self.where} answered with a code that is not 0")
        return True

    async def arguments(self, listed: Listed) -> tuple[tuple[str, str], ...]:
        """Those of its publish, which the list keeps as SRS told of them (``SrsStream`` in ``platform/utils.go``)."""
        try:
            return arguments_of(self._params.get(listed.session_ids[0], ""))
        except HookError:
            return ()

    def _listed(self, row: dict[str, Any]) -> Listed:
        app, stream, vhost = row.get("app"), row.get("stream"), row.get("vhost", DEFAULT_VHOST)
        if not named(app, stream):
            return Listed(None, (), 0)
        ref = StreamRef("oryx", str(app), str(stream), vhost=str(vhost))
        known = self._sessions.live(ref.path, "oryx")
        session_id = known[0].id if known else ref.session_id
        if isinstance(param := row.get("param"), str):
            self._params[session_id] = param
        return Listed(ref, (session_id,), 0)
