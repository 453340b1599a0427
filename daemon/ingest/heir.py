"""What a hook means at a daemon that does not own its channel: the owner decides.

Where no owner answers, publishers are not kept waiting: the shared keys and the blocks that are known here decide, and
the hook is left in the channel's inbox for the next owner.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from daemon.config.model import Ingest
from daemon.core.ports import Letter, PortError
from daemon.ingest.admission import Admission
from daemon.ingest.hook import ACCEPTED, JSON, Publish, Unpublish, Verdict, refusal
from daemon.ingest.servers.kinds import BY_REF
from daemon.ingest.stream import HookError, StreamRef, is_ours

log = structlog.get_logger(__name__)

AskOwner = Callable[[Letter], Awaitable[Verdict | None]]
"""What the owner answers; None where none does."""
LeaveLetter = Callable[[Letter], Awaitable[None]]


class HeirPublishing:
    """Takes the place of ``Publishing``."""

    def __init__(
        self,
        ingest: Callable[[], Ingest],
        now: Callable[[], float],
        admission: Admission,
        ask_owner: AskOwner,
        leave: LeaveLetter,
    ) -> None:
        """``leave`` puts a letter into the inbox; raises PortError."""
        self._ingest = ingest
        self._now = now
        self._admission = admission
        self._ask_owner = ask_owner
        self._leave = leave

    async def publish(self, hook: Publish, raw: bytes = b"", content_type: str = JSON) -> Verdict:
        """As Publishing."""
        if not self._is_ours(hook.ref):
            return ACCEPTED
        letter = _letter(hook.ref, raw, content_type)
        if (verdict := await self._ask_owner(letter)) is not None:
            return verdict
        verdict = await self._admission.check(hook.ref, self._now(), raw, content_type)
        if verdict.accepted:
            await self._put(letter)
            log.info("a publisher was admitted while the channel has no owner", streamer=verdict.streamer)
        return verdict

    async def unpublish(self, hook: Unpublish, raw: bytes = b"", content_type: str = JSON) -> Verdict:
        """As Publishing."""
        if self._is_ours(hook.ref):
            letter = _letter(hook.ref, raw, content_type)
            if await self._ask_owner(letter) is None:
                await self._put(letter)
        return ACCEPTED

    def misread(self, error: HookError) -> Verdict:
        """As Publishing."""
        apps = self._ingest().apps
        return ACCEPTED if error.app and apps and error.app not in apps else refusal(error)

    def note_refusal(self, server: str, verdict: Verdict, address: str | None) -> None:
        """The owner has told of its own; one of ours is logged."""
        if not verdict.quiet:
            log.info("A hook was refused", server=server, reason=verdict.code, why=verdict.message, address=address)

    def _is_ours(self, ref: StreamRef) -> bool:
        ingest = self._ingest()
        return is_ours(ref, ingest.apps, ingest.vhosts)

    async def _put(self, letter: Letter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._leave(letter)
        except (PortError, TimeoutError) as error:
            log.warning(HEALED, reason=str(error) or "no answer")


PATIENCE: Final = 1.0
"""Seconds for the inbox: a publisher waits for it."""
HEALED: Final = "a hook could not be left for the next owner: the ingest server's own list will tell it"


def _letter(ref: StreamRef, raw: bytes, content_type: str) -> Letter:
    return Letter(BY_REF[ref.server].name, content_type, raw)
