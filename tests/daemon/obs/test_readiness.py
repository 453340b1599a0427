"""What looks prove: pure, on a clock of the test's own."""

from collections.abc import Iterable

import pytest

from daemon.core.readings import PLAYING, Look
from daemon.obs.readiness import (
    DEAD_FOR,
    QUICK,
    QUICK_FOR,
    STARTING,
    STILL,
    STILL_QUICK_FOR,
    WATCHING,
    Failed,
    Judge,
    Observation,
    Ready,
    Resumed,
    Stalled,
    StateSeen,
)

OPENING = "OBS_MEDIA_STATE_OPENING"
PAUSED = "OBS_MEDIA_STATE_PAUSED"
ERROR = "OBS_MEDIA_STATE_ERROR"
ENDED = "OBS_MEDIA_STATE_ENDED"


def judge(*, proven: bool = False) -> Judge:
    return Judge(began=100.0, poll_interval=0.5, proven=proven)


def moving(proven: bool = True) -> Judge:
    """One that has been seen to move already."""
    by = judge(proven=proven)
    for n in range(2):
        by.see(look(-0.2 + 0.1 * n, width=640, cursor=100 * (n - 2)))
    return by


def on_air() -> Judge:
    """Of an input that has moved up to 0.2 s before the first look."""
    by = judge(proven=True)
    for n in (3, 2, 1):
        by.see(look(-0.2 * n, cursor=-200 * n))
    return by


def look(at: float, state: str = PLAYING, cursor: float | None = 0, width: float = 0) -> Look:
    return Look(100.0 + at, state, cursor, width)


def seen(by: Judge, looks: Iterable[Look]) -> list[Observation]:
    """All that was said, states left out."""
    return [observation for each in looks for observation in by.see(each) if not isinstance(observation, StateSeen)]


def test_playing_a_width_and_a_moving_cursor_together_are_the_proof() -> None:
    assert seen(judge(), [look(0.1, width=640, cursor=0), look(0.25, width=640, cursor=33)]) == [Ready(0.25)]


@pytest.mark.parametrize(
    "looks",
    [
        [look(0.1, cursor=0), look(0.2, cursor=33), look(0.3, cursor=66)],  # no width: no frame yet
        [look(0.1, width=640, cursor=33), look(0.2, width=640, cursor=33)],  # a frame, and then nothing
        [look(0.1, PAUSED, 0, 640), look(0.2, PAUSED, 33, 640)],  # moves, and does not play
        [look(0.1, OPENING, 0, 640), look(0.2, PLAYING, 33, 640)],  # the cursor moved before it played
        [look(0.1, width=640, cursor=None), look(0.2, width=640, cursor=33)],  # one cursor is no movement
        [look(0.1, width=640, cursor=50), look(0.2, width=640, cursor=20)],  # backwards is none either
        [look(0.1, width=640, cursor=33)],
    ],
)
def test_less_than_all_three_is_no_proof(looks: list[Look]) -> None:
    assert seen(judge(), looks) == []


def test_the_proof_is_given_once() -> None:
    moving = [look(0.05 * n, width=640, cursor=33 * n) for n in range(1, 20)]
    assert len(seen(judge(), moving)) == 1


def test_each_change_of_state_is_told_once() -> None:
    by = judge()
    states = [OPENING, OPENING, PLAYING, PLAYING, PAUSED, PLAYING]
    observations = [observation for n, state in enumerate(states) for observation in by.see(look(n * 0.05, state))]
    assert observations == [StateSeen(OPENING), StateSeen(PLAYING), StateSeen(PAUSED), StateSeen(PLAYING)]


def test_a_cursor_that_stands_still_is_told_soon_although_it_says_playing() -> None:
    by = moving()
    assert seen(by, [look(0.05 * n, width=640, cursor=0) for n in range(1, 4)]) == []
    [still] = seen(by, [look(0.2 + 0.05 * n, width=640, cursor=0) for n in range(40)])
    assert isinstance(still, Stalled)
    assert still.seconds == pytest.approx(STILL, abs=0.06)


@pytest.mark.parametrize("stopped", [0.0, 0.03, 0.1, 0.17])
def test_the_cursor_itself_tells_when_the_picture_stopped_between_two_looks(stopped: float) -> None:
    looks = [look(0.2 + 0.05 * n, cursor=1000 * stopped) for n in range(20)]
    by = on_air()
    by.see(look(0.0, cursor=0))
    told = [
        (each.at - 100.0 - observation.seconds)
        for each in looks
        for observation in by.see(each)
        if isinstance(observation, Stalled)
    ]
    assert told == [pytest.approx(stopped, abs=0.001)]


def test_an_adopted_input_that_has_not_moved_yet_may_still_be_starting() -> None:
    looks = [look(0.2 * n, width=640, cursor=500) for n in range(60)]
    [still] = seen(judge(proven=True), looks)
    assert isinstance(still, Stalled)
    assert still.seconds == pytest.approx(STARTING)


def test_a_late_frame_is_no_news() -> None:
    looks = [look(0.05 * n, cursor=200 * (n // 4)) for n in range(200)]
    assert seen(on_air(), looks) == []


def test_that_it_moves_again_is_told_with_the_first_motion() -> None:
    by = moving()
    cursor = iter([0, 0, 0, 0, 100, 200, 200, 200, 200, 200, 300])
    said = {n: seen(by, [look(0.1 * n, cursor=next(cursor))]) for n in range(11)}
    assert {n: [type(each) for each in observations] for n, observations in said.items() if observations} == {
        3: [Stalled],
        4: [Resumed],
        8: [Stalled],
        10: [Resumed],
    }


def test_where_obs_itself_stood_still_the_stream_is_not_blamed() -> None:
    by = on_air()
    assert seen(by, [look(0, cursor=0), look(0.2, cursor=200), look(30.0, cursor=200), look(30.2, cursor=400)]) == []
    assert seen(by, [look(31.0, cursor=400), look(31.04, cursor=400), look(31.06, cursor=600)]) == []


def test_a_cursor_that_jumps_back_is_a_stream_begun_anew_and_moves() -> None:
    looks = [look(0.2 * n, cursor=(200 * n) % 1000) for n in range(50)]
    assert seen(on_air(), looks) == []


@pytest.mark.parametrize("state", [ERROR, ENDED])
def test_an_error_or_an_end_that_lasts_is_a_failure_of_one_that_was_not_ready_yet(state: str) -> None:
    looks = [look(0.25 * n, state, None) for n in range(1, 40)]
    by = judge()
    said = [
        (each.at - 100.0, observation)
        for each in looks
        for observation in by.see(each)
        if isinstance(observation, Failed)
    ]
    assert said[0] == (0.25 + DEAD_FOR, Failed(f"its media state is {state}"))


@pytest.mark.parametrize("state", [ERROR, ENDED])
def test_one_that_was_ready_and_has_ended_stands_still_and_is_watched_on(state: str) -> None:
    looks = [look(0.25 * n, state, None) for n in range(1, 40)]
    looks += [look(10 + 0.25 * n, PLAYING, 250 * n) for n in range(10)]
    observations = seen(on_air(), looks)
    assert [type(observation) for observation in observations] == [Stalled, Resumed]
    assert isinstance(observations[0], Stalled)
    assert observations[0].blank


@pytest.mark.parametrize("state", [ERROR, ENDED])
def test_one_that_stood_still_before_it_ended_is_told_twice_and_that_it_shows_nothing_once(state: str) -> None:
    looks = [look(0.2 * n, cursor=0) for n in range(5)] + [look(1.0 + 0.5 * n, state, None) for n in range(5)]
    looks += [look(4.0 + 0.5 * n, OPENING, None) for n in range(3)]
    observations = seen(on_air(), looks)
    assert [isinstance(each, Stalled) and each.blank for each in observations] == [False, True]


def test_a_picture_that_was_cleared_and_is_back_may_be_cleared_again() -> None:
    by = on_air()
    for begin in (0.0, 10.0):
        gone = [look(begin + 0.5 * n, ERROR, None) for n in range(1, 4)]
        back = [look(begin + 3.0 + 0.2 * n, cursor=1000 * begin + 200 * n) for n in range(10)]
        assert [type(each) for each in seen(by, gone + back)] == [Stalled, Resumed]


def test_one_that_starts_again_in_time_has_not_failed() -> None:
    looks = [look(0, width=640, cursor=0), look(0.2, ERROR, 0), look(2.2, OPENING, 0)]
    looks += [look(2.3 + 0.05 * n, width=640, cursor=30 * n) for n in range(40)]
    assert [type(observation) for observation in seen(judge(), looks)] == [Ready]


def test_one_that_tries_again_and_again_has_failed_although_it_says_playing_in_between() -> None:
    states = [ENDED, PLAYING, ENDED, PLAYING, ENDED, PLAYING, ENDED, PLAYING]
    observations = seen(judge(), [look(0.5 * n, state, 0) for n, state in enumerate(states)])
    assert observations[0] == Failed(f"its media state is {ENDED}")


def test_looks_are_quick_at_first_then_at_the_poll_interval_and_quick_again_once_a_frame_is_there() -> None:
    by = judge()
    by.see(look(QUICK_FOR - 0.1))
    assert by.interval == QUICK
    by.see(look(QUICK_FOR + 0.1))
    assert by.interval == 0.5
    by.see(look(QUICK_FOR + 0.6, width=640))
    assert by.interval == QUICK


def test_never_more_than_twenty_looks_a_second_at_one_that_buffers_and_five_at_one_that_plays() -> None:
    assert judge().interval >= 1 / 20
    assert judge(proven=True).interval >= 1 / 5
    assert Judge(began=0.0, poll_interval=0.01).interval >= 1 / 20


def test_one_whose_pipeline_is_about_to_be_rebuilt_is_looked_at_rarely() -> None:
    by = judge()
    by.see(look(0.1, ERROR, 0))
    assert by.interval == max(0.5, WATCHING)


def test_one_on_air_that_seems_to_stand_still_is_looked_at_quickly_for_as_long_as_it_matters() -> None:
    by = on_air()
    by.see(look(0.0, cursor=0))
    assert by.interval == WATCHING
    by.see(look(0.2, cursor=80))  # it moved for less than half of the time
    assert by.interval == QUICK
    by.see(look(0.25, cursor=80))
    assert by.interval == QUICK
    by.see(look(0.3, cursor=180))
    assert by.interval == WATCHING
    for n in range(60):
        by.see(look(0.35 + 0.05 * n, cursor=180))
    assert STILL_QUICK_FOR < 0.05 * 60
    assert by.interval == WATCHING
