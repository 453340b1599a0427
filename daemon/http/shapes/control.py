"""What operators and their scripts ask for, and what they are answered."""

import sys
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from daemon.core.shapes import Amount, Count, Done, Name, WholeSeconds
from daemon.http.shapes.show import State
from statemachine.monitors.quantities import QUANTITIES, Quantity


class StreamQueue(TypedDict):
    """The line-up's names."""

    stream_queue: list[str]


class RemainingTime(TypedDict):
    """The time left in the current turn."""

    remaining_time: WholeSeconds
    """Seconds; 0 while nobody has the turn."""


class TimeSettings(TypedDict):
    """The length of a turn, and the time left in the current one."""

    swap_interval: WholeSeconds
    remaining_time: WholeSeconds


class TurnLength(Done):
    """A turn's length was changed."""

    time: Annotated[int, Field(description="Seconds.")]
    reset_time: bool


class LastBlocked(TypedDict):
    """Whether the last one on air may come straight back."""

    is_blocked: bool
    """The last one on air may not come straight back."""


class BlockToggled(Done):
    """The same, changed."""

    is_blocked: bool
    """The last one on air may not come straight back."""
    blocking: bool
    """As `is_blocked`."""


class JobDelay(Done):
    """The minimum time between two hand-overs."""

    obs_job_delay_seconds: Amount
    """Seconds."""


class ZOffset(Done):
    """How many layers below the top new inputs are placed."""

    z_offset: Count


class TestBody(TypedDict):
    """A stream to be shown at once."""

    rtmp_url: Annotated[
        str,
        Field(
            max_length=2048,
            examples=["rtmp://127.0.0.1:1935/live/alice"],
            # For who reads it: what is wrong with a URL is told in other words than "it must match".
            json_schema_extra={"pattern": r"^rtmps?://[A-Za-z0-9._~:/?\[\]&=%-]+$"},
        ),
    ]
    """The stream's URL: rtmp or rtmps, of the host and port of `ingest.rtmp_url`, ending in APP/STREAM."""
    scene_name: NotRequired[Annotated[str, Field(max_length=2048)]]
    """Must be `obs.scene`."""


class TestBegun(Done):
    """It is created, buffered, and shown when it is ready."""

    rtmp_url: str
    """As requested, with keys masked."""
    scene_name: str
    attempt: Count
    state: State
    session: str
    """The session that is shown."""


def _known(value: Any) -> Any:
    if isinstance(value, str) and value not in QUANTITIES:
        raise PydanticCustomError("unknown", "it is not known")
    return value


def _as_float(value: Any) -> Any:
    """A whole number may be longer than any float: then it is beyond every bound."""
    most = int(sys.float_info.max)
    return max(-most, min(most, value)) if type(value) is int else value


def _bounds(quantity: Quantity) -> str:
    null = "" if quantity.nothing is None else "; null is none at all"
    return f"{quantity.unit}, from {quantity.least:g} to {quantity.most:g}{null}"


class Measurement(TypedDict):
    """A measurement of the streamer on air."""

    streamer: Name
    quantity: Annotated[str, BeforeValidator(_known), Field(json_schema_extra={"enum": [*QUANTITIES]})]
    value: Annotated[
        Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_as_float)] | None,
        Field(
            description=". ".join(f"{name}: {_bounds(quantity)}" for name, quantity in QUANTITIES.items())
            + ". Values beyond are clamped."
        ),
    ]


class Measured(Done):
    """It was recorded."""

    streamer: str
    quantity: str


class NotifyTarget(TypedDict):
    """A notification target."""

    target: str
    """Its number in `notify.urls`, and its kind."""
    ok: bool
    problem: str | None
    """Why it was not sent."""


class NotifyTest(TypedDict):
    """How a test of the notifications went."""

    status: Literal["success", "warning"]
    """warning: one could not be sent."""
    message: str
    targets: list[NotifyTarget]


class SignInBody(TypedDict):
    """The token."""

    token: Annotated[str, Field(max_length=2048)]


class SignInState(TypedDict):
    """Whether a token is required, and whether this client has signed in."""

    token_required: bool
    signed_in: bool


class ErrorDetail(TypedDict):
    """What went wrong."""

    code: Annotated[str, Field(min_length=1)]
    """For programs."""
    message: str
    """For people."""


class Error(TypedDict):
    """The form of every error."""

    error: ErrorDetail
