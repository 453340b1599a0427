"""OBS for tests: the fake one over its wire, with the few members of the daemon's adapter that are needed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from daemon.core.ports import ObsError, ObsRefused
from daemon.core.readings import Look
from tests.fakes import FakeClock, FakeObs
from tests.fakes.obs_client import Caller


@dataclass
class Known:
    connected: bool = True


class WireObs:
    """`asked`: the requests that went over the wire. `error`: what every call raises instead."""

    def __init__(self, fake: FakeObs, clock: FakeClock, caller: Caller) -> None:
        self.info = Known()
        self.losses = 0
        self.stats: Mapping[str, Any] = {}
        self.asked: list[str] = []
        self.error: ObsError | None = None
        self._fake = fake
        self._clock = clock
        self._call = caller
        self._looks: dict[str, Look] = {}

    async def call(self, request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        self.asked.append(request)
        if self.error:
            raise self.error
        answer = await self._call(request, **dict(data or {}))
        if isinstance(answer, tuple):
            raise ObsRefused(request, answer[0], answer[1] or "refused")
        return dict(answer or {})

    async def where_is(self, name: str) -> tuple[str, int]:
        for group in self._fake.studio.current.groups:
            if found := group.named(name):
                return group.name, found[0].id
        raise ObsRefused("GetSceneItemId", 600, "it is in no group")

    async def beat(self) -> None:
        """As the heartbeat does."""
        self.stats = await self._call("GetStats")

    async def set_shown(self, name: str, shown: bool) -> None:
        await self.call(
            "SetSceneItemEnabled",
            {"sceneName": "MOTHERSTREAM", "sceneItemId": self._fake.item(name).id, "sceneItemEnabled": shown},
        )

    async def watch(self, name: str) -> None:
        """As the watch does, five times a second."""
        status = await self._call("GetMediaInputStatus", inputName=name)
        self._looks[name] = Look(self._clock.now(), status["mediaState"], status["mediaCursor"], 0.0)

    def last_look(self, name: str) -> Look | None:
        return self._looks.get(name)
