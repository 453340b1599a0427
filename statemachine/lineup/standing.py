"""What is known of each streamer's picture: had, failed, standing still, moving again.

Failures are forgotten by a picture, not by a publish: an encoder that comes and goes without ever having one keeps its
backoff, also where it leaves the line-up meanwhile. A move, a take or a test by hand forgets them, too. Where no list
of a server vouches for a publisher, one that fails so often in a row has left, and the word of its end was lost.
"""

from dataclasses import replace

from statemachine import facts
from statemachine.backoff import backoff
from statemachine.lineup.departures import Departures
from statemachine.lineup.entry import Entry, Problem
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.sessions import is_vouched_for
from statemachine.lineup.times import Times

SELDOM, SELDOM_FIRST = 600.0, 30.0
"""Seconds until one that was seen to send no picture is tried again, at most and at first."""
STEADY_AFTER = 60.0
"""Seconds after which a picture that stalled, and has moved since, is steady again."""
GONE_AFTER, GONE_ALONE = 5, 7
"""Failures in a row after which a publisher that no server lists is taken to have left: while another one plays, and
where nobody does, so that it may be OBS that fails."""
DOUBTED_AFTER, DOUBTED_ALONE = 1, 2
"""The same for one who has none but streams that another of the same path outlived: servers ask before they find a path
busy, and tell of no end of what they refused."""
SHOWN_ON_AIR = frozenset({"cut_failed", "low_bitrate", "quality"})
"""What may be wrong with one that has a picture."""


class Standing:
    """Keeps in each entry what is known of its picture."""

    def __init__(self, order: Order, times: Times, outbox: Outbox, departures: Departures) -> None:
        self._order = order
        self._times = times
        self._outbox = outbox
        self._departures = departures

    def seen(self, session_id: str) -> None:
        """An input of it has a picture: its next publish is a new chance."""
        self._order.memory.doubted.pop(session_id, None)
        entry = self._order.by_session(session_id)
        if entry is not None and not entry.seen:
            self._order.put(replace(entry, seen=True))

    def forgive(self, session_id: str) -> None:
        """It had a steady picture: the failures before that do not count."""
        entry = self._order.by_session(session_id)
        if entry is not None and entry.failures:
            self._order.put(replace(entry, failures=0))

    def blame(self, at: float, session_id: str, reason: str, detail: str = "", *, barred: bool = False) -> None:
        """Why it cannot be shown, in one word; told once for each reason. ``barred``: it is not tried any more."""
        entry = self._order.by_session(session_id)
        if entry is None:
            return
        known = entry.problem
        fresh = known is None or known.reason != reason
        problem = Problem(reason, detail, at) if fresh else known
        self._note(session_id, problem, barred=barred or entry.barred == session_id)
        if fresh:
            self._outbox.facts.append(facts.ProblemFound(at, entry.streamer, reason, detail))

    def relieve(self, at: float, session_id: str, *, on_air: bool = False) -> None:
        """It has a picture, or is ``on_air`` with it: what was wrong is over, unless that is seen on air alone.

        Not where it is another stream of the same streamer that failed, and is to be tried again.
        """
        entry = self._order.by_session(session_id)
        if entry is None or (entry.problem is None and not entry.barred) or entry.sessions[0].id != session_id:
            return
        if not on_air and entry.problem is not None and entry.problem.reason in SHOWN_ON_AIR:
            return
        self._note(session_id, None, barred=False)
        if entry.problem is not None:
            self._outbox.facts.append(facts.ProblemOver(at, entry.streamer, entry.problem.reason))

    def failed(
        self, at: float, session_id: str, *, reason: str = "", seldom: bool = False, silent: bool = True
    ) -> None:
        """Its picture could not be made ready: try again later, the next one first. ``silent``: nothing came of it.

        Where no ``reason`` is given it is named afterwards, by ``blame``.
        """
        if reason:
            self.blame(at, session_id, reason)
        entry = self._order.by_session(session_id)
        if entry is None or entry.sessions[0].id != session_id:
            return
        if entry.transient:
            self._departures.drop(at, entry.streamer, "left")
            return
        policy = self._times.policy
        most = max(SELDOM, policy.retry_most) if seldom else policy.retry_most
        pause = backoff(SELDOM_FIRST if seldom else policy.retry_first, most, entry.failures + 1)
        # A later session of the same streamer may have the picture that this one has not.
        sessions = entry.sessions
        if entry.failures or not entry.seen:
            sessions = (sessions[-1], *sessions[:-1])
        entry = replace(entry, sessions=sessions, failures=entry.failures + 1, retry_at=at + pause, proving_until=None)
        self._order.put(entry)
        if silent and self._has_left(at, entry):
            for session in sessions:
                self._order.memory.ended[session.id] = at
            # Nobody is told of it, but should it publish again, that is why it waits.
            self._order.put(replace(entry, problem=entry.problem or Problem("not_ready", "", at)))
            self._departures.drop(at, entry.streamer, "gone")

    def _has_left(self, at: float, entry: Entry) -> bool:
        """It has failed so often that the word of its end was lost, and no list says the contrary."""
        memory, holder = self._order.memory, self._order.holder
        another = holder if holder is not None and holder.streamer != entry.streamer else None
        plays = another is not None and another.turn_began is not None and another.missed_since is None
        limit = GONE_AFTER if plays else GONE_ALONE
        if all(session.id in memory.doubted for session in entry.sessions):
            limit = DOUBTED_AFTER if plays else DOUBTED_ALONE
        return entry.failures >= limit and not any(is_vouched_for(memory, each.id, at) for each in entry.sessions)

    def stalled(self, at: float, session_id: str, since: float) -> None:
        """The picture on air stands still. The holder keeps the turn for its grace; one that fills in has failed."""
        entry = self._order.by_session(session_id)
        if entry is None or entry.stalled_since is not None or entry.sessions[0].id != session_id:
            return
        self._outbox.emit(at, "stalled", entry.streamer)
        began = since if entry.turn_began is not None else None
        hiccups = entry.unsteady(at) + 1
        self._order.put(replace(entry, stalled_since=began, hiccups=hiccups, unsteady_until=at + STEADY_AFTER))
        if began is None:
            self.failed(at, session_id, reason="stalled")

    def paused(self, at: float, session_id: str, long: bool) -> None:
        """The picture on air stood still for less than a stall. A ``long`` one says that it is not steady yet."""
        entry = self._order.by_session(session_id)
        if entry is not None and long and entry.unsteady(at):
            self._order.put(replace(entry, unsteady_until=at + STEADY_AFTER))

    def hiccups(self, session_id: str, now: float) -> int:
        """How often its picture has stalled, each time soon after the time before."""
        entry = self._order.by_session(session_id)
        return entry.unsteady(now) if entry is not None else 0

    def start_probation(self, session_id: str, until: float) -> None:
        """A fresh input of one that stalled has a picture, and shows until then that it goes on moving."""
        entry = self._order.by_session(session_id)
        if entry is not None and entry.stalled_since is not None and entry.sessions[0].id == session_id:
            self._order.put(replace(entry, proving_until=until))

    def resumed(self, at: float, session_id: str) -> None:
        """A picture that stalled moves again, or was proven by a fresh input."""
        entry = self._order.by_session(session_id)
        if entry is not None and entry.sessions[0].id == session_id:
            used = entry.grace_until(at)
            entry = replace(entry, proving_until=None, retry_at=None, failures=0, grace_used=used)
            steady = at + STEADY_AFTER if entry.unsteady(at) else 0.0
            self._order.put(replace(entry, stalled_since=None, unsteady_until=steady))
            if entry.stalled_since is not None:
                self._outbox.emit(at, "resumed", entry.streamer)

    def resumed_on_air(self, at: float, streamer: str) -> None:
        """A picture of it is on air, whatever kept it waiting before."""
        entry = self._order.find(streamer)
        if entry is not None and entry.sessions:
            used = entry.grace_until(at)
            entry = replace(entry, retry_at=None, stalled_since=None, proving_until=None, grace_used=used, failures=0)
            self._order.put(entry)
            self.relieve(at, entry.sessions[0].id, on_air=True)

    # --- what is wrong with a stream ------------------------------------------------------------------------

    def _note(self, session_id: str, problem: Problem | None, *, barred: bool) -> None:
        """What is wrong with a stream, if anything, and whether it is not to be tried."""
        entry = self._order.by_session(session_id)
        if entry is not None:
            self._order.put(replace(entry, problem=problem, barred=session_id if barred else ""))

    def prefer(self, session_id: str) -> None:
        """Of its streamer's streams this one is played."""
        entry = self._order.by_session(session_id)
        if entry is not None and entry.sessions[0].id != session_id:
            order = sorted(entry.sessions, key=lambda session: session.id != session_id)
            self._order.put(replace(entry, sessions=tuple(order)))

    def let_try(self, session_id: str) -> None:
        """It may be another stream now, or there is another way to play it: tried again at once."""
        entry = self._order.by_session(session_id)
        if entry is not None and entry.sessions[0].id == session_id:
            self._order.put(replace(entry, barred="", retry_at=None))
