"""The adapter on a fake OBS, with all that it emits."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from daemon.config.model import Config
from daemon.core.ports import WatchCallbacks
from daemon.obs import ObsAdapter
from daemon.obs.supervisor import Pace
from statemachine import events as ev
from tests.fakes import FakeObs
from tests.support import Changes

ALICE = "rtmp://127.0.0.1:1935/live/alice"
BOB = "rtmp://127.0.0.1:1935/live/bob"

QUICK = Pace(
    retry_first=0.01,
    retry_most=0.05,
    retry_refused=30.0,
    settle=0.02,
    settle_most=0.05,
    collection=5.0,
    heartbeat_interval=0.1,
)


def config(port: int, password: str | None, **sections: Any) -> Config:
    """The defaults, with that OBS; sections as keyword arguments, added to."""
    obs = {"port": port, "password": password or "", "request_timeout": 5.0} | sections.pop("obs", {})
    return Config(obs=obs, **sections)


class Seen:
    """What one watch has told."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.ready: list[float] = []
        self.failed: list[str] = []
        self.stalled: list[float] = []
        self.resumed = 0
        self.blank = 0
        self._wake = wake

    @property
    def callbacks(self) -> WatchCallbacks:
        return WatchCallbacks(
            ready=lambda seconds: self._note(self.ready, seconds),
            failed=lambda reason, code: self._note(self.failed, reason),
            stalled=self._stalled,
            resumed=self._resumed,
        )

    def _note(self, where: list[Any], what: Any) -> None:
        where.append(what)
        self._wake()

    def _stalled(self, seconds: float, blank: bool) -> None:
        if blank:
            self.blank += 1
        self._note(self.stalled, seconds)

    def _resumed(self) -> None:
        self.resumed += 1
        self._wake()


def items_of(inventory: ev.Inventory) -> ev.Inventory:
    """What it says of inputs and items, without the Program."""
    return replace(inventory, program=None)


class Rig:
    """An Obs, not started yet, and its events."""

    def __init__(self, settings: Config, *, pace: Pace = QUICK) -> None:
        self.config = settings
        self.events: list[ev.Event] = []
        self._changes = Changes()
        ticks = itertools.count()
        self.obs = ObsAdapter(lambda: self.config, emit=self._emit, now=lambda: float(next(ticks)), pace=pace)

    @classmethod
    def on(cls, fake: FakeObs, *, pace: Pace = QUICK, **sections: Any) -> "Rig":
        return cls(config(fake.port, fake.password, **sections), pace=pace)

    async def __aenter__(self) -> Self:
        self.obs.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.obs.stop()

    async def up(self) -> "Rig":
        """Wait until OBS is ready."""
        await self.until(lambda: self.count(ev.ObsReady) > self.count(ev.ObsLost))
        return self

    def watch(self, name: str, *, proven: bool = False) -> Seen:
        seen = Seen(self._changes.wake)
        self.obs.watch(name, seen.callbacks, proven=proven)
        return seen

    async def ready(self, name: str, url: str) -> Seen:
        """Create an input and wait for its proof."""
        await self.obs.create_input(name, url)
        seen = self.watch(name)
        await self.until(lambda: seen.ready)
        return seen

    async def on_air(self, name: str, url: str) -> Seen:
        """The same, and cut to it."""
        seen = await self.ready(name, url)
        await self.obs.cut(show=name, hide=(), also_show=None, fade=0.0)
        return seen

    def count(self, kind: type[ev.Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def last(self, kind: type[ev.Event]) -> Any:
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    async def until(self, condition: Callable[[], object], within: float = 10.0) -> None:
        """Wait until it holds; asked after each event and each word of a watch."""
        await self._changes.until(condition, within)

    def _emit(self, event: ev.Event) -> None:
        self.events.append(event)
        self._changes.wake()
