"""The score: each issue by itself, and the promises that hold for all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.readings import PLAYING
from daemon.health.issues import BY_NAME, Thresholds
from daemon.health.samples import Sample
from daemon.health.score import WINDOW, judge
from tests.daemon.health.figures import AT, off_air, sample

LIMITS = Thresholds()


def steady(**changes: Any) -> list[Sample]:
    """Ten seconds of the same."""
    return [sample(AT + second, **changes) for second in range(10)]


def test_a_show_without_a_flaw_has_a_hundred_and_no_issue() -> None:
    assessment = judge(steady(), LIMITS)
    assert (assessment.score, assessment.issues, assessment.penalties) == (100.0, (), ())


def test_of_nothing_nothing_bad_is_said() -> None:
    assert judge([], LIMITS).score == 100.0


@pytest.mark.parametrize(
    ("issue", "changes"),
    [
        ("obs_unreachable", {"connected": False}),
        ("stalled", {"still": 1.0}),
        ("stalled", {"state": "OBS_MEDIA_STATE_ERROR"}),
        ("stuttering", {"progress": 0.5}),
        ("stuttering", {"progress": 1.6}),
        ("stuttering", {"jitter": 400.0}),
        ("no_bitrate", {"bitrate": 0.0}),
        ("input_stuck", {"stuck": True}),
        ("low_bitrate", {"bitrate": 100.0}),
        ("render_lag", {"render_lag": 0.1}),
        ("encoder_lag", {"encoder_lag": 0.1}),
        ("dropped_frames", {"dropped": 0.1}),
    ],
)
def test_each_flaw_is_named_and_costs_something(issue: str, changes: dict[str, Any]) -> None:
    assessment = judge(steady(**changes), LIMITS)
    assert assessment.issues == (issue,)
    assert assessment.score < 95


def test_a_picture_that_changes_its_size_is_named_for_as_long_as_the_window() -> None:
    samples = steady()
    samples[2] = replace(samples[2], resized=True)
    assert judge(samples, LIMITS).issues == ("picture_size_changed",)
    later = [*samples, sample(AT + 2 + WINDOW + 1)]
    assert judge(later, LIMITS).issues == ()


def test_a_stall_costs_half_at_once_and_all_of_it_soon() -> None:
    assert judge([sample(still=1.0)], LIMITS).score == pytest.approx(50.0)
    assert judge([sample(still=5.0)], LIMITS).score == 0.0
    assert judge([sample(still=0.99)], LIMITS).score == 100.0


def test_a_stalled_picture_is_not_said_to_stutter_as_well() -> None:
    assert judge(steady(still=3.0, progress=0.0), LIMITS).issues == ("stalled",)


def test_nobody_on_air_is_grave_only_where_somebody_waits() -> None:
    idle, waited = judge([off_air()], LIMITS), judge([off_air(waiting=1)], LIMITS)
    assert (idle.score, idle.issues) == (100.0, ("nobody_on_air",))
    assert (waited.score, waited.issues) == (0.0, ("nobody_on_air",))


def test_an_obs_that_cannot_be_reached_is_the_only_thing_said() -> None:
    assessment = judge([sample(connected=False, waiting=1, bitrate=0.0)], LIMITS)
    assert (assessment.score, assessment.issues) == (0.0, ("obs_unreachable",))


def test_a_blip_of_one_sample_is_part_of_the_score_but_has_no_name() -> None:
    samples = steady()
    samples[4] = replace(samples[4], render_lag=0.1)
    assessment = judge(samples, LIMITS)
    assert assessment.issues == ()
    assert assessment.score < 100


def test_what_came_before_the_hand_over_is_not_held_against_the_next_one() -> None:
    bad = [replace(each, bitrate=10.0, progress=0.3) for each in steady()]
    fresh = sample(AT + 10, streamer="bob", input="GMOTHERSTREAM_2")
    assert judge([*bad, fresh], LIMITS).score == 100.0


def test_no_bound_of_the_bitrate_means_no_low_bitrate() -> None:
    assert judge(steady(bitrate=1.0), Thresholds(low_bitrate=0.0)).issues == ()


def test_the_gravest_issue_comes_first() -> None:
    assessment = judge(steady(still=1.0, render_lag=0.05, bitrate=150.0), LIMITS)
    assert assessment.issues[0] == "stalled"
    penalties = [penalty for _, penalty in assessment.penalties]
    assert penalties == sorted(penalties, reverse=True)


# -- for all shows

SHARES = st.none() | st.floats(0, 1)
SAMPLES = st.builds(
    Sample,
    at=st.floats(AT - 15, AT),
    connected=st.booleans(),
    streamer=st.just("alice"),
    input=st.sampled_from(["", "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"]),
    waiting=st.integers(0, 2),
    state=st.sampled_from([None, PLAYING, "OBS_MEDIA_STATE_ENDED", "OBS_MEDIA_STATE_BUFFERING"]),
    cursor=st.none() | st.floats(0, 1e6),
    progress=st.none() | st.floats(0, 3),
    jitter=st.none() | st.floats(0, 2000),
    still=st.floats(0, 20),
    resized=st.booleans(),
    bitrate=st.none() | st.floats(0, 10_000),
    render_lag=SHARES,
    encoder_lag=SHARES,
    dropped=SHARES,
)
SHOWS = st.lists(SAMPLES, min_size=1, max_size=6).map(lambda found: sorted(found, key=lambda each: each.at))
LIMIT = st.builds(Thresholds, stall=st.floats(0.2, 10), low_bitrate=st.floats(0, 5000))

WORSE = st.sampled_from(
    ["still", "dead", "progress", "jitter", "bitrate", "render_lag", "encoder_lag", "dropped", "resized", "waiting"]
)


def worsened(each: Sample, how: str, much: float) -> Sample:
    """The same sample, worse in one respect; ``much`` from 0 to 1."""
    match how:
        case "dead":
            return replace(each, state="OBS_MEDIA_STATE_ERROR")
        case "still":
            return replace(each, still=each.still + 20 * much)
        case "progress":
            now = 1.0 if each.progress is None else each.progress
            return replace(each, progress=now * (1 - much) if now <= 1 else now + much)
        case "jitter":
            return replace(each, jitter=(each.jitter or 0.0) + 1000 * much)
        case "bitrate":
            return replace(each, bitrate=(10_000.0 if each.bitrate is None else each.bitrate) * (1 - much))
        case "resized":
            return replace(each, resized=True)
        case "waiting":
            return replace(each, waiting=each.waiting + 1)
        case _:
            change: dict[str, Any] = {how: (getattr(each, how) or 0.0) * (1 - much) + much}
            return replace(each, **change)


@given(SHOWS, LIMIT, st.data(), WORSE, st.floats(0, 1))
def test_a_worse_sample_never_scores_higher(
    show: list[Sample], limits: Thresholds, data: st.DataObject, how: str, much: float
) -> None:
    index = data.draw(st.integers(0, len(show) - 1))
    worse = [*show[:index], worsened(show[index], how, much), *show[index + 1 :]]
    assert judge(worse, limits).score <= judge(show, limits).score + 1e-9


@given(SHOWS, LIMIT)
def test_losing_obs_never_scores_higher(show: list[Sample], limits: Thresholds) -> None:
    lost = [*show[:-1], replace(show[-1], connected=False)]
    assert judge(lost, limits).score == 0.0 <= judge(show, limits).score


@given(SHOWS, LIMIT)
def test_a_score_is_from_0_to_100_and_its_issues_have_known_names(show: list[Sample], limits: Thresholds) -> None:
    assessment = judge(show, limits)
    assert 0.0 <= assessment.score <= 100.0
    assert set(assessment.issues) <= set(BY_NAME)
    assert len(set(assessment.issues)) == len(assessment.issues)
    assert all(0 < penalty <= 100 for _, penalty in assessment.penalties)
    assert assessment.score == pytest.approx(max(0.0, 100 - sum(penalty for _, penalty in assessment.penalties)))
