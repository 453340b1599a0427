"""The reports on disk: a CSV of each hour's samples, and a picture of them. Synchronous, for a thread of its own."""

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from daemon.health.history import HealthReading
from daemon.health.picture import Point, draw

HOUR: Final = 3600.0
KEEP_DAYS: Final = 7
MOST_FILES: Final = 2 * 24 * (KEEP_DAYS + 1)
"""CSVs and pictures together; the days rule unless the clock was set."""
_NAME: Final = re.compile(r"stream-health-\d{4}-\d{2}-\d{2}T\d{2}Z\.(?:csv|svg)(?:\.new)?")

_COLUMNS: Final[dict[str, Callable[[HealthReading], object]]] = {
    "time": lambda r: datetime.fromtimestamp(r.sample.at, UTC).isoformat(timespec="milliseconds"),
    "score": lambda r: _figure(r.assessment.score, 1),
    "issues": lambda r: " ".join(r.assessment.issues),
    "streamer": lambda r: r.sample.streamer,
    "input": lambda r: r.sample.input,
    "waiting": lambda r: r.sample.waiting,
    "state": lambda r: r.sample.state,
    "cursor_ms": lambda r: _figure(r.sample.cursor, 0),
    "progress": lambda r: _figure(r.sample.progress, 3),
    "jitter_ms": lambda r: _figure(r.sample.jitter, 1),
    "still_seconds": lambda r: _figure(r.sample.still, 2),
    "width": lambda r: r.sample.width,
    "height": lambda r: r.sample.height,
    "received_bytes": lambda r: r.sample.received,
    "bitrate_kbps": lambda r: _figure(r.sample.bitrate, 1),
    "fps": lambda r: _figure(r.sample.fps, 2),
    "render_lag": lambda r: _figure(r.sample.render_lag, 4),
    "encoder_lag": lambda r: _figure(r.sample.encoder_lag, 4),
    "dropped": lambda r: _figure(r.sample.dropped, 4),
    "memory_mb": lambda r: _figure(r.sample.memory, 1),
    "cpu_percent": lambda r: _figure(r.sample.cpu, 1),
    "connected": lambda r: int(r.sample.connected),
    "level_lufs": lambda r: _figure(r.sample.level, 1),
    "loudness_lufs": lambda r: _figure(r.sample.loudness, 1),
    "true_peak_dbtp": lambda r: _figure(r.sample.peak, 1),
    "amiss": lambda r: " ".join(sorted(r.sample.amiss)),
    "streaming": lambda r: None if r.sample.streaming is None else int(r.sample.streaming),
}
COLUMNS: Final = tuple(_COLUMNS)
"""The CSV's header."""


def _figure(value: float | None, places: int) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def hour_of(at: float) -> float:
    """The hour's begin, in seconds since the epoch."""
    return at - at % HOUR


def path_of(folder: Path, hour: float, kind: str) -> Path:
    """Where that hour's ``csv`` or ``svg`` is."""
    return folder / f"stream-health-{datetime.fromtimestamp(hour, UTC):%Y-%m-%dT%H}Z.{kind}"


def append(folder: Path, readings: Sequence[HealthReading]) -> list[float]:
    """Add rows to the CSVs of their hours, which are returned. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    hours = []
    for hour, rows in groupby(readings, key=lambda reading: hour_of(reading.sample.at)):
        _append(path_of(folder, hour, "csv"), rows)
        hours.append(hour)
    return hours


def _append(path: Path, readings: Iterable[HealthReading]) -> None:
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, io.SEEK_END)
        new = memoryview(_rows(readings, _before(file, size)))
        try:
            while new:
                new = new[file.write(new) or 0 :]
        except OSError:
            # A disk that is full takes half a row: what is tried again must not stand there twice.
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise


def _before(file: io.FileIO, size: int) -> str:
    """What has to stand before the first new row: the header, or the line end that a crash has left out."""
    if size == 0:
        return ",".join(COLUMNS) + "\n"
    file.seek(size - 1)
    return "" if file.read(1) == b"\n" else "\n"


def _rows(readings: Iterable[HealthReading], before: str) -> bytes:
    text = io.StringIO()
    text.write(before)
    writer = csv.writer(text, lineterminator="\n")
    for reading in readings:
        writer.writerow([column(reading) for column in _COLUMNS.values()])
    return text.getvalue().encode()


def read_points(path: Path) -> list[Point]:
    """The rows of a CSV, as much of them as is drawn. A row that cannot be read is left out. Raises OSError."""
    points = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with contextlib.suppress(ValueError, csv.Error):
                (cells,) = csv.reader([line.rstrip("\n").replace("\0", "")])
                points.append(_point(dict(zip(COLUMNS, cells, strict=True))))
    return sorted(points, key=lambda point: point.at)


def _point(row: dict[str, str]) -> Point:
    return Point(
        at=datetime.fromisoformat(row["time"]).timestamp(),
        score=float(row["score"]),
        bitrate=float(row["bitrate_kbps"]) if row["bitrate_kbps"] else None,
        pace=float(row["progress"]) if row["progress"] else None,
        issues=tuple(row["issues"].split()),
        streamer=row["streamer"],
    )


def paint(folder: Path, hour: float) -> None:
    """Draw the picture of an hour anew, from its CSV: a restart leaves no hole in it. Raises OSError."""
    points = read_points(path_of(folder, hour, "csv"))
    title = (
        f"Stream health, {datetime.fromtimestamp(hour, UTC):%d %B %Y, %H} to {(int(hour // HOUR) + 1) % 24:02} h UTC"
    )
    path = path_of(folder, hour, "svg")
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(draw(title, points, hour, HOUR), encoding="utf-8")
    fresh.replace(path)


def unpainted(folder: Path) -> list[float]:
    """The hours whose picture is missing, or older than the CSV: the last run did not come to it. Raises OSError."""
    hours = []
    for path in folder.iterdir():
        if path.suffix == ".csv" and _NAME.fullmatch(path.name):
            picture = path.with_suffix(".svg")
            if not picture.exists() or picture.stat().st_mtime < path.stat().st_mtime:
                begin = datetime.strptime(path.stem[-14:-1], "%Y-%m-%dT%H").replace(tzinfo=UTC)
                hours.append(begin.timestamp())
    return hours


def prune(folder: Path, now: float) -> None:
    """Remove reports that are too old, or too many. Nothing else in the folder is touched. Raises OSError."""
    own = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    oldest = path_of(folder, hour_of(now - KEEP_DAYS * 24 * HOUR), "").name
    for index, path in enumerate(own):
        if path.name < oldest or index < len(own) - MOST_FILES:
            path.unlink(missing_ok=True)
