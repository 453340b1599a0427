"""The dispatcher: every event is taken once, journaled before its commands go out, and time comes by itself."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from daemon.core.clock import Clock
from daemon.core.dispatcher import Dispatcher, Record
from daemon.core.event_queue import EventQueue
from daemon.journal.history import handovers
from daemon.journal.journal import Journal
from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.step import Step
from tests.support import Changes


class Sink:
    def __init__(self) -> None:
        self.commands: list[cmd.Command] = []
        self.changed = Changes()

    def execute(self, commands: Sequence[cmd.Command]) -> None:
        self.commands += commands
        self.changed.wake()

    async def until(self, condition: Callable[[], bool]) -> None:
        await self.changed.until(condition)


@asynccontextmanager
async def running(tmp_path: Path, policy: Policy | None = None) -> AsyncIterator[tuple[Dispatcher, Sink, Clock]]:
    journal, sink, clock = Journal(tmp_path / "a.db"), Sink(), Clock()
    await journal.open()
    dispatcher = Dispatcher(EventQueue(), Director(policy or Policy()), Record(journal, handovers), sink, clock)
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher, sink, clock
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await journal.close()


ALICE = ev.Session("srs:1/a", "alice", "live", "alice")


async def test_commands_go_out_in_the_order_of_their_events(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, sink, clock):
        dispatcher.events.submit(ev.ObsReady(clock.now(), ev.Inventory()))
        dispatcher.events.submit(ev.Published(clock.now(), ALICE))
        dispatcher.events.submit(ev.InputCreated(clock.now(), 1))
        await sink.until(lambda: len(sink.commands) >= 3)
        assert [type(c) for c in sink.commands] == [cmd.CreateInput, cmd.PlaceInput, cmd.WatchInput]


async def test_who_asks_gets_the_answer_to_the_own_event(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, _, clock):
        dispatcher.events.submit(ev.Published(clock.now(), ALICE))
        step = await dispatcher.events.ask(ev.SkipRequested(clock.now()))
        assert step.refusal is not None
        assert step.facts == (step.refusal,)


async def test_a_deadline_of_the_rules_rings_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path, Policy(ready_timeout=0.05, retry_first=0.05)) as (dispatcher, sink, clock):
        dispatcher.events.submit(ev.ObsReady(clock.now(), ev.Inventory()))
        dispatcher.events.submit(ev.Published(clock.now(), ALICE))
        dispatcher.events.submit(ev.InputCreated(clock.now(), 1))
        # One ends the attempt, the next one begins another.
        await sink.until(lambda: any(isinstance(c, cmd.CreateInput) and c.attempt == 2 for c in sink.commands))


async def test_losing_obs_drops_what_was_not_carried_out(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, sink, clock):
        await dispatcher.events.ask(ev.ObsReady(clock.now(), ev.Inventory()))
        assert cmd.AbandonPending() not in sink.commands
        await dispatcher.events.ask(ev.ObsLost(clock.now(), "gone"))
        assert sink.commands == [cmd.AbandonPending()]


@pytest.mark.usefixtures("waits_for_the_disk")
async def test_an_event_is_in_the_file_before_its_commands_go_out(tmp_path: Path) -> None:
    written: list[int] = []

    class Looking(Sink):
        def execute(self, commands: Sequence[cmd.Command]) -> None:
            if commands:
                with sqlite3.connect(tmp_path / "a.db") as db:
                    written.append(db.execute("SELECT count(*) FROM event").fetchone()[0])
                db.close()

    journal, clock = Journal(tmp_path / "a.db"), Clock()
    await journal.open()
    dispatcher = Dispatcher(EventQueue(), Director(Policy()), Record(journal), Looking(), clock)
    task = asyncio.create_task(dispatcher.run())
    await dispatcher.events.ask(ev.ObsReady(clock.now(), ev.Inventory()))
    await dispatcher.events.ask(ev.Published(clock.now(), ALICE))
    task.cancel()
    await journal.close()
    assert written == [2]


async def test_an_observer_that_fails_stops_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, _, clock):
        seen: list[facts.Fact] = []

        def broken(told: Sequence[facts.Fact]) -> None:
            raise RuntimeError("an observer's own trouble")

        dispatcher.observe(broken)
        dispatcher.observe(seen.extend)
        await dispatcher.events.ask(ev.Published(clock.now(), ALICE))
        assert any(isinstance(fact, facts.LineupChanged) for fact in seen)


async def test_a_fault_of_the_rules_ends_neither_the_loop_nor_the_asker(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, _, clock):
        assert await dispatcher.events.ask(ev.Event(clock.now())) == Step()
        assert (await dispatcher.events.ask(ev.Published(clock.now(), ALICE))).facts


async def test_a_slow_disk_holds_up_the_answer_and_not_the_show(tmp_path: Path) -> None:
    async with running(tmp_path) as (dispatcher, sink, clock):
        await dispatcher.events.ask(ev.ObsReady(clock.now(), ev.Inventory()))
        writer = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        asked = asyncio.create_task(dispatcher.events.ask(ev.Published(clock.now(), ALICE)))
        await sink.until(lambda: len(sink.commands) > 0)
        other = await dispatcher.events.ask(ev.TimePassed(clock.now()), written=False)
        assert other.facts == (), "the loop is not held up"
        assert not asked.done()
        writer.execute("ROLLBACK")
        writer.close()
        assert (await asked).facts
        with sqlite3.connect(tmp_path / "a.db") as db:
            assert db.execute("SELECT count(*) FROM event WHERE body LIKE '%Published%'").fetchone() == (1,)
        db.close()


@pytest.mark.usefixtures("waits_for_the_disk")
async def test_a_hand_over_is_in_the_history_before_anybody_is_told_of_it(tmp_path: Path) -> None:
    async with running(tmp_path, Policy(standby=False)) as (dispatcher, _, clock):
        rows: list[int] = []

        def look(told: Sequence[facts.Fact]) -> None:
            if any(isinstance(fact, facts.HandoverEnded) for fact in told):
                with sqlite3.connect(tmp_path / "a.db") as db:
                    rows.append(db.execute("SELECT count(*) FROM handover").fetchone()[0])
                db.close()

        dispatcher.observe(look)
        await dispatcher.events.ask(ev.ObsReady(clock.now(), ev.Inventory()))
        await dispatcher.events.ask(ev.Published(clock.now(), ALICE))
        await dispatcher.events.ask(ev.InputCreated(clock.now(), 1))
        await dispatcher.events.ask(ev.MediaReady(clock.now(), 1))
        await dispatcher.events.ask(ev.CutDone(clock.now(), 1))
        assert rows == [1]
