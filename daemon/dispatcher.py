"""The one consumer of the event queue: ask the rules, journal, hand the commands on."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from daemon.clock import Clock
from daemon.journal import Journal
from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.states import State

log = structlog.get_logger(__name__)

BATCH = 256
"""Events of one step at most: they share one write to the journal."""

Observer = Callable[[Sequence[facts.Fact]], None]


class CommandSink(Protocol):
    """Where commands go."""

    def execute(self, commands: Sequence[cmd.Command]) -> None:
        """Take commands over, in order; returns at once."""

    def forget(self) -> None:
        """Drop what has not been carried out: OBS was lost."""


class Dispatcher:
    """Feeds the director. ``submit`` and ``ask`` are the only ways in."""

    def __init__(self, director: Director, journal: Journal, sink: CommandSink, clock: Clock) -> None:
        self.director = director
        self._journal = journal
        self._sink = sink
        self._clock = clock
        self._queue: asyncio.Queue[tuple[ev.Event, asyncio.Future[tuple[facts.Fact, ...]] | None]] = asyncio.Queue()
        self._observers: list[Observer] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self.handled = 0
        """Events taken so far."""

    def observe(self, observer: Observer) -> None:
        """Have ``observer`` called with the facts of each step, after the step was journaled. It must not block."""
        self._observers.append(observer)

    def submit(self, event: ev.Event) -> None:
        """Queue an event."""
        self._queue.put_nowait((event, None))

    async def ask(self, event: ev.Event) -> tuple[facts.Fact, ...]:
        """Queue an event and wait for the facts of its step: it is journaled then."""
        future: asyncio.Future[tuple[facts.Fact, ...]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((event, future))
        return await future

    async def run(self) -> None:
        """Consume events until cancelled."""
        self._arm()
        try:
            while True:
                batch = [await self._queue.get()]
                while len(batch) < BATCH and not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                await self._process(batch)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _process(self, batch: list[tuple[ev.Event, asyncio.Future[tuple[facts.Fact, ...]] | None]]) -> None:
        steps = [(self._handle(event), future) for event, future in batch]
        await self._journal.append([event for event, _ in batch], self.director.snapshot)
        for (commands, told), future in steps:
            if any(isinstance(fact, facts.StateChanged) and fact.dest is State.RECOVERING for fact in told):
                self._sink.forget()
            self._sink.execute(commands)
            for observer in self._observers:
                try:
                    observer(told)
                except Exception:
                    log.exception("an observer failed", observer=getattr(observer, "__qualname__", repr(observer)))
            if future is not None and not future.done():
                future.set_result(told)
        self._arm()

    def _handle(self, event: ev.Event) -> tuple[tuple[cmd.Command, ...], tuple[facts.Fact, ...]]:
        self.handled += 1
        try:
            commands = self.director.handle(event)
        except Exception:
            # A fault of the rules must not end the show: the next event finds them where they stand.
            log.exception("the rules failed on an event", rules_event=type(event).__name__)
            commands = ()
        return commands, self.director.take_facts()

    def _arm(self) -> None:
        """Have TimePassed come at the director's deadline."""
        deadline = self.director.deadline
        if deadline == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = deadline
        if deadline is not None:
            delay = max(0.0, deadline - self._clock.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._timer = self._armed = None
        self.submit(ev.TimePassed(self._clock.now()))
