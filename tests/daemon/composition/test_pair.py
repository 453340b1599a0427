"""Two daemons of a channel in one process: on a real PostgreSQL, with a fake OBS and a fake SRS between them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
from structlog.testing import capture_logs

from daemon.app import App
from daemon.composition.live import Live
from daemon.config.keys import secret_values
from daemon.config.loader import load
from daemon.core.redaction import Redactor
from daemon.observability.logging import LogHandle
from daemon.shared.streamers import SharedStreamers
from daemon.streamers.store import StreamerStore
from daemon.studio.ports import free_port
from tests.fakes import FakeObs, Stream
from tests.fakes.srs import FakeSrs
from tests.support.waiting import until


class _Quiet:
    """The log's handle, where the test reads the lines themselves."""

    def set_level(self, level: str) -> None:
        """There is but one."""

    def reopen(self) -> None:
        """There is no file."""


class Member:
    """One of the channel's daemons."""

    def __init__(self, folder: Path, store_url: str, obs: FakeObs, srs: FakeSrs) -> None:
        folder.mkdir()
        self.port = free_port()
        self.database = folder / "motherstream.db"
        self.url = f"http://127.0.0.1:{self.port}"
        sections: dict[str, dict[str, object]] = {
            "http": {"port": self.port},
            "obs": {"port": obs.port, "password": obs.password},
            "ingest": {"srs_api": srs.url, "reconcile": 1},
            "sources": {"job_delay": 0, "cleanup_grace": 0.3},
            "health": {"report_dir": ""},
            "log": {"file": str(folder / "motherstream.log")},
            "store": {"path": str(self.database), "url": store_url, "lease": 2},
        }
        file = folder / "motherstream.toml"
        file.write_text(
            "".join(
                f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in rows.items())
                for name, rows in sections.items()
            )
        )
        config = load(file, {})
        redactor = Redactor(*secret_values(config))
        self.app = App(Live(config, file, redactor, cast("LogHandle", _Quiet())))
        self.running: asyncio.Task[int] | None = None

    def start(self) -> None:
        self.running = asyncio.create_task(self.app.run(), name=self.url)

    async def stop(self) -> int:
        assert self.running is not None
        self.app._stop.set()
        return await self.running

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status, and the answer, decoded; 0 where nobody answers."""
        async with aiohttp.ClientSession() as http:
            try:
                async with http.request(method, self.url + path, json=body) as answer:
                    return answer.status, await answer.json(content_type=None)
            except aiohttp.ClientError:
                return 0, None

    async def is_owner(self) -> bool:
        return await self.ask("GET", "/owner") == (200, {"role": "owner"})

    async def is_heir(self) -> bool:
        return await self.ask("GET", "/owner") == (503, {"role": "heir"})

    async def status(self) -> Any:
        return (await self.ask("GET", "/status"))[1]

    async def could_give_way_to(self, other: "Member") -> bool:
        heir = (await self.status())["owner"]["heir"]
        return bool(heir and heir["address"] == other.url and heir["sees_obs"])

    async def knows_as_owner(self, other: "Member") -> bool:
        return bool((await self.status())["owner"]["address"] == other.url)

    async def shows(self, streamer: str) -> bool:
        return (((await self.status()) or {}).get("on_air") or {}).get("streamer") == streamer


@asynccontextmanager
async def two(folder: Path, store_url: str) -> AsyncIterator[tuple[Member, Member, FakeObs, FakeSrs]]:
    async with FakeObs() as obs, FakeSrs() as srs:
        members = [Member(folder / name, store_url, obs, srs) for name in ("one", "two")]
        with capture_logs():
            try:
                yield members[0], members[1], obs, srs
            finally:
                for member in members:
                    if member.running is not None and not member.running.done():
                        await member.stop()


async def publish(obs: FakeObs, srs: FakeSrs, streamer: str, key: str) -> None:
    obs.streams[f"rtmp://127.0.0.1:1935/live/{streamer}"] = Stream(0.1)
    assert await srs.publish("live", streamer, f"?key={key}") is not None


async def test_a_channel_changes_hands_and_the_show_goes_on(tmp_path: Path, store_url: str) -> None:
    """By a step-down, and by the owner's end; hooks come to the heir all the while."""
    async with two(tmp_path, store_url) as (one, other, obs, srs):
        # Of its own from before the store was shared: nobody's key is taken away.
        own = StreamerStore(one.database).add("carol")
        one.start()
        await until(one.is_owner)
        alice = await asyncio.to_thread(SharedStreamers(store_url).add, "alice")
        other.start()
        await until(other.is_heir)
        srs.hook_url = f"{other.url}/hooks/srs"
        await publish(obs, srs, "alice", alice)
        await until(lambda: one.shows("alice"))
        await until(lambda: one.could_give_way_to(other))
        shown = [item.source.name for item in obs.studio.scene("MOTHERSTREAM").items]
        assert (await one.ask("POST", "/step-down"))[0] == 200
        await until(other.is_owner)
        await until(one.is_heir)
        await until(lambda: other.shows("alice"))
        assert [item.source.name for item in obs.studio.scene("MOTHERSTREAM").items] == shown
        status = await other.status()
        assert (status["owner"]["here"], status["owner"]["epoch"]) == (True, 2)
        await until(lambda: one.knows_as_owner(other))
        # Asked at the heir, done by the owner.
        assert (await one.ask("GET", "/fleet"))[1]["channels"][0]["channel"] == "main"
        assert await other.stop() == 0
        await until(one.is_owner)
        await until(lambda: one.shows("alice"))
        srs.hook_url = f"{one.url}/hooks/srs"
        await publish(obs, srs, "carol", own)
        assert await one.stop() == 0


async def test_a_hook_that_nobody_owned_the_channel_for_is_read_by_the_next_owner(
    tmp_path: Path, store_url: str
) -> None:
    async with two(tmp_path, store_url) as (one, other, obs, srs):
        one.start()
        await until(one.is_owner)
        alice = await asyncio.to_thread(SharedStreamers(store_url).add, "alice")
        other.start()
        await until(other.is_heir)
        srs.hook_url = f"{other.url}/hooks/srs"
        assert one.running is not None
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)
        await publish(obs, srs, "alice", alice)
        await until(other.is_owner)
        await until(lambda: other.shows("alice"))
