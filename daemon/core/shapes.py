"""The words that the API's shapes are written with.

A shape is a TypedDict: the type checker holds the code that makes an answer against it, and ``/openapi.json`` is made
of it, with the docstrings as descriptions. pydantic reads no TypedDict of ``typing`` before Python 3.12, so all come
from typing_extensions.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

LONGEST_NAME: Final = 256
LONGEST_TURN: Final = 604_800
"""Seconds: a week."""


def _name(value: Any) -> Any:
    """A name as people write one. Raises an error whose type is the API's code for it."""
    if isinstance(value, str) and not (0 < len(value) <= LONGEST_NAME and value.isprintable()):
        raise PydanticCustomError("bad_name", "a name must have 1 to 256 printable characters")
    return value


Success = Literal["success"]
Moment = Annotated[str, Field(examples=["2026-01-01T20:00:00Z"], json_schema_extra={"format": "date-time"})]
StreamerName = Annotated[str, Field(description="A streamer's name.")]
Seconds = Annotated[float, Field(description="Seconds.", ge=0)]
WholeSeconds = Annotated[int, Field(description="Seconds.", ge=0)]
Count = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]
Milliseconds = Annotated[float, Field(description="Milliseconds.")]
Name = Annotated[
    str,
    Field(
        description="A streamer's name: printable characters.",
        min_length=1,
        max_length=LONGEST_NAME,
        examples=["alice"],
    ),
    BeforeValidator(_name),
]


class Done(TypedDict):
    """A request that was carried out."""

    status: Success
    message: str
    """For people."""


class Actor(TypedDict):
    """Who asked for something. Never a secret."""

    kind: str
    """local: a program on this machine, where no token is set; token; sign-in: the dashboard. More may come."""
    name: str
    """Of the person or program; empty where it has none."""


class HeldOrNot(Done):
    """Whether turns end by the clock."""

    held: bool


class Named(Done):
    """Something was done about one streamer."""

    streamer: str


class Moved(Named):
    """One has another place."""

    position: Count


class Kicked(Named):
    """Who is blocked, and for how long."""

    seconds: Amount


class Input(TypedDict):
    """One input of OBS."""

    name: str
    kind: str
    own: bool
    """The daemon has made it."""
    shown: bool
    """It is shown in the scene of the streams."""


class ConnectionDetail(TypedDict):
    """The connection in some detail."""

    connected: bool
    reason: str
    """Why it is not."""
    version: str | None
    websocket: str | None
    losses: Count
    """Times that the connection was lost."""
    fps: float | None
    rendered_frames: int | None
    lagged_frames: int | None
    cpu_percent: float | None
    memory_mb: float | None
