"""Same snapshot and same events give the same commands: after any crash, at any time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.codec import event_from_plain, event_to_plain
from statemachine.director import Director
from statemachine.errors import BadSnapshotError
from statemachine.policy import Policy
from tests.statemachine import strategies
from tests.statemachine.test_handover import channel

Step = tuple[tuple[cmd.Command, ...], tuple[facts.Fact, ...], float | None]


def through_json(director: Director) -> Director:
    return Director.restore(json.loads(json.dumps(director.snapshot())))


def step(director: Director, event: ev.Event) -> Step:
    return director.handle(event), director.take_facts(), director.deadline


@given(strategies.policies, strategies.scripts(), st.data())
def test_a_director_restored_at_any_time_goes_on_as_if_nothing_had_happened(
    policy: Policy, script: list[ev.Event], data: st.DataObject
) -> None:
    director = Director(policy)
    crash_at = data.draw(st.integers(0, len(script)))
    for event in script[:crash_at]:
        step(director, event)
    restored = through_json(director)
    assert restored.snapshot() == director.snapshot()
    assert restored.view(director.now) == director.view(director.now)
    for event in script[crash_at:]:
        assert step(restored, event) == step(director, event)
    assert restored.snapshot() == director.snapshot()


@given(strategies.policies, strategies.scripts())
def test_a_journal_of_events_replays_to_the_same_commands(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    first = [step(director, event) for event in script]
    journal = json.loads(json.dumps([event_to_plain(event) for event in script]))
    again = Director(policy)
    assert [step(again, event_from_plain(plain)) for plain in journal] == first
    assert again.snapshot() == director.snapshot()


def test_a_snapshot_says_everything_in_plain_values() -> None:
    world = channel("alice", "bob", "carol")
    world.feed(ev.KickRequested(world.now, "zoe", 60.0))
    world.feed(ev.SettingChanged(world.now, "z_offset", 2))
    plain = world.director.snapshot()
    assert json.loads(json.dumps(plain, sort_keys=True)) == plain
    kept = Director.restore(json.loads(json.dumps(plain, sort_keys=True)))
    assert [place.streamer for place in kept.view(world.now).queue] == ["alice", "bob", "carol"]


def test_a_snapshot_that_is_taken_is_not_changed_by_what_happens_after() -> None:
    world = channel("alice", "bob")
    plain = world.director.snapshot()
    kept = json.dumps(plain)
    world.feed(ev.KickRequested(world.now, "bob", 60.0))
    world.feed(ev.SettingChanged(world.now, "z_offset", 2))
    assert json.dumps(plain) == kept


def damaged(plain: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(plain))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["now"], None, "Snapshot.now: float is expected"),
        (["now"], ..., "Snapshot: .*now"),
        (["switchover", "state"], "DREAMING", "Snapshot.switchover.state: 'DREAMING'"),
        (["switchover", "program"], [], "Snapshot.switchover.program: a table is expected"),
        (["lineup", "entries"], {}, "Snapshot.lineup.entries: a list is expected"),
        (["lineup", "blocks"], [], "Snapshot.lineup.blocks: a table is expected"),
        (["lineup", "blocks"], {"zoe": "x"}, "Snapshot.lineup.blocks.zoe: float is expected"),
        (["base", "turn"], "x", "Snapshot.base.turn: float is expected"),
    ],
)
def test_a_damaged_snapshot_is_refused_and_names_the_place(path: list[str], value: object, message: str) -> None:
    plain = channel("alice").director.snapshot()
    with pytest.raises(BadSnapshotError, match=message):
        Director.restore(damaged(plain, path, value))
