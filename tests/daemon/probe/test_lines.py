"""What ffmpeg prints is read line by line, whatever is in it."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.probe.ffmpeg import LAST_OF_SOUND, Log
from daemon.probe.lines import LONGEST, Frames, Lines
from daemon.probe.stream import Clock, Progress

FRAME = b"""frame:12   pts:57600   pts_time:1.2
lavfi.r128.M=-23.456
lavfi.astats.1.RMS_level=-inf
lavfi.aphasemeter.phase=-0.5
"""


def frames(*pieces: bytes, last: str = LAST_OF_SOUND) -> list[tuple[float, dict[str, float]]]:
    found: list[tuple[float, dict[str, float]]] = []
    reader = Frames(lambda at, values: found.append((at, dict(values))), last)
    for piece in pieces:
        reader.feed(piece)
    return found


EXPECTED = [(1.2, {"r128.M": -23.456, "astats.1.RMS_level": -math.inf, "aphasemeter.phase": -0.5})]


def test_a_frame_is_whole_with_its_last_value() -> None:
    assert frames(FRAME) == EXPECTED


def test_without_it_the_next_one_ends_it() -> None:
    assert frames(FRAME, last="") == []
    assert frames(FRAME, FRAME, last="") == EXPECTED


@given(st.lists(st.integers(1, 40), max_size=20))
def test_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    pieces, rest = [], FRAME
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    assert frames(*pieces, rest) == EXPECTED


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_nonsense_is_passed_over(pieces: list[bytes]) -> None:
    log = Log()
    told: list[Any] = []
    clock = Clock(told.append)
    for piece in pieces:
        log.feed(piece)
        clock.feed(piece)
    frames(*pieces)
    assert all(isinstance(each, Progress) for each in told)


def test_not_a_number_is_none() -> None:
    broken = FRAME.replace(b"-23.456", b"nan").replace(b"-inf", b"1.2.3")
    assert frames(broken) == [(1.2, {"aphasemeter.phase": -0.5})]


def test_a_line_without_an_end_takes_no_memory() -> None:
    lines = Lines()
    for _ in range(100):
        assert list(lines.feed(b"x" * LONGEST)) == []
    assert len(lines._rest) <= LONGEST
    assert list(lines.feed(b"\nyes\n")) == ["yes"]


def test_so_many_values_are_no_frame_of_ours() -> None:
    flood = b"frame:1 pts:1 pts_time:1\n" + b"".join(b"lavfi.x%d=1\n" % n for n in range(10_000))
    assert len(frames(flood, FRAME, last="")[0][1]) == 256


def test_the_tracks_are_read_from_the_log() -> None:
    log = Log()
    log.feed(
        b"[info] Input #0, concat, from 'pipe:0':\n"
        b"[info]   Stream #0:0: Video: h264 (High), yuv420p(tv, bt709, progressive), 1920x1080 [SAR 1:1 DAR 16:9], "
        b"4000 kb/s, 30 fps, 30 tbr, 1k tbn\n"
        b"[info]   Stream #0:1: Audio: aac (LC), 44100 Hz, stereo, fltp, 160 kb/s\n"
        b"[info]   Stream #0:0: Video: h264 (High), yuv420p, 1x1\n"
    )
    assert log.video is not None
    assert (log.video["codec"], log.video["profile"]) == ("h264", "High")
    assert (log.video["width"], log.video["height"]) == (1920, 1080)
    assert log.audio == {"codec": "aac", "rate": 44100, "channels": "stereo"}


def test_a_size_that_changes_is_told() -> None:
    log = Log()
    log.feed(b"[info]   Stream #0:0: Video: h264 (High), yuv420p, 1920x1080, 30 fps\n")
    log.feed(b"[Parsed_showinfo_1 @ 0x1] [info] n:   9 pts:  1 pts_time:1 pos: 7 fmt:yuv420p sar:1/1 s:1280x720 i:P \n")
    assert log.video is not None
    assert (log.video["width"], log.video["height"]) == (1280, 720)


def test_what_a_publisher_writes_into_its_metadata_is_none_of_it() -> None:
    log = Log()
    log.feed(b"[info]     title           :   Stream #0:0: Video: hevc (Main), yuv420p, 9999x9999\n")
    log.feed(b"[info]     Stream #0:0: Video: av1 (Main), yuv420p, 9999x9999\n")
    assert log.video is None


def test_the_last_error_holds_no_url() -> None:
    log = Log()
    log.feed(b"[tcp @ 0x1] [error] Connection to rtmp://127.0.0.1/live?key=secret failed\n")
    assert log.last == "Connection to the stream failed"


@pytest.mark.parametrize("prefix", ["", "[fatal] "])
def test_of_an_ffmpeg_that_is_too_old_it_is_said_what_is_needed(prefix: str) -> None:
    log = Log()
    log.feed(f"{prefix}Unrecognized option 'fps_mode:v'.\n{prefix}Error splitting the argument list: ".encode())
    log.feed(b"Option not found\n[error] Failed\n")
    assert log.last == "FFmpeg 5.1 or later is needed, for this one does not know fps_mode:v"
