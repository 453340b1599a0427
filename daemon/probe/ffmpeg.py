"""The ffmpeg that plays one stream: how it is called, and what it says of the stream's tracks.

Measured on a 1080p30 stream of 4 Mbit/s with a key frame every 2 s: 2 % of a core, half of it for the sound. Key frames
alone are decoded, and the rest is passed on as it is, to be counted. Each track has an output of its own: one for both
would hold back what comes of one for as long as nothing comes of the other.

The URL may hold a key. It goes in by standard input, as a list with one file (FFmpeg's concat demuxer), for everybody
on the machine can read a command line.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from daemon.probe.lines import Lines

if TYPE_CHECKING:
    from daemon.core.probing import AudioTrack, VideoTrack

PROGRESS, SOUND, PICTURE, AUDIO_BYTES = "progress", "sound", "picture", "audio bytes"
PIPES: Final = (PROGRESS, SOUND, PICTURE, AUDIO_BYTES)
"""What is told besides the thumbnails (standard output) and the log (standard error)."""
PREVIEW: Final = 160
"""Pixels of a preview's longer side."""
TOLD_EVERY: Final = 0.5
"""Seconds between two reports of its progress."""
OPEN_WITHIN: Final = 10_000_000
"""Microseconds that a server may take to answer, or to send anything."""
LOOK_EVERY: Final = 1
"""Seconds between two looks where all frames are decoded."""

OLDEST: Final = "5.1"
"""The first FFmpeg that knows all options of `command`."""

LAST_OF_SOUND: Final = "aphasemeter.phase"
LAST_OF_PICTURE: Final = "signalstats.VBITDEPTH"

_TRACK = re.compile(r"(?:\[info\] )?  Stream #0:\d+(?:\[\w+\])?(?:\(\w+\))?: (Video|Audio): (.{1,400})")
_CODEC = re.compile(r"([A-Za-z0-9_]{1,32})(?: \(([A-Za-z0-9 .:_-]{1,40})\))?(?: \([^)]{0,80}\))*")
_SIZE = re.compile(r"[ ,](\d{2,5})x(\d{2,5})[ ,\[]")
_RATE = re.compile(r"(\d{3,6}) Hz, ([A-Za-z0-9.() ]{1,32})")
_UNKNOWN = re.compile(r"Unrecognized option '([\w:]{1,40})'")
_SHOWN = re.compile(r"\[Parsed_showinfo_\d+ @ \w+\] (?:\[info\] )?n: *\d+ pts:.{1,120}? s:(\d{1,5})x(\d{1,5}) ")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured of a stream."""

    sound: bool = True
    picture: bool = True
    look: bool = True
    """The picture is decoded, and not only counted."""
    all_frames: bool = False
    """All of it is decoded: its key frames are too far apart to tell in time what is seen."""
    previews: bool = True


def playlist(url: str) -> bytes:
    """What goes in by standard input. Raises ValueError for a URL that cannot be written there."""
    if not url.isprintable() or "'" in url or "\\" in url or " " in url:
        raise ValueError("its URL has characters that FFmpeg's list cannot hold")
    # Not nobuffer: it would throw away what was probed, and with it the only key frame of some.
    options = {"rw_timeout": OPEN_WITHIN, "probesize": 1_000_000, "analyzeduration": 1_500_000}
    lines = ["ffconcat version 1.0", f"file '{url}'", *(f"option {name} {value}" for name, value in options.items())]
    return ("\n".join(lines) + "\n").encode()


def command(wanted: Wanted, pipes: dict[str, int]) -> list[str]:
    """ffmpeg's arguments; ``pipes`` are the descriptors that it writes to."""
    argv = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info"]
    argv += ["-progress", f"pipe:{pipes[PROGRESS]}", "-stats_period", f"{TOLD_EVERY:g}"]
    argv += ["-filter_threads", "1", "-filter_complex_threads", "1", "-threads", "1"]
    # Without delay: otherwise the decoder holds a key frame back until the next one.
    argv += ["-flags", "low_delay"]
    if wanted.picture and not wanted.all_frames:
        # FFmpeg 9 refuses an option that no track is there for.
        argv += ["-skip_frame", "nokey"]
    argv += ["-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,tcp,tls,rtmp,rtmps,rtmpt,udp,crypto,http"]
    argv += ["-i", "pipe:0"]
    if wanted.picture:
        argv += ["-map", "0:v:0", "-c", "copy", "-f", "data", "-y", "/dev/null"]
    if wanted.sound:
        # Where there is no picture, this is the output that the progress is told of.
        argv += ["-map", "0:a:0", "-c", "copy", "-f", "data", f"pipe:{pipes[AUDIO_BYTES]}"]
        argv += ["-map", "0:a:0", "-af", hearing(pipes[SOUND]), "-f", "null", "-"]
    if wanted.picture and wanted.look:
        argv += ["-map", "0:v:0", "-vf", _seeing(wanted, pipes[PICTURE]), "-fps_mode:v", "passthrough", "-threads", "1"]
        argv += ["-c:v", "mjpeg", "-q:v", "7", "-f", "image2pipe", "pipe:1"] if wanted.previews else ["-f", "null", "-"]
    return argv


def hearing(pipe: int) -> str:
    """The filters that tell of the sound, to that descriptor."""
    return ",".join(
        [
            "ebur128=metadata=1:peak=true",
            "astats=metadata=1:reset=1:measure_overall=none:measure_perchannel=Peak_level+RMS_level",
            "aphasemeter=video=0",
            _printed("ametadata", pipe),
        ]
    )


def _seeing(wanted: Wanted, pipe: int) -> str:
    # A frame's side data is the stream's maker's, and showinfo would print it byte by byte.
    filters = ["sidedata=mode=delete", "showinfo=checksum=0"]
    if wanted.all_frames:
        filters.insert(0, f"select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{LOOK_EVERY})")
    fitted = f"scale={PREVIEW}:{PREVIEW}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=fast_bilinear"
    # Of video levels: what follows would otherwise have it scaled to the full range before it is measured.
    levels = "out_range=tv,format=yuv420p"
    return ",".join([*filters, f"{fitted}:{levels}", "signalstats", _printed("metadata", pipe), "format=yuvj420p"])


def _printed(kind: str, pipe: int) -> str:
    # Unbuffered: otherwise it would come by 32 kB.
    return f"{kind}=mode=print:direct=1:file=pipe\\\\:{pipe}"


class Log:
    """Reads ffmpeg's log: which tracks there are, of what size, and its last word."""

    def __init__(self) -> None:
        self._lines = Lines()
        self.video: VideoTrack | None = None
        self.audio: AudioTrack | None = None
        self.last = ""
        """The last error, without the stream's URL."""
        self.too_old = False
        """It does not know an option that it is called with."""
        self.read = 0
        """Bytes of it."""

    def feed(self, data: bytes) -> None:
        """A piece of it."""
        self.read += len(data)
        for line in self._lines.feed(data):
            if found := _SHOWN.match(line):
                if self.video is not None:
                    self.video = {**self.video, "width": int(found[1]), "height": int(found[2])}
            elif found := _TRACK.match(line):
                self._note(found[1], found[2])
            elif unknown := _UNKNOWN.search(line):
                self.last = f"FFmpeg {OLDEST} or later is needed, for this one does not know {unknown[1]}"
                self.too_old = True
            elif not self.too_old and ("[error]" in line or "[fatal]" in line):
                self.last = re.sub(r"[a-z]+://\S+", "the stream", line.rpartition("] ")[2])[:160]

    def _note(self, kind: str, text: str) -> None:
        codec = _CODEC.match(text)
        name, profile = (codec[1], codec[2] or "") if codec else ("", "")
        if kind == "Video" and self.video is None:
            size = _SIZE.search(text)
            width, height = (int(size[1]), int(size[2])) if size else (0, 0)
            self.video = {
                "codec": name,
                "profile": profile,
                "width": width,
                "height": height,
                "fps": None,
                "keyframe_seconds": None,
            }
        elif kind == "Audio" and self.audio is None:
            rate = _RATE.search(text)
            self.audio = {
                "codec": name,
                "rate": int(rate[1]) if rate else 0,
                "channels": rate[2].strip() if rate else "",
            }
