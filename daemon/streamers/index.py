"""The streamers' keys in memory, for the hooks: a publisher waits for the answer, so no look-up reads a file.

A thread of its own looks at the file again and again, which costs microseconds, and reads it when somebody (the
command line, mostly) has changed it; at once when a publisher comes with a key that is not known, which may have been
made a moment ago. Trouble with the file takes no key away: the last known ones stay in force.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from daemon.core.ports import Streamer
from daemon.streamers.names import fold
from daemon.streamers.store import (
    StreamerError,
    StreamerRow,
    StreamerStore,
    hash_key,
    is_damage,
    open_existing,
    open_to_read,
    read_keys,
)

log = structlog.get_logger(__name__)

LOOK_EVERY: Final = 0.75
"""Seconds between two looks at the file: what was changed is in force within one."""
LOCK_PATIENCE: Final = 0.25
"""Seconds that a look waits for somebody else's write to end."""
ASKED_EVERY: Final = 0.1
"""Seconds between two looks that are asked for, however many ask."""
CATCH_UP_WITHIN: Final = 0.5
"""Seconds that a publisher with an unknown key waits at most: a disk that hangs must not hold its answer up."""
MOST_ASKERS: Final = 50
"""Publishers who wait for a look at a time. Who makes up keys by the thousand is refused at once."""
LONGEST_KEY: Final = 128


class StreamerIndex:
    """The ``KeyLookup`` of the daemon. ``start`` before hooks are answered, ``stop`` at the end."""

    def __init__(
        self, path: Path, *, on_change: Callable[[], None] | None = None, on_damage: Callable[[], None] | None = None
    ) -> None:
        """``on_change`` is called by the index's thread when another set of streamers has come into force; so is
        ``on_damage`` when the file turns out to be damaged: others write it, and may not see that."""
        self._path = path
        self._on_change, self._on_damage = on_change, on_damage
        self._rows: tuple[StreamerRow, ...] = ()
        self._by_hash: dict[bytes, Streamer] = {}
        self._by_name: dict[str, Streamer] = {}
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._version: int | None = None
        self._read = False
        self._looking = threading.Lock()
        self._stopped = False
        self._wake = threading.Event()
        self._askers: list[Callable[[], None]] = []
        """Whom to tell once the file has been looked at. Only with ``_asking``."""
        self._asking = threading.Lock()
        self._look_began: float | None = None
        """While the thread looks at the file, by ``time.monotonic``."""
        self._thread: threading.Thread | None = None
        self.problem = ""
        """Why the file cannot be read right now; empty while all is well."""

    # --- look-ups, from any thread ---------------------------------------------------------------------------

    def find(self, key: str) -> Streamer | None:
        """Whose key it is; None where it is nobody's. Microseconds, and no secret in its timing.

        What is looked for is the key's hash. How far a guessed hash agrees with a kept one may show in the time of a
        look-up, but it says nothing about the key: a hash that agrees further does not come from a key that does.
        """
        return self._by_hash.get(hash_key(key)) if len(key) <= LONGEST_KEY else None

    def named(self, name: str) -> Streamer | None:
        """The streamer whom people would take for one of that name; None where there is none."""
        return self._by_name.get(fold(name))

    @property
    def unreadable(self) -> bool:
        """Nobody can tell whose key it is: the file has not been read in this run."""
        return bool(self.problem) and not self._rows and not self._read

    def is_empty(self) -> bool:
        """There is no streamer at all. Not so while that cannot be told."""
        return not self._by_hash and not self.problem

    def all(self) -> tuple[Streamer, ...]:
        """The streamers in force."""
        return tuple(self._by_hash.values())

    def known(self) -> tuple[StreamerRow, ...] | None:
        """The streamers in force, if they have been read from the file: then no copy of it has newer ones."""
        return self._rows if self._read else None

    async def catch_up(self) -> None:
        """See what was changed before this call: a look at the file, for which publishers wait together.

        Gives up after ``CATCH_UP_WITHIN``. Nobody waits where nobody follows the file, where a look hangs already, or
        where ``MOST_ASKERS`` do.
        """
        loop, looked = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(looked.set)

        if self._asked_for(tell):
            with suppress(TimeoutError):
                await asyncio.wait_for(looked.wait(), CATCH_UP_WITHIN)

    def _asked_for(self, tell: Callable[[], None]) -> bool:
        began = self._look_began
        hangs = began is not None and time.monotonic() > began + CATCH_UP_WITHIN
        with self._asking:
            if self._thread is None or self._stopped or hangs or len(self._askers) >= MOST_ASKERS:
                return False
            self._askers.append(tell)
        self._wake.set()
        return True

    # --- following the file ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the file, which takes milliseconds, and follow it from then on."""
        self.refresh()
        self._stopped = False
        self._thread = threading.Thread(target=self._follow, name="streamers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the file go. May be repeated; the keys stay in force."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        with self._looking:
            self._close()

    def refresh(self) -> None:
        """Look at the file now. Never raises: trouble is told in ``problem`` and in the log."""
        with self._looking:
            try:
                changed = self._look()
            except (sqlite3.Error, OSError, StreamerError) as error:
                self._close()
                self._fail(str(getattr(error, "strerror", "") or error))
                if not self._rows and not is_damage(error):
                    self._read_without_writing()
                if is_damage(error) and self._on_damage is not None:
                    self._on_damage()
                return
            if self.problem:
                log.info("the streamers' keys can be read again", path=str(self._path))
                self.problem = ""
        if changed:
            log.info("streamers' keys read", streamers=len(self._rows))
            if self._on_change is not None:
                self._on_change()

    def _follow(self) -> None:
        while not self._stopped:
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()
            askers = self._take_askers()
            self._look_once()
            for tell in askers:
                tell()
            if askers:
                time.sleep(ASKED_EVERY)
        for tell in self._take_askers():
            tell()

    def _take_askers(self) -> list[Callable[[], None]]:
        with self._asking:
            askers, self._askers = self._askers, []
            return askers

    def _look_once(self) -> None:
        self._look_began = time.monotonic()
        try:
            self.refresh()
        except Exception:  # somebody's on_change: the keys have to be followed all the same
            log.exception("a change of the streamers could not be passed on")
        self._look_began = None

    def _look(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._rows:
                raise
            self._close()
            return False
        # Another file of that name: the journal puts a damaged one aside and begins anew.
        if self._db is None or self._file != (found.st_dev, found.st_ino):
            self._close()
            self._db = open_existing(self._path, LOCK_PATIENCE)
            self._file = (found.st_dev, found.st_ino)
        # Changes whenever another connection has committed: https://sqlite.org/pragma.html#pragma_data_version
        # It is asked for first, so that a change during the reading is found by the next look.
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        keys = read_keys(self._db)
        if not keys.table and not keys.lost and self._rows:
            StreamerStore(self._path).put_back(self._rows)
            log.warning("the database was started empty: the streamers' keys were restored", streamers=len(self._rows))
            keys = read_keys(self._db)
        if keys.lost:
            if not self._read:
                # Some are better than none; those that are known otherwise are better than these.
                self._take(keys.rows)
            raise sqlite3.DatabaseError(keys.lost)
        self._version, self._read = version, self._read or keys.table
        return self._take(keys.rows)

    def _take(self, rows: tuple[StreamerRow, ...]) -> bool:
        if set(rows) == set(self._rows):
            return False
        # One assignment each: a look-up in another thread sees the old ones or the new ones.
        self._rows = rows
        self._by_hash = {row.key_hash: Streamer(row.name, row.turn, row.enabled) for row in rows}
        self._by_name = {fold(each.name): each for each in self._by_hash.values()}
        return True

    def _read_without_writing(self) -> None:
        """At a start on a disk that is read-only: keys that can be read are better than nobody's."""
        try:
            db = open_to_read(self._path, LOCK_PATIENCE)
            try:
                keys = read_keys(db)
            finally:
                db.close()
        except (sqlite3.Error, OSError):
            return
        if self._take(keys.rows):
            log.warning("the streamers' keys can be read, but their file cannot be written", streamers=len(keys.rows))

    def _fail(self, why: str) -> None:
        if not self.problem:
            log.error(
                "the streamers' keys cannot be read: the known ones stay valid",
                path=str(self._path),
                streamers=len(self._rows),
                error=why,
            )
        self.problem = f"{self._path}: {why}"

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = self._file = self._version = None
