"""Each use case over HTTP: its route, its values, and its description are made of its function."""

from typing import Any

import pytest

from daemon.core.operator import USE_CASES
from daemon.core.use_case import UseCase
from daemon.http.addresses import Address
from statemachine import events as ev
from tests.daemon.http.described import Description
from tests.daemon.http.samples import asked_for, values
from tests.daemon.http.studio import AT, House, place, view

ASKED = list(asked_for())


@pytest.mark.parametrize(("case", "address", "path"), ASKED, ids=[path for _, _, path in ASKED])
async def test_each_use_case_has_its_route_and_is_one_event_with_the_values_that_were_given(
    case: UseCase, address: Address, path: str, house: House
) -> None:
    house.view = view(queue=tuple(place(name, at) for at, name in enumerate(("alice", "bob", "carol", "dave"))))
    async with house.client.request(address.method, path) as response:
        answer = await response.json()
    assert (response.status, answer["status"]) == (200, "success")
    (event,) = house.dispatcher.events
    assert isinstance(event, ev.OperatorEvent)
    assert (event.at, event.actor) == (AT, ev.Actor("local"))
    assert {str(value) for value in values(case).values()} <= {
        str(getattr(event, name)) for name in event.__dataclass_fields__
    }


@pytest.mark.parametrize("case", USE_CASES, ids=[case.name for case in USE_CASES])
def test_each_use_case_is_described_by_its_own_words(case: UseCase) -> None:
    described: dict[str, Any] = {each["operationId"]: each for each in Description().operations.values()}
    assert described[case.name]["summary"] + "." == case.summary
    named = {parameter["name"] for parameter in described[case.name].get("parameters", [])}
    assert named == {parameter.name for parameter in case.parameters}
    if case.former:
        assert described[case.former]["deprecated"] is True
        assert described[case.former]["responses"] == described[case.name]["responses"]
