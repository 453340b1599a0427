"""What OBS holds, as the rules are told."""

import pytest

from daemon.core.ports import ObsRefused
from daemon.obs.inventory import InputNames, stream_of_path
from statemachine.events import Inventory, OwnInput
from tests.daemon.obs.rig import ALICE, BOB, Rig, items_of
from tests.fakes import FakeObs


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("GMOTHERSTREAM_1", 1),
        ("GMOTHERSTREAM_4000000001", 4000000001),
        ("GMOTHERSTREAM_", None),
        ("GMOTHERSTREAM", None),
        ("GMOTHERSTREAM_1 copy", None),
        ("xGMOTHERSTREAM_1", None),
        ("GMOTHERSTREAM_-1", None),
        ("GMOTHERSTREAM_\u0661", None),
        ("GMOTHERSTREAM_1\n", None),
    ],
)
def test_own_is_the_prefix_and_a_number_and_nothing_else(name: str, number: int | None) -> None:
    names = InputNames("GMOTHERSTREAM_")
    assert (names.number(name), names.own(name)) == (number, number is not None)


def test_a_prefix_is_text_and_no_pattern() -> None:
    assert InputNames("a.b+").own("a.b+7")
    assert not InputNames("a.b+").own("axbb7")


@pytest.mark.parametrize(
    ("url", "stream"),
    [
        (ALICE, "live/alice"),
        ("rtmps://h/live/alice?key=abc/def", "live/alice"),
        ("rtmp://[::1]:1935/a/b/c", "a/b/c"),
        ("rtmp://h/alone", None),
        ("", None),
    ],
)
def test_the_stream_is_told_from_the_urls_path(url: str, stream: str | None) -> None:
    assert stream_of_path(url) == stream


async def test_own_inputs_are_listed_by_number_whether_in_the_scene_or_not_and_others_are_not(
    fake: FakeObs, rig: Rig
) -> None:
    await rig.obs.create_input("GMOTHERSTREAM_10", ALICE)
    await rig.obs.create_input("GMOTHERSTREAM_9", BOB)
    scene = fake.studio.scene("MOTHERSTREAM")
    fake.studio.create_input(scene, "GMOTHERSTREAM", "ffmpeg_source", {"input": ALICE})
    fake.studio.create_input(scene, "logo", "color_source_v3", {})
    fake.studio.create_input(scene, "GMOTHERSTREAM_11", "ffmpeg_source", {"input": ALICE, "is_local_file": False})
    other = fake.studio.create_scene("other")
    fake.studio.create_input(other, "GMOTHERSTREAM_12", "color_source_v3", {})
    assert items_of(await rig.obs.inventory()) == Inventory(
        (
            OwnInput("GMOTHERSTREAM_9", False, "live/bob"),
            OwnInput("GMOTHERSTREAM_10", False, "live/alice"),
            OwnInput("GMOTHERSTREAM_11", True, "live/alice"),
            OwnInput("GMOTHERSTREAM_12", False, None, items=0),
        ),
        others=("GMOTHERSTREAM", "logo"),
        static=OwnInput("GMOTHERSTREAM", True),
    )


async def test_the_one_input_of_mode_static_is_read_with_the_stream_that_it_plays(fake: FakeObs) -> None:
    scene = fake.studio.scene("MOTHERSTREAM")
    settings = {"input": BOB, "is_local_file": False}
    fake.studio.create_input(scene, "GMOTHERSTREAM", "ffmpeg_source", settings, enabled=True)
    async with Rig.on(fake, sources={"mode": "static"}) as rig:
        await rig.up()
        assert (await rig.obs.inventory()).static == OwnInput("GMOTHERSTREAM", True, "live/bob")
    async with Rig.on(fake, sources={"mode": "static", "static_input": "NOBODY"}) as rig:
        await rig.up()
        assert (await rig.obs.inventory()).static is None
    async with Rig.on(fake) as rig:
        await rig.up()
        assert (await rig.obs.inventory()).static is not None, "it may be on air yet in another mode"


async def test_the_one_input_of_mode_static_is_read_in_a_nested_scene_too(fake: FakeObs) -> None:
    inner = fake.studio.create_scene("INNER")
    settings = {"input": BOB, "is_local_file": False}
    fake.studio.create_input(inner, "GMOTHERSTREAM", "ffmpeg_source", settings, enabled=True)
    fake.studio.add_item(fake.studio.scene("MOTHERSTREAM"), inner)
    async with Rig.on(fake, sources={"mode": "static"}) as rig:
        await rig.up()
        assert (await rig.obs.inventory()).static == OwnInput("GMOTHERSTREAM", True, "live/bob")


async def test_an_input_whose_settings_are_gone_by_then_is_listed_without_its_stream(fake: FakeObs, rig: Rig) -> None:
    await rig.obs.create_input("GMOTHERSTREAM_1", ALICE)
    fake.faults.refuse("GetInputSettings", 600)
    assert items_of(await rig.obs.inventory()) == Inventory((OwnInput("GMOTHERSTREAM_1", False, None),), others=())


async def test_without_the_scene_there_is_no_inventory(fake: FakeObs, rig: Rig) -> None:
    fake.faults.refuse("GetSceneItemList", 600)
    with pytest.raises(ObsRefused):
        await rig.obs.inventory()


async def test_people_see_every_input_with_its_kind_and_no_settings(fake: FakeObs, rig: Rig) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "logo", "color_source_v3", {})
    await rig.obs.create_input("GMOTHERSTREAM_1", ALICE + "?key=s3cret")
    assert sorted(await rig.obs.list_inputs(), key=lambda each: str(each["name"])) == [
        {"name": "GMOTHERSTREAM_1", "kind": "gstreamer-source", "own": True, "shown": False},
        {"name": "logo", "kind": "color_source_v3", "own": False, "shown": True},
    ]
