"""A daemon that shares its channel: how it comes to own it, and what it takes over from the owner before."""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from daemon.composition.acting import Acting, InboxReader
from daemon.composition.heirship import Heirship, Waiting
from daemon.composition.live import Live
from daemon.composition.store import StoreParts
from daemon.config.loader import ConfigError, ConfigProblem
from daemon.config.model import EVERYWHERE
from daemon.config.policy import policy_of
from daemon.core.operator import RequestRefused
from daemon.core.ports import PortError
from daemon.http.shapes import pair
from daemon.journal.archive import BackupError, backup
from daemon.journal.replay import Replayed, fresh
from daemon.obs.fence import Fence, slot_of
from daemon.shared.fleet import read_fleet
from daemon.shared.inbox import Inbox
from daemon.shared.leases import Beat, Leases, Me, Member, Taken
from daemon.shared.local import LocalLog, put
from daemon.shared.log import SharedLog
from daemon.shared.membership import Membership, Says
from daemon.shared.mirror import Mirror, MirroredKeys
from daemon.shared.portions import Portion
from daemon.shared.postgres import MissingDriver, Postgres, driver
from daemon.shared.replica import Replica, history_of
from daemon.shared.shipping import Shipping
from daemon.streamers.store import StreamerError, StreamerStore
from daemon.systemd import ServiceNotifier
from statemachine.events import Actor
from statemachine.timeline import shifted

log = structlog.get_logger("daemon.app")

CLOCKS_DIFFER: Final = 2.0
"""Seconds from which on the moments that another machine has kept are moved to this one's time."""
FLEET_EVERY: Final = 1.0
"""Seconds between two readings of all channels, however many ask: the lease is renewed by the same connection."""
ALONE: Final = "no other daemon of this channel is there to take over"


class Pair:
    """What lasts for as long as the process does. ``open`` comes first, then ``succeed`` for each tenure."""

    def __init__(self, live: Live, store: StoreParts, systemd: ServiceNotifier) -> None:
        config = live.config
        self._live = live
        self._store = store
        # Two machines may bear one name; what the other one reaches this daemon by is its own.
        name = urlsplit(config.store.address).netloc or f"{socket.gethostname()}:{config.http.port}"
        run, secret = secrets.token_hex(8), secrets.token_hex(24)
        database = store.journal.id
        self.me = Me(config.channel, name, run, database, place_of(database, live), address_of(live), secret)
        self._postgres = Postgres(config.store.url.get_secret_value(), heard=self._heard)
        leases = Leases(self._postgres, self.me, config.store.lease)
        self.membership = Membership(leases, config.store.lease, self._after_beat)
        self._shared = SharedLog(self._postgres, config.channel)
        self._mirror = Mirror(self._postgres, StreamerStore(config.store.path), store.keys)
        self.keys = MirroredKeys(store.keys, self._pull)
        self.inbox = Inbox(self._postgres, config.channel)
        self._reader = InboxReader(self.inbox)
        self.membership.on_epoch = self._note_epoch
        self._waiting = Waiting(live, store, self.membership, self.keys, self.inbox, self.owner, systemd)
        self.heirship: Heirship | None = None
        self._pulling: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._reading_fleet = asyncio.Lock()
        self._fleet: pair.Fleet = {"channels": []}
        self._fleet_at = float("-inf")
        self._is_first = True
        self._acts = False

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Begin to live among the channel's daemons."""
        stack.push_async_callback(self._postgres.close)
        stack.push_async_callback(self.membership.leave)
        beating = asyncio.create_task(self.membership.run(), name="lease")
        stack.push_async_callback(_end, beating)
        stack.push_async_callback(self._close)

    # --- what is known ---------------------------------------------------------------------------------------

    def owner(self) -> pair.Owner:
        """As ``/status`` tells it."""
        members, tenure = self.membership, self.membership.tenure
        lease, heir = members.owner, members.heir
        told: pair.Owner = {
            "here": False,
            "name": lease.owner if lease else None,
            "address": lease.address if lease else None,
            "epoch": lease.epoch if lease else 0,
            "heir": None,
            "lag": 0,
            "problem": members.problem,
        }
        if tenure is not None and self._acts and not tenure.has_ended and not members.resigned:
            told |= {"here": True, "name": self.me.name, "address": self.me.address, "epoch": tenure.claim.epoch}
            told["heir"] = _heir(heir) if heir is not None else None
        return told

    async def _note_epoch(self, epoch: int) -> None:
        await self._store.journal.own(epoch, self._postgres.store_id)

    def _heard(self, payload: str) -> None:
        if payload in ("*", self.me.channel):
            self.membership.poke()

    async def _after_beat(self, beat: Beat) -> None:
        try:
            await self._mirror.follow(beat.keys_changed)
        except StreamerError as error:
            raise PortError(str(error)) from error
        if beat.waits:
            self._reader.poke()

    def _pull(self) -> "asyncio.Future[None] | None":
        if self.membership.problem:
            return None
        if self._pulling is None or self._pulling.done():
            self._pulling = asyncio.create_task(self._mirror.pull(), name="keys")
        return self._pulling

    # --- becoming the owner ----------------------------------------------------------------------------------

    async def succeed(self, stop: asyncio.Event) -> Acting | None:
        """Wait until this daemon owns the channel, and know what it was like. None once ``stop`` is set."""
        members = self.membership
        while True:
            taken = await members.take(own=True) if self._is_first else None
            self._is_first = False
            if taken is None:
                await self.wait()
                taken = await self._wait_for_mine(stop)
            if stop.is_set():
                return None
            members.says = Says(rules_at=time.time)
            try:
                return await self._acting(taken)
            except PortError as error:
                log.warning("the shared journal cannot be read: trying again", reason=str(error))
                await members.lay_down()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._live.config.store.lease):
                        await stop.wait()

    async def wait(self) -> None:
        """Be the heir."""
        self._acts = False
        if self.heirship is None:
            heirship = Heirship(self._waiting, Replica(self._shared, self._fresh))
            await heirship.begin()
            self.heirship = heirship

    def end_waiting(self) -> None:
        """Be it no more: the owner answers at the port by now."""
        self._acts = True
        heirship, self.heirship = self.heirship, None
        if heirship is not None:
            self._ending = asyncio.create_task(heirship.end(), name="heir-end")

    async def _close(self) -> None:
        self.end_waiting()
        if self._ending is not None:
            await self._ending

    async def _wait_for_mine(self, stop: asyncio.Event) -> Taken | None:
        """None also where this daemon goes on as the owner that it was, without the store."""
        journal = self._store.journal
        mine = asyncio.create_task(self.membership.until_mine(stop))
        while not (await asyncio.wait({mine}, timeout=self._live.config.store.lease))[0]:
            if self.heirship is not None:
                self.heirship.check()
            kept = await journal.kept()
            members = self.membership
            if not members.problem or members.seen_another or not (kept.whole and kept.epoch and kept.store):
                continue
            mine.cancel()
            await asyncio.gather(mine, return_exceptions=True)
            if not mine.cancelled() and mine.result() is not None:
                break  # it has answered at last
            log.warning("the shared store does not answer: going on as its owner of before, if OBS says so too")
            self._postgres.store_id = kept.store
            self.membership.resume(kept.epoch)
            return None
        return mine.result()

    async def _acting(self, taken: Taken | None) -> Acting:
        """What the tenure that has begun adds. Raises PortError."""
        config, journal, members = self._live.config, self._store.journal, self.membership
        state = await self._take_over(taken) if taken is not None else None
        tenure = members.tenure
        assert tenure is not None  # noqa: S101  # it has begun
        slot = slot_of(self._postgres.store_id, config.channel)
        shipping = Shipping(LocalLog(config.store.path), self._shared, tenure, journal)
        journal.wrote = shipping.poke
        return Acting(
            membership=members,
            tenure=tenure,
            fence=Fence(tenure, slot, members.raise_epoch),
            shipping=shipping,
            keys=self.keys,
            inbox=self._reader,
            mark=f"{self._postgres.store_id[:16]}/{config.channel}"[:64],
            state=state,
        )

    async def _take_over(self, taken: Taken) -> dict[str, Any] | None:
        """Make the own database the channel's. The rules' state, where that is not the one that it had. PortError."""
        journal, store = self._store.journal, self._postgres.store_id
        kept, at = await journal.kept(), await self._shared.position()
        # One that is later than the store's own was put back from a backup, or has lost its last commits.
        is_last = kept.epoch == taken.former_epoch and taken.former_daemon == self.me.daemon
        is_ours = kept.epoch > 0 and kept.store == store and (is_last or kept.epoch > taken.former_epoch)
        former = taken.former_owner if taken.former_owner != self.me.name else None
        log.info("this daemon owns the channel", epoch=taken.epoch, former=former or None)
        with contextlib.suppress(PortError, StreamerError):
            await self._mirror.pull()
        if not at.seq or (is_ours and kept.whole and kept.last >= at.seq):
            await journal.own(taken.epoch, store)
            return None
        replica = self.heirship.replica if self.heirship else Replica(self._shared, self._fresh)
        await replica.catch_up()
        state = replica.snapshot()
        by = time.time() - taken.rules_at if taken.rules_at else 0.0
        if abs(by) > CLOCKS_DIFFER:
            log.warning("the former owner's clock differs from this one: saved times are shifted", seconds=round(by, 1))
            state = shifted(state, by)
        if not kept.epoch and kept.last:
            await asyncio.to_thread(_keep_aside, self._live.config.store.path)
        lines, streams = await history_of(self._shared, replica.at)
        await journal.own(
            taken.epoch, store, _adopting(Portion((replica.at.seq + 1, json.dumps(state)), (), lines, streams))
        )
        # Also where that could not be written: what is written once it can be comes after what the store has.
        await journal.skip_to(replica.at.seq)
        return state

    def _fresh(self) -> Replayed:
        return fresh(policy_of(self._live.config))

    # --- what people ask -------------------------------------------------------------------------------------

    async def fleet(self) -> pair.Fleet:
        """All channels of the store, a second old at most. Raises PortError."""
        async with self._reading_fleet:
            if time.monotonic() >= self._fleet_at + FLEET_EVERY:
                self._fleet = {"channels": await read_fleet(self._postgres)}
                self._fleet_at = time.monotonic()
            return self._fleet

    def step_down(self, actor: Actor) -> str:
        """Let the heir have the channel; its name. Raises RequestRefused."""
        heir = self.membership.heir
        if heir is None or not heir.sees_obs:
            raise RequestRefused("no_heir", f"{heir.name} is there, but does not reach OBS" if heir else ALONE)
        log.info("this daemon steps down", heir=heir.name, actor=actor.kind)
        self.membership.resign(f"{heir.name} was asked to take over")
        return heir.name


def see_to_driver() -> None:
    """Raises ConfigError where the package for the shared store is not installed."""
    try:
        driver()
    except MissingDriver as error:
        raise ConfigError([ConfigProblem("store.url", str(error), "this installation")]) from error


def make_pair(live: Live, store: StoreParts, systemd: ServiceNotifier) -> Pair:
    """As configured."""
    return Pair(live, store, systemd)


def address_of(live: Live) -> str:
    """Where another daemon of the channel reaches this one."""
    config = live.config
    if config.store.address:
        return config.store.address
    host = socket.gethostname() if config.http.host in EVERYWHERE else config.http.host
    return f"http://[{host}]:{config.http.port}" if ":" in host else f"http://{host}:{config.http.port}"


def place_of(database: str, live: Live) -> str:
    """What no copy of the database shares, on another machine or beside this one: it ends with the machine's run."""
    started = Path("/proc/sys/kernel/random/boot_id")
    path = os.path.realpath(live.config.store.path)
    parts = (database, started.read_text().strip() if started.exists() else "", socket.gethostname(), path)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _heir(member: Member) -> pair.Heir:
    return {"name": member.name, "address": member.address, "sees_obs": member.sees_obs}


def _adopting(portion: Portion) -> Callable[[sqlite3.Connection], None]:
    def adopt(db: sqlite3.Connection) -> None:
        for table in ("event", "handover", "snapshot"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own
        put(db, portion)
        db.execute("DELETE FROM meta WHERE key = 'ahead'")

    return adopt


def _keep_aside(database: Path) -> None:
    """What a database held that has never been part of the shared store."""
    aside = database.with_name(f"{database.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        backup(database, aside)
    except BackupError as error:
        raise PortError(str(error)) from error
    log.warning("the shared journal takes the place of this database, of which a copy is kept", aside=str(aside))


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
