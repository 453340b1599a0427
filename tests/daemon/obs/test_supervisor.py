"""Ups and downs: when OBS may be used, when it may not any more, and what the log says of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.core.ports import ObsGone
from daemon.obs.supervisor import DEFAULT_PORT, Endpoint
from statemachine import events as ev
from tests.daemon.obs.rig import ALICE, QUICK, Rig, items_of
from tests.fakes import FakeObs, Fault, Spoil, Stream
from tests.fakes.obs_faults import pack
from tests.support import until

Lines = list[Any]
PLAYS_ALICE = {"input": ALICE, "is_local_file": False}


@pytest.fixture
def lines() -> Iterator[Lines]:
    with capture_logs() as captured:
        yield captured


@pytest.fixture
async def cold(fake: FakeObs) -> AsyncIterator[Rig]:
    """Not started: OBS can be spoilt before."""
    rig = Rig.on(fake)
    yield rig
    await rig.obs.stop()


def told(lines: Lines, word: str) -> list[str]:
    return [line["event"] for line in lines if word in line["event"]]


async def lost(rig: Rig, times: int = 1) -> str:
    await rig.until(lambda: rig.count(ev.ObsLost) >= times)
    return str(rig.last(ev.ObsLost).reason)


# -- up ------------------------------------------------------------------------------------------------------------


async def test_ready_comes_with_the_inventory_and_obs_is_known_by_then(lines: Lines, fake: FakeObs, cold: Rig) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "GMOTHERSTREAM_7", "ffmpeg_source", PLAYS_ALICE)
    assert (cold.obs.info.connected, cold.obs.info.version) == (False, None)
    cold.obs.start()
    await cold.up()
    inventory = ev.Inventory((ev.OwnInput("GMOTHERSTREAM_7", True, "live/alice"),), ())
    ready = cold.last(ev.ObsReady)
    assert len([event for event in cold.events if not isinstance(event, ev.InventoryRead)]) == 1
    assert items_of(ready.inventory) == inventory
    assert (ready.at, ready.fallback, ready.unplayable) == (0.0, True, ("hevc", "av1", "vp9"))
    info = cold.obs.info
    assert (info.connected, info.version, info.websocket) == (True, "29.0.2", "5.1.0")
    assert (info.source_kind, info.reason) == ("gstreamer-source", "")
    assert told(lines, "OBS") == [f"Connected to OBS 29.0.2 (obs-websocket 5.1.0) at 127.0.0.1:{fake.port}"]


async def test_obs_not_running_at_start_is_said_once_and_it_is_found_when_it_comes(
    lines: Lines, fake: FakeObs, cold: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def uniform(least: float, most: float) -> float:
        waits.append(most)
        return least

    monkeypatch.setattr("daemon.obs.supervisor.random.uniform", uniform)
    await fake.stop()
    cold.obs.start()
    await until(lambda: len(waits) >= 5)
    # From the first wait it doubles up to the most.
    assert waits[:5] == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert cold.events == []
    with pytest.raises(ObsGone, match="OBS is not connected: connection refused"):
        await cold.obs.inventory()
    await fake.start()
    await cold.up()
    assert len(told(lines, "OBS cannot be reached")) == 1
    assert len(told(lines, "Connected to OBS")) == 1


async def test_the_default_port_is_that_of_obs() -> None:
    assert Endpoint("scene").port == DEFAULT_PORT == 4455


def test_the_password_is_in_no_repr() -> None:
    assert "s3cret" not in repr(Endpoint("scene", password="s3cret"))


# -- settling ------------------------------------------------------------------------------------------------------


async def test_an_obs_that_still_loads_is_waited_for(lines: Lines, fake: FakeObs, cold: Rig) -> None:
    fake.faults.not_ready = True
    cold.obs.start()
    await fake.wait_for(lambda: told(lines, "OBS is not ready"))
    assert cold.events == []
    fake.faults.not_ready = False
    await cold.up()
    [line] = told(lines, "OBS is not ready")
    assert line.startswith("OBS is not ready: OBS is not ready to perform the request. Waiting")


async def test_a_scene_that_is_not_there_is_named_and_waited_for(lines: Lines, cold: Rig, fake: FakeObs) -> None:
    fake.studio.rename("MOTHERSTREAM", "something else")
    cold.obs.start()
    await fake.wait_for(lambda: told(lines, "OBS is not ready"))
    fake.studio.rename("something else", "MOTHERSTREAM")
    await cold.up()
    [line] = told(lines, "OBS is not ready")
    assert "it has no scene 'MOTHERSTREAM': create it, or set obs.scene" in line


async def test_a_renderer_that_stands_still_from_the_start_is_not_ready(lines: Lines, cold: Rig, fake: FakeObs) -> None:
    fake.stall()
    cold.obs.start()
    await until(lambda: told(lines, "renderer has stalled"))
    assert cold.events == []
    fake.unstall()
    await cold.up()


async def test_nothing_is_asked_while_the_scene_collection_changes(fake: FakeObs, rig: Rig) -> None:
    fake.studio.begin_collection_change("another")
    assert await lost(rig) == "OBS is changing its scene collection"
    with pytest.raises(ObsGone):
        await rig.obs.create_input("GMOTHERSTREAM_1", ALICE)
    asked = len(fake.calls)
    fake.studio.finish_collection_change()
    await fake.wait_for(lambda: len(fake.calls) > asked)
    fake.studio.create_scene("MOTHERSTREAM")
    await rig.up()
    assert items_of(rig.last(ev.ObsReady).inventory) == ev.Inventory(others=())


@pytest.mark.parametrize("how", ["removed", "renamed"])
async def test_without_its_scene_obs_is_lost_until_it_is_there_again(fake: FakeObs, rig: Rig, how: str) -> None:
    if how == "removed":
        fake.studio.remove_scene("MOTHERSTREAM")
    else:
        fake.studio.rename("MOTHERSTREAM", "other")
    assert await lost(rig) == f"the scene 'MOTHERSTREAM' was {how}"
    fake.studio.create_scene("MOTHERSTREAM")
    await rig.up()
    assert fake.clients == 1


# -- down ----------------------------------------------------------------------------------------------------------


async def test_a_lost_connection_is_told_once_and_made_anew(lines: Lines, fake: FakeObs, rig: Rig) -> None:
    fake.drop()
    assert await lost(rig) == "WebSocket connection closed"
    await rig.up()
    connected = [type(event) for event in rig.events if not isinstance(event, ev.InventoryRead)]
    assert connected == [ev.ObsReady, ev.ObsLost, ev.ObsReady]
    assert rig.obs.losses == 1
    assert told(lines, "Lost OBS") == ["Lost OBS: WebSocket connection closed"]


async def test_obs_restarted_with_leftovers_is_read_afresh(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    await fake.restart(leftovers=True, abrupt=True)
    await rig.until(lambda: rig.count(ev.ObsReady) == 2)
    assert rig.last(ev.ObsReady).inventory.inputs == (ev.OwnInput("GMOTHERSTREAM_1", True, "live/alice"),)


@pytest.mark.parametrize("how", [Spoil.NO_OP, Spoil.NOT_A_MAP])
async def test_the_silent_death_of_the_receive_loop_is_mended_by_a_new_connection(
    fake: FakeObs, rig: Rig, how: Spoil
) -> None:
    await fake.poison(how)
    assert "something that cannot be understood" in await lost(rig)
    await rig.up()
    assert items_of(await rig.obs.inventory()) == ev.Inventory(others=())


async def test_answers_that_lack_what_is_needed_do_not_end_the_supervision(
    lines: Lines, fake: FakeObs, cold: Rig
) -> None:
    fake.faults.spoil("GetVersion", Spoil.EMPTY_DATA)
    fake.faults.spoil("GetVideoSettings", Spoil.EMPTY_DATA)
    fake.faults.spoil("GetSceneList", Spoil.EMPTY_DATA, times=3)
    cold.obs.start()
    await cold.up()
    assert [line["reason"] for line in lines if "cannot be reached" in line["event"]] == [
        "GetSceneList: OBS's answer makes no sense (KeyError)"
    ]
    assert [line for line in lines if "exc_info" in line] == []


async def test_a_renderer_that_dies_behind_a_live_socket_is_a_loss(fake: FakeObs, rig: Rig) -> None:
    fake.stall()
    assert await lost(rig) == "OBS is connected but unresponsive: its renderer has stalled"
    fake.unstall()
    await rig.up()


async def test_an_obs_that_does_not_answer_any_more_is_a_loss(fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"request_timeout": 0.2}) as rig:
        await rig.up()
        fake.faults.listens = False
        assert await lost(rig) == "OBS is connected but unresponsive: it does not answer"
        fake.faults.listens = True
        await rig.up()


async def test_one_heartbeat_without_a_new_frame_is_no_loss(fake: FakeObs, rig: Rig) -> None:
    asked = len(fake.requested("GetStats"))
    fake.stall()
    await fake_beats(fake, asked + 1)
    fake.unstall()
    await fake_beats(fake, asked + 8)
    assert rig.count(ev.ObsLost) == 0


async def fake_beats(fake: FakeObs, beats: int) -> None:
    """Wait until so many heartbeats were answered since the start."""
    await until(lambda: len(fake.requested("GetStats")) >= beats)


async def test_obs_own_goodbye_is_a_loss(fake: FakeObs, rig: Rig) -> None:
    message = {"eventType": "ExitStarted", "eventIntent": 1, "eventData": {}}
    await fake.send_raw(pack({"op": 5, "d": message}))
    assert await lost(rig) == "OBS is shutting down"
    await rig.up()


async def test_stopping_says_nothing_more_and_leaves_the_picture(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    said = list(rig.events)
    await rig.obs.stop()
    await fake.wait_for(lambda: fake.clients == 0)
    assert rig.events == said
    assert fake.program.on_air == "GMOTHERSTREAM_1"


# -- passwords, kicks, and a reconnect by hand -----------------------------------------------------------------------


async def test_a_wrong_password_is_said_loudly_once_and_not_hammered(lines: Lines, fake: FakeObs) -> None:
    rig = Rig.on(fake, obs={"password": "wrong"})
    async with rig:
        await fake.wait_for(lambda: told(lines, "password"))
        [line] = [line for line in lines if "password" in line["event"]]
        assert line["event"].startswith("OBS rejects the password: set obs.password to the one that OBS shows")
        assert line["log_level"] == "error"
        assert "wrong" not in str(lines)
        # The next attempt is half a minute away, unless it is asked for, with what the configuration says by then.
        rig.config = rig.config.model_copy(update={"obs": Rig.on(fake).config.obs})
        rig.obs.force_reconnect()
        await rig.up()


async def test_a_password_that_is_not_set_is_told_so(lines: Lines, fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"password": ""}):
        await fake.wait_for(lambda: told(lines, "obs.password (it is empty)"))


async def test_after_a_kick_it_stays_away_until_asked_to_come_back(lines: Lines, fake: FakeObs, rig: Rig) -> None:
    await fake.kick()
    assert await lost(rig) == "the session was ended in OBS"
    await fake.wait_for(lambda: told(lines, "not reconnecting"))
    assert fake.clients == 0
    rig.obs.force_reconnect()
    await rig.up()
    assert fake.clients == 1


async def test_a_forced_reconnect_is_a_loss_and_a_new_connection(fake: FakeObs, rig: Rig) -> None:
    rig.obs.force_reconnect()
    assert await lost(rig) == "a reconnect was requested"
    await rig.up()
    assert fake.clients == 1


async def test_a_forced_reconnect_does_not_wait_out_the_backoff(fake: FakeObs) -> None:
    await fake.stop()
    rig = Rig.on(fake, pace=replace(QUICK, retry_first=30.0, retry_most=60.0))
    with capture_logs() as lines:
        async with rig:
            await until(lambda: told(lines, "OBS cannot be reached"))
            await fake.start()
            rig.obs.force_reconnect()
            await rig.up()


# -- what is under way when OBS goes ---------------------------------------------------------------------------------


async def test_a_call_under_way_fails_at_once_and_the_watches_end_without_a_word(fake: FakeObs, rig: Rig) -> None:
    fake.streams.default = Stream(None)
    await rig.obs.create_input("GMOTHERSTREAM_1", ALICE)
    seen = rig.watch("GMOTHERSTREAM_1")
    fake.faults.add(Fault("CreateInput", executes=False, answers=False))
    creating = asyncio.create_task(rig.obs.create_input("GMOTHERSTREAM_2", ALICE))
    await fake.wait_for(lambda: fake.faults.rules[0].hits)
    fake.drop()
    with pytest.raises(ObsGone, match="WebSocket connection closed"):
        await creating
    await rig.until(lambda: rig.count(ev.ObsReady) == 2)
    asked = len(fake.requested("GetMediaInputStatus"))
    await fake_beats(fake, len(fake.requested("GetStats")) + 3)
    assert len(fake.requested("GetMediaInputStatus")) == asked
    assert (seen.ready, seen.failed, seen.stalled) == ([], [], [])


async def test_a_change_by_hand_while_the_inventory_is_read_is_not_missed(fake: FakeObs, cold: Rig) -> None:
    scene = fake.studio.scene("MOTHERSTREAM")
    fake.studio.create_input(scene, "GMOTHERSTREAM_1", "ffmpeg_source", PLAYS_ALICE, enabled=False)
    fake.faults.after("GetInputSettings", lambda: fake.studio.show("GMOTHERSTREAM_1"))
    cold.obs.start()
    await cold.until(lambda: cold.count(ev.InventoryRead))
    first = ev.Inventory((ev.OwnInput("GMOTHERSTREAM_1", False, "live/alice"),), ())
    assert items_of(cold.last(ev.ObsReady).inventory) == first
    assert cold.last(ev.InventoryRead).inventory.inputs[0].shown
