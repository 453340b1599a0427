"""One wait for the channel: what a daemon looks at, and answers, while another one owns it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

import aiohttp
import structlog
from prometheus_client import Gauge

from daemon.composition.live import Live
from daemon.composition.store import StoreParts
from daemon.composition.tasks import Tasks
from daemon.core.ports import Check, PortError
from daemon.http.heir import HeirControl, build_heir
from daemon.http.peers import OwnerAt, Peers
from daemon.http.server import HttpServer
from daemon.http.shapes import pair, show
from daemon.http.views import status
from daemon.ingest.admission import Admission, RulesAsked
from daemon.ingest.api import open_client
from daemon.ingest.auth_url import UrlAuth
from daemon.ingest.heir import HeirPublishing
from daemon.obs.lookout import Lookout
from daemon.observability.metrics import ChannelRegistry
from daemon.shared.inbox import Inbox
from daemon.shared.membership import Membership, Says
from daemon.shared.mirror import MirroredKeys
from daemon.shared.replica import Replica
from daemon.systemd import ServiceNotifier
from statemachine.view import View

log = structlog.get_logger("daemon.app")

MIRROR_EVERY: Final = 1.0
"""Seconds between two looks at what has happened on the channel."""
WATCHDOG_DEFAULT: Final = 15.0
"""Seconds between two beats where systemd names no interval."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an heir needs of the rest."""

    live: Live
    store: StoreParts
    membership: Membership
    keys: MirroredKeys
    inbox: Inbox
    owner: Callable[[], pair.Owner]
    systemd: ServiceNotifier


class Heirship:
    """``begin`` first; ``end`` once somebody else answers at the port."""

    def __init__(self, base: Waiting, replica: Replica) -> None:
        self._base = base
        self.replica = replica
        self._tasks = Tasks()
        self._stack = contextlib.AsyncExitStack()
        self._lookout = Lookout(lambda: base.live.config)
        self._problem = ""

    async def begin(self) -> None:
        """Serve, mirror, and look at OBS."""
        base = self._base
        client = await self._stack.enter_async_context(open_client())
        peers = Peers(client, self._owner_at)
        registry = ChannelRegistry(base.live.config.channel)
        Gauge("motherstream_owner", "1 at the daemon that owns the channel, else 0", registry=registry)
        control = HeirControl(
            config=lambda: base.live.config,
            publishing=self._publishing(client, peers),
            registry=registry,
            peers=peers,
            owner=base.owner,
            status=self._status,
            ready=self._checks,
        )
        server = HttpServer(*build_heir(control), base.store.claim)
        await server.start()
        self._stack.push_async_callback(server.stop)
        base.membership.says = Says(sees_obs=lambda: self._lookout.sees_obs, body=lambda: {"role": "heir"})
        self._tasks.start(self._lookout.run(), "lookout")
        self._tasks.start(self._mirror(), "mirror")
        self._tasks.start(self._watchdog(), "watchdog")
        log.info("waiting as the heir of the channel", owner=base.owner()["name"])
        base.systemd.ready("waiting: another daemon owns the channel")

    def check(self) -> None:
        """Raise what one of its tasks has ended with: one that waits and sees nothing is no heir."""
        self._tasks.check()

    async def end(self) -> None:
        """Let all go but the port, where somebody else answers there by now."""
        await self._stack.aclose()
        await self._tasks.end()

    def _owner_at(self) -> OwnerAt | None:
        base, me = self._base, self._base.membership.me
        lease = base.membership.owner
        # On a connection from before this daemon has taken over, whoever asks is answered by what it is now.
        if lease is None or (lease.run == me.run and not base.owner()["here"]):
            return None
        return OwnerAt(lease.owner, lease.address, lease.secret)

    def _publishing(self, client: aiohttp.ClientSession, peers: Peers) -> HeirPublishing:
        base = self._base
        admission = Admission(
            lambda: base.live.config.queue,
            base.keys,
            RulesAsked(
                self.replica.admits,
                present=lambda name: any(place.streamer == name for place in self._view().queue),
            ),
            UrlAuth(client),
            base.live.redactor.learn,
        )
        return HeirPublishing(lambda: base.live.config.ingest, time.time, admission, peers.ask, base.inbox.leave)

    def _view(self) -> View:
        return self.replica.view(time.time())

    def _status(self) -> show.Status:
        told = status(self._view(), self._lookout.info, channel=self._base.live.config.channel)
        told["owner"] = self._base.owner()
        return told

    def _checks(self) -> tuple[Check, ...]:
        info, problem = self._lookout.info, self._base.membership.problem or self._problem
        return Check("obs", info.connected, info.reason), Check("store", not problem, problem)

    async def _mirror(self) -> NoReturn:
        while True:
            try:
                await self.replica.catch_up()
                self._problem = ""
            except PortError as error:
                self._problem = str(error)
            await asyncio.sleep(MIRROR_EVERY)

    async def _watchdog(self) -> NoReturn:
        systemd = self._base.systemd
        while True:
            systemd.watchdog()
            await asyncio.sleep((systemd.watchdog_interval or WATCHDOG_DEFAULT) / 3)
