"""One scene, one daemon: what OBS keeps for its clients, and how they hear of each other, is what a claim rests on."""

from typing import Any

import pytest

from daemon.core.ports import ObsGone, ObsRefused
from daemon.obs import ObsAdapter
from daemon.obs.claim import REALM
from daemon.obs.inventory import Origin
from statemachine import events as ev
from tests.conformance.houses import SCENE, Hands, House
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


class Claiming(Rig):
    """A daemon's adapter with that id, in time that is set by hand."""

    def __init__(self, house: House, owner: str) -> None:
        super().__init__(config(house.port, house.password), pace=house.pace)
        self.time = 0.0
        self.obs = ObsAdapter(
            lambda: self.config, emit=self._emit, now=lambda: self.time, origin=Origin(owner), pace=house.pace
        )


async def test_who_comes_second_waits_and_takes_over_and_the_first_does_nothing_more(house: House) -> None:
    async with Claiming(house, "first") as first:
        await first.up()
        async with Claiming(house, "second") as second:
            await until(
                lambda: f"another Motherstream (first) hands over in the scene {SCENE!r}" in second.obs.info.reason
            )
            assert second.count(ev.ObsReady) == 0
            # It hears nothing more of the first.
            first.obs._claim.on_event = lambda event: None  # type: ignore[method-assign]  # it hangs
            await second.up()
            with pytest.raises(ObsGone):
                await first.obs.cut(show=None, hide=(), also_show=None, fade=0.0)
            assert first.count(ev.ObsLost) == 1
            await second.obs.cut(show=None, hide=(), also_show=None, fade=0.0)
            assert second.count(ev.ObsLost) == 0
