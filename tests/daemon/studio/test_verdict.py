"""What a recording's reading comes to."""

from pathlib import Path

import pytest

from daemon.studio.verdict import STARTING, Frozen, RecordingVerdict, Span

FPS = 30.0


def verdict(*frozen: tuple[int, int], cut: int | None = 60, start: int = 0) -> RecordingVerdict:
    """Of 120 frames with these frozen runs, each a first frame and a number; alice until ``cut``, then bob."""
    end = (start + 120) / FPS
    shown = [Span(start / FPS, end if cut is None else cut / FPS, "alice")]
    if cut is not None:
        shown.append(Span(cut / FPS, end, "bob"))
    return RecordingVerdict(
        path=Path("recording.mkv"),
        fps=FPS,
        start=start / FPS,
        end=end,
        frames=120,
        blank_times=(),
        frozen=tuple(Frozen(at / FPS, frames) for at, frames in frozen),
        silences=(),
        shown=tuple(shown),
        heard=(),
    )


def test_what_a_recording_begins_with_is_no_freeze_that_viewers_get() -> None:
    read = verdict((1, 7), (60, 2))
    assert (read.longest_freeze, read.frozen_frames) == (2, 2)
    assert read.frozen_over(3) == ()
    assert len(read.frozen) == 2, "it is told all the same"


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(verdict((2, 7)), id="later"),
        pytest.param(verdict((1, STARTING + 1)), id="longer"),
        pytest.param(verdict((1, 7), cut=8), id="up to the first cut"),
        pytest.param(verdict((31, 7), start=30), id="in a part of a recording"),
    ],
)
def test_any_other_freeze_counts_from_the_first_frame_on(read: RecordingVerdict) -> None:
    assert read.longest_freeze == read.frozen[0].frames
    assert read.frozen_over(3) == read.frozen


def test_a_recording_without_a_cut_may_begin_so_too() -> None:
    assert verdict((1, 7), cut=None).longest_freeze == 0
