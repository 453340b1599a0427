"""Where an input lies in the scene."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from daemon.core.ports import ObsRefused
from daemon.obs.inventory import InputNames
from daemon.obs.placement import Spot, spot
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs

OWN = InputNames("GMOTHERSTREAM_").own
OTHERS = [f"item {number}" for number in range(9)]


def overlay(fake: FakeObs, *names: str) -> None:
    scene = fake.studio.scene("MOTHERSTREAM")
    for name in names:
        fake.studio.create_input(scene, name, "color_source_v3", {})


@pytest.mark.parametrize(("z_offset", "index"), [(0, 9), (3, 6), (5, 4), (9, 0)])
def test_in_the_seeds_scene_of_ten_an_offset_is_so_many_layers_above(z_offset: int, index: int) -> None:
    assert spot(OTHERS, z_offset, OWN) == Spot(index, z_offset)


def test_an_offset_of_more_layers_than_there_are_is_clamped_to_the_bottom() -> None:
    assert spot(OTHERS, 10, OWN) == Spot(0, 9)
    assert spot([], 5, OWN) == Spot(0, 0)


def test_the_outgoing_is_no_overlay_and_the_incoming_lies_right_above_it() -> None:
    others = ["base", "GMOTHERSTREAM_1", "logo", "text"]
    assert spot(others, 2, OWN) == Spot(2, 2)


def test_hand_over_after_hand_over_the_layer_stays_the_same() -> None:
    scene = ["base", "logo", "text"]
    layers = []
    for number in range(1, 9):
        scene.insert(spot(scene, 2, OWN).index, f"GMOTHERSTREAM_{number}")
        layers.append(scene.index(f"GMOTHERSTREAM_{number}"))
        if number > 1:
            scene.remove(f"GMOTHERSTREAM_{number - 1}")
    assert layers == [1, *[2] * 7]
    assert scene == ["base", "GMOTHERSTREAM_8", "logo", "text"]


@given(
    scene=st.lists(st.sampled_from(["overlay", "GMOTHERSTREAM_1", "GMOTHERSTREAM_22"]), max_size=12),
    z_offset=st.integers(-3, 15),
)
def test_exactly_the_reached_number_of_overlays_is_above(scene: list[str], z_offset: int) -> None:
    where = spot(scene, z_offset, OWN)
    above = [name for name in scene[where.index :] if not OWN(name)]
    assert len(above) == where.z_offset
    assert where.z_offset == min(max(z_offset, 0), scene.count("overlay"))
    # An own input further up would hide the newest.
    assert where.index == 0 or where.z_offset == 0 or scene[where.index] == "overlay"


async def test_an_input_is_put_below_the_overlays_and_fitted_to_the_canvas(fake: FakeObs, rig: Rig) -> None:
    overlay(fake, "base", "logo", "text")
    await rig.obs.create_input("GMOTHERSTREAM_1", ALICE)
    assert await rig.obs.place_input("GMOTHERSTREAM_1", 2) == 2
    assert [item.name for item in fake.scene_items()] == ["base", "GMOTHERSTREAM_1", "logo", "text"]
    transform = fake.item("GMOTHERSTREAM_1").transform
    assert (transform.boundsType, transform.boundsWidth, transform.boundsHeight) == (
        "OBS_BOUNDS_SCALE_INNER",
        1280,
        720,
    )


async def test_clamping_is_told_once_for_each_way_in_which_the_scene_is_too_small(fake: FakeObs, rig: Rig) -> None:
    overlay(fake, "logo")
    for number, url in ((1, ALICE), (2, BOB)):
        await rig.obs.create_input(f"GMOTHERSTREAM_{number}", url)
    with capture_logs() as lines:
        assert await rig.obs.place_input("GMOTHERSTREAM_1", 5) == 1
        assert await rig.obs.place_input("GMOTHERSTREAM_2", 5) == 1
        assert await rig.obs.place_input("GMOTHERSTREAM_2", 3) == 1
    assert [(line["z_offset"], line["clamped"]) for line in lines] == [(5, 1), (3, 1)]
    assert lines[0]["event"] == "z_offset 5 clamped to 1: the scene has no more layers"


async def test_an_input_that_is_not_in_the_scene_is_refused(rig: Rig) -> None:
    with pytest.raises(ObsRefused, match="'GMOTHERSTREAM_9' is not in the scene"):
        await rig.obs.place_input("GMOTHERSTREAM_9", 5)
