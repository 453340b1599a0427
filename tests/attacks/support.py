"""What attackers have in common: raw sockets, and a look at what has changed."""

import contextlib
import socket
from typing import Any, Final

from tests.daemon.http.live import Live

TOKEN: Final = "token-of-the-api-4711"
LOCKS: Final = {"http__token": TOKEN, "hooks__secret": "secret-of-the-hooks", "hooks__allow": "10.0.0.0/8"}
LOCKED_HEADERS: Final = {"Authorization": f"Bearer {TOKEN}"}

SILENCE: Final = 0.3
"""Seconds after an answer until a connection that is still open counts as done."""
ALSO: Final = frozenset({502, 503, 504})
"""Statuses above 500 that are an answer: OBS refused, is not there, is too slow."""


def exchange(live: Live, raw: bytes, within: float = 5.0) -> bytes:
    """Send bytes as they are. What comes back until the daemon closes, or has answered and says no more."""
    got = b""
    with (
        socket.create_connection(("127.0.0.1", live.port), timeout=within) as client,
        contextlib.suppress(TimeoutError, ConnectionError),
    ):
        client.sendall(raw)
        while chunk := client.recv(65536):
            got += chunk
            client.settimeout(SILENCE)
    return got


def status_of(answer: bytes) -> int:
    """Of the first answer; 0 where there is none."""
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    return int(words[1]) if answer.startswith(b"HTTP/1.") and len(words) > 1 else 0


def state(live: Live) -> dict[str, Any]:
    """All that a request may change."""
    status = live.get("/status")
    return {
        "held": status["held"],
        "line-up": [place["streamer"] for place in status["queue"]],
        "on air": status["on_air"] and status["on_air"]["streamer"],
        "turn": live.get("/time-settings")["swap_interval"],
        "blocked": live.get("/block-toggle")["is_blocked"],
        "z-offset": live.get("/debug/get-source-z-offset")["z_offset"],
        "job delay": live.get("/debug/obs-job-delay")["obs_job_delay_seconds"],
    }


def assert_unharmed(live: Live) -> None:
    """It lives, and nothing has gone wrong inside."""
    assert live.get("/healthz")["status"] == "ok"
    for sign in (
        "Traceback",
        "A request failed",
        "the rules failed",
        "an observer failed",
        "has ended: the daemon stops",
    ):
        wrong = [line for line in live.console().splitlines() if sign in line]
        assert not wrong, wrong[0][:4000]
