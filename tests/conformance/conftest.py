"""Every test here runs against the fake OBS of each version and against a real one."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.obs.connection import Link
from tests.conformance.houses import KINDS, Hands, House, RealHouse, open_house


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def open_module_house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """One OBS for all tests of a module: a real one takes seconds to start."""
    async with open_house(request.param) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def house(open_module_house: House) -> AsyncIterator[House]:
    """It, as it was at its start."""
    yield open_module_house
    link = await Link.open("127.0.0.1", open_module_house.port, open_module_house.password, seconds=10.0)
    await Hands(link).tidy()
    await link.close()
    if isinstance(open_module_house, RealHouse):
        await open_module_house.rest()


@pytest_asyncio.fixture(loop_scope="module")
async def hands(house: House) -> AsyncIterator[Hands]:
    """A connection to it."""
    link = await Link.open("127.0.0.1", house.port, house.password, seconds=10.0)
    yield Hands(link)
    await link.close()
