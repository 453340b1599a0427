"""What the faults of the machine are made with: a small disk, a service manager that listens, a daemon in trouble."""

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from tests.daemon.http.live import DEADLINE, Live

TROUBLED: Final = ("-m", "tests.machine.troubled")
"""The program for a ``Live`` whose wall clock may be stepped and whose event loop may be blocked."""


class Disk:
    """A file system of its own, in a mount namespace that this process does not share.

    As root, or wherever unprivileged users may make namespaces; else the test is skipped, and says so. Nothing is
    left: the namespace goes with the one process that keeps it.
    """

    def __init__(self, folder: Path, *, kilobytes: int = 1024, read_only: bool = False) -> None:
        self._place = folder / "disk"
        self._place.mkdir()
        then = 'mount -o remount,bind,ro "$0"' if read_only else ":"
        rootless = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        self._enter = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs "$0" && {then} && echo && exec cat'
        self._keeper = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", *rootless, "--mount", "sh", "-c", mount, str(self._place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._keeper.stdout is not None
        if self._keeper.stdout.readline() != b"\n":
            _, said = self._keeper.communicate()
            pytest.skip(f"no disk of one's own can be mounted here: {said.decode(errors='replace').strip()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeper.communicate()

    @property
    def within(self) -> tuple[str, ...]:
        """What to put before a command that is to see it."""
        return ("nsenter", "--target", str(self._keeper.pid), *self._enter, "--mount")

    def inside(self, name: str) -> str:
        """The path of a file on it, as who is within sees it."""
        return str(self._place / name)

    def outside(self, name: str) -> Path:
        """The same, for the test."""
        return Path(f"/proc/{self._keeper.pid}/root{self._place}/{name}")

    def settings(self) -> dict[str, str]:
        """The daemon's, with everything that it writes on this disk."""
        return {
            "store__path": self.inside("motherstream.db"),
            "log__file": self.inside("motherstream.log"),
            "health__report_dir": self.inside("stream-health"),
        }

    def fill(self) -> None:
        """Not a byte is left."""
        with self.outside("filling").open("ab", buffering=0) as filling:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filling.write(b"x" * size)

    def make_room(self) -> None:
        """As it was before it was filled."""
        self.outside("filling").unlink()

    def remount(self, flags: str) -> None:
        """With other flags, such as ``rw``."""
        subprocess.run([*self.within, "mount", "-o", f"remount,bind,{flags}", str(self._place)], check=True)


class Manager:
    """Listens where systemd would: sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._path = folder / "notify"
        self._socket.bind(str(self._path))

    def environment(self, watchdog: float) -> Mapping[str, str]:
        """What a service is started with; ``watchdog`` in seconds."""
        return {"NOTIFY_SOCKET": str(self._path), "WATCHDOG_USEC": str(round(watchdog * 1e6))}

    def hears(self, word: str, within: float = DEADLINE) -> bool:
        """Whether a message with this line comes in time, of those that come from now on or wait to be read."""
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                if word in self._socket.recv(4096).decode().split("\n"):
                    return True
        return False

    def forget(self) -> None:
        """What waits to be read."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(4096)

    def close(self) -> None:
        self._socket.close()


def alice_and_bob(live: Live) -> None:
    """Alice on air, bob on standby."""
    for name in ("alice", "bob"):
        live.publish(name)
    live.until(lambda: live.on_air() == "alice" and (live.get("/status")["standby"] or {}).get("ready"))


def assert_settled(live: Live, streamer: str) -> None:
    """Within the bound of a convergence: one own input shown, this streamer's; two owned at most."""

    def settled() -> bool:
        status = live.get("/status")
        on_air = status["on_air"]
        return (
            status["obs"]["connected"]
            and on_air is not None
            and on_air["streamer"] == streamer
            and live.obs.shown() == [on_air["input"]]
            and len(live.obs.own()) <= 2
            and status["state"] in ("IDLE", "STANDBY")
        )

    live.until(settled, within=30.0)


def says(live: Live, text: str) -> None:
    """On standard error, which a thread of the daemon's writes a moment later."""
    live.until(lambda: text in live.console())


def unready(live: Live) -> set[str]:
    """What /readyz finds not to be well."""
    checks = json.loads(live.ask("GET", "/readyz").body)["checks"]
    return {name for name, check in checks.items() if not check["ok"]}


def lines(path: Path) -> list[str]:
    """Of a log file; none where there is none."""
    return path.read_text(errors="replace").splitlines() if path.exists() else []
