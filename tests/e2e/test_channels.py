"""Two channels for real: two daemons, one RTMP server, and one OBS with a scene for each, or two."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import pytest

from daemon.studio import Studio, free_port
from daemon.studio.channel import Channel, on_air
from tests.e2e.live import PROMISED_SILENCE, QUICK, assert_seamless, note_hiccups
from tests.e2e.support import becomes

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

GOLD = "GOLD"


class Pair(NamedTuple):
    """One studio, and the daemons of its two channels."""

    studio: Studio
    main: Channel
    gold: Channel

    async def inputs(self, prefix: str, scene: str) -> dict[str, bool]:
        """A channel's inputs in a scene, and whether each is shown there."""
        items = (await self.studio.obs.call("GetSceneItemList", {"sceneName": scene}))["sceneItems"]
        return {item["sourceName"]: item["sceneItemEnabled"] for item in items if item["sourceName"].startswith(prefix)}

    async def gold_picture(self) -> bytes:
        """What its scene shows, small."""
        asked = {"sourceName": GOLD, "imageFormat": "png", "imageWidth": 32, "imageHeight": 18}
        answer = await self.studio.obs.call("GetSourceScreenshot", asked)
        return base64.b64decode(answer["imageData"].partition(",")[2])


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    ports = free_port(), free_port()
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(
            Studio(hook_url=Channel.hook_url(ports[0]), others={"gold": Channel.hook_url(ports[1])})
        )
        await studio.obs.call("CreateScene", {"sceneName": GOLD})
        main = Channel(studio, port=ports[0], settings={**QUICK, "ingest.apps": ["live"]})
        gold = Channel(
            studio,
            port=ports[1],
            settings={
                **QUICK,
                "channel": "gold",
                "ingest.apps": ["gold"],
                "obs.scene": GOLD,
                "sources.prefix": "GOLD_",
                # Its scene is not Program's: nobody's turn is to wait for that.
                "obs.program": "warn",
            },
        )
        await stack.enter_async_context(main)
        await stack.enter_async_context(gold)
        for channel, app, names in ((main, "live", ("alice", "bob")), (gold, "gold", ("carol", "dave"))):
            for name in names:
                await studio.publish(name, app=app)
                if name == names[0]:
                    await channel.until_on_air(name)
        yield Pair(studio, main, gold)


async def test_two_channels_in_one_obs_hand_over_without_each_other() -> None:
    async with pair() as both:
        studio, main, gold = both
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        seen: list[tuple[str | None, str | None]] = []
        for _ in range(3):
            for channel in (main, gold):
                await channel.until(lambda status: status["state"] == "STANDBY")
            await asyncio.gather(main.skip(), gold.skip())
            seen.append((on_air(await main.status()), on_air(await gold.status())))
        recording = await studio.obs.stop_recording()
        late = await hiccups()
        assert seen == [("bob", "dave"), ("alice", "carol"), ("bob", "dave")]
        verdict = await studio.analyse(recording)
        assert verdict.seen == ("alice", "bob", "alice", "bob"), verdict.summary()
        assert set(verdict.sounded) <= {"alice", "bob", "(silent)", "(unknown)"}, verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE)
        before = await both.gold_picture()

        async def moves() -> bool:
            return await both.gold_picture() != before

        await becomes(moves, True)


async def test_a_channel_that_is_killed_takes_nothing_of_the_other_with_it() -> None:
    async with pair() as both:
        main, gold = both.main, both.gold
        await gold.until(lambda status: status["state"] == "STANDBY")
        before = await both.inputs("GOLD_", GOLD)
        await gold.kill()
        await main.skip()
        await main.until_on_air("bob")
        assert await both.inputs("GOLD_", GOLD) == before, "the other daemon's are left alone"
        await gold.start()
        await gold.until_on_air("carol")
        assert [name for name, shown in (await both.inputs("GOLD_", GOLD)).items() if shown] == [
            name for name, shown in before.items() if shown
        ]
        await main.until_on_air("bob")
        await becomes(lambda: _count(both), (2, 2))
        assert not [line for line in (*main.lines(), *gold.lines()) if "another Motherstream" in line["event"]]


async def _count(both: Pair) -> tuple[int, int]:
    main = await both.inputs("GMOTHERSTREAM_", both.studio.scene)
    return len(main), len(await both.inputs("GOLD_", GOLD))


async def test_two_channels_on_two_obs_share_one_rtmp_server() -> None:
    ports = free_port(), free_port()
    async with (
        Studio(hook_url=Channel.hook_url(ports[0]), others={"gold": Channel.hook_url(ports[1])}) as studio,
        Studio(external_rtmp=studio.nginx.rtmp_base("gold")) as other,
        Channel(studio, port=ports[0], settings={**QUICK, "ingest.apps": ["live"]}) as main,
        Channel(
            other,
            port=ports[1],
            # Not even a prefix of its own: nothing is shared but the server.
            settings={**QUICK, "channel": "gold", "ingest.apps": ["gold"]},
        ) as gold,
    ):
        for studio_, channel, names in ((studio, main, ("alice", "bob")), (other, gold, ("carol", "dave"))):
            for name in names:
                await studio_.publish(name)
                if name == names[0]:
                    await channel.until_on_air(name)
        for channel in (main, gold):
            await channel.until(lambda status: status["state"] == "STANDBY")
        await gold.skip()
        assert [place["streamer"] for place in (await main.status())["queue"]] == ["alice", "bob"]
        assert [place["streamer"] for place in (await gold.status())["queue"]] == ["dave", "carol"]
        assert (on_air(await main.status()), on_air(await gold.status())) == ("alice", "dave")
