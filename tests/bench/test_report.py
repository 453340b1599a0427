"""The benchmark's report and plots: they can be drawn of anything, and say no where an aim was missed."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.aims import aims, lost
from tests.bench.figures import Block, Hand, Result
from tests.bench.markdown import table
from tests.bench.plots import Scale, above, short, write_plots
from tests.bench.report import books_of, write_report


def a_result(name: str, pictures: Sequence[float | None], *, ours: bool = True, **hand: Any) -> Result:
    values: dict[str, Any] = {"to": "bob", "blank": 0, "freeze": 33.3, "silence": 10.0, "own": 12.0} | hand
    hands = [Hand(picture=picture, **values) for picture in pictures]
    phases = {"SWAPPING": (0.3, 10.0)} if ours else {}
    return Result(name, "ffmpeg_source", ours, [Block(hands, 30.0, 55.0, 2.0, 3, 900, 6.0, phases)])


HOOKS = {
    "sent": 1000, "accepted": 1000, "refused": 0, "unsent": 0, "broken": 0, "publishes": 510, "seconds": 60.0,
    "rate": 2000.0, "p50": 2.0, "p99": 20.0, "max": 40.0, "hand_overs": 9, "hand_over_p50": 20.0, "hand_over_max": 60.0,
    "cpu": 80.0, "rss": 60.0, "lineup_wrong": 0, "counted": 1003.0, "logged": 510, "misordered": 0,
    "by_second": [[0, 2000, 2.0, 15.0], [1, 2000, 2.1, 20.0]],
}  # fmt: skip
ROW = {
    "streamers": 10, "rss": 60.0, "cpu": 0.5, "start_p50": 400.0, "hook_p50": 1.0, "hook_p99": 3.0, "status_p50": 1.0,
    "queue_p50": 1.0, "skip_p50": 20.0,
}  # fmt: skip

BESIDE = {"daemon": [2600.0, 3000.0, 2800.0], "bare": [5200.0, 5000.0, 5600.0], "unanswered": 0, "seconds": 5.0}

CLIENTS: dict[str, Any] = {
    "alone_p99": 2.0, "rss_before": 60.0, "rss_most": 80.0, "rss_after": 79.0, "cpu": 30.0,
    "hooks": {"rate": 100.0, "unsent": 0, "refused": 0, "broken": 0, "p50": 1.0, "p99": 20.0, "max": 30.0},
    "crowd": {"opened": {"idle": 170, "half a body": 900}, "ended": {"half a body": 735}, "refused": 0,
              "statuses": {"413": 80}, "sent_most": 300_000, "long_bodies": 80, "own_cpu": 4.0},
}  # fmt: skip
SOAK = {
    "asked": 1000, "completed": 1001.0, "orphans": 0.0, "left": 2, "most_inputs": 3, "seconds_p50": 0.03,
    "seconds_p95": 0.06, "rss": 62.0,
    "rss_rise": 0.2, "obs_rss": None, "obs_rss_rise": None, "files": [20, 20, 21], "samples": [], "obs_samples": [],
}  # fmt: skip


PIECE = {"frames": 900, "late": 2, "blank": 0, "freeze": 5, "silence": 120.0}
GONE = SOAK | {"asked": 100, "seconds_p50": math.nan, "seconds_p95": math.nan, "alive": True, "pieces": [PIECE]}


@pytest.fixture
def found() -> dict[str, Any]:
    results = [
        a_result("standby, cut", [30.0, 40.0, 50.0]),
        a_result("hide, wait, show", [1500.0, None], ours=False, blank=30),
        a_result("no hand-over", [None, None], ours=False, to=""),
    ]
    machine = {"cores": 2, "processor": "Some CPU", "memory_gb": 24, "python": "3.11.2"}
    parts = {"began": "2026-01-01 20:00 UTC", "seconds": 300.0, "load_before": 0.4}
    return {
        "alone": {
            "machine": machine, "parts": {"hooks": parts}, "hooks": HOOKS, "beside": BESIDE, "clients": CLIENTS,
            "soak": {"fake": SOAK}, "growth": [ROW, ROW | {"streamers": 100}, ROW | {"streamers": 1000}],
        },
        "29.0.2": {
            "machine": {**machine, "obs": "29.0.2", "websocket": "5.1.0", "ingest": "nginx-rtmp"},
            "parts": {"viewer": dict(parts)},
            "viewer": [asdict(result) for result in results],
            "hooks": HOOKS,
            "rest": {"empty_cpu": 0.2, "empty_rss": 60.0, "on_air_cpu": 0.7, "on_air_rss": 61.0, "start_p50": 400.0,
                     "start_max": 500.0},
            "soak": {"ffmpeg_source": SOAK | {"obs_rss": 210.0, "obs_rss_rise": 1.5, "pieces": [PIECE]}},
            "goes": {"ffmpeg_source": GONE},
        },
    }  # fmt: skip


def test_the_report_is_dated_names_the_machine_and_every_way(found: dict[str, Any], tmp_path: Path) -> None:
    write_report(found, tmp_path / "docs" / "benchmarks.md")
    text = (tmp_path / "docs" / "benchmarks.md").read_text()
    for words in (
        "2026-01-01 20:00 UTC",
        "2 cores (Some CPU)",
        "**standby, cut**",
        "| hide, wait, show |",
        "p50 / p95",
    ):
        assert words in text
    assert "nan" not in text.lower()


def test_every_picture_that_the_report_shows_is_written(found: dict[str, Any], tmp_path: Path) -> None:
    write_report(found, tmp_path / "benchmarks.md")
    written = write_plots(found, tmp_path / "benchmarks")
    for path in written:
        assert ElementTree.fromstring(path.read_text()).tag.endswith("svg")
        assert f"(benchmarks/{path.name})" in (tmp_path / "benchmarks.md").read_text()
    assert len(written) == 4


def test_each_obs_has_a_chapter_the_oldest_first_and_the_daemon_alone_the_last() -> None:
    names = [name for name, _ in books_of({"alone": {}, "32.2.2": {}, "29.0.2": {}, "30.2.3": {}})]
    assert names == ["29.0.2", "30.2.3", "32.2.2", "alone"]


@pytest.mark.parametrize(("load", "said"), [(0.4, False), (6.0, True)])
def test_a_machine_that_did_other_work_is_told_of(
    found: dict[str, Any], tmp_path: Path, load: float, said: bool
) -> None:
    found["29.0.2"]["parts"]["viewer"]["load_before"] = load
    write_report(found, tmp_path / "b.md")
    assert ("Other work shared the cores" in (tmp_path / "b.md").read_text()) is said


def test_part_of_a_benchmark_can_be_reported_alone(found: dict[str, Any], tmp_path: Path) -> None:
    del found["alone"], found["29.0.2"]["hooks"], found["29.0.2"]["rest"]
    write_report(found, tmp_path / "b.md")
    assert [path.name for path in write_plots(found, tmp_path)] == ["hand-overs-ffmpeg-29.svg"]
    assert "Hooks under load" not in (tmp_path / "b.md").read_text()


def test_each_way_has_a_dot_for_each_picture(found: dict[str, Any], tmp_path: Path) -> None:
    write_plots(found, tmp_path)
    root = ElementTree.fromstring((tmp_path / "hand-overs-ffmpeg-29.svg").read_text())
    tips = [element.findtext("{*}title") for element in root.iter() if element.tag.endswith("}circle")]
    assert tips.count("40 ms") == 1
    assert "1.5 s" in tips


def met(results: list[Result], found: dict[str, Any] | None = None) -> list[str]:
    return [verdict for _, _, verdict in aims(results, found or {})]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (a_result("standby, cut", [30.0] * 19 + [500.0]), "yes"),
        (a_result("standby, cut", [30.0] * 18 + [500.0] * 2), "**no**"),
        (a_result("standby, cut", [30.0], blank=1), "**no**"),
        (a_result("standby, cut", [30.0], silence=40.5), "**no**"),
        (a_result("the one on air is killed", [50.0], freeze=100.0), "yes"),
        (a_result("the one on air is killed", [50.0], freeze=133.3), "**no**"),
        (a_result("the one on air freezes", [650.0], freeze=633.3), "yes"),
        (a_result("the one on air freezes", [800.0], freeze=733.3), "**no**"),
    ],
)
def test_an_aim_that_was_missed_is_said_to_be(result: Result, expected: str) -> None:
    assert met([result]) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"p99": 25.0}, "**no**"), ({"rate": 1900.0}, "**no**"), ({"misordered": 1}, "**no**"),
     ({"lineup_wrong": 1}, "**no**"), ({"counted": 999.0}, "**no**"), ({"logged": 509}, "**no**")],
)  # fmt: skip
def test_hooks_that_were_lost_late_or_out_of_order_miss_the_aim(change: dict[str, Any], expected: str) -> None:
    assert met([], {"hooks": HOOKS | change}) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"daemon": [2600.0, 2400.0, 2700.0]}, "**no**"), ({"unanswered": 1}, "**no**")],
)
def test_hooks_at_less_than_half_of_a_bare_handlers_rate_miss_the_aim(change: dict[str, Any], expected: str) -> None:
    assert met([], {"beside": BESIDE | change}) == [expected]


def test_the_report_tells_the_ratio_of_each_turn_and_not_that_of_the_sums(
    found: dict[str, Any], tmp_path: Path
) -> None:
    write_report(found, tmp_path / "b.md")
    said = "0.50 of it (0.50 to 0.60 in 3 turns of 5 s): 2,800 a second against 5,200"
    assert said in (tmp_path / "b.md").read_text()


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"rss_most": 111.0}, "**no**"), ({"hooks": CLIENTS["hooks"] | {"p99": 251.0}}, "**no**"),
     ({"hooks": CLIENTS["hooks"] | {"broken": 1}}, "**no**")],
)  # fmt: skip
def test_hooks_that_wait_for_those_whom_nobody_needs_miss_the_aim(change: dict[str, Any], expected: str) -> None:
    assert met([], {"clients": CLIENTS | change}) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"completed": 999.0}, "**no**"), ({"orphans": 1.0}, "**no**"), ({"left": 3}, "**no**"),
     ({"rss_rise": 1.2}, "**no**"), ({"rss_rise": -3.0}, "yes"), ({"obs_rss": 300.0, "obs_rss_rise": 11.0}, "**no**")],
)  # fmt: skip
def test_hand_overs_that_leave_something_behind_miss_the_aim(change: dict[str, Any], expected: str) -> None:
    assert met([], {"soak": {"fake": SOAK | change}}) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"blank": 1}, "**no**"), ({"freeze": 6}, "**no**"), ({"silence": 127.0}, "**no**"),
     ({"late": 1}, "**no**")],
)  # fmt: skip
def test_a_gap_that_late_frames_do_not_explain_misses_the_aim(change: dict[str, Any], expected: str) -> None:
    row = SOAK | {"pieces": [PIECE, PIECE | change]}
    assert met([], {"soak": {"ffmpeg_source": row}}) == ["yes", expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, "yes"), ({"alive": False}, "**no**"), ({"left": 3}, "**no**"), ({"pieces": [PIECE | {"blank": 1}]}, "**no**"),
     ({"pieces": [PIECE | {"freeze": 90}]}, "yes")],
)  # fmt: skip
def test_guests_who_end_obs_or_leave_something_behind_miss_the_aim(change: dict[str, Any], expected: str) -> None:
    assert met([], {"goes": {"ffmpeg_source": GONE | change}}) == [expected]


def test_hooks_of_others_that_were_counted_as_well_are_not_lost() -> None:
    assert lost(HOOKS) == 0
    assert lost(HOOKS | {"counted": 990.0, "lineup_wrong": 2, "logged": 513}) == 15


def test_a_table_has_a_row_each() -> None:
    assert list(table(("a", "b"), [("1", "2")])) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_a_scale_of_powers_puts_equal_factors_at_equal_distances() -> None:
    scale = Scale(1, 100, 0, 200, log=True)
    assert [round(scale(value)) for value in (1, 10, 100, 1000)] == [0, 100, 200, 200]
    assert scale.marks() == [1, 2, 5, 10, 20, 50, 100]
    assert Scale(0, 10, 10, 0).marks(2) == [0, 5, 10]


def test_axes_have_room_for_the_largest_and_short_words() -> None:
    assert above([3.0, math.nan], 10.0) == 10.0
    assert above([100.0], 10.0) > 100.0
    assert [short(250), short(2000), short(1.5, "%")] == ["250 ms", "2 s", "1.5 %"]
