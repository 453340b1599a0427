"""Tells systemd how the service is: sd_notify(3). Without systemd every call does nothing; none ever raises."""

import os
import socket
import time
from collections.abc import Mapping


class ServiceNotifier:
    """Speaks to the socket that $NOTIFY_SOCKET names, and knows how often the watchdog wants to hear.

    Each call tells whether systemd has been told.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the zero byte that begins an abstract socket's name.
        self._address = f"\0{path[1:]}" if path.startswith("@") else path if path.startswith("/") else ""
        self.watchdog_interval = _watchdog_interval(environ)
        """Seconds within which systemd expects `watchdog()`; None where it expects none. Call at half of it."""

    def ready(self, status: str = "") -> bool:
        """The service is up, or its reload is done."""
        return self._send("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        return self._send(*_status(text))

    def watchdog(self) -> bool:
        """The service makes progress."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """A reload begins; `ready()` ends it."""
        # The time lets systemd tell this reload from an earlier one (Type=notify-reload).
        return self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> bool:
        """The service is on its way down."""
        return self._send("STOPPING=1", *_status(status))

    def _send(self, *lines: str) -> bool:
        if not self._address or not lines:
            return False
        message = "\n".join(lines).encode("utf-8", "backslashreplace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as unix:
                unix.setblocking(False)  # systemd may be busy; the event loop must not wait for it
                unix.sendto(message, self._address)
        except (OSError, ValueError):
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    # A line end in the text would begin an assignment of its own.
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def _watchdog_interval(environ: Mapping[str, str]) -> float | None:
    # The variables are inherited: they are meant for the process that WATCHDOG_PID names, where it names one.
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None
