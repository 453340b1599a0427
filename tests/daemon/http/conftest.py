from collections.abc import AsyncIterator

import pytest

from tests.daemon.http.studio import House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """The API without a token, as on a fresh machine."""
    async with open_house() as made:
        yield made
