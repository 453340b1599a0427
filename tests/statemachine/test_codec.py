"""Plain values and back: for the snapshot and for the journal of events."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from statemachine import events as ev
from statemachine import measured
from statemachine.codec import EVENT_TYPES, event_from_plain, event_to_plain, from_plain, to_plain
from statemachine.errors import BadSnapshotError
from statemachine.handover.attempt import Attempt
from statemachine.handover.cleanup import Cleanup, Grace, Remove, Restore
from statemachine.policy import Policy
from tests.statemachine import strategies


@given(strategies.events())
def test_every_event_comes_back_as_it_was(event: ev.Event) -> None:
    assert event_from_plain(json.loads(json.dumps(event_to_plain(event)))) == event


BASES = {"AttemptEvent", "OperatorEvent"}


def test_who_asked_is_journaled_and_is_no_part_of_what_is_asked() -> None:
    asked = ev.KickRequested(5.0, "alice", 60.0, actor=ev.Actor("token", "nadia"))
    back = event_from_plain(json.loads(json.dumps(event_to_plain(asked))))
    assert isinstance(back, ev.KickRequested)
    assert back.actor == ev.Actor("token", "nadia")
    assert back == ev.KickRequested(5.0, "alice", 60.0)


def test_every_kind_of_event_is_known_by_its_name() -> None:
    trees = [ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")) for module in (ev, measured)]
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    events = {node.name for node in classes if {ast.unparse(base) for base in node.bases} & {*BASES, "Event"}}
    assert set(EVENT_TYPES) == events - BASES
    assert all(getattr(ev, name) is kind for name, kind in EVENT_TYPES.items())


@given(strategies.policies)
def test_a_policy_comes_back_as_it_was(policy: Policy) -> None:
    assert from_plain(Policy, json.loads(json.dumps(to_plain(policy)))) == policy


def test_a_whole_number_is_taken_for_a_number_of_seconds() -> None:
    event = event_from_plain({"event": "TimePassed", "at": 5})
    assert type(event.at) is float


def test_a_field_of_a_newer_version_is_passed_over_and_a_new_one_takes_its_default() -> None:
    plain = {"event": "ObsLost", "at": 5.0, "reason": "gone", "colour": "red"}
    assert event_from_plain(plain) == ev.ObsLost(5.0, "gone", down_since=None)


SESSION = {"id": "a", "streamer": "alice", "app": "live", "stream": "alice", "turn": None}


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({}, "unknown event None"),
        ({"event": "Event", "at": 1.0}, "unknown event 'Event'"),
        ({"event": "AttemptEvent", "at": 1.0}, "unknown event 'AttemptEvent'"),
        ({"event": ["x"]}, r"unknown event \['x'\]"),
        ({"event": "TimePassed"}, "TimePassed: .*'at'"),
        ({"event": "TimePassed", "at": "5"}, "TimePassed.at: float is expected, not str"),
        ({"event": "TimePassed", "at": True}, "TimePassed.at: float is expected, not bool"),
        ({"event": "CutDone", "at": 1.0, "attempt": 1.5}, "CutDone.attempt: int is expected, not float"),
        ({"event": "Published", "at": 1.0, "session": None}, "Published.session: a table is expected, not NoneType"),
        ({"event": "Published", "at": 1.0, "session": {**SESSION, "turn": "x"}}, "session.turn: float is expected"),
        ({"event": "ObsReady", "at": 1.0, "inventory": {"inputs": {}}}, "inputs: a list is expected, not dict"),
        ({"event": "ObsReady", "at": 1.0, "inventory": {"inputs": [7]}}, r"inputs\[0\]: a table is expected"),
        ({"event": "PolicyLoaded", "at": 1.0, "policy": {"turn": []}}, "policy.turn: float is expected, not list"),
        ({"event": "SettingChanged", "at": 1.0, "name": "turn", "value": []}, "value: bool is expected, not list"),
    ],
)
def test_what_cannot_be_read_names_its_place(plain: dict[str, object], message: str) -> None:
    with pytest.raises(BadSnapshotError, match=message):
        event_from_plain(plain)


@pytest.mark.parametrize("value", [True, 3, 3.0, "3"])
def test_a_setting_keeps_its_type(value: bool | int | float | str) -> None:
    event = event_from_plain(json.loads(json.dumps(event_to_plain(ev.SettingChanged(1.0, "x", value)))))
    assert isinstance(event, ev.SettingChanged)
    assert type(event.value) is type(value)


def test_what_is_no_plain_data_is_refused() -> None:
    with pytest.raises(TypeError, match="not plain data: object"):
        to_plain([object()])


ATTEMPT = Attempt(1, "GMOTHERSTREAM_1", None, "ended", 1.0, 1.0)
CLEANUPS = [Restore("GMOTHERSTREAM_2", 3), Restore(""), Grace("GMOTHERSTREAM_1"), Remove("GMOTHERSTREAM_1", 1), None]


@pytest.mark.parametrize("cleanup", CLEANUPS)
def test_a_value_that_may_be_of_several_kinds_comes_back_as_the_kind_that_it_was(cleanup: Cleanup | None) -> None:
    attempt = replace(ATTEMPT, cleanup=cleanup)
    assert from_plain(Attempt, json.loads(json.dumps(to_plain(attempt)))) == attempt


@pytest.mark.parametrize("plain", [{"kind": "Wait"}, {}, {"kind": ["Grace"]}, "Grace", []])
def test_a_kind_that_nobody_knows_is_refused_and_names_its_place(plain: object) -> None:
    with pytest.raises(BadSnapshotError, match=r"Attempt\.cleanup: kind is expected to be one of Restore, Grace, "):
        from_plain(Attempt, {**to_plain(ATTEMPT), "cleanup": plain})
