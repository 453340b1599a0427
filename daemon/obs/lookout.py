"""Whether OBS can be reached from here, for a daemon that is not to touch it."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from daemon.config.model import Config
from daemon.core.ports import ObsInfo
from daemon.obs.connection import Link, ObsEvent
from daemon.obs.supervisor import Endpoint, Supervisor, Traits


class Lookout:
    """``run`` is its task: it connects, and looks whether frames advance. It asks for nothing else."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._supervisor = Supervisor(Endpoint.of(config()), up=_nothing_to_do, down=_ignore, hint=_ignore)

    async def run(self) -> NoReturn:
        """Until cancelled."""
        await self._supervisor.run()

    @property
    def sees_obs(self) -> bool:
        """A daemon here could use it."""
        return self._supervisor.usable

    @property
    def info(self) -> ObsInfo:
        """As last heard."""
        traits, usable = self._supervisor.traits, self._supervisor.usable
        reason = "" if usable else self._supervisor.reason
        return ObsInfo(usable, traits.version, traits.websocket, None, reason) if traits else ObsInfo(reason=reason)


async def _nothing_to_do(_link: Link, _traits: Traits) -> None:
    await asyncio.sleep(0)


def _ignore(_what: ObsEvent | str) -> None:
    """Nobody wants to know."""
