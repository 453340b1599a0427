"""Whom a probe is to measure: the one on air, who is passed over, who is next, and the others in their order."""

from collections.abc import Callable

from daemon.core.probing import Order
from statemachine.events import Session
from statemachine.view import View


def wanted(view: View, find: Callable[[str], Session | None], url: Callable[[Session], str]) -> list[Order]:
    """All who publish, the most needed first.

    ``find`` knows a session by its id; ``url`` its URL, and raises ValueError where it has none.
    """
    places = {place.streamer: place for place in view.queue if place.publishing}
    first = [view.on_air.streamer] if view.on_air else []
    first += [place.streamer for place in view.queue if view.covered and place.has_turn]
    # Those who are passed over: unmeasured they would count as fit, and come before the others for that.
    first += [place.streamer for place in view.queue if place.passed_over]
    first += [view.standby.streamer] if view.standby else []
    orders: list[Order] = []
    for streamer in dict.fromkeys((*first, *places)):
        session = find(places[streamer].session) if streamer in places else None
        if session is None:
            continue
        try:
            orders.append({"session": session.id, "streamer": streamer, "url": url(session)})
        except ValueError:
            continue  # it cannot be played, which the line-up tells
    return orders
