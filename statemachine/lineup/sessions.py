"""What the line-up remembers of publishers' sessions, and when it may forget it."""

from collections.abc import Container
from dataclasses import replace

from statemachine import events as ev
from statemachine.lineup.entry import LineupState
from statemachine.lineup.order import STRAY_FOR

FORGET_ENDED = 60.0
"""Seconds that an ended session is remembered: a list asked for before its end must not revive it."""
FORGET_FAILING = 3600.0
"""Seconds after its last backoff at which the failures of one who is away are forgotten."""
ENDED_MOST = 5000
"""However fast they come and go: they are in every snapshot."""
YOUNG = 2.0
"""Seconds: on_publish comes before the stream shows in the server's list, so a younger session may be missing."""
MOST_SESSIONS = 8
"""Streams of one streamer at a time that are kept: an encoder that comes and goes leaves some behind for a while."""
VOUCHED_FOR = 600.0
"""Seconds for which a server's list says that it would tell of an end."""
VOUCHES_EVERY = 60.0
"""Seconds between two lists that are noted for that: one that changes nothing else need not be recorded."""
NAMELESS_MOST = 1000
"""Sessions without an owner that one list may name, and paths called back that are remembered: no more of either."""
RECALL_FIRST, RECALL_MOST = 120.0, 3600.0
"""Seconds in which one streamer is not recalled again: twice as long each time that no picture came of it."""
FORGET_RECALL = 2 * RECALL_MOST
"""Seconds after a recall that it is remembered, so that the next one comes as late as it has to."""
RECALLS_MOST = 1000
EVICTED_MOST = 1000
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
    for session_id in (*memory.born, *memory.evicted):
        if session_id in live or not _speaks_of(event, session_id):
            continue
        born = memory.born.get(session_id, 0.0)
        if born > event.asked_at:
            continue
        if memory.missing.setdefault(session_id, event.asked_at) < event.asked_at and born <= event.asked_at - YOUNG:
            gone.append(session_id)
    return gone


def _speaks_of(event: ev.PublishersListed, session_id: str) -> bool:
    return session_id.startswith(event.server) and not session_id.startswith(event.others)


def is_over(memory: LineupState, session: ev.Session, event: ev.PublishersListed, live: Container[str]) -> bool:
    """Its server lists another one at its path, and not it."""
    born = memory.born.get(session.id, 0.0)
    return session.id not in live and _speaks_of(event, session.id) and born <= event.asked_at - YOUNG


def note_list(memory: LineupState, event: ev.PublishersListed) -> None:
    """A server tells whom it has: an end that its hook does not tell is known all the same."""
    for known, prefixes in ((memory.listing, (event.server,)), (memory.unlisted, event.others)):
        for prefix in prefixes:
            if not (at := known.get(prefix)) or event.at >= at + VOUCHES_EVERY:
                known[prefix] = event.at
    for prefix in [prefix for prefix, at in memory.unlisted.items() if event.at >= at + VOUCHED_FOR]:
        del memory.unlisted[prefix]


def is_vouched_for(memory: LineupState, session_id: str, now: float) -> bool:
    """A list that speaks of it would tell of its end."""
    listing, unlisted = memory.listing.items(), memory.unlisted.items()
    others = tuple(prefix for prefix, at in unlisted if session_id.startswith(prefix) and now < at + VOUCHED_FOR)
    return any(
        session_id.startswith(server) and now < at + VOUCHED_FOR and all(map(server.startswith, others))
        for server, at in listing
    )


def see_stray(memory: LineupState, session: ev.Session, at: float) -> None:
    """Its server lists one that was taken out of the line-up."""
    stray = memory.strays.get(session.path)
    if stray is not None and session.id in memory.evicted and session.id in {each.id for each in stray.sessions}:
        memory.strays[session.path] = replace(stray, seen_at=at)


def forget_stray(memory: LineupState, session_id: str) -> None:
    """One that was taken out has ended."""
    for path, stray in tuple(memory.strays.items()):
        rest = [session for session in stray.sessions if session.id != session_id]
        if not rest:
            del memory.strays[path]
        elif len(rest) < len(stray.sessions):
            memory.strays[path] = replace(stray, session=rest[0], later=tuple(rest[1:]))


def to_call_back(memory: LineupState, event: ev.PublishersListed, shown: Container[str]) -> list[ev.Session]:
    """Whom to kick so that its hook comes again: the second list has it, and nobody was kicked from there before.

    A second kick would say no more than the first: where no hook is set up, none comes.
    """
    seen, chosen = {}, []
    for session in event.nameless[:NAMELESS_MOST]:
        seen[session.id] = first = memory.nameless.get(session.id, event.asked_at)
        if first >= event.asked_at or session.path in shown or session.path in memory.called_back:
            continue
        memory.called_back[session.path] = event.at
        chosen.append(session)
    memory.nameless = {i: at for i, at in memory.nameless.items() if not _speaks_of(event, i)} | seen
    while len(memory.called_back) > NAMELESS_MOST:
        del memory.called_back[next(iter(memory.called_back))]
    return chosen


def forget_old(memory: LineupState, now: float, grace: float) -> None:
    """Drop what can no longer matter. Each memory is in the order of time, so little is looked at."""
    horizon = now - max(FORGET_ENDED, grace)
    while memory.ended and (
        memory.ended[first := next(iter(memory.ended))] <= horizon or len(memory.ended) > ENDED_MOST
    ):
        del memory.ended[first]
    while len(memory.evicted) > EVICTED_MOST:
        first = next(iter(memory.evicted))
        del memory.evicted[first]
        memory.missing.pop(first, None)
        forget_stray(memory, first)
    while memory.strays:
        stray = memory.strays[path := next(iter(memory.strays))]
        blocked = memory.blocks.get(stray.session.streamer, 0.0) > now
        if stray.session.id in memory.evicted and (blocked or stray.seen_at >= now - STRAY_FOR):
            break
        del memory.strays[path]
    while memory.recalls:
        recall = memory.recalls[first := next(iter(memory.recalls))]
        over = recall.at <= now - FORGET_RECALL and not any(each in memory.born for each in recall.sessions)
        if not over and len(memory.recalls) <= RECALLS_MOST:
            break
        del memory.recalls[first]
    while memory.failing and (memory.failing[first := next(iter(memory.failing))].retry_at <= now - FORGET_FAILING):
        del memory.failing[first]
    if memory.blocks and min(memory.blocks.values()) <= now:
        for name in [name for name, until in memory.blocks.items() if until <= now]:
            del memory.blocks[name]
