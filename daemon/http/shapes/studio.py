"""OBS as the daemon sees it, and the probes."""

from typing import Literal

from typing_extensions import TypedDict

from daemon.core.shapes import ConnectionDetail, Count, Input, Milliseconds, Success


class Inputs(TypedDict):
    """All inputs of OBS."""

    status: Success
    inputs: list[Input]
    count: Count


class MediaStatus(TypedDict):
    """OBS's answer to GetMediaInputStatus."""

    mediaState: str
    mediaDuration: Milliseconds | None
    mediaCursor: Milliseconds | None


class Media(TypedDict):
    """How an input plays."""

    status: Success
    input_name: str
    media_status: MediaStatus


class Connection(TypedDict):
    """The connection to OBS."""

    status: Success
    connection_healthy: bool
    message: str
    connection: ConnectionDetail


class Reconnected(TypedDict):
    """Whether the new connection is up."""

    status: Literal["success", "warning"]
    connection_healthy: bool
    message: str


class Streaming(TypedDict):
    """OBS's answer to GetStreamStatus."""

    status: Success
    outputActive: bool
    outputReconnecting: bool
    outputTimecode: str
    outputDuration: Milliseconds
    outputCongestion: float
    outputBytes: float
    outputSkippedFrames: int
    outputTotalFrames: int


class Alive(TypedDict):
    """Whether the daemon makes progress."""

    status: Literal["ok", "stuck"]


class CheckResult(TypedDict):
    """One check."""

    ok: bool
    detail: str
    """What is wrong."""


class Ready(TypedDict):
    """Whether the daemon can do its job."""

    ready: bool
    checks: dict[str, CheckResult]
    """The checks, by name."""
