"""The output's keeper against the fake OBS."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from daemon.core.ports import ObsTimeout
from daemon.obs.output import EVENT, LOOK_EVERY, OutputKeeper
from statemachine.monitors.output import OutputState
from tests.daemon.health.wire import WireObs
from tests.fakes import FakeClock, FakeObs, Fault
from tests.fakes.obs_client import client

OUTPUTS = 1 << 6


class Studio:
    """The keeper, OBS's output, and the ear that OBS's events come by."""

    def __init__(self, fake: FakeObs, clock: FakeClock, obs: WireObs) -> None:
        self.wanted = True
        self.clock = clock
        self.obs = obs
        self.output = fake.studio.stream
        self.keeper = OutputKeeper(obs, lambda: self.wanted, clock.now)
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    async def on_event(self, kind: str, data: dict[str, object]) -> None:
        if kind == EVENT:
            self.keeper.on_event(data)
            self._heard.put_nowait(str(data["outputState"]).rpartition("_")[2])

    async def until_heard(self, word: str) -> None:
        async with asyncio.timeout(5):
            while await self._heard.get() != word:
                pass

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.obs.beat()
            await self.keeper.once()
            await self.clock.advance(LOOK_EVERY)

    def asked(self, *requests: str) -> list[str]:
        return [request for request in self.obs.asked if request in requests]


@pytest.fixture
async def studio(fake: FakeObs, clock: FakeClock, obs: WireObs) -> AsyncIterator[Studio]:
    made = Studio(fake, clock, obs)
    async with client(fake, subscriptions=OUTPUTS) as ear:
        assert await ear.wait_until_identified()
        ear.register_event_callback(made.on_event)
        yield made


async def running(studio: Studio) -> None:
    await studio.look(2)
    assert studio.keeper.rules.state is OutputState.RUNNING
    await studio.until_heard("STARTED")
    studio.obs.asked.clear()


async def test_it_starts_an_output_that_does_not_stream(studio: Studio) -> None:
    await studio.look(2)
    assert studio.output.active
    assert studio.asked("StartStream", "StopStream") == ["StartStream"]
    assert studio.keeper.status["outputActive"] is True


async def test_it_only_looks_where_nobody_asked_for_more(studio: Studio) -> None:
    studio.wanted = False
    await studio.look(3)
    assert not studio.output.active
    assert studio.asked("StartStream", "StopStream") == []
    assert studio.keeper.status["outputActive"] is False


async def test_a_stop_by_hand_is_not_fought(studio: Studio) -> None:
    await running(studio)
    studio.output.stop()
    await studio.until_heard("STOPPING")
    with capture_logs() as logs:
        await studio.look(30)
    assert studio.asked("StartStream") == []
    told = [line["event"] for line in logs]
    assert told == ["OBS's output was stopped by hand: it is left alone until it is started again"]


async def test_an_output_that_breaks_off_is_started_again(studio: Studio) -> None:
    await running(studio)
    studio.output.break_off()
    await studio.until_heard("STOPPED")
    await studio.look(3)
    assert studio.output.active
    assert studio.asked("StartStream", "StopStream") == ["StartStream"]


async def test_an_output_stuck_reconnecting_is_restarted(studio: Studio) -> None:
    await running(studio)
    studio.output.lose()
    await studio.look(20)
    assert studio.output.active
    assert not studio.output.reconnecting
    assert studio.asked("StartStream", "StopStream") == ["StopStream", "StartStream"]


async def test_a_server_that_is_never_there_is_tried_ever_more_rarely(studio: Studio) -> None:
    studio.output.fails = True
    await studio.look(300)
    assert 5 <= len(studio.asked("StartStream")) <= 10


async def test_another_obs_is_started_although_the_last_was_stopped_by_hand(fake: FakeObs, studio: Studio) -> None:
    await running(studio)
    studio.output.stop()
    await studio.look(3)
    assert studio.keeper.rules.state is OutputState.BY_HAND
    studio.obs.losses += 1
    fake.studio.renderer.frames = 3
    await studio.look(2)
    assert studio.output.active


async def test_the_same_obs_after_a_gap_stays_stopped(studio: Studio) -> None:
    await running(studio)
    studio.output.stop()
    await studio.look(3)
    studio.obs.losses += 1
    await studio.look(3)
    assert studio.keeper.rules.state is OutputState.BY_HAND
    assert studio.asked("StartStream") == []


async def test_without_obs_nothing_is_asked_and_nothing_is_known(studio: Studio) -> None:
    await running(studio)
    studio.obs.info.connected = False
    await studio.keeper.once()
    assert studio.obs.asked == []
    assert studio.keeper.status == {}


async def test_an_obs_that_does_not_answer_is_told_of_once_and_asked_again(studio: Studio) -> None:
    waits: list[float] = []
    done = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 5:
            done.set()
            await asyncio.Event().wait()

    studio.obs.error = ObsTimeout("GetStats", 5)
    keeper = OutputKeeper(studio.obs, lambda: True, studio.clock.now, sleep=sleep)
    with capture_logs() as logs:
        task = asyncio.create_task(keeper.run())
        async with asyncio.timeout(5):
            await done.wait()
        task.cancel()
        await asyncio.wait({task})
    assert waits == [LOOK_EVERY] * 5
    assert [line["log_level"] for line in logs] == ["warning"]


async def test_a_start_that_obs_refuses_is_told_of_and_tried_again(fake: FakeObs, studio: Studio) -> None:
    fake.faults.add(Fault("StartStream", code=703, comment="no service"))
    with capture_logs() as logs:
        await studio.look(4)
    assert studio.output.active
    reasons = [line["reason"] for line in logs if line["event"] == "OBS's output could not be changed"]
    assert len(reasons) == 1
    assert "no service" in reasons[0]


async def test_a_start_of_an_output_that_runs_by_then_is_no_failure(fake: FakeObs, studio: Studio) -> None:
    fake.faults.add(Fault("StartStream", code=500))
    await studio.look()
    assert studio.keeper.rules.failures == 0
