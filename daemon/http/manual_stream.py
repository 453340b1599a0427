"""The URL that an operator gives by hand: it may name a stream of the configured ingest server, and nothing else.

OBS opens what it is given, from inside the operator's network, so the URL is taken apart here and put together again
from the configured server's part and from names that pass the allow-list.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

from daemon.config.types import is_loopback
from daemon.http.errors import ApiError
from daemon.ingest.stream import ARGUMENT, NAME, HookError, arguments_of

PORTS: Final = {"rtmp": 1935, "rtmps": 443}
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?\[\]&=%-]{1,1024}")


class ManualStreamUrl(NamedTuple):
    """A stream at the configured server."""

    url: str
    app: str
    stream: str


def read_url(text: str, template: str) -> ManualStreamUrl:
    """The stream that is meant. Raises ApiError, which quotes nothing of the text: it may hold a key."""
    if not _PLAIN.fullmatch(text):
        raise ApiError(400, "bad_url", "rtmp_url has characters that are not allowed in a stream's URL")
    try:
        given, ours = urlsplit(text), urlsplit(template.partition("{")[0])
        same_server = _server(given) == _server(ours)
    except ValueError:
        raise ApiError(400, "bad_url", "rtmp_url is not a URL") from None
    if given.scheme not in PORTS:
        raise ApiError(400, "bad_scheme", "rtmp_url must begin with rtmp:// or rtmps://")
    if not same_server or "@" in given.netloc:
        raise ApiError(400, "other_host", "rtmp_url must have the host and port of ingest.rtmp_url")
    app, _, stream = given.path.removeprefix("/").partition("/")
    if not NAME.fullmatch(app) or not NAME.fullmatch(stream):
        raise ApiError(400, "bad_stream", "rtmp_url must end in APP/STREAM, with only the characters A-Z a-z 0-9 _ -")
    try:
        arguments = arguments_of(given.query)
    except HookError as error:
        raise ApiError(400, error.code, str(error)) from None
    if not all(ARGUMENT.fullmatch(name) and ARGUMENT.fullmatch(value) for name, value in arguments):
        raise ApiError(400, "bad_param", "the arguments of rtmp_url may only have the characters A-Z a-z 0-9 . _ ~ -")
    query = f"?{urlencode(arguments)}" if arguments else ""
    return ManualStreamUrl(f"{ours.scheme}://{ours.netloc}/{app}/{stream}{query}", app, stream)


def _server(parts: SplitResult) -> tuple[str, str, int]:
    host = (parts.hostname or "").lower()
    # Port 0 is none that is left out: it is another port.
    port = PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    return parts.scheme, "loopback" if is_loopback(host) else host, port
