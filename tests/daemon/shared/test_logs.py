"""A channel's log in both stores: the same assertions, so that neither can drift from the other."""

import json
from pathlib import Path

import pytest

from daemon.journal.journal import Journal
from daemon.shared.local import LocalLog
from daemon.shared.portions import MOST, Conflict, NotOwner, Portion, Position
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from tests.daemon.shared.conftest import House


def events(first: int, count: int = 1) -> tuple[tuple[int, str], ...]:
    return tuple((number, json.dumps({"event": "Held", "at": float(number)})) for number in range(first, first + count))


def line(number: int) -> tuple[int, float, str]:
    return number, float(number), json.dumps({"attempt": number})


async def test_an_empty_one_has_nothing(house: House) -> None:
    epoch = await house.own("main")
    log = house.log("main")
    await log.write(epoch, Portion())
    assert await log.position() == Position()
    assert not await log.read(Position())
    assert await log.handovers(5) == []


async def test_what_is_written_is_read_in_its_order(house: House) -> None:
    log, epoch = house.log("main"), await house.own("main")
    await log.write(epoch, Portion(events=events(1, 3), handovers=[line(1)], streams={"srs:1": '{"key": "x"}'}))
    await log.write(epoch, Portion(events=events(4, 2), handovers=[line(2), line(3)]))
    portion = await log.read(Position(), streams=True)
    assert portion.events == events(1, 5)
    assert portion.handovers == (line(1), line(2), line(3))
    assert portion.streams == {"srs:1": '{"key": "x"}'}
    assert portion.snapshot is None
    assert await log.position() == Position(5, 3)
    assert (await log.read(Position(4, 2))).events == events(5)
    assert (await log.read(Position(5, 3))).end == 0
    assert [row["attempt"] for row in await log.handovers(2)] == [3, 2]


async def test_streams_are_put_in_each_others_place_and_left_alone_if_not_named(house: House) -> None:
    log, epoch = house.log("main"), await house.own("main")
    await log.write(epoch, Portion(streams={"a": "{}", "b": '{"url": "1"}'}))
    await log.write(epoch, Portion(events=events(1)))
    assert (await log.read(Position(), streams=True)).streams == {"a": "{}", "b": '{"url": "1"}'}
    await log.write(epoch, Portion(streams={"b": '{"url": "2"}'}))
    assert (await log.read(Position(), streams=True)).streams == {"b": '{"url": "2"}'}
    await log.write(epoch, Portion(streams={}))
    assert (await log.read(Position(), streams=True)).streams == {}


async def test_a_snapshot_takes_the_place_of_what_came_before_it(house: House) -> None:
    log, epoch = house.log("main"), await house.own("main")
    await log.write(epoch, Portion(events=events(1, 4)))
    await log.write(epoch, Portion(snapshot=(5, '{"now": 5}'), events=events(6, 2)))
    behind = await log.read(Position(2))
    assert (behind.snapshot, behind.events) == ((5, '{"now": 5}'), events(6, 2))
    assert behind.follows(2)
    abreast = await log.read(Position(5))
    assert (abreast.snapshot, abreast.events) == (None, events(6, 2))
    assert await log.position() == Position(7)


async def test_a_long_log_comes_in_portions(house: House) -> None:
    log, epoch = house.log("main"), await house.own("main")
    for first in range(1, 2 * MOST, MOST // 2):
        await log.write(epoch, Portion(events=events(first, MOST // 2), handovers=[line(first)]))
    at = Position()
    read: list[tuple[int, str]] = []
    while portion := await log.read(at):
        assert portion.follows(at.seq)
        assert len(portion.events) <= MOST
        read += portion.events
        at = at.after(portion)
    assert tuple(read) == events(1, 2 * MOST)
    assert at == await log.position()


async def test_channels_know_nothing_of_each_other(house: House) -> None:
    main, gold = house.log("main"), house.log("gold")
    await main.write(await house.own("main"), Portion(events=events(1, 3), streams={"a": "{}"}))
    await gold.write(await house.own("gold"), Portion(events=events(1)))
    assert await main.position() == Position(3)
    assert await gold.position() == Position(1)
    assert (await gold.read(Position(), streams=True)).streams == {}


async def test_one_who_was_replaced_writes_nothing_more(house: House) -> None:
    log, former = house.log("main"), await house.own("main")
    await log.write(former, Portion(events=events(1)))
    later = await house.own("main")
    await log.write(later, Portion(events=events(2)))
    with pytest.raises(NotOwner):
        await log.write(former, Portion(events=events(3), handovers=[line(1)], streams={"a": "{}"}))
    with pytest.raises(NotOwner):
        await log.write(former, Portion(snapshot=(9, "{}")))
    portion = await log.read(Position(), streams=True)
    assert (portion.events, portion.handovers, portion.streams, portion.snapshot) == (events(1, 2), (), {}, None)


async def test_what_does_not_follow_is_not_written(house: House) -> None:
    log, epoch = house.log("main"), await house.own("main")
    await log.write(epoch, Portion(events=events(1, 2)), after=0)
    for after, first in ((0, 1), (5, 6)):
        with pytest.raises(Conflict, match=f"does not end at number {after}"):
            await log.write(epoch, Portion(events=events(first), handovers=[line(1)]), after=after)
    await log.write(epoch, Portion(snapshot=(9, "{}")), after=2)
    await log.write(epoch, Portion(events=events(10)), after=9)
    assert await log.position() == Position(10)


async def test_the_journals_own_file_is_such_a_log(tmp_path: Path) -> None:
    journal, log = Journal(tmp_path / "a.db"), LocalLog(tmp_path / "a.db")
    await journal.open()
    director = await journal.restore(lambda: Director(Policy()))
    wrote: list[int] = []
    journal.wrote = lambda: wrote.append(1)
    for at in (1.0, 2.0):
        await journal.append([ev.Held(at)], director.snapshot, [(at, {"attempt": int(at)})])
    assert len(wrote) == 2
    portion = await log.read(Position(), streams=True)
    assert [number for number, _ in portion.events] == [1, 2]
    assert [number for number, _, _ in portion.handovers] == [1, 2]
    await journal.save(director.snapshot())
    await journal.append([ev.Released(3.0)], director.snapshot)
    after = await log.read(Position(2))
    assert after.snapshot is not None
    assert after.snapshot[0] == 3
    assert [number for number, _ in after.events] == [4]
    journal.keep_stream("srs:1", {"key": "x"})
    assert (await journal.kept()).last == 4
    await journal.close()
    assert (await log.read(Position(), streams=True)).streams == {"srs:1": '{"key":"x"}'}
