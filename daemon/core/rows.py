"""Rows of the database that bear a mark of their content: what a disk has changed is found out, and not believed."""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

META: Final = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, mark INTEGER)"
"""Few facts about the database itself."""


def mark(*values: object) -> int:
    """CRC-32 of a row's values, which finds any flip of up to 32 bits in a row."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    return zlib.crc32(json.dumps(plain).encode())


def body_mark(number: int, body: str) -> int:
    """The same for a number and a long text, at a tenth of the cost: a hook waits for it."""
    return zlib.crc32(body.encode(), number & 0xFFFFFFFF)


def is_sound(found: object, expected: int) -> bool:
    """The mark is right, or the row is of a time before there were marks."""
    return found is None or found == expected


def text(raw: bytes) -> str:
    """For ``text_factory``: bytes that are no text are kept, and no mark fits them."""
    return raw.decode("utf-8", "surrogateescape")


def is_text(value: object) -> bool:
    """It is a str that holds nothing but text."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


@contextmanager
def consistent(db: sqlite3.Connection) -> Iterator[None]:
    """What is read within is of one moment, whoever writes meanwhile. Raises sqlite3.Error."""
    ours = not db.in_transaction
    if ours:
        db.execute("BEGIN")
    try:
        yield
    finally:
        if ours and db.in_transaction:
            db.execute("ROLLBACK")


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """There is such a table. Raises sqlite3.Error."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None


def has_column(db: sqlite3.Connection, table: str, name: str) -> bool:
    """The table has it. Raises sqlite3.Error."""
    found = db.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, name)).fetchone()
    return found is not None


def readable(
    db: sqlite3.Connection, table: str, columns: str, key: str, problems: list[str]
) -> Iterator[tuple[Any, ...]]:
    """A table's rows by their key, as far as they can be read: from the one end, and then from the other."""
    seen: set[object] = set()
    rows = f"SELECT {key}, {columns} FROM {table} ORDER BY {key}"  # noqa: S608  # names of our own, never a value
    for order in ("ASC", "DESC"):
        try:
            for number, *values in db.execute(f"{rows} {order}"):
                if number not in seen:
                    seen.add(number)
                    yield (number, *values)
            return
        except (sqlite3.Error, OverflowError, MemoryError):
            if order == "ASC":
                problems.append(f"part of the table {table} cannot be read")


def read_meta(db: sqlite3.Connection, key: str) -> str | None:
    """A fact; None where there is none, or it is damaged. Raises sqlite3.Error."""
    if not has_table(db, "meta"):
        return None
    with_mark = "SELECT value, mark FROM meta WHERE key = ?"
    without = "SELECT value, NULL FROM meta WHERE key = ?"
    row = db.execute(with_mark if has_column(db, "meta", "mark") else without, (key,)).fetchone()
    if row is None or not is_text(row[0]) or not is_sound(row[1], mark(key, row[0])):
        return None
    return str(row[0])


def write_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a fact. Raises sqlite3.Error."""
    db.execute("INSERT OR REPLACE INTO meta (key, value, mark) VALUES (?, ?, ?)", (key, value, mark(key, value)))


def make_meta(db: sqlite3.Connection) -> None:
    """Make the table of them where there is none. Raises sqlite3.Error."""
    db.execute(META)
    if not has_column(db, "meta", "mark"):
        db.execute("ALTER TABLE meta ADD COLUMN mark INTEGER")
