"""What the rules are told of bitrates and of OBS's renderer, and how often."""

from typing import Any

import pytest

from daemon.health.measurements import AGAIN, WINDOW, MeasurementFeed, MeasurementSources
from statemachine import events as ev

ALICE, BOB = "srs:1/a", "srs:1/b"
PERIOD = 5.0


class House:
    """A teller, and all that it looks at; a server that is listed every five seconds."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.subject = ALICE
        self.bytes: dict[str, int] = {}
        self.stats: dict[str, Any] = {}
        self.told: list[ev.Event] = []
        self.feed = MeasurementFeed(
            self.told.append,
            lambda: self.at,
            MeasurementSources(
                received=lambda session_id: self.bytes.get(session_id),
                period=lambda: PERIOD,
                stats=lambda: self.stats,
            ),
        )

    def run(self, seconds: int, *, kbps: float | None = None, fps: int = 0, late: float = 0.0) -> None:
        """A look each second."""
        for _ in range(seconds):
            self.at += 1.0
            if kbps is not None and self.at % PERIOD == 0:
                self.bytes[self.subject] = self.bytes.get(self.subject, 0) + round(PERIOD * kbps * 1000 / 8)
            if fps:
                total, skipped = self.stats.get("renderTotalFrames", 0), self.stats.get("renderSkippedFrames", 0)
                self.stats = {"renderTotalFrames": total + fps, "renderSkippedFrames": skipped + round(fps * late)}
            self.feed.look(self.subject)

    def bitrates(self) -> list[tuple[str, float | None]]:
        return [(e.session_id, e.kbps) for e in self.told if isinstance(e, ev.BitrateMeasured)]

    def rendered(self) -> list[ev.ObsRendered]:
        return [event for event in self.told if isinstance(event, ev.ObsRendered)]


@pytest.fixture
def house() -> House:
    return House()


def test_a_bitrate_is_told_when_it_is_known_and_again_now_and_then(house: House) -> None:
    house.run(60, kbps=800.0)
    assert set(house.bitrates()) == {(ALICE, 800.0)}
    assert 60 / AGAIN - 2 <= len(house.bitrates()) <= 60 / AGAIN


def test_a_server_that_tells_no_bytes_is_no_news(house: House) -> None:
    house.run(60)
    assert house.told == []


def test_that_nobody_knows_it_any_more_is_told_once(house: House) -> None:
    house.run(30, kbps=800.0)
    house.bytes.clear()
    house.run(30)
    assert house.bitrates()[-1] == (ALICE, None)
    assert house.bitrates().count((ALICE, None)) == 1


def test_a_publisher_that_sends_nothing_any_more_is_told_as_nothing(house: House) -> None:
    house.run(30, kbps=800.0)
    house.run(30)
    assert house.bitrates()[-1] == (ALICE, 0.0)


def test_another_one_on_air_is_measured_anew(house: House) -> None:
    house.run(30, kbps=800.0)
    house.subject = BOB
    house.run(30, kbps=2000.0)
    assert [session for session, _ in house.bitrates()][-1] == BOB
    assert house.bitrates()[-1][1] == 2000.0
    assert (BOB, 800.0) not in house.bitrates()


def test_nobody_on_air_is_not_measured(house: House) -> None:
    house.run(30, kbps=800.0)
    house.subject = ""
    before = len(house.told)
    house.run(30)
    assert len(house.told) == before


def test_how_obs_renders_is_told_by_windows_and_not_with_each_heartbeat(house: House) -> None:
    house.run(61, fps=30, late=0.1)
    reports = house.rendered()
    assert len(reports) == pytest.approx(60 / WINDOW, abs=1)
    assert {(report.frames, report.late) for report in reports} == {(round(30 * WINDOW), round(3 * WINDOW))}
    assert {report.seconds for report in reports} == {WINDOW}


def test_an_answer_that_was_seen_already_is_no_report(house: House) -> None:
    house.run(2, fps=30)
    house.run(60)
    assert house.rendered() == []


def test_another_obs_is_not_compared_with_the_one_before(house: House) -> None:
    house.run(9, fps=30, late=0.5)
    house.stats = {}
    house.run(2)
    house.stats = {"renderTotalFrames": 100_000, "renderSkippedFrames": 90_000}
    house.run(11, fps=30)
    house.stats = {"renderTotalFrames": 0, "renderSkippedFrames": 0}  # started anew, unnoticed
    house.run(11, fps=30)
    assert {report.late for report in house.rendered()} == {0}


@pytest.mark.parametrize("stats", [{"renderTotalFrames": "many"}, {"renderTotalFrames": 5}, {"nothing": None}])
def test_figures_without_sense_are_no_report(house: House, stats: dict[str, Any]) -> None:
    house.run(5, fps=30)
    house.stats = stats
    house.run(20)
    assert house.rendered() == []
