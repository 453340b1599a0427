"""Every moment at which a daemon that hands over can be killed: before, within and after all that it does to others.

A moment is: a request to OBS is about to be sent; it has come there and is about to be carried out; it has been
carried out and is not answered yet; its answer has come; events are about to be written into the journal; they have
been written, and what follows from them has not been done yet. Between two of them the daemon changes nothing outside
itself.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from daemon.obs.connection import Link
from tests.fakes.obs_server import ObsServer
from tests.fakes.obs_wire import BATCH_REQUEST, BATCH_RESPONSE, REQUEST, RESPONSE, Session
from tests.simulation.world import World

POLLS = {"GetMediaInputStatus", "GetStats", "GetStreamStatus"}
"""Asked again and again, and changing nothing: the first of each kind stand for the others."""
POLLS_WALKED = 2


class Points:
    """Writes the moments down as they come, and kills the daemon at number ``stop``."""

    def __init__(self, world: World, stop: int | None = None, *, thorough: bool = False) -> None:
        """``thorough`` counts the moments around a reading one by one, between which nothing outside has changed."""
        self.world = world
        self.stop = stop
        self._thorough = thorough
        self.seen: list[str] = []
        self.killed = asyncio.Event()
        self.turn: tuple[str, float] | None = None
        """Who had the turn, and since when, by the last write into the journal."""
        self._open = False
        self._polls: Counter[str] = Counter()

    def reach(self, what: str, kind: str = "", *, after: bool = False) -> bool:
        """Such a moment has come, ``after`` a request of that ``kind`` or before it; True if it was the last."""
        if not self._open or self.killed.is_set() or self.world.running.dead:
            return False
        if after and kind.startswith("Get") and not self._thorough:
            return False
        if kind in POLLS:
            self._polls[what] += 1
            if self._polls[what] > POLLS_WALKED:
                return False
        self.seen.append(what)
        if len(self.seen) - 1 != self.stop:
            return False
        self.killed.set()
        self.world.running.kill()
        return True

    @contextmanager
    def walking(self) -> Iterator[None]:
        """Moments count while this lasts."""
        self.world.around = self._thread
        with (
            mock.patch.object(Link, "_race", self._race(Link._race)),
            mock.patch.object(ObsServer, "_process", self._process(ObsServer._process)),
            mock.patch.object(ObsServer, "_send", self._send(ObsServer._send)),
        ):
            self._open = True
            try:
                yield
            finally:
                self._open = False

    def _race(self, race: Callable[..., Any]) -> Any:
        async def asking(link: Link, kind: str, *rest: Any) -> Any:
            task = asyncio.current_task()
            who = task.get_name().split()[0] if task else ""
            who = "beside" if who.startswith("Task-") else who
            if self.reach(f"{who} is to ask {kind}", kind):
                await asyncio.sleep(0)  # it was cancelled
            answer = await race(link, kind, *rest)
            if self.reach(f"{who} has the answer to {kind}", kind, after=True):
                await asyncio.sleep(0)
            return answer

        return asking

    def _process(self, process: Callable[..., Any]) -> Any:
        async def asked(server: ObsServer, session: Session, op: int, data: dict[str, Any]) -> None:
            kinds = _kinds(data.get("requests", [data])) if op in (REQUEST, BATCH_REQUEST) else []
            if changing := [kind for kind in kinds if not kind.startswith("Get")]:
                self.reach(f"OBS is to do {changing[0]}")  # and does it, though the daemon is dead
            await process(server, session, op, data)

        return asked

    def _send(self, send: Callable[..., Any]) -> Any:
        async def answering(server: ObsServer, session: Session, op: int, data: dict[str, Any], *rest: Any) -> None:
            if op in (RESPONSE, BATCH_RESPONSE):
                kinds = _kinds(data.get("results", [data]))
                kind = next((kind for kind in kinds if not kind.startswith("Get")), kinds[0])
                self.reach(f"OBS has done {kind}", kind, after=True)
            await send(server, session, op, data, *rest)

        return answering

    def _thread(self, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if getattr(work, "__name__", "") != "_append" or self.killed.is_set():
            return work(*args)
        what = " ".join(json.loads(body)["event"] for body in args[0]) or "snapshot"
        if self.reach(f"{what} is to be written"):
            return None
        done = work(*args)
        holder = self.world.director.lineup.holder
        self.turn = (holder.streamer, holder.turn_began) if holder and holder.turn_began is not None else None
        self.reach(f"{what} is written")
        return done


def _kinds(requests: list[dict[str, Any]]) -> list[str]:
    return [str(each["requestType"]) for each in requests if each["requestType"] != "Sleep"] or ["Sleep"]
