"""What the scene tells the viewers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from daemon.config.model import Overlays as Settings
from daemon.core.ports import ObsGone
from daemon.obs.overlays import LONGEST, LOOK_EVERY, RETRY, OverlayUpdater, any_configured, countdown, fill, wanted
from statemachine import facts
from statemachine.view import View
from tests.daemon.health.figures import place, view
from tests.daemon.health.wire import WireObs
from tests.fakes import FakeClock, FakeObs, Fault
from tests.fakes.obs_client import Caller, client

TEXT = "text_ft2_source_v2"
ALL = Settings(
    on_air_text="On air",
    on_air_template="ON AIR: {on_air}",
    next_text="Next",
    next_template="Next: {next} ({queue})",
    remaining_text="Left",
    timer="TIMER",
    time_remaining="TIME REMAINING",
    loading="LOADING",
)
SHOW = view("alice", place("alice"), place("bob", 1), place("carol", 2), place("gone", 3, publishing=False))


# -- what follows from the show


def test_the_texts_say_who_is_on_air_who_is_next_and_what_is_left() -> None:
    aim = wanted(SHOW, ALL)
    assert aim.texts == {"On air": "ON AIR: alice", "Next": "Next: bob (bob, carol)", "Left": "1:00:00"}


def test_the_timer_is_shown_while_somebody_is_on_air_and_hidden_when_nobody_is() -> None:
    assert wanted(SHOW, ALL).shown == {"TIMER": True, "TIME REMAINING": True, "LOADING": False}
    assert wanted(view(), ALL).shown == {"TIMER": False, "TIME REMAINING": False, "LOADING": False}


def test_loading_is_shown_while_the_first_picture_is_awaited() -> None:
    assert wanted(view("", place("alice")), ALL).shown["LOADING"] is True
    assert wanted(view("", place("alice", publishing=False)), ALL).shown["LOADING"] is False


def test_what_is_not_configured_is_left_alone() -> None:
    aim = wanted(SHOW, Settings())
    assert (aim.texts, aim.shown) == ({}, {})


def test_a_label_without_its_value_is_not_shown() -> None:
    assert wanted(view(), ALL).texts == {"On air": "", "Next": "", "Left": ""}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3600.0, "1:00:00"),
        (3599.2, "1:00:00"),
        (3599.0, "59:59"),
        (59.0, "00:59"),
        (0.1, "00:01"),
        (0.0, "00:00"),
        (-3, "00:00"),
    ],
)
def test_what_is_left_counts_every_second_that_has_begun(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


def test_a_streamer_without_a_turn_has_no_time_left_to_show() -> None:
    assert wanted(view("alice", remaining=None), ALL).texts["Left"] == ""


def test_a_name_is_text_and_never_a_template_nor_a_screenful() -> None:
    assert fill("{on_air}", {"on_air": "{next}", "next": "bob"}) == "{next}"
    assert fill("{on_air}", {"on_air": "a\x00b\x1b[1m"}) == "ab[1m"
    assert len(fill("{queue}", {"queue": "x" * 10_000})) == LONGEST
    assert fill("plain", {}) == "plain"


async def test_where_nothing_is_configured_nobody_looks_at_the_line_up() -> None:
    class Obs:
        info = type("Info", (), {"connected": True})()
        losses = 0

    looked = []

    def look() -> View:
        looked.append(1)
        return SHOW

    await OverlayUpdater(Obs(), look, Settings, lambda: 0.0).once()  # type: ignore[arg-type]  # as much of an OBS as it asks for
    assert looked == []


@pytest.mark.parametrize("name", ["on_air_text", "next_text", "remaining_text", "timer", "time_remaining", "loading"])
def test_each_overlay_by_itself_is_one_to_keep_current(name: str) -> None:
    assert any_configured(Settings.model_validate({name: "X"}))
    assert not any_configured(Settings())


# -- against OBS


class Stage:
    """The scene with all the overlays in it."""

    def __init__(self, fake: FakeObs, clock: FakeClock, obs: WireObs) -> None:
        self.fake = fake
        self.obs = obs
        self.clock = clock
        self.view: View = SHOW
        self.overlays = OverlayUpdater(obs, lambda: self.view, lambda: ALL, clock.now)

    def text(self, name: str) -> object:
        return self.fake.inputs[name].settings.get("text")

    def shown(self, name: str) -> bool:
        return self.fake.item(name).enabled


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = FakeClock()
    async with FakeObs(clock=clock) as fake, client(fake) as ws:
        assert await ws.wait_until_identified()
        call = Caller(ws)
        for name in ("On air", "Next", "Left", "TIMER", "TIME REMAINING", "LOADING"):
            await call.create(name, TEXT, {"text": "old", "log_lines": 3}, shown=name == "LOADING")
        yield Stage(fake, clock, WireObs(fake, clock, call))


async def test_the_scene_is_made_to_say_what_is_so(stage: Stage) -> None:
    await stage.overlays.once()
    assert stage.text("On air") == "ON AIR: alice"
    assert stage.text("Left") == "1:00:00"
    assert [stage.shown(name) for name in ("TIMER", "TIME REMAINING", "LOADING")] == [True, True, False]


async def test_a_text_inputs_other_settings_stay(stage: Stage) -> None:
    await stage.overlays.once()
    assert stage.fake.inputs["On air"].settings["log_lines"] == 3


async def test_what_is_so_already_costs_no_request(stage: Stage) -> None:
    await stage.overlays.once()
    stage.obs.asked.clear()
    await stage.clock.advance(LOOK_EVERY)
    await stage.overlays.once()
    assert stage.obs.asked == []


async def test_a_text_changes_at_most_once_a_second_and_what_is_shown_at_once(stage: Stage) -> None:
    await stage.overlays.once()
    await stage.clock.advance(LOOK_EVERY / 2)
    stage.view = view()
    await stage.overlays.once()
    assert not stage.shown("TIMER")
    assert stage.text("On air") == "ON AIR: alice"
    await stage.clock.advance(LOOK_EVERY / 2)
    await stage.overlays.once()
    assert stage.text("On air") == ""


async def test_an_obs_that_was_away_is_told_all_of_it_again(stage: Stage) -> None:
    await stage.overlays.once()
    stage.fake.studio.hide("TIMER")
    stage.obs.losses += 1
    await stage.clock.advance(LOOK_EVERY)
    await stage.overlays.once()
    assert stage.shown("TIMER")


async def test_an_item_that_an_operator_hides_is_left_hidden(stage: Stage) -> None:
    await stage.overlays.once()
    stage.fake.studio.hide("TIMER")
    await stage.clock.advance(LOOK_EVERY)
    await stage.overlays.once()
    assert not stage.shown("TIMER")


async def test_an_input_that_is_not_there_is_told_of_once_and_hinders_no_other(stage: Stage) -> None:
    stage.fake.faults.add(Fault("SetInputSettings", None, when=lambda data: data["inputName"] == "On air", code=600))
    with capture_logs() as logs:
        for _ in range(30):
            await stage.overlays.once()
            await stage.clock.advance(LOOK_EVERY)
    assert [line["input"] for line in logs] == ["On air"]
    assert stage.text("Left") == "1:00:00"
    assert len([name for name in stage.obs.asked if name == "SetInputSettings"]) <= 2 + 30 / RETRY + 1


async def test_what_failed_is_mended_when_it_can_be(stage: Stage) -> None:
    stage.fake.faults.add(Fault("SetSceneItemEnabled", 1, code=702))
    await stage.overlays.once()
    assert [stage.shown(name) for name in ("TIMER", "TIME REMAINING")] == [False, True]
    await stage.clock.advance(RETRY)
    await stage.overlays.once()
    assert stage.shown("TIMER")


async def test_without_obs_nothing_is_asked(stage: Stage) -> None:
    stage.obs.info.connected = False
    await stage.overlays.once()
    assert stage.obs.asked == []


async def test_the_loss_of_obs_in_the_middle_is_survived(stage: Stage) -> None:
    stage.obs.error = ObsGone("OBS is not connected")
    await stage.overlays.once()
    stage.obs.error = None
    stage.obs.losses += 1
    await stage.clock.advance(LOOK_EVERY)
    await stage.overlays.once()
    assert stage.text("On air") == "ON AIR: alice"


async def test_a_change_of_the_picture_is_followed_without_waiting_for_the_next_look(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.overlays.LOOK_EVERY", 3600.0)
    task = asyncio.create_task(stage.overlays.run())
    told = [facts.OnAirChanged(0.0, "", "")]
    stage.overlays.observe(told)
    await stage.fake.wait_for(lambda: stage.shown("TIMER"))
    stage.view = view()
    stage.overlays.observe(told)
    await stage.fake.wait_for(lambda: not stage.shown("TIMER"))
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})
