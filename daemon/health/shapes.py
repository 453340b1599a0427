"""The shapes of ``/stream-health``'s answers."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from daemon.core.shapes import Amount, Count, Milliseconds, Moment, Seconds, StreamerName, Success

Share = Annotated[
    Annotated[float, Field(ge=0, le=1)] | None, Field(description="A share from 0 to 1; null while it is not known.")
]
Score = Annotated[float, Field(description="100 is as it should be, 0 cannot be worse.", ge=0, le=100)]
Issues = Annotated[list[str], Field(description="What is amiss, the gravest first.")]
Penalties = Annotated[dict[str, float], Field(description="What each issue takes off the score.")]


class SampleMedia(TypedDict):
    """How the input on air plays."""

    state: str | None
    """OBS's media state."""
    cursor: Milliseconds | None
    progress: float | None
    """Seconds of media a second."""
    jitter: Amount | None
    """Milliseconds."""
    still: Amount | None
    """Seconds without a new picture."""
    width: int | None
    height: int | None


class SampleIngest(TypedDict):
    """What the ingest server gets."""

    received: int | None
    """Bytes."""
    bitrate: Amount | None
    """kbit/s."""


class SampleObs(TypedDict):
    """How OBS performs."""

    connected: bool
    fps: float | None
    render_lag: Share
    encoder_lag: Share
    dropped: Share
    memory_mb: float | None
    cpu_percent: float | None
    streaming: bool | None


class HealthSample(TypedDict):
    """One sample of stream health."""

    at: Moment
    time: float
    """Seconds since the epoch."""
    score: Score
    issues: Issues
    penalties: Penalties
    streamer: StreamerName | None
    input: str | None
    waiting: Count
    """Streamers who publish and are not on air."""
    media: SampleMedia
    ingest: SampleIngest
    obs: SampleObs


class Current(TypedDict):
    """The last sample; before the first one there is only a `score` of null."""

    monitoring_active: bool
    score: Score | None
    issues: Issues
    at: NotRequired[Moment]
    time: NotRequired[float]
    """Seconds since the epoch."""
    penalties: NotRequired[Penalties]
    streamer: NotRequired[StreamerName | None]
    input: NotRequired[str | None]
    waiting: NotRequired[Count]
    """Streamers who publish and are not on air."""
    media: NotRequired[SampleMedia]
    ingest: NotRequired[SampleIngest]
    obs: NotRequired[SampleObs]


class HealthNow(Current):
    """The last sample; before the first one there is only a `score` of null."""

    status: Literal["success", "no_monitoring"]


class HealthHistory(TypedDict):
    """The last samples."""

    status: Success
    count: Count
    history: list[HealthSample]
    """The oldest first."""


class KeptSamples(TypedDict):
    """What is kept of the samples."""

    count: Count
    capacity: Count
    lowest_score: Score | None
    mean_score: Score | None


class SinceStart(TypedDict):
    """What was seen since the start."""

    stalled_seconds: Seconds
    blank_seconds: Seconds
    off_air_seconds: Seconds


class HealthLimits(TypedDict):
    """Thresholds of issues."""

    stall: float
    """Seconds."""
    low_bitrate: float
    """kbit/s."""


class Reports(TypedDict):
    """Where the reports are written."""

    folder: str | None
    file: str | None
    problem: str


class Monitoring(TypedDict):
    """How the monitoring itself goes, and what it has seen."""

    monitoring_active: bool
    interval: Annotated[float, Field(gt=0)]
    """Seconds between two samples."""
    samples: Count
    """Taken since the start."""
    history: KeptSamples
    score: Score | None
    issues: Issues
    since_start: SinceStart
    limits: HealthLimits
    reports: Reports


class HealthStatus(Monitoring):
    """How the monitoring goes."""

    status: Success
