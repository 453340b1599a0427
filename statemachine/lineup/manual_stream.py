"""A stream that is asked for by hand: it comes to the front of the line-up, and goes with its turn."""

from dataclasses import replace
from typing import Protocol

from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.lineup import Lineup


class KnownStreams(Protocol):
    """What is known of the streams, as much of it as is needed here."""

    def unshowable(self, session_id: str, now: float) -> str:
        """Why its picture cannot be shown, in words; empty where it may be had."""


def request_manual_stream(lineup: Lineup, streams: KnownStreams, event: ev.TestRequested, now: float) -> None:
    """Hand over to that stream now, or tell why not among the line-up's facts."""
    known = lineup.by_stream(event.session.path)
    if known is None and (stray := lineup.holder_of(event.session.path, now)):
        # Whoever publishes there is shown under its own name, also where it was taken out of the line-up.
        event = replace(event, session=replace(event.session, streamer=stray.streamer))
    streamer = known.streamer if known else event.session.streamer
    holder = lineup.holder
    refused = lineup.blocked(streamer, now)
    if refused is None and known is None and lineup.find(streamer) is not None:
        refused = facts.Refused(now, "name_taken", f"{streamer} is in the line-up with another stream")
    if refused is None and holder is not None and holder.streamer == streamer:
        refused = facts.Refused(now, "on_air", f"{streamer} has the turn already")
    if refused is None and known is not None and (wrong := streams.unshowable(known.id, now)):
        refused = facts.Refused(now, "no_picture", f"{streamer}'s stream cannot be shown: {wrong}")
    if refused is None:
        if known is None:
            lineup.publishers.publish(event.at, event.session, transient=True)
        else:
            # Asked for by hand: whatever kept it waiting, it is tried now.
            lineup.standing.prefer(known.id)
            lineup.standing.resumed(event.at, known.id)
        if lineup.find(streamer) is None:
            refused = facts.Refused(now, "not_found", f"the session {event.session.id} is over")
    if refused is not None:
        lineup.facts.append(replace(refused, actor=lineup.asking))
        return
    holder = lineup.holder
    if holder is not None and holder.turn_began is not None:
        lineup.turns.end_turn(event.at, holder)
    lineup.requests.move(event.at, streamer, 0)
    lineup.set_cause("test", streamer)
