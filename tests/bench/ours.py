"""This project's way: the daemon, as users run it, by its API."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp

from daemon.config.model import Config
from daemon.studio import Publisher
from daemon.studio.channel import Channel, on_air
from statemachine.handover.states import State
from tests.bench.figures import Ask, metric
from tests.bench.stage import NAMES, Stage, cleared

PREFIX = "GMOTHERSTREAM_"
KINDS = {"ffmpeg_source": "ffmpeg", "gstreamer-source": "gstreamer"}
PACE: Mapping[str, object] = {"sources.job_delay": 0, "sources.cleanup_grace": 0.3}
"""The distance between hand-overs is not what is measured."""
OPEN: Mapping[str, object] = {**PACE, "queue.auth": "open"}
"""Where publishers come by the thousand, unknown before."""


@asynccontextmanager
async def channel_on(stage: Stage, settings: Mapping[str, object]) -> AsyncIterator[Channel]:
    """A daemon with a store of its own, who publishes known to it, in a scene without inputs of its kind."""
    if stage.srs is not None:
        settings = {"ingest.srs_api": stage.srs.api, **settings}
    async with cleared(stage, PREFIX), Channel(stage.studio, settings=settings) as channel:
        for name in NAMES:
            await stage.studio.keys.admit(name)
        await stage.relay.serve(channel.url)
        try:
            yield channel
        finally:
            await stage.relay.serve("")


async def text_of(channel: Channel, path: str) -> str:
    """GET, as it is."""
    async with aiohttp.ClientSession() as session, session.get(f"{channel.url}{path}", raise_for_status=True) as answer:
        return await answer.text()


class Daemon:
    """Turns that pass by skips: `standby` made ready ahead or not, `spaced` by the job_delay that is shipped."""

    ours = True

    def __init__(self, name: str, kind: str, *, standby: bool, fade: bool = False, spaced: bool = False) -> None:
        self.name = name
        self.kind = kind
        self._standby = standby
        # All else is as users have it.
        self._settings: dict[str, object] = {"sources.kind": KINDS[kind]}
        if not standby:
            self._settings["sources.standby"] = False
        if fade:
            self._settings["transition.kind"] = "fade"
        if not spaced:
            self._settings["sources.job_delay"] = 0
        self._spacing = Config().sources.job_delay if spaced else 0.0
        self._asked_at = -math.inf
        self._stage: Stage | None = None
        self._channel: Channel | None = None

    @asynccontextmanager
    async def on(self, stage: Stage) -> AsyncIterator[None]:
        """Start it, and wait for the first picture."""
        async with channel_on(stage, self._settings) as channel:
            self._stage, self._channel = stage, channel
            await channel.until(lambda status: len(status["queue"]) >= len(NAMES))
            await channel.until(lambda status: status["on_air"] is not None)
            self._asked_at = time.monotonic()  # the first cut is one as well
            yield

    @property
    def channel(self) -> Channel:
        """The daemon."""
        assert self._channel is not None
        return self._channel

    def pid(self) -> int | None:
        """The daemon's."""
        return self.channel.process.pid

    async def phases(self) -> dict[str, tuple[float, float]]:
        """By the daemon's own metrics."""
        text = await text_of(self.channel, "/metrics")
        name = "motherstream_phase_seconds"
        return {
            state.value: (metric(text, f"{name}_sum", state=state.value), times)
            for state in State
            if (times := metric(text, f"{name}_count", state=state.value))
        }

    async def settle(self) -> None:
        """The next one is on standby, or nothing is under way."""
        await self.channel.until(lambda status: status["state"] == ("STANDBY" if self._standby else "IDLE"), 60)
        # Asked before, it would wait for the job_delay, which is no speed of anything.
        await asyncio.sleep(max(0.0, self._asked_at + self._spacing - time.monotonic()))

    async def hand_over(self) -> Ask:
        """Skip."""
        before = on_air(await self.channel.status())
        at = time.monotonic()
        await self.channel.post("/queue/skip")
        status = await self.channel.until(lambda status: on_air(status) not in (before, None), 60)
        self._asked_at = time.monotonic()
        return Ask(at, str(on_air(status)), status["last_switch"]["seconds"])


class Failover(Daemon):
    """The one on air goes, and nobody asks for a hand-over. The request is the moment at which it went."""

    def __init__(self, name: str, kind: str, how: Literal["stop", "kill", "freeze"]) -> None:
        super().__init__(name, kind, standby=True)
        self._settings["queue.reconnect_grace"] = 1
        self._how = how

    async def hand_over(self) -> Ask:
        """End, kill or freeze the publisher on air; and have it come back afterwards."""
        publisher = self._publisher(str(on_air(await self.channel.status())))
        at = time.monotonic()
        ending = asyncio.ensure_future(getattr(publisher, self._how)())
        ended = await self.channel.until(lambda status: on_air(status) not in (publisher.name, None), 60)
        await ending
        await publisher.kill()
        await self.channel.until(lambda status: publisher.name not in _queued(status), 60)
        await publisher.start()
        await self.channel.until(lambda status: len(status["queue"]) >= len(NAMES), 60)
        return Ask(at, str(on_air(ended)), ended["last_switch"]["seconds"])

    def _publisher(self, name: str) -> Publisher:
        assert self._stage is not None
        return next(publisher for publisher in self._stage.studio.publishers if publisher.name == name)


def _queued(status: Mapping[str, object]) -> list[str]:
    queue = status["queue"]
    assert isinstance(queue, list)
    return [place["streamer"] for place in queue]
