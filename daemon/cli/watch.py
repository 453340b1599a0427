"""``motherstream watch``: the show in the terminal, as it goes."""

import http.client
import json
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any, Final

from rich.console import Console
from rich.live import Live

from daemon.cli.client import TIMEOUT, Client, ClientError
from daemon.cli.watch_frame import Frame, Line, Model
from daemon.observability.wording import describe, printable

TICK: Final = 0.25
"""Seconds between two frames: the clocks and the bar move by themselves."""
READ_EVERY: Final = 10.0
"""Seconds between two readings without an event."""
PAUSE: Final = 1.0
"""Seconds before a lost daemon is tried again."""
KEPT: Final = 200
"""Lines of what has happened."""
READ_FAILS: Final = (OSError, http.client.HTTPException, ValueError)


def watch(client: Client, once: bool, stream: IO[str] | None = None) -> int:
    """Show it until Ctrl-C; with ``once`` a single frame. Returns the exit code.

    Where the output is no terminal, one frame is followed by a line for each event. Raises ClientError where the
    daemon cannot be reached to begin with, or wants another token; once begun, a lost daemon is waited for.
    """
    console = Console(file=stream or sys.stdout, markup=False, highlight=False, emoji=False, soft_wrap=False)
    watcher = Watcher(client)
    watcher.read()
    if once:
        console.print(Frame(watcher.model))
        return 0
    try:
        if console.is_terminal and not console.is_dumb_terminal:
            _live(watcher, console)
        else:
            _follow(watcher, console)
    except KeyboardInterrupt:
        return 0
    finally:
        watcher.stop()
    return 0


def _live(watcher: "Watcher", console: Console) -> None:
    watcher.listen()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            watcher.take(TICK)
            live.update(Frame(watcher.model, console.height), refresh=True)


def _follow(watcher: "Watcher", console: Console) -> None:
    console.print(Frame(watcher.model))
    watcher.listen()
    while True:
        for line in watcher.take(READ_EVERY):
            # As it is: a line that is cut to a width is of no use to a program.
            print(f"{line.time} {printable(line.text)}", file=console.file, flush=True)


class Watcher:
    """Keeps a model current: a thread listens to the events, everything else is done by the caller's."""

    def __init__(self, client: Client) -> None:
        self.model = Model(client.base)
        self._client = client
        self._news: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._lines: deque[Line] = deque(maxlen=KEPT)
        self._read_at = 0.0
        self._buffering: tuple[str, float] = ("", 0.0)
        self._up = True
        self._stopped = threading.Event()

    def listen(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, name="events", daemon=True).start()

    def stop(self) -> None:
        """Listen no more; returns at once."""
        self._stopped.set()

    def read(self) -> None:
        """Read everything. Raises ClientError."""
        status = self._client.get("/status")
        self.model.queue = self._client.get("/queue")["queue"]
        self.model.history = self._client.get("/history?count=20")["history"]
        self.model.checks = _checks(self._client)
        self.model.stream = self._stream()
        self.model.status, self.model.lost = status, ""
        self._read_at = time.monotonic()
        standby = status["standby"]
        buffers = standby["input"] if standby and not standby["ready"] else ""
        if buffers != self._buffering[0]:
            self._buffering = (buffers, self._read_at)
        self._age()

    def take(self, seconds: float) -> list[Line]:
        """Wait for news for that long at most, and bring the model up to date; the new lines, oldest first.

        Raises ClientError where the daemon wants another token.
        """
        news = list(self._drain(seconds))
        lines = [line for kind, data in news if (line := _line(kind, data)) is not None]
        self._lines.extendleft(lines)
        self.model.lines = tuple(self._lines)
        for kind, data in news:
            self._up = kind != "lost"
            if kind == "lost":
                self.model.lost = data["why"]
        due = bool(news) or bool(self.model.lost) or time.monotonic() - self._read_at >= READ_EVERY
        if self._up and due:
            try:
                self.read()
            except ClientError as error:
                _raise_if_denied(error)
                self.model.lost = str(error)
        self._age()
        return lines

    def _stream(self) -> dict[str, Any]:
        try:
            found = self._client.get("/stream-health/current")
        except ClientError:
            return {}  # of a daemon that does not watch it
        return found if isinstance(found, dict) else {}

    def _age(self) -> None:
        now = time.monotonic()
        if not self.model.lost:
            self.model.age = now - self._read_at
            self.model.buffering = now - self._buffering[1] if self._buffering[0] else 0.0

    def _drain(self, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            yield self._news.get(timeout=seconds)
            while True:
                yield self._news.get_nowait()
        except queue.Empty:
            return

    def _listen(self) -> None:
        while not self._stopped.is_set():
            why = "the daemon is gone"
            try:
                with self._client.open_events() as stream:
                    for news in frames(stream):
                        self._news.put(news)
            except ClientError as error:
                why = str(error)
                if _is_denied(error):
                    self._news.put(("hello", {}))  # the reading that follows says so to the caller
                    return
            except READ_FAILS:
                pass
            self._news.put(("lost", {"why": why}))
            self._stopped.wait(PAUSE)


def frames(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events as kind and data. Raises ValueError where the data is no JSON object."""
    kind, data = "", ""
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if kind:
                value = json.loads(data or "{}")
                if not isinstance(value, dict):
                    raise ValueError("an event's data is not an object")
                yield kind, value
            kind, data = "", ""
            continue
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            data += value


def _line(kind: str, data: dict[str, Any]) -> Line | None:
    if kind in ("hello", "lost"):
        return None
    try:
        text, sort = describe(kind, data)
    except (KeyError, TypeError):
        text, sort = kind, "news"  # of a newer daemon
    return None if sort == "step" else Line(_time(data.get("at")), text, sort)


def _time(at: object) -> str:
    try:
        when = datetime.fromisoformat(str(at)).astimezone()
    except ValueError:
        when = datetime.now().astimezone()
    return when.strftime("%H:%M:%S")


def _checks(client: Client) -> dict[str, Any]:
    # The answer of a daemon that is not ready is a 503, and it is what is wanted here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(client.base + "/readyz", timeout=TIMEOUT) as answer:
            found = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            found = _json(error.read())
    except READ_FAILS:
        return {}
    checks = found.get("checks") if isinstance(found, dict) else None
    return checks if isinstance(checks, dict) else {}


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_denied(error: ClientError) -> bool:
    return isinstance(error.__cause__, urllib.error.HTTPError) and error.__cause__.code == 401


def _raise_if_denied(error: ClientError) -> None:
    if _is_denied(error):
        raise error
