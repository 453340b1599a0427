"""A daemon that really runs, as a process of its own, with a fake OBS beside it, for those who speak HTTP with it.

The fake lives on a thread of its own, so that the test may block.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import daemon
from daemon.ingest.hook import JSON
from daemon.studio.process import free_port
from tests.fakes import FakeObs, Stream

PASSWORD = "correct horse"
DEADLINE = 20.0
"""Seconds."""

T = TypeVar("T")


class Answer(NamedTuple):
    """To one request."""

    status: int
    content_type: str
    body: bytes


class Live:
    """``with Live(folder) as live`` has a daemon at ``live.url``, and nobody on air.

    ``with_obs``: OBS is there. ``settings`` are configuration keys, with two underscores for the dot.
    """

    def __init__(self, folder: Path, *, with_obs: bool = True, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._settings = settings
        self._with_obs = with_obs
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._obs: FakeObs | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            if self._with_obs:
                self._obs = self._run(self._open_obs())
            self._process = self._start_daemon(self._obs.port if self._obs else free_port())
            self.until(lambda: self.get("/status")["obs"]["connected"] == self._with_obs)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._obs is not None:
            self._run(self._obs.stop(abrupt=True))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    # --- what there is ---------------------------------------------------------------------------------------

    async def _open_obs(self) -> FakeObs:
        obs = FakeObs(password=PASSWORD)
        obs.streams.default = Stream(first_frame_after=0.05)
        await obs.start()
        return obs

    def _start_daemon(self, obs_port: int) -> subprocess.Popen[bytes]:
        settings = {
            "http__port": str(self.port),
            "obs__port": str(obs_port),
            "obs__password": PASSWORD,
            "queue__auth": "open",
            "sources__job_delay": "0",
            "sources__cleanup_grace": "0",
            "store__path": str(self.folder / "motherstream.db"),
            "log__file": str(self.folder / "motherstream.log"),
            "health__report_dir": str(self.folder / "stream-health"),
            **self._settings,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOTHERSTREAM_")}
        environment = {
            **inherited,
            # The daemon of this tree, whatever is installed.
            "PYTHONPATH": str(Path(daemon.__file__).parents[1]),
            **{f"MOTHERSTREAM_{name.upper()}": value for name, value in settings.items()},
        }
        with (self.folder / "console.log").open("wb") as console:
            return subprocess.Popen(
                # It ends with the tests, however these end.
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "daemon", "run"],
                cwd=self.folder,
                env=environment,
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
        self._process = self._start_daemon(self._obs.port if self._obs else free_port())
        self.until(lambda: self.get("/status")["obs"]["connected"] == self._with_obs)

    def console(self) -> str:
        """What the daemon has said."""
        return (self.folder / "console.log").read_text(errors="replace")

    # --- doing -----------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None, kind: str = JSON) -> Answer:
        """Any request, and whatever is answered. A body that is neither bytes nor nothing is sent as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
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

    def publish(self, stream: str) -> None:
        """SRS tells that somebody publishes."""
        hook = {"action": "on_publish", "app": "live", "stream": stream, "client_id": f"c-{stream}"}
        answer = self.ask("POST", "/hooks/srs", hook)
        assert answer.status == 200, answer

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + DEADLINE
        while True:
            with contextlib.suppress(OSError):
                if condition():
                    return
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"not in time:\n{self.console()[-4000:]}")
            time.sleep(0.02)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)
