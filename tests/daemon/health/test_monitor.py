"""The monitor: from OBS to what people and machines are told."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from daemon.config.model import Config, Health
from daemon.health import HealthMetrics, HealthMonitor, Reporter
from daemon.health.monitor import Listeners
from daemon.health.samples import SampleSources
from statemachine.view import View
from tests.daemon.health.figures import place, view
from tests.daemon.health.wire import WireObs
from tests.fakes import FakeClock, FakeObs, Stream
from tests.fakes.obs_client import GSTREAMER, URL, Caller, client

ONE = "GMOTHERSTREAM_1"


class Stage:
    """Alice is on air, and the monitor looks on."""

    def __init__(self, fake: FakeObs, clock: FakeClock, obs: WireObs) -> None:
        self.fake = fake
        self.clock = clock
        self.obs = obs
        self.view: View = view("alice", place("alice"))
        self.config = Config(health=Health(history=5))
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.monitor = self.make()

    def make(self, reporter: Reporter | None = None, **more: Any) -> HealthMonitor:
        listeners = Listeners(reporter, publish=lambda kind, data: self.told.append((kind, data)))
        sources = SampleSources(self.obs, lambda: self.view, lambda session: None, self.clock.now)
        return HealthMonitor(sources, lambda: self.config, listeners, **more)

    async def watch(self, times: int) -> None:
        for _ in range(times):
            await self.clock.advance(1)
            await self.obs.beat()
            await self.obs.watch(ONE)
            await self.monitor.once()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = FakeClock()
    async with FakeObs(clock=clock) as fake, client(fake) as ws:
        assert await ws.wait_until_identified()
        call = Caller(ws)
        fake.streams[URL] = Stream()
        await call.create(ONE, "gstreamer-source", GSTREAMER, shown=True)
        await clock.advance(2)
        yield Stage(fake, clock, WireObs(fake, clock, call))


async def test_before_the_first_sample_there_is_no_score(stage: Stage) -> None:
    assert stage.monitor.current() == {"monitoring_active": False, "score": None, "issues": []}
    assert stage.monitor.rows(10) == ()
    assert stage.monitor.status()["history"]["mean_score"] is None


async def test_a_show_that_plays_well_is_told_as_such(stage: Stage) -> None:
    await stage.watch(3)
    current = stage.monitor.current()
    assert (current["score"], current["issues"], current["streamer"]) == (100.0, [], "alice")
    assert current["media"]["width"] == 1280
    assert stage.told == []


async def test_the_history_holds_what_is_configured_oldest_first(stage: Stage) -> None:
    await stage.watch(8)
    rows = [json.loads(row) for row in stage.monitor.rows(100)]
    assert len(rows) == 5
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert [json.loads(row) for row in stage.monitor.rows(2)] == rows[-2:]
    assert stage.monitor.status()["history"] == {
        "count": 5,
        "capacity": 5,
        "lowest_score": 100.0,
        "mean_score": 100.0,
    }


def score(stage: Stage) -> float:
    found = stage.monitor.current()["score"]
    assert found is not None
    return found


async def test_a_stall_is_scored_counted_and_told_once(stage: Stage) -> None:
    await stage.watch(2)
    stage.fake.streams[URL].frozen = True
    with capture_logs() as logs:
        await stage.watch(8)
    assert stage.monitor.current()["issues"] == ["stalled"]
    assert score(stage) < 20
    assert stage.monitor.status()["since_start"]["stalled_seconds"] >= 5
    assert [line["event"] for line in logs] == ["Stream health: stalled"]
    assert [(kind, data["issues"]) for kind, data in stage.told] == [("health_changed", ["stalled"])]


async def test_a_stall_that_is_over_is_told_and_is_part_of_the_score_for_as_long_as_the_window(stage: Stage) -> None:
    stage.fake.streams[URL].frozen = True
    await stage.watch(8)
    stage.fake.streams[URL].frozen = False
    await stage.watch(5)
    assert "stalled" not in stage.monitor.current()["issues"]
    assert 40 < score(stage) < 95
    await stage.watch(12)
    assert stage.monitor.current()["score"] == 100.0
    assert stage.told[-1][1]["issues"] == []


async def test_seconds_with_nobody_on_air_while_somebody_publishes_are_blank(stage: Stage) -> None:
    await stage.watch(1)
    stage.view = view("", place("bob"))
    await stage.watch(3)
    assert stage.monitor.status()["since_start"]["blank_seconds"] == pytest.approx(3.0)
    stage.view = view()
    await stage.watch(2)
    since = stage.monitor.status()["since_start"]
    assert (since["blank_seconds"], since["off_air_seconds"]) == pytest.approx((3.0, 5.0))


async def test_what_can_change_live_does(stage: Stage) -> None:
    await stage.watch(1)
    stage.fake.streams[URL].frozen = True
    stage.config = Config(health=Health(stall=60.0))
    await stage.watch(4)
    assert "stalled" not in stage.monitor.current()["issues"]
    assert stage.monitor.status()["limits"]["stall"] == 60.0


async def test_it_samples_by_the_clock_and_survives_a_sample_that_fails(stage: Stage) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await stage.clock.advance(seconds)
        if len(waits) == 4:
            enough.set()
            await asyncio.Event().wait()

    def late() -> View:
        if len(waits) == 1:
            raise RuntimeError("unforeseen")
        return stage.view

    stage.monitor = HealthMonitor(
        SampleSources(stage.obs, late, lambda session: None, stage.clock.now), lambda: stage.config, sleep=sleep
    )
    with capture_logs() as logs:
        task = asyncio.create_task(stage.monitor.run())
        async with asyncio.timeout(5):
            await enough.wait()
        assert stage.monitor.current()["monitoring_active"] is True
        task.cancel()
        await asyncio.wait({task})
    assert waits == [pytest.approx(1.0)] * 4
    assert [line["log_level"] for line in logs] == ["error"]
    assert stage.monitor.status()["samples"] == 3
    assert stage.monitor.current()["monitoring_active"] is False


async def test_a_sample_that_took_long_is_not_made_up_for(stage: Stage) -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            enough.set()
            await asyncio.Event().wait()
        await stage.clock.advance(7.5 if len(waits) == 1 else seconds)

    stage.monitor = stage.make(sleep=sleep)
    task = asyncio.create_task(stage.monitor.run())
    async with asyncio.timeout(5):
        await enough.wait()
    task.cancel()
    await asyncio.wait({task})
    assert waits == [pytest.approx(1.0), pytest.approx(0.0), pytest.approx(1.0)]


async def test_readings_go_to_the_reports(stage: Stage, tmp_path: Path) -> None:
    reporter = Reporter(tmp_path, every=0)
    reporter.start()
    stage.monitor = stage.make(reporter=reporter)
    await stage.watch(3)
    await reporter.stop(within=20.0)
    (file,) = tmp_path.glob("*.csv")
    assert len(file.read_text().splitlines()) == 4
    assert stage.monitor.status()["reports"] == {"folder": str(tmp_path), "file": str(file), "problem": ""}


async def test_the_metrics_are_those_of_the_last_sample(stage: Stage) -> None:
    registry = CollectorRegistry()
    HealthMetrics(registry, stage.monitor)
    assert registry.get_sample_value("motherstream_health_score") is None
    await stage.watch(3)
    stage.fake.streams[URL].frozen = True
    await stage.watch(6)
    score = registry.get_sample_value("motherstream_health_score")
    assert score is not None
    assert score < 50
    assert registry.get_sample_value("motherstream_health_issue", {"issue": "stalled"}) == 1.0
    assert registry.get_sample_value("motherstream_health_issue", {"issue": "render_lag"}) == 0.0
    assert registry.get_sample_value("motherstream_obs_fps") == 30.0
    assert registry.get_sample_value("motherstream_health_samples_total") == 9.0
    stalled = registry.get_sample_value("motherstream_stalled_seconds_total")
    assert stalled == stage.monitor.kept.stalled_seconds > 0
    assert b"motherstream_bitrate_kbps" in generate_latest(registry)
    assert registry.get_sample_value("motherstream_bitrate_kbps") is None
