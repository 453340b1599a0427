"""A hand-over by hand: what it leaves behind is nothing, and it can be done again at once."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from tests.fakes import Stream
from tests.simulation.stage import on_air
from tests.simulation.world import World

KEY = "CANARYKEY0123456789abcdefghijklm"
URL = f"rtmp://127.0.0.1:1935/live/extra?key={KEY}"


async def manual_stream(w: World) -> dict[str, Any]:
    answer = await w.ask("POST", "/debug/test-dynamic-source-switch", {"rtmp_url": URL, "scene_name": "MOTHERSTREAM"})
    assert isinstance(answer, dict)
    return answer


def kept(w: World) -> list[Any]:
    with contextlib.closing(sqlite3.connect(str(w.settings["store.path"]))) as db:
        return db.execute("SELECT session FROM stream WHERE session LIKE 'test:%'").fetchall()


async def shown_by_hand(w: World) -> None:
    assert (await manual_stream(w))["status"] == "success"
    await w.until(lambda: w.director.switchover.on_air_streamer == "test")


async def over(w: World) -> None:
    await w.ask("POST", "/queue/skip")
    await w.until(lambda: w.director.switchover.on_air_streamer != "test")


def test_a_manual_stream_can_be_done_again_at_once_and_again_and_again(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        for pause in (0, 1, 30, 61, 0):
            await asyncio.sleep(pause)
            await shown_by_hand(w)
            await over(w)

    on_air(tmp_path, act)


def test_the_url_of_a_manual_stream_and_its_key_leave_the_database_with_it(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        await shown_by_hand(w)
        assert len(kept(w)) == 1, "a restart goes on playing it"
        await over(w)
        await w.until(lambda: not kept(w))
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        path = Path(str(w.settings["store.path"]))
        await w.stop()
        for file in path.parent.glob(f"{path.name}*"):
            assert KEY.encode() not in file.read_bytes(), file

    on_air(tmp_path, act)


def test_a_manual_stream_that_is_on_air_over_a_restart_leaves_nothing_behind_either(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        await shown_by_hand(w)
        await w.kill()
        await w.start()
        await w.until(lambda: w.director.switchover.on_air_streamer == "test")
        assert len(kept(w)) == 1
        await over(w)
        await w.until(lambda: not kept(w))
        await shown_by_hand(w)

    on_air(tmp_path, act)


def test_asking_for_what_is_on_air_already_takes_nothing_from_it(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[URL] = Stream(0.1)
        await shown_by_hand(w)
        assert (await manual_stream(w))["error"]["code"] == "on_air"
        assert len(kept(w)) == 1

    on_air(tmp_path, act)


def test_one_that_never_shows_a_picture_and_is_removed_leaves_nothing_behind(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        assert (await manual_stream(w))["status"] == "success"
        await asyncio.sleep(8)
        await w.ask("DELETE", "/queue/test")
        await w.until(lambda: not kept(w))

    on_air(tmp_path, act)
