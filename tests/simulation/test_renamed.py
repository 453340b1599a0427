"""Inputs of the daemon that people rename in an OBS that has UUIDs: it goes on with them as if nothing had happened."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes import Stream
from tests.fakes.obs_versions import OBS_30, OBS_31, OBS_32, Version
from tests.simulation.stage import on_air_in
from tests.simulation.world import SCENE, World

with_uuids = pytest.mark.parametrize("version", [OBS_30, OBS_31, OBS_32], ids=lambda version: version.obs)


def current(w: World) -> str:
    assert w.director.switchover.program
    return w.director.switchover.program.input


def next_one(w: World) -> str:
    assert w.director.switchover.attempt
    return w.director.switchover.attempt.input


@with_uuids
def test_a_standby_that_was_just_renamed_is_cut_to_at_once(tmp_path: Path, version: Version) -> None:
    async def act(w: World) -> None:
        name, mark = next_one(w), w.obs.program.mark()
        w.obs.studio.rename(name, "BOB'S CAMERA")
        await w.ask("POST", "/queue/skip")
        seconds = await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        assert seconds < 0.5
        assert current(w) == name
        await w.until(lambda: name in w.obs.inputs, 3.0)
        await w.well()
        assert w.obs.program.blanks(mark, own=False) == []
        assert len(w.said("was renamed to")) == 1

    on_air_in(version, tmp_path, act)


@with_uuids
def test_one_that_still_opens_is_waited_for_under_another_name(tmp_path: Path, version: Version) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        await w.until(lambda: w.director.switchover.state.name == "IDLE")
        w.obs.streams[w.url("bob")] = Stream(2.0)
        await w.publish("bob")
        await w.until(lambda: w.director.switchover.state.name == "BUFFERING", 20.0)
        name = next_one(w)
        w.obs.studio.rename(name, "BOB'S CAMERA")
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        assert next_one(w) == name
        assert name in w.obs.inputs

    on_air_in(version, tmp_path, act)


@with_uuids
def test_one_that_was_put_elsewhere_under_another_name_is_removed_there(tmp_path: Path, version: Version) -> None:
    async def act(w: World) -> None:
        name, studio = current(w), w.obs.studio
        item = w.obs.item(name)
        studio.add_item(studio.create_scene("MULTIVIEW"), item.source)
        studio.rename(name, "ALICE'S CAMERA")
        studio.remove_item(studio.scene(SCENE), item)
        await w.until(lambda: w.obs.program.on_air, 3.0)
        await w.well()
        assert current(w) != name
        assert not {name, "ALICE'S CAMERA"} & set(w.obs.inputs)

    on_air_in(version, tmp_path, act)


@with_uuids
def test_where_the_name_of_one_that_was_renamed_is_taken_the_show_goes_on(tmp_path: Path, version: Version) -> None:
    async def act(w: World) -> None:
        name, studio = next_one(w), w.obs.studio
        studio.rename(name, "BOB'S CAMERA")
        studio.create_input(studio.create_scene("THEIRS"), name, "color_source_v3", {})
        await asyncio.sleep(10.0)
        await w.well()
        assert current(w) in w.shown
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        await w.well()

    on_air_in(version, tmp_path, act)
