"""A scene of many items costs the journal nothing while nothing changes."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.simulation.stage import on_air
from tests.simulation.world import SCENE, World

ITEMS = 80
QUIET = 30.0
"""Seconds."""


def written(path: Path) -> int:
    """Readings of OBS since the last snapshot."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM event WHERE body LIKE '%InventoryRead%'").fetchone()[0])


def test_readings_of_a_large_scene_that_change_nothing_are_not_journaled(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        scene = w.obs.studio.scene(SCENE)
        for number in range(ITEMS):
            w.obs.studio.create_input(scene, f"Overlay picture number {number:05d}", "color_source_v3", {})
        await asyncio.sleep(10.0)
        path = Path(str(w.settings["store.path"]))
        before = written(path)
        await asyncio.sleep(QUIET)
        assert written(path) == before
        await w.kill()
        await w.start()
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")

    on_air(tmp_path, act)
