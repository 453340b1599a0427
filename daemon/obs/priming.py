"""Keeps the picture of a hidden input fresh, so that the first frame in which it is shown is right.

In every frame of its own libobs takes a stream's frame that is due (``async_tick``), and drops it in the next; it goes
into a texture only if the input is rendered in between (``obs_source_update_async_video``; both in libobs's
obs-source.c, alike from 29.0 to 32.2). A hidden input is not rendered. Shown in a frame of OBS's in which none of the
stream's is due, it is a blank, or what it was when it was last rendered, be that minutes ago, until its next frame
comes. Measured on OBS 29.0.2 at 60 frames a second, with streams of 15: 6 of 10 cuts began with a blank.

A screenshot renders an input. One is taken in each frame, for no frame may be missed: in a SERIAL_FRAME batch, on
OBS's graphics thread, before it looks for frames that are due. Such a batch holds one of obs-websocket's threads, of
which there are as many as cores, from its first frame to its last: so none is long.

A rendering sets the input's sound to the picture's time as well, in the same function of libobs. After a frame that
took OBS long it does so wrongly: what is rendered is the picture of before, by the clock of after. All sound that comes
until the next rendering is put off by the difference, which leaves a hole. Measured on OBS 32.2.2 on two cores: a
recording that begins holds up one frame for 0.27 s, and a cut 0.1 s later had 60 to 107 ms of silence. So what was
rendered in such a frame is rendered again at once.
"""

import base64
import binascii
import math
import time
import zlib
from collections.abc import Iterable

from daemon.core.ports import ObsError, ObsGone
from daemon.obs.connection import Link, Request

COVER = 1 / 15
"""Seconds of a stream that are rendered with a cut: no less than the frame of a stream of 15 a second."""
RENDER_EVERY = 0.5
"""Seconds between two renderings of an input that waits, each over COVER: of a stream that is slower, its first
frame on air may be an older one, but then hardly by more than a second."""
LONGEST = 0.25
"""Seconds that a proven input is rendered at a stretch."""
WITHIN = 1.0
"""Seconds that a proven input is given for its first picture."""
SLACK = 2.0
"""Seconds that a rendering may take longer than its frames."""
HOLE = 0.07
"""Seconds by which libobs lets a sound be off before it leaves a hole (``TS_SMOOTHING_THRESHOLD`` in obs-source.c)."""
AGAIN = 2
"""Times that a rendering held up in between is repeated: an OBS that is late in each of them is late all the time."""

SIZE = 8
"""Pixels each way: the least that obs-websocket takes."""

_PNG = b"\x89PNG\r\n\x1a\n"
_RGBA = 6


def frames(fps: float, seconds: float = COVER) -> int:
    """In how many frames to render, so that what was due in so many seconds is not missed. One at least.

    A rendering takes what was due in the frame before, and once it is shown OBS renders by itself: that is one more.
    A tenth of a frame does not count: it would cost a whole one. For that, of a stream of exactly 15 a second on OBS's
    30 or 60, whose stamps RTMP rounds to milliseconds, one cut in six or twelve begins with one frame of the picture as
    it was when it was rendered last, RENDER_EVERY ago at most.
    """
    return max(1, math.ceil(seconds * fps - 0.1) - 1)


def renderings(names: Iterable[str], fps: float, seconds: float = COVER) -> list[Request]:
    """The requests that render these inputs frame by frame, to be put into a SERIAL_FRAME batch; none for no names."""
    once = [_rendering(name) for name in names]
    if not once:
        return []
    requests = list(once)
    for _ in range(frames(fps, seconds) - 1):
        requests += [Request("Sleep", {"sleepFrames": 1}), *once]
    return requests


async def render(link: Link, names: Iterable[str], fps: float) -> None:
    """Render these inputs until none of a stream of 15 can have been missed, as far as OBS can. Raises ObsGone alone.

    OBS does not go on with it by itself, and the frame of such a stream may come another frame of OBS's later.
    """
    seconds = COVER + 2 / fps
    requests = renderings(names, fps, seconds)
    for _ in range(1 + AGAIN if requests else 0):
        began = time.monotonic()
        try:
            await link.batch(requests, frame=True, halt=True, seconds=COVER + SLACK)
        except ObsGone:
            raise
        except ObsError:
            return
        if not _held_up(began, fps, seconds):
            return


def _held_up(began: float, fps: float, seconds: float) -> bool:
    """Whether a rendering took so much longer than its frames that one of them may have put the sound off."""
    return time.monotonic() - began > (frames(fps, seconds) + 1) / fps + HOLE


async def prime(link: Link, name: str, fps: float) -> bool:
    """Render the input until there is a picture of it; whether there was in time. Raises ObsGone alone."""
    deadline = time.monotonic() + WITHIN
    seconds = 0.0
    while (left := deadline - time.monotonic()) > 0:
        began = time.monotonic()
        try:
            results = await link.batch(renderings([name], fps, seconds), frame=True, halt=True, seconds=left)
            image = results[-1].checked().get("imageData") if results else None
        except ObsGone:
            raise
        except ObsError:
            # A build that cannot take one, or a renderer that stands still: the cut will tell.
            return False
        if shows_something(str(image)):
            if _held_up(began, fps, seconds):
                await render(link, [name], fps)
            return True
        # Longer and longer: frames that go by between two batches may be the very ones, again and again.
        seconds = min(max(2 * seconds, COVER), LONGEST)
    return False


def _rendering(name: str) -> Request:
    asked = {"sourceName": name, "imageFormat": "png", "imageWidth": SIZE, "imageHeight": SIZE}
    return Request("GetSourceScreenshot", asked)


def shows_something(image: str) -> bool:
    """Whether a screenshot (a data URL) is not wholly transparent. What cannot be read is taken for a picture."""
    try:
        data = base64.b64decode(image.partition(",")[2], validate=True)
        colour, pixels = _unpack(data)
    except (binascii.Error, ValueError, zlib.error, IndexError):
        return True
    stride = 1 + 4 * SIZE
    if colour != _RGBA or len(pixels) != stride * SIZE:
        return True
    # Nothing but zeros stays so under each of PNG's filters; the first byte of a row names the filter.
    return any(any(pixels[row + 1 : row + stride]) for row in range(0, len(pixels), stride))


def _unpack(data: bytes) -> tuple[int, bytes]:
    """The colour type of a PNG and its rows, still filtered."""
    if not data.startswith(_PNG):
        raise ValueError("not a PNG")
    colour, packed, at = -1, b"", len(_PNG)
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            colour = body[9]
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    return colour, zlib.decompress(packed)
