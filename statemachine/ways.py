"""Which way an input plays its stream, where there are several: by what is known of the stream and what was tried.

A player that looks for everything there may be waits for what never comes, or for seconds to be sure of having it all.
So the way that waits for nothing goes first, and the others are for what it cannot play.
"""

from collections.abc import Mapping
from typing import Final, Literal

from statemachine.events import Tracks

Way = Literal["aac", "sought", "whole"]
"""aac: the picture, and AAC if it comes, now or later. sought: the picture and sound of whatever codec, which has to
come. whole: whatever the stream holds, looked for in all of it; slow, or in vain where something announced is missing.
"""

WAYS: Final[Mapping[str, tuple[Way, ...]]] = {
    # Sound that a server does not know of yet may come later.
    "": ("aac",),
    # AAC may have to be decoded by something else than the usual decoder.
    "aac": ("aac", "sought", "whole"),
    "unknown": ("aac", "aac", "whole"),
    "other": ("sought", "aac", "whole"),
}
"""By the codec of the sound: the ways in the order in which they are tried, over and over."""


def way_of(tracks: Tracks, tries: int) -> Way:
    """The way of the next input for a stream that has failed so often in a row."""
    sound = "unknown" if tracks.audio is None else tracks.audio
    ways = WAYS.get(sound, WAYS["other"])
    return ways[tries % len(ways)]
