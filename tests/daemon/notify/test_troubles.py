"""What lasts reaches a person, once, and so does its end."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from daemon.core.ports import Check
from daemon.health.history import HealthReading
from daemon.health.issues import ISSUES
from daemon.health.score import Assessment
from daemon.notify.troubles import WORDS, Output, Troubles
from statemachine.lineup.entry import Problem
from statemachine.monitors.output import OutputState
from statemachine.monitors.quantities import REASONS
from statemachine.notices.lasting import CALM
from statemachine.notices.troubles import STALLS_WITHIN, Kind
from tests.daemon.health.figures import sample
from tests.daemon.http.studio import AT, place, view

WELL = HealthReading(sample(), Assessment(100.0))
STREAMS = Output({"outputActive": True, "outputReconnecting": False}, OutputState.RUNNING)
DOWN = Output({"outputActive": False, "outputReconnecting": False}, OutputState.UNWANTED)


class Told:
    """A notifier that keeps what it tells, and time that goes by."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._open: set[str] = set()
        self.troubles = Troubles(self)
        self.at = AT

    def trouble(self, topic: str, text: str) -> None:
        if topic not in self._open:
            self._open.add(topic)
            self.said.append(f"! {text}")

    def recovered(self, topic: str, text: str) -> None:
        self._open.remove(topic)
        self.said.append(f"+ {text}")

    def see(
        self,
        seconds: float = 1.0,
        *,
        health: HealthReading | None = WELL,
        checks: tuple[Check, ...] = (),
        output: Output = STREAMS,
        **changes: Any,
    ) -> list[str]:
        """So many seconds of it, looked at each second; what is said meanwhile."""
        before = len(self.said)
        for _ in range(max(1, round(seconds))):
            self.at += 1.0
            self.troubles.look(replace(view(**changes), at=self.at), checks, health, output)
        return self.said[before:]


@pytest.fixture
def told() -> Told:
    return Told()


def health(*issues: str, score: float = 50.0) -> HealthReading:
    return HealthReading(sample(), Assessment(score, issues))


def test_a_show_that_is_well_is_not_worth_a_word(told: Told) -> None:
    assert told.see(1000) == []
    assert told.see(100, health=health("nobody_on_air", "low_bitrate", "picture_size_changed", score=95)) == []


@pytest.mark.parametrize("issue", [*(issue.name for issue in ISSUES if issue.told), "something_new"])
def test_an_issue_that_lasts_is_told_once_and_so_is_its_end(told: Told, issue: str) -> None:
    assert told.see(5, health=health(issue)) == []
    (said,) = told.see(1000, health=health(issue))
    assert said.startswith("! ")
    assert told.see(CALM - 2) == []
    (over,) = told.see(1000)
    assert over.startswith("+ ")


def test_what_no_issue_tells_is_told_otherwise_or_is_no_trouble() -> None:
    assert {issue.name for issue in ISSUES if issue.told is None} == {
        *("obs_unreachable", "nobody_on_air", "program_elsewhere", "studio_mode", "low_bitrate"),
        *REASONS,
        "picture_size_changed",
    }


def test_what_flickers_is_told_once(told: Told) -> None:
    said = told.see(40, health=health("render_lag"))
    for _ in range(50):
        said += told.see(3)
        said += told.see(3, health=health("render_lag"))
    assert len(said) == 1
    blips = Told()
    for _ in range(100):
        blips.see(2, health=health("stalled"))
        blips.see(2)
    assert [text for text in blips.said if "keep stalling" not in text] == []


def test_a_low_score_is_told_where_nothing_else_is(told: Told) -> None:
    (said,) = told.see(60, health=health("low_bitrate", score=42.4))
    assert said == "! stream health is poor: 42 of 100 (low bitrate)"
    assert told.see(60) == ["+ stream health has recovered"]
    assert len(told.see(60, health=health("render_lag", score=42))) == 1


def test_a_check_that_fails_is_told_at_once_with_its_end(told: Told) -> None:
    bad = Check("journal", False, "the disk is full")
    assert told.see(checks=(bad, Check("obs", False, "told by the watch"))) == ["! the database: the disk is full"]
    assert told.see(100, checks=(Check("journal", True),)) == ["+ the database works again"]
    assert told.see(checks=(Check("disk", False, "it is full"),)) == ["! disk: it is full"]
    assert not any("program" in text for text in told.see(100, checks=(Check("program", False, "told by the rules"),)))


def test_an_output_that_goes_down_is_told_and_one_that_never_ran_is_not(told: Told) -> None:
    assert told.see(100, output=DOWN) == [], "nobody streams today"
    told.see(5)
    assert told.see(5, output=DOWN) == []
    assert told.see(100, output=DOWN) == ["! OBS's output is down: viewers see nothing"]
    assert told.see(100) == ["+ OBS's output streams again"]


@pytest.mark.parametrize(
    ("state", "reconnecting", "word"),
    [
        (OutputState.RECONNECTING, True, "lost its server"),
        (OutputState.WAITING, False, "is down"),
        (OutputState.BY_HAND, False, "was stopped by hand"),
    ],
)
def test_it_is_said_how_the_output_is_down(told: Told, state: OutputState, reconnecting: bool, word: str) -> None:
    output = Output({"outputActive": reconnecting, "outputReconnecting": reconnecting}, state)
    (said,) = told.see(100, output=output)
    assert word in said


def test_an_obs_that_is_away_says_nothing_of_its_output(told: Told) -> None:
    told.see(5)
    assert told.see(100, output=Output({}, OutputState.UNKNOWN)) == []


def test_pictures_that_stall_again_and_again_are_told_with_whose(told: Told) -> None:
    still = (place("alice", 0, stalled=True), place("bob", 1))
    for _ in range(2):
        assert told.see(3, queue=still) == []
        assert told.see(20) == []
    (said,) = told.see(3, queue=still)
    assert said == "! pictures keep stalling: 3 times in 5 minutes (alice)"
    assert told.see(60) == []
    assert told.see(STALLS_WITHIN) == ["+ pictures have not kept stalling for 5 minutes"]


def test_that_nobody_is_able_to_follow_is_told_with_who_waits(told: Told) -> None:
    hopeless = (place("alice", 0), place("bob", 1, failures=2), place("carol", 2, stalled=True))
    (said,) = told.see(60, queue=hopeless, standby=None)
    assert said == "! nobody can follow alice: no picture from bob, carol"
    able = (*hopeless, place("dave", 3))
    assert told.see(60, queue=able, standby=None) == ["+ somebody can follow again"]
    assert told.see(60, queue=(place("alice", 0),), standby=None) == [], "she is alone: nobody has to"
    (said,) = told.see(60, queue=hopeless[1:], standby=None, on_air=None)
    assert said == "! nobody can be put on air: no picture from bob, carol"


def test_one_who_is_not_even_tried_is_nobody_who_could_follow(told: Told) -> None:
    blind = place("bob", 1, problem=Problem("no_video", "", AT))
    (said,) = told.see(60, queue=(place("alice", 0), blind), standby=None)
    assert said == "! nobody can follow alice: no picture from bob"


def test_what_is_wrong_with_the_channel_is_not_said_of_who_waits(told: Told) -> None:
    waits = place("bob", 0, problem=Problem("studio_mode", "", AT))
    assert told.see(60, queue=(waits,), standby=None, on_air=None) == []


def test_names_call_nobody_in_a_chat(told: Told) -> None:
    (said,) = told.see(60, queue=(place("alice", 0), place("@everyone", 1, failures=1)), standby=None)
    assert "@everyone" not in said


def test_each_kind_of_trouble_has_its_words() -> None:
    assert set(WORDS) == set(get_args(Kind))
