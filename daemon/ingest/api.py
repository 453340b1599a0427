"""One call to an ingest server's HTTP API: bounded in time and size, its errors translated."""

import json
import os
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from daemon.core.answers import read_most
from daemon.core.ports import IngestError

TIMEOUT: Final = 5.0
"""Seconds that a call may take."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of an answer; a thousand streams of SRS's take half a megabyte."""


def open_client() -> aiohttp.ClientSession:
    """The HTTP client for all calls to ingest servers. Close it at the end."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "motherstream"},
    )


START: Final = "start it, or correct its URL in [ingest]"
WHO: Final = {
    "SRS": "set ingest.srs_token, or USER:PASSWORD@ before the host in ingest.srs_api",
    "Oryx": "set ingest.oryx_token to the API secret that its console shows under OpenAPI",
    "MediaMTX": "allow `api` to this machine in its authInternalUsers or authHTTPExclude",
}
"""What each server wants where it answers 401 or 403."""


class Api:
    """An HTTP API of JSON objects, mostly. User and password may stand in its URL; a token goes in a header."""

    def __init__(self, name: str, base: str, client: aiohttp.ClientSession, token: str = "") -> None:
        self.name = name
        self._base = base
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        parts = urlsplit(base)
        self.where = f"{name} at {parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
        """Name, host and port, fit for a log."""

    async def call(
        self, method: str, path: str, *, accept: tuple[int, ...] = (200,), body: object | None = None, **query: int
    ) -> tuple[int, dict[str, Any]]:
        """The status, one of those accepted, and the object that was answered. Raises IngestError."""
        status, raw = await self.fetch(method, path, accept=accept, body=body, **query)
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise IngestError(f"{self.where} answered something that is not its API") from error
        if not isinstance(answer, dict):
            raise IngestError(f"{self.where} answered something that is not its API")
        return status, answer

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        accept: tuple[int, ...] = (200,),
        body: object | None = None,
        **query: int | str,
    ) -> tuple[int, bytes]:
        """The same for an API of another form: the body as it came."""
        try:
            async with self._client.request(
                method,
                self._base + path,
                params=query,
                json=body,
                headers=self._headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            ) as response:
                if response.status not in accept:
                    asked = f"{method} {urlsplit(self._base).path}{path}"
                    raise IngestError(
                        f"{self.where} answered {response.status} to {asked}", self._mend(response.status)
                    )
                return response.status, await read_most(response, MOST_BYTES)
        except TimeoutError as error:
            raise IngestError(f"{self.where} did not answer within {TIMEOUT:g}s", START) from error
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError) as error:
            raise IngestError(f"{self.where} does not speak HTTP as its API does") from error
        except aiohttp.ClientError as error:
            raise IngestError(f"{self.where} cannot be reached: {reason_of(error)}", START) from error
        except ValueError as error:
            raise IngestError(f"{self.where} answered something that is not its API") from error

    def _mend(self, status: int) -> str:
        if status in (401, 403):
            return f"it requires a login: {WHO.get(self.name, 'put USER:PASSWORD@ before the host in its URL')}"
        if 300 <= status < 400:
            return "redirects are not followed: set its URL in [ingest] to where it leads"
        if status >= 500:
            return "its own log says why"
        return "check that its URL in [ingest] is that of its API"


def reason_of(error: Exception) -> str:
    """Why a server cannot be reached, in words, without its URL."""
    # str() of aiohttp's errors may hold the URL, and with it a password.
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate, or its TLS, is not accepted"
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio writes "Connect call failed ('127.0.0.1', 1)".
        return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or "no connection"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return "it does not speak HTTP"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return "it closed the connection"
    return type(error).__name__
