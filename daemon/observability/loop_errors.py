"""What nobody waits for goes wrong: told by the event loop itself, and here to the log."""

import asyncio
import errno
from typing import Any, Final

import structlog

from daemon.observability.throttle import LogThrottle

OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = structlog.get_logger(__name__)


class Unhandled:
    """The event loop's exception handler.

    Out of file descriptors, asyncio tells one connection that it cannot take a hundred times over, with a traceback
    each (``_accept_connection`` goes on for the whole backlog), and again each second: it is told once in a while.
    """

    def __init__(self) -> None:
        self._throttle = LogThrottle()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """One of them. Never raises."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in OUT_OF_RESOURCES and "socket" in context:
            if (count := self._throttle.suppressed("accept")) is not None:
                more = {"more": count} if count else {}
                log.error(f"cannot accept connections: {error.strerror}; retrying every second", **more)
            return
        loop.default_exception_handler(context)
