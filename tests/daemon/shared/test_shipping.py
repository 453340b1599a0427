"""What the journal writes gets into the store in its order, whatever the store does; and what an heir makes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.journal.journal import Journal
from daemon.journal.replay import fresh
from daemon.shared.leases import Leases
from daemon.shared.local import LocalLog
from daemon.shared.log import SharedLog
from daemon.shared.portions import Portion, Position
from daemon.shared.postgres import Postgres
from daemon.shared.replica import LogGap, Replica, history_of
from daemon.shared.shipping import Shipping
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.tenure import Claim, Tenure
from tests.daemon.shared.conftest import me
from tests.support.postgres import Server
from tests.support.waiting import until


class Rig:
    """A journal that is shipped."""

    def __init__(self, path: Path, pg: Postgres, epoch: int) -> None:
        self.journal = Journal(path)
        self.shared = SharedLog(pg, "main")
        tenure = Tenure(Claim(epoch, "run", "db"), 0.0)
        self.shipping = Shipping(LocalLog(path), self.shared, tenure, self.journal)
        self.director = Director(Policy())

    async def happens(self, *events: ev.Event) -> None:
        for event in events:
            self.director.handle(event)
            await self.journal.append([event], self.director.snapshot, [(event.at, {"attempt": int(event.at)})])


@asynccontextmanager
async def shipped(path: Path, pg: Postgres, ttl: float = 500.0) -> AsyncIterator[Rig]:
    taken = await Leases(pg, me(), ttl).take(0, own=True)
    assert taken is not None
    rig = Rig(path, pg, taken.epoch)
    await rig.journal.open()
    rig.director = await rig.journal.restore(lambda: Director(Policy()))
    rig.journal.wrote = rig.shipping.poke
    running = asyncio.create_task(rig.shipping.run())
    try:
        yield rig
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await rig.journal.close()


async def test_it_is_there_before_who_asked_is_answered(tmp_path: Path, pg: Postgres) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.Held(1.0), ev.Released(2.0))
        assert await rig.shipping.settled()
        assert (await rig.shared.position()) == Position(2, 2)
        assert rig.shipping.lag == 0
        rig.journal.keep_stream("srs:1", {"key": "x"})

        async def played() -> bool:
            return (await rig.shared.read(Position(), streams=True)).streams == {"srs:1": '{"key":"x"}'}

        await until(played)


async def test_a_snapshot_stands_for_what_came_before(tmp_path: Path, pg: Postgres) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.SettingChanged(1.0, "turn", 99.0))
        await rig.journal.save(rig.director.snapshot())
        await rig.happens(ev.Held(3.0))
        assert await rig.shipping.settled()
        portion = await rig.shared.read(Position())
        assert portion.snapshot is not None
        assert (portion.snapshot[0], [number for number, _ in portion.events]) == (2, [3])


async def test_what_happens_while_the_store_is_away_is_sent_when_it_is_back(
    tmp_path: Path, pg: Postgres, postgres: Server
) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.Held(1.0))
        assert await rig.shipping.settled()
        await pg.rows("ALTER TABLE motherstream.event RENAME TO elsewhere")
        await rig.happens(ev.Released(2.0), ev.Held(3.0))
        await until(lambda: bool(rig.shipping.problem))
        began = asyncio.get_running_loop().time()
        assert not await rig.shipping.settled()
        assert asyncio.get_running_loop().time() - began < 1.0, "nobody waits for a store that is away"
        assert rig.shipping.lag == 2
        assert rig.shipping.late_for > 0
        await pg.rows("ALTER TABLE motherstream.elsewhere RENAME TO event")
        await until(lambda: rig.shipping.lag == 0 and not rig.shipping.problem)
        assert [number for number, _ in (await rig.shared.read(Position())).events] == [1, 2, 3]


async def test_what_a_store_has_lost_is_sent_anew(tmp_path: Path, pg: Postgres, postgres: Server) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.Held(1.0), ev.Released(2.0), ev.Held(3.0))
        assert await rig.shipping.settled()
        # A replica took over that had not heard of the last two.
        await pg.rows("DELETE FROM motherstream.event WHERE seq > 1")
        await pg.rows("DELETE FROM motherstream.handover WHERE number > 1")
        await rig.happens(ev.Released(4.0))
        assert await rig.shipping.settled()
        assert [number for number, _ in (await rig.shared.read(Position())).events] == [1, 2, 3, 4]
        assert len(await rig.shared.handovers(9)) == 4


async def test_who_was_replaced_sends_nothing(tmp_path: Path, pg: Postgres) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.Held(1.0))
        assert await rig.shipping.settled()
        await pg.rows("UPDATE motherstream.lease SET expires_at = now() - interval '1 s'")
        assert await Leases(pg, me(name="two"), 500.0).take(0, own=False)
        await rig.happens(ev.Released(2.0))
        await until(lambda: rig.shipping.problem == "the lease is not held")
        assert (await rig.shared.position()).seq == 1


async def test_an_heir_knows_what_the_owner_knows(tmp_path: Path, pg: Postgres) -> None:
    replica = Replica(SharedLog(pg, "main"), lambda: fresh(Policy()))
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.SettingChanged(1.0, "turn", 99.0), ev.KickRequested(2.0, "bob", 600.0))
        await rig.shipping.settled()
        await replica.catch_up()
        assert replica.snapshot() == rig.director.snapshot()
        assert replica.admits("bob", 3.0) is not None
        assert replica.admits("alice", 3.0) is None
        for at in range(10, 300):
            await rig.happens(ev.Held(float(at)) if at % 2 else ev.Released(float(at)))
        await rig.journal.save(rig.director.snapshot())
        await rig.happens(ev.Held(400.0))
        await rig.shipping.settled()
        await replica.catch_up()
        assert replica.snapshot() == rig.director.snapshot()
        assert replica.at.seq == rig.journal.last
        lines, streams = await history_of(rig.shared, replica.at)
        assert (len(lines), streams) == (293, {})


async def test_a_log_that_has_a_gap_is_not_believed(tmp_path: Path, pg: Postgres) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.Held(1.0), ev.Released(2.0), ev.Held(3.0))
        await rig.shipping.settled()
    await pg.rows("DELETE FROM motherstream.event WHERE seq = 2")
    replica = Replica(SharedLog(pg, "main"), lambda: fresh(Policy()))
    with pytest.raises(LogGap, match="has a gap after number 0"):
        await replica.catch_up()


@pytest.mark.parametrize("state", ["no JSON", "{}", '{"now": "x"}'])
async def test_a_snapshot_that_cannot_be_read_is_not_taken_for_an_empty_line_up(pg: Postgres, state: str) -> None:
    taken = await Leases(pg, me(), 500.0).take(0, own=True)
    assert taken is not None
    shared = SharedLog(pg, "main")
    await shared.write(taken.epoch, Portion(snapshot=(1, state)))
    replica = Replica(shared, lambda: fresh(Policy()))
    with pytest.raises(LogGap, match=r"the shared snapshot cannot be read .*: update this daemon"):
        await replica.catch_up()


async def test_a_file_that_is_behind_the_store_goes_on_after_what_the_store_has(tmp_path: Path, pg: Postgres) -> None:
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(*(ev.Held(float(at)) for at in range(1, 9)))
        assert await rig.shipping.settled()
    # A power cut: the file's last moments are lost, and the daemon goes on with what is left.
    (tmp_path / "b.db").unlink(missing_ok=True)
    async with shipped(tmp_path / "b.db", pg) as rig:
        await until(lambda: rig.journal.last >= 8)
        await rig.happens(ev.SettingChanged(20.0, "turn", 99.0))
        assert await rig.shipping.settled()
        replica = Replica(rig.shared, lambda: fresh(Policy()))
        await replica.catch_up()
        assert replica.snapshot() == rig.director.snapshot()
        await rig.happens(ev.Released(21.0))
        assert await rig.shipping.settled()
    again = Journal(tmp_path / "b.db")
    await again.open()
    assert (await again.restore(lambda: Director(Policy()))).snapshot() == rig.director.snapshot()
    assert not again.notice
    await again.close()


async def test_two_who_catch_up_at_once_take_nothing_in_twice(tmp_path: Path, pg: Postgres) -> None:
    replica = Replica(SharedLog(pg, "main"), lambda: fresh(Policy()))
    async with shipped(tmp_path / "a.db", pg) as rig:
        await rig.happens(ev.KickRequested(2.0, "bob", 600.0), ev.Held(3.0))
        await rig.shipping.settled()
        seen: list[str] = []
        replay = replica._rules.replay

        def noted(body: str) -> None:
            seen.append(body)
            replay(body)

        replica._rules.replay = noted  # type: ignore[method-assign]  # to see what is taken in
        await asyncio.gather(*(replica.catch_up() for _ in range(4)))
        assert len(seen) == 2
