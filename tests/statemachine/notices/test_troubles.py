"""What counts as trouble, how long it lasts before it is told, and when it is over."""

from collections.abc import Mapping
from typing import Any

import pytest

from statemachine.lineup.entry import Problem
from statemachine.monitors.output import OutputState
from statemachine.notices.lasting import CALM
from statemachine.notices.troubles import (
    FOLLOWER_LASTS,
    LOW_SCORE_LASTS,
    MOST_NAMED,
    OUTPUT_LASTS,
    STALLS,
    STALLS_WITHIN,
    STOPPED_LASTS,
    HealthSeen,
    Kind,
    Looked,
    OutputStatus,
    Trouble,
    TroubleRules,
)
from tests.statemachine.notices.views import READY, on_air, place, view

STREAMS = OutputStatus(active=True, reconnecting=False, state=OutputState.RUNNING)
DOWN = OutputStatus(active=False, reconnecting=False, state=OutputState.UNWANTED)


class Looks:
    """Looks each second; what is told is kept as it begins."""

    def __init__(self) -> None:
        self.rules = TroubleRules()
        self.at = 0.0
        self._open: set[str] = set()

    def see(
        self,
        seconds: float = 1.0,
        *,
        failing: tuple[str, ...] = (),
        health: HealthSeen | None = None,
        output: OutputStatus | None = None,
        **changes: Any,
    ) -> tuple[list[Trouble], list[Trouble]]:
        """What began to be told within so many seconds, and what was over."""
        began: list[Trouble] = []
        ended: list[Trouble] = []
        for _ in range(round(seconds)):
            self.at += 1.0
            told, over = self.rules.look(Looked(view(self.at, **changes), failing, health, output))
            began += [trouble for trouble in told if trouble.topic not in self._open]
            ended += over
            self._open |= {trouble.topic for trouble in told}
            self._open -= {trouble.topic for trouble in over}
        return began, ended

    def lasts(self, kind: Kind, seconds: float, **seen: Any) -> Trouble:
        """It is told after so many seconds and not before; returns it."""
        if seconds:
            assert self.see(seconds, **seen) == ([], [])
        (trouble,), ended = self.see(**seen)
        assert (trouble.kind, ended) == (kind, [])
        return trouble


def amiss(issues: Mapping[str, float | None], *, poor: bool = False, playing: bool = True) -> HealthSeen:
    return HealthSeen(playing, poor, issues)


def test_a_show_that_is_well_is_no_trouble() -> None:
    looks = Looks()
    assert looks.see(1000, health=amiss({}), output=STREAMS) == ([], [])
    assert looks.see(1000, health=amiss({"low_bitrate": None}), output=STREAMS) == ([], [])


def test_an_issue_has_to_last_as_long_as_it_says_and_is_over_after_the_calm() -> None:
    looks = Looks()
    issue = looks.lasts("issue", 15.0, health=amiss({"input_stuck": 15.0}))
    assert issue.topic == "input_stuck"
    assert looks.see(CALM - 1) == ([], [])
    assert looks.see() == ([], [issue])


def test_a_low_score_is_told_where_nothing_else_is() -> None:
    low = amiss({"low_bitrate": None}, poor=True)
    looks = Looks()
    looks.lasts("low_score", LOW_SCORE_LASTS, health=low)
    assert [each.kind for each in Looks().see(100, health=amiss({"render_lag": 30.0}, poor=True))[0]] == ["issue"]
    assert Looks().see(100, health=amiss({"nobody_on_air": None}, poor=True, playing=False)) == ([], [])


def test_a_check_that_fails_is_told_at_once_unless_others_tell_of_it() -> None:
    looks = Looks()
    assert looks.lasts("check", 0.0, failing=("obs", "journal", "program")).topic == "journal"


def test_an_issue_that_a_check_tells_of_is_not_told_twice() -> None:
    began, _ = Looks().see(100, failing=("ingest",), health=amiss({"ingest": 10.0}))
    assert [each.kind for each in began] == ["check"]


def test_an_output_that_nobody_wants_and_that_never_ran_may_be_off() -> None:
    looks = Looks()
    assert looks.see(100, output=DOWN) == ([], [])
    assert looks.see(1, output=STREAMS) == ([], [])
    looks.lasts("output_down", OUTPUT_LASTS, output=DOWN)


@pytest.mark.parametrize(
    ("output", "kind", "lasts"),
    [
        (OutputStatus(active=True, reconnecting=True, state=OutputState.RECONNECTING), "output_lost", OUTPUT_LASTS),
        (OutputStatus(active=False, reconnecting=False, state=OutputState.WAITING), "output_down", OUTPUT_LASTS),
        (OutputStatus(active=False, reconnecting=False, state=OutputState.BY_HAND), "output_stopped", STOPPED_LASTS),
    ],
)
def test_an_output_that_is_down_is_told_by_how_it_went(output: OutputStatus, kind: Kind, lasts: float) -> None:
    assert Looks().lasts(kind, lasts, output=output).topic == "output"


def test_an_output_that_reconnects_at_first_has_not_streamed() -> None:
    looks = Looks()
    looks.see(3, output=OutputStatus(active=True, reconnecting=True, state=OutputState.UNWANTED))
    assert looks.see(100, output=DOWN) == ([], [])


def test_an_output_that_is_not_known_says_nothing() -> None:
    looks = Looks()
    looks.see(5, output=STREAMS)
    assert looks.see(100) == ([], [])


def test_stalls_in_a_row_are_counted_each_with_whose() -> None:
    looks, still = Looks(), (place("alice", 0, stalled=True), place("bob", 1))
    for _ in range(STALLS - 1):
        assert looks.see(3, queue=still) == ([], [])
        assert looks.see(20) == ([], [])
    (trouble,), _ = looks.see(3, queue=still)
    assert (trouble.kind, trouble.streamers) == ("stalls", ("alice",) * STALLS)
    began, ended = looks.see(STALLS_WITHIN + CALM)
    assert (began, [each.kind for each in ended]) == ([], ["stalls"])


def test_a_stall_that_lasts_is_one_and_one_seen_by_health_alone_counts() -> None:
    looks = Looks()
    assert looks.see(STALLS_WITHIN, queue=(place("alice", 0, stalled=True), place("bob", 1))) == ([], [])
    looks.see(10)
    stalled = amiss({"stalled": None})
    for _ in range(STALLS - 1):
        looks.see(3, health=stalled)
        looks.see(3)
    (trouble,), _ = looks.see(3, health=stalled)
    assert trouble.streamers == ("alice",) * STALLS


def test_that_nobody_can_follow_is_told_with_who_waits() -> None:
    hopeless = (place("alice", 0), place("bob", 1, failures=2), place("carol", 2, stalled=True))
    looks = Looks()
    trouble = looks.lasts("no_follower", FOLLOWER_LASTS, queue=hopeless)
    assert (trouble.on_air, trouble.streamers) == ("alice", ("bob", "carol"))
    _, ended = looks.see(CALM, queue=(*hopeless, place("dave", 3)))
    assert [each.kind for each in ended] == ["no_follower"]
    dark = Looks().lasts("no_follower", FOLLOWER_LASTS, queue=hopeless[1:], on_air=None)
    assert (dark.on_air, dark.streamers) == ("", ("bob", "carol"))


def test_of_many_who_cannot_follow_the_first_are_named() -> None:
    many = tuple(place(f"s{number}", number, failures=1) for number in range(1, 20))
    trouble = Looks().lasts("no_follower", FOLLOWER_LASTS, queue=(place("alice", 0), *many))
    assert trouble.streamers == tuple(f"s{number}" for number in range(1, MOST_NAMED + 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"queue": (place("alice", 0),)},
        {"queue": (place("alice", 0), place("bob", 1, failures=1, publishing=False))},
        {"queue": (place("alice", 0), place("bob", 1, failures=1)), "standby": READY},
        {"queue": (place("bob", 0, problem=Problem("studio_mode", "", 0.0)),), "on_air": None},
    ],
    ids=["alone", "nobody publishes", "ready once more", "the channel's own fault"],
)
def test_nobody_is_said_to_be_unable_to_follow_without_cause(changes: dict[str, Any]) -> None:
    assert Looks().see(100, **changes) == ([], [])


def test_one_who_is_not_even_tried_cannot_follow() -> None:
    blind = place("bob", 1, problem=Problem("no_video", "", 0.0))
    trouble = Looks().lasts("no_follower", FOLLOWER_LASTS, queue=(place("alice", 0), blind), on_air=on_air())
    assert trouble.streamers == ("bob",)
