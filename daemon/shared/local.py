"""A channel's log in its daemon's own SQLite file, as others read it: beside the journal, which alone writes there
while the daemon runs.
"""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from daemon.core.ports import PortError
from daemon.core.rows import body_mark, consistent, has_table, is_sound, mark, read_meta, write_meta
from daemon.journal import database as journal_file
from daemon.shared.portions import MOST, Conflict, NotOwner, Portion, Position
from daemon.streamers.store import open_to_read

LOCK_PATIENCE: Final = 1.0


class LocalProblem(PortError):
    """The file cannot be read, or not be believed. The journal finds that too, and mends it."""


class LocalLog:
    """Implements ChannelLog. Every method raises LocalProblem."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def position(self) -> Position:
        """As ChannelLog."""
        at: Position = await self._within(_position)
        return at

    async def read(self, after: Position, *, streams: bool = False) -> Portion:
        """As ChannelLog."""
        portion: Portion = await self._within(_read, after, streams)
        return portion

    async def write(self, epoch: int, portion: Portion, *, after: int | None = None) -> None:
        """As ChannelLog, for a file that no daemon has open."""

        def work() -> None:
            with closing(journal_file.open_writable(self._path)) as db:
                if int(read_meta(db, journal_file.EPOCH) or 0) > epoch:
                    raise NotOwner
                db.execute("BEGIN IMMEDIATE")
                if after is not None and _position(db).seq != after:
                    raise Conflict(f"the log does not end at number {after}")
                put(db, portion)
                write_meta(db, journal_file.EPOCH, str(epoch))
                db.execute("COMMIT")

        await self._run(work)

    async def handovers(self, count: int) -> list[dict[str, Any]]:
        """As ChannelLog."""
        bodies: list[str] = await self._within(_handovers, count)
        return [json.loads(body) for body in bodies]

    async def _within(self, work: Any, *values: object) -> Any:
        def opened() -> Any:
            with closing(open_to_read(self._path, LOCK_PATIENCE)) as db, consistent(db):
                return work(db, *values)

        return await self._run(opened)

    async def _run(self, work: Any) -> Any:
        try:
            return await asyncio.to_thread(work)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise LocalProblem(f"{self._path}: {error}") from error


def put(db: sqlite3.Connection, portion: Portion) -> None:
    """Write it as the journal does, in a transaction of the caller's. Raises sqlite3.Error."""
    if portion.snapshot is not None:
        journal_file.write_state(db, *portion.snapshot)
    last = _position(db)
    new = [event for event in portion.events if event[0] > last.seq]
    db.executemany(journal_file.INSERT_EVENT, [journal_file.event_row(*event) for event in new])
    db.executemany(
        journal_file.INSERT_HANDOVER,
        [journal_file.handover_row(*row) for row in portion.handovers if row[0] > last.handover],
    )
    if portion.streams is not None:
        db.execute("DELETE FROM stream")
        db.executemany(journal_file.INSERT_STREAM, [journal_file.stream_row(*row) for row in portion.streams.items()])


def _position(db: sqlite3.Connection) -> Position:
    if not has_table(db, "snapshot"):
        return Position()
    last = db.execute("SELECT coalesce(max(id), 0) FROM handover").fetchone()[0]
    return Position(journal_file.last_number(db), int(last))


def _read(db: sqlite3.Connection, after: Position, streams: bool) -> Portion:
    if not has_table(db, "snapshot"):
        return Portion(streams={} if streams else None)
    events = db.execute(
        "SELECT seq, body, mark FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after.seq, MOST)
    ).fetchall()
    snapshot = None
    if not events or events[0][0] != after.seq + 1:
        found = db.execute("SELECT seq, state, mark FROM snapshot WHERE seq > ? ORDER BY seq DESC", (after.seq,))
        sound = [(seq, state) for seq, state, known in found if is_sound(known, body_mark(seq, state))]
        if sound:
            snapshot = sound[0]
            events = [event for event in events if event[0] > snapshot[0]]
    if not all(is_sound(known, body_mark(seq, body)) for seq, body, known in events):
        raise sqlite3.DatabaseError("an event is damaged")
    rows = db.execute(
        "SELECT id, at, body, mark FROM handover WHERE id > ? ORDER BY id LIMIT ?", (after.handover, MOST)
    )
    handovers = [(number, at, body) for number, at, body, known in rows if is_sound(known, mark(at, body))]
    played = None
    if streams:
        played = {
            session: body
            for session, body, known in db.execute("SELECT session, body, mark FROM stream")
            if is_sound(known, mark(session, body))
        }
    return Portion(snapshot, tuple((seq, body) for seq, body, _ in events), tuple(handovers), played)


def _handovers(db: sqlite3.Connection, count: int) -> list[str]:
    if not has_table(db, "handover"):
        return []
    return [body for (body,) in db.execute("SELECT body FROM handover ORDER BY id DESC LIMIT ?", (count,))]
