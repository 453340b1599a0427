"""What there is on the disk, the same on each version of Python."""

from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether there is something at that path. Raises OSError where that cannot be told: who may not look is no no.

    ``Path.exists`` says no then from Python 3.14 on: https://docs.python.org/3/library/pathlib.html#pathlib.Path.exists
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
