"""What stands before OBS where it may be another daemon's: nothing gets through that is not certain."""

import asyncio
import itertools

import pytest
import structlog

from daemon.core.ports import ObsRefused
from daemon.obs import ObsAdapter
from daemon.obs.connection import changes
from daemon.obs.fence import REALM, Fence, read_claim, slot_of
from daemon.obs.inventory import Origin
from statemachine import events as ev
from statemachine.tenure import PROOF, SETTLE, Claim, Tenure
from tests.daemon.obs.rig import ALICE, QUICK, Rig, config
from tests.fakes import FakeObs
from tests.support import until

ONE = "GMOTHERSTREAM_1"
SLOT = slot_of("store", "main")
READS = ("GetPersistentData", "SetPersistentData")


class Owning(Rig):
    """The adapter of an owner, whose time is set by hand and does not pass by itself."""

    def __init__(self, fake: FakeObs, claim: Claim, *, sure: bool = True) -> None:
        super().__init__(config(fake.port, fake.password))
        self.time = 1000.0
        self.tenure = Tenure(claim, self.time if sure else float("-inf"), ttl=10.0)
        self.raised: int | None = None
        self.fence = Fence(self.tenure, SLOT, self.raise_epoch, lambda: self.time)
        ticks = itertools.count()
        self.obs = ObsAdapter(
            lambda: self.config,
            emit=self._emit,
            now=lambda: float(next(ticks)),
            origin=Origin("pair", fence=self.fence),
            pace=QUICK,
        )

    async def raise_epoch(self, above: int) -> int | None:
        return self.raised


def kept(fake: FakeObs) -> Claim | None:
    return read_claim(fake.studio.persistent.get(REALM, {}).get(SLOT))


def keep(fake: FakeObs, epoch: int, run: str, daemon: str) -> None:
    fake.studio.persistent.setdefault(REALM, {})[SLOT] = {"epoch": epoch, "run": run, "daemon": daemon}


OWN = Claim(7, "run", "db")


@pytest.mark.parametrize(
    ("kind", "does"),
    [
        ("GetSceneItemList", False),
        ("BroadcastCustomEvent", False),
        ("SetPersistentData", False),
        ("Sleep", False),
        ("CreateInput", True),
        ("SetSceneItemEnabled", True),
        ("TriggerStudioModeTransition", True),
        ("StartStream", True),
        ("CallVendorRequest", True),
    ],
)
def test_what_changes_obs_is_known_and_what_is_not_known_counts_as_a_change(kind: str, does: bool) -> None:
    assert changes(kind) is does


async def test_an_owner_leaves_its_claim_and_looks_at_it_before_each_cut_and_now_and_then(fake: FakeObs) -> None:
    async with Owning(fake, OWN) as owner:
        await owner.up()
        assert kept(fake) == OWN
        before = len(fake.requested("GetPersistentData"))
        await owner.obs.cut(show=None, hide=(), also_show=None, fade=0.0)
        assert len(fake.requested("GetPersistentData")) > before
        await until(lambda: len(fake.requested("GetPersistentData")) > before + 3)


async def test_a_sure_lease_costs_no_look_where_the_picture_is_not_changed(fake: FakeObs) -> None:
    async with Owning(fake, OWN) as owner:
        await owner.up()
        keep(fake, 8, "other", "another")
        await owner.obs.create_input(ONE, ALICE)
        assert owner.count(ev.ObsLost) == 0


async def test_without_a_sure_lease_each_change_needs_a_look_that_is_new(fake: FakeObs) -> None:
    keep(fake, 7, "before", "db")
    async with Owning(fake, OWN, sure=False) as owner:
        await owner.up()
        owner.time += PROOF + 0.01
        before = len(fake.requested("GetPersistentData"))
        await owner.obs.create_input(ONE, ALICE)
        assert len(fake.requested("GetPersistentData")) > before
        keep(fake, 8, "other", "another")
        owner.time += PROOF + 0.01
        with pytest.raises(ObsRefused, match="another daemon has taken the channel over"):
            await owner.obs.set_shown(ONE, True)
        assert owner.tenure.ended


async def test_one_that_was_held_up_between_the_look_and_the_act_does_not_act(
    fake: FakeObs, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(fake, 7, "before", "db")
    async with Owning(fake, OWN, sure=False) as owner:
        await owner.up()
        proven = owner.fence.prove

        async def prove(link: object) -> None:
            await proven(link)  # type: ignore[arg-type]  # the adapter's
            owner.time += 60.0

        monkeypatch.setattr(owner.fence, "prove", prove)
        owner.time += PROOF + 0.01
        made = len(fake.requested("CreateInput"))
        with pytest.raises(ObsRefused, match="not certain that this daemon still owns the channel"):
            await owner.obs.create_input(ONE, ALICE)
        assert len(fake.requested("CreateInput")) == made


async def test_a_new_owner_waits_until_who_was_there_can_act_no_more(fake: FakeObs) -> None:
    loop = asyncio.get_running_loop()
    keep(fake, 6, "other", "another")
    async with Owning(fake, OWN) as owner:
        await until(lambda: kept(fake) == OWN)
        began = loop.time()
        assert owner.count(ev.ObsReady) == 0
        await owner.up()
        assert loop.time() - began > SETTLE - 0.1


async def test_a_claim_that_somebody_has_taken_away_is_made_again_while_the_lease_is_sure(fake: FakeObs) -> None:
    async with Owning(fake, OWN) as owner:
        await owner.up()
        fake.studio.persistent.clear()
        await owner.obs.cut(show=None, hide=(), also_show=None, fade=0.0)
        assert kept(fake) == OWN
        owner.time += 100.0
        fake.studio.persistent.clear()
        with pytest.raises(ObsRefused, match="claim is not there any more, and the shared store does not answer"):
            await owner.obs.cut(show=None, hide=(), also_show=None, fade=0.0)
        assert not owner.tenure.ended, "it may be sure of its lease again in a moment"
        owner.tenure.renewed(owner.time)
        await owner.obs.cut(show=None, hide=(), also_show=None, fade=0.0)


async def test_what_a_later_store_has_left_in_obs_is_outdone(fake: FakeObs) -> None:
    keep(fake, 40, "other", "another")
    async with Owning(fake, OWN) as owner:
        await until(lambda: "a later daemon's claim stands there" in owner.obs.info.reason)
        assert owner.count(ev.ObsReady) == 0
        owner.raised = 41
        await owner.up()
        assert owner.tenure.claim.epoch == 41
        assert kept(fake) == Claim(41, "run", "db")


async def test_an_obs_that_keeps_nothing_is_changed_while_the_lease_is_sure_and_this_is_told(fake: FakeObs) -> None:
    for request in READS:
        fake.faults.refuse(request, 702, times=None)
    with structlog.testing.capture_logs() as lines:
        async with Owning(fake, OWN) as owner:
            await owner.up()
            await owner.obs.create_input(ONE, ALICE)
            owner.time += 100.0
            with pytest.raises(ObsRefused):
                await owner.obs.set_shown(ONE, True)
    assert len([line for line in lines if "OBS keeps no values for its clients" in line["event"]]) == 1


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, "text", [], {}, {"epoch": 1, "run": "r"}, {"epoch": "1", "run": "r", "daemon": "d"}),
        *({"epoch": True, "run": "r", "daemon": "d"}, {"epoch": 0, "run": "r", "daemon": "d"}),
        *({"epoch": 2.0**60, "run": "r", "daemon": "d"}, {"epoch": 1, "run": "", "daemon": "d"}),
    ],
)
def test_what_nobody_of_us_has_written_is_no_claim(value: object) -> None:
    assert read_claim(value) is None


def test_a_claim_is_read_back() -> None:
    assert read_claim({"epoch": 7.0, "run": "r", "daemon": "d"}) == Claim(7, "r", "d")


async def test_without_a_shared_store_nothing_of_this_is_asked(fake: FakeObs) -> None:
    async with Rig.on(fake) as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
        assert not any(fake.requested(request) for request in READS)
