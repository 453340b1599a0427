"""What the HTTP side needs of the rest of the daemon; the composition root provides it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from daemon.config.model import Config
from daemon.core.operator import Operator
from daemon.core.ports import Check, Letter, ObsInfo
from daemon.core.probing import Orders, Report, Reports
from daemon.core.shapes import ConnectionDetail, Input
from daemon.health.shapes import Current, Monitoring
from daemon.http.routes.events import EventHub
from daemon.http.shapes import pair
from daemon.ingest.hook import Verdict
from daemon.ingest.publishing import Publishing
from daemon.ingest.refusals import Refusals
from statemachine.events import Actor
from statemachine.policy import Policy
from statemachine.view import View


class StudioPort(Protocol):
    """OBS as people look at it. The coroutines raise ObsError."""

    @property
    def info(self) -> ObsInfo:
        """What is known without asking."""

    def health(self) -> ConnectionDetail:
        """The connection in some detail: plain values for JSON."""

    async def list_inputs(self) -> Sequence[Input]:
        """All inputs of OBS, with their kinds; no settings, for these hold URLs."""

    async def media_status(self, name: str) -> Mapping[str, Any]:
        """GetMediaInputStatus of one input."""

    async def stream_status(self) -> Mapping[str, Any]:
        """GetStreamStatus."""

    async def screenshot(self, width: int) -> bytes | None:
        """The scene as a JPEG that wide; None while there is no picture."""

    async def reconnect(self) -> bool:
        """Drop the connection and make it anew; whether it is up again."""


class StreamHealth(Protocol):
    """The health monitor, as much of it as is needed here. All values are plain ones for JSON."""

    def current(self) -> Current:
        """The last sample with its score."""

    def rows(self, count: int) -> Sequence[bytes]:
        """The last so many, the oldest first, each as JSON."""

    def status(self) -> Monitoring:
        """How the monitoring itself goes."""


class ProbeDesk(Protocol):
    """Where a probe reports."""

    def report(self, reports: Reports) -> Orders:
        """Take what was measured; whom to measure from now on."""

    def measured(self, session: str) -> Report | None:
        """What is measured of it now; None where nobody measures it."""

    def preview(self, streamer: str) -> bytes | None:
        """Its newest picture, a JPEG; None where there is none."""


@dataclass(frozen=True, slots=True)
class PairControl:
    """What the routes use where two daemons share the channel."""

    secret: str = field(repr=False)
    """What the other daemon shows."""
    owner: Callable[[], pair.Owner]
    step_down: Callable[[Actor], str]
    """Let the heir have the channel; its name. Raises RequestRefused."""
    fleet: Callable[[], Awaitable[pair.Fleet]]
    """Raises PortError."""
    take: Callable[[Letter], Awaitable[Verdict]]
    """A hook that another daemon has passed on."""


async def _nobody() -> Sequence[tuple[str, str]]:
    return ()


@dataclass(frozen=True, slots=True)
class Control:
    """Everything that the routes use."""

    config: Callable[[], Config]
    """As it is now: what may change live does."""
    now: Callable[[], float]
    """The events' clock."""
    operator: Operator
    """What a person may ask."""
    view: Callable[[], View]
    policy: Callable[[], Policy]
    """The rules' settings with what was set live."""
    history: Callable[[int], Awaitable[Sequence[Mapping[str, Any]]]]
    """The last hand-overs, newest first."""
    studio: StudioPort
    publishing: Publishing
    """What a hook means."""
    refusals: Refusals
    """Who was refused a short while ago."""
    hub: EventHub
    registry: CollectorRegistry
    health: StreamHealth
    desk: ProbeDesk
    ready: Callable[[], Sequence[Check]]
    """What has to be well for /readyz to be so."""
    alive: Callable[[], bool] = field(default=lambda: True)
    """The dispatcher makes progress."""
    pair: PairControl | None = None
    test_notifications: Callable[[], Awaitable[Sequence[tuple[str, str]]]] = _nobody
    """Send a test to each target: what it is called, and why it was not sent (empty where it was)."""
