import io
import os
import threading
import time
from pathlib import Path

from daemon.observability.sinks import Console, LogFile, as_json


def test_to_rotate_a_log_whose_disk_is_stuck_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "motherstream.log"
    os.mkfifo(path)  # to open it for writing takes as long as nobody reads it, as a dead network share would
    file = LogFile(path, as_json, Console(io.StringIO(), as_json))
    thread = threading.Thread(target=file.take, args=("one\n", 1), daemon=True)
    thread.start()
    ends = time.monotonic() + 5.0
    while not file._lock.locked():
        assert time.monotonic() < ends, "the line has to be on its way for this to say anything"
        time.sleep(0.001)

    asked = threading.Thread(target=file.reopen, daemon=True)
    asked.start()
    asked.join(5.0)
    held_up, stuck = asked.is_alive(), thread.is_alive()

    reader = os.open(path, os.O_RDONLY)
    thread.join(5.0)
    os.close(reader)
    assert stuck
    assert not held_up
    path.unlink()
    file.take("two\n", 1)
    assert path.read_text() == "two\n"
    file.close()
