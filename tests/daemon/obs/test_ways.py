"""The ways in which the plugin's input plays a stream, on a fake OBS."""

from typing import get_args

import pytest

from daemon.core.ports import Making
from statemachine.ways import Way
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs, Stream

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


@pytest.mark.parametrize("way", get_args(Way))
async def test_a_stream_with_sound_plays_whichever_way_it_is_asked_for(fake: FakeObs, rig: Rig, way: Way) -> None:
    await rig.obs.create_input(ONE, ALICE, how=Making(way))
    await fake.wait_for(lambda: fake.inputs[ONE].has_picture)


async def test_a_stream_without_sound_plays_the_first_way_of_all(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(0.05, sound=False)
    await rig.obs.create_input(ONE, ALICE)
    await fake.wait_for(lambda: fake.inputs[ONE].has_picture)


async def test_the_seeds_pipeline_waits_for_sound_and_so_never_plays_a_stream_without(fake: FakeObs) -> None:
    fake.streams[ALICE] = Stream(0.05, sound=False)
    async with Rig.on(fake, sources={"pipeline": {"decoding": "decodebin"}}) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.create_input(TWO, BOB)
        await fake.wait_for(lambda: fake.inputs[TWO].has_picture)
        assert not fake.inputs[ONE].has_picture
        assert "decodebin name=d" in fake.inputs[ONE].settings["pipeline"]
