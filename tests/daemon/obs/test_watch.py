"""The watch over an input, on a fake OBS."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from daemon.core.readings import Look
from daemon.obs.readiness import STILL, WATCHING, Judge, Observation
from daemon.obs.watch import next_beat
from statemachine import events as ev
from tests.daemon.obs.rig import ALICE, Rig
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_media import StreamMedium
from tests.support import until

NAME = "GMOTHERSTREAM_1"


async def test_the_proof_comes_with_the_first_frames_and_in_the_words_that_users_grep_for(
    fake: FakeObs, rig: Rig
) -> None:
    fake.streams[ALICE] = Stream(0.3)
    began = time.monotonic()
    with capture_logs() as lines:
        await rig.obs.create_input(NAME, ALICE)
        seen = rig.watch(NAME)
        await rig.until(lambda: seen.ready)
    assert time.monotonic() - began >= 0.3
    assert fake.inputs[NAME].has_picture
    texts = [line["event"] for line in lines]
    assert f"Source '{NAME}' state: OBS_MEDIA_STATE_PLAYING" in texts
    assert texts[-1] == f"Source '{NAME}' is PLAYING after {seen.ready[0]:.2f}s"
    assert lines[-1]["input"] == NAME


async def test_buffering_is_told_as_obs_tells_it(fake: FakeObs, rig: Rig) -> None:
    fake.studio.timing.playing_after = 3600.0
    fake.streams[ALICE] = Stream(3600.0, buffering=3600.0)

    def states() -> list[str]:
        return [line["state"].removeprefix("OBS_MEDIA_STATE_") for line in lines if "state" in line]

    with capture_logs() as lines:
        await rig.obs.create_input(NAME, ALICE)
        rig.watch(NAME)
        # Each state ends once it was looked at, however busy the machine is.
        await until(lambda: states() == ["OPENING"])
        medium = fake.inputs[NAME].medium
        assert isinstance(medium, StreamMedium)
        medium.hasten("playing")
        await until(lambda: states() == ["OPENING", "BUFFERING"])
        medium.hasten("buffered")
        await until(lambda: states() == ["OPENING", "BUFFERING", "PLAYING"])


@pytest.mark.parametrize("kind", ["gstreamer", "ffmpeg"])
async def test_an_input_that_never_delivers_a_frame_is_never_ready_although_it_says_playing(
    fake: FakeObs, kind: str
) -> None:
    fake.streams[ALICE] = Stream(None)
    async with Rig.on(fake, sources={"kind": kind}) as rig:
        await rig.up()
        await rig.obs.create_input(NAME, ALICE)
        seen = rig.watch(NAME)
        await fake.wait_for(lambda: fake.inputs[NAME].state == "OBS_MEDIA_STATE_PLAYING")
        looks = len(fake.requested("GetMediaInputStatus"))
        await fake.wait_for(lambda: len(fake.requested("GetMediaInputStatus")) >= looks + 10)
        assert (seen.ready, seen.failed) == ([], [])


async def test_a_publisher_that_dies_leaves_playing_for_ever_and_stands_still(fake: FakeObs, rig: Rig) -> None:
    stream = fake.streams[ALICE] = Stream(0.05, buffer=0.3)
    seen = await rig.on_air(NAME, ALICE)
    stream.frozen = True
    await rig.until(lambda: seen.stalled)
    assert seen.stalled[0] >= STILL
    assert fake.inputs[NAME].state == "OBS_MEDIA_STATE_PLAYING"
    stream.frozen = False
    await rig.until(lambda: seen.resumed)
    assert seen.failed == []


async def test_an_input_removed_by_hand_before_its_proof_has_failed(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(None)
    await rig.obs.create_input(NAME, ALICE)
    seen = rig.watch(NAME)
    fake.studio.remove_input(NAME)
    await rig.until(lambda: seen.failed)
    assert seen.failed == ["it no longer exists in OBS"]


async def test_one_that_was_proven_and_is_removed_by_hand_is_for_the_inventory_to_tell(fake: FakeObs, rig: Rig) -> None:
    fake.faults.drop_events()
    seen = await rig.on_air(NAME, ALICE)
    read = rig.count(ev.InventoryRead)
    fake.studio.remove_input(NAME)
    await rig.until(lambda: rig.count(ev.InventoryRead) > read and not rig.last(ev.InventoryRead).inventory.inputs)
    assert seen.failed == []


async def test_an_input_taken_out_of_the_scene_before_its_proof_has_failed(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(None)
    await rig.obs.create_input(NAME, ALICE)
    fake.studio.create_input(fake.studio.create_scene("other"), "keeper", "color_source_v3", {})
    fake.studio.add_item(fake.studio.scene("other"), fake.studio.input(NAME))
    seen = rig.watch(NAME)
    await fake.wait_for(lambda: fake.requested("GetSceneItemTransform"))
    fake.studio.remove_item(fake.studio.scene("MOTHERSTREAM"), fake.item(NAME))
    await rig.until(lambda: seen.failed)


async def test_an_item_taken_out_and_put_in_again_is_found(fake: FakeObs, rig: Rig) -> None:
    stream = fake.streams[ALICE] = Stream(None)
    await rig.obs.create_input(NAME, ALICE)
    scene = fake.studio.scene("MOTHERSTREAM")
    seen = rig.watch(NAME)
    await fake.wait_for(lambda: fake.requested("GetSceneItemTransform"))
    old = fake.item(NAME)
    fake.studio.add_item(scene, fake.studio.input(NAME), enabled=False)
    fake.studio.remove_item(scene, old)
    stream.first_frame_after = 0.05
    await rig.until(lambda: seen.ready)


async def test_an_adopted_input_needs_no_proof_and_its_state_is_no_news(fake: FakeObs, rig: Rig) -> None:
    stream = fake.streams[ALICE] = Stream(0.05, buffer=0.1)
    await rig.obs.create_input(NAME, ALICE)
    await fake.wait_for(lambda: fake.inputs[NAME].has_picture)
    with capture_logs() as lines:
        seen = rig.watch(NAME, proven=True)
        await fake.wait_for(lambda: len(fake.requested("GetMediaInputStatus")) >= 3)
        stream.frozen = True
        await rig.until(lambda: seen.stalled)
    assert (seen.ready, lines) == ([], [])


async def test_obs_being_slow_is_not_held_against_the_input(fake: FakeObs, rig: Rig) -> None:
    fake.faults.lose("GetMediaInputStatus", executes=False, times=1)
    fake.faults.refuse("GetMediaInputStatus", 207, times=2)
    seen = await rig.ready(NAME, ALICE)
    assert seen.failed == []


async def test_no_look_is_taken_after_a_removal_was_asked_for_nor_is_one_under_way(fake: FakeObs, rig: Rig) -> None:
    await rig.ready(NAME, ALICE)
    slow = fake.faults.delay("GetMediaInputStatus", 0.2)
    await until(lambda: slow.hits)
    await rig.obs.remove_input(NAME)
    kinds = [kind for kind, _ in fake.requests]
    assert "GetMediaInputStatus" not in kinds[kinds.index("RemoveSceneItem") :]


async def test_a_second_watch_takes_the_place_of_the_first(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = stream = Stream(None)
    await rig.obs.create_input(NAME, ALICE)
    first, second = rig.watch(NAME), rig.watch(NAME)
    stream.first_frame_after = 0.05
    await rig.until(lambda: second.ready)
    assert first.ready == []


async def test_parking_ends_the_watch(fake: FakeObs, rig: Rig) -> None:
    seen = await rig.on_air(NAME, ALICE)
    await rig.obs.park_input(NAME)
    looks = len(fake.requested("GetMediaInputStatus"))
    beats = len(fake.requested("GetStats"))
    await until(lambda: len(fake.requested("GetStats")) > beats + 3)
    assert len(fake.requested("GetMediaInputStatus")) == looks
    assert (seen.stalled, seen.failed) == ([], [])


async def test_looks_are_never_more_than_twenty_a_second(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(None)
    await rig.obs.create_input(NAME, ALICE)
    loop = asyncio.get_running_loop()
    began = loop.time()
    rig.watch(NAME)
    await until(lambda: len(fake.requested("GetMediaInputStatus")) >= 11)
    assert loop.time() - began >= 10 / 20 * 0.95


async def test_a_look_that_fails_in_an_unforeseen_way_is_told_once_and_the_picture_is_watched_on(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = fake.streams[ALICE] = Stream(0.05, buffer=0.1)
    count, see = [0], Judge.see

    def fails(judge: Judge, look: Look) -> tuple[Observation, ...]:
        count[0] += 1
        if count[0] <= 3:
            raise RuntimeError("never foreseen")
        return see(judge, look)

    monkeypatch.setattr(Judge, "see", fails)
    with capture_logs() as lines:
        seen = await rig.on_air(NAME, ALICE)
        stream.frozen = True
        await rig.until(lambda: seen.stalled)
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        f"What OBS reports about '{NAME}' cannot be interpreted; retrying"
    ]


def test_the_next_look_is_later_than_now_also_at_the_very_moment_of_one() -> None:
    """Otherwise the watch looked again and again, and a clock that stands still meanwhile stood for good."""
    moments = [number * WATCHING for number in range(20_000)]
    assert all(now < next_beat(now, WATCHING) <= now + 2 * WATCHING for now in moments)
    assert any((now // WATCHING + 1) * WATCHING == now for now in moments), "which is what a plain rounding says"
