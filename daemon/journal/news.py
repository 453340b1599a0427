"""What was lost of the database in this run, for people: told once each, however often it happens."""

from collections import deque
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

KEPT: Final = 8


class DatabaseNews:
    """Added to by the journal's threads, taken by the event loop."""

    def __init__(self) -> None:
        self._kept: deque[str] = deque(maxlen=KEPT)
        self._untold: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._count = 0
        self.cut_short = False
        """The end of the log was lost: what it told of may have used names of inputs."""

    @property
    def text(self) -> str:
        """The last of it; empty where nothing was lost."""
        return "; ".join(self._kept)

    def log_was_put_aside(self, stem: Path) -> None:
        """It was another database's."""
        text = (
            "the database is another file than the one that was in use: it is taken as it is, and the log that lay "
            f"beside it was quarantined as {stem}-wal. `motherstream restore` avoids this"
        )
        self.add(text)
        log.warning(text)

    def log_was_cut_short(self, pages: int) -> None:
        """SQLite has left off reading at a page that is damaged."""
        text = (
            f"the end of the database's log was damaged: what was written last ({pages} pages) is lost. The line-up "
            "comes right with hooks and lists; see by `motherstream streamer list` whether a key is missing"
        )
        self.cut_short = True
        self.add(text)
        log.error(text, pages=pages)

    def add(self, text: str) -> None:
        """It has just been found out."""
        self._count += 1
        self._kept.append(text)
        self._untold.append((self._count, text))

    def take(self) -> list[tuple[int, str]]:
        """What was added since the last call, with its number in this run."""
        taken = []
        while self._untold:
            taken.append(self._untold.popleft())
        return taken
