"""Whom to measure, out of those whom the daemon names: one ffmpeg each, begun two at a time."""

import asyncio
from collections.abc import Sequence
from typing import Final

from daemon.core.probing import MOST_STREAMS, Order, Report
from daemon.probe.stream import Stream

BEGUN_AT_ONCE: Final = 2
"""Streams begun in one look: each begin takes a processor for a moment."""
ALL_FRAMES_MOST: Final = 2
"""Streams all of whose frames are decoded."""

PREVIEWS_MOST: Final = 512 * 1024
"""Characters of previews in one report: the daemon takes twice that for all of it."""


class Pool:
    """The streams under way."""

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._previews = True
        self._first = 0
        """Whose preview is sent first."""

    async def follow(self, orders: Sequence[Order], *, previews: bool) -> None:
        """Measure these, the most needed first, and nobody else."""
        wanted = {order["session"]: order for order in orders[:MOST_STREAMS]}
        changed = previews != self._previews
        self._previews = previews
        kept = {session for session, stream in self._streams.items() if wanted.get(session) == stream.order}
        gone = [session for session in self._streams if changed or session not in kept]
        await asyncio.gather(*(self._streams.pop(session).stop() for session in gone))
        fresh = [order for session, order in wanted.items() if session not in self._streams]
        for order in fresh[:BEGUN_AT_ONCE]:
            stream = Stream(order, previews=previews, may_decode_all=self._may_decode_all)
            self._streams[order["session"]] = stream
            stream.start()
        # In the daemon's order, for that is the order of need.
        self._streams = {session: self._streams[session] for session in wanted if session in self._streams}

    def reports(self) -> list[Report]:
        """What is measured of each."""
        streams = list(self._streams.values())
        self._first = (self._first + 1) % max(1, len(streams))
        reports = [each for stream in streams if (each := stream.report()) is not None]
        # Those that are left out have a newer one with the next report; then others come first.
        room = PREVIEWS_MOST
        for report in reports[self._first :] + reports[: self._first]:
            room -= len(report["preview"] or "")
            if room < 0:
                report["preview"] = None
        return reports

    async def stop(self) -> None:
        """End all."""
        streams, self._streams = list(self._streams.values()), {}
        await asyncio.gather(*(stream.stop() for stream in streams))

    def _may_decode_all(self, session: str) -> bool:
        """It is one of the most needed, or there is room."""
        others = sum(stream.decodes_all for known, stream in self._streams.items() if known != session)
        return others < ALL_FRAMES_MOST
