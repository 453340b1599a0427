"""Studio mode with "Duplicate Sources": nested scenes are copied, too; on the fake and the real OBS."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.obs.connection import Link
from daemon.obs.program import ProgramControl
from daemon.obs.scene import ObsScene
from tests.conformance.houses import KINDS, SCENE, Hands, open_house
from tests.conformance.test_program import FPS, enable, other_scene, seen, studio_mode
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(loop_scope="module", params=KINDS)
async def duplicating(request: pytest.FixtureRequest) -> AsyncIterator[Hands]:
    """A connection to an OBS that duplicates sources."""
    async with open_house(request.param, duplicate_sources=True) as house:
        link = await Link.open("127.0.0.1", house.port, house.password, seconds=10.0)
        yield Hands(link)
        await link.close()


async def test_a_copy_of_ours_in_a_copy_of_another_scene_is_known_and_brought_though_nothing_of_it_is_seen(
    duplicating: Hands,
) -> None:
    hands, program = duplicating, ProgramControl()
    (one, two), colour = (hands.name(), hands.name()), hands.name()
    first, second = [await hands.create(name, "rtmp://127.0.0.1:9/live/nobody") for name in (one, two)]
    about = {"sceneName": SCENE, "inputName": colour, "inputKind": "color_source_v3"}
    await hands.call("CreateInput", about)
    big, lacks = await other_scene(hands, "BIG"), await other_scene(hands, "LACKS")
    await hands.call("CreateSceneItem", {"sceneName": big, "sourceName": SCENE})
    await hands.call("SetCurrentProgramScene", {"sceneName": big})
    assert await seen(hands, SCENE, colour) == (True, True)
    before = await program.read(hands.link, SCENE, [one])
    assert before is not None
    assert before.live
    await studio_mode(hands, True)

    assert await seen(hands, SCENE, colour) == (False, False), "nothing is duplicated"

    # Nobody is on air: nothing but our scene's place in the other one tells.
    reading = await program.read(hands.link, SCENE, [one])
    assert reading is not None
    assert (reading.live, reading.copied, reading.inputs) == (False, True, ())
    await enable(hands, first, True)
    assert await program.reach(ObsScene(hands.link, SCENE, FPS), one, None, "drive")
    assert await seen(hands, one) == (True,)
    await enable(hands, second, True)
    await enable(hands, first, False)
    assert await program.reach(ObsScene(hands.link, SCENE, FPS), two, one, "drive")

    async def only_two() -> bool:
        return await seen(hands, one, two) == (False, True)

    # The transition lets go of the outgoing a moment after the incoming is seen.
    await until(only_two, 5.0)
    await enable(hands, second, False)
    await program.bring_ours(ObsScene(hands.link, SCENE, FPS))
    # It asks OBS for a fresh copy, and waits for nothing that ought to be seen in it.

    async def not_seen() -> bool:
        return await seen(hands, two) == (False,)

    await until(not_seen, 5.0)

    # What somebody puts into the scene that is shown is for them to take into Program.
    await hands.call("SetCurrentProgramScene", {"sceneName": lacks})
    await seen(hands, one)
    away = await program.read(hands.link, SCENE, [one])
    await hands.call("CreateSceneItem", {"sceneName": lacks, "sourceName": SCENE})
    await enable(hands, first, True)
    later = await program.read(hands.link, SCENE, [one])
    assert away is not None
    assert later is not None
    assert (away.copied, later.copied) == (False, False)
    assert not await program.reach(ObsScene(hands.link, SCENE, FPS), one, None, "drive")
