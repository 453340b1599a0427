"""SRS loses a stream while it lets its publisher in: the whole daemon finds out and has it published anew, once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.simulation.stage import on_air
from tests.simulation.test_who_publishes import encoder, picture, play
from tests.simulation.world import World

WITHIN = 60.0
"""Seconds: two tries of `sources.ready_timeout`, the pauses after them, a list, and the encoder's own pause."""


def kicks(w: World) -> list[tuple[str, str]]:
    return [(line["streamer"], line["reason"]) for line in w.lines if line["event"] == "publisher kicked"]


@contextmanager
def encoders(w: World, *names: str) -> Iterator[None]:
    tasks = [encoder(w, name) for name in names]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def _was_on_air(w: World, name: str) -> bool:
    return bool(w.said(f"{name} is on air"))


async def lost(w: World, *names: str) -> None:
    for name in names:
        w.add_streamer(name)
        w.srs.loses.add(w.streamers.stream(name))
        await w.publish(name)


def test_a_stream_that_srs_has_lost_is_kicked_once_and_comes_on_air(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await lost(w, "alice")
        with encoders(w, "alice"):
            await w.until(lambda: picture(w) == "alice", WITHIN)
            assert kicks(w) == [("alice", "republish")]
            assert len(w.said("alice cannot come on air: OBS failed twice")) == 1
            await asyncio.sleep(150.0)
        assert len(kicks(w)) == 1
        assert picture(w) == "alice"
        assert not w.amiss()

    play(tmp_path, act)


def test_of_several_that_were_lost_each_is_on_air_in_the_end_and_the_picture_is_not_touched(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        await lost(w, "bob", "carol", "dave")
        with encoders(w, "bob", "carol", "dave"):
            for name in ("bob", "carol", "dave"):
                await w.until(partial(_was_on_air, w, name), 5 * WITHIN)
        assert sorted(kicks(w)) == [(name, "republish") for name in ("bob", "carol", "dave")]
        w.obs.program.assert_seamless()

    on_air(tmp_path, act, queue__turn=20.0)


def test_whose_encoder_does_not_come_back_is_told_what_to_do_and_has_left(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        await lost(w, "carol")
        await w.until(lambda: len(kicks(w)) == 1, WITHIN)
        row = next(row for row in (await w.ask("GET", "/queue"))["queue"] if row["streamer"] == "carol")
        assert row["problem"]["reason"] == "republish"
        assert "start it again" in row["problem"]["message"]
        await w.until(lambda: w.director.lineup.find("carol") is None, 20.0)

    on_air(tmp_path, act)


def test_with_kick_unreachable_off_until_a_reload_nobody_is_kicked(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await lost(w, "alice")
        with encoders(w, "alice"):
            await asyncio.sleep(120.0)
            assert (kicks(w), picture(w)) == ([], None)
            w.reload(ingest__kick_unreachable=True)
            await w.until(lambda: picture(w) == "alice", WITHIN)

    play(tmp_path, act, ingest__kick_unreachable=False)


def test_an_srs_that_does_not_list_or_does_not_answer_is_not_believed_to_have_lost_a_stream(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.srs.faults.answer(500)
        await lost(w, "alice")
        with encoders(w, "alice"):
            await asyncio.sleep(120.0)
            assert kicks(w) == []
            w.srs.faults.mend()
            await w.until(lambda: picture(w) == "alice", 60.0 + WITHIN)
        assert len(kicks(w)) == 1

    play(tmp_path, act)


@pytest.mark.parametrize("when", ["before the kick", "after it"])
def test_a_daemon_that_is_killed_meanwhile_kicks_no_second_time(tmp_path: Path, when: str) -> None:
    async def act(w: World) -> None:
        await lost(w, "alice")
        with encoders(w, "alice"):
            client = w.clients["alice"].id
            if when == "before the kick":
                await asyncio.sleep(20.0)
            else:
                await w.until(lambda: kicks(w), WITHIN)
            await w.kill()
            await w.start()
            await w.until(lambda: picture(w) == "alice", 2 * WITHIN)
            assert w.clients["alice"].id != client
        assert len(kicks(w)) == 1

    play(tmp_path, act)


def test_whose_second_encoder_is_let_in_beside_a_lost_stream_stays_on_air_when_the_first_has_left(
    tmp_path: Path,
) -> None:
    """SRS plays the second, and lists the first; nobody once that has left."""

    async def act(w: World) -> None:
        await lost(w, "alice")
        first = w.clients["alice"]
        await asyncio.sleep(3.0)
        second = await w.srs.publish("live", w.streamers.stream("alice"), w.streamers.param("alice"))
        assert second is not None
        w.clients["alice"] = second
        w.obs.streams[w.url("alice")].first_frame_after = 0.1
        await w.until(lambda: picture(w) == "alice", WITHIN)
        await w.srs.unpublish(first)
        mark = w.obs.program.mark()
        await asyncio.sleep(60.0)
        assert picture(w) == "alice"
        assert [entry.streamer for entry in w.director.lineup if entry.sessions] == ["alice"]
        assert w.obs.program.blanks(mark) == []
        assert kicks(w) == []

    play(tmp_path, act)
