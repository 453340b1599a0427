"""One owner at a time, by the database's clock."""

import asyncio

import pytest

from daemon.core.ports import Letter
from daemon.shared.inbox import Inbox
from daemon.shared.leases import Leases
from daemon.shared.log import SharedLog
from daemon.shared.portions import Conflict, NotOwner, Portion
from daemon.shared.postgres import Postgres, StoreGone
from daemon.shared.schema import MIGRATIONS, VERSION, StoreRefused
from statemachine.tenure import Claim
from tests.daemon.shared.conftest import me
from tests.support.postgres import Server
from tests.support.waiting import until


async def run_out(pg: Postgres) -> None:
    await pg.rows("UPDATE motherstream.lease SET expires_at = now() - interval '1 ms'")


async def test_of_many_who_ask_at_once_one_gets_it(store_url: str) -> None:
    connections = [Postgres(store_url, within=20.0) for _ in range(8)]
    lessees = [Leases(pg, me(name=f"d{number}"), 5.0) for number, pg in enumerate(connections)]
    taken = await asyncio.gather(*(each.take(0, own=False) for each in lessees))
    assert [each.epoch for each in taken if each] == [1]
    for pg in connections:
        await pg.close()


async def test_the_owner_keeps_it_for_as_long_as_it_beats(pg: Postgres) -> None:
    one, two = Leases(pg, me(name="one"), 5.0), Leases(pg, me(name="two"), 5.0)
    first = await one.take(0, own=False)
    assert first is not None
    assert (first.epoch, first.former_epoch, first.rules_at) == (1, 0, 0.0)
    assert await two.take(0, own=False) is None
    beat = await one.beat(1, 1000.0, sees_obs=True, body={"state": "STANDBY"})
    assert beat.renewed
    assert not (await two.beat(0, 0.0, sees_obs=False, body={})).renewed
    assert not (await two.beat(1, 0.0, sees_obs=False, body={})).renewed, "another's epoch is not one's own"
    seen = (await two.beat(0, 0.0, sees_obs=False, body={})).lease
    assert seen is not None
    assert (seen.owner, seen.address, seen.secret, seen.epoch) == ("one", "http://one", "secret", 1)
    assert 0 < seen.left <= 5.0
    others = (await two.beat(0, 0.0, sees_obs=True, body={})).others
    assert [(each.name, each.sees_obs, each.lives, each.body) for each in others] == [
        ("one", True, True, {"state": "STANDBY"})
    ]


async def test_it_is_taken_when_it_has_run_out_with_a_higher_epoch_and_the_rules_time(pg: Postgres) -> None:
    one, two = Leases(pg, me(name="one"), 5.0), Leases(pg, me(name="two"), 5.0)
    await one.take(0, own=False)
    await one.beat(1, 1000.0, sees_obs=True, body={})
    await run_out(pg)
    taken = await two.take(0, own=False)
    assert taken is not None
    assert (taken.epoch, taken.former_epoch, taken.former_owner, taken.former_daemon) == (2, 1, "one", "db-one")
    assert 1000.0 <= taken.rules_at < 1010.0
    assert not (await one.beat(1, 1001.0, sees_obs=True, body={})).renewed
    with pytest.raises(NotOwner):
        await SharedLog(pg, "main").write(1, Portion(events=[(1, "{}")]))


async def test_it_is_taken_above_what_stands_in_obs(pg: Postgres) -> None:
    taken = await Leases(pg, me(), 5.0).take(57, own=False)
    assert taken is not None
    assert taken.epoch == 58


async def test_after_a_restart_ones_own_is_taken_at_once(pg: Postgres) -> None:
    first = Leases(pg, me(name="one"), 5.0)
    assert await first.take(0, own=True), "nobody has ever had it"
    again = await Leases(pg, me(name="one"), 5.0).take(0, own=True)
    assert again is not None
    assert (again.epoch, again.former_epoch, again.former_daemon) == (2, 1, "db-one")
    assert await Leases(pg, me(name="two"), 5.0).take(0, own=True) is None
    assert await Leases(pg, me(name="one"), 5.0).take(0, own=False) is None


async def test_a_copy_of_the_database_elsewhere_is_not_the_owner_that_was_started_anew(pg: Postgres) -> None:
    assert await Leases(pg, me(name="one", daemon="db"), 5.0).take(0, own=True)
    assert await Leases(pg, me(name="two", daemon="db"), 5.0).take(0, own=True) is None


async def test_a_lease_is_put_back_where_the_row_is_gone(pg: Postgres) -> None:
    one = Leases(pg, me(), 5.0)
    await one.take(0, own=False)
    await pg.rows("DELETE FROM motherstream.lease")
    assert await one.put_back(7)
    assert (await one.beat(7, 0.0, sees_obs=True, body={})).renewed


async def test_one_that_is_released_is_free_and_the_others_hear_of_it(store_url: str) -> None:
    heard: list[str] = []
    pg, other = Postgres(store_url, within=10.0), Postgres(store_url, heard=heard.append, within=10.0)
    one, two = Leases(pg, me(name="one"), 5.0), Leases(other, me(name="two"), 5.0)
    await one.take(0, own=False)
    assert await two.take(0, own=False) is None
    await one.release(7)
    assert await two.take(0, own=False) is None, "of another epoch"
    await one.release(1)
    await until(lambda: heard == ["main"])
    assert await two.take(0, own=False)
    await pg.close()
    await other.close()


async def test_an_epoch_is_raised_and_a_lost_lease_put_back(pg: Postgres) -> None:
    mine = me()
    one = Leases(pg, mine, 5.0)
    await one.take(0, own=False)
    assert await one.raise_epoch(Claim(1, mine.run), 40) == 41
    assert await one.raise_epoch(Claim(1, mine.run), 40) is None
    # A replica that had not heard of the last owner became the primary.
    await pg.rows("UPDATE motherstream.lease SET epoch = 12, owner = 'older', run = 'older'")
    assert not (await one.beat(41, 0.0, sees_obs=True, body={})).renewed
    assert await one.put_back(41)
    assert (await one.beat(41, 0.0, sees_obs=True, body={})).renewed
    assert not await one.put_back(41)


async def test_what_was_written_already_is_a_conflict(pg: Postgres) -> None:
    await Leases(pg, me(), 5.0).take(0, own=False)
    log = SharedLog(pg, "main")
    await log.write(1, Portion(events=[(1, "{}")]))
    with pytest.raises(Conflict):
        await log.write(1, Portion(events=[(1, "{}"), (2, "{}")]))
    assert (await log.position()).seq == 1
    assert pg.problem == ""


async def test_the_inbox_is_read_once_and_in_its_order(pg: Postgres) -> None:
    inbox = Inbox(pg, "main")
    for body in (b"first", b"\x00second"):
        await inbox.leave(Letter("srs", "application/json", body))
    assert (await Leases(pg, me(), 5.0).beat(0, 0.0, sees_obs=False, body={})).waits
    assert await Inbox(pg, "gold").take() == []
    assert [letter.body for letter in await inbox.take()] == [b"first", b"\x00second"]
    assert await inbox.take() == []


async def test_a_statement_that_hangs_is_given_up_and_the_next_one_works(pg: Postgres, store_url: str) -> None:
    quick = Postgres(store_url, within=0.3)
    await pg.rows("SELECT 1")
    await quick.rows("SELECT 1")
    with pytest.raises(StoreGone, match=r"no answer within 0\.3 s"):
        await quick.rows("SELECT pg_sleep(30)")
    assert quick.problem
    assert (await quick.rows("SELECT 2 AS two"))[0]["two"] == 2
    assert not quick.problem
    await quick.close()


async def test_a_connection_that_was_cut_is_made_anew(pg: Postgres, store_url: str, postgres: Server) -> None:
    await pg.rows("SELECT 1")
    postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(StoreGone):
        await pg.rows("SELECT 1")
    assert (await pg.rows("SELECT 1 AS one"))[0]["one"] == 1


async def test_of_several_servers_each_is_tried_however_long_one_keeps_silent(store_url: str) -> None:
    # One that takes connections and says nothing, as a machine behind a cut does.
    over = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()
        over.set()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    user, _, rest = store_url.partition("@")
    pg = Postgres(f"{user}@127.0.0.1:{port},{rest}", within=0.5)
    with pytest.raises(StoreGone, match="no answer") as gone:
        await pg.rows("SELECT 1")
    assert not gone.value.asked
    assert (await pg.rows("SELECT 1 AS one"))[0]["one"] == 1
    await pg.close()
    await over.wait()
    silent.close()


async def test_many_daemons_that_start_at_once_make_the_tables_once(store_url: str) -> None:
    connections = [Postgres(store_url, within=30.0) for _ in range(6)]
    await asyncio.gather(*(each.rows("SELECT 1") for each in connections))
    assert len({each.store_id for each in connections}) == 1
    rows = await connections[0].rows("SELECT version FROM motherstream.store")
    assert [row["version"] for row in rows] == [VERSION]
    assert len(MIGRATIONS) == VERSION
    for each in connections:
        await each.close()


async def test_a_store_of_a_newer_daemon_is_not_touched(pg: Postgres, store_url: str) -> None:
    await pg.rows("UPDATE motherstream.store SET version = 99")
    fresh = Postgres(store_url, within=10.0)
    with pytest.raises(StoreRefused, match="version 99 by a newer daemon, and this one knows 1: update"):
        await fresh.rows("SELECT 1")
    with pytest.raises(StoreRefused, match="update this daemon"):
        await Leases(pg, me(), 5.0).beat(0, 0.0, sees_obs=True, body={})
    await fresh.close()


async def test_a_right_that_is_missing_is_told(pg: Postgres, store_url: str, postgres: Server) -> None:
    await pg.rows("SELECT 1")
    user = f"guest_{store_url.rpartition('/')[2]}"
    await pg.rows(f"CREATE ROLE {user} LOGIN")
    guest = Postgres(store_url.replace("motherstream@", f"{user}@"), within=10.0)
    with pytest.raises(StoreRefused, match="PostgreSQL refuses: permission denied for schema motherstream"):
        await guest.rows("SELECT 1")
    await guest.close()
    postgres.query(f"DROP ROLE {user}")
