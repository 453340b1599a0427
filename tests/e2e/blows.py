"""Blows at the owner of a channel that has an heir, in the middle of hand-overs: ``python -m tests.e2e.blows``.

Each is followed by what a viewer and an operator may expect: the picture as it was or cut whole, the other daemon in
charge within seconds, and never two that act on one OBS, by what both have asked of it.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from daemon.studio import Studio, StudioError, free_port
from daemon.studio.channel import Channel, on_air
from daemon.studio.postgres import Postgres
from daemon.studio.verdict import RecordingVerdict
from tests.e2e.live import QUICK, Hiccups, note_hiccups
from tests.e2e.wire import Acts, Wire

NAMES = ("alice", "bob", "carol")
WITHIN = 30.0
"""Seconds for whatever is waited for here."""
FREEZE = 3.0
"""Seconds for which a frozen owner stays so after its heir has taken over."""


@dataclass(eq=False)
class Side:
    """One daemon, and its wires to OBS and to the store."""

    name: str
    channel: Channel
    obs: Wire
    store: Wire


@dataclass(eq=False)
class Couple:
    """A studio, the store, and the channel's two daemons. Hooks go to the second."""

    studio: Studio
    postgres: Postgres
    one: Side
    two: Side
    acts: Acts
    replica: Postgres | None = None
    """A second server, which follows the first; there where it was asked for."""

    async def owner(self) -> Side:
        """Who owns the channel now."""
        for side in (self.one, self.two):
            if side.channel.process.running and await side.channel.role() == "owner":
                return side
        raise StudioError("nobody owns the channel")

    def other(self, side: Side) -> Side:
        """The other one."""
        return self.two if side is self.one else self.one


@asynccontextmanager
async def couple(*names: str, replicated: bool = False, **settings: object) -> AsyncIterator[Couple]:
    """The first one owns the channel, and the first of the streamers is on air. A key's dots are two underscores.

    ``replicated``: the store has a streaming replica, which the daemons know of.
    """
    ports = free_port(), free_port()
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(Studio(hook_url=Channel.hook_url(ports[1])))
        postgres = Postgres(studio.folder / "postgres")
        stack.push_async_callback(postgres.kill)
        await postgres.start()
        replica = await _replica(studio, postgres, stack) if replicated else None
        acts = Acts()
        sides = []
        for name, port in zip(("one", "two"), ports, strict=True):
            obs = await stack.enter_async_context(Wire(studio.obs.port, acts.of(name)))
            store = await stack.enter_async_context(Wire(postgres.port))
            wanted: Mapping[str, object] = {
                **QUICK,
                "store.url": postgres.url(port=store.port) if replica is None else _either(postgres, replica),
                "obs.port": obs.port,
                **{key.replace("__", "."): value for key, value in settings.items()},
            }
            channel = await stack.enter_async_context(Channel(studio, port=port, settings=wanted))
            sides.append(Side(name, channel, obs, store))
            if name == "one":
                await channel.until(lambda status: bool(status["owner"]["here"]))
        one, two = sides
        await one.channel.until(lambda status: bool((status["owner"]["heir"] or {}).get("sees_obs")))
        for name in names:
            await studio.publish(name)
            if name == names[0]:
                await one.channel.until_on_air(name)
        yield Couple(studio, postgres, one, two, acts, replica)


async def _replica(studio: Studio, primary: Postgres, stack: AsyncExitStack) -> Postgres:
    replica = Postgres(studio.folder / "replica")
    stack.push_async_callback(replica.kill)
    await replica.follow(primary)
    return replica


def _either(one: Postgres, other: Postgres) -> str:
    """The URL that finds whichever of the two is the primary."""
    hosts = f"127.0.0.1:{one.port},127.0.0.1:{other.port}"
    return f"postgresql://motherstream@{hosts}/motherstream?target_session_attrs=primary"


@dataclass
class Result:
    """What a series of blows came to."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """From each kind of blow to an heir that is in charge and has OBS."""
    owners: int = 0
    verdicts: list[tuple[RecordingVerdict, Hiccups]] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    """Who acted on OBS, each time that it was another one than before."""

    @property
    def p95(self) -> float:
        """Of all of them."""
        every = sorted(seconds for each in self.seconds.values() for seconds in each)
        return every[min(len(every) - 1, round(0.95 * (len(every) - 1)))]


class Blows:
    """``strike`` deals one."""

    def __init__(self, two: Couple, dice: random.Random) -> None:
        self._couple = two
        self._dice = dice
        self.result = Result(owners=1)
        self.kinds: Mapping[str, Callable[[Side, Side], Awaitable[None]]] = {
            "kill": self._kill,
            "freeze": self._freeze,
            "cut off": self._cut_off,
            "step down": self._step_down,
        }

    async def strike(self, kind: str) -> None:
        """In the middle of a hand-over, or just before or after one."""
        couple = self._couple
        owner = await couple.owner()
        heir = couple.other(owner)
        await owner.channel.until(lambda status: status["state"] in ("STANDBY", "IDLE"), WITHIN)
        await owner.channel.until(lambda status: bool((status["owner"]["heir"] or {}).get("sees_obs")), WITHIN)
        with contextlib.suppress(StudioError):  # one that is under way already will do as well
            await owner.channel.post("/queue/skip")
        await asyncio.sleep(self._dice.uniform(0.0, 0.6))
        began = time.monotonic()
        await self.kinds[kind](owner, heir)
        self.result.seconds.setdefault(kind, []).append(self._taken_at - began)
        self.result.owners += 1
        await heir.channel.until(lambda status: on_air(status) is not None, WITHIN)

    async def _in_charge(self, heir: Side) -> None:
        await heir.channel.until(lambda status: status["owner"]["here"] and status["obs"]["connected"], WITHIN)
        self._taken_at = time.monotonic()

    async def _kill(self, owner: Side, heir: Side) -> None:
        await owner.channel.kill()
        await self._in_charge(heir)
        await owner.channel.start()

    async def _freeze(self, owner: Side, heir: Side) -> None:
        await owner.channel.process.freeze()
        await self._in_charge(heir)
        await heir.channel.until(lambda status: status["state"] == "STANDBY", WITHIN)
        await heir.channel.skip()
        await asyncio.sleep(FREEZE)
        await owner.channel.process.thaw()
        await owner.channel.until(lambda status: not status["owner"]["here"], WITHIN)

    async def _cut_off(self, owner: Side, heir: Side) -> None:
        owner.store.cut()
        await self._in_charge(heir)
        await heir.channel.until(lambda status: status["state"] == "STANDBY", WITHIN)
        await heir.channel.skip()
        owner.store.mend()
        await owner.channel.until(lambda status: not status["owner"]["here"], WITHIN)

    async def _step_down(self, owner: Side, heir: Side) -> None:
        await owner.channel.post("/step-down")
        await self._in_charge(heir)
        await owner.channel.until(lambda status: not status["owner"]["here"], WITHIN)


async def strike_all(two: Couple, kinds: list[str], dice: random.Random, batch: int = 10) -> Result:
    """Deal them one after the other, and read what viewers saw of it."""
    blows = Blows(two, dice)
    for first in range(0, len(kinds), batch):
        await two.studio.obs.start_recording()
        hiccups = await note_hiccups(two.studio)
        for kind in kinds[first : first + batch]:
            await blows.strike(kind)
        late = await hiccups()
        verdict = await two.studio.analyse(await two.studio.obs.stop_recording())
        blows.result.verdicts.append((verdict, late))
    blows.result.turns = two.acts.turns()
    return blows.result


async def _run(count: int, seed: int) -> int:
    dice = random.Random(seed)
    async with couple(*NAMES) as two:
        every = ["kill", "freeze", "cut off", "step down"]
        kinds = [every[number % len(every)] for number in range(count)]
        dice.shuffle(kinds)
        result = await strike_all(two, kinds, dice)
    for kind, seconds in sorted(result.seconds.items()):
        print(f"{kind:10} {len(seconds):3} times, {min(seconds):.2f} to {max(seconds):.2f} s")
    print(f"p95 {result.p95:.2f} s; {result.owners} owners, {len(result.turns)} turns on OBS")
    blank = sum(verdict.blank_frames for verdict, _ in result.verdicts)
    frozen = max(verdict.longest_freeze - late.frames for verdict, late in result.verdicts)
    print(f"{blank} blank frames, frozen to {frozen} frames beyond those that were late")
    well = not blank and frozen <= 3 and len(result.turns) <= result.owners and result.p95 <= 5.0
    return 0 if well else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.blows", description=__doc__)
    parser.add_argument("--blows", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(_run(arguments.blows, arguments.seed)))
