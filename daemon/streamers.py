"""The streamers and their keys, kept in the daemon's SQLite file. A key is shown once; what is kept is its hash.

The command line works on the file itself, whether the daemon runs or not; the daemon looks keys up in memory
(``daemon.streamer_index``) and notices a change. Each call here opens the file for itself, so any thread may call.
"""

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import EllipsisType
from typing import Final

from daemon.names import BadName, fold, valid_name

PATIENCE: Final = 5.0
"""Seconds that a call waits for somebody else's write to end."""
LONGEST_TURN: Final = 604_800.0
"""Seconds: a week, as in the configuration."""
KEY_BYTES: Final = 24

TABLE: Final = """
CREATE TABLE IF NOT EXISTS streamer (
  name TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE, key_hash BLOB NOT NULL UNIQUE,
  turn REAL, enabled INTEGER NOT NULL, added_at REAL NOT NULL, key_at REAL NOT NULL
)"""
COLUMNS: Final = "name, turn, enabled, added_at, key_at, key_hash"


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


class StreamerStore:
    """The streamers in the file. Every method raises StreamerError where it cannot be done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, turn: float | None = None) -> str:
        """A new streamer. Returns the key, which nobody can tell again."""
        name, turn, key = _valid_name(name), _valid_turn(turn), new_key()
        with self._writing() as db:
            if taken := _find(db, name):
                raise StreamerError(f"there is a streamer {taken} already: rotate makes a new key for it")
            now = time.time()
            _insert(db, [StreamerRow(name, turn, True, now, now, hash_key(key))])
        return key

    def list(self) -> tuple[StreamerRow, ...]:
        """All streamers by name. None where there is no file yet: asking makes none."""
        if not self._is_there():
            return ()
        with self._opened(writing=False) as db:
            return tuple(sorted(read_rows(db) or (), key=lambda row: fold(row.name)))

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
            db.execute("UPDATE streamer SET key_hash = ?, key_at = ? WHERE name = ?", values)
        return key

    def set(
        self, name: str, *, turn: float | EllipsisType | None = ..., enabled: bool | EllipsisType = ...
    ) -> StreamerRow:
        """Change what is given, and return the streamer as it is then. ``turn=None`` takes the configuration's."""
        with self._writing(name) as db:
            known = _known(db, name)
            if turn is not ...:
                db.execute("UPDATE streamer SET turn = ? WHERE name = ?", (_valid_turn(turn), known))
            if enabled is not ...:
                db.execute("UPDATE streamer SET enabled = ? WHERE name = ?", (enabled, known))
            return next(row for row in read_rows(db) or () if row.name == known)

    def find_by_key(self, key: str) -> StreamerRow | None:
        """Whose key it is, read from the file. The daemon asks its index instead, which reads no file."""
        wanted = hash_key(key)
        return next((row for row in self.list() if row.key_hash == wanted), None)

    def put_back(self, rows: Iterable[StreamerRow]) -> None:
        """Write streamers that are known from elsewhere; those that the file has stay as they are."""
        with self._writing() as db:
            _insert(db, rows)

    # --- the file --------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self, name: str | None = None) -> Iterator[sqlite3.Connection]:
        """One transaction. With a name, which has to be known, no file is made for the sake of a mistake."""
        if name is not None and not self._is_there():
            raise _unknown(name)
        with self._opened(writing=True) as db:
            # The journal's mode too: a reader never waits for a writer, nor the other way round.
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
            db.execute(TABLE)
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _opened(self, *, writing: bool) -> Iterator[sqlite3.Connection]:
        try:
            if writing:
                self._make_file()
            db = open_existing(self.path, PATIENCE)
            try:
                yield db
            finally:
                db.close()  # which rolls back what was not committed
        except OSError as error:
            raise StreamerError(f"{self.path} cannot be used: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise StreamerError(f"{self.path} cannot be {'written' if writing else 'read'}: {error}") from error

    def _is_there(self) -> bool:
        try:
            return self.path.exists()
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


def _valid_name(text: str) -> str:
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


def _valid_turn(turn: float | None) -> float | None:
    if turn is not None and not 1 <= turn <= LONGEST_TURN:
        raise StreamerError(f"a turn is 1 to {LONGEST_TURN:.0f} seconds")
    return None if turn is None else float(turn)


# --- the table -----------------------------------------------------------------------------------------------


def open_existing(path: Path, patience: float) -> sqlite3.Connection:
    """A connection to a file that is there, which any one thread at a time may use. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience, check_same_thread=False)


def is_damage(error: Exception) -> bool:
    """The file is no database any more; other trouble may pass."""
    return isinstance(error, sqlite3.DatabaseError) and (
        not isinstance(error, sqlite3.OperationalError) or "malformed" in str(error)
    )


def read_rows(db: sqlite3.Connection) -> tuple[StreamerRow, ...] | None:
    """All streamers, or None where the file has no table of them. Raises sqlite3.Error, also for a row of nonsense."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'streamer'").fetchone():
        return None
    return tuple(_row(values) for values in db.execute(f"SELECT {COLUMNS} FROM streamer"))


def _row(values: tuple[object, ...]) -> StreamerRow:
    match values:
        case (str(name), (None | float()) as turn, int(enabled), float(added_at), float(key_at), bytes(key_hash)):
            return StreamerRow(name, turn, bool(enabled), added_at, key_at, key_hash)
    raise sqlite3.DatabaseError("a streamer's row is damaged")


def _insert(db: sqlite3.Connection, rows: Iterable[StreamerRow]) -> None:
    db.executemany(
        f"INSERT OR IGNORE INTO streamer (folded, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(fold(r.name), r.name, r.turn, r.enabled, r.added_at, r.key_at, r.key_hash) for r in rows],
    )


def _find(db: sqlite3.Connection, name: str) -> str | None:
    """The name as it was written, "Alice" for "alice"."""
    row = db.execute("SELECT name FROM streamer WHERE folded = ?", (fold(name),)).fetchone()
    return None if row is None else str(row[0])


def _known(db: sqlite3.Connection, name: str) -> str:
    known = _find(db, _valid_name(name))
    if known is None:
        raise _unknown(name)
    return known


def _unknown(name: str) -> StreamerError:
    return StreamerError(f"there is no streamer {_valid_name(name)}: `motherstream streamer list` names them all")
