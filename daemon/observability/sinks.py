"""Where log lines go, and how they look there: JSON or text, standard error and the file."""

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol, TextIO

import structlog

RETRY_AFTER: Final = 10.0
"""Seconds until a log file that could not be written is tried again."""

# A stranger's text may hold a line of its own, or a terminal's escape sequence. JSON escapes only some of these.
_CONTROLS: Final = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
_CONTROLS_BUT_LINES: Final = {code: text for code, text in _CONTROLS.items() if code not in (0x09, 0x0A)}
_ENCODER: Final = json.JSONEncoder(check_circular=False, ensure_ascii=False)

Renderer = Callable[[dict[str, Any]], str]


def line_of(record: logging.LogRecord, fields: Mapping[str, object]) -> dict[str, Any]:
    """A line's fields in their order: when, how grave, what, by whom, and the rest."""
    whole, rest = divmod(int(record.created * 1000), 1000)
    first = {
        "timestamp": f"{_second(whole)}.{rest:03}Z",
        "level": record.levelname.lower(),
        "event": fields.get("event", ""),
    }
    if record.name != "root":
        first["logger"] = record.name
    return {**first, **fields, **first}


@lru_cache(maxsize=4)
def _second(stamp: int) -> str:
    """One second has many lines, where lines cost."""
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def note(level: int, event: str, name: str = __name__) -> dict[str, Any]:
    """A line about the log itself."""
    return line_of(logging.LogRecord(name, level, "", 0, event, None, None), {"event": event})


def as_json(fields: dict[str, Any]) -> str:
    """One line of JSON."""
    text = _ENCODER.encode(fields)
    # Of the controls JSON itself leaves none in ASCII but this one.
    return text if text.isascii() and "\x7f" not in text else text.translate(_CONTROLS)


def as_json_of(channel: str) -> Renderer:
    """One line of JSON, which bears the channel's name: the lines of several channels may come together."""

    def render(fields: dict[str, Any]) -> str:
        return as_json({**fields, "channel": channel})

    return render


def as_text(*, colours: bool = False, stamped: bool = True) -> Renderer:
    """For people, with or without colours and the time."""
    render = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )

    def render_text(fields: dict[str, Any]) -> str:
        if not stamped:
            del fields["timestamp"]
        for name, value in fields.items():
            if isinstance(value, str):
                lines = name in ("exception", "stack")
                fields[name] = value.translate(_CONTROLS_BUT_LINES if lines else _CONTROLS)
        return str(render(None, "", fields))

    return render_text


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream goes to systemd's journal, which stamps each line. See systemd.exec(5), $JOURNAL_STREAM."""
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class Outlet(Protocol):
    """Takes lines that are rendered already. Never raises."""

    render: Renderer

    def take(self, text: str, lines: int) -> None:
        """Write a text of so many lines."""


class Console:
    """Standard error. Whether anybody reads it does not matter."""

    def __init__(self, stream: TextIO, render: Renderer) -> None:
        self.render = render
        self._stream = stream

    def take(self, text: str, lines: int) -> None:
        """Write them; where that fails there is nowhere left to say so."""
        with contextlib.suppress(Exception):
            self._stream.write(text)
            self._stream.flush()


class LogFile:
    """The log file. It follows logrotate's renaming by itself, and makes its folder.

    While it cannot be written it says so once on the console and is tried again every RETRY_AFTER seconds.

    logging's WatchedFileHandler will not do (tried with Python 3.11): on a full disk it prints the record as it was
    before redaction; then, and where its folder is gone, it raises in the thread that writes; and it tries again at
    each line.
    """

    def __init__(self, path: Path, render: Renderer, console: Console) -> None:
        self.render = render
        self._path = path.absolute()
        self._console = console
        self._lock = threading.Lock()
        self._stream: TextIO | None = None
        self._place: tuple[int, int] | None = None
        self._missed = 0
        self._retry_at = 0.0
        self._is_to_reopen = False

    def take(self, text: str, lines: int) -> None:
        """Write them to the file that has the name now."""
        with self._lock:
            if self._is_to_reopen:
                self._is_to_reopen = False
                self._retry_at = 0.0
                self._drop()
            if self._missed and time.monotonic() < self._retry_at:
                self._missed += lines
                return
            try:
                self._write(text)
            except OSError as error:
                self._give_up(error, lines)
            else:
                if self._missed:
                    self._log(logging.WARNING, f"can be written again; {self._missed} lines are only on standard error")
                    self._missed = 0

    def reopen(self) -> None:
        """Have the next line open the file by its name. Returns at once, also while a stuck disk holds a line up."""
        self._is_to_reopen = True

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._drop()

    def _write(self, text: str) -> None:
        if self._stream is not None and self._is_elsewhere():
            self._drop()
        if self._stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("a", encoding="utf-8", errors="backslashreplace")
            there = os.fstat(self._stream.fileno())
            self._place = there.st_dev, there.st_ino
        self._stream.write(text)
        self._stream.flush()

    def _is_elsewhere(self) -> bool:
        """The name is another file's by now, or nobody's."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != self._place

    def _give_up(self, error: OSError, lines: int) -> None:
        if not self._missed:
            reason = error.strerror or type(error).__name__
            self._log(
                logging.ERROR,
                f"cannot be written ({reason}); every line is on standard error, retrying in {RETRY_AFTER:g} s",
            )
        self._missed += lines
        self._retry_at = time.monotonic() + RETRY_AFTER
        self._drop()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
                stream.close()

    def _log(self, level: int, what: str) -> None:
        line = note(level, f"The log file {self._path} {what}", "daemon.observability.logging")
        self._console.take(f"{self._console.render(line)}\n", 1)
