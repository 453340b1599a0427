"""Hints of OBS are re-read, in bursts, and never in the middle of a change of the daemon's own."""

import asyncio
from collections.abc import Callable

import pytest

from daemon.core.ports import ObsError, ObsGone
from daemon.obs.connection import ObsEvent
from daemon.obs.inventory import InputNames
from daemon.obs.refresher import Refresher, concerns
from statemachine import events as ev
from statemachine.events import Inventory, OwnInput
from tests.daemon.obs.rig import ALICE, Rig, items_of
from tests.fakes import FakeObs
from tests.support import until

NAMES = InputNames("GMOTHERSTREAM_")


@pytest.mark.parametrize(
    ("kind", "data", "does"),
    [
        ("SceneItemEnableStateChanged", {"sceneName": "MOTHERSTREAM", "sceneItemId": 1}, True),
        ("SceneItemEnableStateChanged", {"sceneName": "other", "sceneItemId": 1}, False),
        ("SceneItemRemoved", {"sceneName": "MOTHERSTREAM", "sourceName": "GMOTHERSTREAM_1"}, True),
        ("SceneItemRemoved", {"sceneName": "MOTHERSTREAM", "sourceName": "logo"}, False),
        ("InputRemoved", {"inputName": "GMOTHERSTREAM_1"}, True),
        ("InputRemoved", {"inputName": "logo"}, False),
        ("InputNameChanged", {"oldInputName": "GMOTHERSTREAM_1", "inputName": "mine"}, True),
        ("InputNameChanged", {"oldInputName": "mine", "inputName": "GMOTHERSTREAM_1"}, True),
        ("InputVolumeChanged", {"inputName": "GMOTHERSTREAM_1"}, False),
        ("InputRemoved", {}, False),
    ],
)
def test_only_what_may_concern_the_own_inputs_is_a_hint(kind: str, data: dict[str, object], does: bool) -> None:
    assert concerns(ObsEvent(kind, data), "MOTHERSTREAM", NAMES) is does


# -- by itself -----------------------------------------------------------------------------------------------------


NEVER = 1e6


class Reader:
    """Counts readings, and may be made to wait or to fail."""

    def __init__(self) -> None:
        self.begun = 0
        self.told = 0
        self.go = asyncio.Event()
        self.go.set()
        self.errors: list[ObsError] = []

    async def __call__(self) -> Callable[[], None]:
        self.begun += 1
        await self.go.wait()
        if self.errors:
            raise self.errors.pop()
        return self._tell

    def _tell(self) -> None:
        self.told += 1


async def test_a_reading_waits_for_a_change_under_way() -> None:
    reader = Reader()
    refresher = Refresher(reader, debounce=0.0, every=NEVER)
    task = asyncio.create_task(refresher.run())
    with refresher.changing():
        refresher.poke()
        for _ in range(20):
            await asyncio.sleep(0)
        assert reader.begun == 0
    await until(lambda: reader.told == 1)
    task.cancel()


async def test_a_reading_that_a_change_has_overtaken_is_done_again() -> None:
    reader = Reader()
    reader.go.clear()
    refresher = Refresher(reader, debounce=0.0, every=NEVER)
    task = asyncio.create_task(refresher.run())
    refresher.poke()
    await until(lambda: reader.begun == 1)
    with refresher.changing():
        pass
    reader.go.set()
    await until(lambda: reader.told == 1)
    assert reader.begun == 2
    task.cancel()


async def test_a_reading_that_failed_is_tried_again_and_one_that_lost_obs_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.obs.refresher.RETRY", 0.0)
    reader = Reader()
    refresher = Refresher(reader, debounce=0.0, every=NEVER)
    task = asyncio.create_task(refresher.run())
    reader.errors = [ObsError("no")]
    refresher.poke()
    await until(lambda: reader.told == 1)
    assert reader.begun == 2
    reader.errors = [ObsGone("gone")]
    refresher.poke()
    await until(lambda: reader.begun == 3)
    assert reader.told == 1
    task.cancel()


async def test_without_any_hint_it_is_read_all_the_same() -> None:
    reader = Reader()
    task = asyncio.create_task(Refresher(reader, debounce=NEVER, every=0.001).run())
    await until(lambda: reader.told >= 3)
    task.cancel()


# -- on a fake OBS -------------------------------------------------------------------------------------------------


async def test_a_burst_of_changes_by_hand_is_read_once_with_its_end_in_it(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    await rig.until(
        lambda: rig.count(ev.InventoryRead) and items_of(rig.last(ev.InventoryRead).inventory) == shown(True)
    )
    read = rig.count(ev.InventoryRead)
    for _ in range(5):
        fake.studio.hide("GMOTHERSTREAM_1")
        fake.studio.show("GMOTHERSTREAM_1")
    fake.studio.hide("GMOTHERSTREAM_1")
    await rig.until(lambda: items_of(rig.last(ev.InventoryRead).inventory) == shown(False))
    assert rig.count(ev.InventoryRead) <= read + 3


async def test_a_hand_whose_hint_was_lost_is_found_out(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    fake.faults.drop_events()
    fake.studio.hide("GMOTHERSTREAM_1")
    await rig.until(
        lambda: rig.count(ev.InventoryRead) and items_of(rig.last(ev.InventoryRead).inventory) == shown(False)
    )


def shown(is_shown: bool) -> Inventory:
    return Inventory((OwnInput("GMOTHERSTREAM_1", is_shown, "live/alice"),), others=())


async def test_an_input_removed_by_hand_is_told(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    fake.studio.remove_input("GMOTHERSTREAM_1")
    await rig.until(
        lambda: rig.count(ev.InventoryRead) and items_of(rig.last(ev.InventoryRead).inventory) == Inventory(others=())
    )


async def test_an_input_renamed_by_hand_is_no_longer_own(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    fake.studio.rename("GMOTHERSTREAM_1", "mine")
    await rig.until(
        lambda: (
            rig.count(ev.InventoryRead)
            and items_of(rig.last(ev.InventoryRead).inventory) == Inventory(others=("mine",))
        )
    )


async def test_late_repeated_and_reordered_hints_end_in_the_truth(fake: FakeObs, rig: Rig) -> None:
    fake.faults.jitter = 0.03
    fake.faults.repeat_events(copies=3)
    await rig.on_air("GMOTHERSTREAM_1", ALICE)
    for _ in range(3):
        fake.studio.hide("GMOTHERSTREAM_1")
        fake.studio.show("GMOTHERSTREAM_1")
    fake.studio.hide("GMOTHERSTREAM_1")
    await rig.until(
        lambda: rig.count(ev.InventoryRead) and items_of(rig.last(ev.InventoryRead).inventory) == shown(False)
    )


async def test_where_nothing_of_use_is_in_obs_it_is_read_less_often_and_at_once_after_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.obs.refresher.REST_EVERY", NEVER)
    reader = Reader()
    refresher = Refresher(reader, debounce=0.0, every=0.01)
    refresher.at_rest = True
    task = asyncio.create_task(refresher.run())
    refresher.poke()
    await until(lambda: reader.told == 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(until(lambda: reader.begun > 1), 0.1)
    refresher.at_rest = False
    refresher.poke()
    await until(lambda: reader.told >= 4)
    task.cancel()


async def test_only_a_scene_with_nothing_of_ours_and_nothing_configured_is_at_rest(fake: FakeObs, rig: Rig) -> None:
    refresher = rig.obs._refresher
    await rig.obs._reread()
    assert refresher.at_rest
    await rig.obs.create_input("GMOTHERSTREAM_1", ALICE)
    await rig.obs._reread()
    assert not refresher.at_rest
