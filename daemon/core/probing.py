"""What the daemon and its probe say to each other: whom to measure, and what was measured."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

PATH: Final = "/probe"
"""Where the probe reports, and hears whom to measure."""


def as_whole(value: object) -> object:
    """JSON knows one kind of number: 48000.0 is a whole one as well."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e12)]
Whole = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(as_whole)]
Word = Annotated[str, Field(max_length=64)]

MOST_STREAMS: Final = 64
LARGEST_PREVIEW: Final = 48_000
"""Characters of a preview in base64."""


class VideoTrack(TypedDict):
    """What a picture is made of."""

    codec: Word
    profile: Word
    width: Whole
    height: Whole
    fps: Positive | None
    """Frames a second, as they come."""
    keyframe_seconds: Positive | None
    """Seconds between two key frames."""


class AudioTrack(TypedDict):
    """What a sound is made of."""

    codec: Word
    rate: Whole
    """Samples a second."""
    channels: Word
    """Such as stereo."""


class SoundMeasured(TypedDict):
    """What is heard. null where too little of it is there to say."""

    level: Finite | None
    """Momentary loudness in LUFS (EBU R 128, 0.4 s); null for silence itself."""
    silent_seconds: Positive
    """Since it was above -60 LUFS last."""
    short: Finite | None
    """Loudness of the last 30 s in LUFS."""
    loudness: Finite | None
    """Integrated loudness of the last 5 minutes in LUFS."""
    peak: Finite | None
    """True peak of the last minute in dBTP."""
    balance: Finite | None
    """dB by which the left channel is louder than the right one."""
    phase: Finite | None
    """Of the two channels to each other, from -1 (inverted) to 1 (the same)."""
    clipping: Positive | None
    """Share of the last 5 s whose tops are cut off."""


class PictureMeasured(TypedDict):
    """What is seen."""

    light: Positive
    """Level of the brightest tenth, 16 to 235."""
    black_seconds: Positive
    motion: Positive | None
    """Mean difference to the look before, in levels."""
    still_seconds: Positive


class Report(TypedDict):
    """What is measured of one stream."""

    session: Annotated[str, Field(max_length=512)]
    state: Literal["opening", "playing", "stopped"]
    seconds: Positive
    """Since when nothing has come of it; 0 while something comes."""
    problem: Annotated[str, Field(max_length=200)]
    """Why it is not measured, or not wholly; empty where it is."""
    video: VideoTrack | None
    audio: AudioTrack | None
    kbps: Positive | None
    sound: SoundMeasured | None
    picture: PictureMeasured | None
    drift: Finite | None
    """Seconds by which the sound is ahead of the picture."""
    preview: Annotated[str, Field(max_length=LARGEST_PREVIEW)] | None
    """A JPEG in base64; null where there is no newer one."""


class Reports(TypedDict):
    """All that a probe has measured since it last told."""

    streams: Annotated[list[Report], Field(max_length=MOST_STREAMS)]


class Order(TypedDict):
    """One stream to be measured."""

    session: str
    streamer: str
    url: str
    """Where it is played from."""


class Orders(TypedDict):
    """Whom to measure, the most needed first."""

    streams: list[Order]
    previews: bool
    """Small pictures are wanted."""
    left_out: int
    """Streams beyond `probe.streams`."""
