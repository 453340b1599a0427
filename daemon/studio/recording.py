"""Reads a recording frame by frame and sample by sample: the judge of every hand-over.

ffmpeg decodes into two pipes, numpy measures. Nothing is kept but a name and a yes or no for each frame and each
window of sound, so an hour is read as easily as a minute. Needs the extra `studio` (numpy).
"""

import asyncio
import json
import math
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from daemon.studio.errors import RecordingError, StudioError
from daemon.studio.process import find_program, require, send
from daemon.studio.publisher import Appearance
from daemon.studio.verdict import BLANK, SILENT, UNKNOWN, Frozen, RecordingVerdict, SilentSpan, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frames = NDArray[np.uint8]
    Sound = NDArray[np.float32]

# A quarter of the studio's canvas in each direction, averaged over areas: x264's noise goes, the bar (80 pixels
# wide, moving by 16) stays, and a minute is read in two or three seconds.
WIDTH, HEIGHT = 160, 90

# Publishers have no pixel whose brightest channel is below 178, OBS's black is 0, x264's ringing stays below 10.
DARK = 32
# Overlays may cover part of a black canvas: the studio's own cover less than 4 %.
BLANK_SHARE = 0.85

# The bar differs from its ground by 78 levels or more in some channel; x264 wavers by 5 or so.
CHANGE = 24
# The bar changes at least 2.5 % of the picture with each frame. A clock among the overlays changes 0.3 % at most,
# and must not pass for motion.
MOTION_SHARE = 0.01

# Hue counts where the channels are this far apart: publishers' are 115 or more, grey overlays' below 20.
SATURATED = 60
# The studio's hues are 30 degrees or more apart; two conversions between YUV and RGB shift them by 5 or less.
HUE_TOLERANCE = 14.0
SHOWN_SHARE = 0.5

T = TypeVar("T")

RATE = 48_000
# 2.5 ms: longer than one period of the lowest tone (440 Hz), so a window of a tone always holds its peak.
SILENCE_WINDOW = 120
# Publishers' tones have an amplitude of 0.3. AAC smears the edge of a pause by less than a fifteenth of that.
SILENCE_PEAK = 0.02
MIN_SILENCE_MS = 10.0
# 20 ms under a Hann window tell tones apart that differ by 100 Hz; the studio's differ by 170.
TONE_WINDOW = 960
TONE_AMPLITUDE = 0.05

FRAME_CHUNK = 60
SOUND_CHUNK = RATE  # samples; a multiple of both windows


@dataclass(slots=True)
class _Picture:
    """One entry a frame."""

    who: list[str] = field(default_factory=list)
    moved: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class _Tones:
    """One entry a window."""

    silent: list[bool] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


async def analyse(
    path: Path,
    looks: Sequence[Appearance],
    *,
    start: float = 0.0,
    end: float | None = None,
) -> RecordingVerdict:
    """Read the recording, or its part from `start` until before `end` (seconds), and tell what it shows.

    `looks` are those whom it may show. Frames that the encoder skipped are counted as repeats of the one before,
    as a viewer sees them. A single repeated frame every now and then is natural where publisher and OBS run by two
    clocks. Silences of less than `MIN_SILENCE_MS` are left out.

    Raises RecordingError where it cannot be decoded or has no frame in that range, StudioError without numpy.
    """
    _numpy()
    require(("ffmpeg", "ffprobe"))
    streams = await _probe(path)
    fps = streams.fps
    picture, tones = await asyncio.gather(
        _read_picture(path, streams, looks, end), _read_sound(path, streams, looks, end)
    )
    first = max(0, math.ceil(start * fps - 1e-6))
    last = len(picture.who) if end is None else min(len(picture.who), math.ceil(end * fps - 1e-6))
    if first >= last:
        raise RecordingError(f"{path.name} has no frame between {start:g} s and {end or 'its end'}")
    still = {look.name for look in looks if look.still} | {BLANK}
    names = picture.who[first:last]
    stuck = [not moved and who not in still for moved, who in zip(picture.moved[first:last], names, strict=True)]
    rate = float(fps)
    return RecordingVerdict(
        path=path,
        fps=rate,
        start=first / rate,
        end=last / rate,
        frames=last - first,
        blank_times=tuple((first + n) / rate for n, who in enumerate(names) if who == BLANK),
        frozen=tuple(Frozen((first + n) / rate, length) for n, length, value in _runs(stuck) if value),
        silences=tuple(_silences(tones.silent, first / rate, last / rate)),
        shown=tuple(Span((first + n) / rate, (first + n + length) / rate, who) for n, length, who in _runs(names)),
        heard=tuple(_heard(tones.heard, first / rate, last / rate)),
    )


def _numpy() -> Any:
    try:
        import numpy  # noqa: PLC0415  # nobody but who reads a recording needs it, and it comes with an extra
    except ImportError as error:
        raise StudioError("reading a recording needs numpy: install motherstream with the extra 'studio'") from error
    return numpy


# -- decoding --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Streams:
    fps: Fraction
    origin: str
    """The time of the first frame in the file, in seconds: the zero of everything that is told."""
    has_sound: bool


async def _probe(path: Path) -> _Streams:
    entries = "stream=codec_type,r_frame_rate,start_time"
    argv = ("ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(path))
    text = b"".join([block async for block in _decoded(argv, 1 << 16, path)])
    streams = json.loads(text).get("streams", [])
    for stream in streams:
        if stream.get("codec_type") == "video" and Fraction(stream["r_frame_rate"]) > 0:
            has_sound = any(other.get("codec_type") == "audio" for other in streams)
            return _Streams(Fraction(stream["r_frame_rate"]), stream.get("start_time", "0"), has_sound)
    raise RecordingError(f"{path.name} has no picture")


async def _read_picture(path: Path, streams: _Streams, looks: Sequence[Appearance], end: float | None) -> _Picture:
    # The fps filter repeats a frame where the encoder skipped one: frame n is what is shown at n / fps.
    filters = f"setpts=PTS-STARTPTS,fps={streams.fps},scale={WIDTH}:{HEIGHT}:flags=area,format=rgb24"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", str(path), "-map", "0:v:0", "-vf", filters]
    if end is not None:
        argv += ["-frames:v", str(math.ceil(end * streams.fps) + 1)]
    picture = _Picture()
    size = WIDTH * HEIGHT * 3
    before: Frames | None = None
    async for block in _decoded((*argv, "-f", "rawvideo", "pipe:1"), size * FRAME_CHUNK, path):
        whole = block[: len(block) // size * size]
        before = await asyncio.to_thread(_measure_frames, whole, before, looks, picture)
    return picture


async def _read_sound(path: Path, streams: _Streams, looks: Sequence[Appearance], end: float | None) -> _Tones:
    tones = _Tones()
    if not streams.has_sound:
        return tones
    # aresample puts silence where the sound has gaps, and begins where the picture does.
    filters = f"asetpts=PTS-({streams.origin})/TB,aresample={RATE}:async=1:first_pts=0"
    if end is not None:
        filters += f",atrim=end={end + 0.1:.3f}"
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", str(path), "-map", "0:a:0", "-ac", "1"]
    argv += ["-af", filters, "-f", "f32le", "pipe:1"]
    async for block in _decoded(argv, SOUND_CHUNK * 4, path):
        await asyncio.to_thread(_measure_sound, block, looks, tones)
    return tones


async def _decoded(argv: Sequence[str], size: int, path: Path) -> AsyncIterator[bytes]:
    """The output of a program in blocks of `size` bytes, the last one shorter."""
    process = await asyncio.create_subprocess_exec(
        find_program(argv[0]) or argv[0],
        *argv[1:],
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=1 << 22,
    )
    assert process.stdout is not None  # noqa: S101  # it is a pipe: see above
    assert process.stderr is not None  # noqa: S101  # so is this one
    complaints = asyncio.create_task(process.stderr.read())
    try:
        while True:
            try:
                block = await process.stdout.readexactly(size)
            except asyncio.IncompleteReadError as rest:
                if rest.partial:
                    yield rest.partial
                break
            yield block
        if await process.wait() != 0:
            said = (await complaints).decode(errors="replace").strip()
            raise RecordingError(f"{path.name}: {said or f'{argv[0]} failed'}")
    finally:
        if process.returncode is None:
            send(process, signal.SIGKILL)
            # Reads on, so that the transport sees the end of the pipe and closes.
            await process.communicate()
        await complaints


# -- measuring -------------------------------------------------------------------------------------------


def _measure_frames(
    block: bytes, before: "Frames | None", looks: Sequence[Appearance], into: _Picture
) -> "Frames | None":
    """Measure the frames of a block against each other and the one `before`; returns the last one."""
    np = _numpy()
    frames = np.frombuffer(block, dtype=np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
    if len(frames) == 0:
        return before
    earlier = np.concatenate((frames[:1] if before is None else before[None], frames[:-1]))
    change = np.maximum(frames, earlier) - np.minimum(frames, earlier)
    moved = (change.max(axis=3) > CHANGE).mean(axis=(1, 2)) >= MOTION_SHARE
    if before is None:
        moved[0] = True  # it has nothing to repeat
    dark = (frames.max(axis=3) < DARK).mean(axis=(1, 2)) >= BLANK_SHARE
    into.moved.extend(bool(value) for value in moved)
    into.who.extend(
        BLANK if black else who for black, who in zip(dark, _who_is_shown(frames[:, 1::3, 1::3], looks), strict=True)
    )
    return frames[-1]  # type: ignore[no-any-return]  # numpy is imported late, and so is Any


def _who_is_shown(pixels: "Frames", looks: Sequence[Appearance]) -> Iterator[str]:
    """The look that has most of the pixels of each frame, where it has half of them."""
    np = _numpy()
    red, green, blue = (pixels[..., channel].astype(np.float32) for channel in range(3))
    top = np.maximum(np.maximum(red, green), blue)
    spread = top - np.minimum(np.minimum(red, green), blue)
    safe = np.maximum(spread, 1.0)
    hue = np.where(
        top == red,
        (green - blue) / safe,
        np.where(top == green, 2.0 + (blue - red) / safe, 4.0 + (red - green) / safe),
    )
    hue = hue * 60.0
    coloured = spread >= SATURATED
    shares = np.zeros((len(looks) + 1, len(pixels)), dtype=np.float32)
    for number, look in enumerate(looks):
        off = np.abs((hue - look.hue + 180.0) % 360.0 - 180.0)
        shares[number] = (coloured & (off <= HUE_TOLERANCE)).mean(axis=(1, 2))
    best = shares.argmax(axis=0)
    for frame, number in enumerate(best):
        yield looks[number].name if shares[number, frame] >= SHOWN_SHARE else UNKNOWN


def _measure_sound(block: bytes, looks: Sequence[Appearance], into: _Tones) -> None:
    np = _numpy()
    sound: Sound = np.frombuffer(block[: len(block) // 4 * 4], dtype=np.float32)
    windows = sound[: len(sound) // SILENCE_WINDOW * SILENCE_WINDOW].reshape(-1, SILENCE_WINDOW)
    into.silent.extend(bool(value) for value in np.abs(windows).max(axis=1, initial=0.0) < SILENCE_PEAK)
    pitched = [look for look in looks if look.tone is not None]
    windows = sound[: len(sound) // TONE_WINDOW * TONE_WINDOW].reshape(-1, TONE_WINDOW)
    if len(windows) == 0:
        return
    hann = np.hanning(TONE_WINDOW).astype(np.float32)
    peaks = np.abs(windows).max(axis=1)
    if not pitched:
        into.heard.extend(UNKNOWN if peak >= SILENCE_PEAK else SILENT for peak in peaks)
        return
    when = np.arange(TONE_WINDOW) / RATE
    tones = np.array([look.tone for look in pitched])
    waves = np.exp(-2j * np.pi * when[:, None] * tones[None, :]) * hann[:, None]
    amplitudes = np.abs(windows @ waves) * (2.0 / hann.sum())
    best = amplitudes.argmax(axis=1)
    for window, number in enumerate(best):
        if amplitudes[window, number] >= TONE_AMPLITUDE:
            into.heard.append(pitched[number].name)
        else:
            into.heard.append(UNKNOWN if peaks[window] >= SILENCE_PEAK else SILENT)


# -- from one entry each to runs -------------------------------------------------------------------------


def _runs(values: Sequence[T]) -> Iterator[tuple[int, int, T]]:
    """Runs of equal values: where each begins, how long it is, what it holds."""
    begin = 0
    for value, group in groupby(values):
        length = sum(1 for _ in group)
        yield begin, length, value
        begin += length


def _silences(silent: Sequence[bool], start: float, end: float) -> Iterator[SilentSpan]:
    window = SILENCE_WINDOW / RATE
    for begin, length, value in _runs(silent):
        since, until = max(start, begin * window), min(end, (begin + length) * window)
        ms = (until - since) * 1000.0
        if value and ms > 0 and ms + 1e-6 >= MIN_SILENCE_MS:
            yield SilentSpan(since, ms)


def _heard(heard: Sequence[str], start: float, end: float) -> Iterator[Span]:
    window = TONE_WINDOW / RATE
    for begin, length, who in _runs(heard):
        since, until = max(start, begin * window), min(end, (begin + length) * window)
        if until > since:
            yield Span(since, until, who)
