"""Hands the readings to a thread that writes the reports. Whatever the disk does, nobody waits for it."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from daemon.health.history import HealthReading
from daemon.health.report import append, hour_of, paint, path_of, prune, unpainted

WRITE_EVERY: Final = 30.0
"""Seconds between two writes: so much is lost when the machine stops dead."""
PAINT_EVERY: Final = 300.0
"""Seconds between two pictures of the hour that runs."""
MOST_WAITING: Final = 7200
"""Readings kept while the folder cannot be written to; the oldest go first."""
MOST_BATCHES: Final = 120
"""Batches kept while the disk hangs: an hour's."""

log = structlog.get_logger(__name__)


class Reporter:
    """Takes readings and writes them in batches, by ``folder``'s clock, which is that of the readings.

    ``start`` and ``stop`` once each.
    """

    def __init__(self, folder: Path, *, every: float = WRITE_EVERY, paint_every: float = PAINT_EVERY) -> None:
        self.folder = folder
        self.problem = ""
        """Why nothing can be written; empty while it can."""
        self._every = every
        self._writer = _Writer(folder, paint_every, self._report)
        self._batch: list[HealthReading] = []
        self._handed_at: float | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def put(self, reading: HealthReading) -> None:
        """One more. Never blocks, never raises."""
        at = reading.sample.at
        if self._handed_at is None:
            self._handed_at = at
        self._batch.append(reading)
        # The hour's last rows are handed over with the next hour's first, so its picture is whole.
        if at - self._handed_at >= self._every:
            self._handed_at = at
            self._hand_over()

    async def stop(self, within: float = 2.0) -> None:
        """Write what is left, unless that takes longer."""
        self._hand_over()
        self._writer.put(None)
        await asyncio.to_thread(self._writer.join, within)

    def file(self) -> str:
        """The CSV that the last reading went to; empty before the first."""
        return "" if self._handed_at is None else str(path_of(self.folder, hour_of(self._handed_at), "csv"))

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            self._writer.put(batch)

    def _report(self, problem: str) -> None:
        """From the thread: each trouble once, until it is over."""
        if problem and not self.problem:
            log.warning("Stream health reports cannot be written; retrying", folder=str(self.folder), why=problem)
        elif self.problem and not problem:
            log.info("Stream health reports can be written again", folder=str(self.folder))
        self.problem = problem


class _Writer(threading.Thread):
    """A daemon thread: a disk that hangs must not hold up the end of the process."""

    def __init__(self, folder: Path, paint_every: float, report: Callable[[str], None]) -> None:
        super().__init__(name="stream-health-reports", daemon=True)
        self._folder = folder
        self._paint_every = paint_every
        self._report = report
        self._box: queue.Queue[list[HealthReading] | None] = queue.Queue(MOST_BATCHES)
        self._waiting: deque[HealthReading] = deque(maxlen=MOST_WAITING)
        self._unpainted: set[float] = set()
        self._painted_at: float | None = None
        self._pruned: float | None = None

    def put(self, batch: list[HealthReading] | None) -> None:
        """Readings, or None for the end. Never blocks; what a disk that hangs has no room for is lost."""
        try:
            self._box.put_nowait(batch)
        except queue.Full:
            self._report("the disk hangs")

    def run(self) -> None:
        """Until the end is put in."""
        while (batch := self._box.get()) is not None:
            self._waiting.extend(batch)
            self._work(final=False)
        self._work(final=True)

    def _work(self, *, final: bool) -> None:
        try:
            if self._waiting:
                self._write(self._waiting[-1].sample.at)
            if final:
                self._paint(self._unpainted)
        except OSError as error:
            self._report(error.strerror or type(error).__name__)
        except Exception as error:
            log.exception("Stream health reports failed unexpectedly")
            self._report(type(error).__name__)
        else:
            self._report("")

    def _write(self, now: float) -> None:
        self._unpainted.update(append(self._folder, list(self._waiting)))
        self._waiting.clear()
        if self._pruned is None:
            self._unpainted.update(unpainted(self._folder))
        if self._painted_at is None or now - self._painted_at >= self._paint_every:
            self._painted_at = now
            self._paint(self._unpainted)
        self._paint({hour for hour in self._unpainted if hour < hour_of(now)})
        if self._pruned != hour_of(now):
            prune(self._folder, now)
            self._pruned = hour_of(now)

    def _paint(self, hours: set[float]) -> None:
        for hour in sorted(hours):
            paint(self._folder, hour)
            self._unpainted.discard(hour)
