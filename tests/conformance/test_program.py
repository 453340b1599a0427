"""What viewers get, by OBS's word: studio mode, other scenes, transitions; on the fake and the real OBS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from daemon.core.ports import ObsError
from daemon.obs.connection import Link
from daemon.obs.program import ProgramControl, is_seen, leave_studio_mode, read_program, until_unseen
from daemon.obs.scene import ObsScene
from tests.conformance.houses import SCENE, Hands, House
from tests.conformance.test_obs import box, show
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

FPS = 30.0


async def enable(hands: Hands, item: int, shown: bool) -> None:
    request = show(item, shown)
    await hands.call(request.kind, request.data)


async def studio_mode(hands: Hands, on: bool) -> None:
    await hands.call("SetStudioModeEnabled", {"studioModeEnabled": on})


async def seen(hands: Hands, *names: str) -> tuple[bool, ...]:
    """Whether viewers see these, once no transition runs."""

    async def at_rest() -> bool:
        return (await hands.call("GetCurrentSceneTransitionCursor"))["transitionCursor"] in (0.0, 1.0)

    await until(at_rest)
    return tuple([await is_seen(hands.link, name) for name in names])


async def other_scene(hands: Hands, name: str) -> str:
    await hands.call("CreateScene", {"sceneName": name})
    return name


async def test_what_is_enabled_in_the_program_scene_is_seen_and_what_is_not_is_not(hands: Hands) -> None:
    one, item = await box(hands)
    assert await seen(hands, one, SCENE) == (False, True)
    await enable(hands, item, True)
    assert await seen(hands, one) == (True,)
    reading = await read_program(hands.link, SCENE, [one, "nobody"])
    assert reading is not None
    assert (reading.scene, reading.studio_mode, reading.live, reading.copied) == (SCENE, False, True, False)
    assert reading.inputs == (one,)


async def test_in_studio_mode_viewers_see_a_copy_until_it_is_left(hands: Hands) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    await studio_mode(hands, True)
    try:
        await enable(hands, second, True)
        await enable(hands, first, False)
        assert await seen(hands, one, two, SCENE) == (True, False, False)
        reading = await read_program(hands.link, SCENE, [one, two])
        assert reading is not None
        assert (reading.studio_mode, reading.live, reading.copied, reading.inputs) == (True, False, True, (one,))
        with pytest.raises(ObsError, match=r"still shown in OBS's Program"):
            await until_unseen(hands.link, one)
        await leave_studio_mode(hands.link)
        assert await seen(hands, one, two, SCENE) == (False, True, True)
    finally:
        await studio_mode(hands, False)


async def in_preview(hands: Hands, scene: str) -> None:
    """A scene that was just created is not in OBS's own list yet, and then the request does nothing."""

    async def chosen() -> bool:
        await hands.call("SetCurrentPreviewScene", {"sceneName": scene})
        return bool((await hands.call("GetSceneList"))["currentPreviewSceneName"] == scene)

    await until(chosen)


async def is_in_preview(hands: Hands, scene: str) -> bool:
    return bool((await hands.call("GetSceneList"))["currentPreviewSceneName"] == scene)


async def put_back(hands: Hands, scene: str, program: ProgramControl) -> bool:
    return await is_in_preview(hands, scene) and not program.busy


@asynccontextmanager
async def driven(hands: Hands, preview: str, transition: str = "Cut") -> AsyncIterator[ProgramControl]:
    """Studio mode with that scene in preview, and who drives it."""
    await hands.call("SetCurrentSceneTransition", {"transitionName": transition})
    await studio_mode(hands, True)
    try:
        await in_preview(hands, preview)
        yield ProgramControl()
    finally:
        await hands.call("SetCurrentProgramScene", {"sceneName": SCENE})
        await studio_mode(hands, False)
        await hands.call("SetCurrentSceneTransition", {"transitionName": "Cut"})


@pytest.mark.parametrize("transition", ["Cut", "Fade"])
async def test_driven_studio_mode_shows_the_change_and_leaves_the_preview_as_it_was(
    hands: Hands, transition: str
) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    other = await other_scene(hands, f"PREVIEW {transition}")
    async with driven(hands, other, transition) as program:
        for show_item, hide_item, incoming, outgoing in ((second, first, two, one), (first, second, one, two)):
            await enable(hands, show_item, True)
            await enable(hands, hide_item, False)
            assert await program.reach(ObsScene(hands.link, SCENE, FPS), incoming, outgoing, "drive")
            assert await is_seen(hands.link, incoming)
            await until_unseen(hands.link, outgoing)
        await until(partial(put_back, hands, other, program))


async def test_the_preview_is_put_back_also_where_the_change_does_not_reach_viewers(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _), (hidden, _) = await box(hands, shown=True), await box(hands)
    other = await other_scene(hands, "PREVIEW")
    async with driven(hands, other) as program:
        monkeypatch.setattr("daemon.obs.program.BROUGHT_WITHIN", 0.5)
        for _ in range(2):  # and what an attempt has left is not taken for the operator's choice
            with pytest.raises(ObsError, match="has not brought the scene into Program"):
                await program.reach(ObsScene(hands.link, SCENE, FPS), hidden, one, "drive")
        await until(partial(put_back, hands, other, program))


async def test_a_transition_of_the_operators_own_right_after_ours_is_left_as_it_is(hands: Hands) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    other = await other_scene(hands, "NEXT")
    async with driven(hands, other) as program:
        await enable(hands, second, True)
        await enable(hands, first, False)
        assert await program.reach(ObsScene(hands.link, SCENE, FPS), two, one, "drive")
        await until(partial(is_in_preview, hands, other))
        # OBS puts what leaves Program into preview, so that it is one step back.
        await hands.call("SetCurrentProgramScene", {"sceneName": other})
        await until(lambda: not program.busy)
        await until(partial(is_in_preview, hands, SCENE))


async def test_who_leaves_for_another_scene_in_the_middle_of_a_hand_over_is_left_there(hands: Hands) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    away = await other_scene(hands, "AWAY")
    await hands.call("SetCurrentSceneTransition", {"transitionName": "Fade"})
    await studio_mode(hands, True)
    try:
        await hands.call("SetCurrentProgramScene", {"sceneName": away})
        await enable(hands, second, True)
        await enable(hands, first, False)
        assert await is_seen(hands.link, one), "the copy of ours is not faded out yet"
        async with asyncio.timeout(10):
            assert not await ProgramControl().reach(ObsScene(hands.link, SCENE, FPS), two, one, "drive")
        assert await seen(hands, one, two) == (False, False)
        assert (await hands.call("GetCurrentProgramScene"))["currentProgramSceneName"] == away
        await hands.call("SetCurrentProgramScene", {"sceneName": SCENE})
        assert await seen(hands, one, two) == (False, True)
    finally:
        await studio_mode(hands, False)
        await hands.call("SetCurrentSceneTransition", {"transitionName": "Cut"})


async def test_another_program_scene_is_read_as_such_and_a_change_behind_it_is_no_failure(hands: Hands) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    await hands.call("SetCurrentProgramScene", {"sceneName": await other_scene(hands, "BREAK")})

    async def neither() -> bool:
        # OBS answers before the next frame is rendered, and with it even a cut begins.
        return await seen(hands, one, SCENE) == (False, False)

    await until(neither)
    await enable(hands, second, True)
    await enable(hands, first, False)
    for policy in ("leave", "drive"):
        assert not await ProgramControl().reach(ObsScene(hands.link, SCENE, FPS), two, one, policy)
    reading = await read_program(hands.link, SCENE, [one, two])
    assert reading is not None
    assert (reading.scene, reading.live, reading.copied, reading.inputs) == ("BREAK", False, False, ())


async def test_our_scene_within_the_program_scene_is_seen_in_studio_mode_too(hands: Hands) -> None:
    (one, first), (two, second) = await box(hands, shown=True), await box(hands)
    big = await other_scene(hands, "BIG")
    await hands.call("CreateSceneItem", {"sceneName": big, "sourceName": SCENE})
    await hands.call("SetCurrentProgramScene", {"sceneName": big})
    assert await seen(hands, one, SCENE) == (True, True)
    await studio_mode(hands, True)
    try:
        await enable(hands, second, True)
        await enable(hands, first, False)
        assert await seen(hands, one, two, SCENE) == (False, True, True)
        reading = await read_program(hands.link, SCENE, [one, two])
        assert reading is not None
        assert (reading.scene, reading.studio_mode, reading.live, reading.copied) == (big, True, True, False)
    finally:
        await studio_mode(hands, False)


async def test_studio_mode_other_scenes_and_ends_of_transitions_are_told_in_events(hands: Hands) -> None:
    other = await other_scene(hands, "TOLD")
    await studio_mode(hands, True)
    await hands.event("StudioModeStateChanged", studioModeEnabled=True)
    await studio_mode(hands, False)
    await hands.event("StudioModeStateChanged", studioModeEnabled=False)
    await hands.call("SetCurrentProgramScene", {"sceneName": other})
    missing = {"CurrentProgramSceneChanged", "SceneTransitionEnded"}
    async with asyncio.timeout(10):
        while missing:
            missing.discard((await hands.link.events.get()).kind)


async def test_obs_outlives_being_read_while_studio_mode_is_switched(hands: Hands, house: House) -> None:
    """GetCurrentProgramScene and GetCurrentPreviewScene end it within some twenty switches."""
    link = await Link.open("127.0.0.1", house.port, house.password, seconds=10.0)
    done = asyncio.Event()

    async def read() -> None:
        program = ProgramControl()
        while not done.is_set():
            reading = await program.read(link, SCENE, [])
            assert reading is None or reading.scene == SCENE

    readers = [asyncio.create_task(read()) for _ in range(4)]
    for number in range(40):
        await studio_mode(hands, number % 2 == 0)
    done.set()
    await asyncio.gather(*readers)
    await link.close()
    assert await seen(hands, SCENE) == (True,)
