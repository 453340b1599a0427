"""What tests of several parts of the shell share."""

import pytest


@pytest.fixture
def waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No write counts as late: on a busy machine one in a thousand takes longer than a step waits for it."""
    monkeypatch.setattr("daemon.journal.queue.WRITE_PATIENCE", 60.0)
