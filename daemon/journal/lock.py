"""One daemon for one database: a lock beside the file, which the kernel lets go of with its holder's death.

Who holds it stands in the lock's own file, for the one that is turned away; and that one leaves its name there in turn,
for the holder to tell of it.
"""

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from daemon.core.clock import iso

log = structlog.get_logger(__name__)

MOST: Final = 8192
"""Bytes that the file may have: one that is turned away again and again adds nothing beyond."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Another process that has the database, as far as it says."""

    pid: int
    since: str
    config: str

    def __str__(self) -> str:
        since = f", since {self.since}" if self.since else ""
        config = f", configuration {self.config}" if self.config else ""
        return f"pid {self.pid or 'unknown'}{since}{config}"


class StoreLock:
    """``take`` before anything else is touched; ``release`` at the end, which a process's own end does, too."""

    def __init__(self, database: Path) -> None:
        # Whoever comes by another way, through a link, is to meet the same lock.
        self.path = Path(f"{os.path.realpath(database)}.lock")
        self._file: int | None = None
        self._noted: dict[str, Any] = {}
        self._size = 0

    @property
    def held(self) -> bool:
        """It is ours."""
        return self._file is not None

    def take(self, at: float, config: str = "", *, leave_name: bool = True) -> Holder | None:
        """Take it, or say who has it.

        Where there can be no such file (a disk that is read-only, a folder that is gone) nothing is held, and nobody
        is in the way: a show does not depend on it. ``leave_name``: the holder is to know that we were here.
        """
        us = {"pid": os.getpid(), "since": iso(at), "config": config}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self._open()
        except OSError as error:
            log.warning("the database cannot be locked: make sure that no other daemon uses it", error=str(error))
            return None
        if file is None:
            return self._turned_away(us if leave_name else None)
        self._file = file
        self._noted = {**_first(self._read()), **us}
        self._write()
        return None

    def release(self) -> None:
        """Let another one have it. May be repeated."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def note(self, **facts: Any) -> None:
        """Keep something about the database where it outlives the database. Raises OSError."""
        if self._file is not None:
            self._noted |= facts
            self._write(sync=True)

    def noted(self, name: str) -> Any:
        """What was kept so, in this run or an earlier one; None where nothing was."""
        return self._noted.get(name)

    def others(self) -> tuple[Holder, ...]:
        """Daemons that were started on this database since the last call, and were turned away."""
        if self._file is None:
            return ()
        with suppress(OSError):
            if os.fstat(self._file).st_size == self._size:
                return ()
            found = self._read()[1:]
            self._write()
            return tuple(_holder(line) for line in found)
        return ()

    # --- the file --------------------------------------------------------------------------------------------

    def _open(self) -> int | None:
        """The locked file; None while another one holds it."""
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        while True:
            file = os.open(self.path, flags, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Somebody may have removed it between the two: then it locks nothing.
                if os.fstat(file).st_ino == self._inode():
                    _like_its_folder(file, self.path)
                    return file
            except BlockingIOError:
                os.close(file)
                return None
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _turned_away(self, us: dict[str, Any] | None) -> Holder:
        holder = Holder(0, "", "")
        with suppress(OSError):
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                holder = _holder(_first(_lines(file)))
                if us is not None and os.fstat(file).st_size < MOST:
                    os.write(file, json.dumps(us).encode() + b"\n")
            finally:
                os.close(file)
        return holder

    def _read(self) -> list[dict[str, Any]]:
        return _lines(self._file) if self._file is not None else []

    def _write(self, *, sync: bool = False) -> None:
        """Raises OSError where ``sync`` asks for certainty; else a full disk is no reason to go without the lock."""
        assert self._file is not None  # noqa: S101  # it is written while it is held
        body = json.dumps(self._noted).encode() + b"\n"
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, body, 0)
            if sync:
                os.fsync(self._file)
        except OSError:
            if sync:
                raise
        finally:
            with suppress(OSError):
                self._size = os.fstat(self._file).st_size


def _lines(file: int) -> list[dict[str, Any]]:
    """What stands there, as far as it can be read."""
    found = []
    for line in os.pread(file, 2 * MOST, 0).splitlines():
        try:
            body = json.loads(line)
        except ValueError:
            continue
        found.append(body if isinstance(body, dict) else {})
    return found


def _first(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return lines[0] if lines else {}


def _holder(body: dict[str, Any]) -> Holder:
    pid = body.get("pid")
    return Holder(pid if isinstance(pid, int) else 0, str(body.get("since", "")), str(body.get("config", "")))


def _like_its_folder(file: int, path: Path) -> None:
    """Made by root (a restore, say), it belongs to whom the folder belongs to: the daemon has to lock it, too."""
    if os.geteuid() == 0 and os.fstat(file).st_size == 0:
        folder = path.parent.stat()
        os.fchown(file, folder.st_uid, folder.st_gid)
