"""A fake OBS on a clock that stands still, and the daemon's view of it."""

from collections.abc import AsyncIterator

import pytest

from tests.daemon.health.wire import WireObs
from tests.fakes import FakeClock, FakeObs
from tests.fakes.obs_client import Caller, client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def fake(clock: FakeClock) -> AsyncIterator[FakeObs]:
    async with FakeObs(clock=clock) as obs:
        yield obs


@pytest.fixture
async def obs(fake: FakeObs, clock: FakeClock) -> AsyncIterator[WireObs]:
    async with client(fake) as ws:
        assert await ws.wait_until_identified()
        yield WireObs(fake, clock, Caller(ws))


@pytest.fixture(autouse=True)
def waits_for_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake answers within milliseconds, but on a busy machine not always."""
    monkeypatch.setattr("daemon.health.samples.SIZE_SECONDS", 20.0)
