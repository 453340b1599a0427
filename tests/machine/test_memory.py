"""There is no memory left: the picture stays, and the daemon goes on or is started again."""

import contextlib
import resource
import socket
from pathlib import Path

from tests.daemon.http.live import Live
from tests.machine.support import alice_and_bob, assert_settled


def data_of(pid: int) -> int:
    """Bytes of private memory that it has asked for."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


def test_without_memory_the_picture_stays_and_all_is_well_again_once_there_is_some(tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        alice_and_bob(live)
        shown = live.obs.shown()
        resource.prlimit(live.pid, resource.RLIMIT_DATA, (data_of(live.pid), resource.RLIM_INFINITY))
        with contextlib.ExitStack() as stack:
            head = b"POST /hooks/srs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            for _ in range(200):
                with contextlib.suppress(OSError):
                    client = stack.enter_context(socket.create_connection(("127.0.0.1", live.port), timeout=5))
                    client.sendall(head + b"Content-Length: 65000\r\n\r\n" + b'{"a":"' + b"x" * 60_000)
            live.until(lambda: "MemoryError" in live.console() or not live.running)
            assert live.obs.shown() == shown
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(live.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        try:
            # Looked after every 5 s where there is no watchdog to feed, and a look takes as long at the most.
            live.until(lambda: live.ask("GET", "/healthz").status == 200, within=40)
        except AssertionError:
            assert not live.running
            live.start()  # it gave up, sooner or later: as systemd does
        assert_settled(live, "alice")
        live.ask("POST", "/queue/skip")
        live.until_on_air("bob")
