"""The one consumer of the event queue: ask the rules, journal, hand the commands on."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from daemon.core.clock import Clock
from daemon.core.event_queue import Asked, EventQueue, Queued
from daemon.core.ports import HandoverRow, JournalPort
from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.recorder import Recorder
from statemachine.step import Step

log = structlog.get_logger(__name__)

ANSWER_PATIENCE = 2.0
"""Seconds that who asked waits for a slow disk."""

Observer = Callable[[Sequence[facts.Fact]], None]


class CommandSink(Protocol):
    """Where commands go."""

    def execute(self, commands: Sequence[cmd.Command]) -> None:
        """Take commands over, in order; returns at once."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of each step."""

    journal: JournalPort
    history: Callable[[Sequence[facts.Fact]], Sequence[HandoverRow]] = lambda told: ()
    """Picks out of a step's facts what is journaled with it for people to read."""


class Dispatcher:
    """Feeds the director with what ``events`` holds."""

    def __init__(
        self,
        events: EventQueue,
        director: Director,
        record: Record,
        sink: CommandSink,
        clock: Clock,
    ) -> None:
        self.director = director
        self.events = events
        self._journal = record.journal
        self._sink = sink
        self._clock = clock
        self._history = record.history
        self._observers: list[Observer] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._recorder = Recorder(director)
        """Events taken so far."""

    def observe(self, observer: Observer) -> None:
        """Have ``observer`` called with the facts of each step, after the step was journaled. It must not block."""
        self._observers.append(observer)

    async def run(self) -> None:
        """Consume events until cancelled."""
        self._arm(self.director.deadline)
        try:
            while True:
                await self._process(await self.events.take())
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _process(self, batch: list[Queued]) -> None:
        events: list[ev.Event] = []
        steps: list[tuple[Step, Queued]] = []
        for item in batch:
            step, recorded = self._recorder.handle(item.event, self._handle)
            steps.append((step, item))
            events += recorded
        history = [row for step, _ in steps for row in self._history(step.facts)]
        late = await self._journal.append(events, self.director.snapshot, history)
        for step, item in steps:
            self._sink.execute(step.commands)
            for observer in self._observers:
                try:
                    observer(step.facts)
                except Exception:
                    log.exception("an observer failed", observer=getattr(observer, "__qualname__", repr(observer)))
            if item.asked is not None and (late is None or not item.written):
                _answer(item.asked, step)
            elif item.asked is not None and late is not None:
                # A hand-over does not wait for a slow disk; who asked does.
                answer = partial(_answer, item.asked, step)
                late.add_done_callback(answer)
                asyncio.get_running_loop().call_later(ANSWER_PATIENCE, answer)
        self._arm(steps[-1][0].deadline)

    def _handle(self, event: ev.Event) -> Step:
        try:
            return self.director.handle(event)
        except Exception:
            # A fault of the rules must not end the show: the next event finds them where they stand.
            log.exception("the rules failed on an event", rules_event=type(event).__name__)
            return Step(deadline=self.director.deadline)

    def _arm(self, deadline: float | None) -> None:
        """Have TimePassed come at the rules' deadline."""
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
        self.events.submit(ev.TimePassed(self._clock.now()))


def _answer(asked: Asked, step: Step, _written: object = None) -> None:
    if not asked.done():
        asked.set_result(step)
