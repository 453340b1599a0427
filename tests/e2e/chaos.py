"""``make chaos HOURS=1``: everything is killed, frozen or talked nonsense to at random, on the throw-away studio.

After each blow the picture has to be back within its bound, one own input shown, at most two owned. The seed is
printed, and ``--seed`` plays it again. Ends with 1 where a promise was broken.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from daemon.studio import Publisher, Studio, StudioError, free_port
from daemon.studio.channel import Channel, on_air

NAMES = ("alice", "bob", "carol")
BACK_WITHIN = 20.0
"""Seconds from a blow's end to somebody on air whose picture moves, on two busy cores: ffmpeg_source takes up to five
to start, a frozen OBS up to eight to be given up."""
OWNED = 2
GROWTH = 60.0
"""Megabytes that the daemon may grow by within one run of it."""


class Chaos:
    """One studio, one daemon, and a list of blows."""

    def __init__(self, studio: Studio, channel: Channel, dice: random.Random) -> None:
        self.studio, self.channel, self.dice = studio, channel, dice
        self.publishers: dict[str, Publisher] = {}
        self.blows: Mapping[str, Callable[[], Awaitable[None]]] = {
            "skip": self._skip,
            "kill a publisher": self._kill_publisher,
            "freeze a publisher": self._freeze_publisher,
            "kill the daemon": self._kill_daemon,
            "restart the daemon": self._restart_daemon,
            "kill OBS": self._kill_obs,
            "empty OBS": self._empty_obs,
            "freeze OBS": self._freeze_obs,
            "false hooks": self._false_hooks,
            "remove the input on air": self._remove_input,
            "hide the input on air": self._hide_input,
        }
        self.failures: list[str] = []
        self.slowest: dict[str, float] = {}

    async def run(self, seconds: float) -> None:
        """Blow after blow until the time is over."""
        for name in NAMES:
            self.publishers[name] = await self.studio.publish(name)
        await self._until_well("the start")
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            name = self.dice.choice(list(self.blows))
            count += 1
            await self.blows[name]()
            await self._everybody_publishes()
            took = await self._until_well(name)
            _say(f"{count:>5}  {name:<26} well after {took:5.2f} s")
        _say(f"{count} blows, {len(self.failures)} promises broken")
        for name, took in sorted(self.slowest.items()):
            _say(f"  {name:<26} at most {took:5.2f} s")

    # --- blows -----------------------------------------------------------------------------------------------

    async def _skip(self) -> None:
        with contextlib.suppress(StudioError):  # refused while a hand-over is under way
            await self.channel.post("/queue/skip")

    async def _kill_publisher(self) -> None:
        await self.publishers[self.dice.choice(NAMES)].kill()

    async def _freeze_publisher(self) -> None:
        publisher = self.publishers[self.dice.choice(NAMES)]
        await publisher.freeze()
        await asyncio.sleep(self.dice.uniform(0.2, 6.0))
        await publisher.thaw()

    async def _kill_daemon(self) -> None:
        await self.channel.kill()
        await self.channel.start()

    async def _restart_daemon(self) -> None:
        await self.channel.stop()
        await self.channel.start()

    async def _kill_obs(self) -> None:
        await self.studio.obs.restart()

    async def _empty_obs(self) -> None:
        await self.studio.obs.restart(fresh=True)

    async def _freeze_obs(self) -> None:
        await self.studio.obs.freeze()
        await asyncio.sleep(self.dice.uniform(0.2, 12.0))
        await self.studio.obs.thaw()

    async def _false_hooks(self) -> None:
        """Ends of strangers, nonsense, and a publish of somebody who is live already."""
        client = str(self.dice.randrange(10**6, 10**7))
        async with aiohttp.ClientSession(self.channel.url) as http:
            for body in (
                {"call": "publish_done", "app": "live", "name": "nobody", "clientid": client},
                {"call": "publish", "app": "live", "name": "../../etc", "clientid": client},
                {"call": "publish", "app": "live", "name": NAMES[0], "clientid": client},
                {"call": "publish_done", "app": "live", "name": NAMES[0], "clientid": client},
            ):
                async with http.post("/hooks/nginx-rtmp", data=body) as answer:
                    await answer.read()

    async def _remove_input(self) -> None:
        with contextlib.suppress(StudioError):
            await self.studio.obs.call("RemoveInput", {"inputName": await self._input()})

    async def _hide_input(self) -> None:
        with contextlib.suppress(StudioError):
            where = {"sceneName": self.studio.scene}
            item = await self.studio.obs.call("GetSceneItemId", {**where, "sourceName": await self._input()})
            hidden = {**where, "sceneItemId": item["sceneItemId"], "sceneItemEnabled": False}
            await self.studio.obs.call("SetSceneItemEnabled", hidden)

    async def _input(self) -> str:
        status = await self.channel.status()
        return str(status["on_air"]["input"]) if status["on_air"] else "nobody"

    # --- promises --------------------------------------------------------------------------------------------

    async def _everybody_publishes(self) -> None:
        for name, publisher in self.publishers.items():
            if not publisher.running:
                self.publishers[name] = await self.studio.publish(name)

    async def _until_well(self, after: str) -> float:
        """Wait until all promises hold; the seconds. One that does not in time is written down."""
        began = time.monotonic()
        wrong = "nothing was looked at"
        while time.monotonic() - began < BACK_WITHIN:
            try:
                wrong = await self._wrong()
            except (StudioError, aiohttp.ClientError, TimeoutError) as error:
                wrong = str(error)
            if not wrong:
                took = time.monotonic() - began
                self.slowest[after] = max(took, self.slowest.get(after, 0.0))
                return took
            await asyncio.sleep(0.1)
        self.failures.append(f"after {after}: {wrong}")
        _say(f"       BROKEN after {after}: {wrong}")
        return BACK_WITHIN

    async def _wrong(self) -> str:
        status = await self.channel.status()
        if on_air(status) is None:
            return "nobody is on air"
        items = (await self.studio.obs.call("GetSceneItemList", {"sceneName": self.studio.scene}))["sceneItems"]
        own = [item for item in items if item["sourceName"].startswith("GMOTHERSTREAM_")]
        shown = [item["sourceName"] for item in own if item["sceneItemEnabled"]]
        if shown != [status["on_air"]["input"]]:
            return f"OBS shows {shown}, the daemon says {status['on_air']['input']}"
        if status["state"] not in ("IDLE", "STANDBY"):
            return f"it is still {status['state']}"
        if len(own) > OWNED:
            return f"{len(own)} own inputs"
        if not await self._moves(shown[0]):
            return f"{shown[0]} stands still"
        if (grown := self._megabytes()) > 80 + GROWTH:
            return f"the daemon has {grown:.0f} MB"
        return ""

    async def _moves(self, name: str) -> bool:
        seen: list[Any] = []
        for _ in range(2):
            seen.append((await self.studio.obs.call("GetMediaInputStatus", {"inputName": name})).get("mediaCursor"))
            await asyncio.sleep(0.3)
        return bool(seen[0] != seen[1])

    def _megabytes(self) -> float:
        status = Path(f"/proc/{self.channel.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def chaos(seconds: float, seed: int) -> int:
    """Play it; the exit code."""
    _say(f"seed {seed}")
    port = free_port()
    settings = {"sources.job_delay": 0, "queue.reconnect_grace": 2.0}
    async with (
        Studio(hook_url=Channel.hook_url(port), drop_idle=5.0, progress=_say) as studio,
        Channel(studio, port=port, settings=settings) as channel,
    ):
        play = Chaos(studio, channel, random.Random(seed))
        try:
            await play.run(seconds)
        finally:
            if play.failures:
                _say("the end of the daemon's log:")
                _say("\n".join(channel.log_file.read_text().splitlines()[-60:]))
    return 1 if play.failures else 0


def _say(line: str) -> None:
    print(line, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args(argv)
    return asyncio.run(chaos(arguments.hours * 3600, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
