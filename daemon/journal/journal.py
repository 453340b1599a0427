"""What outlives a crash: the events since the last snapshot, appended before their commands are carried out.

Snapshot and events are enough: the rules are pure, so replaying them gives the state of the moment of the crash.
One thread owns the database. When the file cannot be written the show goes on without it; a complete
snapshot is written as soon as it can be again.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from daemon.core.ports import HandoverRow
from daemon.core.rows import read_meta, write_meta
from daemon.core.worker import Worker
from daemon.journal import database as journal_file
from daemon.journal.backup import NAMES_BESIDES, JournalCopy
from daemon.journal.database import INSERT_HANDOVER, as_json, event_row, handover_row, insert_events
from daemon.journal.lock import StoreLock
from daemon.journal.news import DatabaseNews
from daemon.journal.queue import Write, WriteQueue
from daemon.journal.replay import in_our_time, restored
from daemon.journal.salvage import read_damaged
from daemon.journal.sharing import Adopt, Kept, kept_of, own
from daemon.journal.strange import put_strange_log_aside
from daemon.journal.streams import KeptStreams, write_streams
from daemon.streamers.store import StreamerRow, is_damage
from statemachine import events as ev
from statemachine.codec import event_to_plain
from statemachine.director import Director
from statemachine.errors import RulesError
from statemachine.snapshot import skipping

log = structlog.get_logger(__name__)

SNAPSHOT_EVERY = 1000
"""Events between two snapshots: what a restart replays at most."""
HANGS_AFTER = 2.0
"""Seconds after which a write that is not done is told as trouble."""
LOOK_EVERY = 5.0
"""Seconds until the file is looked at again where nothing is to be written."""
RETRY_EVERY = 5.0
"""Seconds between two tries to open a file that failed."""
SNAPSHOT_BYTES = 1_000_000
"""Characters of events between two snapshots at most."""
STEP = 2.0
"""Seconds by which the wall clock has to step to be noticed."""
HISTORY_KEPT = 10_000
UNWRITTEN_KEPT = 1000
"""Lines of the history that wait in memory while the file cannot be written."""


class Journal:
    """The database file. Methods may be called from the event loop; the work is done in the journal's own thread."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        lock: StoreLock | None = None,
    ) -> None:
        self._path = path
        self._lock = lock
        self.news = DatabaseNews()
        self._ahead = 0.0
        self._now: Callable[[], float] | None = None
        self._log_path = path.with_name(f"{path.name}-wal")
        self._clock = clock
        self._thread = Worker("journal")
        self._db: sqlite3.Connection | None = None
        self._seq = 0
        self._since_snapshot = 0
        self._bytes = 0
        self._retry_at = 0.0
        self._looked_at = float("-inf")
        self._files: list[tuple[int, int]] = []
        self._unwritten: deque[HandoverRow] = deque(maxlen=UNWRITTEN_KEPT)
        self._streams = KeptStreams()
        self._copy = JournalCopy(path, clock, self.distrust, self.news.add)
        self.problem = ""
        """Why the file cannot be used right now; empty while all is well."""
        self.wrote: Callable[[], None] = lambda: None
        """Called in the journal's thread after each write: what is shared with other daemons is read there."""
        self.id = ""
        """The database's own random name, which its copies share: marks what is ours. Known from ``open`` on."""
        self._writes = WriteQueue(self._thread, clock)
        self._held: deque[HandoverRow] = deque(maxlen=UNWRITTEN_KEPT)

    @property
    def last(self) -> int:
        """The number of the last event or snapshot that was written."""
        return self._seq

    @property
    def trouble(self) -> str:
        """Why what happens now may be forgotten, for people; empty while all is well."""
        waited = self._writes.late_for
        if self.problem or waited < HANGS_AFTER:
            return self.problem
        return f"{self._path}: the disk has not answered for {waited:.0f} s"

    @property
    def notice(self) -> str:
        """What was lost when the file was found damaged in this run, for people; empty where it was not."""
        return self.news.text

    def use_keys(self, known: Callable[[], tuple[StreamerRow, ...] | None]) -> None:
        """``known`` tells the streamers' keys that are in force, None while nobody knows them."""
        self._copy.use_keys(known)

    # --- starting and stopping -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the file. One that is damaged is put aside and told, and its copy takes its place where there is one.

        One that cannot be written is tried again.
        """
        await self._run(put_strange_log_aside, self._path, self._lock, self.news)
        await self._run(self._open)
        # Nothing can be read: what is marked in this run is at least this run's.
        self.id = self.id or journal_file.new_id()

    async def close(self) -> None:
        """Finish what is queued and close."""
        await self._run(self._copy.end)
        await self._run(self._close)
        self._thread.stop()

    async def restore(self, fresh: Callable[[], Director]) -> Director:
        """The director as it was at the last event that was written; a fresh one where there is none."""
        found: journal_file.Found = await self._run(self._load)
        back = restored(found, self._copy.read, fresh)
        self._ahead = found.ahead
        lost = self._copy.mended is not None or self.news.cut_short or found.spare > 0
        if lost:
            # An event that is lost, or that came after what was put back, may have used a name.
            back.director = Director.restore(skipping(back.director.snapshot(), max(NAMES_BESIDES, found.spare)))
        if back.passed_over or lost:
            # At once: what comes now must not be lost behind what cannot be read.
            await self.save(back.director.snapshot())
        elif found.events or found.state is not None:
            log.info("journal restored", events=len(found.events))
        return back.director

    async def kept(self) -> Kept:
        """What the file is worth beside a shared store."""
        whole = not (self.problem or self._copy.mended or self.news.cut_short)
        kept: Kept = await self._run(lambda: kept_of(self._db, self._seq, whole=whole))
        return kept

    async def own(self, epoch: int, store: str, adopt: Adopt | None = None) -> None:
        """From now on it is written in that epoch of that store; ``adopt`` first puts in what the store has."""
        await self._run(self._own, epoch, store, adopt)
        self._since_snapshot = self._bytes = 0

    async def skip_to(self, number: int) -> None:
        """Have what comes take numbers after that one, with a snapshot that stands for all before it."""
        await self._run(lambda: setattr(self, "_seq", max(self._seq, number)))
        self._since_snapshot = SNAPSHOT_EVERY

    async def in_our_time(self, director: Director) -> Director:
        """What was restored, moved to the present where the clock was wrong when it was kept, or is now."""
        moved = in_our_time(director, self._ahead, time.time())
        if moved is not director:
            self._thread.submit(self._keep_ahead, 0.0)
            await self.save(moved.snapshot())
        return moved

    def watch(self, now: Callable[[], float]) -> None:
        """Keep by how much the wall clock differs from the rules' time, which a step of it changes."""
        self._now = now

    # --- writing ---------------------------------------------------------------------------------------------

    async def append(
        self,
        events: Sequence[ev.Event],
        snapshot: Callable[[], dict[str, Any]],
        handovers: Sequence[HandoverRow] = (),
    ) -> asyncio.Future[None] | None:
        """Write the events of one step, and what the history tells of it. Never raises.

        None once it is written (or the file is in trouble); where the disk is late, the write that is under way.
        """
        if self.problem and self._clock() < self._retry_at:
            if handovers:
                self._thread.submit(self._unwritten.extend, handovers)
            return None
        if self._writes.is_full:
            self._held.extend(handovers)
            return self._writes.behind(lambda: self._catch_up(snapshot))
        was_well = not self.problem
        if was_well:
            if self._now is not None and abs((ahead := time.time() - self._now()) - self._ahead) > STEP:
                self._ahead = ahead
                self._thread.submit(self._keep_ahead, ahead)
            bodies = [as_json(event_to_plain(event)) for event in events]
            self._since_snapshot += len(events)
            self._bytes += sum(map(len, bodies))
            state = None
            if self._since_snapshot >= SNAPSHOT_EVERY or self._bytes >= SNAPSHOT_BYTES:
                state, self._since_snapshot, self._bytes = snapshot(), 0, 0
            late = await self._write(bodies, state, handovers)
            if late is not None or not self.problem:
                # Looked for here, and not on a timer: an event comes every few seconds.
                if late is None and self._copy.is_due():
                    self._copy.begin(state or snapshot())
                return late
            handovers = ()  # the thread has kept them
        # The first try to mend it is made at once: what is answered after this step has to be in the file.
        return await self._writes.put(self._reopen_with, snapshot(), handovers)

    async def _write(
        self, bodies: list[str], state: dict[str, Any] | None, handovers: Sequence[HandoverRow]
    ) -> asyncio.Future[None] | None:
        """What there is; where nothing is to be written, the file is looked at now and then all the same."""
        now = self._clock()
        if bodies or handovers or state is not None:
            self._looked_at = now
            return await self._writes.put(self._append, bodies, state, handovers)
        if now < self._looked_at + LOOK_EVERY and not self._writes.late_for:
            return None
        self._looked_at = now
        return await self._writes.put(self._guarded, lambda db: None)

    def _catch_up(self, snapshot: Callable[[], dict[str, Any]]) -> Write:
        """What stands for all that could not be put into the queue."""
        held, self._held = tuple(self._held), deque(maxlen=UNWRITTEN_KEPT)
        self._since_snapshot = self._bytes = 0
        if self.problem:
            return self._reopen_with, (snapshot(), held)
        return self._append, ([], snapshot(), held)

    async def save(self, snapshot: dict[str, Any]) -> None:
        """Write a snapshot that makes the events before it unnecessary."""
        await self._writes.put(self._append, [], snapshot)

    async def finish(self, snapshot: dict[str, Any]) -> None:
        """The last snapshot, and a copy of the file as it is then."""
        # Where there was a problem there may be room again, and there is no later try.
        await (self._writes.put(self._reopen_with, snapshot, ()) if self.problem else self.save(snapshot))
        if not self.problem:
            await self._run(self._copy.make, snapshot)

    def keys_changed(self) -> None:
        """Have the copy made anew soon. From any thread."""
        self._copy.soon()

    async def handovers(self, count: int) -> list[dict[str, Any]]:
        """The last hand-overs, newest first."""
        rows: list[dict[str, Any]] = await self._run(self._handovers, count)
        return rows

    def distrust(self) -> None:
        """Somebody found the file damaged: look at it anew with the next event. From any thread."""
        self._thread.submit(self._doubt)

    def keep_stream(self, session: str, body: dict[str, Any] | None) -> None:
        """Remember (or forget) what a session is played with; needed where the play URL bears more than its name."""
        if self._streams.change(session, body):
            self._thread.submit(self._keep_streams)

    async def streams(self) -> dict[str, dict[str, Any]]:
        """What ``keep_stream`` was told."""
        kept: dict[str, dict[str, Any]] = await self._run(self._kept_streams)
        return kept

    # --- in the thread ---------------------------------------------------------------------------------------

    def _note(self, runs: list[str], cookie: int) -> None:
        if self._lock is not None:
            with suppress(OSError):
                self._lock.note(runs=runs, cookie=cookie)

    def _open(self) -> None:
        if self._try_to_open():
            self.problem = ""

    def _try_to_open(self) -> bool:
        try:
            self._connect()
        except (sqlite3.Error, OSError) as error:
            if not (isinstance(error, sqlite3.DatabaseError) and is_damage(error)):
                self._fail(error)
                return False
            try:
                self._copy.restore_backup(error)
                self._connect()
            except (OSError, sqlite3.Error, RulesError, ValueError, OverflowError) as again:
                self._fail(again)
                return False
        return True

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._copy.is_needed():
            raise sqlite3.DatabaseError("the file is missing or empty")
        db = journal_file.open_writable(self._path, self._note, self.news.log_was_cut_short)
        try:
            # Also of a file that was begun anew: a number that was used is used once.
            self._seq = max(self._seq, journal_file.last_number(db))
            self.id = read_meta(db, "id") or ""
            self._files = self._identity()
        except BaseException:
            db.close()
            raise
        self._db = db

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _load(self) -> journal_file.Found:
        if self._db is not None:
            with suppress(sqlite3.Error):
                return journal_file.read(self._db)
        # A full disk, or one that is mounted read-only: a restart need not forget what can still be read.
        found = read_damaged(self._path)
        if found.state is not None or found.events:
            self._streams.all = journal_file.plain_streams(found)
            log.warning("the journal can be read but not written", path=str(self._path))
        self.id = found.id or self.id
        return found

    def _append(self, bodies: list[str], state: dict[str, Any] | None, handovers: Sequence[HandoverRow] = ()) -> None:
        self._unwritten.extend(handovers)
        try:
            db = self._usable()
            # A snapshot takes a number, too: it may tell more than the events before it.
            seq = self._seq + len(bodies) + (state is not None)
            values = [value for i, body in enumerate(bodies, 1) for value in event_row(self._seq + i, body)]
            if bodies and state is None and not self._unwritten:
                # A transaction by itself: one wait for the interpreter's lock, which the event loop holds, and not
                # one for each row and three besides.
                db.execute(insert_events(len(bodies)), values)
                self._seq = seq
                self.wrote()
                return
            db.execute("BEGIN")
            if bodies:
                db.execute(insert_events(len(bodies)), values)
            if state is not None:
                journal_file.write_state(db, seq, as_json(state))
            if self._unwritten:
                rows = [handover_row(None, float(at), as_json(body)) for at, body in self._unwritten]
                db.executemany(INSERT_HANDOVER, rows)
                db.execute("DELETE FROM handover WHERE id <= (SELECT max(id) FROM handover) - ?", (HISTORY_KEPT,))
            db.execute("COMMIT")
            self._seq = seq
            self._unwritten.clear()
            self.wrote()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _guarded(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do it with the file, if that can be used; where it is nothing, what is amiss is found out all the same."""
        try:
            work(self._usable())
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _own(self, epoch: int, store: str, adopt: Adopt | None) -> None:
        self._guarded(lambda db: own(db, epoch, store, adopt))
        if adopt is not None and self._db is not None:
            self._seq = journal_file.last_number(self._db)
            self._streams.all = journal_file.read_streams(self._db)

    def _usable(self) -> sqlite3.Connection:
        """The connection, if the file that it writes is still the one of that name."""
        if self._db is None:
            raise sqlite3.OperationalError(self.problem or "the file is not open")
        if self._identity() != self._files:
            raise sqlite3.OperationalError("it was replaced by another file")
        return self._db

    def _identity(self) -> list[tuple[int, int]]:
        """Which files these are: the database, and the write-ahead log without which half of it is missing."""
        found = [self._path.stat()]
        with suppress(FileNotFoundError):  # a file system without shared memory has none: SQLite does without
            found.append(self._log_path.stat())
        return [(file.st_dev, file.st_ino) for file in found]

    def _reopen_with(self, state: dict[str, Any], handovers: Sequence[HandoverRow]) -> None:
        if not self._try_to_open():
            self._unwritten.extend(handovers)
            return
        self._append([], state, handovers)
        self._guarded(self._streams.write_all)
        if self._db is not None:
            # Not before all that happened meanwhile is in the file: whoever reads it may restart the daemon.
            self.problem = ""
            log.info("the journal can be written again", path=str(self._path))

    def _handovers(self, count: int) -> list[dict[str, Any]]:
        newest = [body for _, body in reversed(self._unwritten)][:count]
        try:
            if self._db is not None:
                rows = self._db.execute("SELECT body FROM handover ORDER BY id DESC LIMIT ?", (count - len(newest),))
                newest += [read for (body,) in rows if (read := journal_file.plain(body)) is not None]
        except sqlite3.Error as error:
            self._fail(error)
        return newest

    def _keep_ahead(self, seconds: float) -> None:
        self._ahead = seconds
        self._guarded(lambda db: write_meta(db, "ahead", str(seconds)))

    def _keep_streams(self) -> None:
        changes = self._streams.take()
        if self._db is not None:
            self._guarded(lambda db: write_streams(db, changes))
            self.wrote()

    def _kept_streams(self) -> dict[str, dict[str, Any]]:
        try:
            if self._db is not None:
                self._streams.all = journal_file.read_streams(self._db)
        except (sqlite3.Error, ValueError) as error:
            self._fail(error)
        return dict(self._streams.all)

    def _fail(self, error: Exception, retry_in: float = RETRY_EVERY) -> None:
        if not self.problem:
            log.error(
                "the journal cannot be written: the show goes on, but a restart would forget the line-up",
                path=str(self._path),
                error=str(error),
            )
        # The event loop reads both: never an old time with a new problem.
        self._retry_at = self._clock() + retry_in
        self.problem = f"{self._path}: {error}"
        self._close()

    def _doubt(self) -> None:
        if not self.problem:
            self._fail(sqlite3.DatabaseError("database disk image is malformed"), retry_in=0.0)

    # --- helpers ---------------------------------------------------------------------------------------------

    async def _run(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self._thread.run(work, *args)
