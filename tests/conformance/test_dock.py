"""What ``daemon/obs/dock.py`` takes for granted of OBS's window."""

import pytest

from daemon.obs.connection import Request
from tests.conformance.houses import SCENE, Hands
from tests.conformance.test_obs import box
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


async def test_the_window_selects_each_new_item(hands: Hands) -> None:
    for _ in range(3):
        _, item = await box(hands)
        await hands.event("SceneItemSelected", sceneName=SCENE, sceneItemId=item)


async def test_it_does_so_of_a_scene_that_it_does_not_show(hands: Hands) -> None:
    await hands.call("CreateScene", {"sceneName": "break"})
    await hands.call("SetCurrentProgramScene", {"sceneName": "break"})
    _, item = await box(hands)
    await hands.event("SceneItemSelected", sceneName=SCENE, sceneItemId=item)


async def test_an_item_is_found_and_taken_out_in_one_message(hands: Hands) -> None:
    name, item = await box(hands)
    await hands.event("SceneItemSelected", sceneName=SCENE, sceneItemId=item)
    find = Request("GetSceneItemId", {"sceneName": SCENE, "sourceName": name}, gives={"item": "sceneItemId"})
    take_out = Request("RemoveSceneItem", {"sceneName": SCENE}, takes={"sceneItemId": "item"})
    assert [result.ok for result in await hands.link.batch([find, take_out], halt=True)] == [True, True]
    assert [result.ok for result in await hands.link.batch([find, take_out], halt=True)] == [False]


async def test_an_input_goes_with_its_last_item(hands: Hands) -> None:
    name, item = await box(hands)
    await hands.event("SceneItemSelected", sceneName=SCENE, sceneItemId=item)
    await hands.call("RemoveSceneItem", {"sceneName": SCENE, "sceneItemId": item})

    async def gone() -> bool:
        return name not in await hands.inputs()

    await until(gone, 3.0)
