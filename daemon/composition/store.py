"""What outlives the daemon: the database with the journal and the streamers' keys, and the proof that it is ours."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daemon.composition.acting import Acting
from daemon.composition.live import Live
from daemon.core.clock import Clock
from daemon.core.event_queue import EventQueue
from daemon.core.ports import KeyLookup
from daemon.http.server import Claim
from daemon.journal.alone import Alone
from daemon.journal.journal import Journal
from daemon.streamers.index import StreamerIndex
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.view import View


@dataclass(frozen=True, slots=True)
class StoreParts:
    """Nothing of it is open before ``opened``."""

    claim: Claim
    alone: Alone
    journal: Journal
    keys: StreamerIndex

    async def opened(self, stop: asyncio.Event, stack: contextlib.AsyncExitStack) -> bool:
        """Open it. False where it is another daemon's, or ``stop`` is set."""
        stack.callback(self.alone.release)
        if not await self.alone.take(stop):
            return False
        # Also where it is told to stop while it opens.
        stack.push_async_callback(self.journal.close)
        await self.journal.open()
        # What it has mended by then is what is read.
        self.keys.start()
        stack.callback(self.keys.stop)
        return True


def make_store(live: Live, submit: Callable[[ev.Event], None]) -> StoreParts:
    """As configured. ``submit`` is the way to the rules, whichever run by then."""
    config = live.config
    claim = Claim(config.http.host, config.http.port)
    alone = Alone(config, live.path, claim)
    journal = Journal(config.store.path, lock=alone.lock)
    loop = asyncio.get_running_loop()

    def distrust() -> None:
        journal.distrust()
        # With the next event it looks, and that is now. Time never goes back: 0 is now.
        loop.call_soon_threadsafe(submit, ev.TimePassed(0.0))

    keys = StreamerIndex(config.store.path, on_change=journal.keys_changed, on_damage=distrust)
    journal.use_keys(keys.known)
    return StoreParts(claim, alone, journal, keys)


class Rules:
    """The rules as the last run left them, their clock, and the way to them. They are looked at through views alone."""

    def __init__(self, director: Director, clock: Clock, events: EventQueue) -> None:
        self.director = director
        self.clock = clock
        self.events = events

    def view(self) -> View:
        """What they come to now."""
        return self.director.view(self.clock.now())


@dataclass(frozen=True, slots=True)
class Base:
    """What every other part rests on."""

    live: Live
    store: StoreParts
    rules: Rules
    acting: Acting | None = None
    """Where the channel is shared with another daemon."""

    @property
    def keys(self) -> KeyLookup:
        """The streamers' keys, for hooks."""
        return self.acting.keys if self.acting is not None else self.store.keys


async def restore(store: StoreParts, policy: Policy, events: EventQueue, state: dict[str, Any] | None = None) -> Rules:
    """Take them out of the journal, or begin with the ``state`` that another daemon has left."""
    journal = store.journal
    if state is not None:
        director = Director.restore(state)
    else:
        director = await journal.in_our_time(await journal.restore(lambda: Director(policy)))
    clock = Clock(not_before=director.now)
    journal.watch(clock.now)
    return Rules(director, clock, events)
