"""Several people who publish to one stream name, one after the other, and the end of one of them is lost."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes import Stream
from tests.simulation.streamers import key_of
from tests.simulation.test_who_publishes import line_up, play
from tests.simulation.world import World

URL = "rtmp://127.0.0.1:1935/motherstream/live"
WITH_A_LIST, WITHOUT = 15.0, 480.0
"""Seconds for which a lost end keeps others off, with the defaults of ingest.reconcile and sources.ready_timeout."""


async def comes(w: World, name: str) -> bool:
    client = await w.srs.publish("motherstream", "live", f"?stream_key={key_of(name)}")
    if client is not None:
        w.obs.streams[URL].frozen = False
        w.clients[name] = client
    return client is not None


@pytest.mark.parametrize("api", [True, False])
def test_a_lost_end_on_a_shared_name_keeps_the_next_one_off_no_longer_than_told(tmp_path: Path, api: bool) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        assert await comes(w, "alice")
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
        await asyncio.sleep(10.0)
        # She is gone, and the server could not tell.
        w.obs.streams[URL].frozen = True
        del w.srs.clients[w.clients.pop("alice").id]
        began = w.loop.now
        while not await comes(w, "bob"):
            assert w.loop.now - began < (WITH_A_LIST if api else WITHOUT)
            await asyncio.sleep(5.0)  # as encoders do
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob", 5.0)
        assert line_up(w)[0] == "bob"
        assert w.loop.now > began, "it was refused at first: nobody could know yet"

    play(tmp_path, act, sources__ready_timeout=15.0, ingest__reconcile=5.0, **({} if api else {"ingest__srs_api": ""}))


def test_who_comes_while_another_is_live_on_the_name_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        assert await comes(w, "alice")
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
        assert await w.srs.publish("motherstream", "live", f"?stream_key={key_of('bob')}") is None
        (refused,) = (await w.ask("GET", "/status"))["refused"]
        assert refused["reason"] == "path_taken"
        assert "alice publishes to that path already" in refused["message"]
        assert "or publishes once alice has left" in refused["message"]
        assert line_up(w) == ["alice"]

    play(tmp_path, act)
