"""What holds for all that is watched, whatever it is: the director knows no more of it."""

import pytest
from hypothesis import given

from statemachine import events as ev
from statemachine.director import Director
from statemachine.monitors.monitor import Monitor
from statemachine.policy import Policy
from tests.statemachine import strategies

MONITORS = [type(monitor) for monitor in Director(Policy()).monitors]


def monitor(director: Director, kind: type[Monitor]) -> Monitor:
    return next(each for each in director.monitors if type(each) is kind)


def test_each_quantity_is_watched_once() -> None:
    assert len(MONITORS) == len(set(MONITORS)) > 7


@pytest.mark.parametrize("kind", MONITORS)
def test_where_nothing_is_watched_nothing_ends_and_nothing_is_waited_for(kind: type[Monitor]) -> None:
    director = Director(Policy())
    director.handle(ev.ObsReady(1.0, ev.Inventory()))
    before, watched = director.snapshot(), monitor(director, kind)
    watched.shift_deadlines(60.0)
    assert not watched.expire(2.0)
    assert watched.deadline(2.0) is None
    assert director.snapshot() == before


@given(strategies.policies, strategies.scripts())
def test_no_monitor_has_anything_to_do_once_an_event_is_handled(policy: Policy, script: list[ev.Event]) -> None:
    director = Director(policy)
    for event in script:
        director.handle(event)
    before = director.snapshot()
    assert [type(each) for each in director.monitors if each.expire(director.now)] == []
    assert director.snapshot() == before
