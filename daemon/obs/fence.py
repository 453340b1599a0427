"""Keeps this daemon's hands off an OBS that another daemon of the channel has taken over.

obs-websocket keeps small values for its clients (``SetPersistentData``), also over OBS's restarts. The owner's claim is
one of them; what it is worth, ``statemachine.tenure`` knows. Every request that changes something passes ``admit`` and,
in the very moment in which it is sent, ``check``: a daemon that was frozen in between sends nothing when it wakes.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

import structlog

from daemon.core.clock import boot_time
from daemon.core.ports import ObsError, ObsRefused
from daemon.obs.connection import Link
from statemachine.tenure import PROOF, Claim, Standing, Tenure

REALM: Final = "OBS_WEBSOCKET_DATA_REALM_GLOBAL"
WITHIN: Final = 1.0
"""Seconds for OBS's answer."""
LONGEST: Final = 64
"""Characters of a name that are read out of OBS."""
TRIES: Final = 3
IN_FLIGHT: Final = 1.5
"""Seconds that a request may be on its way through the network: less than a lease lasts."""

log = structlog.get_logger(__name__)


class NotOursError(ObsRefused):
    """OBS is not to be changed: it is another daemon's, or nobody can tell."""

    def __init__(self, why: str) -> None:
        super().__init__("GetPersistentData", 0, why)


class Fence:
    """One tenure's, for all connections to OBS in it."""

    def __init__(
        self,
        tenure: Tenure,
        slot: str,
        raise_epoch: Callable[[int], Awaitable[int | None]],
        clock: Callable[[], float] = boot_time,
    ) -> None:
        """``slot`` is the name of the channel's value in OBS, the same for all of its daemons. ``raise_epoch`` gives
        the lease an epoch above that one; None where it is not ours."""
        self._tenure = tenure
        self._slot = {"realm": REALM, "slotName": slot}
        self._raise_epoch = raise_epoch
        self._clock = clock
        self._free_at = 0.0
        self._told = False

    def check(self) -> None:
        """Raises NotOursError, unless OBS may be changed in this very moment."""
        if not self._tenure.may_act(self._clock()):
            raise NotOursError(self._tenure.ended or "it is not certain that this daemon still owns the channel")

    async def admit(self, link: Link) -> None:
        """OBS is to be changed: see to it that it may be. Raises ObsError."""
        if not self._tenure.may_act(self._clock()):
            await self.prove(link)

    async def prove(self, link: Link) -> None:
        """Look in OBS whose it is. Raises ObsError; NotOursError where it is another's."""
        for _ in range(TRIES):
            found, asked_at = await self._read(link)
            standing = self._tenure.judge(found, asked_at)
            if standing is Standing.HELD:
                return
            self._raise_if_over(standing)
            if standing is Standing.UNWRITTEN:
                await self._write(link, found, asked_at)
        self.check()

    async def enter(self, link: Link) -> None:
        """OBS was just connected: put this daemon's claim there, and wait until who was there before can act no more.

        Raises ObsError.
        """
        tenure = self._tenure
        link.give_up_early(IN_FLIGHT)
        found, asked_at = await self._read(link)
        standing = tenure.judge(found, asked_at)
        self._raise_if_over(standing)
        if standing is Standing.REPLACED and found is not None:
            epoch = await self._raise_epoch(found.epoch)
            if epoch is None:
                raise NotOursError("a later daemon's claim stands there, and the lease is in doubt")
            log.warning("OBS knew of a later owner than the shared store does", epoch=epoch, found=found.epoch)
            tenure.raised(epoch)
            standing = tenure.judge(found, asked_at)
        if standing is Standing.UNWRITTEN:
            await self._write(link, found, asked_at)
        await self._settle(link)

    async def _settle(self, link: Link) -> None:
        for _ in range(TRIES):
            await asyncio.sleep(max(0.0, self._free_at - self._clock()))
            free_at = self._free_at
            await self.prove(link)
            if self._free_at == free_at:
                return
        raise NotOursError("another daemon keeps writing its claim there")

    async def watch(self, link: Callable[[], Link], every: float) -> NoReturn:
        """Look so often, until cancelled. ``link`` raises ObsError while there is none."""
        while True:
            await asyncio.sleep(every)
            with contextlib.suppress(ObsError):
                await self.prove(link())

    def _raise_if_over(self, standing: Standing) -> None:
        if self._tenure.has_ended:
            raise NotOursError(self._tenure.ended)
        if standing is Standing.UNKNOWN:
            raise NotOursError("this daemon's claim is not there any more, and the shared store does not answer")

    async def _read(self, link: Link) -> tuple[Claim | None, float]:
        """What stands there, and when it was asked for."""
        asked_at = self._clock()
        try:
            answer = await link.call("GetPersistentData", self._slot, seconds=WITHIN)
        except ObsRefused as error:
            self._tell_no_claim(str(error))
            self.check()
            return self._tenure.claim, asked_at
        return read_claim(answer.get("slotValue")), asked_at

    async def _write(self, link: Link, found: Claim | None, asked_at: float) -> None:
        if not 0.0 <= self._clock() - asked_at <= PROOF:
            return  # held up since: another one may have written meanwhile
        own = self._tenure.claim
        value = {"epoch": own.epoch, "run": own.run, "daemon": own.daemon}
        try:
            await link.call("SetPersistentData", {**self._slot, "slotValue": value}, seconds=WITHIN)
        except ObsRefused as error:
            self._tell_no_claim(str(error))
        self._free_at = self._clock() + self._tenure.waits_for(found)

    def _tell_no_claim(self, reason: str) -> None:
        if not self._told:
            self._told = True
            what = "OBS keeps no values for its clients: without the shared store, this daemon will not change it"
            log.warning(what, reason=reason)


def slot_of(store_id: str, channel: str) -> str:
    """The name of a channel's value in OBS."""
    return f"motherstream {store_id} {channel}"


def read_claim(value: object) -> Claim | None:
    """What stands in OBS; None where it is nothing that a daemon has written."""
    if not isinstance(value, Mapping):
        return None
    epoch, run, daemon = value.get("epoch"), value.get("run"), value.get("daemon")
    if not isinstance(run, str) or not run or not isinstance(daemon, str):
        return None
    if isinstance(epoch, bool) or not isinstance(epoch, int | float) or not 0 < epoch < 2**53:
        return None
    return Claim(int(epoch), run[:LONGEST], daemon[:LONGEST])
