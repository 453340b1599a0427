"""Before a daemon touches anything: nobody else has its database, and nobody else its port."""

import asyncio
import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from daemon.config.loader import locate
from daemon.config.model import Config
from daemon.core.ports import PortClaim
from daemon.journal.lock import StoreLock

log = structlog.get_logger(__name__)

WAIT_FOR_OTHER: Final = 10.0
"""Seconds that a daemon which systemd has started waits for another one's end.

systemd starts it again 0.2 s after a failure, for ever: without this it would be tried five times a second.
"""
LOOK_EVERY: Final = 0.25
QUIET: Final = 60.0
"""Seconds without another one until that is over."""


class Alone:
    """The lock of the database and the port of the API, for as long as the daemon runs."""

    def __init__(self, config: Config, path: Path | None, port: PortClaim) -> None:
        self._config = config
        self._file = str(locate(path) or "defaults")
        self.lock = StoreLock(config.store.path)
        self._quiet_at: float | None = None
        self.port = port

    async def take(self, stop: asyncio.Event) -> bool:
        """Take both. Where one of them is another's this is told, and it is False; so it is once ``stop`` is set."""
        patience = WAIT_FOR_OTHER if "INVOCATION_ID" in os.environ else 0.0
        until = time.monotonic() + patience
        told = False
        while trouble := await self._trouble(leave_name=not told):
            if time.monotonic() >= until or not trouble.passes:
                log.critical(trouble.text)
                break
            if not told:
                log.warning(trouble.text, waiting=patience)
                told = True
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await stop.wait()
            if stop.is_set():
                break
        return trouble is None

    def look(self, trouble: Callable[[str, str], None], recovered: Callable[[str, str], None]) -> None:
        """Tell of those that were turned away since: somebody wants another channel, or has forgotten this one."""
        now = time.monotonic()
        for other in self.lock.others():
            what = f"a second daemon ({other}) was started on the database {self._config.store.path} and turned away"
            log.error(what)
            trouble("second daemon", what)
            self._quiet_at = now + QUIET
        if self._quiet_at is not None and now >= self._quiet_at:
            self._quiet_at = None
            recovered("second daemon", "no second daemon is trying to use the database any more")

    def release(self) -> None:
        """Let others have them. May be repeated."""
        self.port.release()
        self.lock.release()

    async def _trouble(self, *, leave_name: bool) -> "_Trouble | None":
        if not self.lock.held and (holder := self.lock.take(time.time(), self._file, leave_name=leave_name)):
            return _Trouble(
                f"another motherstream ({holder}) uses this database, {self._config.store.path}: stop it, or "
                "give this one its own store.path, http.port and sources.prefix"
            )
        host, port = self.port.address
        try:
            await self.port.take()
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            hint = "is another daemon running? " if in_use else ""
            what = (
                f"cannot listen on {host} port {port}: {error.strerror or error}; {hint}http.port chooses another port"
            )
            return _Trouble(what, passes=in_use)
        return None


@dataclass(frozen=True, slots=True)
class _Trouble:
    text: str
    passes: bool = True
    """It may be over in a moment."""
