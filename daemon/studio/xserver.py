"""Xvfb as one of the studio's programs: the display that OBS draws on."""

import os
import signal
from pathlib import Path

from daemon.studio.process import Process

START_TIMEOUT = 20.0
"""Seconds in which it has to name its display."""


class XServer:
    """An X server without a screen, on a display number that it chooses itself."""

    def __init__(self, folder: Path) -> None:
        self.display = ""
        self._log = folder / "xvfb.log"
        self._process: Process | None = None

    async def start(self) -> str:
        """Start it and return its display, such as ":99". Raises StartError."""
        ours, its = os.pipe()
        os.set_blocking(ours, False)
        written = bytearray()

        async def told() -> bool:
            try:
                written.extend(os.read(ours, 64))
            except BlockingIOError:
                return False
            return written.endswith(b"\n")

        process = self._process = Process(
            "Xvfb",
            ("Xvfb", "-displayfd", str(its), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"),
            log=self._log,
        )
        try:
            try:
                # Asked rather than killed, it takes its socket in /tmp away.
                await process.start(pass_fds=(its,), on_parent_death=signal.SIGTERM)
            finally:
                os.close(its)
            await process.answers(told, START_TIMEOUT, poll=0.02)
        finally:
            os.close(ours)
        self.display = f":{int(written)}"
        return self.display

    def kill_group(self) -> None:
        """SIGKILL, without waiting."""
        if self._process is not None:
            self._process.kill_group()

    def _socket(self) -> Path:
        return Path(f"/tmp/.X11-unix/X{self.display.removeprefix(':')}")  # noqa: S108  # X servers put it there

    async def stop(self) -> None:
        """End it. A display whose server had to be killed is tidied up by hand."""
        if self._process is None:
            return
        await self._process.stop(signal.SIGTERM, within=3.0)
        if self.display and self._process.returncode != 0:
            # With -displayfd there is no lock file in /tmp, only the socket.
            self._socket().unlink(missing_ok=True)
