"""What waits for the rules: taken in its order, together where it comes together, and never lost."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from daemon.core.event_queue import BATCH, TURNS, EventQueue, Queued
from statemachine import events as ev


def at(number: int) -> ev.TimePassed:
    return ev.TimePassed(float(number))


def times(batch: Sequence[Queued]) -> list[float]:
    return [item.event.at for item in batch]


async def submit_each_turn(events: EventQueue, count: int) -> None:
    for number in range(count):
        events.submit(at(number))
        await asyncio.sleep(0)


async def test_what_comes_in_one_turn_of_the_loop_and_in_the_next_is_taken_together() -> None:
    events = EventQueue()
    taken = asyncio.create_task(events.take())
    await asyncio.sleep(0)
    for number in range(5):
        asyncio.get_running_loop().call_soon(events.submit, at(number))
    asyncio.get_running_loop().call_soon(asyncio.get_running_loop().call_soon, events.submit, at(5))
    assert times(await taken) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


async def test_one_that_comes_alone_is_not_held_up_for_others() -> None:
    events = EventQueue()
    events.submit(at(1))
    taken = asyncio.create_task(events.take())
    for _ in range(3):
        await asyncio.sleep(0)
    assert taken.done()


async def test_those_that_come_without_an_end_are_taken_all_the_same() -> None:
    events = EventQueue()
    flood = asyncio.create_task(submit_each_turn(events, 10_000))
    seen = times(await events.take())
    assert TURNS <= len(seen) <= 2 * TURNS
    rest = times(await events.take())
    assert rest[0] == seen[-1] + 1
    flood.cancel()
    with suppress(asyncio.CancelledError):
        await flood


async def test_no_more_are_taken_than_one_step_bears() -> None:
    events = EventQueue()
    for number in range(BATCH + 10):
        events.submit(at(number))
    assert len(await events.take()) == BATCH
    assert times(await events.take()) == [float(number) for number in range(BATCH, BATCH + 10)]


async def test_who_is_cancelled_while_taking_has_lost_no_event() -> None:
    events = EventQueue()
    for turns in range(4):
        taking = asyncio.create_task(events.take())
        await asyncio.sleep(0)
        events.submit(at(turns))
        for _ in range(turns % 2):
            await asyncio.sleep(0)
        taking.cancel()
        with suppress(asyncio.CancelledError):
            await taking
    assert times(await events.take()) == [0.0, 1.0, 2.0, 3.0]
