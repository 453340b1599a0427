"""This daemon's claim on its scene: kept in OBS, where every daemon that could act there finds it.

obs-websocket keeps small values for its clients (``SetPersistentData``), over OBS's restarts too. Several OBS of one
user share that file, so a claim bears the port as well. Where OBS cannot write it, no claim is made, and this is told
once.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

import structlog

from daemon.core.ports import ObsError, ObsRefused
from daemon.obs.connection import Link, ObsEvent, Request
from daemon.obs.supervisor import CUSTOM, Supervisor
from statemachine.ownership import ANSWER, Claim, Ownership, Standing

REALM: Final = "OBS_WEBSOCKET_DATA_REALM_GLOBAL"
LONGEST: Final = 64
"""Characters of a name that are read out of OBS."""
_ASKS, _ACTS, _SLOT = "motherstream_asks_run", "motherstream_acts", "motherstream_slot"
"""Keys of a custom event: which run is asked for, which one answers, and of which scene."""

log = structlog.get_logger(__name__)


class SceneTakenError(ObsRefused):
    """Another daemon acts in the scene."""

    def __init__(self, scene: str, claim: Claim) -> None:
        what = f"another Motherstream ({claim.owner}) hands over in the scene {scene!r}"
        super().__init__("GetPersistentData", 0, f"{what}: stop one of them, or give each an obs.scene of its own")


class SceneClaim:
    """``owner`` is this daemon's id, empty where it has none: then nothing is claimed and nothing is another's."""

    def __init__(self, owner: str, now: Callable[[], float], supervisor: Supervisor) -> None:
        self._ownership = Ownership(owner, secrets.token_hex(8)) if owner else None
        self._now = now
        self._supervisor = supervisor
        self._asked = ""
        """The run that was asked for last."""
        self._answer = asyncio.Event()
        self._told = False
        self.answer = ANSWER
        """Seconds that one who is asked has to answer."""

    async def take(self, link: Link) -> None:
        """Make it. Raises SceneTakenError while another daemon lives that has made it."""
        own = self._ownership
        if own is None:
            return
        found = await self._read(link)
        standing = own.judge(found, self._now())
        if found is not None and standing is Standing.TAKEN:
            await self._ask(link, own, found.run)
            standing = own.judge(found, self._now())
            if standing is Standing.TAKEN:
                raise SceneTakenError(self._supervisor.endpoint.scene, found)
        if standing is not Standing.HELD:
            await self._write(link, own.take(found, self._now()))

    async def acting(self, *, surely: bool = False) -> Link:
        """The connection, to change something; ``surely`` by what stands in OBS now.

        Raises ObsGone where OBS is not connected, and where another daemon has taken the scene.
        """
        link = self._supervisor.link()
        if not await self._holds(link, surely=surely):
            self._supervisor.unsettle(f"another Motherstream has taken the scene {self._supervisor.endpoint.scene!r}")
        return self._supervisor.link()

    async def watch(self) -> NoReturn:
        """Look at it with each heartbeat, until cancelled."""
        while True:
            await asyncio.sleep(self._supervisor.pace.heartbeat_interval)
            if self._supervisor.usable:
                with contextlib.suppress(ObsError):
                    await self.acting(surely=True)

    def on_event(self, event: ObsEvent) -> Request | None:
        """Note an answer; the answer to a question for this run."""
        own = self._ownership
        if event.kind != CUSTOM or own is None:
            return None
        # One that has moved to another scene lives, and is not asked for.
        if event.data.get(_SLOT) != self._slot["slotName"]:
            return None
        if self._asked and event.data.get(_ACTS) == self._asked:
            own.heard(self._asked)
            self._answer.set()
        return self._event(_ACTS, own.claim.run) if event.data.get(_ASKS) == own.claim.run else None

    async def _holds(self, link: Link, *, surely: bool) -> bool:
        own = self._ownership
        if own is None or (not surely and own.is_fresh(self._now())):
            return True
        found = await self._read(link)
        if found is None:
            # OBS's files were exchanged, or somebody has tidied up.
            await self._write(link, own.take(found, self._now()))
            return True
        return own.judge(found, self._now()) is Standing.HELD

    async def _ask(self, link: Link, own: Ownership, run: str) -> None:
        self._asked = run
        self._answer.clear()
        question = self._event(_ASKS, run)
        await link.call(question.kind, question.data)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.answer):
                await self._answer.wait()
        except TimeoutError:
            own.gave_no_answer(run, time.monotonic() - began)

    async def _read(self, link: Link) -> Claim | None:
        try:
            answer = await link.call("GetPersistentData", self._slot)
        except ObsRefused:
            return self._ownership.claim if self._ownership else None
        return read_claim(answer.get("slotValue"))

    async def _write(self, link: Link, claim: Claim) -> None:
        value = {"owner": claim.owner, "run": claim.run, "epoch": claim.epoch}
        try:
            await link.call("SetPersistentData", {**self._slot, "slotValue": value})
        except ObsRefused as error:
            if not self._told:
                self._told = True
                what = "OBS keeps no claim on the scene: see to it that one daemon alone uses it"
                log.warning(what, reason=str(error))

    @property
    def _slot(self) -> dict[str, str]:
        at = self._supervisor.endpoint
        return {"realm": REALM, "slotName": f"motherstream {at.port} {at.scene}"}

    def _event(self, key: str, run: str) -> Request:
        data = {key: run, _SLOT: self._slot["slotName"]}
        return Request("BroadcastCustomEvent", {"eventData": data})


def read_claim(value: object) -> Claim | None:
    """What stands in OBS; None where it is nothing that a daemon has written."""
    if not isinstance(value, Mapping):
        return None
    owner, run, epoch = value.get("owner"), value.get("run"), value.get("epoch")
    if not isinstance(owner, str) or not isinstance(run, str) or not run:
        return None
    if isinstance(epoch, bool) or not isinstance(epoch, int | float) or not 0 < epoch < 2**53:
        return None
    return Claim(owner[:LONGEST], run[:LONGEST], int(epoch))
