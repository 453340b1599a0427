"""One program of the studio: its own process group, its own log, and never outliving the studio."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from daemon.studio.errors import MissingProgramsError, StartError, StudioError

# util-linux is essential on Debian, so setpriv is always there. It saves a preexec_fn, which Python warns
# against in a process with threads.
PACKAGES: Mapping[str, str] = {
    "obs": "obs-studio",
    "Xvfb": "xvfb",
    "nginx": "nginx-light",
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "setpriv": "util-linux",
    "unshare": "util-linux",
    "chroot": "coreutils",
}

# Debian keeps nginx in sbin, which is not on every user's path.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))

POLL = 0.02
"""Seconds between two looks at a condition that no file descriptor tells of."""


def find_program(name: str) -> str | None:
    """The full path of a program, looked for in sbin as well."""
    return shutil.which(name, path=SEARCH_PATH)


def require(programs: Sequence[str], files: Mapping[Path, str] | None = None) -> None:
    """Raise MissingProgramsError, naming every program and file that is not there and its Debian package."""
    missing = {name: PACKAGES[name] for name in programs if find_program(name) is None}
    missing |= {str(path): package for path, package in (files or {}).items() if not path.exists()}
    if missing:
        raise MissingProgramsError(missing)


def environment() -> dict[str, str]:
    """This process's own, without what configures a Motherstream."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOTHERSTREAM_")}


async def until(condition: Callable[[], bool], within: float, *, poll: float = POLL) -> bool:
    """Whether `condition` came true within `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(poll)
    return True


def send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal unless the process has ended.

    asyncio's own send_signal polls the child first, which may take its status away from asyncio's watcher: that then
    reports 255 and complains of an unknown child.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


class Process:
    """A program with a log, started in its own session and process group.

    It also dies with this interpreter, however that ends: the kernel sends it `on_parent_death`
    (PR_SET_PDEATHSIG). That is bound to the *thread* that started it: run the event loop in the main thread.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._argv = tuple(argv)
        self._env = None if env is None else dict(env)
        self._cwd = cwd
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """The process id, also its group's; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def returncode(self) -> int | None:
        """As in subprocess: negative for a signal, None while it runs."""
        return None if self._process is None else self._process.returncode

    @property
    def stdout(self) -> asyncio.StreamReader:
        """Its standard output, where it was started with `pipe=True`."""
        if self._started.stdout is None:
            raise StudioError(f"the output of {self.name} goes to its log: start it with pipe=True to read it")
        return self._started.stdout

    @property
    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise StudioError(f"{self.name} has not been started")
        return self._process

    async def start(
        self,
        *,
        pass_fds: Sequence[int] = (),
        pipe: bool = False,
        told: bool = False,
        on_parent_death: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Start it. Output goes to the log; with `pipe`, standard output can be read from `stdout`, and with `told`,
        it can be told something."""
        program = find_program(self._argv[0])
        if program is None:
            raise MissingProgramsError({self._argv[0]: PACKAGES.get(self._argv[0], self._argv[0])})
        death = on_parent_death.name.removeprefix("SIG")
        wrapper = (find_program("setpriv") or "setpriv", "--pdeathsig", death, "--", program)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *wrapper,
                *self._argv[1:],
                stdin=asyncio.subprocess.PIPE if told else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if pipe else log,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
                pass_fds=pass_fds,
            )

    def tell(self, data: bytes) -> None:
        """Write to its standard input, where it was started with `told=True`."""
        if self._started.stdin is None:
            raise StudioError(f"{self.name} cannot be told anything: start it with told=True")
        self._started.stdin.write(data)

    async def wait(self) -> int:
        """Wait for its end."""
        return await self._started.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, not to its helpers. Nothing happens where it has ended."""
        if self._process is not None:
            send(self._process, number)

    async def freeze(self) -> None:
        """Stop it where it stands (SIGSTOP): its sockets stay open and nothing moves any more."""
        self.send_signal(signal.SIGSTOP)
        # A program of many threads goes on for some milliseconds after kill(2) has returned.
        await until(lambda: not self.running or self._frozen(), 1.0, poll=0.001)

    async def thaw(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self.send_signal(signal.SIGCONT)

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 5.0) -> None:
        """End it: ask by `number`, thaw it so that it hears, kill what is left after `within` seconds."""
        self.send_signal(number)
        await self.thaw()
        await self._reap(within)

    async def kill(self, *, grace: float = 3.0) -> None:
        """SIGKILL, as a crash does. Its helpers have `grace` seconds to end by themselves."""
        self.send_signal(signal.SIGKILL)
        await self._reap(grace)

    async def _reap(self, within: float) -> None:
        if self._process is None:
            return
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
                # OBS's muxer is a helper of its own; it finishes the file once OBS has closed its pipe.
                await until(lambda: not self._group_alive(), within)
        except TimeoutError:
            pass
        finally:
            self.kill_group()
        await self._process.wait()

    def kill_group(self) -> None:
        """SIGKILL to whatever is left of the process group. Synchronous: for the last resort."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _group_alive(self) -> bool:
        try:
            os.killpg(self._started.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _frozen(self) -> bool:
        # The state is the field behind the name, which may hold anything but ends with the last bracket; see proc(5).
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        try:
            return all(stat.read_text().rpartition(")")[2].split()[0] in "TtZX" for stat in threads)
        except FileNotFoundError:
            return False  # a thread ended while it was looked at

    def tail(self, lines: int = 15) -> str:
        """The last lines that it has written to its log since its last start."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def failed(self, reason: str) -> StartError:
        """A StartError that quotes the log."""
        return StartError(self.name, reason, self.tail())

    async def answers(self, attempt: Callable[[], Awaitable[bool]], within: float, *, poll: float = 0.1) -> None:
        """Wait until `attempt` is True. Raises StartError where the program ends first or time runs out."""
        deadline = time.monotonic() + within
        while True:
            if not self.running:
                raise self.failed(f"ended with status {self.returncode}")
            if await attempt():
                return
            if time.monotonic() >= deadline:
                raise self.failed(f"did not answer within {within:g} s")
            await asyncio.sleep(poll)


async def port_open(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
