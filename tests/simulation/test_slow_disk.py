"""A disk that takes seconds for each write: no hand-over waits for it, and what waits for it is bounded."""

import asyncio
import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from daemon.journal.journal import Journal
from daemon.journal.queue import DISTRUST, MOST_WAITING, WRITE_PATIENCE
from tests.simulation.stage import on_air
from tests.simulation.world import World

TAKES = 5.0
"""Seconds of a write."""


def journal_of(w: World) -> Journal:
    """The daemon's."""
    dispatcher = w.running.dispatcher
    assert dispatcher is not None
    journal = dispatcher._journal
    assert isinstance(journal, Journal)
    return journal


async def seconds_to(w: World, name: str) -> float:
    """Until it is seen."""
    began = w.loop.now
    await w.until(lambda: w.director.switchover.on_air_streamer == name and not w.running.dead, 8.0)
    return w.loop.now - began


@pytest.mark.parametrize("standby", [True, False])
def test_a_hand_over_takes_no_longer_on_a_disk_that_is_known_to_be_slow(tmp_path: Path, standby: bool) -> None:
    async def act(w: World) -> None:
        w.running.disk_takes = TAKES
        await asyncio.sleep(1.0)
        asked = asyncio.ensure_future(w.ask("POST", "/queue/skip"))
        took = await seconds_to(w, "bob")
        assert took < (0.2 if standby else 1.0)
        assert not asked.done(), "who asked is answered when it is written, or after 2 s"
        await asked
        w.obs.program.assert_seamless()
        await asyncio.sleep(1.0)
        assert w.said("the disk is slow") == ["the disk is slow: only answers wait for it"]
        assert not (await w.ask("GET", "/readyz"))["checks"]["journal"]["ok"]
        w.running.disk_takes = 0.0
        await w.until(lambda: not journal_of(w).trouble, 3 * TAKES * MOST_WAITING)
        assert (await w.ask("GET", "/readyz"))["checks"]["journal"]["ok"]

    on_air(tmp_path, act, sources__standby=standby)


def test_the_first_slow_write_is_waited_for_a_tenth_of_a_second_and_the_next_ones_not_at_all(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await asyncio.sleep(DISTRUST)
        w.running.disk_takes = TAKES
        asked = asyncio.ensure_future(w.ask("POST", "/queue/skip"))
        took = await seconds_to(w, "bob")
        assert took < WRITE_PATIENCE + 0.2
        await asked

    on_air(tmp_path, act)


def test_what_waits_for_a_slow_disk_is_bounded_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.running.disk_takes = TAKES
        most = 0
        for number in range(40):
            for streamer in ("alice", "bob"):
                await w.ask("POST", f"/update-timer/{1000 + number}?streamer={streamer}")
            await asyncio.sleep(5.0)
            most = max(most, len(journal_of(w)._writes._waiting))
        assert most <= MOST_WAITING + 1
        assert w.said("the disk cannot keep up")
        await w.ask("POST", "/queue/hold")
        w.running.disk_takes = 0.0
        await w.until(lambda: not journal_of(w).trouble and not journal_of(w)._writes.is_full, TAKES * MOST_WAITING * 2)
        await asyncio.sleep(1.0)
        await w.kill()
        await w.start()
        assert w.director.lineup.held
        rows = {row["streamer"]: row["turn"] for row in (await w.ask("GET", "/queue"))["queue"]}
        assert rows == {"alice": 1039, "bob": 1039}

    on_air(tmp_path, act)


def test_an_orderly_end_writes_what_a_full_disk_kept_out_where_there_is_room_again(tmp_path: Path) -> None:
    """At once: the next try would have come after it."""

    async def act(w: World) -> None:
        with mock.patch.object(Journal, "_usable", side_effect=sqlite3.OperationalError("database is full")):
            await w.ask("POST", "/queue/hold")
        assert journal_of(w).trouble
        assert await w.stop() == 0
        await w.start()
        assert w.director.lineup.held

    on_air(tmp_path, act)


def test_an_orderly_end_waits_for_a_slow_disk(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.running.disk_takes = TAKES
        await w.ask("POST", "/queue/hold")
        assert await w.stop() == 0
        await w.start()
        assert w.director.lineup.held

    on_air(tmp_path, act)
