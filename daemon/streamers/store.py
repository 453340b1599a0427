"""The streamers and their keys, kept in the daemon's SQLite file. A key is shown once; what is kept is its hash.

The command line works on the file itself, whether the daemon runs or not; the daemon looks keys up in memory
(``daemon.streamers.index``) and notices a change. Each call here opens the file for itself, so any thread may call.
"""

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import EllipsisType
from typing import Final

from daemon.core.files import is_there
from daemon.core.rows import (
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
from daemon.core.shapes import LONGEST_TURN
from daemon.streamers.names import BadName, fold, valid_name

LOCK_PATIENCE: Final = 5.0
"""Seconds that a call waits for somebody else's write to end."""
KEY_BYTES: Final = 24

TABLE: Final = """
CREATE TABLE IF NOT EXISTS streamer (
  name TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE, key_hash BLOB NOT NULL UNIQUE,
  turn REAL, enabled INTEGER NOT NULL, added_at REAL NOT NULL, key_at REAL NOT NULL, mark INTEGER
)"""
COLUMNS: Final = "name, turn, enabled, added_at, key_at, key_hash"
_WHOLE_ROW: Final = f"SELECT folded, {COLUMNS} FROM streamer WHERE name = ?"  # noqa: S608  # names of our own
_INSERT: Final = f"INSERT OR IGNORE INTO streamer (folded, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # too
SUM: Final = "keys"
"""The fact that says how often the keys were changed, how many there are, and what their marks come to."""
FIRST_WITH_SUM: Final = 2
"""The schema from which on there is one."""
KEYS_OF: Final = "keys_of"
"""The fact that names the shared store of which the streamers here are a copy."""
MERGE_PATIENCE: Final = 200
"""Milliseconds that a writer waits for readers, so that the keys get out of the log and into the file."""
_ENVIRONMENT: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_AUTH,
    }
)
"""What may be over by itself, or with somebody's help, without the file being another one."""


class StreamerError(Exception):
    """It was not done. ``str()`` is one line for the one who asked, and holds no key."""


@dataclass(frozen=True, slots=True)
class StreamerRow:
    """One streamer as the file has it. Times are seconds since the epoch."""

    name: str
    turn: float | None
    """Seconds of the own turn; None takes the configuration's."""
    enabled: bool
    added_at: float
    key_at: float
    """When the present key was made."""
    key_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The streamers of a file, as far as they can be believed."""

    rows: tuple[StreamerRow, ...] = ()
    table: bool = False
    """There is a table of them."""
    lost: str = ""
    """Why these are not all; empty where they are."""
    changes: int = 0
    """How often they were changed since the file was begun."""


class StreamerStore:
    """The streamers in the file. Every method raises StreamerError where it cannot be done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        """For people."""

    def add(self, name: str, turn: float | None = None) -> str:
        """A new streamer. Returns the key, which nobody can tell again."""
        name, turn, key = valid_streamer(name), valid_turn(turn), new_key()
        with self._writing() as db:
            if taken := _find(db, name):
                raise StreamerError(f"there is already a streamer {taken}: use rotate to make a new key")
            now = time.time()
            insert(db, [StreamerRow(name, turn, True, now, now, hash_key(key))])
        return key

    def list(self) -> tuple[StreamerRow, ...]:
        """All streamers by name. None where there is no file yet: asking makes none."""
        if not self.is_there():
            return ()
        with self._opened(writing=False) as db:
            return tuple(sorted(_whole(db), key=lambda row: fold(row.name)))

    def remove(self, name: str) -> str:
        """Forget the streamer, and its key with it. Returns the name as it was written."""
        with self._writing(name) as db:
            known = _known(db, name)
            db.execute("DELETE FROM streamer WHERE name = ?", (known,))
        return known

    def rotate(self, name: str) -> str:
        """A new key; the old one is nobody's from now on."""
        key = new_key()
        with self._writing(name) as db:
            values = (hash_key(key), time.time(), _known(db, name))
            db.execute("UPDATE streamer SET key_hash = ?, key_at = ?, mark = NULL WHERE name = ?", values)
        return key

    def set(
        self, name: str, *, turn: float | EllipsisType | None = ..., enabled: bool | EllipsisType = ...
    ) -> StreamerRow:
        """Change what is given, and return the streamer as it is then. ``turn=None`` takes the configuration's."""
        with self._writing(name) as db:
            known = _known(db, name)
            if turn is not ...:
                db.execute("UPDATE streamer SET turn = ?, mark = NULL WHERE name = ?", (valid_turn(turn), known))
            if enabled is not ...:
                db.execute("UPDATE streamer SET enabled = ?, mark = NULL WHERE name = ?", (enabled, known))
            return next(row for row in _rows(db)[0] if row.name == known)

    def find_by_key(self, key: str) -> StreamerRow | None:
        """Whose key it is, read from the file. The daemon asks its index instead, which reads no file."""
        wanted = hash_key(key)
        return next((row for row in self.list() if row.key_hash == wanted), None)

    def mirror(self, rows: Iterable[StreamerRow], store: str) -> tuple[bool, tuple[str, ...]]:
        """Make these the streamers, and no others: those of a store that daemons share, by its name.

        Whether that changed anything; and who has a key here that the store lacks, where this file has never been a
        copy of it. Nobody's key is taken away then: the store's are added.
        """
        wanted = tuple(rows)
        with self._writing() as db:
            there = _whole(db)
            known = {(fold(row.name), row.key_hash) for row in wanted}
            strangers = tuple(row.name for row in there if (fold(row.name), row.key_hash) not in known)
            if strangers and read_meta(db, KEYS_OF) != store:
                insert(db, wanted)
                return set(_rows(db)[0]) != set(there), strangers
            write_meta(db, KEYS_OF, store)
            if set(there) == set(wanted):
                return False, ()
            db.execute("DELETE FROM streamer")
            insert(db, wanted)
        return True, ()

    def put_back(self, rows: Iterable[StreamerRow]) -> None:
        """Write streamers that are known from elsewhere; those that the file has stay as they are."""
        with self._writing() as db:
            insert(db, rows)

    # --- the file --------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self, name: str | None = None) -> Iterator[sqlite3.Connection]:
        """One transaction. With a name, which has to be known, no file is made for the sake of a mistake."""
        if name is not None and not self.is_there():
            raise unknown_streamer(name)
        with self._opened(writing=True) as db:
            # The journal's mode too: a reader never waits for a writer, nor the other way round.
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            if lost := read_keys(db).lost:
                # What is missing is not to be missed for good.
                raise StreamerError(f"{self.path} is damaged ({lost}): start the daemon, which repairs it")
            make_tables(db)
            yield db
            seal(db)
            db.execute("COMMIT")
            # Into the file itself: a log that is damaged, or taken away, costs no key then.
            db.execute(f"PRAGMA busy_timeout={MERGE_PATIENCE}")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[sqlite3.Connection]:
        try:
            if writing:
                self._make_file()
            db = (open_existing if writing else open_to_read)(self.path, LOCK_PATIENCE)
            try:
                yield db
            finally:
                db.close()  # which rolls back what was not committed
        except OSError as error:
            raise StreamerError(f"{self.path} cannot be used: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise StreamerError(f"{self.path} cannot be {'written' if writing else 'read'}: {error}") from error

    def is_there(self) -> bool:
        """Whether the file is there. Raises StreamerError where that cannot be told."""
        try:
            return is_there(self.path)
        except OSError as error:
            raise StreamerError(f"{self.path} cannot be used: {error.strerror or error}") from error

    def _make_file(self) -> None:
        """Make the file, for nobody else to read. Made by root, it belongs to whom the folder belongs to.

        Else a key that root adds before the daemon's first start would leave the daemon a file that it cannot write.
        (SQLite gives its -wal and -shm to the owner of the file by itself.)
        """
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return
        try:
            if os.geteuid() == 0:
                folder = self.path.parent.stat()
                os.fchown(handle, folder.st_uid, folder.st_gid)
        finally:
            os.close(handle)


# --- names and keys ------------------------------------------------------------------------------------------


def valid_streamer(text: str) -> str:
    """The name as it is kept. Raises StreamerError."""
    try:
        return valid_name(text)
    except BadName as error:
        raise StreamerError(str(error)) from error


def new_key() -> str:
    """32 of the characters A-Z a-z 0-9 _ -, which is 192 bits of chance."""
    return secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: str) -> bytes:
    """What is kept of a key.

    SHA-256 and nothing slow: a slow hash protects what people think up, but 192 random bits cannot be guessed at any
    speed, and a publisher waits for the answer while strangers may ask for as many as they like. No pepper either: it
    would lie beside the file.
    """
    return hashlib.sha256(b"motherstream streamer key\0" + key.encode("utf-8", "surrogatepass")).digest()


def valid_turn(turn: float | None) -> float | None:
    """The length of a turn as it is kept. Raises StreamerError."""
    if turn is not None and not 1 <= turn <= LONGEST_TURN:
        raise StreamerError(f"a turn must be 1 to {LONGEST_TURN} seconds")
    return None if turn is None else float(turn)


# --- the table -----------------------------------------------------------------------------------------------


def open_existing(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to a file that is there, which any one thread at a time may use. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience, check_same_thread=False)


def open_to_read(path: Path, patience: float) -> sqlite3.Connection:
    """The same for reading, also where nothing can be written: SQLite wants to write beside a file even to read it."""
    db = open_existing(path, patience)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return db
    except sqlite3.OperationalError as error:
        db.close()
        log = Path(f"{path}-wal")
        if is_damage(error) or (is_there(log) and log.stat().st_size):
            raise  # without its log it would be an older one
    except BaseException:
        db.close()
        raise
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def is_damage(error: Exception) -> bool:
    """The file is no database any more, or not the one that was written; other trouble may pass."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    if not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF not in _ENVIRONMENT


def make_tables(db: sqlite3.Connection) -> None:
    """Make the streamers' tables, or bring them up to date. Raises sqlite3.Error."""
    db.execute(TABLE)
    if not has_column(db, "streamer", "mark"):
        db.execute("ALTER TABLE streamer ADD COLUMN mark INTEGER")
    make_meta(db)


def seal(db: sqlite3.Connection, changes: int | None = None) -> None:
    """Mark what was changed, and sum all of it up. Raises sqlite3.Error."""
    count = total = 0
    if has_table(db, "streamer"):
        for (name,) in db.execute("SELECT name FROM streamer WHERE mark IS NULL").fetchall():
            row = db.execute(_WHOLE_ROW, (name,)).fetchone()
            db.execute("UPDATE streamer SET mark = ? WHERE name = ?", (mark(*row), name))
        count, total = db.execute("SELECT count(*), coalesce(sum(mark), 0) FROM streamer").fetchone()
    made = _sum(db)[0] + 1 if changes is None else changes
    write_meta(db, SUM, f"{made}:{count}:{total}")


def read_keys(db: sqlite3.Connection) -> Keys:
    """The streamers that are there and sound, and whether that is all of them. Raises sqlite3.Error.

    A file of an earlier version has no marks and no sum: there it is all that can be read.
    """
    with consistent(db):
        changes, count, total = _sum(db)
        unknown = "the number of streamers is unknown" if count is None and _has_sum(db) else ""
        if not has_table(db, "streamer"):
            return Keys(lost=f"{count} streamers are missing" if count else unknown, changes=changes)
        rows, damaged, found = _rows(db)
    lost = f"{damaged} streamers' rows are damaged" if damaged > 1 else "a streamer's row is damaged" if damaged else ""
    if not lost and count is not None and (len(rows), found) != (count, total):
        lost = f"{len(rows)} streamers where there should be {count}"
    return Keys(rows, True, lost or unknown, changes)


def _has_sum(db: sqlite3.Connection) -> bool:
    """The file has had streamers in a version that keeps it, whatever has become of it since."""
    if has_table(db, "streamer"):
        return has_column(db, "streamer", "mark")
    return bool(db.execute("PRAGMA user_version").fetchone()[0] >= FIRST_WITH_SUM and has_table(db, "snapshot"))


def _sum(db: sqlite3.Connection) -> tuple[int, int | None, int]:
    try:
        changes, count, total = (int(part) for part in (read_meta(db, SUM) or "").split(":"))
    except ValueError:
        return 0, None, 0
    return changes, count, total


def _rows(db: sqlite3.Connection) -> tuple[tuple[StreamerRow, ...], int, int]:
    """Those that are sound, how many are not, and what the marks of the former come to."""
    marked = "mark" if has_column(db, "streamer", "mark") else "NULL"
    rows, damaged, total = [], 0, 0
    problems: list[str] = []
    factory, db.text_factory = db.text_factory, text
    try:
        for _, *values, found in readable(db, "streamer", f"folded, {COLUMNS}, {marked}", "rowid", problems):
            row = _row(values[1:])
            if row is None or not is_sound(found, mark(*values)):
                damaged += 1
            else:
                rows.append(row)
                total += found if isinstance(found, int) else 0
    finally:
        db.text_factory = factory
    return tuple(rows), damaged or len(problems), total


def _whole(db: sqlite3.Connection) -> tuple[StreamerRow, ...]:
    keys = read_keys(db)
    if keys.lost:
        raise sqlite3.DatabaseError(keys.lost)
    return keys.rows


def _row(values: Sequence[object]) -> StreamerRow | None:
    match values:
        case (str(name), (None | float()) as turn, int(enabled), float(added_at), float(key_at), bytes(key_hash)):
            return StreamerRow(name, turn, bool(enabled), added_at, key_at, key_hash) if is_text(name) else None
    return None


def insert(db: sqlite3.Connection, rows: Iterable[StreamerRow]) -> None:
    """Put streamers in; those whose name or key is there stay as they are. Raises sqlite3.Error."""
    db.executemany(
        _INSERT,
        [(fold(r.name), r.name, r.turn, r.enabled, r.added_at, r.key_at, r.key_hash) for r in rows],
    )


def _find(db: sqlite3.Connection, name: str) -> str | None:
    """The name as it was written, "Alice" for "alice"."""
    row = db.execute("SELECT name FROM streamer WHERE folded = ?", (fold(name),)).fetchone()
    return None if row is None else str(row[0])


def _known(db: sqlite3.Connection, name: str) -> str:
    known = _find(db, valid_streamer(name))
    if known is None:
        raise unknown_streamer(name)
    return known


def unknown_streamer(name: str) -> StreamerError:
    """What is raised where there is none of that name."""
    return StreamerError(f"there is no streamer {valid_streamer(name)}: `motherstream streamer list` lists them all")
