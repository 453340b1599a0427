"""Who this daemon is to others in the same OBS: an id that its database keeps, and every copy of it."""

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_TABLE = "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)"


def owner_of(path: Path) -> str:
    """The id in that database, made where there is none yet; empty where the file cannot be used.

    Without one nothing is marked, and inputs with the prefix are all taken for this daemon's.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1.0)) as db:
            db.execute(_TABLE)
            db.execute("INSERT OR IGNORE INTO identity (id, name) VALUES (1, ?)", (secrets.token_hex(8),))
            (name,) = db.execute("SELECT name FROM identity").fetchone()
            return str(name)
    except (sqlite3.Error, OSError, TypeError) as error:
        log.warning("the database keeps no id: inputs in OBS are not marked as this daemon's", error=str(error))
        return ""
