"""One channel, one owner: what OBS keeps for its clients is what the fence between its daemons rests on."""

import itertools
from typing import Any

import pytest

from daemon.core.clock import boot_time
from daemon.core.ports import ObsRefused
from daemon.obs import ObsAdapter
from daemon.obs.fence import REALM, Fence, slot_of
from daemon.obs.inventory import Origin
from statemachine.tenure import Claim, Tenure
from tests.conformance.houses import Hands, House
from tests.daemon.obs.rig import Rig, config
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

PROFILE = "OBS_WEBSOCKET_DATA_REALM_PROFILE"
VALUE: dict[str, Any] = {"owner": "a", "run": "r", "epoch": 7}


async def kept(hands: Hands, slot: str, realm: str = REALM) -> Any:
    answer = await hands.call("GetPersistentData", {"realm": realm, "slotName": slot})
    assert set(answer) == {"slotValue"}
    return answer["slotValue"]


async def keep(hands: Hands, slot: str, value: object, realm: str = REALM) -> None:
    await hands.call("SetPersistentData", {"realm": realm, "slotName": slot, "slotValue": value})


async def test_what_was_kept_is_given_back_and_what_was_not_is_null(hands: Hands) -> None:
    assert await kept(hands, "motherstream nothing") is None
    await keep(hands, "motherstream one", VALUE)
    await keep(hands, "motherstream two", "text")
    assert await kept(hands, "motherstream one") == VALUE
    assert await kept(hands, "motherstream two") == "text"
    await keep(hands, "motherstream one", {"owner": "b"})
    assert await kept(hands, "motherstream one") == {"owner": "b"}


async def test_each_realm_keeps_its_own(hands: Hands) -> None:
    await keep(hands, "motherstream three", 1)
    await keep(hands, "motherstream three", 2, PROFILE)
    assert (await kept(hands, "motherstream three"), await kept(hands, "motherstream three", PROFILE)) == (1, 2)


@pytest.mark.parametrize(
    ("request_", "data", "code"),
    [
        ("GetPersistentData", {"realm": "NO_REALM", "slotName": "x"}, 600),
        ("GetPersistentData", {"slotName": "x"}, 300),
        ("GetPersistentData", {"realm": REALM}, 300),
        ("SetPersistentData", {"realm": "NO_REALM", "slotName": "x", "slotValue": 1}, 600),
        ("SetPersistentData", {"realm": REALM, "slotName": "x"}, 300),
        ("SetPersistentData", {"realm": REALM, "slotName": "x", "slotValue": None}, 300),
    ],
)
async def test_what_is_wrong_is_refused(hands: Hands, request_: str, data: dict[str, Any], code: int) -> None:
    with pytest.raises(ObsRefused) as refused:
        await hands.call(request_, data)
    assert refused.value.code == code


class Owning(Rig):
    """A daemon's adapter that owns the channel in that epoch, and is sure of it or not."""

    def __init__(self, house: House, epoch: int, *, sure: bool = True) -> None:
        super().__init__(config(house.port, house.password), pace=house.pace)
        self.clock = itertools.count()
        at = boot_time() if sure else float("-inf")
        self.tenure = Tenure(Claim(epoch, f"run{epoch}", f"db{epoch}"), at, ttl=1000.0)
        fence = Fence(self.tenure, slot_of("store", "main"), self.raise_epoch)
        self.obs = ObsAdapter(
            lambda: self.config,
            emit=self._emit,
            now=lambda: float(next(self.clock)),
            origin=Origin("pair", fence=fence),
            pace=house.pace,
        )

    async def raise_epoch(self, above: int) -> int | None:
        return above + 1


async def nothing(rig: Rig) -> None:
    """A cut that changes nothing."""
    await rig.obs.cut(show=None, hide=(), also_show=None, fade=0.0)


async def test_an_owner_that_was_replaced_changes_nothing_more(house: House) -> None:
    async with Owning(house, 7) as first:
        await first.up()
        await nothing(first)
        async with Owning(house, 8) as second:
            await second.up()
            await nothing(second)
            # As sure of its lease as ever: what stands in OBS ends it.
            with pytest.raises(ObsRefused, match="another daemon has taken the channel over"):
                await nothing(first)
            for call in (first.obs.set_shown("LOGO", False), first.obs.call("SetCurrentProgramScene", {})):
                with pytest.raises(ObsRefused, match="another daemon has taken the channel over"):
                    await call
            await nothing(second)
            assert first.tenure.ended
            assert not second.tenure.ended


async def test_one_that_is_not_sure_of_its_lease_goes_on_by_what_stands_in_obs(house: House) -> None:
    async with Owning(house, 17) as before:
        await before.up()
    async with Owning(house, 17, sure=False) as again:
        await again.up()
        await again.obs.set_shown("LOGO", True)
    async with Owning(house, 16, sure=False) as late:
        await until(lambda: "another daemon has taken the channel over" in late.obs.info.reason)
    async with Owning(house, 16) as other:
        # Sure of its lease, it takes an epoch above that.
        await other.up()
        assert other.tenure.claim.epoch == 18
