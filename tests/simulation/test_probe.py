"""What a probe reports, from its request to the picture: the whole daemon, with a server that tells nothing itself."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.core.probing import Order, Report
from statemachine.monitors.ghosts import GONE_AFTER
from tests.daemon.quality.reports import SILENT, report
from tests.simulation.stage import on_air
from tests.simulation.test_who_publishes import line_up, picture
from tests.simulation.world import SLATE, World

GONE: Mapping[str, Any] = {
    **{"state": "stopped", "video": None, "audio": None, "kbps": 0.0},
    **{"sound": None, "picture": None, "drift": None},
}
NO_API = {"ingest__srs_api": "", "obs__slate": SLATE}


async def probe(w: World, seconds: float, **reported: Mapping[str, Any]) -> None:
    """A probe that says this of these streamers for so long, once a second."""
    began = w.loop.now
    orders: list[Order] = []
    while w.loop.now - began < seconds:
        await asyncio.sleep(1.0)
        streams: list[Report] = []
        for order in orders:
            changes = dict(reported.get(order["streamer"], {}))
            if changes.get("state") == "stopped":
                changes["seconds"] = w.loop.now - began
            streams.append(report(order["session"], **changes))
        orders = (await w.ask("POST", "/probe", {"streams": streams}))["streams"]


def slate_is_shown(w: World) -> bool:
    return next(item.enabled for item in w.obs.scene_items("MOTHERSTREAM") if item.name == SLATE)


def test_one_of_whom_nothing_comes_leaves_where_the_server_has_no_list(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.srs.clients.clear()
        w.freeze("bob")
        await probe(w, GONE_AFTER - 20.0, bob=GONE)
        assert line_up(w) == ["alice", "bob"]
        await probe(w, GONE_AFTER + 20.0, bob=GONE)
        assert line_up(w) == ["alice"]
        assert picture(w) == "alice"

    on_air(tmp_path, act, sources__standby=False, **NO_API)


def test_a_low_bitrate_is_known_where_the_server_tells_no_bytes(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        await probe(w, 20.0, alice={"kbps": 60.0})
        assert slate_is_shown(w)
        await probe(w, 20.0, alice={"kbps": 3000.0})
        assert not slate_is_shown(w)
        assert picture(w) == "alice"

    on_air(tmp_path, act, health__low_bitrate_slate=10.0, **NO_API)


def test_who_waits_in_silence_is_passed_over_and_its_reason_stands_in_the_line_up(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.publish("carol")
        await probe(w, 20.0, bob={"sound": SILENT})
        row = next(row for row in (await w.ask("GET", "/queue"))["queue"] if row["streamer"] == "bob")
        assert row["passed_over"] is True
        assert row["problem"]["reason"] == "silent"
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: picture(w) == "carol")
        w.obs.program.assert_seamless()

    on_air(tmp_path, act, quality__silence=10.0, **NO_API)


def test_whoever_is_covered_is_shown_again_when_the_probe_is_gone_or_no_longer_wanted(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        for end in ("gone", "off"):
            await probe(w, 20.0, alice={"sound": SILENT}, bob={"sound": SILENT})
            assert slate_is_shown(w)
            if end == "off":
                w.reload(probe__enabled="off")
            await w.until(lambda: picture(w) == "alice" and not slate_is_shown(w), 30.0)

    on_air(tmp_path, act, quality__silence=10.0, **NO_API)


@pytest.mark.parametrize(("enabled", "ready"), [("on", False), ("auto", True)])
def test_a_probe_that_stops_reporting_is_logged_and_fails_readyz_where_one_is_expected(
    tmp_path: Path, enabled: str, ready: bool
) -> None:
    async def act(w: World) -> None:
        await probe(w, 5.0)
        assert len(w.said("A probe measures the streams")) == 1
        assert (await w.ask("GET", "/readyz"))["ready"] is True
        await asyncio.sleep(40.0)
        assert len(w.said("No probe reports any more")) == 1
        told = await w.ask("GET", "/readyz")
        assert told["ready"] is ready
        assert ("motherstream-probe" in str(told["checks"])) is not ready
        await probe(w, 5.0)
        assert (await w.ask("GET", "/readyz"))["ready"] is True

    on_air(tmp_path, act, probe__enabled=enabled)
