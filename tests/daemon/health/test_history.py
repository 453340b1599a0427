"""What is kept, and how it is told."""

import json
import math

import pytest

from daemon.health.history import HealthReading, History, as_json
from daemon.health.issues import Thresholds
from daemon.health.score import judge
from tests.daemon.health.figures import AT, off_air, reading

LIMITS = Thresholds()


def test_the_last_readings_are_kept_and_the_oldest_go() -> None:
    kept = History(3)
    for second in range(5):
        kept.add(reading(AT + second), LIMITS, most=5)
    assert [r.sample.at - AT for r in kept.last(10)] == [2, 3, 4]
    assert [r.sample.at - AT for r in kept.last(2)] == [3, 4]
    assert [r.sample.at - AT for r in kept.since(AT + 3)] == [3, 4]
    assert (len(kept), kept.taken, kept.capacity) == (3, 5, 3)
    assert kept.last(0) == ()


def test_seconds_of_standstill_and_of_nothing_are_counted() -> None:
    kept = History(100)
    kept.add(reading(AT), LIMITS, most=5)
    kept.add(reading(AT + 1, still=1.5), LIMITS, most=5)
    kept.add(reading(AT + 3, still=3.5), LIMITS, most=5)
    assert kept.stalled_seconds == pytest.approx(3.0)
    for at, waiting in ((AT + 4, 0), (AT + 6, 2)):
        sample = off_air(at, waiting=waiting)
        kept.add(HealthReading(sample, judge([sample], LIMITS)), LIMITS, most=5)
    assert kept.blank_seconds == pytest.approx(2.0)
    assert kept.off_air_seconds == pytest.approx(3.0)


def test_a_machine_that_slept_was_not_stalled_all_the_while() -> None:
    kept = History(100)
    kept.add(reading(AT), LIMITS, most=5)
    kept.add(reading(AT + 40_000, still=2.0), LIMITS, most=5)
    assert kept.stalled_seconds == 5.0


def test_a_reading_is_plain_json_with_null_for_what_is_not_known() -> None:
    told = json.loads(json.dumps(as_json(reading(jitter=math.inf, dropped=None, bitrate=2999.987)), allow_nan=False))
    assert told["at"] == "2026-01-01T20:00:00Z"
    assert told["media"]["jitter"] is None
    assert told["obs"]["dropped"] is None
    assert told["ingest"] == {"received": 1_000_000, "bitrate": 3000.0}
    assert told["streamer"] == "alice"
    empty = as_json(HealthReading(off_air(), judge([off_air()], LIMITS)))
    assert (empty["streamer"], empty["input"], empty["issues"]) == (None, None, ["nobody_on_air"])
