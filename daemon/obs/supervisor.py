"""Keeps one obs-websocket connection alive, and says when OBS may be used.

Connected is not usable: requests that come while OBS loads, or while it is changing its scene collection, reach a
half-loaded OBS, and OBS's IO thread goes on answering when its renderer has died. So a connection is used only once
OBS has settled, and for as long as its frames advance.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NoReturn

import structlog

from daemon.config.model import Config
from daemon.core.backoff import Backoff
from daemon.core.ports import ObsError, ObsGone, ObsRefused, ObsTimeout
from daemon.obs.connection import NONSENSE, KickedByObs, Link, ObsEvent, PasswordRefused, Unreachable, sense

log = structlog.get_logger(__name__)

DEFAULT_PORT = 4455
"""OBS's own; simpleobsws's is that of the protocol before."""

LARGEST, FASTEST = 65_536, 1000.0
"""Pixels of a canvas each way, and frames a second, beyond which OBS's answer is not believed."""

CUSTOM = "CustomEvent"
"""Another client's word, which may be awaited while OBS is taken up."""
COLLECTION_CHANGES = "OBS is changing its scene collection"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where OBS is, and the scene that must be there."""

    scene: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    password: str = ""
    timeout: float = 5.0

    @classmethod
    def of(cls, config: Config) -> "Endpoint":
        """As the configuration has it."""
        obs = config.obs
        return cls(obs.scene, obs.host, obs.port, obs.password.get_secret_value(), obs.request_timeout)

    def __repr__(self) -> str:
        return f"<Endpoint {self.host}:{self.port} scene={self.scene!r}>"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long, in seconds."""

    retry_first: float = 0.25
    retry_most: float = 2.0
    """OBS is local or near: asking it once a second or so costs nothing, and it is found soon after it starts."""
    retry_refused: float = 30.0
    """After a wrong password: it will hardly be right a moment later."""
    settle: float = 0.25
    settle_most: float = 1.0
    collection: float = 30.0
    """How long OBS may take to change its scene collection before it is asked all the same."""
    heartbeat_interval: float = 2.0
    strikes: int = 3
    """Heartbeats in a row without a new frame until the renderer counts as dead."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What OBS said of itself when it had settled. Sizes in pixels."""

    version: str
    websocket: str
    kinds: frozenset[str]
    width: int
    height: int
    fps: float


LIKELY = Traits("", "", frozenset(), 1920, 1080, 60.0)
"""What is taken for the canvas where OBS has never said anything sensible of it."""


def canvas_of(known: Traits, video: Mapping[str, Any]) -> Traits:
    """The traits with what GetVideoSettings says; as they are where it says nothing that can be right."""
    try:
        width, height = int(video["baseWidth"]), int(video["baseHeight"])
        fps = float(video["fpsNumerator"]) / float(video["fpsDenominator"])
    except NONSENSE:
        return known
    sensible = 0 < width <= LARGEST and 0 < height <= LARGEST and 0.0 < fps <= FASTEST
    return replace(known, width=width, height=height, fps=fps) if sensible else known


class _UnsettledError(Exception):
    """OBS answers, but what is needed is not there yet."""


def rendered(stats: Mapping[str, Any]) -> int | None:
    """How many frames OBS has rendered, None where it does not say."""
    try:
        return int(stats["renderTotalFrames"])
    except NONSENSE:
        return None


class Phase(Enum):
    """How far the connection is."""

    AWAY = auto()
    """There is none, or it is being made."""
    SETTLING = auto()
    """OBS answers, and what is needed is not there yet, or not any more."""
    COMING_UP = auto()
    """OBS has settled, and ``up`` reads what it holds: events of that time are kept for afterwards."""
    USABLE = auto()


class Supervisor:
    """Connects, settles, beats, reconnects.

    ``up`` is awaited once OBS has settled and may raise ObsError, which counts as not settled; ``down`` follows when
    OBS cannot be used any more, once for each ``up``; ``hint`` gets OBS's events in between.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        up: Callable[[Link, Traits], Awaitable[None]],
        down: Callable[[str], None],
        hint: Callable[[ObsEvent], None],
        pace: Pace | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.pace = pace or Pace()
        self.reason = "not connected yet"
        self.traits: Traits | None = None
        self.stats: Mapping[str, Any] = {}
        """GetStats as of the last heartbeat."""
        self.losses = 0
        self._up = up
        self._down = down
        self._hint = hint
        self._link: Link | None = None
        self._phase = Phase.AWAY
        self._loaded = asyncio.Event()
        self._forced = asyncio.Event()
        self._unsettled = asyncio.Event()
        self._retry_now = asyncio.Event()
        self._logged: set[str] = set()
        self._missed: list[ObsEvent] = []
        """OBS's events while it comes up."""

    @property
    def usable(self) -> bool:
        return self._phase is Phase.USABLE

    def link(self) -> Link:
        """The connection, settled. Raises ObsGone."""
        if self._link is None or not self.usable:
            raise ObsGone(f"OBS is not connected: {self.reason}")
        return self._link

    def force_reconnect(self) -> None:
        """Drop the connection, or the wait for one, and connect at once: the way back from a kick, too."""
        self._forced.set()

    def retarget(self, endpoint: Endpoint) -> None:
        """Where OBS is, and what is needed there, from now on. The connection is kept where it can be.

        A new password says nothing against a connection that the old one has opened.
        """
        before, self.endpoint = self.endpoint, endpoint
        if self._link is not None:
            self._link.timeout = endpoint.timeout
        if (endpoint.host, endpoint.port) != (before.host, before.port) or (
            endpoint.password != before.password and not self.usable
        ):
            self.force_reconnect()
        elif endpoint.scene != before.scene:
            self.unsettle(f"its scene is {endpoint.scene!r} from now on (obs.scene)")
            self._retry_now.set()

    def unsettle(self, reason: str) -> None:
        """What OBS holds is not what it was when it settled: let it settle again."""
        if self.usable:
            self._mark_down(reason)
            self._unsettled.set()

    async def run(self) -> NoReturn:
        """Until cancelled."""
        backoff = Backoff(self.pace.retry_first, self.pace.retry_most)
        while True:
            self._forced.clear()
            try:
                await self._session()
            except PasswordRefused:
                self._log_refused()
                await self._wait(self.pace.retry_refused)
            except KickedByObs as error:
                line = f"the session at {self._where} was ended in OBS: not reconnecting until that is requested"
                self._log_once("kicked", line, str(error))
                await self._wait(None)
            except ObsError as error:
                line = (
                    f"OBS cannot be reached at {self._where} ({error}): is it running, with its WebSocket server on? "
                    "Retrying quietly"
                )
                self._log_once("unreachable", line, str(error))
                # Full jitter, but never at once: OBS may be in the middle of its end.
                await self._wait(max(0.05, random.uniform(0.0, backoff.failed())))  # noqa: S311  # it spreads, and keeps no secret
            else:
                backoff.worked()
                await self._wait(random.uniform(0.0, self.pace.retry_first))  # noqa: S311  # so does this

    @property
    def _where(self) -> str:
        return f"{self.endpoint.host}:{self.endpoint.port}"

    # -- one connection ------------------------------------------------------------------------------------------

    async def _session(self) -> None:
        """One connection from its begin to its end. Raises where it never was of use, or must not be sought again."""
        at = self.endpoint
        link = await Link.open(at.host, at.port, at.password, seconds=at.timeout)
        self._forced.clear()
        losses = self.losses
        try:
            await self._serve(link)
        except ObsError as error:
            self._mark_down(str(error))
            if isinstance(error, PasswordRefused | KickedByObs) or self.losses == losses:
                raise
        finally:
            self._phase = Phase.AWAY
            self._link = None
            await link.close()

    async def _serve(self, link: Link) -> None:
        """Use the link until it is lost (raises ObsError) or a reconnect is forced (returns)."""
        self._link = link
        self._phase = Phase.SETTLING
        self._loaded.set()
        # By hand, as a TaskGroup's errors come before its cancellation: where OBS is lost while the daemon ends, the
        # loop above would connect again instead of ending (tried with Python 3.11 and 3.13).
        work = {
            asyncio.create_task(self._end_of(link), name="obs-end"),
            asyncio.create_task(self._heartbeat(link), name="obs-heartbeat"),
            asyncio.create_task(self._pump(link), name="obs-events"),
            asyncio.create_task(self._live(link), name="obs-live"),
        }
        forced = asyncio.create_task(self._forced.wait(), name="obs-forced")
        try:
            done, _ = await asyncio.wait({*work, forced}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*work, forced):
                task.cancel()
            await asyncio.wait({*work, forced})
        for task in done & work:
            error = task.exception()
            if isinstance(error, ObsError):
                raise error
            if error is not None:
                if "nonsense" not in self._logged:
                    self._logged.add("nonsense")
                    log.error("OBS's answers make no sense", exc_info=error)
                raise Unreachable(f"OBS's answers make no sense ({type(error).__name__})") from error
        self._mark_down("a reconnect was requested")

    async def _end_of(self, link: Link) -> NoReturn:
        raise await link.until_lost()

    async def _live(self, link: Link) -> NoReturn:
        """Settle, be up until something unsettles OBS, and again."""
        wait = self.pace.settle
        while True:
            self._unsettled.clear()
            self._retry_now.clear()
            try:
                traits = await self._settle(link)
                await self._mark_up(link, traits)
            except (_UnsettledError, ObsRefused) as error:
                reason = str(error).rstrip(".")
                self._log_once(reason, f"OBS is not ready: {reason}. Waiting for it", reason)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._retry_now.wait()
                wait = min(self.pace.settle_most, wait * 2)
            else:
                wait = self.pace.settle
                await self._unsettled.wait()

    async def _settle(self, link: Link) -> Traits:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pace.collection):
                await self._loaded.wait()
        self._loaded.set()
        before = await self._frames(link)
        version = await link.call("GetVersion")
        scenes = await link.call("GetSceneList")
        scene = self.endpoint.scene
        with sense("GetSceneList"):
            names = [each.get("sceneName") for each in scenes["scenes"] if isinstance(each, Mapping)]
        if scene not in names:
            raise _UnsettledError(f"it has no scene {scene!r}: create it, or set obs.scene")
        await link.call("GetSceneItemList", {"sceneName": scene})
        kinds = await link.call("GetInputKindList")
        video = await link.call("GetVideoSettings")
        if before is not None and await self._frames(link) == before:
            await asyncio.sleep(self.pace.settle)
            if await self._frames(link) == before:
                raise _UnsettledError("its renderer has stalled")
        if not self._loaded.is_set():
            raise _UnsettledError("it is changing its scene collection")
        with sense("GetInputKindList"):
            known = frozenset(str(kind) for kind in kinds["inputKinds"])
        traits = replace(
            self.traits or LIKELY,
            version=str(version.get("obsVersion", "unknown")),
            websocket=str(version.get("obsWebSocketVersion", "unknown")),
            kinds=known,
        )
        return canvas_of(traits, video)

    async def _frames(self, link: Link) -> int | None:
        self.stats = await link.call("GetStats")
        return rendered(self.stats)

    async def _mark_up(self, link: Link, traits: Traits) -> None:
        self.traits = traits
        self._missed = []
        self._phase = Phase.COMING_UP
        try:
            await self._up(link, traits)
        except BaseException:
            self._phase = Phase.SETTLING
            raise
        self._phase = Phase.USABLE
        missed, self._missed = self._missed, []
        self.reason = ""
        self._logged.clear()
        log.info(
            f"Connected to OBS {traits.version} (obs-websocket {traits.websocket}) at {self._where}",
            obs=traits.version,
            websocket=traits.websocket,
        )
        if not self._loaded.is_set():
            self.unsettle(COLLECTION_CHANGES)
        for event in missed:
            self._hint(event)

    def _mark_down(self, reason: str) -> None:
        if self.usable:
            self._phase = Phase.SETTLING
            self.losses += 1
            self.reason = reason
            log.warning(f"Lost OBS: {reason}", reason=reason)
            self._down(reason)

    async def _heartbeat(self, link: Link) -> NoReturn:
        strikes = 0
        seen: int | None = None
        wait = self.pace.heartbeat_interval
        while True:
            await asyncio.sleep(wait)
            try:
                stats = await link.call("GetStats", seconds=min(link.timeout, max(self.pace.heartbeat_interval, 0.5)))
            except ObsRefused:
                wait = self.pace.heartbeat_interval
                continue
            except ObsTimeout:
                # The time it had to answer was a wait already.
                wait, still, reason = 0.0, True, "it does not answer"
            else:
                frames = rendered(stats)
                still = frames is not None and frames == seen
                wait, reason = self.pace.heartbeat_interval, "its renderer has stalled"
                self.stats, seen = stats, frames
            strikes = strikes + 1 if still else 0
            if strikes >= self.pace.strikes:
                raise Unreachable(f"OBS is connected but unresponsive: {reason}")

    async def _pump(self, link: Link) -> NoReturn:
        while True:
            event = await link.events.get()
            match event.kind:
                case "CurrentSceneCollectionChanging":
                    self._loaded.clear()
                    self.unsettle(COLLECTION_CHANGES)
                case "CurrentSceneCollectionChanged":
                    self._loaded.set()
                    self._retry_now.set()
                case "ExitStarted":
                    raise Unreachable("OBS is shutting down")
                case _ if fate := _fate(event, self.endpoint.scene):
                    self.unsettle(f"the scene {self.endpoint.scene!r} was {fate}")
                case "SceneCreated" | "SceneListChanged" | "SceneNameChanged":
                    self._retry_now.set()
                    if self.usable:
                        self._hint(event)
                case _ if self.usable or event.kind == CUSTOM:
                    self._hint(event)
                case _ if self._phase is Phase.COMING_UP:
                    self._missed.append(event)

    # -- what is said, and how long is waited ----------------------------------------------------------------------

    def _log_refused(self) -> None:
        key = "obs.password" if self.endpoint.password else "obs.password (it is empty)"
        line = f"OBS rejects the password: set {key} to the one that OBS shows under WebSocket Server Settings"
        self._log_once("password", line, "OBS rejects the password", loud=True)

    def _log_once(self, topic: str, line: str, reason: str, *, loud: bool = False) -> None:
        """Each topic once, until OBS has come."""
        self.reason = reason
        if topic not in self._logged:
            self._logged.add(topic)
            (log.error if loud else log.warning)(line, reason=reason)

    async def _wait(self, seconds: float | None) -> None:
        """So many seconds (None: for ever), or until a reconnect is forced."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._forced.wait()


def _fate(event: ObsEvent, scene: str) -> str:
    """What has become of the scene by this event; empty where it is about something else."""
    if event.kind == "SceneRemoved" and event.data.get("sceneName") == scene:
        return "removed"
    if event.kind == "SceneNameChanged" and event.data.get("oldSceneName") == scene:
        return "renamed"
    return ""
