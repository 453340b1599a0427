"""What several end-to-end tests need."""

import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support import until


async def becomes(ask: Callable[[], Awaitable[object]], wanted: object, *, within: float = 15.0) -> None:
    """Wait until ``ask`` answers ``wanted``; AssertionError with its last answer where it does not."""
    answer: object = None

    async def as_wanted() -> bool:
        nonlocal answer
        answer = await ask()
        return answer == wanted

    await until(as_wanted, within, what=f"{wanted!r}", tell=lambda: f"it is {answer!r}")


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(folder: Path) -> list[str]:
    """Process ids and command lines of all living processes but this one that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            named = str(folder).encode() in command + (process / "environ").read_bytes()
            if named and alive(int(process.name)):
                found.append(f"{process.name} {command!r}")
    return found


def left_behind(folder: Path) -> list[str]:
    """What is still there of a studio that had this folder: processes, and the folder itself."""
    return processes_of(folder) + ([str(folder)] if folder.exists() else [])
