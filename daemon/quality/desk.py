"""Where a probe reports, and hears whom to measure."""

from collections.abc import Callable

import structlog

from daemon.config.quality import Probe
from daemon.core.probing import Orders, Report, Reports
from daemon.quality.book import Book
from daemon.quality.feed import Feed
from daemon.quality.orders import wanted
from statemachine.events import Session
from statemachine.view import View

log = structlog.get_logger(__name__)


class Desk:
    """One for all probes: there is one, as a rule."""

    def __init__(
        self,
        config: Callable[[], Probe],
        view: Callable[[], View],
        sessions: tuple[Callable[[str], Session | None], Callable[[Session], str]],
        book: Book,
        feed: Feed,
    ) -> None:
        """``sessions`` finds one by its id, and tells its URL."""
        self._config = config
        self._view = view
        self._find, self._url = sessions
        self._book = book
        self._feed = feed
        self._left_out = 0

    def report(self, reports: Reports) -> Orders:
        """Take what was measured; whom to measure from now on."""
        config, view = self._config(), self._view()
        asked = {place.session for place in view.queue if place.session}
        if view.on_air is not None:
            asked.add(view.on_air.session)
        # Twice the same session is one: the last word of it counts.
        known = {report["session"]: report for report in reports["streams"] if report["session"] in asked}
        self._book.write(known.values())
        self._feed.take(list(known.values()))
        orders = wanted(view, self._find, self._url)
        left_out = max(0, len(orders) - config.streams)
        if left_out > self._left_out:
            log.warning(
                f"{left_out} of {len(orders)} streams are not measured: probe.streams is {config.streams}",
                streams=config.streams,
                left_out=left_out,
            )
        self._left_out = left_out
        return {"streams": orders[: config.streams], "previews": config.previews, "left_out": left_out}

    def measured(self, session: str) -> Report | None:
        """What is measured of it now; None where nobody measures it."""
        return self._book.fresh(session)

    def preview(self, streamer: str) -> bytes | None:
        """Its newest picture, a JPEG; None where there is none."""
        place = next((place for place in self._view().queue if place.streamer == streamer), None)
        return self._book.preview(place.session) if place is not None and place.session else None
