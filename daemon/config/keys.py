"""The configuration as a list of keys: to look them up, to compare two of them, to write the example."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from daemon.config.model import Config
from daemon.config.section import Section
from daemon.config.types import is_loopback


class Key(NamedTuple):
    """One key of the configuration, by its dotted name such as `sources.pipeline.rate`."""

    name: str
    field: FieldInfo

    @property
    def live(self) -> bool:
        return self.field.json_schema_extra == {"live": True}

    @property
    def secret(self) -> bool:
        return self.field.annotation in (SecretStr, tuple[SecretStr, ...])

    @property
    def many(self) -> bool:
        return getattr(self.field.annotation, "__origin__", None) is tuple


def _walk(section: type[Section], path: str) -> Iterator[tuple[str, type[Section], dict[str, Key]]]:
    subsections = {}
    keys = {}
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            subsections[f"{path}{name}"] = field.annotation
        else:
            keys[f"{path}{name}"] = Key(f"{path}{name}", field)
    yield path.rstrip("."), section, keys
    for name, subsection in subsections.items():
        yield from _walk(subsection, f"{name}.")


_TABLES: Final = {name: (section, keys) for name, section, keys in _walk(Config, "")}
SECTIONS: Final = {name: table for name, table in _TABLES.items() if name}
"""Each section's model and keys, by its dotted name, in the order of the example."""
KEYS: Final = {name: key for _, keys in _TABLES.values() for name, key in keys.items()}
"""Every key by its dotted name."""


_COLUMN: Final = 40
_HEAD: Final = """
# Motherstream's configuration: every key with its default. Leave out what you don't change.
# Durations are in seconds. Relative paths start at the working directory.
#
# Values are taken from, in this order:
#   1. the environment: MOTHERSTREAM_OBS__PASSWORD for password in [obs],
#      MOTHERSTREAM_SOURCES__PIPELINE__RATE for rate in [sources.pipeline]. Lists are comma-separated, or JSON.
#   2. for a secret, the file that its _file key names. A line end at its end is ignored.
#   3. for a secret, the systemd credential of that name: LoadCredential=obs.password:PATH, or obs-password:PATH.
#   4. this file.
#
# Re-read on SIGHUP. The log lists the changes that take effect only after a restart.
"""


def value_of(config: Config, name: str) -> Any:
    """The value of the key of that dotted name."""
    return functools.reduce(getattr, name.split("."), config)


def secret_values(config: Config) -> Iterator[str]:
    """Every secret that the configuration holds, to be made known to the redactor; empty ones are left out."""
    for name, key in KEYS.items():
        value = value_of(config, name)
        if key.secret:
            for secret in value if key.many else (value,):
                text = secret.get_secret_value()
                yield from filter(None, [text])
                if not key.many and "://" in text and (password := urlsplit(text).password):
                    yield password
                if key.many:  # an Apprise URL's parts are secrets of their own, and its plugins log them apart
                    parts = re.split(r"[/:@?&=]", text.partition("://")[2])
                    # But not where a target on this machine listens: that would be masked in every play URL.
                    yield from (part for part in parts if len(part) >= 8 and not is_loopback(part))
        elif isinstance(value, str) and "://" in value and (password := urlsplit(value).password):
            yield password


class Diff(NamedTuple):
    """The dotted names of the keys that differ."""

    live: tuple[str, ...]
    restart: tuple[str, ...]


def diff(old: Config, new: Config) -> Diff:
    """What differs: keys that take effect at once, and keys that wait for the next start."""
    changed = [key for name, key in KEYS.items() if value_of(old, name) != value_of(new, name)]
    return Diff(
        live=tuple(key.name for key in changed if key.live),
        restart=tuple(key.name for key in changed if not key.live),
    )


AnySection = TypeVar("AnySection", bound=Section)


def with_live(old: AnySection, new: AnySection) -> AnySection:
    """The old configuration with the new values of the keys that may change while the daemon runs."""
    changes: dict[str, Any] = {}
    for name, field in type(old).model_fields.items():
        value = getattr(new, name)
        if isinstance(value, Section):
            changes[name] = with_live(getattr(old, name), value)
        elif Key(name, field).live:
            changes[name] = value
    return old.model_copy(update=changes)


def example() -> str:
    """Every key with its default and its comment, as a TOML file.

    `python -m daemon.config.keys` prints it.
    """
    config = Config()
    lines = [_HEAD.strip()]
    for path, (section, keys) in _TABLES.items():
        lines += ["", f"# {section.__doc__}", f"[{path}]"] if path else [""]
        settings = [
            (f"{key.name.rpartition('.')[2]} = {_toml(value_of(config, key.name))}", key) for key in keys.values()
        ]
        width = max(len(text) for text, _ in settings if len(text) <= _COLUMN)
        lines += [f"{text:{width}}  # {key.field.description}" for text, key in settings]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    match value:
        case bool() | int() | float():
            return json.dumps(value)
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return json.dumps("" if value is None else str(value))


if __name__ == "__main__":
    print(example(), end="")  # noqa: T201  # for a shell's ">"
