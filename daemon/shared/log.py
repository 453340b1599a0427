"""A channel's log in PostgreSQL."""

import json
from typing import Any, Final

from daemon.shared.portions import MOST, Conflict, NotOwner, Portion, Position
from daemon.shared.postgres import Postgres

_POSITION: Final = """
SELECT greatest(coalesce((SELECT max(seq) FROM motherstream.event WHERE channel = $1), 0),
                coalesce((SELECT seq FROM motherstream.snapshot WHERE channel = $1), 0)) AS seq,
       coalesce((SELECT max(number) FROM motherstream.handover WHERE channel = $1), 0) AS handover"""

_HELD: Final = """
WITH held AS MATERIALIZED (
  SELECT 1 FROM motherstream.lease WHERE channel = $1 AND epoch = $2 AND expires_at > now() FOR SHARE
), fits AS MATERIALIZED (
  SELECT 1 FROM held WHERE $3::bigint IS NULL OR $3 = greatest(
    coalesce((SELECT max(seq) FROM motherstream.event WHERE channel = $1), 0),
    coalesce((SELECT seq FROM motherstream.snapshot WHERE channel = $1), 0))
)"""
_STATE: Final = """, state AS (
  INSERT INTO motherstream.snapshot (channel, seq, epoch, state) SELECT $1, {0}::bigint, $2, {1} FROM fits
  ON CONFLICT (channel) DO UPDATE SET seq = excluded.seq, epoch = excluded.epoch, state = excluded.state
  WHERE snapshot.seq < excluded.seq
), replaced AS (
  DELETE FROM motherstream.event USING fits WHERE channel = $1 AND seq <= {0}::bigint
)"""
_EVENTS: Final = """, event AS (
  INSERT INTO motherstream.event (channel, seq, epoch, body)
  SELECT $1, seq, $2, body FROM fits, unnest({0}::bigint[], {1}::text[]) AS new (seq, body)
)"""
_HANDOVERS: Final = """, handover AS (
  INSERT INTO motherstream.handover (channel, number, at, body)
  SELECT $1, number, at, body FROM fits, unnest({0}::bigint[], {1}::float8[], {2}::text[]) AS new (number, at, body)
), older AS (
  DELETE FROM motherstream.handover USING fits WHERE channel = $1 AND number <= {3}::bigint
)"""
_STREAMS: Final = """, over AS (
  DELETE FROM motherstream.stream USING fits WHERE channel = $1 AND session <> ALL ({0}::text[])
), played AS (
  INSERT INTO motherstream.stream (channel, session, body)
  SELECT $1, session, body FROM fits, unnest({0}::text[], {1}::text[]) AS new (session, body)
  ON CONFLICT (channel, session) DO UPDATE SET body = excluded.body WHERE stream.body <> excluded.body
)"""
_TOLD: Final = " SELECT (SELECT count(*) FROM held) AS held, (SELECT count(*) FROM fits) AS fits"

HISTORY_KEPT: Final = 10_000


class SharedLog:
    """Implements ChannelLog. ``write`` raises Conflict also where it has some of it already."""

    def __init__(self, postgres: Postgres, channel: str) -> None:
        self._postgres = postgres
        self._channel = channel

    async def position(self) -> Position:
        """As ChannelLog."""
        row = await self._postgres.row(_POSITION, self._channel)
        return Position(row["seq"], row["handover"]) if row else Position()

    async def read(self, after: Position, *, streams: bool = False) -> Portion:
        """As ChannelLog."""
        rows = self._postgres.rows
        # The events first: whoever replaces them by a snapshot meanwhile leaves that to be read.
        events = await rows(
            "SELECT seq, body FROM motherstream.event WHERE channel = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            *(self._channel, after.seq, MOST),
        )
        snapshot = None
        if not events or events[0]["seq"] != after.seq + 1:
            found = await self._postgres.row(
                "SELECT seq, state FROM motherstream.snapshot WHERE channel = $1 AND seq > $2", self._channel, after.seq
            )
            if found is not None:
                snapshot = (int(found["seq"]), str(found["state"]))
                events = [row for row in events if row["seq"] > found["seq"]]
        handovers = await rows(
            "SELECT number, at, body FROM motherstream.handover WHERE channel = $1 AND number > $2"
            " ORDER BY number LIMIT $3",
            *(self._channel, after.handover, MOST),
        )
        played = None
        if streams:
            found_streams = await rows(
                "SELECT session, body FROM motherstream.stream WHERE channel = $1", self._channel
            )
            played = {row["session"]: row["body"] for row in found_streams}
        return Portion(
            snapshot,
            tuple((row["seq"], row["body"]) for row in events),
            tuple((row["number"], row["at"], row["body"]) for row in handovers),
            played,
        )

    async def write(self, epoch: int, portion: Portion, *, after: int | None = None) -> None:
        """As ChannelLog."""
        row = await self._postgres.row(*_writing(self._channel, epoch, after, portion))
        if not row or not row["held"]:
            raise NotOwner
        if not row["fits"]:
            raise Conflict(f"the log does not end at number {after}")

    async def handovers(self, count: int) -> list[dict[str, Any]]:
        """As ChannelLog."""
        rows = await self._postgres.rows(
            "SELECT body FROM motherstream.handover WHERE channel = $1 ORDER BY number DESC LIMIT $2",
            *(self._channel, count),
        )
        return [json.loads(row["body"]) for row in rows]


def _writing(channel: str, epoch: int, after: int | None, portion: Portion) -> tuple[Any, ...]:
    """The statement with its values: one, and so one transaction, which its client cannot leave open.

    The row of the lease is locked for it, so that nobody takes the channel over between the look at the lease and what
    is written. What is not to be written is left out: PostgreSQL plans it each time.
    """
    sql = _HELD
    values: list[object] = [channel, epoch, after]

    def add(clause: str, *more: object) -> None:
        nonlocal sql
        first = len(values) + 1
        values.extend(more)
        sql += clause.format(*(f"${first + number}" for number in range(len(more))))

    if portion.snapshot is not None:
        add(_STATE, *portion.snapshot)
    if portion.events:
        add(_EVENTS, *map(list, zip(*portion.events, strict=True)))
    if portion.handovers:
        last = portion.handovers[-1][0] - HISTORY_KEPT
        add(_HANDOVERS, *map(list, zip(*portion.handovers, strict=True)), last)
    if portion.streams is not None:
        add(_STREAMS, list(portion.streams), list(portion.streams.values()))
    return (sql + _TOLD, *values)
