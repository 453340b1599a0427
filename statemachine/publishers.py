"""What the line-up remembers of publishers' sessions, and when it may forget it."""

from statemachine import events as ev
from statemachine.entry import LineupState

FORGET_ENDED = 60.0
"""Seconds that an ended session is remembered: a list asked for before its end must not revive it."""
ENDED_MOST = 5000
"""However fast they come and go: they are in every snapshot."""
YOUNG = 2.0
"""Seconds: on_publish comes before the stream shows in the server's list, so a younger session may be missing."""
OUSTED_MOST = 1000
"""More than can publish at once. A server that loses the hooks of their ends must not fill the memory."""


def same_publish(one: ev.Session, other: ev.Session) -> bool:
    """They name the same publish; what is known of its streamer beside may differ."""
    return (one.id, one.streamer, one.app, one.stream) == (other.id, other.streamer, other.app, other.stream)


def revive(memory: LineupState, session_id: str, asked_at: float) -> None:
    """Its server lists a session well after its end was told: that hook was wrong, or not its server's."""
    if memory.ended.get(session_id, asked_at) < asked_at - YOUNG:
        del memory.ended[session_id]


def still_missing(memory: LineupState, event: ev.PublishersListed) -> list[str]:
    """The sessions that this list and an earlier one of their server lack; the others are noted down.

    The first of the two may be asked for in a session's first moments, so that two lists are enough at any time.
    """
    live = {session.id for session in event.sessions}
    gone = []
    for session_id in (*memory.born, *memory.ousted):
        if session_id in live or not session_id.startswith(event.server):
            continue
        born = memory.born.get(session_id, 0.0)
        if born > event.asked_at:
            continue
        if memory.missing.setdefault(session_id, event.asked_at) < event.asked_at and born <= event.asked_at - YOUNG:
            gone.append(session_id)
    return gone


def forget_old(memory: LineupState, now: float, grace: float) -> None:
    """Drop what can no longer matter. Each memory is in the order of time, so little is looked at."""
    horizon = now - max(FORGET_ENDED, grace)
    while memory.ended and (
        memory.ended[first := next(iter(memory.ended))] <= horizon or len(memory.ended) > ENDED_MOST
    ):
        del memory.ended[first]
    while len(memory.ousted) > OUSTED_MOST:
        first = next(iter(memory.ousted))
        del memory.ousted[first]
        memory.missing.pop(first, None)
    if memory.blocks and min(memory.blocks.values()) <= now:
        for name in [name for name, until in memory.blocks.items() if until <= now]:
            del memory.blocks[name]
