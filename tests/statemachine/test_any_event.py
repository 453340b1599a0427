"""The rules take anything: no order of events, however absurd, makes them raise, loop or forget."""

import pytest
from hypothesis import given

from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.handover.attempt import Aftermath
from statemachine.policy import Policy
from tests.statemachine import strategies


@given(strategies.policies, strategies.scripts(60))
def test_no_order_of_events_makes_the_rules_raise(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    for event in script:
        step = director.handle(event)
        assert step.deadline is None or step.deadline > director.now
        assert step.deadline == director.deadline
        assert step.refusal is next((fact for fact in step.facts if isinstance(fact, facts.Refused)), None)
        names = [place.streamer for place in director.view(director.now).queue]
        assert len(set(names)) == len(names)


@given(strategies.policies, strategies.scripts(60))
def test_whatever_happens_a_path_is_one_streamer_s_and_each_session_its_own_streamer_s(
    policy: Policy, script: list[ev.Event]
) -> None:
    director = Director(policy)
    for event in script:
        director.handle(event)
        holders: dict[str, str] = {}
        for entry in director.lineup:
            for session in entry.sessions:
                assert session.streamer == entry.streamer
                if not entry.transient:
                    assert holders.setdefault(session.path, entry.streamer) == entry.streamer


@given(strategies.policies, strategies.scripts(60))
def test_nothing_is_remembered_of_sessions_and_attempts_that_are_over(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    for event in script:
        director.handle(event)
        kept = director.lineup.state
        live = {session.id for entry in kept.entries for session in entry.sessions}
        assert set(kept.born) == live
        assert set(kept.missing) <= live | set(kept.evicted)
        assert set(kept.doubted) <= live
        assert not live & set(kept.ended)
        assert not live & set(kept.evicted)
        streamers = {entry.streamer for entry in kept.entries}
        assert set(kept.crowded) <= streamers
        assert set(kept.leaving) == {entry.streamer for entry in kept.entries if entry.leaves is not None}
        assert set(kept.failing) & streamers == set()
        assert director.switchover.aftermath() == Aftermath((), (), (), ())
        assert len(director.streams.tracks) <= 2 * len(kept.entries) + 16


@given(strategies.policies, strategies.scripts(30))
def test_a_step_leaves_nothing_that_could_be_done_now(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    for event in script:
        director.handle(event)
        twin = Director.restore(director.snapshot())
        assert twin.handle(ev.TimePassed(twin.now)).commands == ()


@given(strategies.policies, strategies.scripts(30))
def test_time_never_goes_back(policy: Policy, script: list[ev.Event]) -> None:
    director, latest = Director(policy), 0.0
    for event in script:
        step = director.handle(event)
        latest = max(latest, event.at)
        assert director.now == latest
        assert all(fact.at <= latest for fact in step.facts)


def test_what_is_no_event_of_the_rules_is_refused() -> None:
    director = Director(Policy())
    with pytest.raises(TypeError, match="not an event of the rules"):
        director.handle(ev.Event(1.0))
