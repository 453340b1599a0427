"""The way to the daemon: reports go there, and orders come back."""

import json
from typing import Final

import aiohttp
from pydantic import TypeAdapter

from daemon.core.answers import read_most
from daemon.core.probing import PATH, Orders, Reports

WITHIN: Final = 5.0
"""Seconds for an answer."""
LARGEST: Final = 1_000_000
"""Bytes of one."""
ORDERS: Final = TypeAdapter(Orders)


class DaemonError(Exception):
    """The daemon did not answer, or did not say what to do. ``str()`` is one line without secrets."""


class Daemon:
    """One daemon, at its address."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url.rstrip("/") + PATH
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def report(self, reports: Reports) -> Orders:
        """Tell it what was measured, and hear whom to measure. Raises DaemonError."""
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        try:
            async with self._session.post(
                self._url, json=reports, headers=self._headers, timeout=timeout, allow_redirects=False
            ) as answer:
                body = await read_most(answer, LARGEST)
                if answer.status != 200:
                    raise DaemonError(_refusal(answer.status, body))
                return ORDERS.validate_json(body)
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            raise DaemonError(f"no answer ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise DaemonError("its answer makes no sense: is it a motherstream of this version?") from error


def _refusal(status: int, body: bytes) -> str:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        message = "no reason given"
    return f"it refuses with {status}: {message[:200]}"
