"""What a demo may have besides: a second channel, and a second daemon with the store that both share."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from daemon.studio.channel import Channel
from daemon.studio.errors import StudioError
from daemon.studio.ports import free_port
from daemon.studio.postgres import Postgres
from daemon.studio.saying import say
from daemon.studio.studio import Studio

GOLD: Final = "gold"
GUESTS: Final = ("gina", "greg")
"""Who plays on the second channel."""
KILLED_AFTER: Final = 15.0
"""Seconds until the owner is killed."""
BACK_AFTER: Final = 10.0
"""Seconds from then until it is started anew, as the heir."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be shown."""

    streamers: int = 3
    port: int = 0
    """Of the first daemon; 0 picks a free one."""
    duration: float = 0.0
    """Seconds; 0 until a signal."""
    keep: Path | None = None
    second_channel: bool = False
    """A channel `gold` beside the first, in a scene of its own."""
    pair: bool = False
    """A second daemon for the first channel, and the store that both share."""


class Answering:
    """Asks whichever daemon of a channel answers."""

    def __init__(self, *channels: Channel) -> None:
        self._channels = channels

    async def answer(self) -> dict[str, Any]:
        """The owner's /status. Raises StudioError where none answers any more."""
        while True:
            for channel in self._channels:
                try:
                    status = await channel.status()
                except (aiohttp.ClientError, TimeoutError):
                    if not channel.process.running and len(self._channels) == 1:
                        raise channel.process.failed("the daemon ended") from None
                    continue
                if status["owner"] is None or status["owner"]["here"] or channel is self._channels[-1]:
                    return status
            await asyncio.sleep(0.1)


class Also:
    """``prepare`` before the first channel's daemon, ``begin`` after it."""

    def __init__(self, plan: Plan, port: int) -> None:
        self._plan = plan
        # Hooks go to the heir: it passes them on, and is the owner once the other one is killed.
        self._heir_port = free_port() if plan.pair else port
        self._gold_port = free_port()
        self._postgres: Postgres | None = None
        self._heir: Channel | None = None
        self._gold: Channel | None = None

    @property
    def hook_url(self) -> str:
        """Where the first channel's hooks go."""
        return Channel.hook_url(self._heir_port)

    @property
    def hooks(self) -> Mapping[str, str]:
        """The same of the other one."""
        return {GOLD: Channel.hook_url(self._gold_port)} if self._plan.second_channel else {}

    async def prepare(self, studio: Studio, stack: AsyncExitStack) -> dict[str, object]:
        """Start the store; what daemons have to be told of all this."""
        apps: dict[str, object] = {"ingest.apps": ["live"]} if self._plan.second_channel else {}
        if not self._plan.pair:
            return apps
        say("starting PostgreSQL, on a socket of its own")
        self._postgres = Postgres(studio.folder / "postgres")
        stack.push_async_callback(self._postgres.kill)
        await self._postgres.start()
        return {**apps, "store.url": self._postgres.url()}

    async def begin(
        self, studio: Studio, first: Channel, settings: Mapping[str, object], stack: AsyncExitStack
    ) -> None:
        """Start the other daemons."""
        if self._plan.pair:
            await first.until(lambda status: bool(status["owner"]["here"]))
            self._heir = await stack.enter_async_context(Channel(studio, port=self._heir_port, settings=settings))
            await first.until(lambda status: status["owner"]["heir"] is not None)
            say("a second daemon waits as the heir")
        if self._plan.second_channel:
            await studio.obs.call("CreateScene", {"sceneName": GOLD.upper()})
            own = {
                "channel": GOLD,
                "ingest.apps": [GOLD],
                "obs.scene": GOLD.upper(),
                "sources.prefix": "GOLD_",
                # Its scene is not Program's: nobody's turn is to wait for that.
                "obs.program": "warn",
                # Of OBS as a whole there is one slate, in the first channel's scene.
                "obs.slate": "",
                "quality.silence": 0,
            }
            self._gold = await stack.enter_async_context(
                Channel(studio, port=self._gold_port, settings={**settings, **own})
            )
            for name in GUESTS:
                await studio.publish(name, app=GOLD)

    def answering(self, first: Channel) -> Answering:
        """The first channel, whoever owns it."""
        return Answering(first, *([self._heir] if self._heir is not None else []))

    def lines(self) -> Iterator[str]:
        """Where all this is."""
        if self._gold is not None:
            yield f"gold       {self._gold.url}/"
        if self._heir is not None and self._postgres is not None:
            yield f"heir       {self._heir.url}/"
            yield f"fleet      MOTHERSTREAM_STORE__URL={self._postgres.url()} .venv/bin/motherstream fleet"

    async def kill_the_owner(self, first: Channel) -> None:
        """Once, after a while: its heir takes over. It comes back as the heir."""
        if self._heir is None:
            return
        await asyncio.sleep(KILLED_AFTER)
        say("the owner is killed")
        await first.kill()
        taken = await self._heir.until(lambda status: status["owner"]["here"] and status["obs"]["connected"])
        say(f"the heir has taken over, epoch {taken['owner']['epoch']}")
        await asyncio.sleep(BACK_AFTER)
        await first.start()
        if (await first.role()) != "heir":
            raise StudioError("the daemon that was killed did not come back as the heir")
        say("the one that was killed is back, as the heir")
