"""Looks at a studio without touching it: OBS through obs-websocket, the daemon through its event stream."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence

import aiohttp

from daemon.core.ports import ObsError, ObsGone
from daemon.obs.connection import Link, Request
from tests.e2e.timeline import Change, Recorder, Seen

CONNECT_SECONDS = 3.0
AGAIN = 0.3
"""Seconds between two tries to reach OBS, or the daemon."""
LEAST_INTERVAL = 0.05
"""Twenty looks a second are what obs-gstreamer's unlocked position query should bear."""

HINTS = frozenset(
    {"SceneItemEnableStateChanged", "SceneItemCreated", "SceneItemRemoved", "InputCreated", "InputRemoved"}
)
"""Events after which the scene is read at once: a cut has its moment, whatever the interval."""

Say = Callable[[Sequence[Change]], None]


class Watcher:
    """Tells a recorder what it sees, until it is cancelled.

    `prefix` is what the names of the inputs to be watched begin with, `also` further ones. Read-only: the requests are
    GetSceneItemList and GetMediaInputStatus.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        began: float,
        scene: str,
        prefix: str,
        interval: float,
        also: Sequence[str] = (),
        say: Say = lambda changes: None,
    ) -> None:
        self._recorder = recorder
        self._began = began
        self._scene = scene
        self._prefix = prefix
        self._also = frozenset(also)
        self._interval = max(LEAST_INTERVAL, interval)
        self._say = say
        self._was_shown: set[str] = set()

    @property
    def now(self) -> float:
        """Seconds since the timeline began."""
        return time.monotonic() - self._began

    # -- OBS -------------------------------------------------------------------------------------------------

    async def obs(self, host: str, port: int, password: str, *, patient: bool = True) -> None:
        """Watch OBS; with `patient`, come back whenever it does. Raises ObsGone where it is not there, unless so."""
        while True:
            try:
                link = await Link.open(host, port, password, seconds=CONNECT_SECONDS)
            except ObsGone:
                if not patient:
                    raise
                self._say(self._recorder.lost(self.now))
                await asyncio.sleep(AGAIN)
                continue
            patient = True
            try:
                await self._follow(link)
            except ObsError:
                self._say(self._recorder.lost(self.now))
                await asyncio.sleep(AGAIN)
            finally:
                await link.close()

    async def _follow(self, link: Link) -> None:
        media = time.monotonic()
        while True:
            due = time.monotonic() >= media
            await self._look(link, media=due)
            if due:
                media = time.monotonic() + self._interval
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, media - time.monotonic())):
                    while (await link.events.get()).kind not in HINTS:
                        pass

    async def _look(self, link: Link, *, media: bool) -> None:
        answer = await link.call("GetSceneItemList", {"sceneName": self._scene})
        items = {
            str(item["sourceName"]): bool(item["sceneItemEnabled"])
            for item in answer["sceneItems"]
            if str(item["sourceName"]).startswith(self._prefix) or item["sourceName"] in self._also
        }
        asked = [name for name in items if media and name not in self._also and not self._leaving(name, items[name])]
        states: dict[str, Seen] = {}
        if asked:
            results = await link.batch([Request("GetMediaInputStatus", {"inputName": name}) for name in asked])
            for name, result in zip(asked, results, strict=False):
                if result.ok:
                    states[name] = Seen(items[name], str(result.data["mediaState"]), result.data.get("mediaCursor"))
        seen = {name: states.get(name, Seen(shown)) for name, shown in items.items()}
        self._say(self._recorder.look(self.now, seen))

    def _leaving(self, name: str, shown: bool) -> bool:
        """An input that was on air and is hidden is about to be removed, and asking about it then may crash OBS."""
        if shown:
            self._was_shown.add(name)
        return not shown and name in self._was_shown

    # -- the daemon ------------------------------------------------------------------------------------------

    async def daemon(self, url: str, token: str = "") -> None:
        """Follow the daemon's events, and come back whenever it does."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError, KeyError):
                    await self._events(session, url)
                await asyncio.sleep(AGAIN)

    async def _events(self, session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/events", raise_for_status=True) as stream:
            async with session.get(f"{url}/status", raise_for_status=True) as answer:
                status = await answer.json()
            on_air, standby = status["on_air"] or {}, status["standby"] or {}
            now = self.now
            self._say(self._recorder.state(now, status["state"]))
            self._say(self._recorder.on_air(now, on_air.get("streamer", ""), on_air.get("input", "")))
            self._recorder.belongs(standby.get("input", ""), standby.get("streamer", ""))
            block: list[str] = []
            async for raw in stream.content:
                line = raw.decode().rstrip("\n")
                if line:
                    block.append(line)
                    continue
                self._told(*parse_event(block))
                block = []

    def _told(self, kind: str, data: dict[str, object]) -> None:
        now = self.now
        if kind == "state_changed":
            self._say(self._recorder.state(now, str(data["dest"])))
        elif kind == "on_air_changed":
            self._say(self._recorder.on_air(now, str(data["streamer"]), str(data["input"])))
        elif kind == "handover_ended":
            self._recorder.belongs(str(data["input"]), str(data["to_streamer"]))


def parse_event(lines: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Kind and data of one server-sent event; an empty kind for a heartbeat."""
    kind, data = "", ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value
    parsed = json.loads(data) if data else {}
    return kind, parsed if isinstance(parsed, dict) else {}
