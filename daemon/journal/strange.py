"""A saved file was put in the place of one that was in use: what its log holds is not to be read into it."""

from pathlib import Path

import structlog

from daemon.journal import database as journal_file
from daemon.journal.lock import StoreLock
from daemon.journal.news import DatabaseNews
from daemon.journal.salvage import aside_log, name_aside

log = structlog.get_logger(__name__)


def put_strange_log_aside(path: Path, lock: StoreLock | None, news: DatabaseNews) -> None:
    """Look whether the log beside the file is another file's. Told."""
    runs, cookie = (lock.noted(name) if lock else None for name in ("runs", "cookie"))
    if not isinstance(runs, list) or not isinstance(cookie, int):
        return
    if not journal_file.has_strange_log(path, runs, cookie):
        return
    stem = name_aside(path, "stale")
    try:
        aside_log(path, stem)
    except OSError as error:
        log.error("the log of another database is next to this one", path=f"{path}-wal", error=str(error))
        return
    news.log_was_put_aside(stem)
