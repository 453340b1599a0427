"""What may go wrong with a stream while it is sent: its sound and its picture are spoilt as real ones are.

ffmpeg takes commands for its filters on standard input, and the stream goes on.
"""

from enum import Enum

Command = tuple[str, str, str]
"""A filter's name, what of it is set, and to what."""

LEVEL, SIDES, COVER, LIGHT = "volume@level", "stereotools@sides", "drawbox@cover", "eq@light"


class Spoilt(Enum):
    """Each is a list of commands; ``MEND`` takes back all of them."""

    MUTED = ((LEVEL, "volume", "0"),)
    QUIET = ((LEVEL, "volume", "0.03"),)
    CLIPPING = ((LEVEL, "volume", "20"),)
    """Its tops are cut off, as in a mixer whose output is in the red."""
    ONE_SIDED = ((SIDES, "muter", "1"),)
    INVERTED = ((SIDES, "phaser", "1"),)
    BLACK = ((LIGHT, "brightness", "-1"),)
    FROZEN = ((COVER, "w", "iw"), (COVER, "h", "ih"))
    """A ground in the streamer's colour, over all that moves."""


MEND: tuple[Command, ...] = (
    (LEVEL, "volume", "1"),
    (SIDES, "muter", "0"),
    (SIDES, "phaser", "0"),
    (LIGHT, "brightness", "0"),
    (COVER, "w", "2"),
    (COVER, "h", "2"),
)


def as_input(commands: tuple[Command, ...]) -> bytes:
    """As ffmpeg reads them."""
    return "".join(f"C{target} -1 {name} {value}\n" for target, name, value in commands).encode()


def filters(colour: str) -> str:
    """A filter graph behind the look's own that does nothing until it is told to; its ends are [v] and [a]."""
    return (
        f"[0:v]drawbox@cover=x=0:y=0:w=2:h=2:color={colour}:t=fill,eq@light=eval=frame[v];"
        "[0:a]aformat=channel_layouts=stereo:sample_fmts=s16,"
        "volume@level=1:precision=fixed:eval=frame,stereotools@sides=level_in=1[a]"
    )
