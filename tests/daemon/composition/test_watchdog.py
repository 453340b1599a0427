"""The watchdog of systemd and /healthz: fed for as long as events are really handled."""

import asyncio
import socket
from pathlib import Path

import pytest

from daemon.composition import watchdog as watching
from daemon.composition.watchdog import Watchdog
from daemon.systemd import ServiceNotifier
from statemachine import events as ev
from statemachine.step import Step
from tests.support import until


class Dispatcher:
    """One that stands still until it is let go."""

    def __init__(self) -> None:
        self.moves = asyncio.Event()

    async def ask(self, event: ev.Event, *, written: bool = True) -> Step:
        await self.moves.wait()
        return Step()


async def test_the_watchdog_is_fed_for_as_long_as_events_are_really_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setattr(watching, "WATCHDOG_PATIENCE", 0.02)
    dispatcher = Dispatcher()
    watchdog = Watchdog(dispatcher, ServiceNotifier())
    feeding = asyncio.create_task(watchdog.run())
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        await until(lambda: not watchdog.alive)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
        dispatcher.moves.set()
        assert await loop.sock_recv(manager, 100) == b"WATCHDOG=1"
        assert watchdog.alive
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    manager.close()
