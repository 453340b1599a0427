"""Items that are not where they were put: in groups, in nested scenes, twice, or gone; and cuts all the same."""

import pytest

from daemon.core.ports import ObsRefused
from statemachine.events import Inventory, OwnInput
from tests.daemon.obs.rig import ALICE, BOB, Rig, items_of
from tests.fakes import FakeObs

SCENE, ONE, TWO = "MOTHERSTREAM", "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def slate(fake: FakeObs, scene: str = SCENE) -> None:
    fake.studio.create_input(fake.studio.scene(scene), "SLATE", "color_source_v3", {}, enabled=False)


def group(fake: FakeObs, *names: str, enabled: bool = True) -> None:
    """Somebody selects these items and groups them."""
    scene = fake.studio.scene(SCENE)
    fake.studio.group(scene, "GROUP", [fake.item(name) for name in names], enabled=enabled)


def shown(fake: FakeObs) -> set[str]:
    """The inputs that viewers see."""
    return {layer.source for layer in fake.program.now.layers}


@pytest.mark.parametrize("enabled", [True, False], ids=["shown group", "hidden group"])
async def test_a_slate_in_a_group_comes_with_the_cut_and_goes_with_the_next(
    fake: FakeObs, rig: Rig, enabled: bool
) -> None:
    slate(fake)
    group(fake, "SLATE", enabled=enabled)
    await rig.on_air(ONE, ALICE)
    mark = fake.program.mark()
    await rig.obs.cut(show=None, hide=(ONE,), also_show="SLATE", fade=0.0)
    assert shown(fake) == {"SLATE"}
    assert fake.program.blanks(mark, own=False) == []
    await rig.obs.cut(show=ONE, hide=("SLATE",), also_show=None, fade=0.0)
    assert shown(fake) == {ONE}
    await rig.obs.set_shown("SLATE", True)
    assert shown(fake) == {ONE, "SLATE"}


async def test_a_slate_inside_a_nested_scene_is_found_there(fake: FakeObs, rig: Rig) -> None:
    inner = fake.studio.create_scene("INNER")
    slate(fake, "INNER")
    fake.studio.add_item(fake.studio.scene(SCENE), inner)
    await rig.on_air(ONE, ALICE)
    await rig.obs.cut(show=None, hide=(ONE,), also_show="SLATE", fade=0.0)
    assert shown(fake) == {"SLATE"}


async def test_a_nested_scene_can_be_the_slate(fake: FakeObs, rig: Rig) -> None:
    inner = fake.studio.create_scene("BREAK")
    slate(fake, "BREAK")
    fake.studio.set_enabled(inner, inner.items[0], True)
    fake.studio.add_item(fake.studio.scene(SCENE), inner, enabled=False)
    await rig.on_air(ONE, ALICE)
    await rig.obs.cut(show=None, hide=(ONE,), also_show="BREAK", fade=0.0)
    assert shown(fake) == {"SLATE"}


async def test_a_slate_that_is_not_there_does_not_keep_the_leaving_one_on_air(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.cut(show=None, hide=(ONE,), also_show="NOWHERE", fade=0.0)
    assert shown(fake) == set()
    await rig.obs.restore(show=None, hide=(ONE,), also_show="NOWHERE")


async def test_a_slate_that_goes_between_the_reading_and_the_frame_is_done_without(fake: FakeObs, rig: Rig) -> None:
    slate(fake)
    await rig.on_air(ONE, ALICE)
    scene, item = fake.studio.scene(SCENE), fake.item("SLATE")
    fake.faults.before("RequestBatch", lambda: fake.studio.remove_item(scene, item))
    await rig.obs.cut(show=None, hide=(ONE,), also_show="SLATE", fade=0.0)
    assert shown(fake) == set()


@pytest.mark.parametrize("fade", [0.0, 0.3], ids=["cut", "fade"])
async def test_an_outgoing_that_goes_between_the_reading_and_the_frame_counts_as_hidden(
    fake: FakeObs, rig: Rig, fade: float
) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    scene, item = fake.studio.scene(SCENE), fake.item(ONE)
    rule = fake.faults.before("SetSceneItemEnabled", lambda: fake.studio.remove_item(scene, item))
    rule.when = lambda data: data["sceneItemEnabled"]
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=fade)
    assert shown(fake) == {TWO}
    assert fake.inputs[TWO].filters == []


async def test_own_inputs_that_somebody_grouped_are_read_watched_cut_and_removed(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.create_input(TWO, BOB)
    group(fake, ONE, TWO)
    assert (await rig.obs.inventory()).inputs == (
        OwnInput(ONE, True, "live/alice"),
        OwnInput(TWO, False, "live/bob"),
    )
    await rig.obs.place_input(TWO, 0)
    seen = rig.watch(TWO)
    await rig.until(lambda: seen.ready)
    mark = fake.program.mark()
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=0.0)
    fake.program.assert_seamless(mark)
    assert shown(fake) == {TWO}
    await rig.obs.remove_input(ONE)
    assert ONE not in fake.inputs


async def test_an_input_in_a_hidden_group_is_not_shown_and_showing_it_shows_the_group(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    group(fake, ONE, enabled=False)
    assert (await rig.obs.inventory()).inputs == (OwnInput(ONE, False, "live/alice"),)
    await rig.obs.set_shown(ONE, True)
    assert shown(fake) == {ONE}


async def test_an_input_that_lives_on_in_another_scene_alone_has_no_item(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    other = fake.studio.create_scene("MULTIVIEW")
    fake.studio.add_item(other, fake.studio.input(ONE))
    fake.studio.remove_item(fake.studio.scene(SCENE), fake.item(ONE))
    assert (await rig.obs.inventory()).inputs == (OwnInput(ONE, False, "live/alice", items=0),)
    await rig.obs.remove_input(ONE)
    assert ONE not in fake.inputs


async def test_of_an_input_that_is_shown_twice_one_item_stays(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    fake.studio.add_item(fake.studio.scene(SCENE), fake.studio.input(ONE))
    assert (await rig.obs.inventory()).inputs == (OwnInput(ONE, True, "live/alice", items=2, shown_items=2),)
    await rig.obs.hide_duplicates(ONE)
    assert [item.enabled for item in fake.scene_items() if item.name == ONE] == [True, False]
    await rig.ready(TWO, BOB)
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=0.0)
    await rig.obs.cut(show=ONE, hide=(TWO,), also_show=None, fade=0.0)
    assert [item.enabled for item in fake.scene_items() if item.name == ONE] == [True, False]


async def test_a_group_that_is_dissolved_while_it_is_read_is_passed_over(fake: FakeObs, rig: Rig) -> None:
    slate(fake)
    group(fake, "SLATE")
    fake.faults.refuse("GetGroupSceneItemList", 600)
    assert items_of(await rig.obs.inventory()) == Inventory((), others=("GROUP",))
    fake.faults.refuse("GetGroupSceneItemList", 205)
    assert (await rig.obs.inventory()).whole is False


async def test_what_the_configuration_names_and_obs_does_not_have_is_missing() -> None:
    async with FakeObs(fps=100) as fake:
        names = {"slate": "SLATE", "template": "MODEL"}
        async with Rig.on(fake, obs=names, sources={"mode": "static", "static_input": "ONE"}) as rig:
            await rig.up()
            assert (await rig.obs.inventory()).missing == ("SLATE", "ONE", "MODEL")
            slate(fake)
            group(fake, "SLATE")
            fake.studio.create_input(fake.studio.create_scene("STORE"), "MODEL", "color_source_v3", {})
            assert (await rig.obs.inventory()).missing == ("ONE",)


async def test_what_is_to_be_shown_and_is_nowhere_is_refused(rig: Rig) -> None:
    with pytest.raises(ObsRefused, match="'NOWHERE' is not in the scene"):
        await rig.obs.set_shown("NOWHERE", True)


async def test_in_driven_studio_mode_a_slate_in_a_group_goes_when_the_incoming_has_come(fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"studio_mode": "drive", "slate": "SLATE"}) as rig:
        scene = fake.studio.scene("MOTHERSTREAM")
        fake.studio.create_input(scene, "SLATE", "color_source_v3", {"width": 10, "height": 10})
        fake.studio.group(scene, "GROUP", [fake.item("SLATE")])
        await (await rig.up()).ready(ONE, ALICE)
        fake.studio.mode.switch(True)
        mark = fake.program.mark()
        await rig.obs.cut(show=ONE, hide=("SLATE",), also_show=None, fade=0.0, studio_mode="drive")
        assert fake.program.blanks(mark, own=False) == []
        assert [layer.source for layer in fake.program.now.layers if layer.source in (ONE, "SLATE")] == [ONE]
