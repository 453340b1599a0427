"""A fake OBS that runs in real time, and the adapter connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.daemon.obs.rig import Rig
from tests.fakes import FakeObs, Stream


@pytest.fixture
async def fake() -> AsyncIterator[FakeObs]:
    async with FakeObs(fps=100) as obs:
        obs.streams.default = Stream(0.05)
        yield obs


@pytest.fixture
async def rig(fake: FakeObs) -> AsyncIterator[Rig]:
    async with Rig.on(fake) as rig:
        yield await rig.up()
