"""The random search's viewer complains of each thing that must not be, and of nothing in an ordinary show."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.simulation.random_viewer import Viewer
from tests.simulation.stage import on_air
from tests.simulation.world import World


def seen(folder: Path, act: Callable[[World, Viewer], Awaitable[None]], **settings: object) -> str:
    """What the viewer of ``act`` finds wrong; alice is on air, and bob stands by."""
    wrong = ""

    async def play(w: World) -> None:
        nonlocal wrong
        viewer = Viewer(w)
        watching = asyncio.create_task(viewer.watch())
        await asyncio.sleep(5.0)
        await act(w, viewer)
        watching.cancel()
        wrong = viewer.wrong

    on_air(folder, play, **settings)
    return wrong


def test_an_ordinary_show_is_as_promised(tmp_path: Path) -> None:
    async def act(w: World, viewer: Viewer) -> None:
        for _ in range(4):
            await w.ask("POST", "/queue/skip")
            await asyncio.sleep(5.0)
        w.freeze("alice")
        await asyncio.sleep(5.0)
        await w.unpublish("bob")
        await asyncio.sleep(10.0)
        assert viewer.wrong == ""

    assert seen(tmp_path, act) == ""


def test_a_moving_picture_that_is_taken_off_is_seen_unless_a_hand_did_it(tmp_path: Path) -> None:
    async def act(w: World, _: Viewer) -> None:
        w.obs.studio.hide(w.shown[0])
        await asyncio.sleep(5.0)

    async def excused(w: World, viewer: Viewer) -> None:
        viewer.excuse(8.0, kept=True)
        await act(w, viewer)

    assert "moves, and is taken off" in seen(tmp_path, act)
    assert seen(tmp_path, excused) == ""


def test_dead_air_where_somebody_stands_by_or_could_be_shown_is_seen(tmp_path: Path) -> None:
    async def act(w: World, _: Viewer) -> None:
        w.freeze("alice")
        await asyncio.sleep(9.0)

    assert "stands by: ['bob']" in seen(tmp_path, act, health__stall=9.0)
    assert "can be shown: ['bob']" in seen(tmp_path, act, health__stall=9.0, sources__standby=False)


def test_a_picture_under_another_s_name_is_seen(tmp_path: Path) -> None:
    async def act(w: World, _: Viewer) -> None:
        (shown,) = w.shown
        settings = w.obs.inputs[shown].settings
        settings["pipeline"] = str(settings["pipeline"]).replace(w.url("alice"), w.url("bob"))
        await asyncio.sleep(9.0)

    assert "another's name: ['bob', 'alice']" in seen(tmp_path, act)
