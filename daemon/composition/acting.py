"""One tenure of a daemon that shares its channel: what stands between its rules and the world, and what is sent on."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from daemon.core.clock import boot_time
from daemon.core.event_queue import EventQueue
from daemon.core.ports import Check, PortError
from daemon.http.shapes import pair
from daemon.ingest.letters import Letters
from daemon.obs import ObsAdapter
from daemon.obs.fence import Fence
from daemon.shared.inbox import Inbox
from daemon.shared.membership import Membership
from daemon.shared.mirror import MirroredKeys
from daemon.shared.shipping import Shipping
from statemachine.events import Event
from statemachine.step import Step
from statemachine.tenure import Tenure

LATE: Final = 5.0
"""Seconds for which the shared store may lag behind until that is told as trouble."""


@dataclass(frozen=True, slots=True)
class Acting:
    """What a tenure adds to the daemon's parts."""

    membership: Membership
    tenure: Tenure
    fence: Fence
    shipping: Shipping
    keys: MirroredKeys
    inbox: "InboxReader"
    mark: str
    """What the channel's inputs in OBS bear, whichever of its daemons has made them."""
    state: dict[str, Any] | None
    """The rules as they were at the former owner; None where this daemon's own database has them."""

    async def may_kick(self, obs: ObsAdapter) -> None:
        """Whether a publisher may be kicked: one who acts no more kicks nobody. Raises ObsError."""
        if not self.tenure.may_act(boot_time()):
            await obs.still_ours()

    def checks(self) -> tuple[Check, ...]:
        """What is to be well of the pair."""
        members, shipping = self.membership, self.shipping
        problem = members.problem or (shipping.problem if shipping.late_for > LATE else "")
        heirs = [other.name for other in members.others]
        is_alone = bool(heirs) and members.heir is None and not members.problem
        return (
            Check("store", not problem, problem),
            Check("heir", not is_alone, f"{', '.join(heirs)} is not heard of" if is_alone else ""),
        )

    def owner(self, told: pair.Owner) -> pair.Owner:
        """Who owns the channel, with what is under way."""
        return {**told, "lag": self.shipping.lag}


class InboxReader:
    """Reads what came while nobody owned the channel, and what comes by another way than the owner."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._waits = asyncio.Event()
        self._waits.set()

    def poke(self) -> None:
        """Something is there."""
        self._waits.set()

    async def run(self, letters: Letters) -> NoReturn:
        """Until cancelled."""
        while True:
            await self._waits.wait()
            self._waits.clear()
            # Where the store is away, the next beat that it answers tells again.
            with contextlib.suppress(PortError):
                await letters.take_all(await self._inbox.take())


class ShippedRules:
    """The way to the rules for people: an answer waits until what it tells is in the shared store."""

    def __init__(self, events: EventQueue, shipping: Shipping) -> None:
        self._events = events
        self._shipping = shipping

    async def ask(self, event: Event) -> Step:
        """As RulesPort."""
        step = await self._events.ask(event)
        await self._shipping.settled()
        return step

    def asked(self, event: Event) -> asyncio.Future[Step]:
        """As RulesPort."""
        return self._events.asked(event)
