"""Publishers who were not let in a short while ago, for people who ask why somebody is not there."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from daemon.ingest.hook import Verdict

MOST: Final = 20
"""Different ones; the newest stay."""
KEPT_FOR: Final = 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One publisher's last refusal. Never a stream's name: that may be a key."""

    at: float
    streamer: str
    """Empty where nobody can be named."""
    address: str
    """The publisher's, as its server tells it; empty where it does not."""
    reason: str
    message: str
    count: int
    """How often, for this reason."""


class Refusals:
    """Told of each refusal; a publisher that tries again and again is one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], Refusal] = OrderedDict()

    def note(self, verdict: Verdict, at: float) -> None:
        """One more."""
        key = (verdict.streamer, verdict.ip, verdict.code)
        before = self._kept.pop(key, None)
        count = before.count + 1 if before else 1
        self._kept[key] = Refusal(at, verdict.streamer, verdict.ip, verdict.code, verdict.message, count)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def unblock(self, streamer: str) -> None:
        """That streamer publishes: what kept them out is over."""
        for key in [key for key in self._kept if key[0] == streamer]:
            del self._kept[key]

    def recent(self, now: float) -> tuple[Refusal, ...]:
        """The newest first."""
        return tuple(refusal for refusal in reversed(self._kept.values()) if now - refusal.at <= KEPT_FOR)
