"""What is made of the filters' words on each picture."""

import pytest

from daemon.probe.picture import GAP_MOST, Picture

BRIGHT = {"signalstats.YHIGH": 180.0, "signalstats.YDIF": 12.0}
STILL = {**BRIGHT, "signalstats.YDIF": 0.0}
BLACK = {"signalstats.YHIGH": 16.0, "signalstats.YDIF": 0.0}


def seen(*rows: tuple[float, dict[str, float]]) -> Picture:
    picture = Picture()
    for at, row in rows:
        picture.add(at, row)
    return picture


def test_nothing_is_said_before_the_first_look() -> None:
    assert Picture().measured() is None


def test_one_look_tells_of_no_motion() -> None:
    measured = seen((0.0, STILL)).measured()
    assert measured == {"light": 180.0, "black_seconds": 0.0, "motion": None, "still_seconds": 0.0}


def test_black_and_still_are_counted_by_the_stream_s_own_clock() -> None:
    measured = seen((0.0, BRIGHT), (2.0, BRIGHT), (4.0, BLACK), (6.0, BLACK)).measured()
    assert measured is not None
    assert (measured["light"], measured["black_seconds"], measured["still_seconds"]) == (16.0, 2.0, 4.0)
    measured = seen((0.0, BRIGHT), (2.0, BRIGHT), (4.0, STILL), (6.0, STILL)).measured()
    assert measured is not None
    assert (measured["black_seconds"], measured["still_seconds"]) == (0.0, 4.0)


def test_a_clock_that_jumps_back_begins_anew() -> None:
    measured = seen((100.0, BRIGHT), (102.0, STILL), (1.0, STILL)).measured()
    assert measured is not None
    assert (measured["still_seconds"], measured["motion"]) == (0.0, None)


def test_a_clock_that_jumps_forward_counts_for_a_little() -> None:
    measured = seen((0.0, BRIGHT), (2.0, BLACK), (102.0, BLACK)).measured()
    assert measured is not None
    assert measured["black_seconds"] == GAP_MOST


def test_one_dark_look_by_itself_is_no_black_picture() -> None:
    measured = seen((0.0, BRIGHT), (8.0, BLACK)).measured()
    assert measured is not None
    assert (measured["light"], measured["black_seconds"]) == (180.0, 0.0)


def test_the_distance_of_key_frames() -> None:
    assert seen((0.0, BRIGHT)).gap is None
    assert seen(*((2.0 * n, BRIGHT) for n in range(6))).gap == pytest.approx(2.0)


def test_nonsense_changes_nothing() -> None:
    assert seen((0.0, {}), (1.0, {"signalstats.YDIF": 3.0})).measured() is None
