"""What outlives the daemon is let go however its start ends."""

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest

from daemon.composition.store import StoreParts
from daemon.config.model import Config
from daemon.http.server import Claim
from daemon.journal.alone import Alone
from daemon.journal.journal import Journal
from daemon.streamers.index import StreamerIndex


class ToldToStop(Journal):
    """The daemon is told to stop as soon as the file is open."""

    async def open(self) -> None:
        await super().open()
        raise asyncio.CancelledError


async def test_a_journal_is_closed_where_the_daemon_is_told_to_stop_while_it_opens(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    config = Config.model_validate({"store": {"path": tmp_path / "motherstream.db"}})
    claim = Claim("127.0.0.1", 0)
    alone = Alone(config, None, claim)
    journal = ToldToStop(config.store.path, lock=alone.lock)
    store = StoreParts(claim, alone, journal, StreamerIndex(config.store.path))
    with pytest.raises(asyncio.CancelledError):
        async with contextlib.AsyncExitStack() as stack:
            await store.opened(asyncio.Event(), stack)
    assert journal._db is None
    assert set(threading.enumerate()) <= before, "its thread has ended"
