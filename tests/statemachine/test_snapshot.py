"""Same snapshot and same events give the same commands: after any crash, at any time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.codec import event_from_plain, event_to_plain, to_plain
from statemachine.director import Director
from statemachine.errors import BadSnapshotError
from statemachine.monitors.bitrate import LowBitrateEpisode
from statemachine.policy import Policy
from statemachine.snapshot import lasting
from tests.statemachine import strategies
from tests.statemachine.handover.test_handover import channel


def through_json(director: Director) -> Director:
    return Director.restore(json.loads(json.dumps(director.snapshot())))


@given(strategies.policies, strategies.scripts(), st.data())
def test_a_director_restored_at_any_time_goes_on_as_if_nothing_had_happened(
    policy: Policy, script: list[ev.Event], data: st.DataObject
) -> None:
    director = Director(policy)
    crash_at = data.draw(st.integers(0, len(script)))
    for event in script[:crash_at]:
        director.handle(event)
    restored = through_json(director)
    assert restored.snapshot() == director.snapshot()
    assert restored.view(director.now) == director.view(director.now)
    for event in script[crash_at:]:
        assert restored.handle(event) == director.handle(event)
    assert restored.snapshot() == director.snapshot()


@given(strategies.policies, strategies.scripts())
def test_a_journal_of_events_replays_to_the_same_commands(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    first = [director.handle(event) for event in script]
    journal = json.loads(json.dumps([event_to_plain(event) for event in script]))
    again = Director(policy)
    assert [again.handle(event_from_plain(plain)) for plain in journal] == first
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


def test_a_snapshot_of_an_older_version_is_read_by_the_names_that_its_fields_had() -> None:
    world = channel("alice", "bob")
    plain = world.director.snapshot()
    plain["low_bitrate"] = to_plain(LowBitrateEpisode("srs:1", 120.0, world.now, world.now))
    plain["render_load"] |= {"share": 0.25, "suspended_since": world.now, "resumed_at": 5.0, "suspensions": 3}
    plain["lineup"]["evicted"] = {"srs:9": world.now}
    older = json.loads(json.dumps(plain))
    older["poor"], older["lag"] = older.pop("low_bitrate"), older.pop("render_load")
    for now, before in (("suspended_since", "resting_since"), ("resumed_at", "taken_up_at"), ("suspensions", "rests")):
        older["lag"][before] = older["lag"].pop(now)
    older["lineup"]["ousted"] = older["lineup"].pop("evicted")
    assert Director.restore(older).snapshot() == plain


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


# --- what outlasts a show


@given(strategies.policies, strategies.scripts())
def test_what_outlasts_a_show_holds_nothing_of_a_stream_and_is_a_fresh_start_that_repeats_no_number(
    policy: Policy, script: list[ev.Event]
) -> None:
    director = Director(policy)
    for event in script:
        director.handle(event)
    kept = lasting(director.snapshot(), spare=7)
    text = json.dumps(kept)
    assert not [name for name in ("srs:", "test:1", '"stream"', '"session"') if name in text]
    again = Director.restore(json.loads(text))
    assert (len(again.lineup), again.switchover.program, again.switchover.attempt) == (0, None, None)
    assert again.settings.policy == director.settings.policy
    assert again.now == director.now
    assert again.switchover.next_input == director.switchover.next_input + 7
    assert again.switchover.last_number == director.switchover.last_number + 7
    assert lasting(kept) == kept
    for event in script:
        again.handle(event)


def test_who_was_kicked_stays_out_and_the_next_input_has_a_new_name() -> None:
    world = channel("alice")
    world.feed(ev.KickRequested(world.now, "zoe", 60.0))
    world.feed(ev.SettingChanged(world.now, "turn", 900.0))
    again = Director.restore(lasting(world.director.snapshot(), spare=1000))
    assert again.admits("zoe", again.now) is not None
    assert again.policy.turn == 900.0
    used = world.director.switchover.next_input
    again.handle(ev.ObsReady(again.now, ev.Inventory()))
    step = again.handle(ev.Published(again.now, ev.Session("srs:9/bob", "bob", "live", "bob")))
    made = [command.input for command in step.commands if isinstance(command, cmd.CreateInput)]
    assert made == [f"{again.policy.prefix}{used + 1000}"]
