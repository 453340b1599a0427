"""SRS's hooks are lost, its API fails, lies or forgets: the picture stays, and its truth is the daemon's soon after."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes.srs import Lists
from tests.simulation.stage import on_air
from tests.simulation.world import World

PERIOD = 1.0
"""``ingest.reconcile`` of these worlds."""
TRUE_WITHIN = 2 * PERIOD + 1.0
"""Seconds: two lists, and the hand-over that follows from them."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries of a server that does not answer, at most."""


def on_air_now(w: World) -> str | None:
    """Whose picture the viewer sees."""
    name = w.obs.program.on_air
    return w.streamer_of(name) if name else None


@pytest.mark.parametrize("what", ["500", "nonsense", "silence", "latency", "half answers"])
def test_an_api_that_fails_leaves_the_show_to_the_hooks(tmp_path: Path, what: str) -> None:
    async def act(w: World) -> None:
        faults = w.srs.faults
        match what:
            case "500":
                faults.answer(500)
            case "nonsense":
                faults.answer(200, b'{"code": 0, "streams": [1, {"publish"')
            case "silence":
                faults.hang()
            case "latency":
                faults.delay = 3.0
            case "half answers":
                faults.half = True
        await asyncio.sleep(20.0)
        assert on_air_now(w) == "alice"
        await w.publish("carol")
        await w.unpublish("alice")
        await w.until(lambda: on_air_now(w) == "bob", 1.0)
        assert len(w.said("The ingest server's API does not answer")) == (0 if what == "latency" else 1)
        faults.mend()
        await w.until(lambda: not w.amiss() and on_air_now(w) == "bob", LONGEST_PAUSE + TRUE_WITHIN)
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


@pytest.mark.parametrize("lists", [Lists.TORN, Lists.DOUBLED])
def test_a_list_that_cannot_be_right_ends_nobody(tmp_path: Path, lists: Lists) -> None:
    async def act(w: World) -> None:
        w.srs.lists = lists
        await w.publish("carol")
        await asyncio.sleep(20.0)
        assert {entry.streamer for entry in w.director.lineup} == {"alice", "bob", "carol"}
        assert on_air_now(w) == "alice"
        w.srs.lists = Lists.TRUE
        await w.well(LONGEST_PAUSE + TRUE_WITHIN)
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


def test_one_empty_list_ends_nobody(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        asked = len(w.srs.requests)
        w.srs.lists = Lists.EMPTY
        await w.until(lambda: len(w.srs.requests) > asked)
        w.srs.lists = Lists.TRUE
        await w.stays_well(10.0)
        assert w.director.switchover.on_air_streamer == "alice"
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


@pytest.mark.parametrize("lists", [Lists.EMPTY, Lists.STALE])
def test_after_lists_that_lied_for_long_their_truth_is_the_daemons_again(tmp_path: Path, lists: Lists) -> None:
    async def act(w: World) -> None:
        w.srs.lists = lists
        await w.publish("carol")
        await w.unpublish("bob")
        await asyncio.sleep(20.0)
        w.srs.lists = Lists.TRUE
        await w.well(TRUE_WITHIN)
        assert {entry.streamer for entry in w.director.lineup if entry.sessions} == {"alice", "carol"}

    on_air(tmp_path, act)


def test_an_end_that_srs_did_not_tell_brings_the_next_one(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.srs.lost = {"on_unpublish"}
        await w.unpublish("alice")
        await w.until(lambda: on_air_now(w) == "bob", 2.0)
        await w.well(TRUE_WITHIN)

    on_air(tmp_path, act)


def test_a_publish_that_srs_did_not_tell_is_found(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.streamers.key_is_stream.add("carol")
        w.srs.lost = {"on_publish"}
        await w.publish("carol")
        await w.well(TRUE_WITHIN)
        assert [entry.streamer for entry in w.director.lineup] == ["alice", "bob", "carol"]

    on_air(tmp_path, act)


def test_an_srs_that_died_with_all_its_publishers_is_back_with_those_who_came_back(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        for name in ("alice", "bob"):
            w.freeze(name)
        w.clients.clear()
        w.srs.restart()
        await asyncio.sleep(1.5)
        for name in ("alice", "bob"):
            await w.publish(name)
        await w.until(lambda: on_air_now(w) == "alice", TRUE_WITHIN + 3.0)
        await w.well(TRUE_WITHIN)
        holder = w.director.lineup.holder
        assert holder
        assert holder.streamer == "alice"

    on_air(tmp_path, act)
