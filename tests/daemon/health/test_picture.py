"""The picture of the curve."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from daemon.health.picture import GAP, LEFT, WIDTH, Point, draw

SVG = "{http://www.w3.org/2000/svg}"


def parsed(points: list[Point], title: str = "Stream health") -> ElementTree.Element:
    return ElementTree.fromstring(draw(title, points, 0.0, 3600.0))


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def lines(root: ElementTree.Element, style: str) -> list[list[tuple[float, float]]]:
    found = [node for node in root.iter(f"{SVG}polyline") if node.get("class") == style]
    return [[tuple(map(float, dot.split(","))) for dot in (node.get("points") or "").split()] for node in found]  # type: ignore[misc]  # a tuple of any length


def test_it_has_a_title_axes_and_the_curve() -> None:
    root = parsed([Point(float(second), 100.0 - second, 3000.0, 1.0) for second in range(60)])
    told = texts(root)
    assert root.findtext(f"{SVG}title") == "Stream health"
    assert {"Stream health", "Score", "Bitrate, kbit/s", "Time, UTC", "00:00", "01:00", "100", "No issues"} <= set(told)
    (score,) = lines(root, "score")
    assert len(score) == 60
    assert score[0][0] == LEFT
    assert score[0][1] < score[-1][1], "a lower score is drawn lower"


def test_issues_are_marked_where_they_were() -> None:
    points = [Point(float(s), 50.0, issues=("stalled",) if 600 <= s < 660 else ()) for s in range(0, 3600, 5)]
    root = parsed(points)
    assert "stalled" in texts(root)
    (mark,) = [node for node in root.iter(f"{SVG}rect") if node.get("class") == "issue"]
    plot = WIDTH - LEFT - 20
    assert float(mark.get("x") or 0) == round(LEFT + plot * 600 / 3600, 1)
    assert abs(float(mark.get("width") or 0) - plot * 60 / 3600) < 2


def test_a_hole_in_the_samples_is_a_hole_in_the_curve() -> None:
    seconds = [0.0, 1.0, 2.0, 2.0 + GAP + 1, 3.0 + GAP + 1]
    assert [len(run) for run in lines(parsed([Point(s, 100.0) for s in seconds]), "score")] == [3, 2]
    unknown = [Point(float(s), 100.0, bitrate=None if s == 2 else 10.0) for s in range(5)]
    assert [len(run) for run in lines(parsed(unknown), "bitrate")] == [2, 2]


def test_each_turn_has_a_line_and_the_name_where_there_is_room() -> None:
    turns = [(0.0, "alice"), (600.0, "bob"), (601.0, "carol"), (1200.0, ""), (3599.0, "dave-who-is-late")]
    root = parsed([Point(at, 100.0, streamer=name) for at, name in turns])
    names = [node for node in root.iter(f"{SVG}text") if node.get("class") == "turn-name"]
    assert [node.text for node in names] == ["alice", "bob", "dave-who-is-late"]
    assert float(names[-1].get("x") or 0) < WIDTH - 100
    assert len([node for node in root.iter(f"{SVG}line") if node.get("class") == "turn"]) == 5


def test_a_name_that_is_a_script_is_text() -> None:
    evil = "<script>alert(1)</script>"
    source = draw(evil, [Point(1.0, 1.0, streamer=evil, issues=(evil,))], 0.0, 3600.0)
    assert "<script" not in source
    assert evil in texts(ElementTree.fromstring(source))


def test_samples_of_another_hour_are_left_out() -> None:
    assert lines(parsed([Point(-5.0, 1.0), Point(4000.0, 1.0)]), "score") == []


NUMBERS = st.none() | st.floats(-10, 1e9, allow_nan=False)
POINTS = st.lists(
    st.builds(
        Point,
        at=st.floats(-100, 4000),
        score=st.floats(0, 100),
        bitrate=NUMBERS,
        pace=NUMBERS,
        issues=st.lists(st.sampled_from(["stalled", "low_bitrate", "a&b"]), max_size=2).map(tuple),
        streamer=st.sampled_from(["", "alice", "<b>"]),
    ),
    max_size=20,
).map(lambda found: sorted(found, key=lambda point: point.at))


@given(POINTS)
def test_whatever_the_samples_the_picture_is_whole_and_nothing_leaves_it(points: list[Point]) -> None:
    root = parsed(points)
    assert not re.search(r"nan|inf", ElementTree.tostring(root, "unicode"))
    for style in ("score", "bitrate", "pace"):
        for run in lines(root, style):
            assert all(LEFT <= x <= WIDTH and 0 <= y <= float(root.get("height") or 0) for x, y in run)
