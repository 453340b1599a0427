"""One sample of the show: what is known of the one on air, of its picture and its stream, and of OBS."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from daemon.core.ports import Connection, ObsError, ObsRefused
from daemon.core.probing import Report
from daemon.core.readings import Look, number
from daemon.health.reading import SLACK, SRS_PERIOD, DropReader, FlowReader, MotionReader, StatsReader
from statemachine.view import View

SIZE_SECONDS: Final = 0.8
"""The longest wait for OBS's answer about a picture's size: a sample does without it rather than come late."""


class ObsView(Protocol):
    """OBS, as much of it as is looked at."""

    @property
    def info(self) -> Connection:
        """As last heard."""

    @property
    def stats(self) -> Mapping[str, Any]:
        """GetStats as of the last heartbeat: a new mapping for each."""

    def last_look(self, name: str) -> Look | None:
        """What the watch over that input saw last; None where it is not watched.

        The watch asks five times a second already, and never an input that was asked to go: obs-gstreamer's position
        query runs unlocked against its teardown.
        """

    async def call(self, request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any request. Raises ObsError."""

    async def where_is(self, name: str) -> tuple[str, int]:
        """The scene or the group that an input is in, however deep, and its item's number there. Raises ObsError."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The show at one moment. What is not known is None."""

    at: float
    connected: bool
    streamer: str = ""
    """Who is on air; empty where nobody is."""
    input: str = ""
    scene: str = ""
    """The scene that viewers are shown; empty where that is not known."""
    hidden: bool = False
    """Somebody is on air, and viewers do not see it."""
    held: bool = False
    """No hand-over is made, because studio mode is on."""
    waiting: int = 0
    """Streamers in the line-up who publish and are not on air."""
    state: str | None = None
    """OBS's media state of the input on air."""
    cursor: float | None = None
    """Its media cursor in milliseconds."""
    progress: float | None = None
    """Seconds of media a second."""
    jitter: float | None = None
    """Milliseconds by which the cursor strays from the clock."""
    still: float = 0.0
    """Seconds that the cursor has not moved."""
    stuck: bool = False
    """Bytes came in while the cursor did not move: it is the input that stands still, not the stream."""
    width: int | None = None
    height: int | None = None
    """Pixels of the picture as it comes in."""
    amiss: frozenset[str] = frozenset()
    """What is measured of it and is not as it should be, such as its sound."""
    level: float | None = None
    """Momentary loudness of it in LUFS."""
    loudness: float | None = None
    """Integrated loudness of its last 5 minutes in LUFS."""
    peak: float | None = None
    """True peak of its last minute in dBTP."""
    resized: bool = False
    """The size is another than at the sample before, of the same input."""
    received: int | None = None
    """Bytes received from the publisher, by the ingest server."""
    bitrate: float | None = None
    """kbit/s of it."""
    fps: float | None = None
    """OBS's frames a second."""
    render_lag: float | None = None
    """Share of the frames that the renderer skipped, 0 to 1."""
    encoder_lag: float | None = None
    """Share of the frames that the encoder skipped, 0 to 1."""
    dropped: float | None = None
    """Share of frames dropped because of the network, 0 to 1; None while OBS's output does not stream."""
    memory: float | None = None
    """OBS's megabytes."""
    cpu: float | None = None
    """OBS's share of the processor in percent."""
    streaming: bool | None = None
    """OBS's output streams."""


def read_size(answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """The incoming picture's size out of GetSceneItemTransform; None before the first frame."""
    transform = answer.get("sceneItemTransform")
    if not isinstance(transform, Mapping):
        return None
    width, height = number(transform.get("sourceWidth")), number(transform.get("sourceHeight"))
    return (round(width), round(height)) if width and height else None


@dataclass(frozen=True, slots=True)
class SampleSources:
    """What a sample is taken of."""

    obs: ObsView
    view: Callable[[], View]
    received: Callable[[str], int | None]
    """The bytes received of a session by the ingest server's last list (None: not known)."""
    now: Callable[[], float]
    probed: Callable[[str], Report | None] = lambda session: None
    """What a probe measures of a session; None where nobody does."""
    output: Callable[[], Mapping[str, Any]] = dict
    """The last answer to GetStreamStatus, empty where there is none."""


class Sampler:
    """Takes samples. It costs OBS one small request each, and none while nobody is on air."""

    def __init__(self, sources: SampleSources, *, scene: Callable[[], str], period: Callable[[], float]) -> None:
        """``period`` tells the seconds between two lists of the ingest server's."""
        self._obs = sources.obs
        self._received = sources.received
        self._probed = sources.probed
        self._now = sources.now
        self._scene = scene
        self._output = sources.output
        self._period = period
        self._stats = StatsReader()
        self._drops = DropReader()
        self._motion = MotionReader()
        self._flow = FlowReader()
        self._item: tuple[str, str, str, int] | None = None
        """The scene that is looked into, the input, where it is, and its item's number there."""
        self._size: tuple[str, tuple[int, int]] | None = None

    async def take(self, view: View) -> Sample:
        """The show as it is now, of which ``view`` is what the rules know."""
        at = self._now()
        without_obs = self._without_obs(at, view)
        if not self._obs.info.connected:
            self._stats.forget()
            return without_obs
        program, name = view.program, without_obs.input
        drawn, output = self._stats.read(self._obs.stats), self._output()
        look = self._obs.last_look(name) if name else None
        motion = self._motion.read(name, look)
        size, resized = await self._measure(name) if name else (None, False)
        return replace(
            without_obs,
            connected=True,
            scene=program.scene or "",
            hidden=bool(name) and program.shown is False,
            held=program.barred,
            state=look.state if look else None,
            cursor=look.cursor if look else None,
            progress=motion.progress if look else None,
            jitter=motion.jitter if look else None,
            still=motion.still if look else 0.0,
            stuck=look is not None and self._is_stuck(at, motion.still),
            width=size[0] if size else None,
            height=size[1] if size else None,
            resized=resized,
            fps=drawn.fps,
            render_lag=drawn.render_lag,
            encoder_lag=drawn.encoder_lag,
            dropped=self._drops.read(output),
            memory=drawn.memory,
            cpu=drawn.cpu,
            streaming=output["outputActive"] is True if "outputActive" in output else None,
        )

    def _without_obs(self, at: float, view: View) -> Sample:
        on_air = view.on_air
        streamer, name = (on_air.streamer, on_air.input) if on_air else ("", view.program.input or "")
        waiting = sum(1 for place in view.queue if place.publishing and place.streamer != streamer)
        received = self._received(on_air.session) if on_air else None
        bitrate = self._flow.read(streamer, at, received, self._period())
        probed = self._probed(on_air.session) if on_air else None
        sound = probed["sound"] if probed is not None else None
        if received is None and probed is not None:
            bitrate = probed["kbps"]
        return Sample(
            at,
            False,
            streamer,
            name,
            waiting=waiting,
            received=received,
            bitrate=bitrate,
            level=sound["level"] if sound is not None else None,
            loudness=sound["loudness"] if sound is not None else None,
            peak=sound["peak"] if sound is not None else None,
            amiss=frozenset(on_air.amiss if on_air else ()),
        )

    def _is_stuck(self, at: float, still: float) -> bool:
        # What a list tells may be as old as the server's own period and ours of asking it.
        late = self._period() + SRS_PERIOD + SLACK
        return self._flow.fed_at is not None and self._flow.fed_at > at - still + late

    async def _measure(self, name: str) -> tuple[tuple[int, int] | None, bool]:
        """The picture's size, and whether it was another."""
        try:
            async with asyncio.timeout(SIZE_SECONDS):
                size = await self._ask_size(name)
        except (ObsError, TimeoutError, KeyError, TypeError, ValueError):
            self._item = None  # taken out and put in again by hand, it has another number
            return None, False
        if size is None:
            return None, False
        last, self._size = self._size, (name, size)
        return size, last is not None and last[0] == name and last[1] != size

    async def _ask_size(self, name: str) -> tuple[int, int] | None:
        scene = self._scene()
        if self._item is None or self._item[:2] != (scene, name):
            try:
                answer = await self._obs.call("GetSceneItemId", {"sceneName": scene, "sourceName": name})
                self._item = scene, name, scene, int(answer["sceneItemId"])
            except ObsRefused:
                self._item = scene, name, *await self._obs.where_is(name)  # in a group, or in a nested scene
        asked = {"sceneName": self._item[2], "sceneItemId": self._item[3]}
        return read_size(await self._obs.call("GetSceneItemTransform", asked))
