"""OBS's window follows the scene later: items are made one at a time, and go as OBS's own Remove takes them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from daemon.core.ports import ObsRefused, ObsTimeout
from daemon.obs import dock
from daemon.obs.dock import SELECTED, SourcesDock
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"
SCENE = "MOTHERSTREAM"
MAKING = ("CreateInput", "SetSceneItemIndex")


def answers(item: int) -> Callable[[], Awaitable[int]]:
    """OBS has made it."""

    async def made() -> int:
        return item

    return made


def fails(error: BaseException) -> Callable[[], Awaitable[int]]:
    """OBS has not, or does not tell."""

    async def failed() -> int:
        raise error

    return failed


def select(known: SourcesDock, item: int, scene: str = SCENE) -> None:
    known.on_event(SELECTED, {"sceneName": scene, "sceneItemId": item}, SCENE)


async def spin() -> None:
    """Let whatever can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def seconds_of(waiting: Awaitable[object]) -> float:
    began = asyncio.get_running_loop().time()
    await waiting
    return asyncio.get_running_loop().time() - began


# -- one at a time -------------------------------------------------------------------------------------------------


async def test_the_next_item_is_made_once_the_one_before_is_taken_in_and_in_its_place() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(7))
    following = asyncio.ensure_future(seconds_of(known.add(TWO, answers(8))))
    known.placed(ONE)
    select(known, 6)
    select(known, 7, "elsewhere")
    await spin()
    assert not following.done()
    select(known, 7)
    assert dock.RESTS <= await following < dock.TAKES


async def test_a_slow_window_is_given_more_time() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(7))
    known.placed(ONE)
    await asyncio.sleep(0.06)
    select(known, 7)
    assert await seconds_of(known.add(TWO, answers(8))) >= 0.06 * dock.LAGS * 0.9


async def test_the_first_item_and_one_after_a_refusal_wait_for_nothing() -> None:
    known = SourcesDock()
    assert await seconds_of(known.add(ONE, answers(7))) < dock.RESTS
    known = SourcesDock()
    with pytest.raises(ObsRefused):
        await known.add(ONE, fails(ObsRefused("CreateInput", 605, "no such kind")))
    assert await seconds_of(known.add(ONE, answers(7))) < dock.RESTS


@pytest.mark.parametrize("error", [ObsTimeout("CreateInput", 1.0), asyncio.CancelledError()])
async def test_one_that_obs_may_have_made_all_the_same_is_waited_for(error: BaseException) -> None:
    known = SourcesDock()
    with pytest.raises(type(error)):
        await known.add(ONE, fails(error))
    assert await seconds_of(known.add(TWO, answers(8))) >= dock.TAKES


async def test_a_window_that_says_nothing_is_waited_for_a_moment_and_no_longer() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(7))
    known.placed(ONE)
    assert dock.TAKES <= await seconds_of(known.add(TWO, answers(8))) < dock.TAKES + dock.RESTS_MOST + 0.4


async def test_what_the_window_does_not_know_yet_stays_for_a_moment() -> None:
    known = SourcesDock()
    await known.add(ONE, answers(7))
    assert await seconds_of(known.taken_in(TWO)) < dock.KNOWS / 2
    assert await seconds_of(known.taken_in(ONE)) >= dock.KNOWS * 0.9
    select(known, 7)
    assert await seconds_of(known.taken_in(ONE)) < dock.KNOWS / 2


async def test_inputs_that_are_wanted_at_once_are_made_one_after_the_other() -> None:
    async with FakeObs(fps=100) as fake, Rig.on(fake, sources={"z_offset": 1}) as rig:
        for name in ("LOGO", "CHAT"):
            fake.studio.create_input(fake.studio.scene(SCENE), name, "color_source_v3", {})
        await rig.up()

        async def make(name: str, url: str) -> None:
            await rig.obs.create_input(name, url)
            await rig.obs.place_input(name, 1)

        await asyncio.gather(make(ONE, ALICE), make(TWO, BOB))
        assert [kind for kind, _ in fake.requests if kind in MAKING] == [*MAKING, *MAKING]


# -- removals ------------------------------------------------------------------------------------------------------


async def test_an_input_goes_with_its_items_in_whatever_scenes() -> None:
    async with FakeObs(fps=100) as fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        source, scene = fake.inputs[ONE], fake.studio.scene(SCENE)
        fake.studio.add_item(scene, source)
        fake.studio.add_item(fake.studio.create_scene("elsewhere"), source)
        fake.studio.hide(ONE)
        await rig.obs.remove_input(ONE)
        assert ONE not in fake.inputs
        assert fake.requested("RemoveInput") == []


async def test_one_in_a_group_goes_when_obs_is_asked_for_it() -> None:
    async with FakeObs(fps=100) as fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        scene = fake.studio.scene(SCENE)
        fake.studio.group(scene, "GROUP", scene.named(ONE))
        await rig.obs.remove_input(ONE)
        assert ONE not in fake.inputs
        assert len(fake.requested("RemoveInput")) == 1


async def test_nothing_but_the_input_is_taken_out_however_often() -> None:
    async with FakeObs(fps=100) as fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        fake.studio.create_input(fake.studio.scene(SCENE), "LOGO", "color_source_v3", {})
        await rig.obs.remove_input(ONE)
        await rig.obs.remove_input(ONE)
        assert [item.source.name for item in fake.studio.scene(SCENE).items] == ["LOGO"]
