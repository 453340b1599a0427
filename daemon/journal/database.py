"""What the database file is: its tables, how it is opened and looked over, and how the journal's part is read.

Each row bears a mark of its content, as SQLite has none: what is damaged is told from what was written. The snapshot is
there twice, on pages of its own, because everything else hangs on it.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from daemon.core.files import is_there
from daemon.core.rows import (
    body_mark,
    consistent,
    has_column,
    has_table,
    is_sound,
    is_text,
    make_meta,
    mark,
    read_meta,
    readable,
    text,
    write_meta,
)
from daemon.journal.wal import look_at_log
from daemon.streamers.store import SUM, Keys, make_tables, read_keys, seal

ENCODER: Final = json.JSONEncoder(check_circular=False, separators=(",", ":"))
SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL,"
    " mark INTEGER)",
    "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, mark INTEGER)",
    "CREATE TABLE IF NOT EXISTS handover (id INTEGER PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL, mark INTEGER)",
    "CREATE TABLE IF NOT EXISTS stream (session TEXT PRIMARY KEY, body TEXT NOT NULL, mark INTEGER)",
)
SCHEMA_VERSION: Final = 2
EPOCH: Final = "epoch"
"""The fact that says in which epoch of a shared store the file was written last; there is none without such a store."""
STORE: Final = "store"
"""The fact that says of which store."""
TWICE: Final = (1, 2)
"""The snapshot's rows."""

Plain = dict[str, Any]


@dataclass(slots=True)
class Found:
    """What can be read of a file, and believed."""

    keys: Keys = field(default_factory=Keys)
    id: str = ""
    seq: int = 0
    state: Plain | None = None
    events: dict[int, str] = field(default_factory=dict)
    """Those after the snapshot, by their numbers."""
    handovers: dict[int, tuple[float, str]] = field(default_factory=dict)
    streams: dict[str, str] = field(default_factory=dict)
    ahead: float = 0.0
    """Seconds by which the wall clock was ahead of the rules' time when that was last looked at."""
    epoch: int = 0
    """Of the shared store, in which it was written; 0 where there is none."""
    last: int = 0
    """The number of the last event or snapshot."""
    spare: int = 0
    """Numbers of inputs that may have been used since: the file was put back from a backup."""
    problems: list[str] = field(default_factory=list)
    """What is damaged, for people."""


# --- opening -------------------------------------------------------------------------------------------------


def open_writable(
    path: Path,
    note: Callable[[list[str], int], None] = lambda runs, cookie: None,
    cut_short: Callable[[int], None] = lambda frames: None,
) -> sqlite3.Connection:
    """Open the file, or make it; for any one thread at a time. Raises OSError, and sqlite3.Error if it is damaged.

    ``note`` is told by what the file itself, without its log, is known from then on (see ``has_strange_log``);
    ``cut_short`` how many pages of the log were written and cannot be read.
    """
    if is_there(path) and not path.is_file() and not path.is_dir():
        raise OSError(f"{path} is not a regular file: check store.path")
    commits = look_at_log(path)
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
    try:
        db.text_factory = text
        check_ours(db)
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode=WAL")
        # A crash of the daemon loses nothing; a power cut may lose the last moments, and OBS is gone with it.
        db.execute("PRAGMA synchronous=NORMAL")
        # What is forgotten may have been a key: its bytes are overwritten, not left in a free page.
        db.execute("PRAGMA secure_delete=ON")
        check(db)
        if commits.last and (lost := commits.lost(db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])) > 0:
            cut_short(lost)
        db.execute("BEGIN IMMEDIATE")
        before, run = (read_meta(db, "run") or "", _cookie(db)), new_id()
        make(db)
        # Shows now, not at the first event, that the file cannot be written; and tells one opening from another.
        write_meta(db, "run", run)
        db.execute("COMMIT")
        note([before[0], run], min(before[1], _cookie(db)))
        # The log holds nothing but what comes from now on: one that is lost or damaged costs no more than that.
        if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
            note([run], _cookie(db))
    except BaseException:
        db.close()
        raise
    return db


def has_strange_log(path: Path, runs: list[str], cookie: int) -> bool:
    """The log beside the file is another file's: somebody has put a saved one in its place. Never raises.

    The file alone, without its log, is of another run than the last, or it is one that was saved: SQLite numbers the
    versions of a schema, and a copy that it makes begins anew. https://sqlite.org/pragma.html#pragma_schema_version
    """
    log = Path(f"{path}-wal")
    try:
        if not log.stat().st_size or not path.stat().st_size:
            return False
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            return has_table(db, "copied") or read_meta(db, "run") not in runs or _cookie(db) < cookie
    except (OSError, sqlite3.Error):
        return False


def _cookie(db: sqlite3.Connection) -> int:
    number: int = db.execute("PRAGMA schema_version").fetchone()[0]
    return number


def make(db: sqlite3.Connection) -> None:
    """The tables of this version, whatever was there; within a transaction of the caller's. Raises sqlite3.Error."""
    old = db.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'snapshot'").fetchone()
    if old is not None and "CHECK" in old[0]:
        db.execute("ALTER TABLE snapshot RENAME TO snapshot_before")
    for table in SCHEMA:
        db.execute(table)
    for name in ("event", "handover", "stream"):
        if not has_column(db, name, "mark"):
            db.execute(f"ALTER TABLE {name} ADD COLUMN mark INTEGER")
    if old is not None and "CHECK" in old[0]:
        db.execute("INSERT INTO snapshot (id, seq, state) SELECT 1, seq, state FROM snapshot_before")
        db.execute("DROP TABLE snapshot_before")
    make_meta(db)
    db.execute("DROP TABLE IF EXISTS copied")
    # The streamers' table is theirs to make: one that is not there is one that keys are put back into.
    if has_table(db, "streamer"):
        make_tables(db)
    if read_meta(db, SUM) is None:
        seal(db)
    if read_meta(db, "id") is None:
        write_meta(db, "id", new_id())
    write_meta(db, "schema", str(SCHEMA_VERSION))
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def check(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where it is damaged, OperationalError where a newer version has written it."""
    if (said := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(f"database disk image is malformed: {said}")
    version, written = db.execute("PRAGMA user_version").fetchone()[0], read_meta(db, "schema")
    if written is not None and written != str(version):
        raise sqlite3.DatabaseError("its version number is damaged")
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"it was written by a newer version (schema {version})")
    found = read(db)
    if version == SCHEMA_VERSION and (not found.id or written is None):
        found.problems.append("its metadata is damaged")
    if found.problems:
        raise sqlite3.DatabaseError("; ".join(found.problems))


def check_ours(db: sqlite3.Connection) -> None:
    """Raises sqlite3.OperationalError where another program's tables are in it and none of ours: nothing is written."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not tables & {"snapshot", "event", "meta", "streamer"}:
        raise sqlite3.OperationalError("it belongs to another program: set store.path to another file")


def in_memory() -> sqlite3.Connection:
    """An empty database that is nowhere on the disk."""
    return sqlite3.connect(":memory:", isolation_level=None)


def stamp(image: sqlite3.Connection) -> None:
    """Say in a copy when it was made. Raises sqlite3.Error."""
    image.execute("DROP TABLE IF EXISTS copied")
    image.execute("CREATE TABLE copied (at REAL NOT NULL)")
    image.execute("INSERT INTO copied VALUES (?)", (time.time(),))


def age(image: sqlite3.Connection) -> float | None:
    """Seconds since a copy was made. Raises sqlite3.Error where it is none.

    None where that is not known: the clock says that it is yet to be made, so it was set back, or is not set yet.
    """
    row = image.execute("SELECT at FROM copied").fetchone()
    seconds = time.time() - float(row[0]) if row else -1.0
    return seconds if seconds >= 0 else None


def new_id() -> str:
    """16 hexadecimal digits of chance."""
    return secrets.token_hex(8)


def last_number(db: sqlite3.Connection) -> int:
    """The number of the last event that was written."""
    number: int = db.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT max(seq) FROM snapshot), 0))"
    ).fetchone()[0]
    return number


# --- writing -------------------------------------------------------------------------------------------------


def write_state(db: sqlite3.Connection, seq: int, state: str) -> None:
    """Put a snapshot in the place of the one before, and of the events up to it. Raises sqlite3.Error."""
    for number in TWICE:
        db.execute(
            "INSERT OR REPLACE INTO snapshot (id, seq, state, mark) VALUES (?, ?, ?, ?)",
            (number, seq, state, body_mark(seq, state)),
        )
    db.execute("DELETE FROM event WHERE seq <= ?", (seq,))
    db.execute("DELETE FROM meta WHERE key = 'spare'")


INSERT_EVENT: Final = "INSERT INTO event (seq, body, mark) VALUES (?, ?, ?)"
INSERT_HANDOVER: Final = "INSERT INTO handover (id, at, body, mark) VALUES (?, ?, ?, ?)"
INSERT_STREAM: Final = "INSERT OR REPLACE INTO stream (session, body, mark) VALUES (?, ?, ?)"


@cache
def insert_events(count: int) -> str:
    """The statement for so many events at once, at most 256: SQLite before 3.32 takes no more than 999 values."""
    return f"{INSERT_EVENT}{', (?, ?, ?)' * (count - 1)}"


def event_row(seq: int, body: str) -> tuple[int, str, int]:
    """For ``INSERT_EVENT``."""
    return seq, body, body_mark(seq, body)


def handover_row(number: int | None, at: float, body: str) -> tuple[int | None, float, str, int]:
    """For ``INSERT_HANDOVER``; without a number it takes the next."""
    return number, at, body, mark(at, body)


def stream_row(session: str, body: str) -> tuple[str, str, int]:
    """For ``INSERT_STREAM``."""
    return session, body, mark(session, body)


# --- reading -------------------------------------------------------------------------------------------------


def read(db: sqlite3.Connection) -> Found:
    """All that is sound of a file that may be damaged. Raises sqlite3.Error where it is no database."""
    db.text_factory = text
    with consistent(db):
        found = Found(keys=read_keys(db), id=read_meta(db, "id") or "")
        if found.keys.lost:
            found.problems.append(found.keys.lost)
        read_state(db, found)
        read_events(db, found)
        read_rest(db, found)
        if (spare := read_meta(db, "spare") or "").isdecimal():
            found.spare = int(spare)
        if (epoch := read_meta(db, EPOCH) or "").isdecimal():
            found.epoch = int(epoch)
        found.last = max(found.seq, *found.events, 0)
        with suppress(ValueError):
            found.ahead = float(read_meta(db, "ahead") or 0.0)
    return found


def read_streams(db: sqlite3.Connection) -> dict[str, Plain]:
    """By session, what it is played with. Raises sqlite3.Error."""
    found = Found()
    read_rest(db, found, handovers=False)
    return plain_streams(found)


def plain_streams(found: Found) -> dict[str, Plain]:
    """The same of what was read already."""
    read = {session: plain(body) for session, body in found.streams.items()}
    return {session: body for session, body in read.items() if body is not None}


def as_json(value: object) -> str:
    """As it is kept."""
    return ENCODER.encode(value)


def plain(body: object) -> Plain | None:
    """The JSON object; None where it is none."""
    try:
        value = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _rows(
    db: sqlite3.Connection, found: Found, table: str, columns: str, key: str = "rowid"
) -> Iterable[tuple[Any, ...]]:
    if not has_table(db, table):
        return ()
    marked = "mark" if has_column(db, table, "mark") else "NULL"
    return readable(db, table, f"{columns}, {marked}", key, found.problems)


def _is_body(body: str, known: object, expected: int) -> bool:
    """What bears the right mark was a JSON object when it was written; what bears none is looked at."""
    return known == expected if known is not None else plain(body) is not None


def read_state(db: sqlite3.Connection, found: Found) -> None:
    """The snapshot. Raises sqlite3.Error."""
    rows = bad = 0
    for _, seq, body, known in _rows(db, found, "snapshot", "seq, state", "id"):
        rows += 1
        sound = isinstance(seq, int) and is_text(body) and is_sound(known, body_mark(seq, body))
        state = plain(body) if sound else None
        if state is None:
            bad += 1
        elif found.state is None or seq > found.seq:
            found.seq, found.state = seq, state
    if bad and found.state is None:
        found.problems.append("the snapshot is damaged")
    elif bad or (rows and read_meta(db, "schema") is not None and rows < len(TWICE)):
        found.problems.append("one copy of the snapshot is damaged")


def read_events(db: sqlite3.Connection, found: Found) -> None:
    """What came after the snapshot, which has to be read before. Raises sqlite3.Error."""
    bad = 0
    for seq, body, known in _rows(db, found, "event", "body", "seq"):
        if isinstance(seq, int) and is_text(body) and is_sound(known, body_mark(seq, body)):
            if seq > found.seq:
                found.events[seq] = body
        else:
            bad += 1
    found.events = dict(sorted(found.events.items()))
    missing = len(range(found.seq, max(found.events, default=found.seq))) - len(found.events) - bad
    if bad or missing > 0:
        found.problems.append(f"{bad + max(0, missing)} events are damaged or missing")


def read_rest(db: sqlite3.Connection, found: Found, *, handovers: bool = True) -> None:
    """The history, and what streams are played with. Raises sqlite3.Error."""
    bad = {"hand-overs of the history": 0, "streams": 0}
    for number, at, body, known in _rows(db, found, "handover", "at, body", "id") if handovers else ():
        if isinstance(at, float) and is_text(body) and _is_body(body, known, mark(at, body)):
            found.handovers[number] = at, body
        else:
            bad["hand-overs of the history"] += 1
    for _, session, body, known in _rows(db, found, "stream", "session, body"):
        if is_text(session) and is_text(body) and _is_body(body, known, mark(session, body)):
            found.streams[session] = body
        else:
            bad["streams"] += 1
    found.problems += [f"{count} {what} are damaged" for what, count in bad.items() if count]
