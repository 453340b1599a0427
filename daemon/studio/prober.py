"""motherstream-probe beside a channel, as a process of its own."""

import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from daemon.studio.process import Process, environment


class Prober:
    """A running probe that reports to the daemon at ``url``."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._log = folder / "probe.log"
        self.process = self._new()

    def _new(self) -> Process:
        return Process(
            "motherstream-probe",
            [sys.executable, "-m", "daemon.probe", "--url", self._url],
            log=self._log,
            env=environment(),
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin."""
        self.process = self._new()
        await self.process.start()

    async def stop(self) -> None:
        """SIGTERM, and its end."""
        await self.process.stop(within=5.0)
