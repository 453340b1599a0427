"""A PostgreSQL of the studio's own: its files in the studio's folder, on a socket and a loopback port of its own."""

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from daemon.studio.errors import MissingProgramsError, StartError
from daemon.studio.ports import free_port
from daemon.studio.process import Process, find_program, port_open

PACKAGE: Final = "postgresql"
VERSIONS: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version."""
START_TIMEOUT: Final = 20.0
"""Seconds in which it has to answer."""
USERS: Final = ("postgres", "nobody")
"""Whom it runs as where the studio is root's, for whom it would not."""
SETTINGS: Final = {
    "fsync": "on",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby": "on",
    "unix_socket_permissions": "0777",
}


def programs() -> Path:
    """The folder of the newest version's programs. Raises MissingProgramsError."""
    folders = sorted(VERSIONS.glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if folders:
        return folders[-1].parent
    if found := find_program("postgres"):
        return Path(found).parent
    raise MissingProgramsError({"postgres": PACKAGE})


class Postgres:
    """One server. ``start`` makes its files the first time, and may be called again after ``kill`` or ``stop``."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self._data = folder / "data"
        self._bin = programs()
        self._user = _user()
        set_to = {**SETTINGS, **(settings or {}), "port": str(self.port), "unix_socket_directories": str(folder)}
        set_to["listen_addresses"] = "127.0.0.1"
        argv = [str(self._bin / "postgres"), "-D", str(self._data)]
        for name, value in set_to.items():
            argv += ["-c", f"{name}={value}"]
        self.command = self._as_user(argv)
        """What runs it."""
        self.process = Process("postgres", self.command, log=folder / "postgres.log")

    def url(self, host: str = "127.0.0.1", port: int | None = None) -> str:
        """Where it is reached, as the daemon's ``store.url``."""
        return f"postgresql://motherstream@{host}:{port or self.port}/motherstream"

    async def start(self) -> None:
        """Start it, and wait until it takes statements. Raises StartError."""
        is_new = not self._data.exists()
        if is_new:
            await self._make()
        await self.process.start()
        await self.process.answers(self._answers, START_TIMEOUT, poll=0.05)
        if is_new and not (self._data / "standby.signal").exists():
            await self.run("createdb", *self._at, "motherstream")

    async def follow(self, primary: "Postgres") -> None:
        """Become a streaming replica of that one, and start. Raises StartError."""
        self.give(self.folder)
        source = ["-h", str(primary.folder), "-p", str(primary.port), "-U", "motherstream"]
        await self.run("pg_basebackup", *source, "-D", str(self._data), "-R", "-X", "stream", "-c", "fast")
        await self.start()

    async def promote(self) -> None:
        """Become the primary."""
        await self.run("pg_ctl", "promote", "-D", str(self._data), "-w")

    async def stop(self) -> None:
        """End it in an orderly way, without waiting for its clients."""
        await self.process.stop(signal.SIGINT, within=10.0)

    async def kill(self) -> None:
        """SIGKILL to it and its helpers."""
        self.process.kill_group()
        await self.process.kill()

    async def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs; what it says. Raises StartError."""
        argv = self._program(program, *arguments)
        return await self._ran(argv)

    async def _ran(self, argv: Sequence[str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=self.folder
        )
        output = (await process.communicate())[0].decode(errors="replace")
        if process.returncode:
            raise StartError("PostgreSQL", f"{argv} ended with status {process.returncode}", output)
        return output

    async def query(self, sql: str) -> str:
        """What a statement returns, a line each, by psql."""
        argv = self.psql(sql)
        return (await self._ran(argv)).strip()

    def psql(self, sql: str, database: str = "motherstream") -> list[str]:
        """What runs a statement and writes what it returns, a line each."""
        return self._program("psql", *self._at, "-d", database, "-qAt", "-v", "ON_ERROR_STOP=1", "-c", sql)

    def make_command(self) -> list[str]:
        """What makes its files, in a folder that it was given."""
        # Nobody else is on loopback in a studio: who may connect is not what is tried.
        return self._program(
            "initdb", "-D", str(self._data), "-U", "motherstream", "-A", "trust", "-E", "UTF8", "--no-sync"
        )

    def give(self, folder: Path) -> None:
        """Have it write there."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            shutil.chown(folder, self._user)
            # The studio's folder is for nobody else to read; this one has to get through it.
            shutil.chown(folder.parent, group=pwd.getpwnam(self._user).pw_gid)
            folder.parent.chmod(0o710)

    @property
    def _at(self) -> Sequence[str]:
        return ("-h", str(self.folder), "-p", str(self.port), "-U", "motherstream")

    async def _make(self) -> None:
        self.give(self.folder)
        await self._ran(self.make_command())

    async def _answers(self) -> bool:
        if not await port_open(self.port):
            return False
        try:
            await self._ran(self.psql("SELECT 1", "postgres"))
        except StartError:
            return False
        return True

    def _program(self, name: str, *arguments: str) -> list[str]:
        return self._as_user([str(self._bin / name), *arguments])

    def _as_user(self, argv: Sequence[str]) -> list[str]:
        if self._user is None:
            return list(argv)
        return ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups", "--", *argv]


def _user() -> str | None:
    """Whom it runs as; None for who runs the studio."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None
