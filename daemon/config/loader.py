"""Fills the configuration's models: from a TOML file, the environment, the files of secrets, systemd's credentials.

What stands earlier goes first: the environment, a secret's own file, the credential, the TOML file, the default.
Every mistake is found in one go, and none is told with a secret's value.

The sources are read by hand, as pydantic-settings (tried: 2.16) cannot say where a wrong value was set, overlooks a
variable whose section is misspelt, ends at the first list that is not JSON before it looks at anything else, and
takes secrets from one folder, not from the file that a `_file` key names.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from daemon.config.keys import KEYS, SECTIONS, Key
from daemon.config.model import Config, conflicts
from daemon.config.types import CHANNEL_NAME, FIRST_CHANNEL
from daemon.core.redaction import redact

FOLDER: Final = Path("/etc/motherstream")
"""Where each channel's file is: that of ``gold`` is gold.toml, and the first one's motherstream.toml."""
FIRST: Final = "motherstream.toml"
DEFAULT_PATHS: Final = (FOLDER / FIRST, Path(FIRST))
PREFIX: Final = "MOTHERSTREAM_"
SERVING: Final = frozenset({"hooks.secret"})
"""What only the daemon itself needs beside the keys that it conflicts with."""
_LARGEST_SECRET: Final = 65_536
# A cluster sets these for every container beside a service called motherstream; they are nobody's settings.
_FOREIGN = re.compile(PREFIX + r"(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)")


class ConfigProblem(NamedTuple):
    """One mistake: the dotted key (empty where it is the whole file's), what is wrong, and where it is set."""

    key: str
    message: str
    where: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message} ({self.where})" if self.key else f"{self.where}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used. Names every mistake."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"the configuration has {count} mistakes:" if count > 1 else "the configuration has a mistake:"
        return "\n  ".join((head, *map(str, self.problems)))


class _Setting(NamedTuple):
    value: Any
    where: str


_Settings = dict[str, _Setting]


def locate(path: Path | None) -> Path | None:
    """The file that `load` reads: the given one, else the first default one that is there, else none."""
    return path or next((default for default in DEFAULT_PATHS if _is_there(default)), None)


def file_of(channel: str) -> Path:
    """The file of that channel. The first channel's is motherstream.toml where there is none of its name."""
    own = FOLDER / f"{channel}.toml"
    return FOLDER / FIRST if channel == FIRST_CHANNEL and not _is_there(own) else own


def load(path: Path | None, environ: Mapping[str, str], *, client: bool = False) -> Config:
    """The configuration. A `path` must be there; without one the default paths may or may not be.

    A `client` needs no more of it than where the daemon is and its token.
    Raises ConfigError with every mistake at once.
    """
    problems: list[ConfigProblem] = []
    file = locate(path)
    document = _read(file, problems) if file else {}
    settings = _from_document(document or {}, str(file), problems)
    if file is not None and file.parent == FOLDER and file.name != FIRST and re.fullmatch(CHANNEL_NAME, file.stem):
        problems += _name_after(file, settings)
    environment = _from_environment(environ, problems)
    settings |= environment
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    settings |= _from_secret_files(settings, environment.keys(), credentials, problems)
    config, mistakes = _validate(settings)
    problems += mistakes
    if document is not None:  # else what is missing may well stand in the file
        found = _conflicts(config, settings, {problem.key for problem in problems})
        problems += [problem for problem in found if not (client and problem.key in SERVING)]
    if problems:
        raise ConfigError(problems)
    return config


# -- the sources


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # opening it will tell what is wrong
    return True


def _read(path: Path, problems: list[ConfigProblem]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        message = f"cannot be read: No such file or directory{_others(path)}"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte {error.start})"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"is not TOML: {error}"
    problems.append(ConfigProblem("", message, str(path)))
    return None


def _others(path: Path) -> str:
    """Which channels could have been meant."""
    files = path.parent.glob("*.toml") if path.parent == FOLDER else ()
    there = sorted(FIRST_CHANNEL if other.name == FIRST else other.stem for other in files)
    return f"; there are {', '.join(there)}" if there else ""


def _from_document(document: Mapping[str, Any], where: str, problems: list[ConfigProblem]) -> _Settings:
    found = {}
    for name, value in _flatten(document):
        if message := _misplaced(name, value):
            problems.append(ConfigProblem(name, message, where))
        else:
            found[name] = _Setting(value, where)
    return found


def _name_after(file: Path, settings: _Settings) -> Iterator[ConfigProblem]:
    """A channel's file bears its name."""
    named = settings.setdefault("channel", _Setting(file.stem, str(file)))
    if named.value != file.stem:
        message = f"is {_shown(named.value)}, must be {file.stem}, as its file is called: it may be left out"
        yield ConfigProblem("channel", message, str(file))


def _flatten(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The table's values by their dotted names; of a table that should not be there just the table."""
    for name, value in table.items():
        dotted = f"{path}{name}"
        if isinstance(value, dict) and dotted in SECTIONS:
            yield from _flatten(value, f"{dotted}.")
        else:
            yield dotted, value


def _misplaced(name: str, value: object) -> str:
    if name in SECTIONS:
        return "must be a table"
    if name in KEYS:
        return ""
    return f"is not a section{_hint(name, SECTIONS)}" if isinstance(value, dict) else f"is not a key{_hint(name, KEYS)}"


def _hint(name: str, names: Iterable[str]) -> str:
    """The names that may have been meant: those that end alike, the nearest neighbours first."""
    section, _, last = name.rpartition(".")
    ends = {known: known.rpartition(".")[2] for known in names}
    neighbours = {known: end for known, end in ends.items() if known == f"{section}.{end}"}
    for candidates, likeness in ((neighbours, 0.6), (ends, 0.75)):
        if close := difflib.get_close_matches(last, candidates.values(), n=1, cutoff=likeness):
            meant = [known for known, end in candidates.items() if end == close[0]]
            return f"; did you mean {' or '.join(meant[:3])}?"
    return ""


def variable(key: str) -> str:
    """The environment variable that sets a key: `MOTHERSTREAM_OBS__PASSWORD` for `obs.password`."""
    return PREFIX + key.replace(".", "__").upper()


_VARIABLES: Final = {variable(name): key for name, key in KEYS.items()}


def _from_environment(environ: Mapping[str, str], problems: list[ConfigProblem]) -> _Settings:
    found = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or _FOREIGN.fullmatch(name):
            continue
        key = _VARIABLES.get(name)
        if key is None:
            close = difflib.get_close_matches(name.upper(), _VARIABLES, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            problems.append(ConfigProblem("", f"is not a setting{hint}", name))
            continue
        try:
            found[key.name] = _Setting(_split(text) if key.many else text, name)
        except ValueError:
            problems.append(ConfigProblem(key.name, "must be JSON, as it begins with [", name))
    return found


def _split(text: str) -> Any:
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [item.strip() for item in text.split(",") if item.strip()]


def _from_secret_files(
    settings: _Settings, settled: Collection[str], credentials: str, problems: list[ConfigProblem]
) -> _Settings:
    found = {}
    for key in KEYS.values():
        path = _secret_file(key, settings, credentials) if key.secret and key.name not in settled else None
        if path is None:
            continue
        try:
            text = _read_secret(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(ConfigProblem(key.name, f"cannot be read from its file: {reason}", str(path)))
        else:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            found[key.name] = _Setting(lines if key.many else text, str(path))
    return found


def _secret_file(key: Key, settings: _Settings, credentials: str) -> Path | None:
    named = settings.get(f"{key.name}_file")
    if named and named.value and isinstance(named.value, str):
        return Path(named.value)
    if not credentials:
        return None
    paths = (Path(credentials, name) for name in (key.name, key.name.replace(".", "-")))
    return next(filter(_is_there, paths), None)


def _read_secret(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_LARGEST_SECRET + 1)
    if len(content) > _LARGEST_SECRET:
        raise ValueError("it is too large for a secret")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if not text:
        raise ValueError("it is empty")
    return text


# -- the check


def _validate(settings: _Settings) -> tuple[Config, list[ConfigProblem]]:
    """The configuration of the settings that are right, and what is wrong with the others."""
    try:
        return Config.model_validate(_nest(settings)), []
    except ValidationError as error:
        problems = [_problem(detail, settings) for detail in error.errors(include_url=False)]
    wrong = {problem.key for problem in problems}
    sound = {name: setting for name, setting in settings.items() if name not in wrong}
    return Config.model_validate(_nest(sound)), problems


def _nest(settings: _Settings) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, setting in settings.items():
        *path, last = name.split(".")
        table = root
        for part in path:
            table = table.setdefault(part, {})
        table[last] = setting.value
    return root


def _problem(detail: ErrorDetails, settings: _Settings) -> ConfigProblem:
    parts = [str(part) for part in detail["loc"]]
    name = next(name for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in KEYS)
    key = KEYS[name]
    cause = detail.get("ctx", {}).get("error")
    wanted = str(cause) if isinstance(cause, ValueError) else f"must be {_wanted(key)}"
    message = wanted if key.secret else f"is {_shown(detail['input'])}, {wanted}"
    return ConfigProblem(name, message, settings[name].where)


def _shown(value: object) -> str:
    text = redact(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _wanted(key: Key) -> str:
    """What a value of the key may be, in words."""
    kind = key.field.annotation
    if get_origin(kind) is Literal:
        *others, last = get_args(kind)
        return f"{', '.join(others)} or {last}"
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        low = next(limit.ge for limit in key.field.metadata if isinstance(limit, Ge))
        high = next(limit.le for limit in key.field.metadata if isinstance(limit, Le))
        return f"a {'whole ' if kind is int else ''}number from {low} to {high}"
    return "a list of strings" if key.many else "text"


def _conflicts(config: Config, settings: _Settings, wrong: set[str]) -> Iterator[ConfigProblem]:
    for conflict in conflicts(config):
        if wrong.isdisjoint(conflict.keys):
            where = next((settings[key].where for key in conflict.keys if key in settings), "default")
            yield ConfigProblem(conflict.keys[0], conflict.message, where)
