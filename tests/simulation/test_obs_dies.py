"""OBS dies, freezes, forgets, or is somebody else's for a while: what the daemon does then, and how soon it is over."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes import BATCH, Spoil
from tests.simulation.stage import on_air
from tests.simulation.world import SCENE, World

BACK_WITHIN = 5.0
"""Seconds from OBS's answer to its picture."""
OTHER = "another collection"


async def is_alices(w: World, within: float = BACK_WITHIN) -> None:
    """Wait until alice's picture is on air."""
    await w.until(lambda: w.obs.program.on_air and w.streamer_of(w.obs.program.on_air) == "alice", within)
    await w.well()
    assert w.director.switchover.on_air_streamer == "alice"


@pytest.mark.parametrize("leftovers", [True, False], ids=["with leftovers", "empty"])
def test_obs_that_crashed_on_air_has_its_picture_back(tmp_path: Path, leftovers: bool) -> None:
    async def act(w: World) -> None:
        turn = w.director.lineup.holder
        assert turn
        await w.obs.stop(abrupt=True)
        await asyncio.sleep(7.0)
        w.obs.reload(leftovers=leftovers)
        await w.obs.start()
        await is_alices(w)
        holder = w.director.lineup.holder
        assert holder
        assert (holder.streamer, holder.turn_began) == ("alice", turn.turn_began)

    on_air(tmp_path, act)


def test_obs_that_comes_back_with_a_pile_of_own_inputs_shows_one_and_keeps_two(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.obs.stop(abrupt=True)
        for number in (3, 40, 41, 7):
            settings = {"input": w.url("nobody"), "is_local_file": False}
            scene = w.obs.studio.scene(SCENE)
            w.obs.studio.create_input(scene, f"GMOTHERSTREAM_{number}", "ffmpeg_source", settings, enabled=number > 5)
        w.obs.reload(leftovers=True)
        await w.obs.start()
        await is_alices(w)
        await w.until(lambda: len(w.own) == 2, 10.0)
        assert len(w.shown) == 1

    on_air(tmp_path, act)


@pytest.mark.parametrize("seconds", [0.5, 4.0, 30.0])
def test_obs_that_froze_shows_the_same_input_when_it_goes_on(tmp_path: Path, seconds: float) -> None:
    async def act(w: World) -> None:
        before = w.obs.program.on_air
        w.obs.freeze()
        await asyncio.sleep(seconds)
        if seconds > 10.0:
            assert w.director.switchover.state.name == "RECOVERING"
            assert w.said("Lost OBS: OBS is connected but unresponsive")
        assert (await w.ask("GET", "/healthz"))["status"] == "ok"
        w.obs.thaw()
        await w.well(BACK_WITHIN)
        await asyncio.sleep(5.0)
        assert w.obs.program.on_air == before
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.04, 0.06, 0.1, 0.3])
def test_obs_that_freezes_in_the_middle_of_a_hand_over_comes_out_of_it_with_one_whole_picture(
    tmp_path: Path, after: float
) -> None:
    async def act(w: World) -> None:
        await w.ask("POST", "/queue/skip")
        await asyncio.sleep(after)
        w.obs.freeze()
        await asyncio.sleep(15.0)
        w.obs.thaw()
        await w.well(10.0)
        await asyncio.sleep(5.0)
        await w.well()
        assert w.obs.program.blanks() == []

    on_air(tmp_path, act, sources__standby=False)


def test_a_renderer_that_stands_still_is_told_and_the_show_goes_on_with_its_frames(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        before = w.obs.program.on_air
        w.obs.stall()
        await w.until(lambda: w.said("Lost OBS: OBS is connected but unresponsive: its renderer has stalled"), 10.0)
        w.obs.unstall()
        await w.well(BACK_WITHIN)
        assert w.obs.program.on_air == before

    on_air(tmp_path, act)


def test_another_scene_collection_is_left_alone_and_the_show_goes_on_when_ours_is_back(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        ours = w.obs.studio.current.name
        w.obs.studio.begin_collection_change(OTHER)
        asked = len(w.obs.calls)
        await asyncio.sleep(1.0)
        assert {call.type for call in w.obs.calls[asked:]} <= {"GetStats", "GetStreamStatus"}
        w.obs.studio.finish_collection_change()
        await w.until(lambda: w.said(f"OBS is not ready: it has no scene '{SCENE}'"))
        await asyncio.sleep(20.0)
        assert len(w.said("OBS is not ready")) == 1
        assert {call.type for call in w.obs.calls[asked:] if not call.type.startswith("Get")} == set()
        w.obs.studio.begin_collection_change(ours)
        w.obs.studio.finish_collection_change()
        await is_alices(w)

    on_air(tmp_path, act)


def test_a_collection_with_a_scene_of_that_name_is_used_from_then_on(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.studio.begin_collection_change(OTHER)
        w.obs.studio.finish_collection_change()
        w.obs.studio.create_scene(SCENE)
        w.obs.studio.set_program(SCENE)
        await is_alices(w)

    on_air(tmp_path, act)


def test_a_scene_that_was_deleted_is_waited_for_and_filled_again(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.studio.remove_scene(SCENE)
        await w.until(lambda: w.said(f"Lost OBS: the scene '{SCENE}' was removed"))
        await asyncio.sleep(5.0)
        w.obs.studio.create_scene(SCENE)
        w.obs.studio.set_program(SCENE)
        await is_alices(w)

    on_air(tmp_path, act)


def test_a_scene_that_was_renamed_keeps_its_picture_and_is_found_when_it_has_its_name_again(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        before = w.obs.program.on_air
        w.obs.studio.rename(SCENE, "mine now")
        await w.until(lambda: w.said(f"Lost OBS: the scene '{SCENE}' was renamed"))
        await asyncio.sleep(5.0)
        w.obs.studio.rename("mine now", SCENE)
        await w.well(BACK_WITHIN)
        assert w.obs.program.on_air == before
        assert w.obs.program.blanks() == []

    on_air(tmp_path, act)


@pytest.mark.parametrize("what", ["hidden", "removed", "taken out of the scene"])
def test_what_somebody_does_to_the_input_on_air_is_mended_and_said(tmp_path: Path, what: str) -> None:
    async def act(w: World) -> None:
        name = w.shown[0]
        by_hand(w, what, name)
        await w.until(lambda: w.obs.program.on_air is None, 1.0)
        await is_alices(w)
        assert len(w.said("was hidden by hand" if what == "hidden" else "nobody is on air")) == 1

    on_air(tmp_path, act)


@pytest.mark.parametrize("what", ["hidden", "removed", "taken out of the scene"])
def test_while_held_somebodys_hand_is_respected_and_mended_with_the_release(tmp_path: Path, what: str) -> None:
    async def act(w: World) -> None:
        await w.ask("POST", "/queue/hold")
        name = w.shown[0]
        by_hand(w, what, name)
        await asyncio.sleep(20.0)
        assert w.shown == []
        await w.ask("POST", "/queue/release")
        await is_alices(w)

    on_air(tmp_path, act)


def by_hand(w: World, what: str, name: str) -> None:
    if what == "hidden":
        w.obs.studio.hide(name)
    elif what == "removed":
        w.obs.studio.remove_input(name)
    else:
        w.obs.studio.remove_item(w.obs.studio.scene(SCENE), w.obs.item(name, SCENE))


def test_a_password_that_was_changed_is_said_once_and_leaves_the_picture(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        before = w.obs.program.on_air
        w.obs.password = w.obs.server.password = "another"
        w.obs.drop()
        await w.until(lambda: w.said("OBS rejects the password"))
        connected = len(w.obs.server.sessions)
        await asyncio.sleep(60.0)
        assert len(w.said("OBS rejects the password")) == 1
        assert connected == 0
        w.write_settings(obs__password="another")
        await w.stop()
        await w.start()
        await w.well(BACK_WITHIN)
        assert w.obs.program.on_air == before
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


def test_a_kick_in_obs_keeps_it_away_until_it_is_asked_back(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        before = w.obs.program.on_air
        await w.obs.kick()
        await asyncio.sleep(60.0)
        assert w.obs.clients == 0
        await w.ask("POST", "/obs/force-reconnect")
        await w.well(BACK_WITHIN)
        assert w.obs.program.on_air == before
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


@pytest.mark.parametrize("every", [0.05, 0.3, 0.9, 2.5])
def test_a_websocket_that_flaps_does_not_touch_the_picture_and_is_not_hammered(tmp_path: Path, every: float) -> None:
    async def act(w: World) -> None:
        before, seen = w.obs.program.on_air, len(w.lines)
        connects = 0
        for _ in range(round(20.0 / every)):
            await asyncio.sleep(every)
            connects += w.obs.clients
            w.obs.drop()
        assert connects <= 20.0 / 0.05
        await w.well(BACK_WITHIN)
        await asyncio.sleep(3.0)
        await w.well()
        assert w.obs.program.on_air == before
        w.obs.program.assert_seamless()
        warned = [line for line in w.lines[seen:] if line["log_level"] in ("warning", "error")]
        assert len(warned) <= 4 * 20.0 / max(every, 0.3)

    on_air(tmp_path, act)


@pytest.mark.parametrize("how", [Spoil.NO_OP, Spoil.NOT_A_MAP, Spoil.NO_REQUEST_ID])
def test_a_message_that_kills_the_receive_loop_costs_no_more_than_a_new_connection(tmp_path: Path, how: Spoil) -> None:
    async def act(w: World) -> None:
        before, connections = w.obs.program.on_air, w.obs.server.accepted
        if how is Spoil.NO_REQUEST_ID:
            w.obs.faults.spoil("GetMediaInputStatus", how)
            w.obs.faults.spoil(BATCH, how)
        else:
            await w.obs.poison(how)
        # Sooner than the heartbeat would find out.
        await w.until(lambda: w.obs.server.accepted > connections and w.obs.clients == 1, 1.0)
        assert w.said("Lost OBS: OBS sent something that cannot be understood")
        await w.well(BACK_WITHIN)
        assert w.obs.program.on_air == before
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)
