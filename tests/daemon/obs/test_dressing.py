"""What a fresh input takes over from a template or from the one on air, before it is seen."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.obs.fade import FILTER
from daemon.obs.placement import fitted
from daemon.obs.supervisor import LIKELY
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_model import Filter, Input
from tests.support import until

SCENE, ONE, TWO, MODEL = "MOTHERSTREAM", "GMOTHERSTREAM_1", "GMOTHERSTREAM_2", "MODEL"
FILTERS = [
    Filter("gain", "gain_filter", {"db": 3.0}),
    Filter("colour", "color_filter_v2", {"saturation": -1.0}, enabled=False),
    Filter("crop", "crop_filter", {"left": 10}),
]


@pytest.fixture
async def templated() -> AsyncIterator[tuple[FakeObs, Rig]]:
    async with FakeObs(fps=100) as fake:
        fake.streams.default = Stream(0.05)
        async with Rig.on(fake, obs={"template": MODEL}) as rig:
            yield fake, await rig.up()


def wear(source: Input) -> None:
    """An operator sets all that there is to set."""
    source.volume, source.balance, source.sync_offset, source.muted = 0.25, 0.75, 120, True
    source.monitoring = "OBS_MONITORING_TYPE_MONITOR_ONLY"
    source.tracks = {str(number): number in (2, 3) for number in range(1, 7)}
    source.filters[:] = [Filter(one.name, one.kind, dict(one.settings), one.enabled) for one in FILTERS]


def worn(source: Input) -> tuple[Any, ...]:
    return (
        source.volume,
        source.balance,
        source.monitoring,
        source.tracks,
        [(one.name, one.kind, one.settings, one.enabled) for one in source.filters],
    )


def model(fake: FakeObs, scene: str = SCENE, **transform: Any) -> Input:
    item = fake.studio.create_input(fake.studio.scene(scene), MODEL, "ffmpeg_source", {}, enabled=False)
    for name, value in transform.items():
        setattr(item.transform, name, value)
    wear(fake.inputs[MODEL])
    return fake.inputs[MODEL]


async def test_a_fresh_input_is_dressed_as_the_template_in_one_batch_before_it_can_be_seen(
    templated: tuple[FakeObs, Rig],
) -> None:
    fake, rig = templated
    source = model(
        fake, boundsType="OBS_BOUNDS_STRETCH", boundsWidth=500.0, boundsHeight=300.0, positionX=20.0, cropLeft=8
    )
    await rig.obs.create_input(ONE, ALICE)
    before = len(fake.calls)
    await rig.obs.place_input(ONE, 5)
    assert worn(fake.inputs[ONE]) == worn(source)
    assert (fake.inputs[ONE].muted, fake.inputs[ONE].sync_offset) == (True, 120)
    assert fake.item(ONE).transform == fake.item(MODEL).transform
    assert not fake.item(ONE).enabled
    batches = {call.batch for call in fake.calls[before:] if call.type != "GetStats"}
    assert len(batches) == 2
    assert None not in batches


async def test_the_template_is_no_layer_of_the_scene(templated: tuple[FakeObs, Rig]) -> None:
    fake, rig = templated
    scene = fake.studio.scene(SCENE)
    for name in ("base", "logo"):
        fake.studio.create_input(scene, name, "color_source_v3", {})
    model(fake)
    await rig.obs.create_input(ONE, ALICE)
    assert await rig.obs.place_input(ONE, 1) == 1
    names = [item.name for item in fake.scene_items() if item.name != MODEL]
    assert names == ["base", ONE, "logo"]


async def test_a_template_outside_the_scene_gives_sound_and_filters_and_no_place(
    templated: tuple[FakeObs, Rig],
) -> None:
    fake, rig = templated
    fake.studio.create_scene("STORE")
    source = model(fake, "STORE", positionX=99.0)
    await rig.obs.create_input(ONE, ALICE)
    await rig.obs.place_input(ONE, 0)
    assert worn(fake.inputs[ONE]) == worn(source)
    assert fake.item(ONE).transform.boundsWidth == 1280.0
    assert fake.item(ONE).transform.positionX == 0.0


async def test_a_template_that_is_scaled_gives_the_box_that_it_fills(templated: tuple[FakeObs, Rig]) -> None:
    fake, rig = templated
    scene = fake.studio.scene(SCENE)
    item = fake.studio.create_input(scene, MODEL, "color_source_v3", {"width": 400, "height": 200}, enabled=False)
    item.transform.scaleX = item.transform.scaleY = 2.0
    item.transform.cropLeft = 100
    await rig.obs.create_input(ONE, ALICE)
    await rig.obs.place_input(ONE, 0)
    box = fake.item(ONE).transform
    assert (box.boundsType, box.boundsWidth, box.boundsHeight) == ("OBS_BOUNDS_SCALE_INNER", 600.0, 400.0)
    assert box.cropLeft == 100
    # It has no sound: what it does not have is left as it is.
    assert fake.inputs[ONE].volume == 1.0


async def test_without_a_template_the_one_on_air_is_followed_but_for_what_is_its_streamers(
    fake: FakeObs, rig: Rig
) -> None:
    await rig.on_air(ONE, ALICE)
    wear(fake.inputs[ONE])
    await rig.obs.create_input(TWO, BOB)
    await rig.obs.place_input(TWO, 5, ONE)
    assert worn(fake.inputs[TWO]) == worn(fake.inputs[ONE])
    assert (fake.inputs[TWO].muted, fake.inputs[TWO].sync_offset) == (False, 0)
    assert fake.item(TWO).transform.boundsWidth == 1280.0


async def test_a_missing_template_gives_way_to_the_one_on_air(templated: tuple[FakeObs, Rig]) -> None:
    fake, rig = templated
    await rig.on_air(ONE, ALICE)
    wear(fake.inputs[ONE])
    await rig.obs.create_input(TWO, BOB)
    await rig.obs.place_input(TWO, 5, ONE)
    assert worn(fake.inputs[TWO]) == worn(fake.inputs[ONE])
    await rig.obs.create_input("GMOTHERSTREAM_3", BOB)
    assert await rig.obs.place_input("GMOTHERSTREAM_3", 5) == 0


async def test_what_is_set_while_one_stands_by_reaches_it_before_its_cut(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.create_input(TWO, BOB)
    await rig.obs.place_input(TWO, 5, ONE)
    await rig.obs.call("SetInputVolume", {"inputName": ONE, "inputVolumeMul": 0.5})
    about = {"sourceName": ONE, "filterName": "gain", "filterKind": "gain_filter", "filterSettings": {"db": 6.0}}
    await rig.obs.call("CreateSourceFilter", about)
    await until(lambda: worn(fake.inputs[TWO]) == worn(fake.inputs[ONE]))
    await rig.obs.call("RemoveSourceFilter", {"sourceName": ONE, "filterName": "gain"})
    await until(lambda: fake.inputs[TWO].filters == [])


async def test_filters_are_kept_changed_moved_and_removed_as_the_model_has_them(
    templated: tuple[FakeObs, Rig],
) -> None:
    fake, rig = templated
    source = model(fake)
    await rig.obs.create_input(ONE, ALICE)
    fake.inputs[ONE].filters[:] = [
        Filter("crop", "crop_filter", {}),
        Filter("colour", "gain_filter", {}),
        Filter("stranger", "gain_filter", {}),
    ]
    await rig.obs.place_input(ONE, 0)
    assert worn(fake.inputs[ONE]) == worn(source)


async def test_a_fades_own_filter_is_nobodys_dress(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    fake.inputs[ONE].filters.append(Filter(FILTER, "color_filter_v2", {"opacity": 0.3}))
    await rig.obs.create_input(TWO, BOB)
    await rig.obs.place_input(TWO, 5, ONE)
    assert fake.inputs[TWO].filters == []


async def test_what_obs_will_not_set_is_told_once_and_the_rest_is_set(templated: tuple[FakeObs, Rig]) -> None:
    fake, rig = templated
    source = model(fake)
    fake.faults.refuse("SetInputAudioMonitorType", 604, "not available", times=None)
    with capture_logs() as lines:
        for name in (ONE, TWO):
            await rig.obs.create_input(name, ALICE)
            await rig.obs.place_input(name, 0)
    refusals = [line["event"] for line in lines if "refuses" in line["event"]]
    assert refusals == [f"OBS refuses SetInputAudioMonitorType for '{ONE}': not available. The show goes on without it"]
    assert fake.inputs[TWO].volume == source.volume
    assert json.dumps(fake.inputs[TWO].tracks) == json.dumps(source.tracks)


# -- the canvas ----------------------------------------------------------------------------------------------------


async def test_a_canvas_that_changes_is_filled_by_those_that_are_there_and_by_the_next(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.place_input(ONE, 0)
    await rig.obs.create_input(TWO, BOB)
    await rig.obs.place_input(TWO, 0)
    fake.item(TWO).transform.positionX = 40.0  # an operator's own
    await rig.obs.call(
        "SetVideoSettings", {"baseWidth": 1920, "baseHeight": 1080, "fpsNumerator": 60, "fpsDenominator": 1}
    )
    await rig.obs.inventory()
    assert (fake.item(ONE).transform.boundsWidth, fake.item(ONE).transform.boundsHeight) == (1920.0, 1080.0)
    assert fake.item(TWO).transform.boundsWidth == 1280.0
    assert rig.obs.canvas == (1920, 1080)
    await rig.obs.create_input("GMOTHERSTREAM_3", BOB)
    await rig.obs.place_input("GMOTHERSTREAM_3", 0)
    assert fake.item("GMOTHERSTREAM_3").transform.boundsWidth == fitted(LIKELY)["boundsWidth"] == 1920.0


async def test_one_that_is_placed_by_what_was_known_of_the_canvas_before_fills_it_with_the_next_reading(
    fake: FakeObs, rig: Rig
) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.place_input(ONE, 0)
    await rig.obs.create_input(TWO, BOB)
    fake.studio.canvas = (640, 360)
    await until(lambda: fake.item(ONE).transform.boundsWidth == 640.0)
    # As OBS has it where the placing was on its way when the canvas was read.
    transform = fake.item(TWO).transform
    for key, value in fitted(replace(LIKELY, width=1280, height=720)).items():
        setattr(transform, key, value)
    await rig.obs.inventory()
    assert (fake.item(TWO).transform.boundsWidth, fake.item(TWO).transform.boundsHeight) == (640.0, 360.0)


async def test_a_canvas_is_noticed_without_anybody_telling(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.place_input(ONE, 0)
    with capture_logs() as lines:
        fake.studio.canvas = (640, 360)
        await until(lambda: fake.item(ONE).transform.boundsWidth == 640.0)
    assert [line["event"] for line in lines if "canvas" in line["event"]] == [
        "OBS's canvas is now 640x360 at 100 frames per second"
    ]


async def test_a_canvas_that_changes_in_driven_studio_mode_is_filled_in_what_viewers_see(
    fake: FakeObs,
) -> None:
    async with Rig.on(fake, obs={"studio_mode": "drive"}) as rig:
        await (await rig.up()).on_air(ONE, ALICE)
        await rig.obs.place_input(ONE, 0)
        fake.studio.mode.switch(True)
        fake.studio.canvas = (640, 360)

        def seen() -> float:
            copy = fake.studio.mode.output[-1]
            assert copy is not fake.studio.scene("MOTHERSTREAM")
            return copy.named(ONE)[0].transform.boundsWidth

        assert seen() == 1280.0
        await until(lambda: seen() == 640.0)
