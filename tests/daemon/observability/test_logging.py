import io
import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
import structlog

from daemon.config.model import Log
from daemon.core.redaction import Redactor
from daemon.observability import logging as log_module
from daemon.observability import sinks as log_outlets
from daemon.observability.logging import LogHandle, setup
from daemon.observability.sinks import LogFile

CANARY = "c4n4ry-K3Y_77"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Bench:
    """A log on a text buffer and, where asked for, a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "logs" / "motherstream.log"
        self.redactor = Redactor(CANARY)
        self.console: TextIO = io.StringIO()
        self.handles: list[LogHandle] = []

    def start(self, console: TextIO | None = None, environ: dict[str, str] | None = None, **config: Any) -> LogHandle:
        for handler in logging.getLogger().handlers[:]:  # pytest's raise what they cannot format
            logging.getLogger().removeHandler(handler)
        self.console = console or io.StringIO()
        handle = setup(Log(**{"file": None} | config), self.redactor, self.console, environ or {})
        self.handles.append(handle)
        return handle

    def text(self) -> str:
        """What the console has heard, all of it."""
        self.handles[-1].close()
        assert isinstance(self.console, io.StringIO)
        return self.console.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def file_lines(self, path: Path | None = None) -> list[str]:
        self.handles[-1].close()
        return [json.loads(line)["event"] for line in (path or self.path).read_text("utf-8").splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Everything that a set-up changes is put back afterwards."""
    root = logging.getLogger()
    level, hooks = root.level, (sys.excepthook, sys.unraisablehook, threading.excepthook)
    bench = Bench(tmp_path)
    yield bench
    for handle in bench.handles:
        handle.close()
        root.removeHandler(handle._entrance)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    root.setLevel(level)
    for name in log_module._CAPS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def test_a_line_is_json_with_the_text_that_users_grep_for(bench: Bench) -> None:
    bench.start(file=bench.path)
    event = "Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: rtmp://h/live/alice?key=abc"
    structlog.get_logger("daemon.obs").info(event, input="GMOTHERSTREAM_2", name="Žofie")
    (line,) = bench.lines()
    shown = "Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: rtmp://h/live/alice?key=***"
    assert list(line) == ["timestamp", "level", "event", "logger", "input", "name"]
    assert line["event"] == shown
    assert line["level"] == "info"
    assert line["input"] == "GMOTHERSTREAM_2"
    assert line["timestamp"].endswith("Z")
    assert len(line["timestamp"]) == len("2026-01-01T20:00:00.000Z")
    assert f'"event": "{shown}"' in bench.path.read_text("utf-8")
    assert "Žofie" in bench.path.read_text("utf-8")


@pytest.mark.parametrize(
    ("config", "environ", "coloured", "is_json"),
    [
        ("auto", {}, True, False),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("console", {}, True, False),
        ("json", {}, False, True),
    ],
)
def test_a_terminal_has_colours_unless_told_otherwise(
    bench: Bench, config: str, environ: dict[str, str], coloured: bool, is_json: bool
) -> None:
    bench.start(Terminal(), environ, format=config)
    structlog.get_logger().info("SWITCH_GSTREAMER_SOURCE")
    text = bench.text()
    assert "SWITCH_GSTREAMER_SOURCE" in text
    assert ("\x1b[" in text) is coloured
    assert text.startswith("{") is is_json


def test_plain_text_on_request_is_plain_in_the_file_too(bench: Bench) -> None:
    bench.start(Terminal(), format="console", file=bench.path)
    structlog.get_logger("daemon").info("Showing new source 'GMOTHERSTREAM_2'", input="GMOTHERSTREAM_2")
    bench.text()
    line = bench.path.read_text()
    assert "Showing new source 'GMOTHERSTREAM_2'" in line
    assert "input=GMOTHERSTREAM_2" in line
    assert "\x1b" not in line
    assert line.startswith("20")


def test_the_journal_stamps_lines_itself(bench: Bench, tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        there = os.fstat(stream.fileno())
        bench.start(stream, {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}, format="console").close()
        structlog.get_logger().info("up")
        bench.start(stream, {"JOURNAL_STREAM": "1:1"}, format="console")
        structlog.get_logger().info("up")
        bench.handles[-1].close()
        stream.seek(0)
        journal, other = stream.read().splitlines()
    assert journal.startswith("[info")
    assert other.startswith("20")


def test_a_key_is_masked_wherever_it_comes_from(bench: Bench) -> None:
    bench.start(file=bench.path, level="debug")
    bench.redactor.learn("alices-own-key")
    log = structlog.get_logger("daemon").bind(url=f"rtmp://h/{CANARY}")
    log.info(f"text {CANARY} alices-own-key", nested={"a": [CANARY, {"b": ("alices-own-key",)}]}, key="x")
    log.info("old way %s", CANARY)
    logging.getLogger("aiohttp").error("old way %s", [CANARY])
    logging.getLogger("aiohttp").error("wrong way %d", CANARY)
    logging.getLogger("third.party").debug({"event": CANARY})
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(f"?key={CANARY}") from error
    except RuntimeError as error:
        log.exception("failed")
        log.warning("failed", exc_info=error)
        logging.getLogger("asyncio").error("failed", exc_info=True, stack_info=True)  # noqa: G201  # as asyncio does
    everything = bench.text() + bench.path.read_text("utf-8")
    assert everything.count("RuntimeError") >= 6
    assert everything.count("KeyError: ") >= 6
    assert "test_a_key_is_masked_wherever_it_comes_from" in everything
    assert CANARY not in everything
    assert "alices-own-key" not in everything


def test_an_error_that_nobody_caught_is_told_without_its_secrets(bench: Bench) -> None:
    bench.start()
    error = RuntimeError(CANARY)
    sys.excepthook(RuntimeError, error, None)
    (line,) = bench.lines()
    assert line["event"] == "Unhandled error"
    assert line["level"] == "critical"
    assert line["exception"] == "RuntimeError: ***"


def test_an_error_in_a_thread_and_one_that_python_ignores_are_told_without_their_secrets(bench: Bench) -> None:
    bench.start()

    def fail() -> None:
        raise RuntimeError(CANARY)

    class Careless:
        def __del__(self) -> None:
            fail()

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    Careless()
    in_thread, ignored = bench.lines()
    assert (in_thread["event"], in_thread["level"]) == ("Unhandled error in the thread worker", "critical")
    assert (ignored["event"], ignored["level"]) == ("An error was ignored", "error")
    for line in (in_thread, ignored):
        assert line["exception"].endswith("RuntimeError: ***")


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_hostile_name_writes_no_line_and_no_escape_sequence(bench: Bench, form: str) -> None:
    hostile = "alice\n2026 [info] forged\x1b[2J\x9b2J\u2028"
    bench.start(format=form)
    structlog.get_logger().info(f"refused {hostile}", streamer=hostile)
    text = bench.text()
    assert len(text.splitlines()) == 1
    assert not {"\x1b", "\x9b"}.intersection(text)
    assert "forged" in text


def test_noisy_libraries_are_kept_quiet_at_debug_level(bench: Bench) -> None:
    bench.start(level="debug")
    logging.getLogger("simpleobsws").debug("Sending request: rtmp://…")
    logging.getLogger("aiohttp.access").info("POST /hooks/srs")
    logging.getLogger("simpleobsws").warning("Disconnected")
    structlog.get_logger("daemon").debug("ours")
    assert [line["event"] for line in bench.lines()] == ["Disconnected", "ours"]


def test_the_level_changes_at_once_also_for_loggers_that_are_in_use(bench: Bench) -> None:
    log = structlog.get_logger("daemon")
    handle = bench.start(level="warning")
    bound = log.bind(attempt=1)
    bound.info("unheard")
    handle.set_level("debug")
    bound.debug("heard")
    handle.set_level("error")
    bound.warning("unheard")
    assert [line["event"] for line in bench.lines()] == ["heard"]


def test_every_line_is_there_after_the_end_and_in_order(bench: Bench) -> None:
    bench.start(file=bench.path)

    def tell(thread: int) -> None:
        log = structlog.get_logger("daemon")
        for number in range(500):
            log.info("line", thread=thread, number=number)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = bench.lines()
    for thread_number in range(4):
        assert [line["number"] for line in lines if line["thread"] == thread_number] == list(range(500))
    assert len(bench.file_lines()) == 2000


class Stuck(io.StringIO):
    """A terminal that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.let_go = threading.Event()
        self.writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        self.entered.set()
        assert self.let_go.wait(60)
        return super().write(text)


def test_a_stuck_terminal_holds_nobody_up_and_what_is_left_out_is_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "MOST_WAITING", 10)
    stuck = Stuck()
    bench.start(stuck)
    log = structlog.get_logger()
    log.info("first")
    assert stuck.entered.wait(60)
    for number in range(25):
        log.info("next", number=number)
    stuck.let_go.set()
    lines = bench.lines()
    assert [line["number"] for line in lines if line["event"] == "next"] == list(range(10))
    assert "15 log lines were dropped: writing could not keep up" in [line["event"] for line in lines]


def test_lines_that_have_gathered_are_written_together(bench: Bench) -> None:
    stuck = Stuck()
    bench.start(stuck)
    log = structlog.get_logger()
    log.info("first")
    assert stuck.entered.wait(60)
    for number in range(100):
        log.info("next", number=number)
    stuck.let_go.set()
    assert [line.get("number") for line in bench.lines()] == [None, *range(100)]
    assert stuck.writes == 2


def test_a_late_line_goes_to_the_console_clean(bench: Bench) -> None:
    handle = bench.start(file=bench.path)
    structlog.get_logger().info("in time")
    handle.close()
    handle.close()
    structlog.get_logger().info(f"late {CANARY}")
    assert [line["event"] for line in bench.lines()] == ["in time", "late ***"]
    assert bench.file_lines() == ["in time"]


def test_a_second_set_up_replaces_the_first(bench: Bench) -> None:
    bench.start()
    first = bench.console
    structlog.get_logger().info("one")
    flush(bench)
    bench.start()
    structlog.get_logger().info("two")
    assert [line["event"] for line in bench.lines()] == ["two"]
    assert isinstance(first, io.StringIO)
    assert json.loads(first.getvalue())["event"] == "one"


def test_a_line_that_cannot_be_rendered_does_not_end_the_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.start()
    redactor_fields = bench.redactor.fields

    def fail_once(fields: Any, depth: int = 0) -> Any:
        monkeypatch.setattr(bench.redactor, "fields", redactor_fields)
        raise MemoryError(CANARY)

    monkeypatch.setattr(bench.redactor, "fields", fail_once)
    structlog.get_logger().info("lost")
    structlog.get_logger().info("next")
    assert [line["event"] for line in bench.lines()] == ["A log line could not be written: MemoryError", "next"]


def test_nobody_reading_standard_error_is_no_error(bench: Bench) -> None:
    bench.start(_Deaf(), file=bench.path)
    structlog.get_logger().info("one")
    structlog.get_logger().info("two")
    assert bench.file_lines() == ["one", "two"]


class _Deaf(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


# -- the file


def flush(bench: Bench) -> None:
    """Waits until every line so far is written."""
    assert bench.handles[-1]._entrance.written().wait(60)


def test_a_rotated_file_is_followed(bench: Bench) -> None:
    bench.start(file=bench.path)
    structlog.get_logger().info("before")
    flush(bench)
    rotated = bench.path.rename(bench.path.with_suffix(".log.1"))
    structlog.get_logger().info("after")
    assert bench.file_lines()[-1] == "after"
    assert bench.file_lines(rotated)[0] == "before"


def test_a_folder_that_was_taken_away_is_made_again(bench: Bench) -> None:
    bench.start(file=bench.path)
    structlog.get_logger().info("before")
    flush(bench)
    bench.path.unlink()
    bench.path.parent.rmdir()
    structlog.get_logger().info("after")
    assert bench.file_lines()[-1] == "after"


def test_a_file_that_cannot_be_written_is_told_once_and_tried_again(bench: Bench) -> None:
    bench.path.parent.write_text("in the way of the folder")
    handle = bench.start(file=bench.path)
    log = structlog.get_logger()
    log.info("one")
    log.info("two")
    flush(bench)
    bench.path.parent.unlink()
    handle.reopen()
    log.info("three")
    assert bench.file_lines()[-1] == "three"
    events = [line["event"] for line in bench.lines()]
    (trouble,) = [event for event in events if "cannot be written" in event]
    assert str(bench.path) in trouble
    (recovery,) = [event for event in events if "can be written again" in event]
    assert "lines are only on standard error" in recovery
    assert [event for event in events if event in ("one", "two", "three")] == ["one", "two", "three"]


def test_a_file_in_trouble_is_left_alone_for_a_while(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    write = LogFile._write

    def count(self: LogFile, text: str) -> None:
        tries.append([json.loads(line)["event"] for line in text.splitlines()])
        write(self, text)

    now = [1000.0]
    monkeypatch.setattr(LogFile, "_write", count)
    monkeypatch.setattr("daemon.observability.sinks.time.monotonic", lambda: now[0])
    bench.path.parent.write_text("in the way of the folder")
    bench.start(file=bench.path)
    structlog.get_logger().info("one")
    flush(bench)
    structlog.get_logger().info("two")
    flush(bench)
    now[0] += log_outlets.RETRY_AFTER
    structlog.get_logger().info("three")
    bench.text()
    assert tries == [["one"], ["three"]]


def test_a_full_disk_stops_nothing(bench: Bench) -> None:
    bench.path.parent.mkdir()
    bench.path.symlink_to("/dev/full")
    handle = bench.start(file=bench.path)
    structlog.get_logger().info("one", padding="x" * 20_000)
    flush(bench)
    bench.path.unlink()
    handle.reopen()
    structlog.get_logger().info("two")
    assert bench.file_lines() == ["two"]
    events = [line["event"] for line in bench.lines()]
    assert any("No space left on device" in event for event in events)
    assert events[0] == "one" or events[1] == "one"


def test_each_line_of_json_bears_the_channel(bench: Bench) -> None:
    for handler in logging.getLogger().handlers[:]:
        logging.getLogger().removeHandler(handler)
    bench.handles.append(setup(Log(file=bench.path), bench.redactor, bench.console, {}, channel="gold"))
    structlog.get_logger("daemon.obs").info("one", input="GMOTHERSTREAM_2")
    logging.getLogger("simpleobsws").warning("another")
    assert [(line["event"], line["channel"]) for line in bench.lines()] == [("one", "gold"), ("another", "gold")]
    assert [json.loads(line)["channel"] for line in bench.path.read_text("utf-8").splitlines()] == ["gold", "gold"]
