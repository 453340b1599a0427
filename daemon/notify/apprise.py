"""One target that Apprise knows: opening it, sending to it, and keeping its address out of every log.

Apprise is an optional extra and slow to import, so it is imported by the thread that needs it first.
"""

import importlib.util
import logging
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    import apprise

    from daemon.notify.messages import Level

READ_TIMEOUT: Final = 10.0
"""Seconds that a target may take to answer. (Apprise's own default is 4, which mail and busy chats pass.)"""
SENDER: Final = "Motherstream"
INSTALL_HINT: Final = "pip install 'motherstream[notify]'"

# The libraries that tell whole addresses: Apprise at debug level, urllib3 each request's path.
_TELLTALES: Final = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")
_SHORTEST: Final = 3
_LONGEST: Final = 200


class TargetError(Exception):
    """It was not sent. ``str()`` says why in one line, without any part of the address."""


def is_installed() -> bool:
    """Whether Apprise is there. Imports nothing."""
    return importlib.util.find_spec("apprise") is not None


def schema_of(url: str) -> str:
    """What kind of target it is, which may be told: "discord", "mailto"."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    return found[1].lower() if found else "unknown"


class AppriseTarget:
    """One address. ``send`` blocks, and is for one thread at a time."""

    def __init__(self, url: str) -> None:
        """Raises TargetError where Apprise makes nothing of the address. Imports Apprise, which takes a while."""
        self._secrets = _parts(url)
        with _Hearing() as heard:
            try:
                self._apprise = _open(url)
            except Exception as error:  # a plugin's own: its text may hold the address
                raise TargetError(f"Apprise cannot use it ({type(error).__name__})") from None
        if not len(self._apprise):
            raise TargetError(self._masked(heard.last) or "Apprise does not know this kind of address")

    def send(self, text: str, level: "Level") -> None:
        """Send it, within the timeouts of the target's protocol. Raises TargetError."""
        with _Hearing() as heard:
            try:
                sent = bool(self._apprise.notify(body=text, title=SENDER, notify_type=level, body_format="text"))
            except Exception as error:  # a plugin's own: its text may hold the address
                raise TargetError(f"Apprise failed ({type(error).__name__})") from None
        if not sent:
            raise TargetError(self._masked(heard.last) or "Apprise gave no reason")

    def _masked(self, text: str) -> str:
        text = " ".join(text.split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_LONGEST]


def _open(url: str) -> "apprise.Apprise":
    import apprise  # noqa: PLC0415  # it comes with an extra, and takes half a second

    # No pictures from another host, and nothing kept on disk.
    looks: dict[str, Any] = {"app_id": SENDER, "app_desc": SENDER, "image_url_mask": "", "image_url_logo": ""}
    looks["async_mode"] = False  # one call, one thread
    try:
        # Apprise 2 would wait for a slow target in a thread that outlives its limit, and the daemon's stop with it.
        asset = apprise.AppriseAsset(service_timeout=0, **looks)
    except AttributeError:
        asset = apprise.AppriseAsset(**looks)
    opened = apprise.Apprise(asset=asset)
    opened.add(url)
    for service in opened:
        if service.socket_read_timeout == type(service).socket_read_timeout:  # the address has no ?rto= of its own
            service.socket_read_timeout = READ_TIMEOUT
    return opened


def _parts(url: str) -> tuple[str, ...]:
    """The address's parts, as they stand in it and as a plugin may tell them, the longest first."""
    rest = url.partition("://")[2]
    parts = {part for part in re.split(r"[/:@?&=,]", rest) if len(part) >= _SHORTEST}
    return tuple(sorted({url, rest, *parts, *map(unquote, parts)} - {""}, key=len, reverse=True))


class _Hearing:
    """While it lasts, what the libraries log in this context goes no further; the last warning is kept, for its reason.

    It may name hosts, users and tokens, in the words of a hundred plugins: it is told in our words, masked.
    """

    _now: Final[ContextVar["_Hearing | None"]] = ContextVar("hearing", default=None)

    def __init__(self) -> None:
        self.last = ""

    def __enter__(self) -> "_Hearing":
        for name in _TELLTALES:
            logging.getLogger(name).addFilter(_on_log_record)  # once, however often it is asked for
        self._before = self._now.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._now.reset(self._before)


def _on_log_record(record: logging.LogRecord) -> bool:
    hearing = _Hearing._now.get()
    if hearing is None:
        return True
    if record.name == "apprise" and record.levelno >= logging.WARNING:
        try:
            hearing.last = record.getMessage()
        except Exception:  # the plugin's own mistake
            hearing.last = ""
    return False
