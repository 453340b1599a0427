"""How loud an input is made, held by the fake OBS and a real one alike."""

import pytest

from daemon.core.ports import ObsRefused
from daemon.obs.level import FILTER, FILTER_KIND, set_level
from tests.conformance.houses import Hands, House

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


async def test_the_gain_is_a_filter_of_our_own_and_set_again_as_often_as_it_takes(house: House, hands: Hands) -> None:
    name = hands.name()
    await hands.create(name, await house.publish("loud"))
    volume = await hands.call("GetInputVolume", {"inputName": name})
    for gain in (6.0, -3.5, 0.0):
        await set_level(hands.link, name, gain)
        (found,) = (await hands.call("GetSourceFilterList", {"sourceName": name}))["filters"]
        assert (found["filterName"], found["filterKind"]) == (FILTER, FILTER_KIND)
        asked = {"sourceName": name, "filterName": FILTER}
        assert (await hands.call("GetSourceFilter", asked))["filterSettings"].get("db", 0.0) == pytest.approx(gain)
    assert await hands.call("GetInputVolume", {"inputName": name}) == volume


async def test_of_an_input_that_is_gone_it_is_refused(hands: Hands) -> None:
    with pytest.raises(ObsRefused):
        await set_level(hands.link, "nobody", 6.0)
