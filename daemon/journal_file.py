"""What the database file is: its tables, how it is opened and looked over, and how the journal's part is read."""

import json
import secrets
import sqlite3
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS handover (id INTEGER PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stream (session TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
SCHEMA_VERSION: Final = 1


def open_writable(path: Path) -> sqlite3.Connection:
    """Open the file, or make it; for any one thread at a time. Raises OSError, and sqlite3.Error if it is damaged."""
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
    try:
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode=WAL")
        # A crash of the daemon loses nothing; a power cut may lose the last moments, and OBS is gone with it.
        db.execute("PRAGMA synchronous=NORMAL")
        # What is forgotten may have been a key: its bytes are overwritten, not left in a free page.
        db.execute("PRAGMA secure_delete=ON")
        check(db)
        db.executescript(SCHEMA)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        # Shows now, not at the first event, that the file cannot be written.
        db.execute("CREATE TABLE IF NOT EXISTS probe (x)")
        db.execute("DROP TABLE probe")
    except BaseException:
        db.close()
        raise
    return db


def check(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where it is damaged, OperationalError where a newer version has written it."""
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("database disk image is malformed")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"it was written by a newer version (schema {version})")


def owner_id(db: sqlite3.Connection) -> str:
    """The random name of this database, made once; backups and copies bear the same. Raises sqlite3.Error."""
    db.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (new_id(),))
    return str(db.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()[0])


def new_id() -> str:
    """16 hexadecimal digits of chance."""
    return secrets.token_hex(8)


def last_number(db: sqlite3.Connection) -> int:
    """The number of the last event that was written."""
    number: int = db.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT seq FROM snapshot), 0))"
    ).fetchone()[0]
    return number


def read(db: sqlite3.Connection) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The snapshot, and the events after it."""
    row = db.execute("SELECT seq, state FROM snapshot").fetchone()
    seq, state = (row[0], json.loads(row[1])) if row else (0, None)
    rows = db.execute("SELECT body FROM event WHERE seq > ? ORDER BY seq", (seq,)).fetchall()
    return state, [json.loads(body) for (body,) in rows]


def read_streams(db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """By session, what it is played with."""
    return {session: json.loads(body) for session, body in db.execute("SELECT session, body FROM stream")}
