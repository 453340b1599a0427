"""What was last measured of each stream, for as long as it is fresh, and its newest preview."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from daemon.core.probing import Report

FRESH: Final = 5.0
"""Seconds for which a report says how things are."""
RATE_FRESH: Final = 10.0
"""Seconds for which a bitrate is: a stream that is played anew has none for a moment."""
PREVIEW_FRESH: Final = 15.0
"""Seconds for which a preview is shown: key frames may be far apart."""
MOST: Final = 256
"""Sessions that are kept; more than any probe measures."""
JPEG: Final = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class Entry:
    """One session's report, and when it came."""

    at: float
    report: Report


class Book:
    """The last word of the probe. ``now`` is the events' clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._previews: dict[str, tuple[float, bytes]] = {}
        self._rates: dict[str, tuple[float, float]] = {}
        self.reported_at: float | None = None
        """When a probe told something last, if only that it is there."""

    def write(self, reports: Iterable[Report]) -> None:
        """What a probe has just told."""
        now = self._now()
        self.reported_at = now
        for report in reports:
            session = report["session"]
            self._entries.pop(session, None)
            self._entries[session] = Entry(now, report)
            if (kbps := report["kbps"]) is not None:
                self._rates.pop(session, None)
                self._rates[session] = now, kbps
            if (image := _decoded(report["preview"])) is not None:
                self._previews.pop(session, None)
                self._previews[session] = now, image
        kept: dict[str, Any]
        for kept in (self._entries, self._previews, self._rates):
            while len(kept) > MOST:
                del kept[next(iter(kept))]

    def fresh(self, session: str) -> Report | None:
        """What is measured of it now; None where nobody measures it."""
        entry = self._entries.get(session)
        return entry.report if entry is not None and self._now() - entry.at <= FRESH else None

    def kbps(self, session: str) -> float | None:
        """Kilobits a second that come of it; None where nobody measures it."""
        known = self._rates.get(session)
        return known[1] if known is not None and self._now() - known[0] <= RATE_FRESH else None

    def preview(self, session: str) -> bytes | None:
        """Its newest picture, a JPEG; None where there is none that is fresh."""
        known = self._previews.get(session)
        return known[1] if known is not None and self._now() - known[0] <= PREVIEW_FRESH else None

    def quiet_for(self, since: float) -> float:
        """Seconds since a probe told anything; ``since`` where none ever did."""
        return self._now() - (since if self.reported_at is None else self.reported_at)


def _decoded(preview: str | None) -> bytes | None:
    try:
        image = base64.b64decode(preview or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return image if image.startswith(JPEG) else None
