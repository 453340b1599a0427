"""The thread that writes the reports."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.health import reporter as module
from daemon.health.history import HealthReading
from daemon.health.report import HOUR, append
from daemon.health.reporter import Reporter
from tests.daemon.health.figures import AT, reading
from tests.support import until

CSV = "stream-health-2026-01-01T20Z.csv"
SVG = "stream-health-2026-01-01T20Z.svg"


def count(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


async def test_readings_are_written_in_batches_and_the_rest_at_the_end(tmp_path: Path) -> None:
    reports = Reporter(tmp_path, every=10)
    reports.start()
    for second in range(15):
        reports.put(reading(AT + second))
    await until(lambda: count(tmp_path / CSV) == 11)
    assert reports.file() == str(tmp_path / CSV)
    await reports.stop(within=20.0)
    assert count(tmp_path / CSV) == 15
    assert (tmp_path / SVG).exists()


async def test_an_hour_that_is_over_has_its_whole_picture(tmp_path: Path) -> None:
    reports = Reporter(tmp_path, every=30, paint_every=1e9)
    reports.start()
    for second in range(0, int(HOUR) + 60, 30):
        reports.put(reading(AT + second, still=3.0 if second == int(HOUR) - 30 else 0.0))
    await until(lambda: (tmp_path / SVG).exists() and "stalled" in (tmp_path / SVG).read_text())
    await reports.stop(within=20.0)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".csv", ".svg", ".svg"]


async def test_a_picture_that_the_last_run_left_undone_is_drawn(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT)])
    reports = Reporter(tmp_path, every=0)
    reports.start()
    reports.put(reading(AT + 5 * HOUR))
    await until((tmp_path / SVG).exists)
    await reports.stop(within=20.0)
    assert reports.problem == ""


async def test_a_folder_that_cannot_be_made_is_told_of_once_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    reports = Reporter(blocked / "health", every=0)
    with capture_logs() as logs:
        reports.start()
        for second in range(5):
            reports.put(reading(AT + second))
        await until(lambda: reports.problem)
        blocked.unlink()
        reports.put(reading(AT + 5))
        await until(lambda: not reports.problem)
        await reports.stop(within=20.0)
    assert count(blocked / "health" / CSV) == 6
    assert [line["log_level"] for line in logs] == ["warning", "info"]


async def test_a_disk_that_hangs_delays_nobody_not_even_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang, at_it = threading.Event(), threading.Event()

    def hangs(*_: object) -> list[float]:
        at_it.set()
        hang.wait(60)
        return []

    monkeypatch.setattr(module, "append", hangs)
    reports = Reporter(tmp_path, every=0)
    reports.start()
    reports.put(reading(AT))
    await until(at_it.is_set)
    with capture_logs() as logs:
        for second in range(1, 10 * module.MOST_BATCHES):
            reports.put(reading(AT + second))
        async with asyncio.timeout(5):
            await reports.stop(within=0.05)
    assert reports.problem == "the disk hangs"
    assert len(logs) == 1
    # What its thread goes on to write must not be taken for another test's.
    hang.set()
    while reports._writer.is_alive():
        await reports.stop(within=0.05)


async def test_what_waits_for_a_bad_disk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def counted(folder: Path, readings: Sequence[HealthReading]) -> list[float]:
        tries.append(len(readings))
        return append(folder, readings)

    monkeypatch.setattr(module, "MOST_WAITING", 10)
    monkeypatch.setattr(module, "append", counted)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    reports = Reporter(blocked / "health", every=0)
    reports.start()
    for second in range(100):
        reports.put(reading(AT + second))
    await until(lambda: len(tries) == 100)
    blocked.unlink()
    await reports.stop(within=20.0)
    assert max(tries) == 10
    assert count(blocked / "health" / CSV) == 10


async def test_an_unforeseen_failure_does_not_end_the_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fails(*_: object) -> list[float]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        return []

    monkeypatch.setattr(module, "append", fails)
    reports = Reporter(tmp_path, every=0)
    with capture_logs():
        reports.start()
        reports.put(reading(AT))
        await until(lambda: reports.problem == "RuntimeError")
        reports.put(reading(AT + 1))
        await until(lambda: len(calls) == 2 and not reports.problem)
        await reports.stop(within=20.0)
