"""OBS's output: started, helped, and left alone where somebody stopped it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.monitors.output import (
    PAUSE_MOST,
    START_PATIENCE,
    STEADY_AFTER,
    STUCK_AFTER,
    OutputCommand,
    OutputEvent,
    OutputFailed,
    OutputHeard,
    OutputRules,
    OutputSeen,
    OutputState,
    OutputWanted,
    StartOutput,
    StopOutput,
)

S = OutputState
LOOK = 2.0


class Show:
    """The rules with a clock that goes on by one look at a time."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.rules = OutputRules()
        self.at = 1000.0
        self.commands: list[OutputCommand] = []
        self.tell(OutputWanted(self.at, wanted))

    def tell(self, event: OutputEvent) -> tuple[OutputCommand, ...]:
        commands = self.rules.handle(event)
        self.commands += commands
        return commands

    def hear(self, *words: str) -> None:
        for word in words:
            assert self.tell(OutputHeard(self.at, word)) == ()

    def look(
        self, *, active: bool = False, reconnecting: bool = False, gap: bool = False, fresh: bool = False
    ) -> tuple[OutputCommand, ...]:
        self.at += LOOK
        return self.tell(OutputSeen(self.at, active, reconnecting, gap, fresh))

    def run(self) -> None:
        """It streams, as it should."""
        self.look(gap=True, fresh=True)
        self.hear("STARTING", "STARTED")
        assert self.look(active=True) == ()
        assert self.rules.state is S.RUNNING
        self.commands.clear()

    def until(self, state: OutputState, *, active: bool = False, reconnecting: bool = False, most: int = 1000) -> float:
        """Look on until it is in that state; the seconds that took."""
        began = self.at
        for _ in range(most):
            if self.rules.state is state:
                return self.at - began
            self.look(active=active, reconnecting=reconnecting)
        raise AssertionError(f"never {state}, but {self.rules.state}")


def test_an_output_that_nobody_wants_kept_streaming_is_left_alone() -> None:
    show = Show(wanted=False)
    show.look(gap=True, fresh=True)
    show.look(active=True)
    show.look()
    assert show.commands == []
    assert show.rules.state is S.UNWANTED


def test_an_output_that_does_not_stream_is_started_once() -> None:
    show = Show()
    assert show.look(gap=True, fresh=True) == (StartOutput("it does not stream"),)
    assert show.look() == ()
    assert show.look(active=True) == ()
    assert show.rules.state is S.RUNNING


def test_an_output_that_streams_already_is_left_alone() -> None:
    show = Show()
    assert show.look(active=True, gap=True, fresh=True) == ()
    assert show.rules.state is S.RUNNING


def test_a_stop_by_hand_is_respected_for_as_long_as_it_lasts() -> None:
    show = Show()
    show.run()
    show.hear("STOPPING", "STOPPED")
    for _ in range(1000):
        assert show.look() == ()
    assert show.rules.state is S.BY_HAND


def test_a_stop_whose_events_come_after_the_answer_is_respected_too() -> None:
    show = Show()
    show.run()
    assert show.look() == ()
    show.hear("STOPPED", "STOPPING")
    assert show.look() == ()
    assert show.rules.state is S.BY_HAND


def test_a_stop_by_hand_in_the_middle_of_a_reconnect_is_respected() -> None:
    show = Show()
    show.run()
    show.hear("RECONNECTING")
    show.look(active=True, reconnecting=True)
    show.hear("STOPPING", "STOPPED")
    show.until(S.BY_HAND)
    assert show.commands == []


def test_a_stop_by_hand_that_drags_on_is_not_hurried() -> None:
    show = Show()
    show.run()
    show.look(active=True, reconnecting=True)
    show.hear("STOPPING")
    for _ in range(60):
        assert show.look(active=True, reconnecting=True) == ()


def test_a_start_by_hand_ends_what_a_stop_by_hand_began() -> None:
    show = Show()
    show.run()
    show.hear("STOPPING", "STOPPED")
    show.until(S.BY_HAND)
    show.hear("STARTING", "STARTED")
    show.look(active=True)
    show.hear("STOPPED")
    show.look()
    assert show.look() == (StartOutput("it has stopped by itself"),)


def test_another_obs_knows_nothing_of_a_stop_by_hand() -> None:
    show = Show()
    show.run()
    show.hear("STOPPING", "STOPPED")
    show.until(S.BY_HAND)
    assert show.look(gap=True) == ()
    assert show.look(gap=True, fresh=True) == (StartOutput("it does not stream"),)


def test_the_wish_taken_back_and_given_again_starts_an_output_stopped_by_hand() -> None:
    show = Show()
    show.run()
    show.hear("STOPPING", "STOPPED")
    show.until(S.BY_HAND)
    show.tell(OutputWanted(show.at, False))
    assert show.look() == ()
    show.tell(OutputWanted(show.at, True))
    assert show.look() == (StartOutput("it does not stream"),)


def test_an_output_that_stopped_by_itself_is_started_again_at_once() -> None:
    show = Show()
    show.run()
    show.hear("STOPPED")
    show.look()
    assert show.look() == (StartOutput("it has stopped by itself"),)


def test_a_stop_that_nobody_could_have_told_of_counts_as_one_by_hand() -> None:
    show = Show()
    show.run()
    show.look(gap=True)
    show.until(S.BY_HAND)
    assert show.commands == []


def test_an_output_stuck_reconnecting_is_stopped_and_started_again() -> None:
    show = Show()
    show.run()
    seconds = show.until(S.STOPPING, active=True, reconnecting=True)
    assert STUCK_AFTER <= seconds <= STUCK_AFTER + 2 * LOOK
    show.hear("STOPPING", "STOPPED")
    assert show.look() == (StartOutput("it was stuck"),)
    assert [type(command) for command in show.commands] == [StopOutput, StartOutput]


def test_a_reconnect_that_succeeds_in_time_is_left_alone() -> None:
    show = Show()
    show.run()
    for _ in range(10):
        show.look(active=True, reconnecting=True)
    show.look(active=True)
    assert show.commands == []
    assert show.rules.state is S.RUNNING


def test_a_stop_of_our_own_that_hangs_is_asked_for_again_with_patience() -> None:
    show = Show()
    show.run()
    show.until(S.STOPPING, active=True, reconnecting=True)
    began = show.at
    while len(show.commands) < 3:
        show.look(active=True, reconnecting=True)
    assert show.at - began >= 2 * START_PATIENCE
    assert all(isinstance(command, StopOutput) for command in show.commands)


def test_an_output_that_recovers_while_it_is_stopped_is_left_running() -> None:
    show = Show()
    show.run()
    show.until(S.STOPPING, active=True, reconnecting=True)
    show.commands.clear()
    show.until(S.RUNNING, active=True)
    assert show.commands == []


def test_starts_that_fail_are_spaced_out_more_and_more_up_to_a_bound() -> None:
    show = Show()
    starts: list[float] = []
    for _ in range(2000):
        if show.look(gap=not starts, fresh=not starts):
            starts.append(show.at)
            show.hear("STARTING", "STOPPED")
    gaps = [after - before for before, after in pairwise(starts)]
    assert gaps == sorted(gaps)
    assert gaps[0] <= LOOK
    assert PAUSE_MOST <= gaps[-1] <= PAUSE_MOST + LOOK


def test_a_start_that_comes_to_nothing_without_a_word_is_tried_again() -> None:
    show = Show()
    show.look(gap=True, fresh=True)
    assert START_PATIENCE <= _second_start(show) <= START_PATIENCE + LOOK


def _second_start(show: Show) -> float:
    began = show.at
    while not show.look():
        assert show.at - began < 100
    return show.at - began


@pytest.mark.parametrize("steady", [STEADY_AFTER, 0.0])
def test_failures_are_forgotten_once_it_has_run_steadily(steady: float) -> None:
    show = Show()
    show.look(gap=True, fresh=True)
    for _ in range(3):
        show.hear("STARTING", "STOPPED")
        _second_start(show)
    assert show.rules.failures == 3
    show.hear("STARTING", "STARTED")
    for _ in range(1 + int(steady / LOOK)):
        show.look(active=True)
    assert show.rules.failures == (0 if steady else 3)


def test_a_refused_start_waits_its_turn() -> None:
    show = Show()
    show.look(gap=True, fresh=True)
    for _ in range(2):
        show.tell(OutputFailed(show.at))
        show.until(S.STARTING)
    show.tell(OutputFailed(show.at))
    assert show.rules.state is S.WAITING
    assert 10 <= show.until(S.STARTING) <= 12


WORDS = st.sampled_from(["STARTING", "STARTED", "STOPPING", "STOPPED", "RECONNECTING", "RECONNECTED", "", "PAUSED"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), WORDS),
        st.tuples(st.just("look"), st.sampled_from(["running", "reconnecting", "off", "off after a gap"])),
        st.tuples(st.just("failed"), st.just("")),
        st.tuples(st.just("wait"), st.just("")),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_an_output_stopped_by_hand_is_not_started(steps: list[tuple[str, str]]) -> None:
    show = Show()
    show.run()
    for kind, what in steps:
        match kind:
            case "hear":
                show.hear(what)
            case "look":
                gap = what == "off after a gap"
                show.look(active=what in ("running", "reconnecting"), reconnecting=what == "reconnecting", gap=gap)
            case "failed":
                show.tell(OutputFailed(show.at))
            case _:
                show.at += 40
    # However it got there: it runs, and somebody stops it.
    while show.rules.state is not S.RUNNING:
        show.look(active=True)
    show.commands.clear()
    show.hear("STOPPING", "STOPPED")
    for _ in range(200):
        show.look()
    assert show.commands == []


@given(STEPS)
def test_commands_come_one_at_a_time_and_never_faster_than_looks(steps: list[tuple[str, str]]) -> None:
    show = Show()
    looks = 0
    for kind, what in steps:
        if kind == "hear":
            show.hear(what)
        elif kind == "look":
            looks += 1
            assert len(show.look(active=what in ("running", "reconnecting"), reconnecting=what == "reconnecting")) <= 1
    assert len(show.commands) <= looks
