"""Own inputs under the names that the daemon knows them by, where OBS has UUIDs."""

from typing import Any

import pytest

from daemon.obs.identity import CALLED, Identities

NAME, UUID, OTHER = "GMOTHERSTREAM_1", "9c2f", "0b1a"


@pytest.fixture
def known() -> Identities:
    identities = Identities()
    identities.learn(NAME, UUID)
    return identities


def listed(name: str, uuid: str) -> dict[str, Any]:
    return {"inputs": [{"inputName": name, "inputUuid": uuid}]}


@pytest.mark.parametrize("field", ["inputName", "sourceName"])
def test_a_request_about_an_own_input_bears_its_uuid_alone(known: Identities, field: str) -> None:
    sent = known.outgoing("GetMediaInputStatus", {field: NAME, "more": 1})
    assert sent == {field.replace("Name", "Uuid"): UUID, "more": 1}


@pytest.mark.parametrize("kind", ["CreateInput", "GetSceneItemId"])
def test_a_request_that_takes_no_uuid_bears_the_name(known: Identities, kind: str) -> None:
    assert known.outgoing(kind, {"inputName": NAME, "sourceName": NAME}) == {"inputName": NAME, "sourceName": NAME}


@pytest.mark.parametrize("data", [{"inputName": "SLATE"}, {"sceneName": NAME}, {"eventData": {"inputName": NAME}}, {}])
def test_a_request_about_anything_else_goes_out_as_it_is(known: Identities, data: dict[str, Any]) -> None:
    assert known.outgoing("BroadcastCustomEvent", data) == data


def test_an_own_input_is_listed_by_its_name_whatever_people_call_it(known: Identities) -> None:
    (row,) = known.incoming("GetInputList", listed("mine", UUID))["inputs"]
    assert (row["inputName"], row[CALLED]) == (NAME, "mine")
    items = {"sceneItems": [{"sourceName": "mine", "sourceUuid": UUID}, {"sourceName": "LOGO", "sourceUuid": OTHER}]}
    found = known.incoming("GetSceneItemList", items)["sceneItems"]
    assert [(each["sourceName"], each.get(CALLED)) for each in found] == [(NAME, "mine"), ("LOGO", None)]


def test_a_name_that_another_input_bears_by_now_is_that_ones(known: Identities) -> None:
    both = {"inputs": [*listed("mine", UUID)["inputs"], *listed(NAME, OTHER)["inputs"]]}
    assert known.incoming("GetInputList", both) == both


def test_what_is_listed_no_more_is_forgotten(known: Identities) -> None:
    known.keep({"GMOTHERSTREAM_2": OTHER})
    assert known.outgoing("RemoveInput", {"inputName": NAME}) == {"inputName": NAME}
    assert known.incoming("GetInputList", listed("mine", UUID)) == listed("mine", UUID)
    assert known.outgoing("RemoveInput", {"inputName": "GMOTHERSTREAM_2"}) == {"inputUuid": OTHER}


@pytest.mark.parametrize("uuid", [None, "", 7])
def test_an_obs_without_uuids_changes_nothing(uuid: object) -> None:
    identities = Identities()
    identities.learn(NAME, uuid)
    assert identities.outgoing("RemoveInput", {"inputName": NAME}) == {"inputName": NAME}
    assert identities.incoming("GetInputList", listed("mine", UUID)) == listed("mine", UUID)


@pytest.mark.parametrize("answer", [{}, {"inputs": None}, {"inputs": [None, 7, {"inputUuid": []}]}])
def test_an_answer_that_makes_no_sense_is_handed_on(known: Identities, answer: dict[str, Any]) -> None:
    assert known.incoming("GetInputList", answer) == answer
