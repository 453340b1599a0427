"""What must not be seen: comparing secrets in constant time, and keeping them out of every log and answer."""

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from pydantic import SecretStr

MASK: Final = "***"

# Query parameters that are never secret: SRS's virtual host, and the paging of its API and of ours.
_OPEN_PARAMETERS: Final = "vhost|count|start"
_SECRET_WORDS: Final = "key|secret|token|password|passwd|authorization"  # noqa: S105  # what they are called

_SECRET_NAME = re.compile(rf"(?i)(?:.*[_-])?(?:{_SECRET_WORDS}|credentials?)")
_USERINFO = re.compile(r"://[^/?#\s\"'<>]*@")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>]+")
_PARAMETER = re.compile(r"(?P<name>[?&][^?&=]*)(?P<value>=?[^?&]*)")
_OPEN_PARAMETER = re.compile(rf"[?&](?:{_OPEN_PARAMETERS})")
# What stands for a secret where people are told what to type: "?key=KEY", "(?key=…)", "?secret= and the same".
_EXAMPLE: Final = r"(?:KEY|…)?(?=[),.;:]*(?:\s|$))"
# The same within prose, where white space, a quote or a bracket ends a value.
_PARAMETER_IN_TEXT = re.compile(
    rf"(?P<open>[?&](?:(?:{_OPEN_PARAMETERS})=[^&?\s\"'<>]*|[a-z_]+={_EXAMPLE}))"
    r"|(?P<name>[?&][^\s=&?\"'<>/]+=)[^&\s\"'<>]*"
)
# name=value, "name": value and 'name': value; a quoted value is taken whole, also within JSON within JSON.
_ASSIGNMENT = re.compile(
    rf"(?i)(?P<name>(?:{_SECRET_WORDS})(?:=(?!(?<=[?&]key=)(?-i:{_EXAMPLE}))|\\*[\"']\s?:\s?))"
    r"(?:\\+[\"'].*?\\+[\"']|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\\*[\"']?[^\s\"'&,;)}\]]+)"
)
_AUTHORIZATION = re.compile(r"(?i)(?P<name>\bauthorization:\s?\w+ |\bbearer )[\w.~+/=-]{4,}")

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
# An escape stands for another character, so it ends a token: the key in "%3DKEY" and "\nKEY" is KEY.
_TOKEN_OR_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\[nrt]|[A-Za-z0-9_-]+")
# Blotting out every "a" would tell the secret rather than hide it.
_SHORTEST: Final = 4
_DEEPEST: Final = 8
# No key that is let in has other characters than a token's: these are from garbage, and each costs a search.
_MOST_PHRASES: Final = 64


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells neither where they differ nor how long they are.

    An empty `expected` equals nothing: a secret that is not set admits nobody.
    """
    digests = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, expected))
    return hmac.compare_digest(*digests) and expected != ""


def redact_url(url: str) -> str:
    """The URL with its user and password and every query value masked, but for a few that are never secret.

    A parameter without a name is masked whole: `rtmp://host/live/alice?s3cret` becomes `…/alice?***`.
    """
    head, question, query = url.partition("?")
    return _USERINFO.sub(f"://{MASK}@", head) + _PARAMETER.sub(_mask_parameter, question + query)


def redact(text: str) -> str:
    """The text with whatever looks like a secret masked: in URLs, in parameters, in `stream_key=…`."""
    if "://" in text:
        text = _URL.sub(lambda found: redact_url(found[0]), text)
    if "=" in text:
        text = _PARAMETER_IN_TEXT.sub(lambda found: found["open"] or f"{found['name']}{MASK}", text)
    if "=" in text or ":" in text:
        text = _ASSIGNMENT.sub(_mask_named, text)
    return _AUTHORIZATION.sub(_mask_named, text) if " " in text else text


def _mask_parameter(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"]
    if not value:
        return name if len(name) == 1 else f"{name[0]}{MASK}"
    return found[0] if _OPEN_PARAMETER.fullmatch(name) else f"{name}={MASK}"


def _mask_named(found: re.Match[str]) -> str:
    return f"{found['name']}{MASK}"


def _as_text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_said_by(value)}"
    return _said_by(value)


def _said_by(value: object) -> str:
    try:
        return str(value)
    except Exception:  # somebody else's __str__; a log line is not worth an error
        return f"<{type(value).__name__}>"


@lru_cache(maxsize=512)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def _quoted(value: str) -> str:
    """As a URL writes it."""
    return quote(value, safe="", errors="surrogatepass")


class Redactor:
    """Knows the secrets there are, and masks them wherever they stand. Safe to use from several threads.

    Two kinds are told apart. What the configuration holds is masked as any part of a text. Stream keys
    come from strangers, thousands of them: the last `learnt` are kept, and each is masked as a whole word,
    so that looking for all of them costs one look-up a word.
    """

    def __init__(self, *values: str, learnt: int = 4096) -> None:
        self._lock = threading.Lock()
        self._added: tuple[str, ...] = ()
        self._learnt = learnt
        self._words: OrderedDict[str, None] = OrderedDict()
        self._phrases: tuple[str, ...] = ()
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Never show this again. For secrets that stay: passwords, tokens.

        Text shorter than four characters is masked only where it is a whole value.
        """
        if value:
            with self._lock:
                # The longest first, lest a secret that begins another leave the other's end to be seen.
                forms = {value, _quoted(value), *self._added}
                self._added = tuple(sorted(forms, key=len, reverse=True))

    def learn(self, key: str) -> None:
        """Never show this stream key again, as long as it is among the last that were learnt.

        Whoever may teach words can blot them out of the log: learn keys, not names.
        """
        if not key:
            return
        with self._lock:
            if _TOKEN.fullmatch(key):
                self._words[key] = None
                self._words.move_to_end(key)
                while len(self._words) > self._learnt:
                    self._words.popitem(last=False)
            else:
                forms = (key, _quoted(key))
                others = (phrase for phrase in self._phrases if phrase not in forms)
                self._phrases = (*others, *forms)[-_MOST_PHRASES:]

    def text(self, text: str) -> str:
        """The text without any known secret, nor anything that looks like one."""
        if text in self._added or text in self._words or text in self._phrases:
            return MASK
        for secret in (*self._added, *self._phrases):
            if len(secret) >= _SHORTEST and secret in text:
                text = text.replace(secret, MASK)
        # Almost no text holds one: that is found out without a call for each word.
        if self._words and not self._words.keys().isdisjoint(_TOKEN_OR_ESCAPE.findall(text)):
            text = _TOKEN_OR_ESCAPE.sub(self._mask_word, text)
        return redact(text)

    def fields(self, fields: Mapping[Any, Any], depth: int = 0) -> dict[str, object]:
        """A copy made of plain JSON types, without secrets. Whatever else comes in becomes text.

        The value of a name such as `password`, `token` or `stream_key` is masked whatever it is.
        """
        return {self.text(name := str(each)): self._named(name, value, depth) for each, value in fields.items()}

    def value(self, value: object, depth: int = 0) -> object:
        """The same of one value."""
        if type(value) is str:
            return self.text(value)
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case SecretStr():
                return MASK
            case Mapping() | list() | tuple() | AbstractSet():
                return self._inside(value, depth)
            case _:
                return self.text(_as_text(value))

    def _inside(self, values: Mapping[Any, Any] | Iterable[object], depth: int) -> object:
        if depth == _DEEPEST:
            return "…"
        if isinstance(values, Mapping):
            return self.fields(values, depth)
        return [self.value(item, depth + 1) for item in values]

    def _named(self, name: str, value: object, depth: int) -> object:
        if value is None or value == "" or isinstance(value, bool) or not _is_secret_name(name):
            return self.value(value, depth + 1)
        return MASK

    def _mask_word(self, found: re.Match[str]) -> str:
        word = found[0]
        return MASK if len(word) >= _SHORTEST and word in self._words else word
