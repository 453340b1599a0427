"""What becomes of a database that is damaged: all that is sound in it, and the rest from its last good copy."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Final

from daemon.core.rows import read_meta, text, write_meta
from daemon.journal import database as journal_file
from daemon.journal.database import Found
from daemon.streamers.names import fold
from daemon.streamers.store import Keys, StreamerRow, insert, make_tables, read_keys, seal

HEADER: Final = b"SQLite format 3\x00"
PAGE: Final = 4096
"""Bytes of a page, in every file that the daemon makes."""


@dataclass(slots=True)
class Copied:
    """What the last good copy has."""

    found: Found
    age: float
    """Seconds."""


@dataclass(slots=True)
class Mended:
    """A database made of both, and how people are told of it."""

    image: bytes
    lost: list[str] = field(default_factory=list)
    """What is not as it was, each in some words."""
    used_copy: bool = False


def read_damaged(path: Path) -> Found:
    """What can be read of it, by SQLite as it is and of its bytes with a mended header. Never raises."""
    best = Found(problems=["nothing in it can be read"])
    for opened in (_as_it_is, _by_its_bytes):
        try:
            with opened(path) as db:
                found = _part_by_part(db)
        except (sqlite3.Error, OSError, ValueError, OverflowError, MemoryError):
            continue
        best = found if best.state is None and not best.keys.table else _joined(best, found)
        if not best.problems:
            break
    return best


def mend(found: Found, copied: Copied | None, known: tuple[StreamerRow, ...] | None) -> Mended:
    """Make a whole database of it. ``known`` are the keys that are in force, where somebody has them."""
    mended = Mended(b"")
    keys = _keys(found.keys, copied, mended) if known is None else Keys(known, True, "", found.keys.changes)
    state, seq, events = found.state, found.seq, found.events
    if state is None and copied is not None and copied.found.state is not None:
        state, mended.used_copy = copied.found.state, True
        # What came after is worth more than nothing: lists and hooks mend the rest.
        seq = 0
    if found.state is None:
        mended.lost.append("the line-up" if not events else "part of the line-up")
    handovers = dict(found.handovers)
    if copied is not None:
        for number, row in copied.found.handovers.items():
            mended.used_copy = mended.used_copy or number not in handovers
            handovers.setdefault(number, row)
    mended.lost += [problem for problem in found.problems if "streamers" not in problem]
    with closing(journal_file.in_memory()) as db:
        db.execute("BEGIN")
        journal_file.make(db)
        name = found.id or (copied.found.id if copied else "")
        if name:
            write_meta(db, "id", name)
        if state is not None:
            journal_file.write_state(db, seq, journal_file.as_json(state))
        # Without gaps: what is missing is missed once.
        bodies = [journal_file.event_row(number, body) for number, body in enumerate(events.values(), seq + 1)]
        db.executemany(journal_file.INSERT_EVENT, bodies)
        rows = [journal_file.handover_row(number, *row) for number, row in sorted(handovers.items())]
        db.executemany(journal_file.INSERT_HANDOVER, rows)
        db.executemany(journal_file.INSERT_STREAM, [journal_file.stream_row(*row) for row in found.streams.items()])
        if keys.table:
            make_tables(db)
            insert(db, keys.rows)
        seal(db, keys.changes + 1)
        db.execute("COMMIT")
        mended.image = db.serialize()
    return mended


# --- the keys ------------------------------------------------------------------------------------------------


def _keys(found: Keys, copied: Copied | None, mended: Mended) -> Keys:
    """Those of the file; what is missing of them as the copy has it, which is told unless it is certainly the same."""
    if found.table and not found.lost:
        return found
    if copied is None or not copied.found.keys.table:
        if found.lost or not found.table:
            mended.lost.append(f"keys ({found.lost or 'all of them'})")
        return found
    old = copied.found.keys
    mended.used_copy = True
    if found.changes == old.changes and found.changes and not old.lost:
        return old  # nothing was changed since
    newer = {fold(row.name): row for row in found.rows}
    back = [row for row in old.rows if fold(row.name) not in newer]
    rows = (*newer.values(), *back)
    names = ", ".join(sorted(row.name for row in back)) or "none"
    mended.lost.append(f"keys as of {copied.age:.0f} s ago: {names if found.rows else 'all'}")
    return Keys(_unlike(rows), True, "", max(found.changes, old.changes))


def _unlike(rows: tuple[StreamerRow, ...]) -> tuple[StreamerRow, ...]:
    """No two of them have a key in common: the first keeps it."""
    return tuple({row.key_hash: row for row in reversed(rows)}.values())


# --- the file ------------------------------------------------------------------------------------------------


@contextmanager
def _as_it_is(path: Path) -> Iterator[sqlite3.Connection]:
    """Raises sqlite3.Error. Nothing of it is changed, its log neither: where that needs it, it is read without."""
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
        with closing(db):
            try:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error:
                if "immutable" in mode:
                    raise
                continue
            yield db
            return


@contextmanager
def _by_its_bytes(path: Path) -> Iterator[sqlite3.Connection]:
    """The file alone, in memory, with a header that SQLite takes. Raises OSError, sqlite3.Error."""
    body = bytearray(path.read_bytes())
    if len(body) < PAGE:
        raise sqlite3.DatabaseError("it is too short")
    body[0:16] = HEADER
    body[16:24] = PAGE.to_bytes(2, "big") + bytes((1, 1, 0, 64, 32, 32))
    body[28:32] = (len(body) // PAGE).to_bytes(4, "big")
    body[32:40] = bytes(8)  # no page is free: none is used again
    body[44:48], body[56:60] = (4).to_bytes(4, "big"), (1).to_bytes(4, "big")
    body[92:96] = body[24:28]
    with closing(journal_file.in_memory()) as db:
        db.deserialize(bytes(body[: len(body) // PAGE * PAGE]))
        yield db


def _part_by_part(db: sqlite3.Connection) -> Found:
    """As ``journal_file.read``, but one part that cannot be read does not cost the others."""
    found = Found()
    db.text_factory = text

    def facts() -> None:
        found.id = read_meta(db, "id") or ""

    def keys() -> None:
        found.keys = read_keys(db)

    for part in (
        facts,
        keys,
        partial(journal_file.read_state, db, found),
        partial(journal_file.read_events, db, found),
        partial(journal_file.read_rest, db, found),
    ):
        try:
            part()
        except (sqlite3.Error, ValueError, OverflowError, TypeError) as error:
            found.problems.append(f"part of it cannot be read ({error})")
    return found


def _joined(one: Found, other: Found) -> Found:
    """Of each part the better one."""
    keys = other.keys if (one.keys.lost and not other.keys.lost) or not one.keys.table else one.keys
    base = one if other.state is None or (one.state is not None and one.seq >= other.seq) else other
    return Found(
        keys=keys,
        id=one.id or other.id,
        seq=base.seq,
        state=base.state,
        events={seq: body for seq, body in {**other.events, **one.events}.items() if seq > base.seq},
        handovers={**other.handovers, **one.handovers},
        streams={**other.streams, **one.streams},
        problems=one.problems,
    )


def name_aside(path: Path, why: str) -> Path:
    """A name beside the file, with the time in it, that nothing bears: what is put aside replaces nothing."""
    first = path.with_name(f"{path.name}.{why}-{int(time.time())}")
    for stem in chain((first,), (first.with_name(f"{first.name}-{number}") for number in count(2))):
        if not any(os.path.lexists(f"{stem}{end}") for end in ("", "-wal", ".backup")):
            return stem
    raise AssertionError("count() does not end")


def aside(path: Path, stem: Path) -> None:
    """Move the file and its log away. Raises OSError. The log goes first: it must never lie beside another database."""
    aside_log(path, stem)
    with suppress(FileNotFoundError):
        path.rename(stem)


def aside_log(path: Path, stem: Path) -> None:
    """Move its log away. Raises OSError. What SQLite makes anew, or has made for a look at it, is nobody's loss."""
    Path(f"{path}-shm").unlink(missing_ok=True)
    log = Path(f"{path}-wal")
    with suppress(FileNotFoundError):
        if log.stat().st_size:
            log.rename(f"{stem}-wal")
        else:
            log.unlink()
