"""The kinds of values that a configuration holds. A ValueError says what the value may be."""

import ipaddress
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, SecretStr
from pydantic_core import PydanticKnownError

PLACEHOLDERS: Final = ("app", "stream", "stream_key", "param", "vhost")
"""What `ingest.rtmp_url` may name in braces."""
FIRST_CHANNEL: Final = "main"
"""The name of a channel that was given none."""
CHANNEL_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""It is part of file names, of a unit's name, and a label of metrics."""
SHOWN: Final = ("on_air", "next", "remaining", "queue")
"""What a text in the scene may name in braces."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _no_truth(value: object) -> object:
    if isinstance(value, bool):  # which Python counts among the numbers
        raise PydanticKnownError("int_type")
    return value


def _some_text(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # Underscores are no part of a host name, but container networks name hosts so.
        label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
        if len(text) > 253 or not re.fullmatch(rf"(?!(\d+\.)*\d+$){label}(\.{label})*", text):
            raise ValueError("must be a host name or an IP address") from None
    return text


def _network(value: object) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ipaddress.ip_network(str(value))
    except ValueError as error:
        hint = " (has host bits set)" if "host bits" in str(error) else ""
        raise ValueError(f"must be an address or a network such as 10.0.0.0/8 or ::1/128{hint}") from None


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise ValueError("must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
    if text[-1].isdigit():
        # CH1 with its 5th input would be CH with its 15th.
        raise ValueError(f"must not end in a digit, because a number follows it: use {text}_")
    return text


def _has_address(text: str, *schemes: str) -> bool:
    """Whether the URL is of one of the schemes and names a host, and a port if any, that can be."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(_host(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False


def _http_url(text: str) -> str:
    if text and (not _has_address(text, "http", "https") or re.search(r"\s|#", text)):
        raise ValueError("must be http://HOST:PORT/… or https://…, or empty for none")
    return text.rstrip("/")


def _public_url(text: str) -> str:
    path = text.split("/", 3)[3] if text.count("/") > 2 else ""
    if text and (not _has_address(text, "http", "https") or not re.fullmatch(r"[A-Za-z0-9._~/-]*", path)):
        raise ValueError("must be https://HOST or https://HOST/PATH (or http://…), or empty for none")
    if "@" in text:
        raise ValueError("must not contain a user or a password")
    return text.rstrip("/")


def _rtmp_url(template: str) -> str:
    names = re.findall(r"\{([^{}]*)\}", template)
    if wrong := [name for name in names if name not in PLACEHOLDERS]:
        raise ValueError(f"{{{wrong[0]}}} is not one of {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}")
    literal = re.sub(r"\{[^{}]*\}", "", template)
    # The template becomes part of a GStreamer pipeline, which is a program: no blank, no quote, no !.
    if not re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]&=%+-]*", literal):
        raise ValueError("may only have the characters A-Z a-z 0-9 . _ ~ : / ? # [ ] & = % + - and placeholders")
    server = template.split("/", 3)[2] if template.count("/") > 2 else ""
    if "{" in server or not _has_address(template, "rtmp", "rtmps"):
        raise ValueError("must be rtmp://HOST:PORT/… or rtmps://…, its host and port written out")
    if not {"stream", "stream_key", "param"}.intersection(names):
        raise ValueError("must tell streams apart by {stream}, {stream_key} or {param}")
    return template


def _channel(text: str) -> str:
    if not re.fullmatch(CHANNEL_NAME, text):
        raise ValueError("must be 1 to 64 of the characters A-Z a-z 0-9 _ -, the first a letter or a digit")
    return text


def _app(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", text):
        raise ValueError("must be 1 to 128 of the characters A-Z a-z 0-9 _ -, or empty")
    return text


def _path(value: object) -> object:
    """Empty text is no path. A mistake that would make the file or folder somewhere else is told."""
    text = str(value) if isinstance(value, str | Path) else ""
    if not text.isprintable():
        raise ValueError("must not contain control characters")
    if text.startswith("~"):
        raise ValueError("must not begin with ~, which only a shell knows: write the folder out")
    return None if value == "" else value


def _database(value: object) -> object:
    path = _path(value)
    if path is None or Path(str(path)).name in ("", "..", ":memory:") or str(path).startswith("file:"):
        raise ValueError("must be the path of a file, such as /var/lib/motherstream/motherstream.db")
    return path


def _store_url(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and not re.fullmatch(r"postgres(ql)?://\S+", text):
        raise ValueError("must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or empty for none")
    return secret


def _header_text(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text != text.strip() or not text.isprintable():
        raise ValueError("must not begin or end with a blank or contain control characters: no header can carry it")
    return secret


def _template(text: str) -> str:
    if wrong := [name for name in re.findall(r"\{([^{}]*)\}", text) if name not in SHOWN]:
        raise ValueError(f"{{{wrong[0]}}} is not one of {', '.join(f'{{{name}}}' for name in SHOWN)}")
    return text


Int = Annotated[int, BeforeValidator(_no_truth)]
Float = Annotated[float, BeforeValidator(_no_truth)]
Name = Annotated[str, AfterValidator(_some_text)]
Host = Annotated[str, AfterValidator(_host)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
RtmpUrl = Annotated[str, AfterValidator(_rtmp_url)]
ChannelName = Annotated[str, AfterValidator(_channel)]
AppName = Annotated[str, AfterValidator(_app)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Template = Annotated[str, AfterValidator(_template)]
Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
File = Annotated[Path | None, BeforeValidator(_path)]
"""A path relative to the working directory; empty text is None."""
DatabaseFile = Annotated[Path, BeforeValidator(_database)]
StoreUrl = Annotated[SecretStr, AfterValidator(_store_url)]
Token = Annotated[SecretStr, AfterValidator(_header_text)]
