"""People's hands on OBS, and another daemon beside this one: the picture stays, and nobody is taken off for good."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes import Stream
from tests.simulation.loop import simulated
from tests.simulation.stage import on_air
from tests.simulation.world import PREFIX, SCENE, SLATE, STATIC, Life, World, world


def current(w: World) -> str:
    assert w.director.switchover.program
    return w.director.switchover.program.input


async def everybody_leaves(w: World) -> None:
    await w.unpublish("bob")
    await w.unpublish("alice")


def test_a_slate_that_is_not_there_is_told_once_and_again_when_it_comes_back(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        scene = w.obs.studio.scene(SCENE)
        w.obs.studio.remove_item(scene, w.obs.item(SLATE))
        await everybody_leaves(w)
        await w.until(lambda: not w.shown, 5.0)
        await asyncio.sleep(300.0)
        assert w.said("slate") == ["the slate 'SLATE' is not in OBS: the show goes on without it"]
        assert w.said("Failed to switch") == []
        assert not w.obs.program.now.layers
        w.furnish()
        await w.until(lambda: w.obs.item(SLATE).enabled, 5.0)
        assert w.said("the slate 'SLATE' is in OBS again")

    on_air(tmp_path, act, obs__slate=SLATE)


def test_a_slate_in_a_group_is_shown_in_place_of_the_last_one(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.studio.group(w.obs.studio.scene(SCENE), "GROUP", [w.obs.item(SLATE)], enabled=False)
        mark = w.obs.program.mark()
        await everybody_leaves(w)
        await w.until(lambda: [layer.source for layer in w.obs.program.now.layers] == [SLATE], 5.0)
        assert w.obs.program.blanks(mark, own=False) == []

    on_air(tmp_path, act, obs__slate=SLATE)


def test_an_item_on_air_that_is_removed_while_its_input_lives_on_elsewhere_is_made_anew(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        name, studio = current(w), w.obs.studio
        item = w.obs.item(name)
        studio.add_item(studio.create_scene("MULTIVIEW"), item.source)
        studio.remove_item(studio.scene(SCENE), item)
        await w.until(lambda: w.obs.program.on_air, 3.0)
        assert current(w) != name
        await w.well()
        assert name not in w.obs.inputs

    on_air(tmp_path, act)


def test_an_item_on_air_that_is_duplicated_is_shown_once(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        name, studio = current(w), w.obs.studio
        mark = w.obs.program.mark()
        studio.add_item(studio.scene(SCENE), w.obs.item(name).source)
        await w.until(lambda: w.shown == [name], 3.0)
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        await w.well()
        assert w.obs.program.blanks(mark) == []

    on_air(tmp_path, act)


def test_a_standby_that_is_taken_out_of_the_scene_is_made_anew(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        attempt = w.director.switchover.attempt
        assert attempt
        studio, item = w.obs.studio, w.obs.item(attempt.input)
        studio.add_item(studio.create_scene("PREVIEW"), item.source)
        studio.remove_item(studio.scene(SCENE), item)
        await w.until(lambda: w.director.switchover.state.name != "STANDBY", 5.0)
        await w.until(lambda: not w.amiss() and len(w.own) == 2, 20.0)

    on_air(tmp_path, act)


def test_the_one_input_of_mode_static_that_is_removed_is_told_and_is_not_asked_for_again_and_again(
    tmp_path: Path,
) -> None:
    async def act(w: World) -> None:
        studio, scene = w.obs.studio, w.obs.studio.scene(SCENE)
        settings = {"input": w.url("alice"), "is_local_file": False, "restart_on_activate": False}
        studio.create_input(scene, STATIC, "ffmpeg_source", settings, enabled=False)
        await w.start()
        await w.publish("alice")
        await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
        before = len(w.lines)
        studio.remove_item(scene, w.obs.item(STATIC))
        await asyncio.sleep(20.0)
        told = [line["event"] for line in w.lines[before:] if line["log_level"] in ("warning", "error")]
        assert f"the input of mode static '{STATIC}' is not in OBS: the show goes on without it" in told
        assert len([text for text in told if "a command failed" in text]) <= 1
        assert w.director.switchover.program is None

    async def play() -> None:
        async with world(tmp_path, {"sources.mode": "static"}) as w:
            await act(w)

    with simulated() as runner:
        runner.run(play())


def test_a_name_of_five_thousand_digits_is_nobodys_and_ends_nothing(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        name = PREFIX + "1" * 5000
        studio = w.obs.studio
        studio.create_input(studio.scene(SCENE), name, "color_source_v3", {}, enabled=False)
        await asyncio.sleep(30.0)
        assert not w.running.main or not w.running.main.done()
        assert name in w.obs.inputs
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")

    on_air(tmp_path, act)


@pytest.mark.parametrize("request_", ["GetInputList", "GetSceneItemList", "GetInputSettings", "GetVideoSettings"])
def test_readings_that_make_no_sense_end_nothing_and_take_nothing_off_air(tmp_path: Path, request_: str) -> None:
    async def act(w: World) -> None:
        name, mark = current(w), w.obs.program.mark()
        odd = [
            lambda data: {},
            lambda data: None,
            lambda data: dict.fromkeys(data),
            lambda data: dict.fromkeys(data, 7),
            lambda data: {
                key: [None, {}, [], 7, *value] if isinstance(value, list) else value for key, value in data.items()
            },
        ]
        for how in odd:
            rule = w.obs.faults.mutate(request_, how)
            await asyncio.sleep(8.0)
            w.obs.faults.rules.remove(rule)
            assert w.running.main is not None
            assert not w.running.main.done()
        assert current(w) == name
        assert w.obs.program.blanks(mark) == []
        await w.well()

    on_air(tmp_path, act)


async def second(w: World, **changes: object) -> Life:
    """Another daemon on the same OBS, with a database of its own."""
    keep, file = dict(w.settings), w.file
    w.file = w.file.with_name("second.toml")
    own = {"http__port": w.loop.free_port(), "store__path": str(file.with_name("second.db"))}
    w.write_settings(**own, **changes)
    life = Life(w.file, lambda work, args: work(*args))
    life.start()
    w.settings, w.file = keep, file
    return life


@pytest.mark.parametrize("scene", [SCENE, "CHANNEL2"], ids=["the same scene", "a scene of its own"])
def test_two_daemons_in_one_obs_leave_each_others_inputs_alone_and_say_so(tmp_path: Path, scene: str) -> None:
    async def act(w: World) -> None:
        if scene != SCENE:
            w.obs.studio.create_scene(scene)
        mark = w.obs.program.mark()
        life = await second(w, obs__scene=scene)
        await asyncio.sleep(120.0)
        assert w.obs.program.blanks(mark) == []
        assert len(w.obs.program.cuts(mark)) == 0
        assert [text for text in w.said("another Motherstream") if SCENE in text]
        for _ in range(3):
            before = w.director.switchover.on_air_streamer
            await w.ask("POST", "/queue/skip")
            await w.until(lambda before=before: w.director.switchover.on_air_streamer != before)  # type: ignore[misc]  # bound as it is now
            await asyncio.sleep(20.0)
        assert w.obs.program.blanks(mark) == []
        assert not w.amiss()
        life.kill()
        await life.ended()

    on_air(tmp_path, act)


def test_the_picture_of_a_daemon_of_another_prefix_that_is_no_more_does_not_stay_over_ours(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        life = await second(w, sources__prefix="THEIRS_", queue__auth="open")
        await w.until(lambda: [item for item in w.obs.scene_items(SCENE) if item.name[:6] == "THEIRS" and item.enabled])
        life.kill()
        await life.ended()
        await w.until(lambda: not [name for name in w.obs.inputs if name.startswith("THEIRS_")], 20.0)
        await w.well()
        assert (w.director.switchover.on_air_streamer, w.shown) == ("alice", [current(w)])

    on_air(tmp_path, act)


def test_a_name_that_another_daemon_took_meanwhile_is_passed_over_at_once(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        studio, number = w.obs.studio, w.director.switchover.next_input
        taken = [f"{PREFIX}{number + ahead}" for ahead in range(3)]
        other = studio.create_scene("ELSEWHERE")
        for name in taken:
            studio.create_input(other, name, "color_source_v3", {"motherstream_owner": "somebody else"})
        w.obs.streams[w.url("carol")] = Stream(0.1)
        began = w.loop.now
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        assert w.loop.now - began < 3.0
        await asyncio.sleep(20.0)
        assert set(taken) <= set(w.obs.inputs)

    on_air(tmp_path, act)


def test_an_input_on_air_that_is_renamed_gets_its_name_back_and_gives_way_to_its_successor(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        for wait in (0.0, 0.3, 3.0):
            name, before = current(w), w.director.switchover.on_air_streamer
            mark = w.obs.program.mark()
            w.obs.studio.rename(name, "ALICE'S CAMERA")
            await asyncio.sleep(wait)
            await w.ask("POST", "/queue/skip")
            await w.until(lambda: w.director.switchover.on_air_streamer != before, 10.0)  # noqa: B023  # called at once
            await w.until(lambda: w.shown == [current(w)], 5.0)
            await w.well()
            assert w.obs.program.blanks(mark, own=False) == []
            assert "ALICE'S CAMERA" not in w.obs.inputs
        assert len(w.said("was renamed to")) == 3

    on_air(tmp_path, act)


def test_a_renamed_input_that_nobody_follows_stays_on_air_and_is_watched(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        name, mark = current(w), w.obs.program.mark()
        w.obs.studio.rename(name, "mine")
        await w.until(lambda: name in w.obs.inputs, 3.0)
        await asyncio.sleep(10.0)
        assert current(w) == name
        assert w.shown == [name]
        assert w.obs.program.blanks(mark, own=False) == []
        w.freeze("alice")
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob", 5.0)

    on_air(tmp_path, act)


def test_a_copy_of_the_input_on_air_does_not_cover_its_successor(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        name, studio = current(w), w.obs.studio
        settings = dict(w.obs.inputs[name].settings)
        studio.create_input(studio.scene(SCENE), f"{name} 2", w.obs.inputs[name].kind.name, settings)
        kept = studio.create_scene("ELSEWHERE")
        studio.create_input(kept, f"{name} 3", w.obs.inputs[name].kind.name, settings)
        mark = w.obs.program.mark()
        await w.until(lambda: w.shown == [name] and f"{name} 2" not in w.obs.inputs, 10.0)
        assert current(w) == name
        assert w.obs.program.blanks(mark, own=False) == []
        assert f"{name} 3" in w.obs.inputs
        assert w.said(f"'{name} 2' is a copy")

    on_air(tmp_path, act)
