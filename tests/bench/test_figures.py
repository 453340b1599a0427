"""The benchmark's arithmetic: percentiles, /proc, and what a recording says of each hand-over."""

import math
from dataclasses import asdict
from pathlib import Path

import pytest

from daemon.studio import BLANK, Frozen, RecordingVerdict, SilentSpan, Span
from tests.bench.figures import (
    MARK,
    Ask,
    Block,
    Hand,
    Result,
    Spread,
    cpu_model,
    cpu_ticks,
    hands_of,
    metric,
    middle,
    offsets,
    percentile,
    resident_mb,
    rise,
)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 5.0), (0.95, 10.0), (0.9, 9.0), (0.91, 10.0), (1.0, 10.0), (0.0, 1.0)]
)
def test_a_percentile_is_a_value_that_occurred(share: float, expected: float) -> None:
    assert percentile([float(value) for value in (3, 1, 2, 5, 4, 10, 9, 8, 7, 6)], share) == expected


def test_of_one_value_every_percentile_is_that_value_and_of_none_there_is_none() -> None:
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)
    assert math.isnan(percentile([], 0.5))


def test_the_95th_percentile_of_20_values_leaves_one_above() -> None:
    values = [float(value) for value in range(1, 21)]
    assert Spread.of(values) == Spread(10.0, 19.0, 20.0)


def test_cpu_ticks_are_found_behind_any_name() -> None:
    stat = "12 (a ) b (c) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 4 0 300"
    assert cpu_ticks(stat) == 300


def test_resident_memory_is_read_in_megabytes_and_a_zombie_has_none() -> None:
    assert resident_mb("Name:\tx\nVmPeak:\t  999 kB\nVmRSS:\t   62464 kB\n") == 61.0
    with pytest.raises(ValueError, match="has ended"):
        resident_mb("Name:\tx\nState:\tZ (zombie)\n")


def test_the_processor_has_a_name() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Some   CPU @ 2 GHz\n") == "Some CPU @ 2 GHz"
    assert cpu_model("") == "unknown processor"


def test_samples_of_a_metric_are_added_up_by_their_labels() -> None:
    text = (
        '# HELP x y\nx_total{server="srs",outcome="ok"} 3.0\nx_total{outcome="ok",server="nginx"} 4.0\nx_totals 9.0\n'
    )
    assert metric(text, "x_total", outcome="ok") == 7.0
    assert metric(text, "x_total", server="srs") == 3.0
    assert metric(text, "missing") == 0.0


def a_verdict(**changed: object) -> RecordingVerdict:
    values: dict[str, object] = {
        "path": Path("x.mkv"),
        "fps": 10.0,
        "start": 0.0,
        "end": 10.0,
        "frames": 100,
        "blank_times": (),
        "frozen": (),
        "silences": (),
        "shown": (
            *(Span(0.0, 0.5, MARK), Span(0.5, 3.0, "alice"), Span(3.0, 3.2, BLANK), Span(3.2, 6.0, "bob")),
            *(Span(6.0, 9.0, "carol"), Span(9.0, 9.3, MARK), Span(9.3, 10.0, "carol")),
        ),
        "heard": (),
    }
    return RecordingVerdict(**(values | changed))  # type: ignore[arg-type]  # fields by name


def test_the_marks_tie_the_recordings_time_to_the_clocks() -> None:
    found = offsets(a_verdict(), [100.0, 100.5, 109.01, 109.3])
    assert found == pytest.approx([-100.0, -100.0, -100.01, -100.0])
    assert middle(found) == pytest.approx((-100.0, 0.01))


def test_a_fade_whose_colours_pass_for_the_marks_does_not_move_the_time() -> None:
    shown = list(a_verdict().shown)
    shown[2] = Span(3.0, 3.2, MARK)
    assert offsets(a_verdict(shown=tuple(shown)), [100.0, 100.5, 109.0, 109.3]) == pytest.approx([-100.0] * 4)


def test_a_recording_in_which_a_mark_is_missing_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="1 of two marks"):
        offsets(a_verdict(shown=(Span(0.0, 0.5, MARK), Span(0.5, 9.0, "alice"))), [1.0, 2.0, 3.0, 4.0])


def test_each_hand_over_has_what_the_recording_shows_until_the_next_request() -> None:
    verdict = a_verdict(
        blank_times=(3.0, 3.1),
        frozen=(Frozen(2.0, 4), Frozen(3.5, 2), Frozen(5.95, 3)),
        silences=(SilentSpan(2.95, 300.0), SilentSpan(6.5, 20.0)),
    )
    asks = [Ask(102.9, "bob", 0.25), Ask(105.9, "carol")]
    first, second = hands_of(verdict, asks, 108.0, -100.0)
    assert first == Hand("bob", pytest.approx(300.0), 2, pytest.approx(200.0), 300.0, 250.0)  # type: ignore[arg-type]  # a float, or nearly
    assert second == Hand("carol", pytest.approx(100.0), 0, pytest.approx(300.0), 20.0, None)  # type: ignore[arg-type]  # a float, or nearly


def test_a_picture_that_never_came_is_none() -> None:
    assert [hand.picture for hand in hands_of(a_verdict(), [Ask(104.0, "dave")], 108.0, -100.0)] == [None]


def test_a_picture_that_came_after_the_next_request_is_not_the_first_ones() -> None:
    first, _ = hands_of(a_verdict(), [Ask(104.0, "carol"), Ask(105.0, "carol")], 108.0, -100.0)
    assert first.picture is None


def test_a_frame_that_seems_to_be_before_its_request_took_no_time() -> None:
    hand = hands_of(a_verdict(), [Ask(103.25, "bob")], 108.0, -100.0)[0]
    assert hand.picture == 0.0


def test_a_result_survives_json_and_averages_over_its_blocks() -> None:
    result = Result("w", "k", ours=True)
    for seconds, cpu, phase in ((10.0, 50.0, (1.0, 2)), (30.0, 90.0, (3.0, 2))):
        hand = Hand("bob", 30.0, 0, 33.0, 0.0)
        result.blocks.append(Block([hand], seconds, obs_cpu=cpu, lagged=1, rendered=100, phases={"SWAPPING": phase}))
    result.blocks[0].hands.append(Hand("x", None, 0, 0.0, 0.0))
    again = Result.of(asdict(result))
    assert again == result
    assert again.obs_cpu == pytest.approx(80.0)
    assert again.lagged_share == pytest.approx(0.01)
    assert again.phase("SWAPPING") == pytest.approx(1000.0)
    assert math.isnan(again.phase("CREATING"))
    assert again.pictures == [30.0, 30.0]


def test_a_straight_line_shows_growth_and_no_growth() -> None:
    assert rise([(0.0, 60.0), (50.0, 61.0), (100.0, 62.0)]) == pytest.approx(2.0)
    assert rise([(0.0, 60.0), (1.0, 61.0), (2.0, 60.0)]) == pytest.approx(0.0)
    assert rise([(0.0, 61.0), (10.0, 60.0)]) == pytest.approx(-1.0)
    assert rise([(3.0, 60.0)]) == 0.0
