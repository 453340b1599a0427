"""One scene, one daemon: who comes second waits, and who was taken for gone stops."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog

from daemon.core.ports import ObsGone
from daemon.obs import ObsAdapter
from daemon.obs.claim import REALM, read_claim
from daemon.obs.inventory import Origin
from daemon.obs.supervisor import Pace
from statemachine import events as ev
from statemachine.ownership import FRESH, PATIENCE, Claim
from tests.daemon.obs.rig import ALICE, QUICK, Rig, config
from tests.fakes import FakeObs
from tests.fakes.obs_events import Intent
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"
PROMPT = 0.3
"""Seconds that one who is asked has to answer here."""
ACTS = ("CreateInput", "SetSceneItemEnabled", "RemoveInput", "RemoveSceneItem", "SetInputSettings")


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


class Claiming(Rig):
    """A rig of a daemon with that id, in time that is set by hand."""

    def __init__(self, fake: FakeObs, owner: str, pace: Pace = QUICK, **sections: object) -> None:
        super().__init__(config(fake.port, fake.password, **sections))
        self.time = 0.0
        self.obs = ObsAdapter(
            lambda: self.config, emit=self._emit, now=lambda: self.time, origin=Origin(owner), pace=pace
        )
        self.obs._claim.answer = PROMPT

    @property
    def claim(self) -> Claim:
        """The last one that it made."""
        assert self.obs._claim._ownership is not None
        return self.obs._claim._ownership.claim

    def freeze(self) -> None:
        """It answers nobody any more."""
        self.obs._claim.on_event = lambda event: None  # type: ignore[method-assign]  # it hangs


def kept(fake: FakeObs, scene: str = "MOTHERSTREAM") -> Claim | None:
    """The claim that stands in OBS."""
    return read_claim(fake.studio.persistent.get(REALM, {}).get(f"motherstream {fake.port} {scene}"))


def acts(fake: FakeObs) -> int:
    """How often OBS was asked to change something."""
    return sum(len(fake.requested(request)) for request in ACTS)


@asynccontextmanager
async def a_second(fake: FakeObs) -> AsyncIterator[Claiming]:
    """One that has asked the first, and been answered."""
    async with Claiming(fake, "second") as second:
        await until(lambda: "another Motherstream (first) hands over in the scene" in second.obs.info.reason)
        yield second


async def test_who_comes_second_says_so_and_does_not_touch_obs(fake: FakeObs, lines: list[Any]) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        await first.on_air(ONE, ALICE)
        before = acts(fake)
        async with a_second(fake) as second:
            asked = len(fake.requested("BroadcastCustomEvent"))
            await until(lambda: len(fake.requested("BroadcastCustomEvent")) > asked + 4)
            assert second.count(ev.ObsReady) == 0
            assert not second.obs.info.connected
            assert acts(fake) == before
            told = [line for line in lines if "OBS is not ready: another Motherstream" in line["event"]]
            assert len(told) == 1
            assert "stop one of them, or give each an obs.scene of its own" in told[0]["event"]
        # And the first one goes on.
        await first.obs.create_input(TWO, ALICE)
        assert first.count(ev.ObsLost) == 0


async def test_a_second_one_in_another_scene_waits_for_nobody(fake: FakeObs) -> None:
    fake.studio.create_scene("GOLD")
    async with Claiming(fake, "first") as first, Claiming(fake, "second", obs={"scene": "GOLD"}) as second:
        await first.up()
        await second.up()
        assert {kept(fake), kept(fake, "GOLD")} == {first.claim, second.claim}


async def test_it_takes_over_once_the_first_has_been_silent_for_long_enough(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        await first.on_air(ONE, ALICE)
        async with a_second(fake) as second:
            await first.obs.stop()
            asked = len(fake.requested("BroadcastCustomEvent"))
            await second.up()
            assert len(fake.requested("BroadcastCustomEvent")) - asked >= PATIENCE - 1
            # What the first has left on air is adopted.
            assert [own.name for own in second.last(ev.ObsReady).inventory.inputs] == [ONE]
            claim = kept(fake)
            assert claim is not None
            assert (claim.owner, claim.epoch) == ("second", 2)


async def test_one_who_was_taken_for_gone_changes_nothing_when_it_wakes(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        await first.on_air(ONE, ALICE)
        async with a_second(fake) as second:
            first.freeze()
            await second.up()
            before = acts(fake)
            # For a minute nobody has looked at the claim.
            first.time = 60.0
            for doing in (
                first.obs.cut(show=None, hide=(ONE,), also_show=None, fade=0.0),
                first.obs.create_input(TWO, ALICE),
                first.obs.remove_input(ONE),
                first.obs.call("SetInputSettings", {"inputName": ONE, "inputSettings": {}}),
            ):
                with pytest.raises(ObsGone):
                    await doing
            assert acts(fake) == before
            assert first.count(ev.ObsLost) == 1
            assert second.count(ev.ObsLost) == 0


async def test_a_cut_is_refused_to_one_who_looked_at_its_claim_a_moment_ago(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        await first.on_air(ONE, ALICE)
        taken = {"owner": "second", "run": "ab", "epoch": 9}
        fake.studio.persistent[REALM][f"motherstream {fake.port} MOTHERSTREAM"] = taken
        with pytest.raises(ObsGone, match="another Motherstream has taken the scene 'MOTHERSTREAM'"):
            await first.obs.cut(show=None, hide=(ONE,), also_show=None, fade=0.0)
        assert [item.enabled for item in fake.scene_items() if item.name == ONE] == [True]


async def test_it_is_noticed_with_a_heartbeat_as_well(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        taken = {"owner": "second", "run": "ab", "epoch": 9}
        fake.studio.persistent[REALM][f"motherstream {fake.port} MOTHERSTREAM"] = taken
        await first.until(lambda: first.count(ev.ObsLost) == 1)
        # Nobody answers for that one: it is taken back, above what stands there.
        await first.until(lambda: first.count(ev.ObsReady) == 2)
        assert kept(fake) == Claim("first", first.claim.run, 10)


async def test_a_restart_of_the_same_daemon_waits_for_nobody(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
    async with Claiming(fake, "first") as again:
        await again.up()
        assert not fake.requested("BroadcastCustomEvent")
        claim = kept(fake)
        assert claim is not None
        assert claim.epoch == 2


async def test_a_claim_that_has_vanished_is_made_anew(fake: FakeObs) -> None:
    async with Claiming(fake, "first") as first:
        await first.up()
        fake.studio.persistent.clear()
        await until(lambda: kept(fake) is not None)
        assert first.count(ev.ObsLost) == 0


async def test_where_obs_keeps_no_claim_it_is_told_once_and_the_show_goes_on(fake: FakeObs, lines: list[Any]) -> None:
    fake.faults.refuse("SetPersistentData", 702, times=None)
    async with Claiming(fake, "first") as first:
        await first.up()
        await first.on_air(ONE, ALICE)
        looked = len(fake.requested("GetPersistentData"))
        await until(lambda: len(fake.requested("GetPersistentData")) > looked + 2)
        assert first.count(ev.ObsLost) == 0
        assert len([line for line in lines if "OBS keeps no claim on the scene" in line["event"]]) == 1


async def test_what_does_not_change_the_picture_does_not_read_the_claim_each_time(fake: FakeObs) -> None:
    async with Claiming(fake, "first", pace=replace(QUICK, heartbeat_interval=60.0)) as first:
        await first.up()
        looked = len(fake.requested("GetPersistentData"))
        await first.obs.create_input(ONE, ALICE)
        await first.obs.remove_input(ONE)
        assert len(fake.requested("GetPersistentData")) == looked
        first.time = FRESH
        await first.obs.create_input(TWO, ALICE)
        assert len(fake.requested("GetPersistentData")) == looked + 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "x",
        [],
        {},
        {"owner": "a"},
        {"owner": "a", "run": "", "epoch": 1},
        {"owner": 7, "run": "r", "epoch": 1},
        {"owner": "a", "run": "r", "epoch": True},
        {"owner": "a", "run": "r", "epoch": -1},
        {"owner": "a", "run": "r", "epoch": 1e300},
        {"owner": "a", "run": "r", "epoch": "1"},
    ],
)
async def test_what_no_daemon_has_written_is_no_claim(fake: FakeObs, value: object) -> None:
    fake.studio.persistent[REALM] = {f"motherstream {fake.port} MOTHERSTREAM": value}
    async with Claiming(fake, "first") as first:
        await first.up()
        claim = kept(fake)
        assert claim is not None
        assert (claim.owner, claim.epoch) == ("first", 1)


async def test_one_who_has_moved_to_another_scene_leaves_its_former_one_free(fake: FakeObs) -> None:
    fake.studio.create_scene("GOLD")
    async with Claiming(fake, "first") as first:
        await first.up()
        first.config = config(fake.port, fake.password, obs={"scene": "GOLD"})
        first.obs.reconfigured()
        await first.until(lambda: first.count(ev.ObsReady) == 2)
        async with Claiming(fake, "second") as second:
            await second.up()
            assert (kept(fake), kept(fake, "GOLD")) == (second.claim, first.claim)


async def test_nobody_answers_for_another(fake: FakeObs) -> None:
    slot = f"motherstream {fake.port} MOTHERSTREAM"
    fake.studio.persistent[REALM] = {slot: {"owner": "gone", "run": "g1", "epoch": 3}}

    def answer_wrongly() -> None:
        for run, scene in (("g2", slot), ("g1", "motherstream 1 OTHER")):
            data = {"motherstream_acts": run, "motherstream_slot": scene}
            fake.studio.emit(Intent.GENERAL, "CustomEvent", data)

    fake.faults.after("BroadcastCustomEvent", answer_wrongly, times=None)
    async with Claiming(fake, "first") as first:
        began = asyncio.get_running_loop().time()
        await first.up()
        assert asyncio.get_running_loop().time() - began >= PROMPT, "it was given its time"
        assert kept(fake) == Claim("first", first.claim.run, 4)
