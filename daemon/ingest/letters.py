"""Hooks that reach a daemon by way of another one: passed on as they came, or left in the channel's inbox."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from daemon.config.model import Ingest
from daemon.core.ports import Letter
from daemon.ingest.hook import ACCEPTED, Publish, Unpublish, Verdict, refused
from daemon.ingest.publishing import Publishing
from daemon.ingest.servers.kinds import BY_NAME
from daemon.ingest.stream import HookError

log = structlog.get_logger(__name__)

OLD: Final = 60.0
"""Seconds after which a publish that waited in the inbox is left to the ingest server's own list: it may be over."""


class Letters:
    """Reads them, and has ``publishing`` decide."""

    def __init__(self, publishing: Publishing, ingest: Callable[[], Ingest]) -> None:
        self._publishing = publishing
        self._ingest = ingest

    async def take(self, letter: Letter) -> Verdict:
        """The verdict on it, as if it had come here."""
        server = BY_NAME.get(letter.server)
        if server is None:
            return refused("unknown_server", f"there is no server of the kind {letter.server}", 400)
        try:
            hook = server.parse(letter.body, self._ingest())
        except HookError as error:
            return self._publishing.misread(error)
        match hook:
            case Publish():
                verdict = await self._publishing.publish(hook, letter.body, letter.content_type)
                if not verdict.accepted:
                    self._publishing.note_refusal(server.name, verdict, None)
                return verdict
            case Unpublish():
                return await self._publishing.unpublish(hook)
        return ACCEPTED

    async def take_all(self, letters: Sequence[Letter]) -> None:
        """Those that came while nobody owned the channel."""
        for letter in letters:
            verdict = await self.take(letter) if letter.age < OLD else None
            log.info(
                "a hook from the inbox was read",
                server=letter.server,
                age=round(letter.age, 1),
                accepted=verdict.accepted if verdict else None,
            )
