"""Ending a publisher's connection, at whichever server it is (``KickPort``)."""

from collections.abc import Awaitable, Callable, Sequence

from daemon.ingest.listing import IngestServer
from statemachine.events import Session


class Kicker:
    """Chooses the server by the session's id. nginx-rtmp offers it where ``rtmp_control`` is on."""

    def __init__(self, servers: Sequence[IngestServer], may: Callable[[], Awaitable[None]] | None = None) -> None:
        """``may`` is asked first, where another daemon may own the channel by now; raises PortError."""
        self._servers = {server.prefix: server for server in servers}
        self._may = may

    async def kick(self, session: Session) -> bool:
        """End it; False where its server offers no way or is not configured. Raises IngestError."""
        if self._may is not None:
            await self._may()
        server = self._servers.get(session.id.partition(":")[0] + ":")
        return False if server is None else await server.kick(session)
