"""The last good copy of the database, beside it: a file that is found damaged costs neither the streamers' keys nor
the settings.

The copy holds what outlasts a show: keys (their hashes), settings, counters, the history. It holds no stream and no
session, of which some bear a key in plain text: what is overwritten in the database is in no copy of it either.
"""

import errno
import json
import os
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from daemon.journal_file import check
from daemon.streamers import is_damage, open_existing
from daemon.worker import Worker
from statemachine.errors import RulesError
from statemachine.snapshot import lasting

log = structlog.get_logger(__name__)

EVERY: Final = 3600.0
"""Seconds between two copies of a file that nobody but the daemon has changed."""
SETTLES: Final = 3.0
"""Seconds from a start, or a change of keys, to the copy."""
TRY_AGAIN: Final = 60.0
"""Seconds to the next try, where the copy could not be made."""
PATIENCE: Final = 1.0
NAMES_A_SECOND: Final = 10
"""More names of inputs than can have been used in a second since the copy was made."""
NAMES_BESIDES: Final = 1000
UNKNOWN_AGE: Final = 86_400.0
"""Seconds, where the clock says that the copy is yet to be made: it was set back, or is not set yet."""


class JournalCopy:
    """Makes the copy, and puts it in the place of a file that is damaged or gone."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        keys_known: Callable[[], bool],
        on_damage: Callable[[], None],
    ) -> None:
        """``keys_known``: somebody has newer keys than any copy, and writes them into a file that has none.

        ``on_damage`` is called, in any thread, when the file that was to be copied turns out to be damaged.
        """
        self._path = path
        self._place = path.with_name(f"{path.name}.backup")
        self._clock = clock
        self._keys_known = keys_known
        self._on_damage = on_damage
        self._due_at = clock() + SETTLES
        self._making = threading.Lock()
        self._under_way = False
        self._thread = Worker("journal-copy")
        self.problem = ""
        """Why the last copy could not be made; empty where it was."""

    # --- making it -------------------------------------------------------------------------------------------

    def is_due(self) -> bool:
        """Another one is to be made."""
        return self._clock() >= self._due_at and not self._under_way

    def soon(self) -> None:
        """Keys have changed. From any thread."""
        self._due_at = min(self._due_at, self._clock() + SETTLES)

    def begin(self, state: dict[str, Any]) -> None:
        """Make it in a thread of its own, which no write of the journal waits for. ``state``: the rules' snapshot."""
        self._under_way = True
        self._thread.submit(self.make, state)

    def make(self, state: dict[str, Any]) -> None:
        """Make it now. Never raises: trouble is told once and it is tried again later."""
        with self._making:
            # Ahead of the reading: what changes during it is for the next copy.
            self._due_at = self._clock() + EVERY
            try:
                _write(self._image(state), self._place)
            except Exception as error:  # whatever it is, the show does not depend on it
                self._due_at = self._clock() + TRY_AGAIN
                if not self.problem:
                    log.warning(
                        "no copy of the journal could be made: it is tried again, and the last good one is kept",
                        path=str(self._place),
                        error=str(error),
                    )
                self.problem = f"{self._place}: {error}"
                if is_damage(error):
                    self._on_damage()
            else:
                if self.problem:
                    log.info("the journal's copy is made again", path=str(self._place))
                self.problem = ""
            self._under_way = False

    def end(self) -> None:
        """Wait for a copy that is being made. No other one can be begun. May be repeated."""
        self._thread.stop()

    def _image(self, state: dict[str, Any]) -> bytes:
        """The bytes of the copy. They are made in memory: what it does not hold is not written to the disk at all."""
        kept = json.dumps(lasting(state), separators=(",", ":"))
        with closing(open_existing(self._path, PATIENCE)) as db, closing(_in_memory()) as image:
            # One step: it takes milliseconds, and beside a write-ahead log nobody waits for a reader.
            db.backup(image)
            check(image)
            image.execute("PRAGMA secure_delete=ON")
            image.execute("PRAGMA temp_store=MEMORY")  # VACUUM would use a file
            for table in ("event", "stream", "snapshot"):
                image.execute(f"DELETE FROM {table}")
            image.execute("INSERT INTO snapshot (id, seq, state) VALUES (1, 0, ?)", (kept,))
            image.execute("CREATE TABLE copied (at REAL NOT NULL)")
            image.execute("INSERT INTO copied VALUES (?)", (time.time(),))
            image.execute("VACUUM")
            return image.serialize()

    # --- coming back from it ---------------------------------------------------------------------------------

    def is_needed(self) -> bool:
        """There is a copy, and of its file not a byte. Raises OSError."""
        if not self._place.exists():
            return False
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return True
        return stat.S_ISREG(found.st_mode) and found.st_size == 0

    def stand_in(self, error: Exception) -> None:
        """Put the damaged file aside, and the copy in its place if it is good. Raises OSError.

        Where there is no room for that nothing is moved: it can be tried again.
        """
        aside = self._path.with_name(f"{self._path.name}.damaged-{int(time.time())}")
        restored = self._path.with_name(f"{self._path.name}.restored")
        there, keys_known = self._path.exists(), self._keys_known()
        found = self._good(without_keys=keys_known) if self._place.exists() else None
        if found is not None:
            _write(found[0], restored)
        elif self._place.exists():
            # Not to be overwritten by the next one: somebody may get something out of it.
            self._place.rename(f"{aside}.backup")
        # The log goes first: it must never lie beside another database.
        for suffix in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                Path(f"{self._path}{suffix}").rename(f"{aside}{suffix}")
        if found is None:
            log.error("the journal was damaged: it was put aside and begun anew", aside=str(aside), error=str(error))
            return
        restored.replace(self._path)
        _sync_folder(self._path)
        lost = "was damaged: it was put aside, and its" if there else "was gone: its"
        rest = (
            "What is in memory stays, and so do the keys that were read last; the rest is as of then"
            if keys_known
            else "Keys, settings and history are as of then; the line-up comes with hooks and lists"
        )
        log.error(
            f"the journal {lost} last good copy took its place. {rest}",
            copied_seconds_ago=round(found[1]),
            **({"aside": str(aside)} if there else {}),
            error=str(error),
        )

    def _good(self, *, without_keys: bool) -> tuple[bytes, float] | None:
        """What to put in the file's place, and how many seconds old it is. None where the copy is no good."""
        try:
            # Immutable: nothing is written beside it.
            uri = f"{self._place.absolute().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as db, closing(_in_memory()) as image:
                db.backup(image)
                check(image)
                age = time.time() - image.execute("SELECT at FROM copied").fetchone()[0]
                age = age if age >= 0 else UNKNOWN_AGE
                spare = NAMES_BESIDES + int(age * NAMES_A_SECOND)
                state = lasting(json.loads(image.execute("SELECT state FROM snapshot").fetchone()[0]), spare)
                image.execute("UPDATE snapshot SET state = ?", (json.dumps(state, separators=(",", ":")),))
                image.execute("DROP TABLE copied")
                if without_keys:
                    image.execute("DROP TABLE IF EXISTS streamer")
                return image.serialize(), age
        except (sqlite3.Error, RulesError, ValueError, TypeError, KeyError) as error:
            log.error("the journal's copy cannot be used", path=str(self._place), error=str(error))
            return None


def _in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def _write(image: bytes, place: Path) -> None:
    """Put a file there, whole or not at all, for nobody else to read. Raises OSError."""
    if shutil.disk_usage(place.parent).free < 2 * len(image):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the last of the room is not the copy's to take
    new = place.with_name(f"{place.name}.new")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        new.replace(place)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    _sync_folder(place)


def _sync_folder(place: Path) -> None:
    """Have a power cut find the file under its new name."""
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
