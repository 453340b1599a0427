"""The client commands' way to the running daemon: its HTTP API, one request a call."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT = 10.0
"""Seconds for one answer."""


class ClientError(Exception):
    """The daemon refused, or could not be asked. ``str()`` is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to one daemon."""

    host: str
    port: int
    token: str = ""

    @property
    def base(self) -> str:
        """The address that the daemon can be reached at from here."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # called, not listened on
        host = everywhere.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def get(self, path: str) -> Any:
        """The decoded answer. Raises ClientError."""
        return self._ask("GET", path)

    def post(self, path: str, body: object = None, *, timeout: float = TIMEOUT) -> Any:
        """The decoded answer. Raises ClientError."""
        return self._ask("POST", path, body, timeout)

    def delete(self, path: str) -> Any:
        """The decoded answer. Raises ClientError."""
        return self._ask("DELETE", path)

    def open_events(self) -> Any:
        """The open event stream, to be read line by line. Raises ClientError."""
        return self._open(self._request("GET", "/events", None), timeout=60.0)

    def _request(self, method: str, path: str, body: object) -> urllib.request.Request:
        data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
        request = urllib.request.Request(self.base + path, data=data, method=method)  # noqa: S310  # it is http: see base
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        return request

    def _open(self, request: urllib.request.Request, timeout: float = TIMEOUT) -> Any:
        # A proxy from the environment has no business between the two.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            # It is the answer itself, and holds the connection.
            with error:
                raise ClientError(_explain(error)) from error
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise ClientError(
                f"no daemon answers at {self.base} ({reason}): start it with `motherstream run`, "
                "or give its configuration with --config"
            ) from error

    def _ask(self, method: str, path: str, body: object = None, timeout: float = TIMEOUT) -> Any:
        with self._open(self._request(method, path, body), timeout) as answer:
            text = answer.read()
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            what = f"{self.base} does not answer like Motherstream: is another program on that port?"
            raise ClientError(what) from error


def _explain(error: urllib.error.HTTPError) -> str:
    try:
        message = json.loads(error.read())["error"]["message"]
    except (ValueError, KeyError, TypeError, OSError):
        message = error.reason
    if error.code == 401:
        return "the daemon requires a token: set http.token in the configuration, or MOTHERSTREAM_HTTP__TOKEN"
    return str(message)


def quoted(name: str) -> str:
    """A streamer's name as one path segment. Raises ClientError where there is none."""
    if not name:
        raise ClientError("the streamer's name is empty: `motherstream queue` lists those who are in the line-up")
    return urllib.parse.quote(name, safe="")
