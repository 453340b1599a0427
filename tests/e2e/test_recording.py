"""The reader of recordings against recordings whose every fault is known, made by ffmpeg alone."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.studio import BLANK, SILENT, UNKNOWN, Appearance, Canvas, Frozen, RecordingError, RecordingVerdict, analyse
from daemon.studio.publisher import HUES, SLATE_HUE, graph, look

pytestmark = pytest.mark.real

FPS = 30
ALICE, BOB, CAROL = (look(name, number) for number, name in enumerate(("alice", "bob", "carol")))
SLATE = Appearance("SLATE", SLATE_HUE, None, still=True)
EVERYBODY = (ALICE, BOB, CAROL, SLATE)

# As OBS records in the studio: ultrafast x264, AAC, Matroska with its times in whole milliseconds.
ENCODED = (
    *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "2500k", "-pix_fmt", "yuv420p"),
    *("-colorspace", "smpte170m", "-color_range", "tv", "-c:a", "aac", "-b:a", "160k", "-ac", "2"),
)


async def ffmpeg(*options: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-nostdin", "-v", "error", "-y", *options), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()


async def record(path: Path, who: Appearance, seconds: float = 2.0, *, picture: str = "", sound: str = "") -> Path:
    """A recording of one streamer, spoilt by the filters given."""
    # One millisecond of sound at a time, so that a filter can begin and end at any.
    exact = f"asetnsamples=n=48,{sound}" if sound else ""
    lavfi = graph(who, Canvas(), picture=picture, sound=exact)
    await ffmpeg("-f", "lavfi", "-i", lavfi, "-t", str(seconds), *ENCODED, "-fps_mode:v", "vfr", str(path))
    return path


async def join(path: Path, parts: Sequence[tuple[Appearance, float]]) -> Path:
    """A recording that cuts from one streamer to the next."""
    inputs: list[str] = []
    for who, seconds in parts:
        inputs += ["-f", "lavfi", "-t", str(seconds), "-i", graph(who, Canvas())]
    pads = "".join(f"[{number}:v][{number}:a]" for number in range(len(parts)))
    chain = f"{pads}concat=n={len(parts)}:v=1:a=1[v][a]"
    await ffmpeg(*inputs, "-filter_complex", chain, "-map", "[v]", "-map", "[a]", *ENCODED, str(path))
    return path


def freeze(at: int, frames: int) -> str:
    """Filters that show frame `at` in place of the `frames` after it."""
    return f"split[a][b];[a][b]freezeframes=first={at + 1}:last={at + frames}:replace={at}"


def spotless(verdict: RecordingVerdict) -> bool:
    return not (verdict.blank_times or verdict.frozen or verdict.silences)


async def test_a_clean_recording_has_no_blank_no_freeze_and_no_silence(tmp_path: Path) -> None:
    verdict = await analyse(await record(tmp_path / "clean.mkv", ALICE, 4.0), EVERYBODY)
    assert spotless(verdict), verdict
    assert (verdict.frames, verdict.fps, verdict.start, verdict.end) == (120, 30.0, 0.0, 4.0)
    assert verdict.seen == ("alice",)
    assert verdict.sounded == ("alice",)


@pytest.mark.parametrize("number", range(len(HUES)))
async def test_every_look_moves_on_every_frame_and_is_told_from_all_others(number: int, tmp_path: Path) -> None:
    looks = tuple(look(f"streamer{each}", each) for each in range(len(HUES)))
    verdict = await analyse(await record(tmp_path / "look.mkv", looks[number], 3.0), (*looks, SLATE))
    assert spotless(verdict), verdict
    assert verdict.seen == verdict.sounded == (f"streamer{number}",)


async def test_a_single_black_frame_is_found_where_it_is(tmp_path: Path) -> None:
    path = await record(tmp_path / "black.mkv", BOB, picture="drawbox=c=black:t=fill:enable='eq(n,37)'")
    verdict = await analyse(path, EVERYBODY)
    assert verdict.blank_times == (37 / FPS,)
    assert verdict.frozen == ()
    assert verdict.seen == ("bob", BLANK, "bob")


async def test_black_frames_in_a_row_are_blank_and_not_frozen(tmp_path: Path) -> None:
    path = await record(tmp_path / "black.mkv", BOB, picture="drawbox=c=black:t=fill:enable='between(n,30,44)'")
    verdict = await analyse(path, EVERYBODY)
    assert verdict.blank_times == tuple(n / FPS for n in range(30, 45))
    assert verdict.frozen == ()


async def test_overlays_on_a_black_canvas_do_not_hide_that_it_is_blank(tmp_path: Path) -> None:
    overlays = "drawbox=c=gray:x=0:y=340:w=640:h=20:t=fill,drawbox=c=white:x=500:y=8:w=100:h=60:t=fill"
    black = f"drawbox=c=black:t=fill:enable='eq(n,20)',{overlays}"
    verdict = await analyse(await record(tmp_path / "overlays.mkv", CAROL, picture=black), EVERYBODY)
    assert verdict.blank_times == (20 / FPS,)
    assert verdict.seen == ("carol", BLANK, "carol")


async def test_a_freeze_of_four_frames_is_found_where_it_is(tmp_path: Path) -> None:
    path = await record(tmp_path / "freeze.mkv", ALICE, picture=freeze(25, 4))
    verdict = await analyse(path, EVERYBODY)
    assert verdict.frozen == (Frozen(start=26 / FPS, frames=4),)
    assert (verdict.longest_freeze, verdict.frozen_frames) == (4, 4)
    assert verdict.frozen_over(3) == verdict.frozen
    assert verdict.frozen_over(4) == ()


async def test_a_single_repeated_frame_is_found(tmp_path: Path) -> None:
    path = await record(tmp_path / "repeat.mkv", ALICE, picture=freeze(25, 1))
    assert (await analyse(path, EVERYBODY)).frozen == (Frozen(start=26 / FPS, frames=1),)


async def test_frames_that_the_encoder_skipped_count_as_frozen(tmp_path: Path) -> None:
    path = await record(tmp_path / "skipped.mkv", ALICE, picture="select='not(between(n,40,43))'")
    verdict = await analyse(path, EVERYBODY)
    assert verdict.frozen == (Frozen(start=40 / FPS, frames=4),)
    assert verdict.frames == 60


async def test_a_clock_over_a_frozen_picture_does_not_pass_for_motion(tmp_path: Path) -> None:
    clock = ",".join(f"drawbox=c=white:x={80 + 8 * n}:y=8:w=8:h=16:t=fill:enable='eq(mod(n,5),{n})'" for n in range(5))
    path = await record(tmp_path / "clock.mkv", ALICE, picture=f"{freeze(20, 30)},{clock}")
    assert (await analyse(path, EVERYBODY)).frozen == (Frozen(start=21 / FPS, frames=30),)


async def test_a_silence_of_sixty_milliseconds_is_found_where_it_is(tmp_path: Path) -> None:
    path = await record(tmp_path / "pause.mkv", BOB, sound="volume=0:enable='between(t,0.9995,1.0595)'")
    (silence,) = (await analyse(path, EVERYBODY)).silences
    # AAC rings for a few milliseconds on both sides, so a pause can only seem shorter than it is.
    assert silence.start == pytest.approx(1.0, abs=0.005)
    assert silence.ms == pytest.approx(60.0, abs=7.5)


async def test_a_silence_is_told_apart_from_one_that_is_twenty_milliseconds_longer(tmp_path: Path) -> None:
    lengths = []
    for ms in (40, 60):
        sound = f"volume=0:enable='between(t,0.9995,{0.9995 + ms / 1000})'"
        verdict = await analyse(await record(tmp_path / f"{ms}.mkv", BOB, sound=sound), EVERYBODY)
        lengths.append(verdict.longest_silence)
    assert 30 < lengths[0] <= 40
    assert 50 < lengths[1] <= 60


async def test_a_cut_is_found_to_the_frame_and_the_tone_changes_with_it(tmp_path: Path) -> None:
    path = await join(tmp_path / "cut.mkv", ((ALICE, 1.5), (BOB, 1.0), (CAROL, 0.5)))
    verdict = await analyse(path, EVERYBODY)
    assert spotless(verdict), verdict
    assert verdict.seen == ("alice", "bob", "carol")
    assert verdict.cuts == (1.5, 2.5)
    heard = [span for span in verdict.heard if span.end - span.start > 0.05]
    assert [span.who for span in heard] == ["alice", "bob", "carol"]
    assert heard[1].start == pytest.approx(1.5, abs=0.06)
    assert verdict.summary().splitlines()[1] == "  seen:  alice 0.00-1.50, bob 1.50-2.50, carol 2.50-3.00"


async def test_a_part_of_a_recording_is_judged_by_itself(tmp_path: Path) -> None:
    start = "drawbox=c=black:t=fill:enable='lt(n,30)'"
    path = await record(tmp_path / "part.mkv", ALICE, 3.0, picture=start, sound="volume=0:enable='lt(t,1)'")
    whole = await analyse(path, EVERYBODY)
    assert (whole.blank_frames, whole.sounded[0]) == (30, SILENT)
    part = await analyse(path, EVERYBODY, start=1.1, end=2.5)
    assert spotless(part), part
    assert (part.frames, part.start, part.end) == (42, 1.1, 2.5)
    beginning = await analyse(path, EVERYBODY, end=0.5)
    assert (beginning.frames, beginning.blank_frames) == (15, 15)
    assert beginning.longest_silence == pytest.approx(500.0)


async def test_a_slate_may_stand_still_and_be_silent_in_its_own_name(tmp_path: Path) -> None:
    path = await record(tmp_path / "slate.mkv", SLATE, 1.0, picture=freeze(0, 100))
    verdict = await analyse(path, EVERYBODY)
    assert (verdict.seen, verdict.sounded) == (("SLATE",), (SILENT,))
    assert verdict.frozen == ()
    assert verdict.longest_silence == pytest.approx(1000.0, abs=30)


async def test_a_stranger_is_not_taken_for_anybody(tmp_path: Path) -> None:
    verdict = await analyse(await record(tmp_path / "stranger.mkv", CAROL, 1.0), (ALICE, BOB))
    assert (verdict.seen, verdict.sounded) == ((UNKNOWN,), (UNKNOWN,))


async def test_a_recording_without_sound_is_read_for_its_picture(tmp_path: Path) -> None:
    path = await record(tmp_path / "mute.mkv", ALICE, 1.0)
    await ffmpeg("-i", str(path), "-an", "-c", "copy", str(tmp_path / "no-sound.mkv"))
    verdict = await analyse(tmp_path / "no-sound.mkv", EVERYBODY)
    assert (verdict.seen, verdict.heard, verdict.silences) == (("alice",), (), ())


@pytest.mark.parametrize("content", [b"", b"not a recording" * 100])
async def test_what_is_no_recording_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.mkv"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"broken\.mkv"):
        await analyse(path, EVERYBODY)


async def test_a_range_without_a_frame_is_refused(tmp_path: Path) -> None:
    path = await record(tmp_path / "short.mkv", ALICE, 0.5)
    with pytest.raises(RecordingError, match="no frame between 2 s and its end"):
        await analyse(path, EVERYBODY, start=2.0)
