"""One stream: measured by one run of ffmpeg after the other, for as long as it is wanted."""

import asyncio
import base64
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog

from daemon.core.backoff import Backoff
from daemon.core.probing import LARGEST_PREVIEW, Order, Report
from daemon.probe import ffmpeg
from daemon.probe.ffmpeg import Log, Wanted
from daemon.probe.lines import Frames, Lines
from daemon.probe.picture import Picture
from daemon.probe.process import Run, Take
from daemon.probe.sound import GONE, Sound

log = structlog.get_logger(__name__)

FLOWING: Final = 2.0
"""Seconds without anything until a stream counts as stopped."""
DEAD_AFTER: Final = 20.0
"""Seconds without anything until it is played anew."""
FIRST, MOST = 1.0, 30.0
"""Seconds between two tries, at first and at most."""
LOOK_AGAIN: Final = (10.0, 30.0, 60.0)
"""Seconds until a stream in which a track was missing is looked at again: it may have it by now."""
GAP_MOST: Final = 2.6
"""Seconds between two key frames beyond which all frames are to be decoded: what is seen is told within 5."""
OPENED: Final = 2.0
"""Seconds until ffmpeg has looked at a stream."""
COSTLY, COSTLY_FOR = 0.5, 10.0
"""Share of a core, and the seconds for which it is taken, beyond which a picture is no longer decoded."""
SPARED_FOR: Final = 600.0
"""Seconds for which it is not."""
RATES: Final = 10
"""Reports of ffmpeg's over which a rate is the mean: 5 s."""
DRIFTS: Final = 5
"""Looks at the picture of whose distances to the sound the middle one is told."""
UNSEEN: Final = 20.0
"""Seconds of a stream without a look at its picture until that is told."""
REFUSED: Final = 8.0
"""Seconds within which a run ends that could not play its stream. One that ends later has waited for it in vain."""
UNPLAYABLE: Final = "it cannot be measured"
FLOOD: Final = 20_000_000
"""Bytes of log after which a run is ended: nobody means that."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What ffmpeg reports twice a second."""

    at: float
    frames: int
    size: int


class Clock:
    """The progress of one run, as it is reported.

    Not its time: that is of the output that is ahead up to FFmpeg 6, and of the one that is behind from 7 on.
    """

    def __init__(self, take: Callable[[Progress], None]) -> None:
        self._lines = Lines()
        self._take = take
        self._values: dict[str, int] = {}

    def feed(self, data: bytes) -> None:
        """A piece of it."""
        for line in self._lines.feed(data):
            key, _, value = line.partition("=")
            if key in ("frame", "total_size"):
                with contextlib.suppress(ValueError):
                    self._values[key] = int(value[:20])
            elif key == "progress":
                frames, size = self._values.get("frame", 0), self._values.get("total_size", 0)
                self._take(Progress(time.monotonic(), frames, size))


class Measuring:
    """What one run hears and sees."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.began = time.monotonic()
        self.log = Log()
        self.sound, self.picture = Sound(), Picture()
        self.flowed_at: float | None = None
        """When something came last."""
        self.sounded_at: float | None = None
        self.pictured_at: float | None = None
        """When a frame of the picture came last."""
        self._unseen = 0.0
        """Seconds of picture that have gone by since it was looked at last."""
        self.preview: bytes = b""
        self.cpu: deque[tuple[float, float]] = deque(maxlen=round(COSTLY_FOR / ffmpeg.TOLD_EVERY))
        self._jpeg = b""
        self._progress: deque[Progress] = deque(maxlen=RATES)
        self._audio: deque[tuple[float, int]] = deque(maxlen=64)
        self._audio_size = 0
        self._drifts: deque[float] = deque(maxlen=DRIFTS)
        self._hears = Frames(self._heard, ffmpeg.LAST_OF_SOUND)
        self._sees = Frames(self._seen, ffmpeg.LAST_OF_PICTURE)
        self._clock = Clock(self._went_on)

    @property
    def pipes(self) -> dict[str, Take]:
        """By whom each pipe is read."""
        return {
            ffmpeg.PROGRESS: self._clock.feed,
            ffmpeg.SOUND: self._hears.feed,
            ffmpeg.PICTURE: self._sees.feed,
            ffmpeg.AUDIO_BYTES: self._count_audio,
        }

    def _heard(self, at: float, values: Mapping[str, float]) -> None:
        now = time.monotonic()
        self.sounded_at = self.flowed_at = now
        self.sound.add(at, values)

    def _seen(self, at: float, values: Mapping[str, float]) -> None:
        self._unseen = 0.0
        self.picture.add(at, values)
        # Both have come just now: their times tell how far they are apart.
        if self.sound.at is not None and self.sounded_at is not None and time.monotonic() - self.sounded_at < 1.0:
            self._drifts.append(self.sound.at - at)

    def _count_audio(self, data: bytes) -> None:
        self._audio_size += len(data)
        self._audio.append((time.monotonic(), self._audio_size))

    def _went_on(self, progress: Progress) -> None:
        before = self._progress[-1] if self._progress else None
        if before is None or (progress.frames, progress.size) != (before.frames, before.size):
            self.flowed_at = progress.at if progress.size or progress.frames else self.flowed_at
            if before is not None and progress.frames > before.frames:
                self.pictured_at = progress.at
                # Not the time of a stall, in which no key frame is due.
                self._unseen += min(progress.at - before.at, 2 * ffmpeg.TOLD_EVERY)
        self._progress.append(progress)

    def thumbnail(self, data: bytes) -> None:
        """A piece of the pictures, one JPEG after the other."""
        self._jpeg += data
        while (end := self._jpeg.find(b"\xff\xd9")) >= 0:
            image, self._jpeg = self._jpeg[: end + 2], self._jpeg[end + 2 :]
            if image.startswith(b"\xff\xd8") and len(image) * 4 / 3 < LARGEST_PREVIEW:
                self.preview = image
        if len(self._jpeg) > LARGEST_PREVIEW:
            self._jpeg = b""

    # --- what comes of it -------------------------------------------------------------------------------------

    def still_for(self, now: float) -> float:
        """Seconds since anything came."""
        return now - (self.began if self.flowed_at is None else self.flowed_at)

    @property
    def fps(self) -> float | None:
        """Frames a second, as they come."""
        return _rate([(each.at, each.frames) for each in self._progress])

    @property
    def kbps(self) -> float | None:
        """Kilobits a second of all of it."""
        rates = [_rate([(each.at, each.size) for each in self._progress])] if self.wanted.picture else []
        rates += [_rate(self._audio)] if self.wanted.sound else []
        known = [rate for rate in rates if rate is not None]
        return round(sum(known) * 8 / 1000, 1) if known else None

    @property
    def drift(self) -> float | None:
        """Seconds by which the sound is ahead of the picture."""
        drifts = sorted(self._drifts)
        return round(drifts[len(drifts) // 2], 2) if len(drifts) == DRIFTS else None

    def _sees_nothing(self, now: float) -> bool:
        return self.wanted.look and self.log.video is not None and self.picture.at is None and now > self.began + UNSEEN

    def needs_all_frames(self, now: float) -> bool:
        """Its key frames are too far apart, or there are none but the first."""
        if not self.wanted.look or self.wanted.all_frames or self.flowed_at is None or self.still_for(now) > FLOWING:
            return False
        if not self._progress:
            # Before the first key frame ffmpeg reports nothing, though it sounds.
            return self.log.video is not None and now > self.began + OPENED + GAP_MOST
        return self._unseen > GAP_MOST or (self.picture.gap or 0.0) > GAP_MOST

    def report(self, order: Order, now: float, problem: str, stopped_at: float | None = None) -> Report:
        """All of it. ``stopped_at``: something came of it until then, in a run before this one."""
        since = stopped_at if self.flowed_at is None else self.flowed_at
        still = now - (self.began if since is None else since)
        state: Literal["opening", "playing", "stopped"] = "opening" if self.flowed_at is None else "playing"
        if since is not None and still > FLOWING:
            state = "stopped"
        if not problem and state == "playing" and self._sees_nothing(now):
            problem = "no key frame has come yet: nothing can be said of its picture"
        video, audio = self.log.video, self.log.audio
        fps, gap = self.fps, None if self.wanted.all_frames else self.picture.gap
        # Where nothing comes at all, that is no silence: this program or its ffmpeg may have been held up.
        expected = self.wanted.sound and audio is not None and self.pictured_at is not None
        missing = (self.pictured_at or 0.0) - (self.sounded_at or self.began) if expected else 0.0
        heard = audio is not None and (self.sound.at is not None or missing > GONE)
        preview, self.preview = self.preview, b""
        return {
            "session": order["session"],
            "state": state,
            "seconds": round(still, 1) if state != "playing" else 0.0,
            "problem": problem,
            "video": None
            if video is None
            else {**video, "fps": None if fps is None else round(fps, 2), "keyframe_seconds": gap},
            "audio": audio,
            "kbps": self.kbps if state == "playing" else None,
            "sound": self.sound.measured(missing) if heard and state == "playing" else None,
            "picture": self.picture.measured() if state == "playing" else None,
            "drift": self.drift if state == "playing" else None,
            "preview": base64.b64encode(preview).decode() if preview else None,
        }


def _rate(counts: Sequence[tuple[float, int]]) -> float | None:
    if len(counts) < 2 or counts[-1][0] <= counts[0][0]:
        return None
    return max(0.0, (counts[-1][1] - counts[0][1]) / (counts[-1][0] - counts[0][0]))


class Stream:
    """Has one stream measured until ``stop``. ``may_decode_all`` is asked whether there is room for that."""

    def __init__(self, order: Order, *, previews: bool, may_decode_all: Callable[[str], bool]) -> None:
        self.order = order
        self._may_decode_all = may_decode_all
        self._wanted = Wanted(previews=previews)
        self._backoff = Backoff(FIRST, MOST)
        self._looks = 0
        self._spared_until = 0.0
        self._problem = ""
        self._now: Measuring | None = None
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._flowed_at: float | None = None
        """When something came last, in a run before this one. None again once the stream is refused: it may be well."""

    @property
    def decodes_all(self) -> bool:
        """All its frames are decoded."""
        return self._wanted.all_frames and self._wanted.look

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._measure(), name=f"measuring {self.order['streamer']}")

    async def stop(self) -> None:
        """End, and see its ffmpeg gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def report(self) -> Report | None:
        """What is measured now; None before anything was tried."""
        if self._now is None:
            return None
        return self._now.report(self.order, time.monotonic(), self._problem, self._flowed_at)

    async def _measure(self) -> None:
        while True:
            self._now = measuring = Measuring(self._wanted)
            try:
                await self._once(measuring)
                reason = measuring.log.last or "nothing came of it"
            except (OSError, ValueError) as error:
                reason = str(error)
            if measuring.flowed_at is not None:
                self._backoff.worked()
                self._flowed_at = measuring.flowed_at
            if not self._learn(measuring):
                if measuring.flowed_at is None:
                    self._cannot(reason)
                    if time.monotonic() - measuring.began < REFUSED:
                        self._flowed_at = None
                await asyncio.sleep(self._backoff.failed())

    def _cannot(self, reason: str) -> None:
        problem = f"{UNPLAYABLE}: {reason}"[:200]
        if problem != self._problem:
            log.warning("A stream cannot be measured", streamer=self.order["streamer"], reason=reason)
        self._problem = problem

    async def _once(self, measuring: Measuring) -> None:
        self._run = run = await Run.start(
            lambda pipes: ffmpeg.command(measuring.wanted, pipes),
            ffmpeg.playlist(self.order["url"]),
            measuring.pipes,
            (measuring.thumbnail, measuring.log.feed),
        )
        ended = asyncio.create_task(run.wait())
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=ffmpeg.TOLD_EVERY)
                if self._has_to_begin_anew(measuring, run):
                    return
        finally:
            ended.cancel()
            await run.end()
            self._run = None

    def _has_to_begin_anew(self, measuring: Measuring, run: Run) -> bool:
        now = time.monotonic()
        if measuring.still_for(now) > DEAD_AFTER or measuring.log.read > FLOOD:
            return True
        if measuring.flowed_at is not None and self._problem.startswith(UNPLAYABLE):
            self._problem = ""
        measuring.cpu.append((now, run.cpu))
        self._wanted = self._better(measuring, now)
        return self._wanted != measuring.wanted

    def _better(self, measuring: Measuring, now: float) -> Wanted:
        """What is to be measured of it from now on."""
        wanted = measuring.wanted
        if wanted.look and _is_costly(measuring.cpu):
            self._spared_until = now + SPARED_FOR
            self._problem = "decoding its picture takes too much of a processor: only its sound is measured"
            return replace(wanted, look=False)
        if not wanted.look and wanted.picture and now >= self._spared_until:
            self._problem = ""
            return replace(wanted, look=True, all_frames=False)
        if measuring.needs_all_frames(now) and self._may_decode_all(self.order["session"]):
            return replace(wanted, all_frames=True)
        wait = LOOK_AGAIN[min(self._looks, len(LOOK_AGAIN) - 1)]
        if not (wanted.sound and wanted.picture) and now - measuring.began >= wait:
            self._looks += 1
            return replace(wanted, sound=True, picture=True)
        return wanted

    def _learn(self, measuring: Measuring) -> bool:
        """A track that is not there is not asked for the next time. True if that is news."""
        log_, wanted = measuring.log, measuring.wanted
        if self._wanted != wanted:
            return True
        has_sound, has_picture = log_.audio is not None, log_.video is not None
        if measuring.flowed_at is not None or has_sound == has_picture:
            return False
        self._wanted = replace(wanted, sound=wanted.sound and has_sound, picture=wanted.picture and has_picture)
        return self._wanted != wanted


def _is_costly(cpu: "deque[tuple[float, float]]") -> bool:
    if len(cpu) < (cpu.maxlen or 0):
        return False
    return (cpu[-1][1] - cpu[0][1]) / max(0.001, cpu[-1][0] - cpu[0][0]) > COSTLY
