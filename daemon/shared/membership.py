"""This daemon among those of its channel: owner or heir, told by the lease. It goes on for as long as the process.

What is decided here, ``statemachine.tenure`` decides; this asks the store, keeps time, and tells.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import structlog

from daemon.core.clock import boot_time
from daemon.core.ports import PortError
from daemon.shared.leases import Beat, Lease, Leases, Member, Taken
from statemachine.tenure import BEATS, LONGEST_SILENCE, REST, Claim, Found, Heir, Sight, Tenure

log = structlog.get_logger(__name__)

LOOK: Final = 0.1
"""Seconds within which the end of a tenure is noticed that OBS has told of."""


@dataclass(frozen=True, slots=True)
class Says:
    """What this daemon tells the others with each beat."""

    sees_obs: Callable[[], bool] = lambda: False
    rules_at: Callable[[], float] = lambda: 0.0
    """The rules' time."""
    body: Callable[[], Mapping[str, Any]] = dict
    """For people: the fleet's page shows it."""


class Membership:
    """``run`` is its task. For the event loop."""

    def __init__(self, leases: Leases, ttl: float, then: Callable[[Beat], Awaitable[None]]) -> None:
        """``then`` is called after each beat that was answered; what it raises of PortError is told once."""
        self._leases = leases
        self._ttl = ttl
        self._then = then
        self.me = leases.me
        self.says = Says()
        self.on_epoch: Callable[[int], Awaitable[None]] = _nothing
        """Called with an epoch that the tenure has from now on."""
        self.seen_another = False
        """Another daemon was seen to own the channel in this run."""
        self.tenure: Tenure | None = None
        """While this daemon owns the channel."""
        self.lease: Lease | None = None
        """As of the last beat."""
        self.others: tuple[Member, ...] = ()
        self._beat_at = float("-inf")
        self._heir = Heir(ttl=ttl)
        self._highest = 0
        """Of the epochs that were seen: a store that was put back may have forgotten some."""
        self._server: tuple[float, float] | None = None
        """Which one the store is, and since when without a break."""
        self._sight = Sight()
        self.resigned = ""
        """Why the tenure is to end in an orderly way; empty where it is not."""
        self._turn = asyncio.Lock()
        self._poked = asyncio.Event()
        self._news = asyncio.Event()
        self.problem = "it has not been reached yet"
        """Why the shared store does not answer; empty while it does."""
        self._amiss = ""

    # --- what is known ---------------------------------------------------------------------------------------

    @property
    def heir(self) -> Member | None:
        """The daemon that would take over, if there is one."""
        there = [other for other in self.others if self._age(other) < LONGEST_SILENCE]
        return max(there, key=lambda other: other.sees_obs, default=None)

    @property
    def owner(self) -> Lease | None:
        """Who owns the channel, as far as this one knows; None where nobody does.

        While the store is away, nobody else can have taken it.
        """
        return self.lease if self.lease is not None and (self.left > 0 or self.problem) else None

    @property
    def left(self) -> float:
        """Seconds until the lease that was seen last is over."""
        return self.lease.left - (boot_time() - self._beat_at) if self.lease is not None else 0.0

    def _age(self, other: Member) -> float:
        return other.age + (boot_time() - self._beat_at)

    def poke(self, _what: str = "") -> None:
        """Something has changed in the store: look now."""
        self._poked.set()

    # --- beating ---------------------------------------------------------------------------------------------

    async def run(self) -> NoReturn:
        """Until cancelled."""
        every = self._ttl / BEATS
        while True:
            began = boot_time()
            try:
                await self._beat()
            except Exception:  # whatever it is, an owner that does not beat any more loses its channel
                log.exception("a sign of life could not be given")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, every - (boot_time() - began))):
                    await self._poked.wait()
            self._poked.clear()

    async def _beat(self) -> None:
        says = self.says
        try:
            # What was laid down is not to be renewed by a beat that waited behind.
            async with self._turn:
                tenure, asked_at = self.tenure, boot_time()
                epoch = tenure.claim.epoch if tenure is not None and not tenure.has_ended else 0
                beat = await self._leases.beat(epoch, says.rules_at(), sees_obs=says.sees_obs(), body=says.body())
            self.lease, self.others, self._beat_at = beat.lease, tuple(beat.others), boot_time()
            own = beat.lease is None or beat.lease.place == self.me.place
            self.seen_another = self.seen_another or (not own and self.left > 0)
            self._highest = max(self._highest, beat.lease.epoch if beat.lease is not None else 0)
            if self._server is None or self._server[0] != beat.server:
                self._server = beat.server, asked_at
            if tenure is not None and epoch and not tenure.has_ended:
                await self._follow(tenure, beat, asked_at)
        except PortError as error:
            self._failed(str(error))
        else:
            self._recovered()
            await self._after(beat)
        self._news.set()

    async def _follow(self, tenure: Tenure, beat: Beat, asked_at: float) -> None:
        """What became of our own lease."""
        if beat.renewed:
            tenure.renewed(asked_at)
        elif beat.lease is None or beat.lease.epoch < tenure.claim.epoch:
            # The store was put back, or a replica took over that had not heard of it.
            log.warning("the shared store has lost this daemon's lease: putting it back", epoch=tenure.claim.epoch)
            await self._leases.put_back(tenure.claim.epoch)
        elif beat.lease.epoch == tenure.claim.epoch and beat.lease.place == self.me.place:
            # From before a restart, during which the store was away.
            if taken := await self._leases.take(self._highest, own=True):
                await self.on_epoch(taken.epoch)
                tenure.raised(taken.epoch)
                tenure.renewed(asked_at)
        elif beat.lease.run != self.me.run:
            tenure.end(f"{beat.lease.owner or 'another daemon'} has taken the channel over")
        heir = self.heir
        sees, heir_sees = self.says.sees_obs(), heir is not None and heir.sees_obs
        if self._sight.yields(sees_obs=sees, heir_sees_obs=heir_sees, at=boot_time()) and heir is not None:
            self.resign(f"OBS cannot be reached from here, and {heir.name} reaches it")

    async def _after(self, beat: Beat) -> None:
        try:
            await self._then(beat)
        except PortError as error:
            if self._amiss != str(error):
                self._amiss = str(error)
                log.warning("what the shared store has could not be taken in", reason=str(error))
        else:
            self._amiss = ""

    def _failed(self, why: str) -> None:
        if not self.problem:
            log.warning("the shared store does not answer: the show goes on", reason=why)
        self.problem = why
        self._server = None

    def _recovered(self) -> None:
        if self.problem:
            log.info("the shared store answers", owner=self.lease.owner if self.lease else None)
        self.problem = ""

    # --- owning ----------------------------------------------------------------------------------------------

    async def until_mine(self, stop: asyncio.Event) -> Taken | None:
        """Wait as the heir, and take the lease once it is free. None where ``stop`` was set before."""
        while not stop.is_set():
            wait = self._wait()
            if wait == 0.0 and (taken := await self.take()):
                return taken
            self._news.clear()
            waiting = {asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(stop.wait())}
            await asyncio.wait(waiting, timeout=wait or LOOK, return_when=asyncio.FIRST_COMPLETED)
            for each in waiting:
                each.cancel()
        return None

    def _wait(self) -> float | None:
        """Seconds until the lease is to be asked for; None where only the store could tell."""
        if self.problem:
            return None
        others = [other for other in self.others if self._age(other) < LONGEST_SILENCE and other.sees_obs]
        owner = self.lease.owner if self.lease is not None else ""
        left = self.left
        # Who let the lease run out counts no more than any other that does not beat; who has it, is the owner.
        found = Found(
            left,
            owner,
            self.says.sees_obs(),
            others=any(other.name != owner for other in others),
            known_for=boot_time() - self._server[1] if self._server is not None else 0.0,
        )
        return self._heir.wait(found, boot_time())

    async def take(self, *, own: bool = False) -> Taken | None:
        """Ask for the lease; with ``own``, also for one that this daemon had before it was started anew."""
        asked_at = boot_time()
        try:
            taken = await self._leases.take(self._highest, own=own)
        except PortError as error:
            self._failed(str(error))
            return None
        self._recovered()
        if taken is not None:
            self.begin(Tenure(self._claim(taken.epoch), asked_at, self._ttl))
            self.poke()
        return taken

    def resume(self, epoch: int) -> None:
        """Go on in the epoch of before a restart, while the store is away: by what stands in OBS alone."""
        self.begin(Tenure(self._claim(epoch), float("-inf"), self._ttl))

    def begin(self, tenure: Tenure) -> None:
        """This daemon owns the channel from now on."""
        self.tenure = tenure
        self.resigned = ""
        self._sight = Sight()

    def _claim(self, epoch: int) -> Claim:
        return Claim(epoch, self.me.run, self.me.place)

    async def raise_epoch(self, above: int) -> int | None:
        """Give our lease an epoch above that one; None where that cannot be."""
        tenure = self.tenure
        if tenure is None:
            return None
        try:
            epoch = await self._leases.raise_epoch(tenure.claim, above)
        except PortError:
            return None
        if epoch is not None:
            await self.on_epoch(epoch)
        return epoch

    def resign(self, why: str) -> None:
        """Have the tenure end in an orderly way."""
        self.resigned = self.resigned or why

    async def until_over(self) -> None:
        """Wait for the end of the tenure, or until it was resigned."""
        while self.tenure is not None and not self.tenure.has_ended and not self.resigned:  # noqa: ASYNC110  # OBS tells of it too
            await asyncio.sleep(LOOK)

    async def lay_down(self) -> None:
        """Let another one have the channel, at once if there is one. Never raises."""
        tenure = self.tenure
        if tenure is not None and not tenure.has_ended:
            # First of all: the other one may act before the answer is here.
            tenure.end("it was laid down")
            with contextlib.suppress(PortError):
                async with self._turn:
                    await self._leases.release(tenure.claim.epoch)
        self._heir = Heir(boot_time() + REST, self._ttl)
        self.tenure = None

    async def leave(self) -> None:
        """The process ends. Never raises."""
        with contextlib.suppress(PortError):
            await self._leases.leave()


async def _nothing(_epoch: int) -> None:
    """Nobody wants to know."""
