"""Sound and picture measured on the real thing: a real OBS, a real RTMP server, and the probe beside the daemon."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.studio import Publisher, Spoilt, Studio
from daemon.studio.channel import Channel, on_air
from daemon.studio.prober import Prober
from tests.e2e.live import assert_seamless, live, note_hiccups

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

COVERED = 6.0
TOLD_WITHIN = 5.0
LATE = 1.0
"""Seconds that a report and a look at /status may take on a busy machine."""


@asynccontextmanager
async def measured(*names: str, **settings: object) -> AsyncIterator[tuple[Studio, Channel, Prober]]:
    """A channel with these on it, and a probe that measures each."""
    async with (
        live(*names, **settings) as (studio, channel),
        Prober(channel.url, studio.folder) as prober,
    ):
        await channel.until(lambda status: all(is_measured(row(status, name)) for name in names))
        yield studio, channel, prober


def row(status: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next((row for row in status["queue"] if row["streamer"] == name), {})
    return found


def is_measured(row: dict[str, Any]) -> bool:
    return bool(row.get("probe") and row["probe"]["level"] is not None and row["probe"]["preview"])


def faults(status: dict[str, Any], name: str) -> set[str]:
    return {fault["reason"] for fault in row(status, name).get("faults", ())}


def publisher(studio: Studio, name: str) -> Publisher:
    return next(each for each in studio.publishers if each.name == name)


@asynccontextmanager
async def spoilable(*names: str, **settings: object) -> AsyncIterator[tuple[Studio, Channel, Prober]]:
    """The same with publishers that can be spoilt."""
    async with live(**settings) as (studio, channel), Prober(channel.url, studio.folder) as prober:
        for name in names:
            await studio.publish(name, spoilable=True)
            if name == names[0]:
                await channel.until_on_air(name)
        await channel.until(lambda status: all(is_measured(row(status, name)) for name in names))
        yield studio, channel, prober


async def test_what_dies_on_air_is_told_within_seconds_covered_and_shown_again() -> None:
    settings: dict[str, object] = {f"quality__{what}": COVERED for what in ("silence", "black", "frozen")}
    async with spoilable("alice", slate="SLATE", **settings) as (studio, channel, _):
        alice = publisher(studio, "alice")
        for what, reason in ((Spoilt.MUTED, "silent"), (Spoilt.BLACK, "black"), (Spoilt.FROZEN, "frozen")):
            alice.spoil(what)
            began = time.monotonic()
            await channel.until(lambda status, reason=reason: reason in faults(status, "alice"))  # type: ignore[misc]  # a lambda's default
            assert time.monotonic() - began <= TOLD_WITHIN + LATE, reason
            status = await channel.until(lambda status: status["covered"] is not None and on_air(status) is None)
            assert time.monotonic() - began <= COVERED + 1.5 + LATE, reason
            assert status["covered"] == reason
            assert status["program"]["shown"] is True
            alice.mend()
            await channel.until_on_air("alice")
            await channel.until(lambda status: not faults(status, "alice"))


async def test_what_is_wrong_with_those_who_wait_is_told_and_they_are_passed_over() -> None:
    wrong = {
        "bob": (Spoilt.MUTED, "silent"),
        "carol": (Spoilt.ONE_SIDED, "one_sided"),
        "dave": (Spoilt.INVERTED, "inverted"),
        "erin": (Spoilt.CLIPPING, "clipping"),
    }
    async with spoilable("alice", *wrong, "frank", quality__silence_skip=8.0) as (studio, channel, _):
        for name, (what, _reason) in wrong.items():
            publisher(studio, name).spoil(what)
        await channel.until(
            lambda status: all(reason in faults(status, name) for name, (_, reason) in wrong.items()), within=40.0
        )
        status = await channel.until(lambda status: row(status, "bob")["passed_over"])
        assert not faults(status, "alice")
        assert not faults(status, "frank")
        assert [row["streamer"] for row in status["queue"] if row["passed_over"]] == ["bob"]
        assert "right channel" in row(status, "carol")["faults"][0]["message"]
        assert on_air(await channel.skip()) == "carol"
        # The operator's word is the last.
        await channel.post("/queue/take?name=bob")
        await channel.until_on_air("bob")


async def test_two_who_are_12_db_apart_are_as_loud_as_each_other() -> None:
    async with (
        live("alice", sources__target_loudness=-20.0) as (studio, channel),
        Prober(channel.url, studio.folder),
    ):
        await studio.publish("bob", gain=-12.0)
        status = await channel.until(lambda status: None not in heard(status))
        loud, soft = heard(status)
        assert loud - soft == pytest.approx(12.0, abs=0.5)
        await channel.until(lambda status: abs(row(status, "alice")["probe"]["gain"] + 20 + loud) < 0.6, within=60)
        await channel.until(lambda status: status["state"] == "STANDBY" and row(status, "bob")["probe"]["gain"] > 5)
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        await asyncio.sleep(2.0)
        assert on_air(await channel.skip()) == "bob"
        await asyncio.sleep(2.5)
        late = await hiccups()
        recording = await studio.obs.stop_recording()
        verdict = await studio.analyse(recording)
        assert_seamless(verdict, late)
        (cut,) = verdict.cuts
        before, after = await loudness(recording, 0.3, cut - 0.3), await loudness(recording, cut + 0.5, cut + 2.0)
        assert abs(before - after) < 2.0, (before, after)


def heard(status: dict[str, Any]) -> tuple[Any, Any]:
    """The loudness of both, as far as it is known."""
    alice, bob = ((row(status, name).get("probe") or {}).get("loudness") for name in ("alice", "bob"))
    return alice, bob


async def loudness(recording: Path, start: float, end: float) -> float:
    """Of a part of it, as ffmpeg's own meter has it, in LUFS."""
    meter = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-nostdin", "-hide_banner", "-ss", str(start), "-t", str(end - start), "-i", str(recording)),
        *("-map", "0:a:0", "-af", "ebur128", "-f", "null", "-"),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    _, log = await meter.communicate()
    return float(re.findall(r"I: +(-?[\d.]+) LUFS", log.decode())[-1])


async def test_whatever_becomes_of_the_probe_and_whatever_is_sent_to_it_the_show_goes_on() -> None:
    async with measured("alice", "bob") as (studio, channel, prober):
        await channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        rubbish = await broken(studio, "mallory")
        try:
            await channel.until(lambda status: bool(row(status, "mallory").get("probe")), within=60.0)
            await prober.process.freeze()
            await channel.until(lambda status: row(status, "alice")["probe"] is None)
            assert on_air(await channel.skip()) == "bob"
            await prober.process.thaw()
            await channel.until(lambda status: is_measured(row(status, "bob")))
            await prober.process.kill()
            await channel.until(lambda status: row(status, "bob")["probe"] is None)
            await prober.start()
            await channel.until(lambda status: is_measured(row(status, "bob")) and is_measured(row(status, "alice")))
            assert on_air(await channel.status()) == "bob"
        finally:
            rubbish.kill()
            await rubbish.wait()
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("alice", "bob"), verdict.summary()
        assert_seamless(verdict, late)


async def broken(studio: Studio, name: str) -> asyncio.subprocess.Process:
    """One that publishes well for a moment, and then rubbish in the same stream."""
    address = studio.keys.address(name)
    await studio.keys.admit(name)
    url = f"{studio.rtmp_base}/{address.stream}" + (f"?{address.query}" if address.query else "")
    return await asyncio.create_subprocess_exec(
        *("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "quiet", "-re", "-f", "lavfi"),
        *("-i", "testsrc2=s=320x180:r=30[out0];sine=f=880:r=48000[out1]"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "48000"),
        *("-bsf:v", "noise=amount=gt(n\\,60)*4", "-bsf:a", "noise=amount=gt(n\\,90)*4", "-f", "flv", url),
    )


async def test_a_low_bitrate_is_known_where_the_server_tells_no_bytes() -> None:
    async with (
        live(health__low_bitrate=90.0, health__low_bitrate_warn=2.0) as (studio, channel),
        Prober(channel.url, studio.folder),
    ):
        await studio.publish("alice", spoilable=True)
        await channel.until_on_air("alice")
        publisher(studio, "alice").spoil(Spoilt.FROZEN)
        publisher(studio, "alice").spoil(Spoilt.MUTED)
        health = await until_issue(channel, "low_bitrate")
        assert 0 < health["ingest"]["bitrate"] < 90.0
        assert any("sends only" in event for event in channel.events())


async def until_issue(channel: Channel, issue: str, within: float = 60.0) -> dict[str, Any]:
    deadline = time.monotonic() + within
    while True:
        health: dict[str, Any] = await channel.get("/stream-health/current")
        if issue in health["issues"] and any("sends only" in event for event in channel.events()):
            return health
        assert time.monotonic() < deadline, health
        await asyncio.sleep(0.2)
