"""A daemon that really runs, as a process of its own, with a fake OBS beside it, for those who speak HTTP with it.

The fake lives on a thread of its own, so that the test may block.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import daemon
from daemon.ingest.hook import JSON
from daemon.studio.ports import free_port
from daemon.studio.process import environment
from tests.fakes.threaded import PASSWORD, ThreadedObs
from tests.support import blocking_until

DEADLINE = 60.0
"""Seconds."""


class Answer(NamedTuple):
    """To one request."""

    status: int
    content_type: str
    body: bytes


class Live:
    """``with Live(folder) as live`` has a daemon at ``live.url``, and nobody on air.

    ``with_obs``: OBS is there. ``settings`` (and ``keys``) are configuration keys, with two underscores for the dot.
    ``within``: what is put before the daemon's command. ``environment``: variables besides. ``program``: Python's
    arguments in place of the daemon's own. ``headers`` go with every request.
    """

    def __init__(
        self,
        folder: Path,
        *,
        with_obs: bool = True,
        obs: ThreadedObs | None = None,
        within: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "daemon"),
        headers: Mapping[str, str] | None = None,
        keys: Mapping[str, str] | None = None,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.headers = dict(headers or {})
        self._settings = {**settings, **(keys or {})}
        self._within = tuple(within)
        self._environment = dict(environment or {})
        self._program = tuple(program)
        self._obs = obs if obs is not None else ThreadedObs() if with_obs else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def obs(self) -> ThreadedObs:
        """The fake beside it."""
        assert self._obs is not None
        return self._obs

    @property
    def pid(self) -> int:
        """The daemon's."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """The daemon has not ended."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        if self._obs is not None:
            self._obs.__enter__()
        try:
            self.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._obs is not None:
            self._obs.__exit__(None, None, None)

    # --- the daemon's life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the daemon, and wait until it has found OBS (or, without one, until it answers)."""
        self.launch()
        self.until(lambda: self.get("/status")["obs"]["connected"] == (self._obs is not None))

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        os.kill(self.pid, number)

    def ended(self, within: float = DEADLINE) -> int:
        """Its exit code: negative for a signal. It has to end in time."""
        assert self._process is not None
        return self._process.wait(within)

    def launch(self) -> None:
        """Start the daemon, and wait for nothing."""
        settings = {
            "http__port": str(self.port),
            "obs__port": str(self._obs.port if self._obs else free_port()),
            "obs__password": PASSWORD,
            "queue__auth": "open",
            "sources__job_delay": "0",
            "sources__cleanup_grace": "0",
            "store__path": str(self.folder / "motherstream.db"),
            "log__file": str(self.folder / "motherstream.log"),
            "health__report_dir": str(self.folder / "stream-health"),
            **self._settings,
        }
        environ = {
            **environment(),
            # The daemon of this tree, whatever is installed.
            "PYTHONPATH": str(Path(daemon.__file__).parents[1]),
            **{f"MOTHERSTREAM_{name.upper()}": value for name, value in settings.items() if value != ""},
            **self._environment,
        }
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                # It ends with the tests, however these end.
                ["setpriv", "--pdeathsig", "KILL", *self._within, sys.executable, *self._program, "run"],
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )

    def kill(self) -> None:
        """End the daemon as `kill -9` does, wherever it is."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(DEADLINE)

    def start_again(self) -> None:
        """After ``kill``: the same daemon, with the same files."""
        self.start()

    def console(self) -> str:
        """What the daemon has said."""
        return (self.folder / "console.log").read_text(errors="replace")

    # --- doing -----------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, kind: str = JSON) -> Answer:
        """Any request, and whatever is answered. A body that is neither bytes nor nothing is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=self.headers)
        if data is not None:
            request.add_header("Content-Type", kind)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=DEADLINE) as answer:
                return Answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers["Content-Type"], error.read())

    def get(self, path: str) -> Any:
        """GET, decoded."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def on_air(self) -> str | None:
        """Whose picture is shown."""
        status = self.get("/status")
        return status["on_air"]["streamer"] if status["on_air"] else None

    def publish(self, stream: str, query: str = "") -> None:
        """SRS tells that somebody publishes."""
        hook = {"action": "on_publish", "app": "live", "stream": stream, "client_id": f"c-{stream}"}
        answer = self.ask("POST", f"/hooks/srs{query}", hook)
        assert answer.status == 200, answer

    def unpublish(self, stream: str, query: str = "") -> None:
        """SRS tells that it has ended."""
        hook = {"action": "on_unpublish", "app": "live", "stream": stream, "client_id": f"c-{stream}"}
        answer = self.ask("POST", f"/hooks/srs{query}", hook)
        assert answer.status == 200, answer

    def until_on_air(self, streamer: str | None, within: float = DEADLINE) -> None:
        """Wait until the picture is this streamer's."""
        self.until(lambda: self.on_air() == streamer, within)

    def until(self, condition: Callable[[], object], within: float = DEADLINE) -> None:
        """Wait until it holds."""
        blocking_until(
            condition,
            within,
            ignore=OSError,
            give_up=lambda: self._process is not None and self._process.poll() is not None,
            tell=lambda: self.console()[-4000:],
        )
