"""Whether events are really handled: systemd's watchdog and /healthz go by it."""

import asyncio
from typing import Protocol

from daemon.systemd import ServiceNotifier
from statemachine import events as ev
from statemachine.step import Step

WATCHDOG_DEFAULT = 15.0
"""Seconds between two beats where systemd names no interval."""
WATCHDOG_PATIENCE = 5.0
"""Seconds that the dispatcher may take for an empty event before the watchdog is no longer fed."""


class AskPort(Protocol):
    """The event queue, as much of it as is needed here."""

    async def ask(self, event: ev.Event, *, written: bool = True) -> Step:
        """Queue an event and wait for the facts of its step."""


class Watchdog:
    """``run`` is its task."""

    def __init__(self, events: AskPort, systemd: ServiceNotifier) -> None:
        self._events = events
        self._systemd = systemd
        self.alive = True
        """The dispatcher makes progress."""

    def is_alive(self) -> bool:
        """As last found."""
        return self.alive

    async def run(self) -> None:
        """Ask again and again, and feed the watchdog for as long as there is an answer."""
        interval = self._systemd.watchdog_interval or WATCHDOG_DEFAULT
        while True:
            try:
                async with asyncio.timeout(WATCHDOG_PATIENCE):
                    await self._events.ask(ev.TimePassed(0.0), written=False)
            except TimeoutError:
                self.alive = False
            else:
                self.alive = True
                self._systemd.watchdog()
            await asyncio.sleep(interval / 3)
