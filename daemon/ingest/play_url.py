"""Where a session is played from: ``ingest.rtmp_url`` filled in with what its publisher used.

What the URL tells apart decides what is one path and what two: where it names no virtual host, two hosts' streams of
one name are played from the same place, and only one of them can be there.
"""

import hashlib
import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from daemon.ingest.stream import DEFAULT_VHOST, NAME, StreamRef
from statemachine.events import Session

_PLACEHOLDER: Final = re.compile(r"\{(app|stream|stream_key|param|vhost)\}")
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_FLAT: Final = "{app}/"


@lru_cache(maxsize=16)
def placeholders(template: str) -> frozenset[str]:
    """The names in it."""
    return frozenset(_PLACEHOLDER.findall(template))


def fill(template: str, session: Session, ref: StreamRef | None) -> str:
    """The URL. Raises ValueError on values outside the allow-list, which it does not quote.

    ``{stream_key}`` is the publisher's key where it gave one, else the stream's name; ``{param}`` holds those of its
    arguments that pass the allow-list; ``{vhost}`` is the virtual host, SRS's default one where there is none.
    """
    for what, value in (("app", session.app), ("stream", session.stream)):
        if not NAME.fullmatch(value):
            raise ValueError(f"the {what} of session {session.id} is outside the allow-list")
    key = ref.key if ref and ref.key else session.stream
    if not NAME.fullmatch(key):
        raise ValueError(f"the key of session {session.id} is outside the allow-list")
    if ref is not None and ref.flat:
        template = template.replace(_FLAT, "")
    vhost = ref.vhost if ref and ref.vhost else DEFAULT_VHOST
    if "{vhost}" in template and not _HOST.fullmatch(vhost):
        raise ValueError(f"the virtual host of session {session.id} is outside the allow-list")
    arguments = urlencode(ref.args if ref else ())
    values = {"app": session.app, "stream": session.stream, "stream_key": key, "vhost": vhost}

    def filled(found: re.Match[str]) -> str:
        if found[1] == "param":
            return _joined(template[: found.start()], arguments)
        return values[found[1]]

    return _PLACEHOLDER.sub(filled, template)


def space_of(template: str, ref: StreamRef) -> str:
    """What besides ``app/stream`` its URL tells it by: a virtual host, or a digest of its key; empty for nothing."""
    names = placeholders(template)
    if "stream" not in names:
        key = f"{ref.key or ref.stream}/{ref.app if 'app' in names else ''}"
        return hashlib.blake2s(key.encode(), digest_size=8).hexdigest()
    return ref.vhost if "vhost" in names and ref.vhost not in ("", DEFAULT_VHOST) else ""


def _joined(before: str, arguments: str) -> str:
    """The arguments with the mark that has to stand before them; SRS's own ``param`` begins with a question mark."""
    if not arguments or before.endswith(("?", "&")):
        return arguments
    return f"{'&' if '?' in before else '?'}{arguments}"
