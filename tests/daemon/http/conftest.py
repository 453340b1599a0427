from collections.abc import AsyncIterator

import pytest

from tests.daemon.http.studio import House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """The API without a token, as on a fresh machine."""
    async with open_house() as made:
        yield made


@pytest.fixture
def slow_to_forgive(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wrong token is forgiven while a test goes on, however busy the machine is."""
    monkeypatch.setattr("daemon.http.auth.REFILL", 3600.0)
