"""The monitor's pure parts: what looks become, and the picture that is drawn of them."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from daemon.studio import BLANK, Frozen, RecordingVerdict, SilentSpan, Span
from tests.e2e.monitored import verdict_of
from tests.e2e.timeline import PLAYING, Cut, InputLane, Reading, Recorder, Run, Seen, Timeline, aligned, reading_of
from tests.e2e.timeline_picture import draw, packed
from tests.e2e.watching import parse_event
from tests.svg import Svg, nice_step, ticks

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def playing(cursor: float, *, shown: bool = False) -> Seen:
    return Seen(shown, PLAYING, cursor)


def test_an_input_is_there_hidden_then_shown_then_gone() -> None:
    recorder = Recorder("t")
    recorder.look(0.0, {})
    recorder.look(1.0, {ONE: Seen(shown=False)})
    recorder.look(2.0, {ONE: Seen(shown=True)})
    recorder.look(3.0, {ONE: Seen(shown=True)})
    told = recorder.look(4.0, {})
    assert recorder.timeline.inputs[ONE].visibility == [Run(1.0, 2.0, "hidden"), Run(2.0, 4.0, "shown")]
    assert (ONE, "gone") in [(change.who, change.what) for change in told]


def test_show_and_hide_in_one_look_are_one_cut() -> None:
    recorder = Recorder("t")
    recorder.look(0.0, {ONE: Seen(shown=True), TWO: Seen(shown=False)})
    told = recorder.look(1.0, {ONE: Seen(shown=False), TWO: Seen(shown=True)})
    assert recorder.timeline.cuts[-1] == Cut(1.0, (TWO,), (ONE,))
    assert [change.line() for change in told] == [f"{1.0:9.2f}  {'CUT':<18} shows {TWO}, hides {ONE}"]


def test_an_input_on_air_that_is_gone_counts_as_hidden() -> None:
    recorder = Recorder("t")
    recorder.look(0.0, {ONE: Seen(shown=True)})
    recorder.look(1.0, {})
    assert recorder.timeline.cuts[-1] == Cut(1.0, (), (ONE,))


def test_playing_is_no_motion_until_the_cursor_steps() -> None:
    recorder = Recorder("t")
    for at, cursor in ((0.0, 0.0), (0.2, 0.0), (0.4, 100.0), (0.6, 300.0)):
        recorder.look(at, {ONE: playing(cursor)})
    runs = recorder.finish(0.8).inputs[ONE].picture
    assert [run for run in runs if run.length > 0] == [Run(0.0, 0.4, "playing"), Run(0.4, 0.8, "moves")]


def test_a_cursor_that_stands_still_behind_playing_is_told_from_when_it_last_moved() -> None:
    recorder = Recorder("t")
    for number in range(5):
        recorder.look(number * 0.2, {ONE: playing(number * 200.0)})
    told = [recorder.look(at, {ONE: playing(800.0)}) for at in (1.0, 1.19, 1.4)]
    assert [[change.what for change in changes] for changes in told] == [[], [], ["still since 0.80"]]
    runs = recorder.finish(2.0).inputs[ONE].picture
    assert runs[-1] == Run(0.8, 2.0, "still")
    assert runs[-2].end == 0.8


def test_one_look_between_two_steps_of_the_cursor_is_no_standstill() -> None:
    recorder = Recorder("t")
    for at, cursor in ((0.0, 0.0), (0.2, 200.0), (0.4, 200.0), (0.6, 600.0)):
        recorder.look(at, {ONE: playing(cursor)})
    assert "still" not in [run.what for run in recorder.timeline.inputs[ONE].picture]


def test_looks_that_do_not_ask_for_the_media_leave_its_state_alone() -> None:
    recorder = Recorder("t")
    recorder.look(0.0, {ONE: playing(0.0)})
    recorder.look(0.2, {ONE: playing(200.0)})
    recorder.look(0.3, {ONE: Seen(shown=True)})
    assert recorder.timeline.inputs[ONE].picture[-1].what == "moves"


def test_an_input_that_comes_back_after_obs_was_away_has_a_gap() -> None:
    recorder = Recorder("t")
    recorder.look(0.0, {ONE: playing(5.0, shown=True)})
    recorder.look(1.0, {ONE: playing(900.0, shown=True)})
    assert [change.what for change in recorder.lost(2.0)] == ["gone"]
    assert recorder.lost(3.0) == []
    recorder.look(5.0, {ONE: playing(0.0, shown=True)})
    timeline = recorder.finish(6.0)
    assert timeline.inputs[ONE].visibility == [Run(0.0, 2.0, "shown"), Run(5.0, 6.0, "shown")]
    assert timeline.obs == [Run(0.0, 2.0, "answers"), Run(2.0, 5.0, "gone"), Run(5.0, 6.0, "answers")]


def test_an_input_that_was_only_heard_of_is_not_drawn() -> None:
    recorder = Recorder("t")
    recorder.on_air(0.0, "alice", ONE)
    recorder.look(0.5, {TWO: Seen(shown=False)})
    timeline = recorder.finish(1.0)
    assert list(timeline.inputs) == [TWO]
    assert timeline.on_air == [Run(0.0, 1.0, "alice")]


def a_verdict(**changed: object) -> RecordingVerdict:
    values: dict[str, object] = {
        "path": Path("x.mkv"),
        "fps": 10.0,
        "start": 0.0,
        "end": 4.0,
        "frames": 40,
        "blank_times": (1.0, 1.1, 1.2, 3.0),
        "frozen": (Frozen(2.0, 5),),
        "silences": (SilentSpan(2.0, 250.0),),
        "shown": (Span(0.0, 1.0, "alice"), Span(1.0, 1.3, BLANK), Span(1.3, 4.0, "bob")),
        "heard": (Span(0.0, 4.0, "alice"),),
    }
    return RecordingVerdict(**(values | changed))  # type: ignore[arg-type]  # fields by name


def rounded(runs: list[Run]) -> list[tuple[float, float]]:
    return [(round(run.start, 3), round(run.end, 3)) for run in runs]


def test_a_verdict_is_moved_to_the_timelines_time_and_neighbouring_blanks_are_one() -> None:
    reading = reading_of(a_verdict(), 10.0)
    assert rounded(reading.blank) == [(11.0, 11.3), (13.0, 13.1)]
    assert rounded(reading.frozen) == [(12.0, 12.5)]
    assert rounded(reading.silent) == [(12.0, 12.25)]
    assert rounded(reading.seen) == [(10.0, 11.0), (11.0, 11.3), (11.3, 14.0)]


def test_a_recording_without_a_blank_has_none() -> None:
    assert reading_of(a_verdict(blank_times=()), 0.0).blank == []


def test_a_recording_is_aligned_by_the_cuts_that_it_shows() -> None:
    shown = (Span(0.0, 1.0, "alice"), Span(1.0, 2.0, "bob"), Span(2.0, 4.0, "carol"))
    reading = reading_of(a_verdict(shown=shown), 0.0)
    cuts = [Cut(1.3, (ONE,), ()), Cut(2.3, (TWO,), ()), Cut(9.0, (ONE,), ())]
    moved = aligned(reading, cuts)
    assert rounded(moved.seen) == [(0.3, 1.3), (1.3, 2.3), (2.3, 4.3)]
    assert rounded(moved.blank) == [(1.3, 1.6), (3.3, 3.4)]
    assert aligned(reading, cuts[2:]) == reading
    assert aligned(reading, []) == reading


def timeline_with(blank: Run, *windows: Run) -> Timeline:
    reading = Reading(0.0, 20.0, blank=[blank], frozen=[], silent=[], seen=[], heard=[])
    return Timeline("t", 20.0, readings=[reading], expected=list(windows))


@pytest.mark.parametrize(
    ("windows", "left"),
    [
        ([], [(5.0, 8.0)]),
        ([Run(4.0, 9.0, "why")], []),
        ([Run(5.5, 6.0, "why")], [(5.0, 5.5), (6.0, 8.0)]),
        ([Run(4.0, 6.0, "why"), Run(6.0, 7.0, "why")], [(7.0, 8.0)]),
        ([Run(9.0, 10.0, "why")], [(5.0, 8.0)]),
    ],
)
def test_only_what_of_a_blank_is_outside_the_windows_is_a_fault(
    windows: list[Run], left: list[tuple[float, float]]
) -> None:
    timeline = timeline_with(Run(5.0, 8.0, "blank"), *windows)
    assert rounded(timeline.unexpected_blanks()) == left


def test_a_blank_outside_the_windows_ends_the_run_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict_of(timeline_with(Run(5.0, 8.0, "blank")), [], 0, Path("out")) == 1
    assert "FAULT: blank for 3000 ms at 5.00 s" in capsys.readouterr().out
    assert verdict_of(timeline_with(Run(5.0, 8.0, "blank"), Run(4.0, 9.0, "why")), [], 0, Path("out")) == 0


def test_inputs_have_a_row_each_until_there_are_too_many() -> None:
    inputs = {f"I{number}": InputLane([Run(number, number + 1.5, "shown")]) for number in range(6)}
    assert packed(inputs, most=6) == [["I0"], ["I1"], ["I2"], ["I3"], ["I4"], ["I5"]]
    assert packed(inputs, most=5) == [["I0", "I2", "I4"], ["I1", "I3", "I5"]]


def a_show() -> Timeline:
    recorder = Recorder("a <show> & more")
    recorder.state(0.0, "IDLE")
    recorder.note(0.5, "skip")
    recorder.look(0.0, {ONE: playing(0.0), "SLATE": Seen(shown=True)})
    recorder.look(1.0, {ONE: playing(900.0, shown=True), "SLATE": Seen(shown=False)})
    recorder.on_air(1.0, "alice", ONE)
    recorder.state(1.0, "STANDBY")
    recorder.lost(2.0)
    timeline = recorder.finish(5.0)
    timeline.readings = [reading_of(a_verdict(), 0.5)]
    timeline.hues = {"alice": 0.0, "bob": 120.0}
    timeline.expected = [Run(3.0, 4.0, "because")]
    return timeline


def test_the_picture_is_well_formed_and_names_all_there_is() -> None:
    root = ElementTree.fromstring(draw(a_show()).document())
    words = " ".join("".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text"))
    for expected in ("a <show> & more", ONE, "SLATE", "skip", "alice", "frozen: 1", "blank: 2", "gone 3.0 s"):
        assert expected in words
    tips = [element.text or "" for element in root.iter() if element.tag.endswith("}title")]
    assert any(tip.startswith("frozen for 500 ms") for tip in tips)


def test_nothing_of_the_picture_lies_outside_it() -> None:
    svg = draw(a_show())
    root = ElementTree.fromstring(svg.document())
    boxes = [
        [float(element.get(name, "0")) for name in ("x", "y", "width", "height")]
        for element in root.iter()
        if element.tag.endswith("}rect") and element.get("fill", "").startswith("#") and element.get("x") is not None
    ]
    assert len(boxes) > 10
    assert all(x + width <= svg.width + 0.01 and y + height <= svg.height + 0.01 for x, y, width, height in boxes)


def test_an_empty_timeline_can_be_drawn() -> None:
    assert "</svg>" in draw(Recorder("nothing").finish(0.0)).document()


def test_words_in_a_picture_cannot_end_it() -> None:
    svg = Svg(10, 10, title="</title><script>")
    svg.text(0, 0, '"<script>alert(1)</script>&')
    svg.rect(0, 0, 1, 1, fill='red" onload="x', tip="</title>")
    root = ElementTree.fromstring(svg.document())
    assert [element.tag for element in root.iter() if "script" in element.tag] == []
    assert all(element.get("onload") is None for element in root.iter())


@pytest.mark.parametrize(("span", "most", "step"), [(50.0, 10, 5.0), (1.0, 4, 0.5), (0.03, 6, 0.005), (7.0, 7, 1.0)])
def test_axes_have_round_steps(span: float, most: int, step: float) -> None:
    assert nice_step(span, most) == pytest.approx(step)
    marks = list(ticks(0.0, span, most))
    assert marks[0] == 0.0
    assert len(marks) <= most + 1


def test_an_event_is_read_and_a_heartbeat_is_none() -> None:
    lines = ["id: ab-7", "event: state_changed", 'data: {"dest":"STANDBY"}']
    assert parse_event(lines) == ("state_changed", {"dest": "STANDBY"})
    assert parse_event([":"]) == ("", {})
