"""Who asked is told with what comes of it, and with nothing that comes by itself."""

from typing import Any

import pytest

from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from tests.statemachine.world import World

NADIA = ev.Actor("token", "nadia")
HAND = ev.Session("test:1", "extra", "live", "extra")


@pytest.fixture
def world() -> World:
    """Alice on air, bob on standby, carol after them."""
    made = World()
    made.obs_ready()
    for name in ("alice", "bob", "carol"):
        made.publish(name)
        made.run(2.0)
    made.told.clear()
    return made


def actors(world: World, kind: type[Any]) -> list[tuple[str, ev.Actor | None]]:
    """What was told, by whom."""
    return [(getattr(fact, "what", ""), fact.actor) for fact in world.told if isinstance(fact, kind)]


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (lambda at: ev.SkipRequested(at, actor=NADIA), "skipped"),
        (lambda at: ev.Held(at, actor=NADIA), "held"),
        (lambda at: ev.MoveRequested(at, "carol", 1, actor=NADIA), "moved"),
        (lambda at: ev.RemoveRequested(at, "bob", actor=NADIA), "removed"),
        (lambda at: ev.KickRequested(at, "bob", 60.0, actor=NADIA), "kicked"),
        (lambda at: ev.KickRequested(at, "mallory", 60.0, actor=NADIA), "blocked"),
        (lambda at: ev.TurnChanged(at, 900.0, "alice", actor=NADIA), "turn_changed"),
    ],
)
def test_a_change_of_the_line_up_bears_who_asked_for_it(world: World, event: Any, what: str) -> None:
    world.feed(event(world.now))
    assert (what, NADIA) in actors(world, facts.LineupChanged)
    assert {actor for _, actor in actors(world, facts.LineupChanged)} == {NADIA}


def test_a_setting_and_a_refusal_bear_it_too(world: World) -> None:
    world.feed(ev.SettingChanged(world.now, "z_offset", 3, actor=NADIA))
    world.feed(ev.SettingChanged(world.now, "z_offset", "three", actor=NADIA))
    world.feed(ev.RemoveRequested(world.now, "nobody", actor=NADIA))
    world.feed(ev.TestRequested(world.now, ev.Session("test:2", "alice", "live", "other"), actor=NADIA))
    assert [(fact.name, fact.value, fact.actor) for fact in world.told if isinstance(fact, facts.SettingMade)] == [
        ("z_offset", 3, NADIA)
    ]
    assert [(fact.code, fact.actor) for fact in world.told if isinstance(fact, facts.Refused)] == [
        ("bad_setting", NADIA),
        ("not_found", NADIA),
        ("name_taken", NADIA),
    ]


@pytest.mark.parametrize(
    "event",
    [
        lambda at: ev.SkipRequested(at, actor=NADIA),
        lambda at: ev.KickRequested(at, "alice", 60.0, actor=NADIA),
        lambda at: ev.RemoveRequested(at, "alice", actor=NADIA),
        lambda at: ev.TestRequested(at, HAND, actor=NADIA),
    ],
)
def test_a_hand_over_that_was_asked_for_bears_who_asked(world: World, event: Any) -> None:
    asked = event(world.now)
    if isinstance(asked, ev.TestRequested):
        world.ingest.live[HAND.id] = HAND
    world.feed(asked)
    world.run(3.0)
    ended = [fact for fact in world.told if isinstance(fact, facts.HandoverEnded) and fact.outcome == "completed"]
    assert ended[0].actor == NADIA
    assert world.director.view(world.now).last_switch == ended[-1]


def test_what_comes_by_itself_bears_nobody(world: World) -> None:
    world.feed(ev.SkipRequested(world.now, actor=NADIA))
    world.run(3.0)
    world.told.clear()
    world.unpublish("bob")
    world.publish("dave")
    world.run(20.0)
    assert [fact for fact in world.told if isinstance(fact, facts.HandoverEnded)]
    assert {fact.actor for fact in world.told if isinstance(fact, facts.LineupChanged | facts.HandoverEnded)} == {None}


def test_who_asked_outlives_a_restart_between_the_request_and_the_picture(world: World) -> None:
    world.feed(ev.SkipRequested(world.now, actor=NADIA))
    kept = Director.restore(world.director.snapshot())
    assert kept.lineup.asked_by == NADIA


def test_an_event_on_which_the_rules_fail_leaves_nobody_behind_as_the_one_who_asks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(world.director.lineup.requests, "kick", broken)
    with pytest.raises(RuntimeError):
        world.director.handle(ev.KickRequested(world.now, "bob", 60.0, actor=NADIA))
    carol = world.ingest.of("carol")
    assert carol
    step = world.director.handle(ev.Unpublished(world.now, carol.id))
    assert [fact.actor for fact in step.facts if isinstance(fact, facts.LineupChanged)] == [None]
