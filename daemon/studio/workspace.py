"""The one temporary folder of a studio, and the clearing away of those whose studio was killed."""

import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

PREFIX = "motherstream-studio-"
LOCK = "lock"


class Workspace:
    """A folder that is locked for as long as its studio lives.

    A killed interpreter cannot clear up; the lock, which the kernel releases, tells the next studio that the
    folder is nobody's any more.
    """

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Locked before it has its name, so that no other studio's sweep can come in between.
        unnamed = self.folder / f"{LOCK}.new"
        self._lock: IO[bytes] = unnamed.open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(self.folder / LOCK)

    def close(self, *, keep: bool = False) -> None:
        """Remove the folder with all in it, or leave it to whoever asked for it."""
        if keep:
            (self.folder / LOCK).unlink(missing_ok=True)  # without its lock, no later studio sweeps it
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def sweep() -> None:
    """Remove the folders of studios that were killed."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        try:
            with lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue
