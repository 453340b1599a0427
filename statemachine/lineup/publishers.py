"""Who publishes, as hooks and lists of the ingest servers tell: who joins, goes away, comes back and leaves."""

from collections.abc import Container

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.departures import Departures
from statemachine.lineup.entry import Entry, changed
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.sessions import (
    MOST_SESSIONS,
    forget_stray,
    is_over,
    is_vouched_for,
    note_list,
    revive,
    same_publish,
    see_stray,
    still_missing,
    to_call_back,
)
from statemachine.lineup.times import Times


class Publishers:
    """Keeps the sessions of the entries."""

    def __init__(self, order: Order, times: Times, outbox: Outbox, departures: Departures) -> None:
        self._order = order
        self._times = times
        self._outbox = outbox
        self._departures = departures

    def admits(self, streamer: str, now: float) -> facts.Refused | None:
        """Why this streamer may not publish now, or None. A lookup: changes nothing."""
        if refused := self._departures.blocked(streamer, now):
            return refused
        # Only while nobody else is there, as the users of the older system know it: then there is a line to wait in.
        last = self._order.memory.last_streamer
        if self._times.policy.block_last and streamer == last and not len(self._order):
            return facts.Refused(now, "last_streamer", f"{streamer} was on air last: somebody else has to go first")
        return None

    def is_listed(self, session_id: str, now: float) -> bool:
        """A server's list speaks of it, and would tell of its end."""
        return is_vouched_for(self._order.memory, session_id, now)

    def publish(self, at: float, session: ev.Session, *, transient: bool = False, listed: bool = False) -> None:
        """A publisher was accepted. A repeated hook, or one of a session that has ended, changes nothing."""
        m, owner = self._order.memory, self._order.by_session(session.id)
        if owner is not None:
            if any(same_publish(session, known) for known in owner.sessions):
                return
            # One id cannot publish two streams: the first one's end was lost.
            self.unpublish(at, session.id)
        elif session.id in m.ended or session.id in m.evicted:
            return
        m.ended.pop(session.id, None)
        if not transient and (refused := self.admits(session.streamer, at) or self._order.taken(at, session)):
            # Accepted before that was known, or while nobody asked: it stays out until it publishes anew.
            m.evicted[session.id] = at
            self._outbox.facts.append(refused)
            self._outbox.commands.append(cmd.KickSession(session, refused.code))
            return
        entry = self._order.find(session.streamer)
        if entry is not None and len(entry.sessions) >= MOST_SESSIONS and not entry.transient:
            self._has_too_many(at, session.streamer)
            if listed:
                return
            # The first is played; of the others the newest are kept.
            self._order.forget_session(entry.sessions[1])
            entry = changed(entry, sessions=(entry.sessions[0], *entry.sessions[2:]))
        m.born[session.id] = at
        m.called_back.pop(session.path, None)
        if entry is None:
            self._join(at, session, transient=transient)
        else:
            self._add(at, entry, session, transient=transient)

    def unpublish(self, at: float, session_id: str) -> None:
        """A publisher has left. It keeps its place for its grace."""
        m, entry = self._order.memory, self._order.by_session(session_id)
        if session_id in m.evicted:
            forget_stray(m, session_id)
        for memory in (m.ended, m.evicted, m.missing, m.born):
            memory.pop(session_id, None)
        m.ended[session_id] = at
        if entry is None:
            return
        ended = next(session for session in entry.sessions if session.id == session_id)
        self._order.forget_session(ended)
        sessions = tuple(each for each in entry.sessions if each is not ended)
        if sessions:
            m.doubted |= {each.id: at for each in sessions if each.path == ended.path}
        if len(sessions) < MOST_SESSIONS:
            m.crowded.pop(entry.streamer, None)
        if entry.sessions[0] is not ended:
            self._order.put(changed(entry, sessions=sessions))
        else:
            self._lose_the_first(at, entry, sessions)

    def listed(self, event: ev.PublishersListed, shown: str = "") -> None:
        """Bring the live sessions to what their server says. One missing twice, in two lists, has ended.

        Who publishes ``shown``, of whom nobody knew, comes before others that are new: it is on air already.
        """
        live, memory = {session.id for session in event.sessions}, self._order.memory
        note_list(memory, event)
        for session in sorted(event.sessions, key=lambda session: session.path != shown) if shown else event.sessions:
            memory.missing.pop(session.id, None)
            revive(memory, session.id, event.asked_at)
            see_stray(memory, session, event.at)
            held = self._order.holder_of(session.path, event.at)
            if held and held.streamer != session.streamer and is_over(memory, held, event, live):
                # One path has one publisher: the end of the one before was lost.
                self.unpublish(event.at, held.id)
            self.publish(event.at, session, listed=True)
        for session_id in still_missing(memory, event):
            self.unpublish(event.at, session_id)

    def call_back(self, event: ev.PublishersListed, shown: Container[str]) -> None:
        """Kick whom nobody can be named for, once, so that its encoder comes back with a hook: none that is shown."""
        if self._times.policy.kick_unannounced:
            for session in to_call_back(self._order.memory, event, shown):
                self._outbox.commands.append(cmd.KickSession(session, "unannounced"))

    # --- steps -----------------------------------------------------------------------------------------------

    def _has_too_many(self, at: float, streamer: str) -> None:
        if streamer not in self._order.memory.crowded:
            self._order.memory.crowded[streamer] = at
            self._outbox.emit(at, "too_many_streams", streamer)

    def _join(self, at: float, session: ev.Session, *, transient: bool) -> None:
        entry = Entry(session.streamer, at, (session,), transient=transient)
        self._order.put(self._departures.recall_failures(at, entry))
        self._outbox.emit(at, "joined", session.streamer)

    def _add(self, at: float, entry: Entry, session: ev.Session, *, transient: bool) -> None:
        """One more stream of somebody who is in the line-up; it may be the only one."""
        if entry.transient and not transient:
            # What was asked for by hand announces itself.
            self._departures.forget_sessions(at, entry)
            entry = changed(entry, sessions=(), transient=False, leaves=None)
        if entry.sessions:
            self._order.put(changed(entry, sessions=(*entry.sessions, session)))
            return
        entry = self._forgiven(at, entry)
        back = changed(
            entry,
            sessions=(session,),
            away_since=None,
            grace_used=entry.grace_until(at),
            stalled_since=None,
            proving_until=None,
            # After a picture, a new publish is a new chance; after none it is one more of the same.
            retry_at=None if entry.seen else entry.retry_at,
            failures=0 if entry.seen else entry.failures,
            hiccups=0,
            seen=False,
        )
        self._order.put(back)
        if entry.away_since is not None:
            self._outbox.emit(at, "returned", entry.streamer)

    def _lose_the_first(self, at: float, entry: Entry, sessions: tuple[ev.Session, ...]) -> None:
        """The stream that was played has ended: another one of its streamer takes its place, or it is away."""
        entry = self._forgiven(at, entry) if sessions else entry
        fresh = bool(sessions) and entry.seen
        entry = changed(
            entry,
            sessions=sessions,
            away_since=entry.away_since if sessions else at,
            stalled_since=None,
            proving_until=None,
            grace_used=entry.grace_until(at),
            retry_at=None if fresh else entry.retry_at,
            failures=0 if fresh else entry.failures,
        )
        self._order.put(entry)
        if sessions:
            return
        if entry.transient or (self._times.grace_ends(entry) or at) <= at:
            self._departures.drop(at, entry.streamer, "left")
        else:
            self._outbox.emit(at, "away", entry.streamer)

    def _forgiven(self, at: float, entry: Entry) -> Entry:
        """It publishes anew, as it was made to: what was wrong was that of the stream before."""
        if not entry.recalled:
            return entry
        if entry.problem is not None:
            self._outbox.facts.append(facts.ProblemOver(at, entry.streamer, entry.problem.reason))
        return changed(entry, recalled=False, problem=None, retry_at=None, failures=0)
