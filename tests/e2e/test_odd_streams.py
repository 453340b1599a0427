"""Streams as people send them, on a real OBS: without a sound track, without a picture, in a codec it cannot play."""

import time

import pytest

from daemon.studio import Delivers, Studio, free_port
from daemon.studio.channel import Channel, on_air
from tests.e2e.lent import plugins
from tests.support import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

NO_MORE_THAN = 1.0
"""Seconds that a stream without a sound track may take longer than another."""
STARTS = 3
"""Of each: a second that is lost by chance is not lost each time."""
NAMED_WITHIN = 9.0
"""Seconds: BELIEVED_AFTER, and a list every five."""


def settings(studio: Studio, **more: object) -> dict[str, object]:
    api = {"ingest.nginx_stat": studio.nginx.stat_url, "ingest.nginx_control": studio.nginx.control_url}
    return {"sources.kind": "ffmpeg", "sources.job_delay": 0, "queue.auth": "open", **api, **more}


def problem(status: dict[str, object], streamer: str) -> str | None:
    queue = status["queue"]
    assert isinstance(queue, list)
    found = next((place["problem"] for place in queue if place["streamer"] == streamer), None)
    return found["reason"] if found else None


async def test_a_stream_without_a_sound_track_is_on_air_as_soon_as_another() -> None:
    port = free_port()
    borrowed = plugins()
    more = {"queue.reconnect_grace": 0.5, **({"sources.kind": "gstreamer"} if borrowed else {})}
    took: dict[Delivers, list[float]] = {Delivers.PICTURE_AND_SOUND: [], Delivers.PICTURE: []}
    async with (
        Studio(hook_url=Channel.hook_url(port), obs_plugins=borrowed) as studio,
        Channel(studio, port=port, settings=settings(studio, **more)) as channel,
    ):
        for number in range(STARTS):
            for delivers, seconds in took.items():
                name = f"{'alice' if delivers is Delivers.PICTURE_AND_SOUND else 'bob'}{number}"
                # A keyframe every few frames, so that chance has no part in how long OBS waits for one.
                publisher = await studio.publish(name, delivers=delivers, keyframe_every=5)
                began = time.monotonic()
                await channel.until_on_air(name)
                seconds.append(time.monotonic() - began)
                await publisher.stop()
                await channel.until(lambda status: not status["queue"])
    assert max(took[Delivers.PICTURE]) - max(took[Delivers.PICTURE_AND_SOUND]) <= NO_MORE_THAN, took


async def test_a_stream_without_a_picture_is_named_and_the_one_behind_it_comes_on_air() -> None:
    port = free_port()
    async with (
        Studio(hook_url=Channel.hook_url(port)) as studio,
        Channel(studio, port=port, settings=settings(studio)) as channel,
    ):
        await studio.publish("alice", delivers=Delivers.SOUND)
        await studio.publish("bob")
        await channel.until_on_air("bob", within=NAMED_WITHIN)
        await channel.until(lambda status: problem(status, "alice") == "no_video", within=NAMED_WITHIN)
        line = "alice cannot come on air: the stream has sound but no picture: add a video source in the encoder "
        # It is told once it is in the journal, a moment after the status knows of it.
        await until(lambda: any(event.startswith(line) for event in channel.events()))
        await channel.call("POST", "/queue/alice/kick?seconds=30")

        async def dropped() -> bool:
            return "alice" not in await studio.nginx.publishing()

        await until(dropped)
        assert on_air(await channel.status()) == "bob"
