"""Ending a publisher's connection, at whichever server it is (``KickPort``)."""

from collections.abc import Sequence

from daemon.ingest.listing import IngestServer
from statemachine.events import Session


class Kicker:
    """Chooses the server by the session's id. nginx-rtmp offers it where ``rtmp_control`` is on."""

    def __init__(self, servers: Sequence[IngestServer]) -> None:
        self._servers = {server.prefix: server for server in servers}

    async def kick(self, session: Session) -> bool:
        """End it; False where its server offers no way or is not configured. Raises IngestError."""
        server = self._servers.get(session.id.partition(":")[0] + ":")
        return False if server is None else await server.kick(session)
