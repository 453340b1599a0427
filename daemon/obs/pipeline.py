"""The GStreamer pipeline of an input.

The pipeline string is a program: whatever stands in it unquoted, or ends its quotes, is run by OBS. And librtmp takes
``key=value`` options after a space. So a URL is matched whole against what a stream URL may hold, and is quoted all the
same.
"""

import re

from daemon.config.model import Pipeline
from statemachine.ways import Way

NANOSECONDS = 1_000_000_000

BLOCK = 256
"""Bytes of ``rtmpsrc``'s buffers. It passes nothing on before a whole one has come (``gst_rtmp_src_create`` in
gstrtmpsrc.c): its own 4096 are a second of a stream with little in it, and each picture waits for the next second's.
These are two or three of the smallest pictures; at 8 Mbit/s they cost half a per cent of a core."""

_WORD = r"[A-Za-z0-9_-]{1,128}"
_PLAIN = r"[A-Za-z0-9_.~-]"
_ARGUMENT = rf"{_WORD}(?:={_PLAIN}{{0,128}})?"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
# Nothing that quotes, parts or escapes: no space, quote, backslash, percent sign, exclamation mark or equals sign
# outside a query.
STREAM_URL = re.compile(
    rf"rtmps?://{_HOST}(?::[0-9]{{1,5}})?(?:/{_PLAIN}{{1,128}}){{1,8}}(?:\?{_ARGUMENT}(?:&{_ARGUMENT}){{0,31}})?",
    re.ASCII,
)


_LOCATION = r'\blocation\s*=\s*(?:"rtmps?://[^"]*"|rtmps?://\S+)'


def checked_url(url: str) -> str:
    """The URL itself. Raises ValueError, which does not quote it, on anything but a plain RTMP URL."""
    if not STREAM_URL.fullmatch(url):
        raise ValueError("the stream's URL holds characters that an RTMP URL must not have")
    return url


def way_by(pipeline: Pipeline, way: Way) -> Way:
    """The way that is taken: the configuration may hold to the one that looks for everything."""
    return "whole" if pipeline.decoding == "decodebin" else way


def build(url: str, pipeline: Pipeline, *, width: int, height: int, way: Way = "aac") -> str:
    """The pipeline that plays ``url``, ending in the plugin's ``video`` and ``audio``. Raises ValueError on a bad URL.

    ``width`` and ``height`` in pixels.

    The element announces sound and picture in the FLV header that it makes up, whatever there is. decodebin waits for
    what was announced, 6 s long (``NO_MORE_PADS_THRESHOLD`` in gstflvdemux.c), and from GStreamer 1.28 on for further
    tracks where all is there. With flvdemux written out nothing does, if the audio sink needs no first buffer either,
    and no decodebin, which needs one too, stands before it.
    """
    video, audio = _branches(pipeline, width, height)
    way = way_by(pipeline, way)
    if way == "whole":
        chains = [[_source(url, pipeline), "decodebin name=d"], ["d.", *video, "video.sink"]]
        chains.append(["d.", *audio, "audio.sink"])
    else:
        decoder = ["aacparse", "avdec_aac"] if way == "aac" else ["decodebin"]
        chains = [[_source(url, pipeline), "flvdemux name=d"], ["d.video", "decodebin", *video, "video.sink"]]
        chains.append(["d.audio", *decoder, *audio, "audio.sink"])
    return _joined(chains)


def trial(pipeline: Pipeline, *, width: int, height: int) -> str:
    """A test picture and a tone by the same elements: what plays it has them all, but for the one that reads RTMP."""
    video, audio = _branches(pipeline, width, height)
    chains = [
        ["videotestsrc is-live=true", "decodebin", *video, "video.sink"],
        ["audiotestsrc is-live=true volume=0", *audio, "audio.sink"],
    ]
    if pipeline.decoding == "auto":
        # Linked to nothing, they need only be there.
        chains += (["flvdemux"], ["aacparse"], ["avdec_aac"])
    return _joined(chains)


def _branches(pipeline: Pipeline, width: int, height: int) -> tuple[list[str], list[str]]:
    """What picture and sound go through once they are decoded."""
    video = [_queue(pipeline.video_queue_time, pipeline.video_queue_buffers, leaky=pipeline.leaky)]
    if pipeline.scale:
        # OBS takes every pixel for a square one: without the ratio in the caps, a 4:3 picture comes out stretched.
        size = f"width={width:d},height={height:d}"
        video += ["videoscale add-borders=true", f"video/x-raw,{size},pixel-aspect-ratio=1/1"]
    video.append("videoconvert")
    audio = [
        _queue(pipeline.audio_queue_time, pipeline.audio_queue_buffers, leaky=pipeline.leaky),
        "audioconvert",
        "audioresample",
        f"audio/x-raw,rate={pipeline.rate:d},channels={pipeline.channels:d}",
    ]
    if pipeline.clocksync:
        video.append("clocksync")
        audio.append("clocksync")
    return video, audio


def _joined(chains: list[list[str]]) -> str:
    return " ".join(" ! ".join(chain) for chain in chains)


def location(pipeline: str) -> str | None:
    """The URL that a pipeline of ``build`` plays."""
    found = re.search(r'\blocation="([^"\\]*)"', pipeline)
    return None if found is None else found[1]


def re_aimed(pipeline: str, url: str) -> str | None:
    """A pipeline that somebody wrote, with ``url`` in place of the one RTMP URL that it plays; None where it has none.

    Raises ValueError on a bad URL.
    """
    aimed = f"location={_quoted(checked_url(url))}"
    found = re.findall(_LOCATION, pipeline)
    return re.sub(_LOCATION, lambda match: aimed, pipeline) if len(found) == 1 else None


def _source(url: str, pipeline: Pipeline) -> str:
    # The default is rtmp2src: to end, rtmpsrc has librtmp close the connection that another of its threads reads
    # (gst_rtmp_src_unlock in gstrtmpsrc.c). OBS 32.2.2 ended with a damaged heap after 234 removals, and not in 510 of
    # rtmp2src's. And rtmp2src passes on what comes as it comes.
    # rtmpsrc's own timeout is 120 s, which no show waits for; rtmp2src never gives up unless told to.
    own = f"timeout={pipeline.timeout:d} blocksize={BLOCK:d}"
    if pipeline.rtmp_element == "rtmp2src":
        own = f"idle-timeout={pipeline.timeout:d}"
    stamps = "true" if pipeline.do_timestamp else "false"
    return f"{pipeline.rtmp_element} location={_quoted(checked_url(url))} do-timestamp={stamps} {own}"


def _queue(time: float, buffers: int, *, leaky: bool) -> str:
    # Bounded by time: with a server's GOP cache up to one GOP comes at once, and a queue that keeps the newest three
    # frames shows each of them about a GOP later than the last.
    leak = " leaky=downstream" if leaky else ""
    nanoseconds = round(time * NANOSECONDS)
    return f"queue max-size-buffers={buffers:d} max-size-bytes=0 max-size-time={nanoseconds:d}{leak}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
