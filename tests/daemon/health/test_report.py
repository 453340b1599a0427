"""The reports on disk."""

import csv
import os
import resource
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from daemon.health import report
from daemon.health.report import COLUMNS, HOUR, KEEP_DAYS, append, paint, path_of, prune, read_points, unpainted
from tests.daemon.health.figures import AT, reading

CSV = "stream-health-2026-01-01T20Z.csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_hour_has_its_own_file_with_one_header(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "health"
    append(folder, [reading(AT), reading(AT + 1)])
    hours = append(folder, [reading(AT + 2), reading(AT + HOUR)])
    assert hours == [AT, AT + HOUR]
    assert sorted(path.name for path in folder.iterdir()) == [CSV, "stream-health-2026-01-01T21Z.csv"]
    text = (folder / CSV).read_text()
    assert text.count("time,score") == 1
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert len(rows(folder / CSV)) == 3


def test_a_row_tells_all_that_was_sampled(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT + 0.25, still=2.0, dropped=None)])
    (row,) = rows(tmp_path / CSV)
    assert row["time"] == "2026-01-01T20:00:00.250+00:00"
    assert row["issues"] == "stalled"
    assert (row["streamer"], row["input"], row["width"], row["height"]) == ("alice", "GMOTHERSTREAM_1", "1280", "720")
    assert (row["bitrate_kbps"], row["dropped"], row["connected"], row["streaming"]) == ("3000.0", "", "1", "1")


def test_a_row_that_a_crash_has_torn_costs_no_other(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT)])
    with (tmp_path / CSV).open("a") as file:
        file.write("2026-01-01T20:00:01.000+00:00,99")
    append(tmp_path, [reading(AT + 2)])
    assert [point.at - AT for point in read_points(tmp_path / CSV)] == [0, 2]


def test_a_disk_that_is_full_leaves_no_half_row_behind(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT)])
    whole = (tmp_path / CSV).read_bytes()
    # A limit on the size of files fills up just as a disk does: half a row goes in, and then none.
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 50, hard))
        with pytest.raises(OSError, match="too large"):
            append(tmp_path, [reading(AT + 1)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert (tmp_path / CSV).read_bytes() == whole


def test_the_picture_is_drawn_from_the_whole_hour(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT + second) for second in range(10)])
    append(tmp_path, [reading(AT + 1800 + second, still=3.0) for second in range(10)])
    paint(tmp_path, AT)
    root = ElementTree.parse(tmp_path / "stream-health-2026-01-01T20Z.svg").getroot()
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Stream health, 01 January 2026, 20 to 21 h UTC" in texts
    assert "stalled" in texts
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".csv", ".svg"]


def test_rubbish_in_a_report_is_passed_over(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT)])
    with (tmp_path / CSV).open("ab") as file:
        file.write(b"\x00\xff,,\n" + b"x" * 200_000 + b"\nyesterday,good,,,\n")
    assert len(read_points(tmp_path / CSV)) == 1


def test_pictures_that_are_missing_or_older_than_their_rows_are_known(tmp_path: Path) -> None:
    append(tmp_path, [reading(AT), reading(AT + HOUR), reading(AT + 2 * HOUR)])
    for hour in (AT, AT + HOUR):
        paint(tmp_path, hour)
    old = path_of(tmp_path, AT + HOUR, "svg")
    os.utime(old, (1, 1))
    assert sorted(unpainted(tmp_path)) == [AT + HOUR, AT + 2 * HOUR]


def test_old_reports_go_and_nothing_else(tmp_path: Path) -> None:
    kept = [path_of(tmp_path, AT - hours * HOUR, kind) for hours in (0, KEEP_DAYS * 24) for kind in ("csv", "svg")]
    gone = [path_of(tmp_path, AT - (KEEP_DAYS * 24 + hours) * HOUR, "csv") for hours in (1, 500)]
    others = [tmp_path / "notes.txt", tmp_path / "stream-health-1999.csv", tmp_path / ("a" + CSV)]
    for path in (*kept, *gone, *others):
        path.touch()
    prune(tmp_path, AT + 1800)
    assert sorted(tmp_path.iterdir()) == sorted([*kept, *others])


def test_a_clock_that_was_wrong_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MOST_FILES", 5)
    for hour in range(20):
        path_of(tmp_path, AT + hour * 24 * HOUR, "csv").touch()
    prune(tmp_path, AT)
    assert len(list(tmp_path.iterdir())) == 5
    assert path_of(tmp_path, AT + 19 * 24 * HOUR, "csv").exists()
