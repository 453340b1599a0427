"""The composition root's own parts."""

import asyncio
import socket
from pathlib import Path

import pytest

from daemon import app as root
from daemon.config.model import Config, Log
from daemon.core.redaction import Redactor
from daemon.observability import logging as logs
from statemachine import events as ev
from tests.daemon.http.studio import until


class Dispatcher:
    """One that stands still until it is let go."""

    def __init__(self) -> None:
        self.moves = asyncio.Event()

    async def ask(self, event: ev.Event, *, written: bool = True) -> tuple[()]:
        await self.moves.wait()
        return ()


async def test_the_watchdog_is_fed_for_as_long_as_events_are_really_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setattr(root, "WATCHDOG_PATIENCE", 0.02)
    handle = logs.LogHandle.__new__(logs.LogHandle)  # nothing is logged here
    app = root._App(Config(log=Log(file=None)), None, Redactor(), handle)
    dispatcher = Dispatcher()
    feeding = asyncio.create_task(app._feed_watchdog(dispatcher))  # type: ignore[arg-type]  # all that it needs of one
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        await until(lambda: not app._alive)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        dispatcher.moves.set()
        assert await loop.sock_recv(manager, 100) == b"WATCHDOG=1"
        assert app._alive
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    manager.close()
