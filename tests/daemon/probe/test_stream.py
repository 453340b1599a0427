"""What one run of ffmpeg has told, as it is reported."""

import time

from daemon.core.probing import Order, Report
from daemon.probe.ffmpeg import Wanted
from daemon.probe.stream import FLOWING, GAP_MOST, Measuring, Progress
from tests.daemon.probe.test_sound import LOUD

ORDER: Order = {"session": "srs:1", "streamer": "alice", "url": "rtmp://127.0.0.1/live/alice"}
TRACKS = b"""[info]   Stream #0:0: Video: h264 (High), yuv420p, 320x180, 30 fps
[info]   Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp
"""


def measuring(*frames: int, blocks: int = 0) -> Measuring:
    """It has told of so many frames, half a second apart up to now, and of so many blocks of sound just now."""
    made = Measuring(Wanted())
    made.began = time.monotonic() - 60.0
    made.log.feed(TRACKS)
    for number, count in enumerate(frames, 1 - len(frames)):
        made._went_on(Progress(time.monotonic() + 0.5 * number, count, 1000 * count))
    for number in range(blocks):
        made._heard(number / 10, LOUD)
    return made


def told(made: Measuring, stopped_at: float | None = None) -> Report:
    return made.report(ORDER, time.monotonic(), "", stopped_at)


def test_a_run_that_has_only_begun_tells_nothing_of_a_stream_that_played_a_moment_ago() -> None:
    made = measuring()
    report = told(made, time.monotonic() - 0.5)
    assert (report["state"], report["sound"], report["picture"], report["kbps"]) == ("opening", None, None, None)
    assert told(made, time.monotonic() - 60.0)["state"] == "stopped"
    assert told(made)["state"] == "opening"


def test_before_the_first_sound_there_is_no_silence() -> None:
    made = measuring(0, 15)
    made.began = time.monotonic() - 0.5
    assert told(made)["sound"] is None


def test_a_sound_that_is_missing_while_the_picture_goes_on_is_silence() -> None:
    sound = told(measuring(0, 15, 30))["sound"]
    assert sound is not None
    assert (sound["level"], sound["silent_seconds"] > 50.0) == (None, True)


def test_one_of_which_nothing_comes_any_more_is_not_silent() -> None:
    made = measuring(0, 15, blocks=40)
    assert made.sounded_at is not None
    made.sounded_at -= FLOWING - 0.5
    made.flowed_at = made.pictured_at = made.sounded_at
    report = told(made)
    assert report["state"] == "playing"
    assert report["sound"] is not None
    assert report["sound"]["level"] == LOUD["r128.M"]


def test_a_picture_that_cannot_be_looked_at_is_told() -> None:
    assert "no key frame" in told(measuring(0, 15))["problem"]


def test_how_far_the_sound_is_from_the_picture_is_told_by_what_comes_at_the_same_time() -> None:
    made = measuring(0, 15)
    assert told(made)["drift"] is None
    for second in range(8):
        made._heard(second + 0.75, LOUD)
        made._seen(float(second), {"signalstats.YHIGH": 100.0, "signalstats.YDIF": 3.0})
    assert told(made)["drift"] == 0.75


def test_key_frames_are_too_far_apart_where_none_has_come_for_too_long() -> None:
    made = measuring(*range(0, 15 * 7, 15))
    now = time.monotonic()
    assert made.needs_all_frames(now)
    made._seen(2.0, {"signalstats.YHIGH": 100.0})
    assert not made.needs_all_frames(now)


def test_while_a_stream_is_held_up_no_key_frame_is_due() -> None:
    made = measuring(0, 15, 30, 45)
    now = time.monotonic()
    for late in range(1, 4):
        made._went_on(Progress(now + late / 2, 45, 3000))
    made._went_on(Progress(now + GAP_MOST, 60, 4000))
    assert not made.needs_all_frames(now + GAP_MOST)
