"""``python -m tests.attacks.loud run``: the daemon as loud as it can be made, and in trouble on demand.

Every library's own debug log is let through, uncapped; asyncio is in debug mode (PYTHONASYNCIODEBUG). On SIGUSR2
errors are raised wherever nobody catches them, with the texts of the file $TROUBLE in their messages and locals.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import simpleobsws

import daemon.obs.connection
import daemon.observability.logging
from daemon.cli.main import main

LOGGERS = ("simpleobsws", "websockets", "websockets.client", "aiohttp", "aiohttp.access", "aiohttp.client", "asyncio")


class Careless:
    """Its end fails, which Python tells by ``sys.unraisablehook``."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __del__(self) -> None:
        raise RuntimeError(f"unraisable {self._text}")


def _fail(text: str) -> None:
    secret = f"local {text}"
    raise RuntimeError(f"raised {secret}")


async def _fail_later(text: str) -> None:
    _fail(f"task {text}")


def _trouble(number: int, frame: object) -> None:
    for text in Path(os.environ["TROUBLE"]).read_text().splitlines():
        _raise_everywhere(asyncio.get_event_loop_policy().get_event_loop(), text)


def _raise_everywhere(loop: asyncio.AbstractEventLoop, text: str) -> None:
    threading.Thread(target=_fail, args=(f"thread {text}",), name="careless").start()
    Careless(text)
    loop.call_soon_threadsafe(_fail, f"callback {text}")
    loop.call_soon_threadsafe(lambda: loop.create_task(_fail_later(text)))
    logging.getLogger("aiohttp").debug("raw %s %s", text, {"url": f"rtmp://h/live/{text}?key={text}"})
    print(f"printed by {simpleobsws.__name__}", file=sys.stderr)


if __name__ == "__main__":
    daemon.observability.logging._CAPS.clear()
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    signal.signal(signal.SIGUSR2, _trouble)
    sys.exit(main())
