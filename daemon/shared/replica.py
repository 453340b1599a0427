"""An heir's picture of its channel: the owner's rules, replayed from the shared log. They command nothing."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from daemon.core.ports import PortError
from daemon.journal.replay import Replayed
from daemon.shared.portions import ChannelLog, Position
from statemachine.facts import Refused
from statemachine.view import View

NO_HISTORY: Final = 2**62
"""Later than any line of it."""
HISTORY: Final = 1000
"""Lines of it that a new owner takes along."""

log = structlog.get_logger(__name__)


class LogGap(PortError):
    """The shared log cannot be followed: rows of it are missing, or a newer daemon has written them."""


class Replica:
    """For the event loop."""

    def __init__(self, shared: ChannelLog, fresh: Callable[[], Replayed]) -> None:
        """``fresh`` makes rules that know of nothing."""
        self._shared = shared
        self._fresh = fresh
        self._rules = fresh()
        self._busy = asyncio.Lock()
        self.at = Position()
        """How much of the log they have seen."""

    async def catch_up(self) -> None:
        """Take in what has happened since. Raises what the log does, and LogGap."""
        # One at a time: what two have read would be taken in twice.
        async with self._busy:
            while portion := await self._shared.read(Position(self.at.seq, NO_HISTORY)):
                if not portion.follows(self.at.seq):
                    raise LogGap(f"the shared log has a gap after number {self.at.seq}")
                if portion.snapshot is not None:
                    self._rules = self._restored(portion.snapshot[1])
                for _, body in portion.events:
                    self._rules.replay(body)
                self.at = self.at.after(portion)

    def _restored(self, state: str) -> Replayed:
        rules = self._fresh()
        try:
            rules.restore(json.loads(state))
        except Exception as error:  # a newer daemon's, say: a channel is not to be taken over without what it was
            what = str(error) or type(error).__name__
            raise LogGap(f"the shared snapshot cannot be read ({what}): update this daemon") from error
        return rules

    def snapshot(self) -> dict[str, Any]:
        """The rules as they stand."""
        return self._rules.director.snapshot()

    @property
    def now(self) -> float:
        """The time of what they saw last."""
        return self._rules.director.now

    def admits(self, streamer: str, at: float) -> Refused | None:
        """Why they would not let a streamer in; None where they would."""
        return self._rules.director.admits(streamer, max(at, self.now))

    def view(self, at: float) -> View:
        """What they come to."""
        return self._rules.director.view(max(at, self.now))


async def history_of(shared: ChannelLog, at: Position) -> tuple[list[tuple[int, float, str]], Mapping[str, str]]:
    """The last lines of the history, and what streams are played with. Raises what the log does."""
    last = (await shared.position()).handover
    lines: list[tuple[int, float, str]] = []
    since = max(last - HISTORY, 0)
    while more := (await shared.read(Position(at.seq, since))).handovers:
        lines += more
        since = lines[-1][0]
    return lines, (await shared.read(Position(at.seq, since), streams=True)).streams or {}
