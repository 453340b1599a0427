"""The log: structlog's events and the standard library's records, redacted, written by a thread of its own.

The caller pays for a queue's `put`; rendering, disks and terminals are the thread's business. Lines keep their order.
`event` is the text that users grep for; the values are fields beside it.

The thread is written by hand, as logging's QueueListener does not keep what this log promises (tried with Python 3.11).
Its thread ends, and with it the log, as soon as a handler raises. And it writes each line alone, which takes a third
more CPU: 54 to 58 us a line for the file and the console against 37 to 45 us, at 4,000 lines a second, and a sixth more
for a whole hook.
"""

import atexit
import contextlib
import copy
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, TextIO, cast

import structlog

from daemon.config.model import Log
from daemon.core.redaction import Redactor
from daemon.observability.sinks import (
    Console,
    LogFile,
    Outlet,
    Renderer,
    as_json,
    as_json_of,
    as_text,
    is_journal,
    line_of,
    note,
)

GATHER: Final = 0.02
"""Seconds after a write in which lines only gather: in a flood each write costs the event loop more than its line."""
MOST_AT_ONCE: Final = 500
"""Lines of one write."""
NAME: Final = __name__
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
        # Python's own ways would print the messages as they are, secrets and all.
        sys.excepthook = _log_crash
        sys.unraisablehook = _log_unraisable
        threading.excepthook = _log_thread_crash
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
    config: Log,
    redactor: Redactor,
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
    channel: str = "",
) -> LogHandle:
    """Sends every line to `stream` (standard error) and to the configured file. Replaces an earlier set-up.

    Lines of JSON bear the `channel`, if one is given.
    Trouble with the file stops nothing: standard error has every line anyway, is told so once, and the file is
    tried again.
    """
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    json_lines: Renderer = as_json_of(channel) if channel else as_json
    if config.format == "json" or (config.format == "auto" and not terminal):
        render = json_lines
    else:
        render = as_text(colours=terminal and not environ.get("NO_COLOR"), stamped=not is_journal(stream, environ))
    console = Console(stream, render)
    file = None
    if config.file:
        file = LogFile(config.file, as_text() if config.format == "console" else json_lines, console)
    _look_up_no_more_than_is_shown()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            _to_record,
        ],
        wrapper_class=_Logger,
        logger_factory=logging.getLogger,
        cache_logger_on_first_use=False,  # loggers that modules made before this follow it
    )
    return LogHandle(config.level, redactor, console, file)


# -- on the caller's side


def _look_up_no_more_than_is_shown() -> None:
    # No outlet has the caller, the thread or the process; to find them costs more than the rest of a record. These are
    # the switches that the standard library names for it (Logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None


def _to_record(_logger: object, _method: str, event: structlog.typing.EventDict) -> tuple[Any, dict[str, Any]]:
    return (event,), {"exc_info": event.pop("exc_info", None), "stack_info": event.pop("stack_info", False)}


_OWN_WAY: Final = frozenset({"exc_info", "stack_info"})
_LEVELS: Final = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}


class _Logger(structlog.stdlib.BoundLogger):
    """Does in one call what the processors above do one after the other, at half of the cost: each hook is told."""

    def _proxy_to_logger(self, method_name: str, event: str | None = None, *event_args: str, **event_kw: Any) -> Any:
        level, chain = _LEVELS.get(method_name), cast("list[object]", self._processors)
        if (
            event_args
            or event is None
            or level is None
            or not event_kw.keys().isdisjoint(_OWN_WAY)
            or chain[-1:] != [_to_record]
        ):
            return super()._proxy_to_logger(method_name, event, *event_args, **event_kw)
        if self._logger.isEnabledFor(level):
            self._logger.handle(_Line(self._logger.name, level, {**self._context, **event_kw, "event": event}))
        return None


class _Line(logging.LogRecord):
    """A record without what no outlet has, which most of its making is about."""

    def __init__(self, name: str, level: int, fields: dict[str, Any]) -> None:
        self.__dict__.update(_BARE)
        self.name, self.levelno, self.levelname, self.msg = name, level, logging.getLevelName(level), fields
        self.created = time.time()
        self.msecs = self.created % 1 * 1000


_BARE: Final = vars(logging.LogRecord("", 0, "(unknown file)", 0, "", (), None))


def _log_crash(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        logging.getLogger("daemon").critical("Unhandled error", exc_info=(kind, error, where))
    else:
        sys.__excepthook__(kind, error, where)


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    # Without the object that it happened in: its repr may hold anything.
    error = unraisable.exc_value
    told = (type(error), error, unraisable.exc_traceback) if error else None
    logging.getLogger("daemon").error("An error was ignored", exc_info=told)


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    if issubclass(crash.exc_type, SystemExit):
        return
    error, name = crash.exc_value, crash.thread.name if crash.thread else "unknown"
    told = (type(error), error, crash.exc_traceback) if error else None
    logging.getLogger("daemon").critical(f"Unhandled error in the thread {name}", exc_info=told)


class _Entrance(logging.handlers.QueueHandler):
    """Takes the records of every thread, and leaves them to the one that writes."""

    def __init__(self, redactor: Redactor, console: Console, file: LogFile | None) -> None:
        self._records: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        super().__init__(self._records)
        self._console, self._file = console, file
        self._writer = _Writer(self, self._records, redactor, (file, console) if file else (console,))
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
            self._writer.write([record])
        elif self._records.qsize() < MOST_WAITING:
            self._records.put(record)
        else:
            self.left_out += 1

    def written(self) -> threading.Event:
        """Set once all lines so far are written."""
        reached = threading.Event()
        self._records.put(reached)
        return reached

    def finish(self) -> None:
        if self._finished:
            return
        self._writer.stop()
        # Only now the lock: the thread may have been waiting for it, to tell of something that it collected.
        with self.lock or contextlib.nullcontext():
            rest = []
            while not self._records.empty():
                rest.append(self._records.get())
            self._writer.write([item for item in rest if isinstance(item, logging.LogRecord)])
            self._writer.outlets = (self._console,)
            self._finished = True
        if self._file:
            self._file.close()


# -- on the thread's side


_Item = logging.LogRecord | threading.Event
"""What the thread is left: a line, or an event that is to be set when the lines before it are written."""


class _Writer:
    """The thread: a line of a quiet time is written at once, those of a busy one together, so that it costs little."""

    def __init__(
        self,
        entrance: _Entrance,
        items: queue.SimpleQueue[_Item],
        redactor: Redactor,
        outlets: tuple[Outlet, ...],
    ) -> None:
        self._entrance = entrance
        self._items = items
        self._redactor = redactor
        self.outlets = outlets
        self._told = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._ending.set()
        self._items.put(threading.Event())  # it may be waiting for one
        self._thread.join()

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        """Write these, and how many were left out; whatever goes wrong with a line, the others are written."""
        lines = [self._fields(record) for record in records]
        left_out = self._entrance.left_out - self._told
        if left_out:
            self._told += left_out
            lines.append(note(logging.WARNING, f"{left_out} log lines were dropped: writing could not keep up", NAME))
        rendered: dict[Renderer, str] = {}
        for outlet in self.outlets if lines else ():
            render = outlet.render
            if render not in rendered:
                rendered[render] = "".join([f"{_rendered(render, line)}\n" for line in lines])
            outlet.take(rendered[render], len(lines))

    def _work(self) -> None:
        while True:
            items = [self._items.get()]
            while len(items) < MOST_AT_ONCE and not self._items.empty():
                items.append(self._items.get())
            self.write([item for item in items if isinstance(item, logging.LogRecord)])
            for item in items:
                if isinstance(item, threading.Event):
                    item.set()
            if self._ending.wait(GATHER) and self._items.empty():
                return

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What all outlets render. Redaction comes last, over the traceback as well."""
        try:
            fields = dict(record.msg) if isinstance(record.msg, dict) else {"event": record.getMessage()}
            if record.exc_info and record.exc_info[0]:
                fields["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if record.stack_info:
                fields["stack"] = record.stack_info
            return line_of(record, self._redactor.fields(fields))
        except Exception as error:  # one line must not end the log
            return _unwritten(error)


def _rendered(render: Renderer, line: dict[str, Any]) -> str:
    try:
        return render(dict(line))
    except Exception as error:
        return render(_unwritten(error))


def _unwritten(error: Exception) -> dict[str, Any]:
    """What stands for a line that could not be had: its error's text might hold what the line did."""
    return note(logging.ERROR, f"A log line could not be written: {type(error).__name__}", NAME)
