"""Where two daemons share a channel: who owns it, and what is known of all channels of their store."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from daemon.core.shapes import Amount, Count


class Heir(TypedDict):
    """The daemon that would take over."""

    name: str
    address: str
    """Where it is reached."""
    sees_obs: bool


class Owner(TypedDict):
    """Who owns the channel."""

    here: bool
    """The daemon that answers is the owner."""
    name: str | None
    """The owner's; null where nobody owns the channel."""
    address: str | None
    """Where it is reached."""
    epoch: Count
    """Rises with each owner."""
    heir: Heir | None
    lag: Count
    """Events that the shared store has not taken yet."""
    problem: str
    """Why the shared store cannot be used; empty while it can."""


class Role(TypedDict):
    """What this daemon is to its channel."""

    role: Literal["owner", "heir"]


class FleetDaemon(TypedDict):
    """One daemon of a channel."""

    name: str
    address: str
    sees_obs: bool
    seen: Amount
    """Seconds since it was heard."""


class FleetChannel(TypedDict):
    """One channel of the store."""

    channel: str
    owner: FleetDaemon | None
    """Null where nobody owns it."""
    heirs: list[FleetDaemon]
    state: str
    on_air: str | None
    next: str | None
    problems: list[str]
    """The checks that fail at the owner, by name."""
    lag: Count
    """Events that the store has not taken yet."""
    epoch: Count


class Fleet(TypedDict):
    """All channels of the shared store."""

    channels: list[FleetChannel]


class PeerHook(TypedDict):
    """A hook that another daemon of the channel passes on."""

    server: Annotated[str, Field(max_length=64)]
    """The kind of its server."""
    content_type: Annotated[str, Field(max_length=128)]
    body: Annotated[str, Field(max_length=131_072)]
    """As it came, in base64."""


class PeerVerdict(TypedDict):
    """What the owner says to it."""

    accepted: bool
    code: str
    message: str
    streamer: str
    status: int
