"""The whole database in one file: taken while a daemon runs, and put back while none does.

A backup has all that the database has at that moment, the line-up included. What is put back hours later keeps keys,
settings and history; the line-up of then comes to nothing, and hooks and lists bring the one of now.
"""

import os
import sqlite3
import stat
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.core.files import is_there
from daemon.core.rows import has_table, write_meta
from daemon.journal import database as journal_file
from daemon.journal.backup import NAMES_A_SECOND, NAMES_BESIDES, UNKNOWN_AGE, write_whole
from daemon.journal.database import in_memory
from daemon.journal.lock import StoreLock
from daemon.journal.replay import as_it_stood
from daemon.journal.salvage import aside, name_aside
from daemon.streamers.store import open_to_read
from statemachine.errors import RulesError
from statemachine.snapshot import lasting

LOCK_PATIENCE: Final = 5.0
"""Seconds that a backup waits for somebody else's write to end."""
LINE_UP_KEEPS: Final = 600.0
"""Seconds for which the line-up of a backup is worth having."""


class BackupError(Exception):
    """It was not done. ``str()`` is one line for the one who asked."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in it, for people."""

    streamers: int
    handovers: int
    age: float | None = 0.0
    """Seconds; None where that is not known, of a copy that was made by other means."""
    kept: Path | None = None
    """Where the file is that it has replaced."""
    line_up: bool = True


def backup(database: Path, place: Path, *, force: bool = False) -> Contents:
    """Save the database, whole and looked over, for nobody else to read. Raises BackupError."""
    if not _is_there(database):
        raise BackupError(f"there is no database at {database}: check store.path")
    taken = _is_there(place)
    if _is_ours(database, place):
        raise BackupError(f"{place} is the daemon's own file: choose another one")
    if taken and not place.is_file():
        # Whoever may replace a device would take it away from everybody.
        raise BackupError(f"{place} is not a regular file: choose another one")
    if taken and not force:
        raise BackupError(f"{place} already exists: choose another one, or use --force")
    try:
        with closing(open_to_read(database, LOCK_PATIENCE)) as db, closing(in_memory()) as image:
            db.backup(image)
            journal_file.check(image)
            journal_file.stamp(image)
            found = journal_file.read(image)
            # Where a link leads to a file, that file is meant.
            write_whole(image.serialize(), place.resolve() if taken else place, replace=force)
    except FileExistsError as error:
        raise BackupError(f"{place} already exists: choose another one, or use --force") from error
    except OSError as error:
        raise BackupError(f"{place} cannot be written: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise BackupError(f"{database} cannot be saved: {error}") from error
    return Contents(len(found.keys.rows), len(found.handovers))


def restore(database: Path, place: Path) -> Contents:
    """Put a backup in the database's place; what was there is kept beside it. Raises BackupError."""
    lock = StoreLock(database)
    if holder := lock.take(time.time(), "motherstream restore", leave_name=False):
        raise BackupError(f"a daemon ({holder}) uses {database}: stop it first")
    try:
        return _restore(database, place)
    except OSError as error:
        raise BackupError(f"{database} cannot be written: {error.strerror or error}") from error
    finally:
        lock.release()


def _is_there(path: Path) -> bool:
    try:
        return is_there(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be reached: {error.strerror or error}") from error


def _restore(database: Path, place: Path) -> Contents:
    image, contents = _image(place)
    copy, database = Path(f"{database}.backup"), database.resolve()
    fresh = database.with_name(f"{database.name}.restored")
    owner = database if is_there(database) else database.parent
    write_whole(image, fresh, replace=True)
    if os.geteuid() == 0:
        like = owner.stat()
        os.chown(fresh, like.st_uid, like.st_gid)
    kept = name_aside(database, "replaced")
    there = is_there(database)
    # The log, too: it must never lie beside another database; and the copy, which is one of the database before.
    aside(database, kept)
    with suppress(FileNotFoundError):
        copy.rename(copy.with_name(f"{kept.name}.backup"))
    fresh.replace(database)
    return Contents(
        contents.streamers, contents.handovers, contents.age, kept if there else None, line_up=contents.line_up
    )


def _image(place: Path) -> tuple[bytes, Contents]:
    """What is to be put back, looked over. Raises BackupError."""
    try:
        if not stat.S_ISREG(place.stat().st_mode):
            raise BackupError(f"{place} is not a file")
        place.open("rb").close()  # SQLite does not say why it cannot
        uri = f"{place.absolute().as_uri()}?mode=ro"
        log = Path(f"{place}-wal")
        if not is_there(log) or not log.stat().st_size:
            # SQLite would write beside it, which it may not on a disk that is read-only.
            uri += "&immutable=1"
        with (
            closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db,
            closing(in_memory()) as image,
        ):
            db.backup(image)
            if not has_table(image, "snapshot") and not has_table(image, "streamer"):
                raise BackupError(f"{place} is not a Motherstream database")
            journal_file.check(image)
            age = journal_file.age(image) if has_table(image, "copied") else None
            image.execute("BEGIN")
            journal_file.make(image)
            found = journal_file.read(image)
            lives = found.state is not None or bool(found.events)
            keeps = lives and age is not None and age <= LINE_UP_KEEPS
            spare = NAMES_BESIDES + int((age or UNKNOWN_AGE) * NAMES_A_SECOND)
            if lives and not keeps:
                # With the events since its snapshot: settings may have changed by them.
                kept = journal_file.as_json(lasting(as_it_stood(found), spare))
                journal_file.write_state(image, journal_file.last_number(image), kept)
                image.execute("DELETE FROM stream")
            write_meta(image, "spare", str(spare))
            image.execute("COMMIT")
            contents = Contents(len(found.keys.rows), len(found.handovers), age, line_up=keeps)
            return image.serialize(), contents
    except OSError as error:
        raise BackupError(f"{place} cannot be read: {error.strerror or error}") from error
    except (sqlite3.Error, RulesError, KeyError, TypeError, ValueError) as error:
        raise BackupError(f"{place} cannot be used: {error}") from error


def _is_ours(database: Path, place: Path) -> bool:
    ends = ("", "-wal", "-shm", ".backup", ".lock")
    ours = {f"{name}{end}" for name in (database, database.resolve()) for end in ends}
    return place.resolve() in {Path(path).resolve() for path in ours}
