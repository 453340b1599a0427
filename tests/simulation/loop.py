"""An event loop in which no time passes but by waiting: an hour of the daemon's in a second, the same in every run.

Where nothing is left to do, the time is set to that of the next timer. TCP goes over Unix sockets within the process:
what was sent has arrived, so whether there is anything to read does not depend on the machine. Threads are none: what
the daemon would hand to one is done at once.
"""

import asyncio
import os
import random
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Self
from unittest import mock

from daemon.journal.journal import Journal

EPOCH = 1_800_000_000.0
"""What the wall clock says when a simulation begins."""
START = 1000.0
FIRST_PORT = 20_000


Around = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""Does the work of a thread: a test may look at it, do something else, or fail."""


def as_it_is(work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """It is done."""
    return work(*args)


class Process:
    """What runs in one process of the simulation, and ends with it."""

    def __init__(self) -> None:
        self.dead = False
        self.around: Around = as_it_is
        self.disk_takes = 0.0
        """Seconds that each write of the journal takes."""
        self.on_change: Callable[[], None] = lambda: None
        """Has it read the streamers' keys anew."""

    def work(self, work: Callable[..., Any], *args: Any) -> Any:
        """Carry out what was handed to a thread."""
        if self.dead and getattr(work, "__name__", "") != "_close":
            return None
        return self.around(work, args)


CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)
"""Whose task it is that runs; None outside of all processes."""


class Inline:
    """A ``Worker`` whose thread is quicker than anything."""

    def __init__(self, *_: object) -> None:
        self._process = CURRENT.get() or Process()
        self._busy_until = 0.0
        self._waiting: deque[tuple[asyncio.TimerHandle, tuple[asyncio.Future[Any], Callable[..., Any], Any]]] = deque()

    def submit(self, work: Callable[..., object], *args: Any) -> None:
        """Done by the time it returns."""
        with suppress(Exception):
            self._process.work(work, *args)

    def run(self, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Done by the time it returns, but for a write to a slow disk."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        if self._process.disk_takes or loop.time() < self._busy_until:
            self._busy_until = max(loop.time(), self._busy_until) + self._process.disk_takes
            later = loop.call_at(self._busy_until, self._finish, done, work, args)
            self._waiting.append((later, (done, work, args)))
            return done
        self._finish(done, work, args)
        return done

    def stop(self) -> None:
        """What waits is done before it ends."""
        while self._waiting:
            later, item = self._waiting.popleft()
            if not later.cancelled() and not item[0].done():
                later.cancel()
                self._finish(*item)

    def _finish(self, done: asyncio.Future[Any], work: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if done.done():
            return
        try:
            done.set_result(self._process.work(work, *args))
        except Exception as error:
            done.set_exception(error)


class _Selector(selectors.DefaultSelector):
    """Sets the loop's time where it would wait for it."""

    loop: "SimLoop"

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise RuntimeError("nothing will ever happen any more")
        self.loop.now += timeout
        return super().select(0)


class _Named:
    """A socket as far as its listeners look at it."""

    family = socket.AF_INET

    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def dup(self) -> Self:
        """Another handle of it."""
        return self

    def listen(self, backlog: int) -> None:
        """It is listened on already, as every server on a Unix socket."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Closing one handle closes no other."""


class _Listener:
    """A server on a Unix socket that passes for one on a port."""

    def __init__(self, server: asyncio.Server, port: int) -> None:
        self._server = server
        self._sockets = (_Named(port),)

    @property
    def sockets(self) -> tuple[_Named, ...]:
        return self._sockets if self._server.sockets else ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


_Loop: Any = asyncio.SelectorEventLoop
"""asyncio's own. Its methods' types are narrower, or wider, than what is called here."""


class SimLoop(_Loop):  # type: ignore[misc]  # see there
    """See above. ``now`` is its time in seconds."""

    def __init__(self) -> None:
        self.now = START
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self.signals: dict[tuple[Process | None, int], Callable[[], object]] = {}
        self.tasks: dict[Process | None, set[asyncio.Task[Any]]] = {}
        self.set_task_factory(self._make_task)
        self._transports: dict[Process | None, list[asyncio.Transport]] = {}
        self._servers: dict[Process | None, list[asyncio.Server]] = {}
        self._ports = FIRST_PORT
        self._names = f"\0motherstream-{os.getpid()}-{id(self)}-"

    def time(self) -> float:
        """In seconds."""
        return self.now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.now - START

    def path(self, port: int) -> str:
        """The Unix socket that stands for a port of loopback."""
        return f"{self._names}{port}"

    def _make_task(self, loop: Any, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=loop, **options)
        context = options.get("context")
        process = CURRENT.get() if context is None else context.get(CURRENT)
        known = self.tasks.setdefault(process, set())
        known.add(task)
        task.add_done_callback(known.discard)
        return task

    def sever(self, process: Process) -> None:
        """The process is no more: the kernel closes what it had open."""
        for server in self._servers.pop(process, []):
            server.close()
        for transport in self._transports.pop(process, []):
            transport.abort()
        for handler in [handler for handler in self.signals if handler[0] is process]:
            del self.signals[handler]

    def free_port(self) -> int:
        """One that nothing listens on."""
        self._ports += 1
        return self._ports

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **kwargs: Any) -> Any:
        """To a port of this simulation. Raises ConnectionRefusedError."""
        process = CURRENT.get()
        if process is not None and process.dead:
            raise ConnectionRefusedError(111, "Connection refused")
        return await self.create_unix_connection(protocol_factory, self.path(port))

    async def create_server(
        self,
        protocol_factory: Any,
        host: Any = None,
        port: Any = None,
        *,
        backlog: int = 100,
        start_serving: bool = True,
        **kwargs: Any,
    ) -> Any:
        """On a port of this simulation; 0 takes a free one."""
        port = port or self.free_port()
        process = CURRENT.get()
        if process is not None and process.dead:
            raise PermissionError(1, "Operation not permitted")
        server = await self.create_unix_server(protocol_factory, self.path(port), backlog=backlog, start_serving=False)
        self._servers.setdefault(process, []).append(server)
        if start_serving:
            await server.start_serving()
        return _Listener(server, port)

    def _make_socket_transport(self, *args: Any, extra: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        # A Unix socket's peer has no name, and hooks are let in by their sender's address.
        make = super()._make_socket_transport
        transport = make(*args, extra={**(extra or {}), "peername": ("127.0.0.1", 40_000)}, **kwargs)
        self._transports.setdefault(CURRENT.get(), []).append(transport)
        return transport

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """At once, in this thread."""
        future = self.create_future()
        process = CURRENT.get()
        try:
            future.set_result(process.work(func, *args) if process is not None else func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def add_signal_handler(self, sig: int, callback: Any, *args: Any) -> None:
        """Of the process that asks for it; nothing of the machine's is touched."""
        self.signals[CURRENT.get(), sig] = lambda: callback(*args)

    def remove_signal_handler(self, sig: int) -> bool:
        """As above."""
        return self.signals.pop((CURRENT.get(), sig), None) is not None


@contextmanager
def simulated(seed: int = 0) -> Iterator[asyncio.Runner]:
    """Runs coroutines on a SimLoop of their own, with both clocks and all chance taken from it."""
    loop = SimLoop()
    state = random.getstate()
    random.seed(seed)
    with (
        mock.patch.object(time, "monotonic", loop.time),
        mock.patch.object(time, "time", loop.wall),
        # Bound when they were imported.
        mock.patch("daemon.obs.fade.monotonic", loop.time),
        mock.patch.dict(_defaults(Journal), clock=loop.time),
        mock.patch("daemon.journal.journal.Worker", Inline),
        mock.patch("daemon.journal.backup.Worker", Inline),
        # For good, of all that the tests have made so far.
        mock.patch("gc.freeze"),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        try:
            yield runner
        finally:
            random.setstate(state)


def _defaults(kind: type) -> dict[str, Any]:
    defaults: dict[str, Any] = kind.__init__.__kwdefaults__  # type: ignore[misc]  # that of the class itself
    return defaults
