"""``python -m tests.machine.troubled run``: the daemon with a wall clock that a test steps and a loop that it blocks.

$TROUBLE names a file that holds the seconds by which the wall clock is off; SIGUSR1 blocks the event loop for good.
With $HANGUP it is told to reload while it opens its journal, which is before it can.
"""

import os
import signal
import sys
import time
from pathlib import Path

from daemon.cli.main import main
from daemon.journal.journal import Journal

_true_time = time.time
_offset = Path(os.environ["TROUBLE"])


def _stepped() -> float:
    return _true_time() + float(_offset.read_text() or 0)


def _block(number: int, frame: object) -> None:
    while True:
        time.sleep(1.0)


_open = Journal.open


async def _open_and_be_told_to_reload(journal: Journal) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    await _open(journal)


if __name__ == "__main__":
    time.time = _stepped
    signal.signal(signal.SIGUSR1, _block)
    if "HANGUP" in os.environ:
        Journal.open = _open_and_be_told_to_reload  # type: ignore[assignment, method-assign]  # for this run
    sys.exit(main())
