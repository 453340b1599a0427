"""What the daemon does beside the picture, on the real thing: it keeps overlays current and OBS's output streaming."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon.studio import Studio, free_port
from daemon.studio.channel import Channel
from tests.e2e.live import live
from tests.e2e.support import becomes
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

OVERLAYS = {
    "overlays__on_air_text": "TIMER",
    "overlays__on_air_template": "now {on_air}, next {next}",
    "overlays__timer": "TIMER",
    "overlays__time_remaining": "TIME REMAINING",
}


async def visible(studio: Studio, name: str) -> bool:
    items = (await studio.obs.call("GetSceneItemList", {"sceneName": studio.scene}))["sceneItems"]
    return next(bool(item["sceneItemEnabled"]) for item in items if item["sourceName"] == name)


async def text(studio: Studio, name: str) -> str:
    settings = (await studio.obs.call("GetInputSettings", {"inputName": name}))["inputSettings"]
    return str(settings.get("text", ""))


async def test_overlays_say_who_is_on_air_and_are_shown_while_somebody_is() -> None:
    async with live(**OVERLAYS) as (studio, channel):
        await becomes(lambda: visible(studio, "TIMER"), False)
        await becomes(lambda: visible(studio, "TIME REMAINING"), False)
        publisher = await studio.publish("alice")
        await channel.until_on_air("alice")
        await becomes(lambda: visible(studio, "TIMER"), True)
        await becomes(lambda: visible(studio, "TIME REMAINING"), True)
        await studio.publish("bob")
        await becomes(lambda: text(studio, "TIMER"), "now alice, next bob")
        await channel.until(lambda status: status["state"] == "STANDBY")
        await channel.skip()
        await becomes(lambda: text(studio, "TIMER"), "now bob, next alice")
        await publisher.stop()
        await studio.publishers[-1].stop()
        await channel.until_on_air(None)
        await becomes(lambda: visible(studio, "TIMER"), False)


@asynccontextmanager
async def viewers() -> AsyncIterator[str]:
    """A server that takes OBS's output, as a streaming platform does; its address."""
    address = f"rtmp://127.0.0.1:{free_port()}/out"

    async def take() -> None:
        while True:
            sink = await asyncio.create_subprocess_exec(
                *("ffmpeg", "-v", "error", "-listen", "1", "-i", f"{address}/program", "-f", "null", "-"),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                await sink.wait()
            finally:
                if sink.returncode is None:
                    sink.kill()
                    await sink.wait()

    taking = asyncio.create_task(take())
    try:
        yield address
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def test_the_output_is_started_and_a_stop_by_hand_is_respected() -> None:
    async with viewers() as address, Studio() as studio:
        service = {"server": address, "key": "program"}
        await studio.obs.call(
            "SetStreamServiceSettings", {"streamServiceType": "rtmp_custom", "streamServiceSettings": service}
        )

        async def streams() -> bool:
            return bool((await studio.obs.call("GetStreamStatus"))["outputActive"])

        async with Channel(studio, settings={"obs.keep_streaming": True}) as channel:

            async def told(words: str) -> bool:
                return any(event.startswith(words) for event in channel.events())

            await until(streams)
            await until(lambda: told("OBS's output is streaming"))
            await studio.obs.call("StopStream")
            await until(lambda: told("OBS's output was stopped by hand: it is left alone"))
            assert not await streams()
            # Started by hand again, it is kept again.
            await studio.obs.call("StartStream")
            await until(streams)
