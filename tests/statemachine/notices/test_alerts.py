"""A turn's end is told ahead, once; an OBS that stays away is told, and so is its return."""

import pytest

from statemachine.handover.states import State
from statemachine.notices.alerts import OBS_AWAY_FOR, WARN_BEFORE, ObsAbsence, ObsAway, ObsBack, TurnEnds, TurnWarning
from statemachine.view import Place, View
from tests.statemachine.notices.views import on_air, place, view


def left(remaining: float | None, *, length: float = 3600.0, bob: Place | None = None, held: bool = False) -> View:
    """So much is left of Alice's turn."""
    queue = (place("alice", 0, turn_length=length), *([bob] if bob else []))
    return view(on_air=on_air(remaining=remaining), queue=queue, held=held)


BOB = place("bob", 1)


def warnings(rule: TurnWarning, *views: View, turn_when_alone: bool = False) -> list[TurnEnds]:
    found = [rule.look(each, turn_when_alone=turn_when_alone) for each in views]
    return [each for each in found if each is not None]


def test_a_turn_is_warned_of_once_before_its_end() -> None:
    views = [left(remaining, bob=BOB) for remaining in (WARN_BEFORE + 1, WARN_BEFORE, WARN_BEFORE - 1, 1.0)]
    assert warnings(TurnWarning(), *views) == [TurnEnds("alice", "bob", WARN_BEFORE)]


def test_a_short_turn_is_warned_of_in_its_last_quarter() -> None:
    views = [left(remaining, length=120.0, bob=BOB) for remaining in (31.0, 30.0)]
    assert warnings(TurnWarning(), *views) == [TurnEnds("alice", "bob", 30.0)]


def test_a_turn_that_was_extended_is_warned_of_again() -> None:
    views = [left(remaining, bob=BOB) for remaining in (301.0, 300.0, 900.0, 300.0)]
    assert len(warnings(TurnWarning(), *views)) == 2


def test_a_turn_that_was_never_seen_with_more_time_left_is_not_warned_of() -> None:
    assert warnings(TurnWarning(), left(200.0, bob=BOB), left(100.0, bob=BOB)) == []


def test_one_who_fills_in_has_no_turn_to_end() -> None:
    assert warnings(TurnWarning(), left(301.0, bob=BOB), left(None, bob=BOB)) == []


@pytest.mark.parametrize(
    "bob",
    [None, place("bob", 1, stalled=True), place("bob", 1, failures=1), place("bob", 1, publishing=False)],
    ids=["nobody", "one who stalls", "one who failed", "one who is gone"],
)
def test_a_turn_that_ends_for_nobody_is_not_warned_of_until_somebody_can_follow(bob: Place | None) -> None:
    rule = TurnWarning()
    assert warnings(rule, left(301.0, bob=bob), left(299.0, bob=bob)) == []
    assert warnings(rule, left(180.0, bob=BOB)) == [TurnEnds("alice", "bob", 180.0)]


def test_where_turns_end_although_nobody_waits_that_is_warned_of() -> None:
    assert warnings(TurnWarning(), left(301.0), left(299.0), turn_when_alone=True) == [TurnEnds("alice", "", 299.0)]


def test_a_held_turn_is_warned_of_when_it_is_let_go() -> None:
    rule = TurnWarning()
    assert warnings(rule, left(301.0, bob=BOB), left(300.0, bob=BOB, held=True)) == []
    assert warnings(rule, left(240.0, bob=BOB)) == [TurnEnds("alice", "bob", 240.0)]


def test_a_turn_that_is_over_is_not_warned_of() -> None:
    assert warnings(TurnWarning(), left(301.0), left(0.5, bob=BOB)) == []


def test_an_absence_of_obs_that_lasts_is_told_once_and_so_is_its_end() -> None:
    rule = ObsAbsence()
    told = [rule.look(view(float(at), state=State.RECOVERING)) for at in range(100, 220)]
    assert [each for each in told if each] == [ObsAway(OBS_AWAY_FOR)]
    assert [rule.look(view(220.0)), rule.look(view(221.0))] == [ObsBack(120.0), None]


def test_a_short_absence_of_obs_is_not_told_and_the_next_begins_anew() -> None:
    rule = ObsAbsence()
    for begin in (100.0, 130.0):
        away = [rule.look(view(begin + at, state=State.RECOVERING)) for at in range(int(OBS_AWAY_FOR))]
        assert {*away, rule.look(view(begin + OBS_AWAY_FOR))} == {None}
