"""Streamers for the studio: ffmpeg publishing a moving picture of one hue and a tone of one pitch.

Hue and pitch differ from streamer to streamer, so a recording tells who is on air.
"""

import asyncio
import colorsys
import contextlib
import re
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from daemon.studio import resizing
from daemon.studio.errors import PublishError, StudioError
from daemon.studio.process import Process
from daemon.studio.scene import Canvas
from daemon.studio.spoiling import MEND, Spoilt, as_input, filters

# The hues that come first lie furthest apart. 270 is the slate's. 30 degrees is twice the reader's tolerance.
HUES = (0, 120, 240, 60, 180, 300, 30, 150, 210, 330, 90)

FIRST_TONE = 440.0
TONE_STEP = 170.0
"""Hertz between two streamers' tones: many times the 25 Hz that the reader can tell apart."""

BAR_STEP = 16
"""Pixels that the bar moves from one frame to the next, on a canvas 640 wide."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")

PUBLISH_TIMEOUT = 15.0
"""Seconds in which it has to be admitted and send."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a streamer is told from the others: a hue in degrees, a tone in hertz.

    A look that is `still` (the slate's) may stand still without counting as frozen; it has no tone.
    """

    name: str
    hue: float
    tone: float | None = None
    still: bool = False


SLATE_HUE = 270.0


def look(name: str, number: int) -> Appearance:
    """The look of the streamer with this number, from 0 to 10."""
    if not 0 <= number < len(HUES):
        raise StudioError(f"the studio tells {len(HUES)} streamers apart, not more")
    return Appearance(name, float(HUES[number]), FIRST_TONE + TONE_STEP * number)


class Delivers(Enum):
    """What a publisher sends once it is accepted."""

    PICTURE_AND_SOUND = "picture and sound"
    PICTURE = "picture"
    SOUND = "sound"
    """No frame ever: an input that plays it never becomes ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What a publisher sends, and in which form."""

    canvas: Canvas = field(default_factory=Canvas)
    delivers: Delivers = Delivers.PICTURE_AND_SOUND
    keyframe_every: int = 30
    """Frames."""
    spoilable: bool = False
    """Its sound and picture can be spoilt while it runs."""
    gain: float = 0.0
    """dB by which its sound is louder than others'."""
    drift: float = 0.0
    """Seconds by which its sound falls behind its picture in each second."""
    sound_ends: float | None = None
    """Seconds after which its sound stops alone; None for never."""
    resized: Canvas | None = None
    """The size that its picture has later; None where it keeps its own. Then it cannot be spoilt."""
    resized_after: float = 8.0
    """Seconds."""

    @property
    def sound(self) -> str:
        """Filters behind the tone."""
        found = [f"volume={self.gain}dB"] if self.gain else []
        found += [f"asetpts=PTS*{1 - self.drift:.4f}"] if self.drift else []
        found += [f"atrim=end={self.sound_ends:g}"] if self.sound_ends is not None else []
        return ",".join(found)


TOLD_EVERY = 0.05
"""Seconds between two reports of a publisher's ffmpeg."""
HOLD_UPS = 256
"""Those that are remembered."""


class Publisher:
    """One ffmpeg that publishes in real time until it is stopped.

    Killed, it leaves without a word; frozen, it keeps its connection open and sends nothing.
    """

    def __init__(
        self,
        look: Appearance,
        url: str,
        *,
        log: Path,
        encoding: Encoding | None = None,
        admit: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``admit`` is awaited before each start: it makes sure that the server's hook lets this one in."""
        if not NAME.fullmatch(look.name):
            raise StudioError("a streamer's name may hold letters, digits, '_' and '-' only")
        self.name = look.name
        self.look = look
        self._url = url
        self._encoding = encoding or Encoding()
        self._log = log
        self._admit = admit
        self._process: Process | None = None
        self._progress: asyncio.Task[None] | None = None
        self._accepted = asyncio.Event()
        self._sent = 0
        self._told_at: float | None = None
        self._hold_ups: deque[tuple[float, float]] = deque(maxlen=HOLD_UPS)

    def __repr__(self) -> str:
        # The URL is left out: it may hold a key.
        return f"<Publisher {self.name} running={self.running}>"

    @property
    def running(self) -> bool:
        """Whether its ffmpeg runs, frozen or not."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def sent_bytes(self) -> int:
        """Bytes that ffmpeg has written to the server, told by itself twenty times a second."""
        return self._sent

    def held_up(self, since: float) -> float:
        """The longest time, in seconds, for which this machine kept it from sending; ``since`` is of time.monotonic.

        What comes that late is missed by whoever plays it, live: it is no fault of a hand-over.
        """
        return max((late for at, late in self._hold_ups if at >= since), default=0.0)

    async def start(self) -> float:
        """Start and wait until the server has accepted the stream. Returns the seconds that this took.

        Raises PublishError where ffmpeg ends before that or the server does not answer in time.
        """
        if self.running:
            raise StudioError(f"{self.name} is publishing already")
        self._accepted.clear()
        self._sent = 0
        self._told_at = None
        source = await self._source()
        if self._admit is not None:
            await self._admit()
        began = time.monotonic()
        self._process = Process(f"publisher {self.name}", self._argv(source), log=self._log)
        await self._process.start(pipe=True, told=self._encoding.spoilable)
        self._progress = asyncio.create_task(self._follow(self._process))
        accepted = asyncio.create_task(self._accepted.wait())
        try:
            await asyncio.wait({accepted, self._progress}, timeout=PUBLISH_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            accepted.cancel()
        if not self._accepted.is_set():
            reason = "was turned away" if self._progress.done() else "timed out"
            await self.kill()
            raise PublishError(f"{self.name} {reason}: {self.tail(3)}")
        return time.monotonic() - began

    async def stop(self) -> None:
        """A clean end: ffmpeg tells the server that it unpublishes."""
        await self._end(signal.SIGINT)

    async def kill(self) -> None:
        """SIGKILL: the connection breaks off."""
        await self._end(signal.SIGKILL)

    async def freeze(self) -> None:
        """SIGSTOP: the connection stays, nothing is sent any more."""
        if self._process is not None:
            await self._process.freeze()

    async def thaw(self) -> None:
        """SIGCONT. ffmpeg sends what it has missed as fast as it can."""
        if self._process is not None:
            await self._process.thaw()

    def spoil(self, what: Spoilt) -> None:
        """From now on. Raises StudioError where it is not spoilable."""
        self._tell(as_input(what.value))

    def mend(self) -> None:
        """All is as it should be again."""
        self._tell(as_input(MEND))

    def _tell(self, data: bytes) -> None:
        if self._process is None:
            raise StudioError(f"{self.name} does not publish")
        self._process.tell(data)

    def kill_group(self) -> None:
        """SIGKILL, without waiting."""
        if self._process is not None:
            self._process.kill_group()

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log, without its URL."""
        return "" if self._process is None else self._without_url(self._process.tail(lines))

    async def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            await self._process.stop(number, within=5.0)
        if self._progress is not None:
            await self._progress
            self._progress = None

    async def _follow(self, process: Process) -> None:
        # -progress writes key=value lines. The size counts from the first packet that the server took: the
        # handshake and the publish command, with the hook behind it, come before.
        while line := await process.stdout.readline():
            key, _, value = line.decode(errors="replace").strip().partition("=")
            if key == "progress":
                self._note_hold_up(time.monotonic())
            if key == "total_size":
                with contextlib.suppress(ValueError):
                    self._sent = int(value)
                if self._sent > 0:
                    self._accepted.set()

    def _note_hold_up(self, now: float) -> None:
        if self._told_at is not None and (late := now - self._told_at - TOLD_EVERY) > TOLD_EVERY:
            self._hold_ups.append((now, late))
        self._told_at = now

    def _without_url(self, text: str) -> str:
        return text.replace(self._url, "rtmp://…")

    async def _source(self) -> tuple[str, ...]:
        """What it sends, and how that is encoded."""
        encoding = self._encoding
        encoded = self._encoded()
        own = graph(self.look, encoding.canvas, sound=encoding.sound)
        if encoding.resized is None:
            return ("-f", "lavfi", "-i", own, *encoded)
        later = graph(self.look, encoding.resized, sound=encoding.sound)
        sources = ((own, encoding.resized_after), (later, resizing.LATER))
        return (
            "-f",
            "concat",
            "-safe",
            "0",
            "-i",
            str(await resizing.pieces(sources, encoded, self._log)),
            "-c",
            "copy",
        )

    def _encoded(self) -> list[str]:
        encoding = self._encoding
        options, picture, sound = [], "0:v", "0:a"
        if encoding.spoilable:
            options = ["-filter_complex", filters(_colour(self.look.hue, 0.95, 0.70))]
            picture, sound = "[v]", "[a]"
        if encoding.delivers is not Delivers.SOUND:
            options += ["-map", picture, *_video_options(encoding.keyframe_every)]
        if encoding.delivers is not Delivers.PICTURE:
            options += ["-map", sound, "-c:a", "aac", "-b:a", "96k", "-ac", "2", "-ar", "48000"]
        return options

    def _argv(self, source: tuple[str, ...]) -> tuple[str, ...]:
        listens = [] if self._encoding.spoilable else ["-nostdin"]
        options = ["ffmpeg", *listens, "-hide_banner", "-loglevel", "error", "-progress", "pipe:1"]
        options += ["-stats_period", f"{TOLD_EVERY:g}", "-re", *source]
        return (*options, "-flush_packets", "1", "-f", "flv", self._url)


def graph(look: Appearance, canvas: Canvas, *, picture: str = "", sound: str = "") -> str:
    """The lavfi graph of a look: a plain ground of its hue, a light bar that moves on every frame, its tone.

    The bar shifts a twentieth of the picture from one colour to the other with each frame, so no two neighbouring
    frames look alike, also after scaling and x264. `picture` and `sound` are filters to put behind each, so that
    tests can spoil them.
    """
    width, height, fps = canvas.width, canvas.height, canvas.fps
    step = max(1, BAR_STEP * width // 640)
    bar = max(2, width // 8)
    ground = _colour(look.hue, 0.95, 0.70)
    light = _colour(look.hue, 0.45, 1.00)
    moving = (
        f"color=c={ground}:s={width}x{height}:r={fps}[ground];"
        f"color=c={light}:s={bar}x{height}:r={fps}[bar];"
        f"[ground][bar]overlay=x='mod(n*{step},{width + bar})-{bar}':eval=frame{_and(picture)}[out0]"
    )
    # sine's own amplitude is an eighth of full scale; 2.4 times that is 0.3.
    volume = 0.0 if look.tone is None else 2.4
    tone = f"sine=f={look.tone or FIRST_TONE:g}:r=48000,volume={volume}{_and(sound)}[out1]"
    return f"{moving};{tone}"


def _and(filters: str) -> str:
    return f",{filters}" if filters else ""


def _video_options(keyframe_every: int) -> tuple[str, ...]:
    return (
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1", "-crf", "26"),
        *("-pix_fmt", "yuv420p", "-g", str(keyframe_every), "-keyint_min", str(keyframe_every)),
        *("-sc_threshold", "0"),
        # lavfi's colours are BT.601; said so, OBS and every reader turn them back into the right hue.
        *("-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"),
        *("-color_range", "tv"),
    )


def _colour(hue: float, saturation: float, value: float) -> str:
    red, green, blue = colorsys.hsv_to_rgb(hue / 360.0, saturation, value)
    return f"0x{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
