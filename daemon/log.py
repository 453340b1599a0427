"""The log: structlog's events and the standard library's records, redacted, written by a thread of its own.

The caller pays for a queue's `put`; rendering, disks and terminals are the thread's business. Lines keep their order.
`event` is the text that users grep for; the values are fields beside it.
"""

from __future__ import annotations

import atexit
import contextlib
import copy
import json
import logging
import logging.handlers
import os
import queue
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from daemon.config import Log
from daemon.secrets import Redactor

RETRY_AFTER: Final = 10.0
"""Seconds until a log file that could not be written is tried again."""
MOST_WAITING: Final = 20_000
"""Lines that may wait for the thread. Further ones are counted and left out: a stuck disk must not eat the memory."""

# simpleobsws and websockets tell whole messages, stream URLs among them, at debug level, which costs CPU too;
# aiohttp.access repeats every hook with its secret; transitions repeats what the journal tells.
_CAPS: Final = {
    "simpleobsws": logging.INFO,
    "websockets": logging.INFO,
    "apprise": logging.INFO,
    "aiohttp.access": logging.WARNING,
    "transitions": logging.WARNING,
}
# A stranger's text may hold a line of its own, or a terminal's escape sequence. JSON escapes only some of these.
_CONTROLS: Final = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
_CONTROLS_BUT_LINES: Final = {code: text for code, text in _CONTROLS.items() if code not in (0x09, 0x0A)}


class LogHandle:
    """The log in use. `close` it at the end, so that nothing is lost."""

    def __init__(self, level: str, redactor: Redactor, console: Console, file: LogFile | None) -> None:
        self._file = file
        self._entrance = _Entrance(redactor, console, file)
        root = logging.getLogger()
        for handler in [handler for handler in root.handlers if isinstance(handler, _Entrance)]:
            handler.finish()
            root.removeHandler(handler)
        root.addHandler(self._entrance)
        self.set_level(level)
        sys.excepthook = _tell_crash
        atexit.register(self.close)

    def set_level(self, level: str) -> None:
        """Changes at once what is told: debug, info, warning or error."""
        number = logging.getLevelNamesMapping()[level.upper()]
        logging.getLogger().setLevel(number)
        for name, cap in _CAPS.items():
            logging.getLogger(name).setLevel(max(cap, number))

    def reopen(self) -> None:
        """Opens the log file anew at the next line: for logrotate, and to try a full disk before its time."""
        if self._file:
            self._file.reopen()

    def close(self) -> None:
        """Writes what waits and closes the file. A later line goes straight to standard error. May be repeated."""
        atexit.unregister(self.close)
        self._entrance.finish()


def setup(
    config: Log, redactor: Redactor, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ
) -> LogHandle:
    """Sends every line to `stream` (standard error) and to the configured file. Replaces an earlier set-up.

    Trouble with the file stops nothing: standard error has every line anyway, is told so once, and the file is
    tried again.
    """
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    if config.format == "json" or (config.format == "auto" and not terminal):
        render: Renderer = _as_json
    else:
        render = _as_text(colours=terminal and not environ.get("NO_COLOR"), stamped=not _is_journal(stream, environ))
    console = Console(stream, render)
    file = None
    if config.file:
        file = LogFile(config.file, _as_text() if config.format == "console" else _as_json, console)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _to_record,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=logging.getLogger,
        cache_logger_on_first_use=False,  # loggers that modules made before this follow it
    )
    return LogHandle(config.level, redactor, console, file)


# -- on the caller's side


def _to_record(_logger: object, _method: str, event: structlog.typing.EventDict) -> tuple[Any, dict[str, Any]]:
    return (event,), {"exc_info": event.pop("exc_info", None), "stack_info": event.pop("stack_info", False)}


def _tell_crash(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, Exception):  # Python's own way would print the message as it is, secrets and all
        logging.getLogger("daemon").critical("Unhandled error", exc_info=(kind, error, where))
    else:
        sys.__excepthook__(kind, error, where)


class _Entrance(logging.handlers.QueueHandler):
    """Takes the records of every thread, and leaves them to the one that writes."""

    def __init__(self, redactor: Redactor, console: Console, file: LogFile | None) -> None:
        self._records: queue.SimpleQueue[Any] = queue.SimpleQueue()
        super().__init__(self._records)
        self._console, self._file = console, file
        handlers: tuple[logging.Handler, ...] = (file, console) if file else (console,)
        self._writer = _Writer(self, redactor, handlers)
        self._writer.start()
        self._finished = False
        self.left_out = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        if record.args:  # which may change before the line is written
            record = copy.copy(record)
            try:
                record.msg = record.getMessage()
            except Exception:  # logging would print the arguments as they are
                record.msg = str(record.msg)
            record.args = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._finished:
            self._writer.handle(record)
        elif self._records.qsize() < MOST_WAITING:
            self._records.put(record)
        else:
            self.left_out += 1

    def finish(self) -> None:
        if self._finished:
            return
        self._writer.stop()
        # Only now the lock: the thread may have been waiting for it, to tell of something that it collected.
        with self.lock or contextlib.nullcontext():
            while not self._records.empty():
                self._writer.handle(self._records.get())
            self._writer.handlers = (self._console,)
            self._finished = True
        if self._file:
            self._file.close()


# -- on the thread's side


class _Writer(logging.handlers.QueueListener):
    def __init__(self, entrance: _Entrance, redactor: Redactor, handlers: tuple[logging.Handler, ...]) -> None:
        super().__init__(entrance.queue, *handlers)
        self._entrance = entrance
        self._redactor = redactor
        self._told = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Works out once what all handlers render. Redaction comes last, over the traceback as well."""
        fields = dict(record.msg) if isinstance(record.msg, dict) else {"event": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if record.stack_info:
            fields["stack"] = record.stack_info
        return _with_fields(record, self._redactor.fields(fields))

    def handle(self, record: logging.LogRecord) -> None:
        try:
            super().handle(record)
        except Exception as error:  # one line must not end the log
            super().handle(_note(logging.ERROR, f"A log line could not be written: {type(error).__name__}"))
        left_out = self._entrance.left_out - self._told
        if left_out:
            self._told += left_out
            super().handle(_note(logging.WARNING, f"{left_out} log lines were left out: writing could not keep up"))


def _with_fields(record: logging.LogRecord, fields: Mapping[str, object]) -> logging.LogRecord:
    stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    first = {"timestamp": stamp, "level": record.levelname.lower(), "event": fields.get("event", "")}
    if record.name != "root":
        first["logger"] = record.name
    record.fields = {**first, **fields, **first}
    return record


def _note(level: int, event: str) -> logging.LogRecord:
    """A line about the log itself."""
    return logging.LogRecord(__name__, level, "", 0, event, None, None)


Renderer = Callable[[dict[str, Any]], str]


def _as_json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False).translate(_CONTROLS)


def _as_text(*, colours: bool = False, stamped: bool = True) -> Renderer:
    render = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )

    def as_text(fields: dict[str, Any]) -> str:
        if not stamped:
            del fields["timestamp"]
        for name, value in fields.items():
            if isinstance(value, str):
                lines = name in ("exception", "stack")
                fields[name] = value.translate(_CONTROLS_BUT_LINES if lines else _CONTROLS)
        return str(render(None, "", fields))

    return as_text


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream goes to systemd's journal, which stamps each line. See systemd.exec(5), $JOURNAL_STREAM."""
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class Console(logging.StreamHandler[TextIO]):
    """Standard error. Whether anybody reads it does not matter."""

    def __init__(self, stream: TextIO, render: Renderer) -> None:
        super().__init__(stream)
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        return self._render(dict(record.__dict__["fields"]))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Lets the line go: there is nowhere left to say so."""


class LogFile(logging.handlers.WatchedFileHandler):
    """The log file. It follows logrotate's renaming by itself, and makes its folder.

    While it cannot be written it says so once on the console and is tried again every RETRY_AFTER seconds.
    """

    def __init__(self, path: Path, render: Renderer, console: Console) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self._render = render
        self._console = console
        self._missed = 0
        self._retry_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if self._missed and time.monotonic() < self._retry_at:
            self._missed += 1
            return
        try:
            self._write(f"{self._render(dict(record.__dict__['fields']))}\n")
        except OSError as error:
            self._give_up(error)
        else:
            if self._missed:
                self._say(logging.WARNING, f"is written again; {self._missed} lines are on standard error only")
                self._missed = 0

    def reopen(self) -> None:
        """Closes the file, so that the next line opens it by its name."""
        with self.lock or contextlib.nullcontext():
            self._retry_at = 0.0
            self._drop()

    def _write(self, line: str) -> None:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
            self._statstream()
        self.stream.write(line)
        self.stream.flush()

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def _give_up(self, error: OSError) -> None:
        if not self._missed:
            reason = error.strerror or type(error).__name__
            self._say(
                logging.ERROR,
                f"cannot be written ({reason}); standard error has every line, next try in {RETRY_AFTER:g} s",
            )
        self._missed += 1
        self._retry_at = time.monotonic() + RETRY_AFTER
        self._drop()

    def _drop(self) -> None:
        stream, self.stream = self.stream, None
        if stream:
            with contextlib.suppress(OSError):  # what could not be written cannot be flushed either
                stream.close()

    def _say(self, level: int, what: str) -> None:
        note = _note(level, f"The log file {self.baseFilename} {what}")
        self._console.handle(_with_fields(note, {"event": note.msg}))
