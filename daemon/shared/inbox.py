"""Hooks that came while a channel had no owner: the next one reads them first."""

from collections.abc import Sequence

from daemon.core.ports import Letter
from daemon.shared.postgres import TOPIC, Postgres


class Inbox:
    """A channel's. Methods raise what Postgres does."""

    def __init__(self, postgres: Postgres, channel: str) -> None:
        self._postgres = postgres
        self._channel = channel

    async def leave(self, letter: Letter) -> None:
        """Keep it for the next owner, and tell one that is there already."""
        await self._postgres.rows(
            "WITH kept AS (INSERT INTO motherstream.inbox (channel, server, content_type, body) VALUES ($1, $2, $3, $4)"
            " RETURNING channel) SELECT pg_notify($5, channel) FROM kept",
            *(self._channel, letter.server, letter.content_type, letter.body, TOPIC),
        )

    async def take(self) -> Sequence[Letter]:
        """All that is there, the oldest first. It is there no more."""
        rows = await self._postgres.rows(
            "WITH taken AS (DELETE FROM motherstream.inbox WHERE channel = $1"
            " RETURNING number, server, content_type, body, EXTRACT(epoch FROM now() - came_at)::float8 AS age)"
            " SELECT * FROM taken ORDER BY number",
            self._channel,
        )
        return [Letter(row["server"], row["content_type"], bytes(row["body"]), row["age"]) for row in rows]
