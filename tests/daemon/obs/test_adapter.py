"""Inputs made, aimed anew and taken away, on a fake OBS."""

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.core.ports import NothingToAim, ObsError, ObsPort, ObsRefused, ObsTimeout
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs, Stream
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def port(rig: Rig) -> ObsPort:
    """Whether the adapter is what the executor asks for is said by the type checker."""
    return rig.obs


# -- creation ------------------------------------------------------------------------------------------------------


async def test_an_input_is_created_hidden_and_plays_all_the_same(fake: FakeObs, rig: Rig) -> None:
    mark = fake.program.mark()
    await port(rig).create_input(ONE, ALICE)
    await fake.wait_for(lambda: fake.inputs[ONE].has_picture)
    assert not fake.item(ONE).enabled
    assert {shot.own for shot in fake.program.shots[mark:]} == {()}


async def test_without_the_plugin_auto_makes_an_ffmpeg_input() -> None:
    async with FakeObs(gstreamer=False, fps=100) as fake:
        fake.streams.default = Stream(0.05)
        async with Rig.on(fake) as rig:
            await rig.up()
            await rig.ready(ONE, ALICE)
            assert fake.inputs[ONE].kind.name == rig.obs.info.source_kind == "ffmpeg_source"


async def test_a_missing_plugin_is_told_in_the_words_of_the_log(fake: FakeObs) -> None:
    async with FakeObs(gstreamer=False) as bare, Rig.on(bare, sources={"kind": "gstreamer"}) as rig:
        await rig.up()
        with pytest.raises(ObsRefused, match=r"^Input kind not found$") as refused:
            await rig.obs.create_input(ONE, ALICE)
        assert refused.value.code == 605
        assert ONE not in bare.inputs


async def test_a_name_that_is_taken_is_refused(rig: Rig) -> None:
    await rig.obs.create_input(ONE, ALICE)
    with pytest.raises(ObsRefused) as refused:
        await rig.obs.create_input(ONE, BOB)
    assert refused.value.code == 601


async def test_a_url_outside_the_allow_list_is_refused_without_being_quoted_and_nothing_is_created(
    fake: FakeObs, rig: Rig
) -> None:
    with pytest.raises(ObsError, match="URL holds characters") as refused:
        await rig.obs.create_input(ONE, ALICE + '?key=s3cret" ! filesink location="/tmp/x')
    assert "s3cret" not in str(refused.value)
    assert fake.requested("CreateInput") == []


async def test_a_creation_without_an_answer_that_was_carried_out_has_succeeded(fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        fake.faults.lose("CreateInput", executes=True)
        await rig.obs.create_input(ONE, ALICE)
        assert ONE in fake.inputs
        assert len(fake.requested("CreateInput")) == 1


async def test_a_creation_that_is_carried_out_late_is_not_repeated(fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        fake.faults.delay("CreateInput", 1.5)
        await rig.obs.create_input(ONE, ALICE)
        assert len(fake.requested("CreateInput")) == 1


async def test_a_creation_that_was_not_carried_out_has_failed(fake: FakeObs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.obs.inputs.REREAD", 0.01)
    async with Rig.on(fake, obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        fake.faults.lose("CreateInput", executes=False)
        with pytest.raises(ObsTimeout, match="CreateInput"):
            await rig.obs.create_input(ONE, ALICE)
        assert ONE not in fake.inputs


# -- pooled and static -----------------------------------------------------------------------------------------------


async def test_a_parked_input_is_hidden_idle_and_can_be_aimed_anew(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=0.0)
    await rig.obs.park_input(ONE)
    assert (fake.item(ONE).enabled, fake.inputs[ONE].state) == (False, "OBS_MEDIA_STATE_STOPPED")
    await rig.obs.create_input(ONE, BOB, reuse=True)
    seen = rig.watch(ONE)
    await rig.until(lambda: seen.ready)
    assert BOB in json.dumps(fake.inputs[ONE].settings)
    assert not fake.item(ONE).enabled
    assert len(fake.requested("CreateInput")) == 2


async def test_aiming_one_that_is_not_there_creates_it(fake: FakeObs, rig: Rig) -> None:
    await rig.obs.create_input(ONE, ALICE, reuse=True)
    assert not fake.item(ONE).enabled


async def test_aiming_one_that_was_taken_out_of_the_scene_puts_it_in_again(fake: FakeObs, rig: Rig) -> None:
    await rig.obs.create_input(ONE, ALICE)
    other = fake.studio.create_scene("other")
    fake.studio.add_item(other, fake.studio.input(ONE))
    fake.studio.remove_item(fake.studio.scene("MOTHERSTREAM"), fake.item(ONE))
    await rig.obs.create_input(ONE, BOB, reuse=True)
    assert not fake.item(ONE).enabled


async def test_a_media_source_that_is_parked_is_closed_and_is_aimed_without_ending() -> None:
    async with FakeObs(gstreamer=False, fps=100) as fake:
        fake.streams.default = Stream(0.05)
        async with Rig.on(fake) as rig:
            await rig.up()
            await rig.ready(ONE, ALICE)
            await rig.obs.park_input(ONE)
            assert fake.requested("SetInputSettings")[-1]["inputSettings"]["is_local_file"] is True
            assert fake.requested("TriggerMediaInputAction") == []
            await rig.obs.create_input(ONE, BOB, reuse=True)
            seen = rig.watch(ONE)
            await rig.until(lambda: seen.ready or seen.failed)
            assert not seen.failed


async def test_one_of_another_kind_is_not_aimed(fake: FakeObs, rig: Rig) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), ONE, "color_source_v3", {})
    with pytest.raises(ObsRefused, match="of another kind, color_source_v3"):
        await rig.obs.create_input(ONE, ALICE, reuse=True)


@pytest.mark.parametrize(
    ("kind", "settings", "aimed"),
    [
        (
            "ffmpeg_source",
            {"input": ALICE, "buffering_mb": 7},
            {"input": BOB, "buffering_mb": 7, "is_local_file": False, "restart_on_activate": False},
        ),
        (
            "gstreamer-source",
            {"pipeline": f"rtmpsrc location={ALICE} ! decodebin name=d", "latency": 3},
            {"pipeline": f'rtmpsrc location="{BOB}" ! decodebin name=d', "latency": 3},
        ),
    ],
)
async def test_the_static_input_is_aimed_at_the_stream_and_restarted(
    fake: FakeObs, rig: Rig, kind: str, settings: dict[str, Any], aimed: dict[str, Any]
) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "STATIC", kind, settings, enabled=True)
    await rig.obs.restart_input("STATIC", BOB)
    answer = await rig.obs.call("GetInputSettings", {"inputName": "STATIC"})
    assert {key: answer["inputSettings"].get(key) for key in aimed} == aimed
    # Either opens anew when its settings are set, and a STOP would make ffmpeg_source hold OBS up.
    assert fake.requested("TriggerMediaInputAction") == []


async def test_a_media_source_that_plays_is_closed_before_it_is_aimed_and_does_not_end(fake: FakeObs, rig: Rig) -> None:
    settings = {"input": ALICE, "is_local_file": False, "restart_on_activate": False}
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "STATIC", "ffmpeg_source", settings, enabled=True)
    await fake.wait_for(lambda: fake.inputs["STATIC"].has_picture)
    await rig.obs.restart_input("STATIC", BOB)
    closing, opening = fake.requested("SetInputSettings")
    assert closing["inputSettings"] == {"is_local_file": True, "local_file": ""}
    assert opening["inputSettings"]["input"] == BOB
    seen = rig.watch("STATIC")
    await until(lambda: seen.ready or seen.failed)
    assert not seen.failed
    assert fake.inputs["STATIC"].medium.state == "OBS_MEDIA_STATE_PLAYING"


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("color_source_v3", {}, "cannot play a stream"),
        ("gstreamer-source", {"pipeline": "videotestsrc ! video."}, "no RTMP URL"),
    ],
)
async def test_where_there_is_nothing_to_aim_the_static_input_is_left_alone(
    fake: FakeObs, rig: Rig, kind: str, settings: dict[str, Any], why: str
) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "STATIC", kind, settings, enabled=True)
    with pytest.raises(NothingToAim, match=why):
        await rig.obs.restart_input("STATIC", BOB)
    with pytest.raises(NothingToAim, match="there is no input 'NOBODY'"):
        await rig.obs.restart_input("NOBODY", BOB)
    assert fake.requested("TriggerMediaInputAction") == fake.requested("SetInputSettings") == []


async def test_one_item_is_shown_and_hidden_by_name(fake: FakeObs, rig: Rig) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "SLATE", "color_source_v3", {}, enabled=False)
    await rig.obs.set_shown("SLATE", True)
    assert fake.item("SLATE").enabled
    await rig.obs.set_shown("SLATE", False)
    assert not fake.item("SLATE").enabled
    with pytest.raises(ObsRefused, match="'nobody' is not in the scene"):
        await rig.obs.set_shown("nobody", True)


# -- removal -------------------------------------------------------------------------------------------------------


async def test_a_removal_is_over_when_the_name_is_free() -> None:
    async with FakeObs(fps=100, removal_delay=0.3) as fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.remove_input(ONE)
        assert ONE not in fake.inputs


async def test_one_that_is_gone_already_is_removed(rig: Rig) -> None:
    await rig.obs.remove_input("GMOTHERSTREAM_9")
    assert (await rig.obs.inventory()).inputs == ()


async def test_a_removal_without_an_answer_is_judged_by_the_list(fake: FakeObs) -> None:
    async with Rig.on(fake, obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        fake.faults.lose("RemoveSceneItem", executes=True)
        await rig.obs.remove_input(ONE)
        assert ONE not in fake.inputs


async def test_an_input_goes_although_another_scene_is_the_program(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    fake.studio.create_scene("break")
    fake.studio.set_program("break")
    await rig.obs.remove_input(ONE)
    assert ONE not in fake.inputs


async def test_an_obs_that_leaks_removed_inputs_is_told_on(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.inputs.REMOVAL", 0.2)
    await rig.obs.create_input(ONE, ALICE)
    fake.studio.leak_inputs = True
    with pytest.raises(ObsError, match=r"'GMOTHERSTREAM_1' is still listed after its removal .*OBS#12919"):
        await rig.obs.remove_input(ONE)


async def test_an_input_that_was_asked_to_go_is_not_queried_for_people_either() -> None:
    async with FakeObs(fps=100) as fake, Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        # It is gone from OBS at once, and the adapter hears of that as late as this.
        fake.faults.delay("GetInputList", 1.0)
        assert (await rig.obs.media_status(ONE))["mediaState"].startswith("OBS_MEDIA_STATE_")
        removing = asyncio.create_task(rig.obs.remove_input(ONE))
        await until(lambda: fake.requested("RemoveSceneItem"))
        with pytest.raises(ObsRefused, match="is being removed"):
            await rig.obs.media_status(ONE)
        await removing
        with pytest.raises(ObsRefused) as gone:
            await rig.obs.media_status(ONE)
        assert gone.value.code == 600


# -- all together --------------------------------------------------------------------------------------------------


async def test_hand_over_after_hand_over_is_seamless_and_leaves_nothing_behind(fake: FakeObs, rig: Rig) -> None:
    fake.faults.jitter = 0.01
    for name in ("base", "logo", "text"):
        fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), name, "color_source_v3", {})
    await rig.on_air(ONE, ALICE)
    mark = fake.program.mark()
    for number in range(2, 12):
        incoming, outgoing = f"GMOTHERSTREAM_{number}", f"GMOTHERSTREAM_{number - 1}"
        await rig.obs.create_input(incoming, (ALICE, BOB)[number % 2])
        assert await rig.obs.place_input(incoming, 2) == 2
        seen = rig.watch(incoming)
        await rig.until(lambda seen=seen: seen.ready)  # type: ignore[misc]  # bound as it is now
        await rig.obs.cut(show=incoming, hide=(outgoing,), also_show=None, fade=0.0)
        await rig.obs.remove_input(outgoing)
    fake.program.assert_seamless(mark)
    assert len(fake.program.cuts(mark)) == 10
    assert [item.name for item in fake.scene_items()] == ["base", "GMOTHERSTREAM_11", "logo", "text"]
    assert fake.studio.lost_pipelines == 0


async def test_no_key_is_in_any_log_line_or_input_name(fake: FakeObs, rig: Rig) -> None:
    with capture_logs() as lines:
        await rig.ready(ONE, ALICE + "?key=canary")
        await rig.obs.place_input(ONE, 5)
        await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
        await rig.obs.set_shown(ONE, False)
        await rig.obs.remove_input(ONE)
        with pytest.raises(ObsError):
            await rig.obs.create_input(TWO, ALICE + "?key=canary canary")
    assert lines
    assert "canary" not in repr(lines)
    assert "canary" not in json.dumps(await rig.obs.list_inputs())
