"""A fake OBS on a clock that stands still, and a client that is connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes import FakeClock, FakeObs
from tests.fakes.obs_client import Caller, client


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def fake_obs(clock: FakeClock) -> AsyncIterator[FakeObs]:
    async with FakeObs(clock=clock) as obs:
        yield obs


@pytest.fixture
async def call(fake_obs: FakeObs) -> AsyncIterator[Caller]:
    async with client(fake_obs) as ws:
        assert await ws.wait_until_identified()
        yield Caller(ws)
