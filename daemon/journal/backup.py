"""The last good copy of the database, beside it: a file that is found damaged costs neither the streamers' keys nor
the settings.

The copy holds what outlasts a show: keys (their hashes), settings, counters, the history. It holds no stream and no
session, of which some bear a key in plain text: what is overwritten in the database is in no copy of it either.
"""

import errno
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from daemon.core.files import is_there
from daemon.core.worker import Worker
from daemon.journal import database as journal_file
from daemon.journal.database import as_json, check, in_memory
from daemon.journal.salvage import Copied, Mended, aside, mend, name_aside, read_damaged
from daemon.streamers.store import StreamerRow, is_damage, open_existing
from statemachine.errors import RulesError
from statemachine.snapshot import lasting

log = structlog.get_logger(__name__)

COPY_EVERY: Final = 3600.0
"""Seconds between two copies of a file that nobody but the daemon has changed."""
SETTLES: Final = 3.0
"""Seconds from a start, or a change of keys, to the copy."""
TRY_AGAIN: Final = 60.0
"""Seconds to the next try, where the copy could not be made."""
LOCK_PATIENCE: Final = 1.0
"""Seconds that a copy waits for somebody else's write to end."""
NAMES_A_SECOND: Final = 10
"""More names of inputs than can have been used in a second since the copy was made."""
NAMES_BESIDES: Final = 1000
UNKNOWN_AGE: Final = 86_400.0
"""Seconds that are taken for it where nobody knows how old a copy is."""


class JournalCopy:
    """Makes the copy, and puts it in the place of a file that is damaged or gone."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        on_damage: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """``on_damage`` is called, in any thread, when the file that was to be copied turns out to be damaged; ``tell``
        with what that has cost, for people.
        """
        self._path = path
        self._place = path.with_name(f"{path.name}.backup")
        self._clock = clock
        self._known_keys: Callable[[], tuple[StreamerRow, ...] | None] = lambda: None
        self._on_damage = on_damage
        self._due_at = clock() + SETTLES
        self._making = threading.Lock()
        self._under_way = False
        self._thread = Worker("journal-copy")
        self.problem = ""
        """Why the last copy could not be made; empty where it was."""
        self.mended: Mended | None = None
        """What the last damage has cost, if there was any in this run."""
        self._tell = tell

    def use_keys(self, known: Callable[[], tuple[StreamerRow, ...] | None]) -> None:
        """``known`` tells those in force, where somebody has them: they are newer than any copy's."""
        self._known_keys = known

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
            self._due_at = self._clock() + COPY_EVERY
            try:
                write_whole(self._image(state), self._place)
            except Exception as error:  # whatever it is, the show does not depend on it
                self._due_at = self._clock() + TRY_AGAIN
                if not self.problem:
                    log.warning(
                        "the journal could not be backed up: retrying; the last good copy is kept",
                        path=str(self._place),
                        error=str(error),
                    )
                self.problem = f"{self._place}: {error}"
                if is_damage(error):
                    self._on_damage()
            else:
                if self.problem:
                    log.info("the journal can be backed up again", path=str(self._place))
                self.problem = ""
            self._under_way = False

    def end(self) -> None:
        """Wait for a copy that is being made. No other one can be begun. May be repeated."""
        self._thread.stop()

    def _image(self, state: dict[str, Any]) -> bytes:
        """The bytes of the copy. They are made in memory: what it does not hold is not written to the disk at all."""
        kept = as_json(lasting(state))
        with closing(open_existing(self._path, LOCK_PATIENCE)) as db, closing(in_memory()) as image:
            # One step: it takes milliseconds, and beside a write-ahead log nobody waits for a reader.
            db.backup(image)
            check(image)
            image.execute("PRAGMA secure_delete=ON")
            image.execute("PRAGMA temp_store=MEMORY")  # VACUUM would use a file
            for emptying in ("DELETE FROM event", "DELETE FROM stream", "DELETE FROM snapshot"):
                image.execute(emptying)
            journal_file.write_state(image, 0, kept)
            journal_file.stamp(image)
            image.execute("VACUUM")
            return image.serialize()

    # --- coming back from it ---------------------------------------------------------------------------------

    def is_needed(self) -> bool:
        """There is a copy, and of its file not a byte. Raises OSError."""
        if not is_there(self._place):
            return False
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return True
        return stat.S_ISREG(found.st_mode) and found.st_size == 0

    def restore_backup(self, error: Exception) -> None:
        """Put the damaged file aside, and in its place what is sound of it, and what the copy has of the rest.

        Raises OSError; where there is no room for that nothing is moved: it can be tried again.
        """
        stem = name_aside(self._path, "damaged")
        fresh = self._path.with_name(f"{self._path.name}.restored")
        there, known = is_there(self._path), self._known_keys()
        found = read_damaged(self._path)
        copied = self.read()
        mended = mend(found, copied, known)
        write_whole(mended.image, fresh)
        if copied is None and is_there(self._place):
            # Not to be overwritten by the next one: somebody may get something out of it.
            self._place.rename(f"{stem}.backup")
        aside(self._path, stem)
        fresh.replace(self._path)
        _sync_folder(self._path)
        self.mended = mended
        notice = self._notice(there, bool(found.state or found.keys.table), mended, copied)
        self._tell(notice)
        log.error(
            notice,
            **({"copied_seconds_ago": round(copied.age)} if copied and mended.used_copy else {}),
            **({"aside": str(stem)} if there else {}),
            lost=mended.lost,
            error=str(error),
        )

    def _notice(self, there: bool, readable: bool, mended: Mended, copied: Copied | None) -> str:
        was = "the journal was damaged: it was quarantined" if there else "the journal was missing"
        if not readable and copied is None:
            return f"{was}, and a new one started empty. Lost: {'; '.join(mended.lost)}"
        and_ = f"{was}, and" if there else f"{was}:"
        if not readable:
            rest = (
                "What is in memory is kept, as are the keys that were read last; the rest is as of that copy"
                if self._known_keys() is not None
                else "Keys, settings and history are as of that copy; hooks and lists rebuild the line-up"
            )
            return f"{and_} its last good copy took its place. {rest}"
        also = " and the rest from its last good copy" if mended.used_copy else ""
        lost = f". Lost or older: {'; '.join(mended.lost)}" if mended.lost else ". Nothing is lost"
        return f"{and_} its intact parts{also} took its place{lost}"

    def read(self) -> Copied | None:
        """What the copy holds. None where there is none, or it is no good."""
        if not is_there(self._place):
            return None
        try:
            # Immutable: nothing is written beside it.
            uri = f"{self._place.absolute().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(uri, uri=True)) as db, closing(in_memory()) as image:
                db.backup(image)
                check(image)
                age = journal_file.age(image)
                if age is None:
                    age = UNKNOWN_AGE
                spare = NAMES_BESIDES + int(age * NAMES_A_SECOND)
                found = journal_file.read(image)
                if found.state is not None:
                    found.state = lasting(found.state, spare)
                return Copied(found, age)
        except (sqlite3.Error, RulesError, ValueError, TypeError, KeyError, OverflowError) as error:
            log.error("the journal's backup copy cannot be used", path=str(self._place), error=str(error))
            return None


def write_whole(image: bytes, place: Path, *, replace: bool = True) -> None:
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
        if replace:
            new.replace(place)
        else:
            os.link(new, place)  # which fails where there is one
            new.unlink()
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
