"""What a database is worth beside a store that daemons share, and how it becomes that of the store's channel."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from daemon.core.rows import read_meta, write_meta
from daemon.journal.database import EPOCH, STORE

Adopt = Callable[[sqlite3.Connection], None]
"""Puts in what the store has, in a transaction of the caller's. Raises sqlite3.Error."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file is worth."""

    epoch: int = 0
    """Of the store, in which it was written last; 0 where it never was."""
    store: str = ""
    """Which store that is."""
    last: int = 0
    """The number of the last event or snapshot in it."""
    whole: bool = False
    """It can be written, and nothing of it was lost in this run."""


def kept_of(db: sqlite3.Connection | None, last: int, *, whole: bool) -> Kept:
    """The same of an open file; nothing where it could not be opened. Raises sqlite3.Error."""
    if db is None:
        return Kept()
    epoch = read_meta(db, EPOCH) or ""
    return Kept(int(epoch) if epoch.isdecimal() else 0, read_meta(db, STORE) or "", last, whole)


def own(db: sqlite3.Connection, epoch: int, store: str, adopt: Adopt | None) -> None:
    """Note in which epoch of which store it is written from now on. Raises sqlite3.Error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if adopt is not None:
            adopt(db)
        write_meta(db, EPOCH, str(epoch))
        write_meta(db, STORE, store)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
