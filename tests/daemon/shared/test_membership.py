"""Owner or heir: told by the lease, and over at once where it is laid down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from daemon.core.clock import boot_time
from daemon.shared.leases import Beat, Leases
from daemon.shared.membership import Membership, Says
from daemon.shared.postgres import Postgres
from tests.daemon.shared.conftest import me
from tests.support import until

TTL = 2.0


async def nothing(_beat: Beat) -> None:
    """Nobody wants to know."""


@asynccontextmanager
async def member(
    store_url: str, name: str, then: Callable[[Beat], Awaitable[None]] = nothing, *, daemon: str = ""
) -> AsyncIterator[Membership]:
    heard: list[Callable[[str], None]] = []
    pg = Postgres(store_url, heard=lambda payload: heard[0](payload), within=10.0)
    made = Membership(Leases(pg, me(name=name, daemon=daemon), TTL), TTL, then)
    heard.append(made.poke)
    made.says = Says(sees_obs=lambda: True)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await pg.close()


async def test_what_was_laid_down_is_the_others_at_once_whatever_beats_meanwhile(store_url: str) -> None:
    loop = asyncio.get_running_loop()
    async with member(store_url, "one") as one, member(store_url, "two") as two:
        assert await one.take(own=True)
        waiting = asyncio.create_task(two.until_mine(asyncio.Event()))
        # A store that it has just met is not trusted yet.
        await until(lambda: two._server is not None and boot_time() - two._server[1] > TTL and one.heir is not None)
        for _ in range(20):
            one.poke()
            await asyncio.sleep(0)
        began = loop.time()
        await one.lay_down()
        assert (await waiting) is not None
        assert loop.time() - began < TTL / 2
        assert one.tenure is None


async def test_an_heir_takes_over_when_the_owner_is_heard_of_no_more(store_url: str) -> None:
    async with member(store_url, "two") as two:
        async with member(store_url, "one") as one:
            assert await one.take(own=True)
            await until(lambda: two.owner is not None and bool(two.others))
        stop = asyncio.Event()
        taken = await two.until_mine(stop)
        assert taken is not None
        assert (taken.epoch, taken.former_owner) == (2, "one")
        stop.set()
        assert await two.until_mine(stop) is None


async def test_one_that_was_replaced_is_told_by_its_next_beat(store_url: str) -> None:
    async with member(store_url, "one") as one, member(store_url, "two") as two:
        assert await one.take(own=True)
        tenure = one.tenure
        assert tenure is not None
        assert two.lease is None or two.lease.owner != "two"
        await two._leases._postgres.rows(
            "UPDATE motherstream.lease SET owner = 'two', run = 'another', place = 'elsewhere', epoch = 2"
        )
        await until(lambda: tenure.ended == "two has taken the channel over")
        await one.until_over()
        assert one.seen_another


async def test_a_mistake_in_what_is_told_does_not_end_the_beats(store_url: str) -> None:
    async def fails(_beat: Beat) -> None:
        raise KeyError("a mistake")

    with structlog.testing.capture_logs() as lines:
        async with member(store_url, "one", fails) as one:
            await until(lambda: len([line for line in lines if "sign of life" in line["event"]]) > 1)
            assert one.lease is None


async def test_after_a_restart_without_the_store_the_lease_is_taken_anew_and_the_epoch_noted(store_url: str) -> None:
    async with member(store_url, "one") as before:
        assert await before.take(own=True)
    noted: list[int] = []

    async def note(epoch: int) -> None:
        noted.append(epoch)

    async with member(store_url, "one") as again:
        again.on_epoch = note
        again.resume(1)
        tenure = again.tenure
        assert tenure is not None
        await until(lambda: tenure.claim.epoch == 2)
        assert noted == [2]
