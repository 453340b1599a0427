"""A stream whose picture changes its size while it is sent: pieces that were encoded beforehand, one behind the other.

No encoder of FFmpeg's changes the size of what it encodes, and neither does OBS's. Programs that join streams do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from daemon.studio.errors import PublishError
from daemon.studio.process import Process

LATER: Final = 20.0
"""Seconds of the piece in the other size, which is played again and again."""
TIMES: Final = 30


async def pieces(sources: Sequence[tuple[str, float]], encoder: Sequence[str], beside: Path) -> Path:
    """Encode each graph for its seconds; a list of them for FFmpeg's concat demuxer, the last one many times.

    ``encoder`` are the options behind the input; the files lie ``beside`` that one. Raises PublishError.
    """
    files = []
    for number, (graph, seconds) in enumerate(sources):
        file = beside.with_name(f"{beside.stem}-{number}.flv")
        begin = ("ffmpeg", "-nostdin", "-y", "-loglevel", "error", "-f", "lavfi", "-i", graph, "-t", f"{seconds:g}")
        process = Process(f"encoding {file.name}", [*begin, *encoder, str(file)], log=file.with_suffix(".log"))
        await process.start()
        if await process.wait() != 0:
            raise PublishError(f"{file.name} could not be encoded: {process.tail(3)}")
        files.append(file)
    lines = [f"file '{file}'" for file in (*files[:-1], *[files[-1]] * TIMES)]
    listed = beside.with_suffix(".ffconcat")
    listed.write_text("\n".join(["ffconcat version 1.0", *lines, ""]), encoding="utf-8")
    return listed
