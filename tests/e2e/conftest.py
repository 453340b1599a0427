"""The throw-away real studio, for whatever is tried end to end."""

from collections.abc import AsyncIterator

import pytest

from daemon.studio import Studio


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    """A studio that lets everybody publish. It is up in a second or two and gone after the test."""
    async with Studio() as opened:
        yield opened
