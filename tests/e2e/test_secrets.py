"""The canaries of tests/attacks on the real studio: OBS, nginx-rtmp, ffmpeg, the daemon at debug level."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from daemon.streamers.store import StreamerStore
from daemon.studio import Studio, free_port
from daemon.studio.channel import Channel, on_air
from tests.e2e.live import QUICK, own_inputs

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

LOOKS = (
    "/status",
    "/queue",
    "/history",
    "/metrics",
    "/readyz",
    "/obs/list-inputs",
    "/obs/connection-health",
    "/stream-health/current",
)


async def listen(url: str, headers: dict[str, str], heard: bytearray) -> None:
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{url}/events") as stream:
        async for line in stream.content:
            heard += line


def ready(status: dict[str, Any]) -> bool:
    """Somebody stands by."""
    return bool(status["standby"] and status["standby"]["ready"])


def command_lines() -> str:
    """Of every process on this machine but the streamers' own: an ffmpeg shows what it publishes to."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            if not line.startswith(b"ffmpeg") and b"/ffmpeg\0" not in line[:200]:
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


async def test_no_secret_is_seen_on_the_real_studio_either(tmp_path: Path) -> None:
    store = StreamerStore(tmp_path / "motherstream.db")
    canary = {name: f"canary{secrets.token_hex(12)}" for name in ("token", "hook", "wrong")}
    canary |= {name: store.add(name) for name in ("alice", "bob")}
    for name in ("token", "hook"):
        (tmp_path / name).write_text(canary[name])
    port, bearer = free_port(), {"Authorization": f"Bearer {canary['token']}"}
    seen: dict[str, str] = {}
    async with Studio(hook_url=f"{Channel.hook_url(port)}?secret={canary['hook']}") as studio:
        canary["obs"] = studio.obs.password
        (tmp_path / "obs").write_text(canary["obs"])
        settings = {
            **QUICK,
            "log.level": "debug",
            "queue.auth": "keys",
            "store.path": tmp_path / "motherstream.db",
            "obs.password": None,
            "obs.password_file": tmp_path / "obs",
            "http.token_file": tmp_path / "token",
            "hooks.secret_file": tmp_path / "hook",
        }
        async with Channel(studio, port=port, settings=settings) as channel:
            assert channel._http is not None
            channel._http.headers.update(bearer)
            heard = bytearray()
            listening = asyncio.create_task(listen(channel.url, bearer, heard))
            # A key in the parameters, which the play URL does not need, and one that is the stream's name.
            await studio.publish("alice", query=f"key={canary['alice']}")
            await studio.publish("bob", stream=canary["bob"])
            refused = studio.publisher("mallory", query=f"key={canary['wrong']}")
            with pytest.raises(Exception, match="mallory"):
                await refused.start()
            await channel.until(lambda status: on_air(status) is not None and ready(status))
            for _ in range(2):
                await channel.skip()
            await channel.kill()
            await channel.start()
            await channel.until(lambda status: bool(status["obs"]["connected"]) and ready(status))
            await channel.skip()
            for path in LOOKS:
                async with channel._http.get(path) as answer:
                    seen[path] = await answer.text() + str(answer.headers)
            seen["command lines"] = command_lines()
            seen["the daemon's environment"] = Path(f"/proc/{channel.process.pid}/environ").read_text()
            seen["the names in OBS"] = "\n".join(await own_inputs(studio))
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await channel.stop()
            seen["events"] = heard.decode()
            for file in filter(Path.is_file, channel.folder.glob("**/*")):
                seen[file.name] = file.read_bytes().decode("latin-1")
        logs = [path for path in studio.folder.glob("**/*") if path.is_file() and "obs-studio/logs" in str(path)]
        seen["OBS's log"] = "\n".join(path.read_text(errors="replace") for path in logs)
    leaks = {(name, where) for where, text in seen.items() for name, value in canary.items() if value in text}
    # OBS's media source writes down which URL it could not open: the price of a key that is a stream's name.
    assert leaks <= {("bob", "OBS's log")}
    # What could have told them did speak.
    assert "Creating new GStreamer source" in seen["motherstream.log"]
    assert "handover_ended" in seen["events"]
    assert len(seen["OBS's log"]) > 1000
