"""What sessions are played with besides their names: told in the event loop, written in the journal's thread."""

import sqlite3
import threading
from collections.abc import Mapping
from typing import Any

from daemon.journal.database import INSERT_STREAM, as_json, stream_row

Body = dict[str, Any]


class KeptStreams:
    """All of it in memory, and what of it has yet to be written."""

    def __init__(self) -> None:
        self.all: dict[str, Body] = {}
        """By session. For the journal's thread."""
        self._changes: dict[str, Body | None] = {}
        self._lock = threading.Lock()

    def change(self, session: str, body: Body | None) -> bool:
        """Remember it, or forget it; True where nobody has been asked yet to ``take`` it. From any thread."""
        with self._lock:
            is_first = not self._changes
            self._changes[session] = body
        return is_first

    def take(self) -> dict[str, Body | None]:
        """What was changed since the last time, which ``all`` has from then on. In the journal's thread."""
        with self._lock:
            changes, self._changes = self._changes, {}
        for session, body in changes.items():
            if body is None:
                self.all.pop(session, None)
            else:
                self.all[session] = body
        return changes

    def write_all(self, db: sqlite3.Connection) -> None:
        """Write all of it, into a file that may have none."""
        write_streams(db, self.all)


def write_streams(db: sqlite3.Connection, bodies: Mapping[str, Body | None]) -> None:
    """Put them there, or take those that are None out. Raises sqlite3.Error."""
    for session, body in bodies.items():
        if body is None:
            db.execute("DELETE FROM stream WHERE session = ?", (session,))
        else:
            db.execute(INSERT_STREAM, stream_row(session, as_json(body)))
