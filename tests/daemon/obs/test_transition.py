"""What the viewer sees: cuts, repairs, toggles and fades on a fake OBS that records its program."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from daemon.core.ports import ObsError, ObsGone, ObsRefused, ObsTimeout
from statemachine import events as ev
from tests.daemon.obs.rig import ALICE, BOB, QUICK, Rig
from tests.fakes import FakeObs
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


async def both(rig: Rig) -> None:
    """One on air, two ready."""
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)


async def cut(rig: Rig, *, show: str | None = TWO, hide: tuple[str, ...] = (ONE,), fade: float = 0.0) -> None:
    await rig.obs.cut(show=show, hide=hide, also_show=None, fade=fade)


def slate(fake: FakeObs, *, shown: bool = False) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "SLATE", "color_source_v3", {}, enabled=shown)


# -- the cut -------------------------------------------------------------------------------------------------------


async def test_a_cut_changes_the_picture_in_one_frame(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    mark = fake.program.mark()
    await cut(rig)
    assert [(each.outgoing, each.incoming, each.clean) for each in fake.program.cuts(mark)] == [(ONE, TWO, True)]
    fake.program.assert_seamless(mark)


async def known(rig: Rig) -> None:
    """The scene has been read since it was last changed."""
    await until(lambda: rig.obs._known.items is not None)


async def test_a_scene_that_is_known_is_not_read_before_the_cut(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    await known(rig)
    asked = len(fake.requested("GetSceneItemList"))
    counted: list[int] = []
    fake.faults.after("SetSceneItemEnabled", lambda: counted.append(len(fake.requested("GetSceneItemList"))))
    await cut(rig)
    assert counted == [asked]
    assert fake.program.now.own == (TWO,)


async def test_what_is_known_of_the_scene_and_is_no_longer_so_does_no_harm(fake: FakeObs, rig: Rig) -> None:
    slate(fake)
    await both(rig)
    await known(rig)
    # All of it in the moment before the cut: OBS's events are on their way.
    fake.studio.show("SLATE")
    fake.studio.hide(ONE)
    fake.studio.show(TWO)
    fake.studio.hide(TWO)
    await cut(rig, hide=(ONE, "SLATE"))
    assert [layer.source for layer in fake.program.now.layers] == [TWO]
    await known(rig)
    fake.studio.remove_input(ONE)
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), ONE, "ffmpeg_source", {}, enabled=False)
    await cut(rig, show=ONE, hide=(TWO, "SLATE"))
    assert fake.program.now.own == (ONE,)


async def test_an_outgoing_that_was_just_put_into_a_group_goes_in_the_same_frame(fake: FakeObs, rig: Rig) -> None:
    slate(fake)
    await both(rig)
    await known(rig)
    mark = fake.program.mark()
    # OBS tells of it as of a new order of its items, and that is on its way.
    fake.studio.group(fake.studio.scene("MOTHERSTREAM"), "GROUP", [fake.item(ONE)])
    await cut(rig, hide=(ONE, "SLATE"))
    assert fake.program.now.own == (TWO,)
    assert fake.program.doubles(mark) == []


@pytest.mark.parametrize("by_hand", ["group", "gone"])
async def test_where_what_is_known_does_not_do_the_scene_is_read(fake: FakeObs, rig: Rig, by_hand: str) -> None:
    await both(rig)
    if by_hand == "group":
        fake.studio.group(fake.studio.scene("MOTHERSTREAM"), "GROUP", [fake.item(ONE)])
    else:
        fake.studio.remove_input(ONE)
    await known(rig)
    asked = len(fake.requested("GetSceneItemList"))
    await cut(rig)
    assert fake.program.now.own == (TWO,)
    assert len(fake.requested("GetSceneItemList")) > asked


async def test_show_comes_before_hide(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    await cut(rig)
    changes = [data["sceneItemEnabled"] for data in fake.requested("SetSceneItemEnabled")[-2:]]
    assert changes == [True, False]


async def test_the_log_says_it_in_the_words_that_users_grep_for(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    with capture_logs() as lines:
        await cut(rig)
    assert [(line["event"], line["input"]) for line in lines] == [
        (f"Hiding old source '{ONE}'", ONE),
        (f"Showing new source '{TWO}'", TWO),
    ]


async def test_the_slate_and_the_first_picture_change_in_the_same_frame(fake: FakeObs, rig: Rig) -> None:
    slate(fake, shown=True)
    await rig.ready(ONE, ALICE)
    mark = fake.program.mark()
    await cut(rig, show=ONE, hide=("SLATE",))
    assert [tuple(layer.source for layer in shot.layers) for shot in fake.program.shots[mark:]] == [("SLATE",), (ONE,)]
    await rig.obs.cut(show=None, hide=(ONE,), also_show="SLATE", fade=0.0)
    assert [layer.source for layer in fake.program.now.layers] == ["SLATE"]
    assert fake.program.blanks(mark, own=False) == []


async def test_an_outgoing_that_is_gone_counts_as_hidden(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.studio.remove_input(ONE)
    await cut(rig)
    assert fake.program.on_air == TWO


async def test_an_incoming_that_is_gone_leaves_the_outgoing_alone(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    mark = fake.program.mark()
    with pytest.raises(ObsRefused, match=f"'{TWO}' is not in the scene"):
        await cut(rig)
    assert fake.program.on_air == ONE
    assert fake.program.blanks(mark) == []


async def test_where_showing_fails_nothing_is_hidden(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.faults.refuse("SetSceneItemEnabled", 205, "gone")
    with pytest.raises(ObsRefused, match="gone"):
        await cut(rig)
    assert fake.program.on_air == ONE
    assert fake.item(ONE).enabled


async def test_a_hiding_that_failed_is_not_taken_for_a_cut(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    rule = fake.faults.refuse("SetSceneItemEnabled", 205, "gone")
    rule.when = lambda data: not data["sceneItemEnabled"]
    with pytest.raises(ObsRefused, match="gone"):
        await cut(rig)


async def test_nothing_to_show_and_nothing_to_hide_is_no_request(fake: FakeObs, rig: Rig) -> None:
    await cut(rig, show=None, hide=(ONE,))
    assert fake.requested("SetSceneItemEnabled") == []


async def test_a_renderer_that_stands_still_times_the_cut_out(fake: FakeObs) -> None:
    async with Rig.on(fake, pace=replace(QUICK, heartbeat_interval=30.0), obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        await both(rig)
        fake.stall()
        with pytest.raises(ObsTimeout):
            await cut(rig)
        assert fake.program.on_air == ONE
        fake.unstall()


# -- putting it right ----------------------------------------------------------------------------------------------


async def test_a_restore_shows_the_outgoing_and_hides_the_incoming(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.studio.hide(ONE)
    fake.studio.show(TWO)
    await rig.obs.restore(show=ONE, hide=(TWO,))
    assert fake.program.now.own == (ONE,)


async def test_a_cut_that_comes_late_is_undone_by_the_restore(fake: FakeObs) -> None:
    async with Rig.on(fake, pace=replace(QUICK, heartbeat_interval=30.0), obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        await both(rig)
        fake.stall()
        with pytest.raises(ObsTimeout):
            await cut(rig)
        asked = len(fake.requested("SetSceneItemEnabled"))
        restoring = asyncio.create_task(rig.obs.restore(show=ONE, hide=(TWO,)))
        fake.unstall()
        await restoring
        # The late cut, and its repair.
        assert len(fake.requested("SetSceneItemEnabled")) == asked + 4
        assert fake.program.now.own == (ONE,)


async def test_a_scene_that_is_right_already_is_left_alone(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    asked = len(fake.requested("SetSceneItemEnabled"))
    await rig.obs.restore(show=ONE, hide=(TWO,))
    assert len(fake.requested("SetSceneItemEnabled")) == asked


async def test_a_restore_counts_what_is_gone_as_hidden_and_not_as_shown(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.obs.restore(show=ONE, hide=("GMOTHERSTREAM_9",))
    with pytest.raises(ObsRefused, match="'GMOTHERSTREAM_9' is not in the scene"):
        await rig.obs.restore(show="GMOTHERSTREAM_9", hide=(ONE,))
    assert fake.program.on_air == ONE


async def test_a_restore_believes_only_a_second_reading(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.studio.show(TWO)
    fake.faults.after("SetSceneItemEnabled", lambda: fake.studio.show(TWO))
    with pytest.raises(ObsError, match="did not keep the change"):
        await rig.obs.restore(show=ONE, hide=(TWO,))


# -- the single-source way -----------------------------------------------------------------------------------------


async def test_a_toggle_hides_for_a_frame_and_shows(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    mark = fake.program.mark()
    await rig.obs.toggle_input(ONE)
    assert [shot.own for shot in fake.program.shots[mark:]] == [(ONE,), (), (ONE,)]


# -- the fade ------------------------------------------------------------------------------------------------------


def opacities(fake: FakeObs, mark: int) -> list[float]:
    """Of the incoming, in each shot since then that shows it."""
    shots = fake.program.shots[mark:]
    return [layer.opacity for shot in shots for layer in shot.layers if layer.source == TWO]


async def test_a_fade_crosses_without_a_blank_and_leaves_no_trace(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    mark = fake.program.mark()
    await cut(rig, fade=0.2)
    seen = opacities(fake, mark)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(set(seen)) >= 4
    assert fake.program.blanks(mark, rendered_only=True) == []
    assert fake.program.now.own == (TWO,)
    assert fake.inputs[TWO].filters == []
    assert (fake.inputs[ONE].volume, fake.inputs[TWO].volume) == (1.0, 1.0)


async def test_the_incoming_lies_above_the_outgoing_while_they_cross(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    await rig.obs.place_input(TWO, 0)
    mark = fake.program.mark()
    await cut(rig, fade=0.2)
    assert {shot.own for shot in fake.program.doubles(mark)} == {(ONE, TWO)}


async def test_sound_crosses_with_the_picture_and_at_even_power(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.studio.input(TWO).volume = 0.5
    await cut(rig, fade=0.2)
    levels: dict[str, list[float]] = {ONE: [], TWO: []}
    for data in fake.requested("SetInputVolume"):
        levels[data["inputName"]].append(float(data["inputVolumeMul"]))
    assert levels[TWO][0] == 0.0
    assert levels[TWO] == sorted(levels[TWO])
    assert levels[TWO][-1] == 0.5
    assert levels[ONE][:-1] == sorted(levels[ONE][:-1], reverse=True)
    for out, into in zip(levels[ONE][:-1], levels[TWO][1:], strict=False):
        assert out**2 + (into / 0.5) ** 2 == pytest.approx(1.0)


async def test_a_fade_has_as_many_steps_as_the_last_one_showed_to_fit_into_its_duration(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await both(rig)
    # The first takes a second for its two steps.
    clock = iter([100.0, 101.0, 200.0, 202.0])
    monkeypatch.setattr("daemon.obs.fade.monotonic", lambda: next(clock))
    await cut(rig, fade=0.1)
    assert len(fake.requested("SetSourceFilterSettings")) == 2
    await cut(rig, show=ONE, hide=(TWO,), fade=3.0)
    assert len(fake.requested("SetSourceFilterSettings")) == 2 + 6


async def test_a_fade_from_the_slate_has_no_outgoing_sound(fake: FakeObs, rig: Rig) -> None:
    slate(fake, shown=True)
    await rig.ready(ONE, ALICE)
    await cut(rig, show=ONE, hide=("SLATE",), fade=0.1)
    assert [layer.source for layer in fake.program.now.layers] == [ONE]


async def test_with_nobody_to_fade_to_it_cuts(fake: FakeObs, rig: Rig) -> None:
    slate(fake)
    await rig.on_air(ONE, ALICE)
    await rig.obs.cut(show=None, hide=(ONE,), also_show="SLATE", fade=0.5)
    assert fake.requested("SetSourceFilterSettings") == []


async def test_a_fade_that_fails_in_the_middle_is_an_error_and_leaves_no_trace(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    rule = fake.faults.refuse("SetSourceFilterSettings", 205, "gone")
    rule.when = lambda data: data["filterSettings"]["opacity"] > 0.4
    with pytest.raises(ObsRefused, match="gone"):
        await cut(rig, fade=0.2)
    assert fake.inputs[TWO].filters == []
    assert (fake.inputs[ONE].volume, fake.inputs[TWO].volume) == (1.0, 1.0)
    await rig.obs.restore(show=ONE, hide=(TWO,))
    assert fake.program.now.own == (ONE,)


async def test_what_a_dead_daemon_left_of_a_fade_is_swept_on_the_next_connection(fake: FakeObs, rig: Rig) -> None:
    await both(rig)
    fake.studio.input(ONE).volume, fake.studio.input(TWO).volume = 0.8, 0.5
    fading = asyncio.create_task(cut(rig, fade=0.3))
    await fake.wait_for(lambda: fake.program.now.own == (ONE, TWO))
    fake.drop()
    with pytest.raises(ObsGone):
        await fading
    await rig.until(lambda: rig.count(ev.ObsReady) == 2)
    assert fake.inputs[TWO].filters == []
    assert fake.inputs[ONE].volume == pytest.approx(0.8)
    assert fake.inputs[TWO].volume == 0.5
    await rig.obs.restore(show=TWO, hide=(ONE,))
    assert fake.program.now.own == (TWO,)
