"""What sessions are played with besides their names: told in the event loop, written in the journal's thread."""

import threading
from typing import Any

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
