"""From counters to rates."""

import pytest

from daemon.core.readings import PLAYING, Look
from daemon.health.reading import SRS_PERIOD, DropReader, FlowReader, MotionReader, StatsReader, share


def stats(frames: int, skipped: int, encoded: int = 0, unencoded: int = 0) -> dict[str, object]:
    return {
        "activeFps": 30.0,
        "memoryUsage": 200.0,
        "cpuUsage": 5.0,
        "renderTotalFrames": frames,
        "renderSkippedFrames": skipped,
        "outputTotalFrames": encoded,
        "outputSkippedFrames": unencoded,
    }


# -- OBS's figures


def test_lag_is_the_share_of_the_frames_since_the_last_answer() -> None:
    reader = StatsReader()
    assert reader.read(stats(1000, 500)).render_lag is None
    drawn = reader.read(stats(1060, 506, encoded=60, unencoded=3))
    assert drawn.render_lag == pytest.approx(0.1)
    assert drawn.encoder_lag == pytest.approx(0.05)
    assert (drawn.fps, drawn.memory, drawn.cpu) == (30.0, 200.0, 5.0)


def test_an_answer_that_was_seen_already_changes_nothing() -> None:
    reader = StatsReader()
    reader.read(stats(1000, 0))
    second = stats(1060, 6)
    assert reader.read(second) == reader.read(second)
    assert reader.read(second).render_lag == pytest.approx(0.1)


def test_another_obs_is_not_compared_with_the_last_one() -> None:
    reader = StatsReader()
    reader.read(stats(1000, 10))
    reader.forget()
    assert reader.read(stats(2000, 900)).render_lag is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"p": 1, "w": 2}),
        ({"p": 0, "w": 10}, {"p": 0, "w": 10}),
        ({"p": 5, "w": 10}, {"p": 0, "w": 20}),
        ({"p": 0, "w": 10}, {"p": 0, "w": 5}),
        ({"p": "x", "w": 1}, {"p": None, "w": True}),
    ],
)
def test_counters_that_begin_anew_or_make_no_sense_give_no_share(
    before: dict[str, object], after: dict[str, object]
) -> None:
    assert share(before, after, "p", "w") is None


def test_a_share_is_never_above_the_whole() -> None:
    assert share({"p": 0, "w": 0}, {"p": 9, "w": 3}, "p", "w") == 1.0


def test_frames_are_dropped_only_while_something_is_sent() -> None:
    reader = DropReader()
    first = {"outputActive": True, "outputSkippedFrames": 0, "outputTotalFrames": 100}
    second = {"outputActive": True, "outputSkippedFrames": 10, "outputTotalFrames": 200}
    assert reader.read({}) is None
    assert reader.read(first) is None
    assert reader.read(second) == pytest.approx(0.1)
    assert reader.read({**second, "outputActive": False}) is None


# -- the cursor


def look(at: float, cursor: float | None) -> Look:
    return Look(at, PLAYING, cursor, 1280.0)


def test_a_cursor_that_keeps_step_with_the_clock_makes_a_pace_of_one_without_jitter() -> None:
    reader = MotionReader()
    motion = [reader.read("one", look(10.0 + step, 1000.0 * step)) for step in range(5)][-1]
    assert motion.progress == pytest.approx(1.0)
    assert motion.jitter == pytest.approx(0.0)
    assert motion.still == 0.0


def test_a_cursor_that_stands_still_counts_the_seconds() -> None:
    reader = MotionReader()
    reader.read("one", look(10.0, 0.0))
    reader.read("one", look(11.0, 1000.0))
    assert reader.read("one", look(12.0, 1000.0)).still == pytest.approx(1.0)
    motion = reader.read("one", look(13.5, 1000.0))
    assert motion.still == pytest.approx(2.5)
    assert motion.progress == 0.0


def test_a_cursor_that_hops_has_jitter() -> None:
    reader = MotionReader()
    cursors = (0.0, 1300.0, 2000.0, 3300.0, 4000.0)
    motion = [reader.read("one", look(10.0 + step, cursor)) for step, cursor in enumerate(cursors)][-1]
    assert motion.jitter == pytest.approx(300.0)


def test_a_cursor_that_jumps_back_moves_but_has_no_pace() -> None:
    reader = MotionReader()
    reader.read("one", look(10.0, 5000.0))
    motion = reader.read("one", look(11.0, 40.0))
    assert motion.progress is None
    assert motion.still == 0.0


def test_another_input_begins_anew() -> None:
    reader = MotionReader()
    reader.read("one", look(10.0, 0.0))
    reader.read("one", look(20.0, 0.0))
    assert reader.read("two", look(20.5, 9000.0)).still == 0.0
    assert reader.read("two", look(21.5, 10000.0)).progress == pytest.approx(1.0)


def test_no_new_look_proves_nothing_new() -> None:
    reader = MotionReader()
    reader.read("one", look(10.0, 0.0))
    known = reader.read("one", look(11.0, 1000.0))
    assert reader.read("one", look(11.0, 1000.0)) == known
    assert reader.read("one", None) == known
    assert reader.read("one", look(12.0, None)) == known


# -- bytes


def feed(reader: FlowReader, totals: list[tuple[float, int]], period: float = 5.0) -> list[float | None]:
    return [reader.read("alice", at, total, period) for at, total in totals]


def test_a_counter_that_moves_every_three_seconds_gives_the_true_rate() -> None:
    # 3000 kbit/s, as SRS tells it: 375,000 bytes a second, in jumps of three seconds.
    totals = [(float(second), 375_000 * (second - second % 3)) for second in range(30)]
    rates = [rate for rate in feed(FlowReader(), totals, period=1.0) if rate is not None]
    assert len(rates) > 20
    assert rates == [pytest.approx(3000.0)] * len(rates)


def test_lists_out_of_step_with_the_counter_give_the_rate_within_a_fifth() -> None:
    totals = [(float(second), 375_000 * ((second // 5 * 5) // 3 * 3)) for second in range(120)]
    rates = [rate for rate in feed(FlowReader(), totals) if rate is not None][15:]
    assert len(rates) > 60
    assert all(rate == pytest.approx(3000.0, rel=0.2) for rate in rates)


def test_a_standstill_shorter_than_the_servers_own_period_is_no_standstill() -> None:
    reader = FlowReader()
    feed(reader, [(0.0, 0), (5.0, 1_875_000), (10.0, 3_750_000)])
    assert reader.read("alice", 10.0 + 5.0 + SRS_PERIOD, 3_750_000, 5.0) == pytest.approx(3000.0)
    assert reader.read("alice", 10.0 + 5.0 + SRS_PERIOD + 1, 3_750_000, 5.0) == 0.0


def test_a_publisher_that_sends_again_has_a_rate_again() -> None:
    reader = FlowReader()
    feed(reader, [(0.0, 0), (5.0, 1000), (10.0, 2000)])
    assert reader.read("alice", 30.0, 2000, 5.0) == 0.0
    rate = reader.read("alice", 31.0, 3000, 5.0)
    assert rate is not None
    assert rate > 0


def test_another_publisher_and_a_counter_that_begins_anew_are_not_compared() -> None:
    reader = FlowReader()
    feed(reader, [(0.0, 0), (5.0, 1000), (10.0, 2000)])
    assert reader.read("bob", 11.0, 900_000, 5.0) is None
    assert reader.read("bob", 16.0, 100, 5.0) is None


def test_a_server_that_tells_nothing_gives_no_rate() -> None:
    reader = FlowReader()
    feed(reader, [(0.0, 0), (5.0, 1000), (10.0, 2000)])
    assert reader.read("alice", 11.0, None, 5.0) is None
    assert reader.read("alice", 12.0, 900_000, 5.0) is None
