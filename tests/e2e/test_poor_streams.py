"""What is measured beside the picture, on the real thing: a poor bitrate, and an OBS that renders late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daemon.studio import Studio, free_port
from daemon.studio.channel import Channel, on_air
from tests.e2e.live import QUICK, live, shown
from tests.e2e.support import becomes
from tests.fakes.srs import Client, FakeSrs

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

GOOD, POOR = 3000.0, 100.0
STEP = 0.1


class Uplinks:
    """Publishers' bytes, as SRS's API tells them: the studio's own RTMP server has no such API."""

    def __init__(self, srs: FakeSrs) -> None:
        self.srs = srs
        self.kbps: dict[str, float] = {}
        self.clients: dict[str, Client] = {}

    async def publish(self, studio: Studio, name: str) -> None:
        # A keyframe every few frames: who is slow to show a picture has no chance before one who has one.
        await studio.publish(name, keyframe_every=5)
        client = await self.ask(studio, name)
        assert client is not None
        self.kbps[name], self.clients[name] = GOOD, client

    async def ask(self, studio: Studio, name: str) -> Client | None:
        """SRS asks whether this streamer may publish."""
        address = studio.keys.address(name)
        return await self.srs.publish("live", address.stream, f"?{address.query}" if address.query else "")

    @property
    def connected(self) -> set[str]:
        """Whom SRS has not cut off."""
        return {name for name, client in self.clients.items() if client.id in self.srs.clients}

    async def run(self) -> None:
        while True:
            for name, client in self.clients.items():
                client.received += round(self.kbps[name] * 1000 / 8 * STEP)
            await asyncio.sleep(STEP)


@asynccontextmanager
async def measured(**health: float) -> AsyncIterator[tuple[Studio, Channel, Uplinks]]:
    """Alice is on air and bob stands by; their server tells how much they send."""
    port = free_port()
    settings = {**QUICK, "ingest.reconcile": 0.5, **{f"health.low_bitrate_{step}": at for step, at in health.items()}}
    async with (
        FakeSrs(f"http://127.0.0.1:{port}/hooks/srs") as srs,
        Studio(slate="SLATE") as studio,
        Channel(studio, port=port, settings={**settings, "ingest.srs_api": srs.url}) as channel,
    ):
        uplinks = Uplinks(srs)
        running = asyncio.create_task(uplinks.run())
        try:
            await uplinks.publish(studio, "alice")
            await channel.until_on_air("alice")
            await uplinks.publish(studio, "bob")
            await channel.until(lambda status: on_air(status) == "alice" and status["state"] == "STANDBY")
            yield studio, channel, uplinks
        finally:
            running.cancel()


async def test_a_poor_stream_gives_way_to_the_slate_comes_back_and_is_skipped_the_second_time() -> None:
    async with measured(warn=1, slate=2, skip=14) as (studio, channel, uplinks):
        uplinks.kbps["alice"] = POOR
        status = await channel.until_on_air(None)
        assert status["last_switch"]["reason"] == "low_bitrate"
        assert await shown(studio) == []
        uplinks.kbps["alice"] = GOOD
        status = await channel.until_on_air("alice")
        assert status["last_switch"]["reason"] == "returned"
        places = (await channel.get("/queue"))["queue"]
        assert [(place["streamer"], place["has_turn"]) for place in places] == [("alice", True), ("bob", False)]
        uplinks.kbps["alice"] = POOR
        await channel.until_on_air("bob", within=60)

        async def steps() -> list[str]:
            return [
                line["step"] for line in channel.lines() if line["event"].startswith(("alice sends", "alice's bit"))
            ]

        await becomes(steps, ["warn", "slate", "over", "warn", "slate", "skip"])


async def test_a_poor_stream_is_kicked_where_the_operator_wants_it_and_kept_out() -> None:
    async with measured(kick=2) as (studio, channel, uplinks):
        uplinks.kbps["alice"] = POOR
        await channel.until_on_air("bob", within=40)
        await becomes(lambda: _clients(uplinks), {"bob"})
        blocked = (await channel.get("/queue"))["blocked"]
        assert [row["streamer"] for row in blocked] == ["alice"]
        assert await uplinks.ask(studio, "alice") is None


async def _clients(uplinks: Uplinks) -> set[str]:
    return uplinks.connected


async def test_standby_is_given_up_while_obs_renders_late_and_the_status_says_so() -> None:
    async with live("alice", "bob") as (studio, channel):
        status = await channel.until(lambda status: status["state"] == "STANDBY")
        assert status["standby_off"] is None

        async def starve() -> None:
            while True:
                await studio.obs.freeze()
                await asyncio.sleep(0.3)
                await studio.obs.thaw()
                await asyncio.sleep(0.1)

        starving = asyncio.create_task(starve())
        try:
            status = await channel.until(lambda status: status["standby_off"] is not None, within=90)
        finally:
            starving.cancel()
            await asyncio.gather(starving, return_exceptions=True)
            await studio.obs.thaw()
        assert status["standby_off"]["reason"] == "render_lag"
        assert status["standby_off"]["render_lag"] >= 0.25
        status = await channel.until(lambda status: status["standby"] is None and status["state"] == "IDLE")
        assert on_air(status) == "alice"
        await becomes(lambda: shown(studio), [status["on_air"]["input"]])
        await channel.post("/queue/skip")
        await channel.until_on_air("bob")
