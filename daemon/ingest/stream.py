"""A stream as an ingest server's hook names it, and the allow-list that every part of it has to pass.

An RTMP URL becomes part of a GStreamer pipeline, which is a program, and librtmp takes ``key=value`` options after a
blank. So nothing but letters, digits, ``_`` and ``-`` is let in, here and again where the URL is built.
"""

import hashlib
import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What an app, a stream and a key may be."""
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
"""What the ids of servers and of their clients may be."""
VHOST: Final = re.compile(r"[A-Za-z0-9_.:%\[\]-]{1,255}")
"""What a virtual host may be: SRS takes the host of the publish URL for it, an IPv6 address in brackets among them."""
ARGUMENT: Final = re.compile(r"[A-Za-z0-9_.~-]{1,256}")
"""What a publisher's further arguments may be; others are left out of play URLs."""

DEFAULT_VHOST: Final = "__defaultVhost__"
KEY_NAMES: Final = ("key", "stream_key")
"""The parameters that may hold a streamer's key, the first before the second."""
MOST_ARGUMENTS: Final = 64
TYPE: Final = "in OBS: Server rtmp://HOST/APP, Stream Key NAME?key=KEY, as `motherstream streamer add` prints them"
"""What a streamer is to type; it ends each refusal that a streamer can cause."""
_TOLD: Final = {
    " ": "blanks",
    "\t": "blanks",
    "\n": "line ends",
    "\r": "line ends",
    "/": "slashes",
    ".": "dots",
    "%": "percent signs",
    "?": "question marks",
    "&": "ampersands",
    "=": "equals signs",
    ":": "colons",
    '"': "quotation marks",
    "+": "plus signs",
}
_PASTED: Final = " \t\r\n\xa0\u200b\ufeff?&/\"'`"
_OF_A_KEY: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:]*):[0-9]{1,5}")


class HookError(ValueError):
    """A hook that is not understood or not allowed. ``str()`` is one line and quotes nothing that was sent."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.app = ""
        """The app that was meant, as far as it was read."""


@dataclass(frozen=True, slots=True)
class StreamRef:
    """One publisher's stream at its server. What may hold a secret is left out of ``repr()``."""

    server: str
    """srs, nginx, oryx or mediamtx: the prefix of the session's id."""
    app: str
    stream: str = field(repr=False)
    client_id: str = ""
    instance: str = ""
    """The server's own id, where it has one."""
    vhost: str = DEFAULT_VHOST
    ip: str = ""
    key: str = field(default="", repr=False)
    args: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """The publisher's arguments that pass the allow-list, the key among them."""
    flat: bool = False
    """Its path at the server has one level, the stream's name; the app is the configured one."""

    @property
    def path(self) -> str:
        """``app/stream``."""
        return f"{self.app}/{self.stream}"

    @property
    def session_id(self) -> str:
        """The id of its session: the server and its client, never the stream's name, which may be a key.

        nginx-rtmp counts its clients from 1 after each start, so its ids bear a digest of the stream besides.
        """
        match self.server:
            case "srs" if self.client_id:
                return f"srs:{self.instance or 'srs'}/{self.client_id}"
            case "oryx" | "mediamtx" if self.client_id:
                return f"{self.server}:{self.client_id}"
            case "nginx" if self.client_id:
                return f"nginx:{self.client_id}-{self.digest}"
        return f"{self.server}:{self.digest}"

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that stand for the stream without telling its name."""
        return hashlib.blake2s(f"{self.vhost}/{self.path}".encode(), digest_size=8).hexdigest()


def is_ours(ref: StreamRef, apps: Collection[str], vhosts: Collection[str]) -> bool:
    """Whether it is one of this channel's; an empty list names all. Only SRS has virtual hosts."""
    hosts = not vhosts or ref.server not in ("srs", "oryx") or ref.vhost in vhosts
    return hosts and (not apps or ref.app in apps)


def make_ref(  # noqa: PLR0913  # one for each part that a hook may name, nearly all of them by name
    server: str,
    app: str,
    stream: str,
    arguments: Iterable[tuple[str, str]] = (),
    *,
    client_id: str = "",
    instance: str = "",
    vhost: str = "",
    ip: str = "",
    credentials: Iterable[str] = (),
    flat: bool = False,
) -> StreamRef:
    """A checked reference. Raises HookError where anything that is used later is outside the allow-list.

    Of the ``credentials`` the first that can be a key is taken for one where the arguments hold none.
    """
    try:
        _check_name("app", app)
        _check_name("stream", stream)
    except HookError as error:
        error.app = app
        raise
    _check_id("client", client_id)
    _check_id("server", instance)
    vhost = plain_vhost(vhost)
    stripped = tuple([(name.strip(), _bare(name, value)) for name, value in arguments])
    key = key_of(stripped) if stripped else ""
    if key:
        _check_name("key", key)
    if not key and credentials:
        key = next((value for given in credentials if NAME.fullmatch(value := given.strip())), "")
    return StreamRef(
        server=server,
        app=app,
        stream=stream,
        client_id=client_id,
        instance=instance,
        vhost=vhost or DEFAULT_VHOST,
        flat=flat,
        ip=as_address(ip),
        key=key,
        args=tuple([(n, v) for n, v in stripped if ARGUMENT.fullmatch(n) and ARGUMENT.fullmatch(v)][:16]),
    )


def key_of(arguments: Iterable[tuple[str, str]]) -> str:
    """The key among the arguments, without what was pasted along at its ends; empty where there is none."""
    pairs = [(name.strip().lower(), _bare(name, value)) for name, value in arguments]
    return next((value for name in KEY_NAMES for given, value in pairs if given == name and value), "")


def _bare(name: str, value: str) -> str:
    """Without what was pasted along at its ends; as it is where nothing else is there.

    Of a key that is all that is part of none: blanks, typographic quotation marks, a full stop, the zero-width
    characters of messengers.
    """
    if NAME.fullmatch(value):
        return value
    if name.strip().lower() not in KEY_NAMES:
        return value.strip(_PASTED) or value.strip()
    inside = [place for place, char in enumerate(value) if char in _OF_A_KEY]
    return value[inside[0] : inside[-1] + 1] if inside else value.strip()


def plain_vhost(vhost: str) -> str:
    """The virtual host without a port, which is none of its name. Raises HookError."""
    if ":" in vhost and (with_port := _PORT.fullmatch(vhost)):
        vhost = with_port[1]
    if vhost and not VHOST.fullmatch(vhost):
        raise HookError("bad_vhost", f"the host in the publish URL is not a host name or address; {TYPE}")
    return vhost


def _check_id(what: str, value: str) -> None:
    if value and not IDENTIFIER.fullmatch(value):
        raise HookError(f"bad_{what}", f"the id of the {what} has characters that no server uses")


def _check_name(what: str, value: str) -> None:
    if NAME.fullmatch(value):
        return
    if not value:
        why = "is empty"
    elif wrong := next((char for char in value if not NAME.fullmatch(char)), ""):
        unseen = "other characters" if wrong.isprintable() else "invisible characters"
        why = f"has {_TOLD.get(wrong, unseen)} in it"
    else:
        why = f"has {len(value)} characters"
    allowed = "1 to 128 of the characters A-Z a-z 0-9 _ -"
    raise HookError(f"bad_{what}", f"the {what} must be {allowed}, but it {why}; {TYPE}")


def arguments_of(param: str) -> tuple[tuple[str, str], ...]:
    """The arguments in a query, with or without its question mark. Raises HookError where there are too many.

    SRS joins those of the URL's app and of its stream into one text, ``?a=1?b=2``, so both marks part them.
    """
    if not param:
        return ()
    try:
        return tuple(parse_qsl(param.replace("?", "&"), keep_blank_values=True, max_num_fields=MOST_ARGUMENTS))
    except ValueError:
        raise HookError("bad_param", f"a publish URL may have at most {MOST_ARGUMENTS} arguments") from None


def arguments_of_url(url: str) -> tuple[tuple[str, str], ...]:
    """The arguments of a URL, none where it is not one."""
    try:
        return arguments_of(urlsplit(url).query)
    except ValueError:
        return ()


@lru_cache(maxsize=256)
def as_address(text: str) -> str:
    """The text if it is an IP address, else nothing: it is shown to people."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
