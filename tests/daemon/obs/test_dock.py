"""OBS's window follows the scene later: items are made one at a time, and go as OBS's own Remove takes them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from daemon.obs import dock
from daemon.obs.dock import SELECTED, SourcesDock
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"
MAKING = ("CreateInput", SELECTED, "SetSceneItemIndex")


@pytest.fixture
async def fake() -> FakeObs:
    return FakeObs(fps=100)


async def test_the_next_input_is_made_once_the_one_before_is_in_its_place(fake: FakeObs) -> None:
    async with fake, Rig.on(fake, sources={"z_offset": 1}) as rig:
        for name in ("LOGO", "CHAT"):
            fake.studio.create_input(fake.studio.scene(rig.config.obs.scene), name, "color_source_v3", {})
        await rig.up()

        async def make(name: str, url: str) -> None:
            await rig.obs.create_input(name, url)
            await rig.obs.place_input(name, 1)

        await asyncio.gather(make(ONE, ALICE), make(TWO, BOB))
        assert [kind for kind, _ in fake.requests if kind in MAKING] == ["CreateInput", "SetSceneItemIndex"] * 2


async def test_an_obs_whose_window_says_nothing_is_waited_for_a_moment(
    fake: FakeObs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dock, "TAKES", 0.2)
    fake.faults.drop_events(SELECTED)
    loop = asyncio.get_running_loop()
    async with fake, Rig.on(fake) as rig:
        await rig.up()
        began = loop.time()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.place_input(ONE, 0)
        await rig.obs.create_input(TWO, BOB)
        assert loop.time() >= began + 0.2
        await rig.obs.remove_input(TWO)
        assert list(fake.inputs) == [ONE]


async def test_what_the_window_does_not_know_yet_stays_until_it_does() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(7))
    waiting = asyncio.ensure_future(known.taken_in(ONE))
    await known.taken_in(TWO)
    known.on_event(SELECTED, {"sceneItemId": 6})
    await asyncio.sleep(0)
    assert not waiting.done()
    known.on_event(SELECTED, {"sceneItemId": 7})
    async with asyncio.timeout(dock.TAKES):
        await waiting


async def test_an_item_that_nobody_has_told_the_id_of_is_not_waited_for() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(0))
    known.placed(ONE)
    async with asyncio.timeout(dock.TAKES):
        await known.taken_in(ONE)
        await known.add(TWO, answers(8))


async def test_an_input_goes_with_its_items(fake: FakeObs) -> None:
    async with fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.remove_input(ONE)
        assert (len(fake.requested("RemoveSceneItem")), fake.requested("RemoveInput")) == (1, [])


async def test_one_that_is_in_another_scene_as_well_is_asked_to_go(fake: FakeObs) -> None:
    async with fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        elsewhere = fake.studio.create_scene("elsewhere")
        fake.studio.add_item(elsewhere, fake.inputs[ONE])
        removing = asyncio.ensure_future(rig.obs.remove_input(ONE))
        await until(lambda: fake.requested("RemoveInput"))
        await removing
        assert ONE not in fake.inputs


def answers(item: int) -> Callable[[], Awaitable[int]]:
    """OBS has made it."""

    async def made() -> int:
        return item

    return made
