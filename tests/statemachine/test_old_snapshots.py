"""Snapshots and journals of older versions load: whatever was added since has a default."""

import json
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.codec import EVENT_TYPES, from_plain
from statemachine.director import Director
from statemachine.handover.cleanup import Cleanup, Grace, Remove, Restore
from statemachine.migration import migrated
from statemachine.snapshot import Snapshot
from tests.statemachine.handover.test_handover import channel
from tests.statemachine.monitors.test_streams import described, without_picture

OLD = Path(__file__).parent / "old"
"""What versions wrote that kept three fields of what an attempt in CLEANUP was about to do."""
ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"

REQUIRED = {
    "Snapshot": "base empty_at last_cut last_switch lineup now orphans overrides switchover",
    "SwitchoverState": "attempt last_number next_input old_slates pool program scene_at state",
    "Program": "input session since",
    "Attempt": "begun_at due_at input number reason target",
    "HandoverEnded": "at attempt from_streamer input outcome outgoing reason seconds to_streamer",
    "LineupState": "",
    "Entry": "joined_at streamer",
    "Session": "app id stream streamer",
    "Orphan": "name",
    "LowBitrateEpisode": "kbps measured_at session_id since",
    "RenderLoadState": "",
    "Policy": "",
    "Inventory": "",
    "OwnInput": "name shown",
}
"""What the first journals hold of each, in a snapshot or an event. Nothing may be added here."""


def needed(kind: Any) -> set[str]:
    return {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}


def kinds_of(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The dataclasses of which a value of that type may be made up."""
    if is_dataclass(kind) and isinstance(kind, type) and kind.__name__ not in found:
        found[kind.__name__] = kind
        for hint in typing.get_type_hints(kind).values():
            kinds_of(hint, found)
    for arg in typing.get_args(kind):
        kinds_of(arg, found)
    return found


@pytest.mark.parametrize("name", REQUIRED)
def test_a_field_that_was_added_has_a_default(name: str) -> None:
    known = kinds_of(Snapshot, {})
    for event in EVENT_TYPES.values():
        kinds_of(event, known)
    assert needed(known[name]) <= set(REQUIRED[name].split())


def stripped(kind: Any, value: Any) -> Any:
    """The plain value without anything that has a default."""
    if isinstance(value, list):
        return [stripped(typing.get_args(kind)[0], item) for item in value]
    if not isinstance(value, dict):
        return value
    args = [arg for arg in typing.get_args(kind) if arg is not type(None)]
    if typing.get_origin(kind) is dict:
        return {key: stripped(args[1], item) for key, item in value.items()}
    made = kind if is_dataclass(kind) else args[0]
    hints = typing.get_type_hints(made)
    return {name: stripped(hints[name], value[name]) for name in needed(made)}


def test_a_snapshot_with_nothing_in_it_but_what_is_needed_loads_and_the_show_goes_on() -> None:
    world = channel("alice", "bob", slate="SLATE")
    without_picture(world, "carol")
    described(world, "carol", video="")
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    old = stripped(Snapshot, json.loads(json.dumps(world.director.snapshot())))
    assert set(old) == set(REQUIRED["Snapshot"].split())
    assert from_plain(Snapshot, old).switchover.program is not None
    director = Director.restore(old)
    for event in director.restarted(world.now, world.director.policy):
        director.handle(event)
    director.handle(ev.ObsReady(world.now, world.obs.inventory()))
    on_air = director.view(world.now).on_air
    assert on_air is not None
    assert on_air.streamer == "bob"


@pytest.mark.parametrize(
    ("situation", "cleanup", "follows"),
    [
        ("restore", Restore(TWO, 1), cmd.RestoreOutgoing(2, TWO, ONE)),
        ("grace", Grace(ONE), cmd.RemoveInput(2, ONE, outgoing=True)),
        ("remove", Remove(ONE, 1), cmd.RemoveInput(2, ONE, outgoing=True)),
    ],
)
def test_what_an_older_version_was_about_to_clean_up_is_cleaned_up(
    situation: str, cleanup: Cleanup, follows: cmd.Command
) -> None:
    old = json.loads((OLD / f"{situation}.json").read_text(encoding="utf-8"))
    assert {"victim", "restore", "tries"} <= old["switchover"]["attempt"].keys()
    director = Director.restore(old)
    attempt, deadline = director.switchover.attempt, director.deadline
    assert attempt is not None
    assert attempt.cleanup == cleanup
    assert deadline is not None
    assert deadline == old["switchover"]["attempt"]["deadline"]
    again = json.loads(json.dumps(director.snapshot()))
    assert Director.restore(again).snapshot() == again
    assert follows in director.handle(ev.TimePassed(deadline)).commands


@pytest.mark.parametrize(
    ("changes", "cleanup"),
    [
        ({"victim": ""}, None),
        ({"victim": ONE, "deadline": None}, {"kind": "Remove", "input": ONE, "tries": 0}),
        ({"victim": TWO, "outcome": "not_ready"}, {"kind": "Remove", "input": TWO, "tries": 0}),
        ({"victim": "", "restore": True}, {"kind": "Restore", "input": "", "tries": 0}),
    ],
)
def test_each_of_the_former_fields_says_what_it_said(changes: dict[str, Any], cleanup: dict[str, Any] | None) -> None:
    old = json.loads((OLD / "grace.json").read_text(encoding="utf-8"))
    old["switchover"]["attempt"].update(changes)
    before = json.dumps(old)
    new = migrated(old)
    assert new["switchover"]["attempt"]["cleanup"] == cleanup
    assert json.dumps(old) == before
    assert migrated(new) is new


@pytest.mark.parametrize("damaged", [None, [], {}, {"switchover": None}, {"switchover": {"attempt": []}}])
def test_what_is_no_snapshot_is_left_to_who_reads_it(damaged: object) -> None:
    assert migrated(damaged) is damaged
