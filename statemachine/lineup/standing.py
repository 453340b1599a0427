"""What is known of each streamer's picture: had, failed, standing still, moving again.

Failures are forgotten by a picture, not by a publish: an encoder that comes and goes without ever having one keeps its
backoff, also where it leaves the line-up meanwhile. A move, a take or a test by hand forgets them, too. Where no list
of a server vouches for a publisher, one that fails so often in a row has left, and the word of its end was lost.
"""

from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.backoff import backoff
from statemachine.lineup.entry import Entry, Failing, LineupState, Problem, Stray
from statemachine.lineup.sessions import FORGET_FAILING
from statemachine.lineup.timed import TimedOrder
from statemachine.policy import Policy

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
VOUCHED_FOR = 600.0
"""Seconds for which a server's list says that it would tell of an end."""
VOUCHES_EVERY = 60.0
"""Seconds between two lists that are noted for that: one that changes nothing else need not be recorded."""
SHOWN_ON_AIR = frozenset({"cut_failed", "low_bitrate"})
"""What may be wrong with one that has a picture."""
FAILING_MOST = 1000
"""How many of them are remembered."""


class Standing(TimedOrder):
    """Appends to ``commands`` and ``facts``, which the director drains."""

    def __init__(self, policy: Policy, state: LineupState) -> None:
        super().__init__(policy, state)
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []

    def seen(self, session_id: str) -> None:
        """An input of it has a picture: its next publish is a new chance."""
        self._memory.doubted.pop(session_id, None)
        entry = self.by_session(session_id)
        if entry is not None and not entry.seen:
            self._put(replace(entry, seen=True))

    def forgive(self, session_id: str) -> None:
        """It had a steady picture: the failures before that do not count."""
        entry = self.by_session(session_id)
        if entry is not None and entry.failures:
            self._put(replace(entry, failures=0))

    def blame(self, at: float, session_id: str, reason: str, detail: str = "", *, barred: bool = False) -> None:
        """Why it cannot be shown, in one word; told once for each reason. ``barred``: it is not tried any more."""
        entry = self.by_session(session_id)
        if entry is None:
            return
        known = entry.problem
        fresh = known is None or known.reason != reason
        problem = Problem(reason, detail, at) if fresh else known
        self.note(session_id, problem, barred=barred or entry.barred == session_id)
        if fresh:
            self.facts.append(facts.ProblemFound(at, entry.streamer, reason, detail))

    def relieve(self, at: float, session_id: str, *, on_air: bool = False) -> None:
        """It has a picture, or is ``on_air`` with it: what was wrong is over, unless that is seen on air alone."""
        entry = self.by_session(session_id)
        if entry is None or (entry.problem is None and not entry.barred):
            return
        if not on_air and entry.problem is not None and entry.problem.reason in SHOWN_ON_AIR:
            return
        self.note(session_id, None, barred=False)
        if entry.problem is not None:
            self.facts.append(facts.ProblemOver(at, entry.streamer, entry.problem.reason))

    def failed(
        self, at: float, session_id: str, *, reason: str = "", seldom: bool = False, silent: bool = True
    ) -> None:
        """Its picture could not be made ready: try again later, the next one first. ``silent``: nothing came of it.

        Where no ``reason`` is given it is named afterwards, by ``blame``.
        """
        if reason:
            self.blame(at, session_id, reason)
        entry = self.by_session(session_id)
        if entry is None or entry.sessions[0].id != session_id:
            return
        if entry.transient:
            self._drop(at, entry.streamer, "left")
            return
        most = max(SELDOM, self.policy.retry_most) if seldom else self.policy.retry_most
        pause = backoff(SELDOM_FIRST if seldom else self.policy.retry_first, most, entry.failures + 1)
        # A later session of the same streamer may have the picture that this one has not.
        sessions = entry.sessions
        if entry.failures or not entry.seen:
            sessions = (sessions[-1], *sessions[:-1])
        entry = replace(entry, sessions=sessions, failures=entry.failures + 1, retry_at=at + pause, proving_until=None)
        self._put(entry)
        holder = self.holder
        another = holder if holder is not None and holder.streamer != entry.streamer else None
        plays = another is not None and another.turn_began is not None and another.missed_since is None
        limit = GONE_AFTER if plays else GONE_ALONE
        if all(session.id in self._memory.doubted for session in sessions):
            limit = DOUBTED_AFTER if plays else DOUBTED_ALONE
        if silent and entry.failures >= limit and not any(self._vouched_for(session.id, at) for session in sessions):
            for session in sessions:
                self._memory.ended[session.id] = at
            # Nobody is told of it, but should it publish again, that is why it waits.
            self._put(replace(entry, problem=entry.problem or Problem("not_ready", "", at)))
            self._drop(at, entry.streamer, "gone")

    def stalled(self, at: float, session_id: str, since: float) -> None:
        """The picture on air stands still. The holder keeps the turn for its grace; one that fills in has failed."""
        entry = self.by_session(session_id)
        if entry is None or entry.stalled_since is not None or entry.sessions[0].id != session_id:
            return
        self._tell(at, "stalled", entry.streamer)
        began = since if entry.turn_began is not None else None
        hiccups = entry.unsteady(at) + 1
        self._put(replace(entry, stalled_since=began, hiccups=hiccups, unsteady_until=at + STEADY_AFTER))
        if began is None:
            self.failed(at, session_id, reason="stalled")

    def paused(self, at: float, session_id: str, long: bool) -> None:
        """The picture on air stood still for less than a stall. A ``long`` one says that it is not steady yet."""
        entry = self.by_session(session_id)
        if entry is not None and long and entry.unsteady(at):
            self._put(replace(entry, unsteady_until=at + STEADY_AFTER))

    def hiccups(self, session_id: str, now: float) -> int:
        """How often its picture has stalled, each time soon after the time before."""
        entry = self.by_session(session_id)
        return entry.unsteady(now) if entry is not None else 0

    def start_probation(self, session_id: str, until: float) -> None:
        """A fresh input of one that stalled has a picture, and shows until then that it goes on moving."""
        entry = self.by_session(session_id)
        if entry is not None and entry.stalled_since is not None and entry.sessions[0].id == session_id:
            self._put(replace(entry, proving_until=until))

    def moves(self, at: float, session_id: str) -> None:
        """A picture that stalled moves again, or was proven by a fresh input."""
        entry = self.by_session(session_id)
        if entry is not None and entry.sessions[0].id == session_id:
            used = entry.grace_until(at)
            entry = replace(entry, proving_until=None, retry_at=None, failures=0, grace_used=used)
            steady = at + STEADY_AFTER if entry.unsteady(at) else 0.0
            self._put(replace(entry, stalled_since=None, unsteady_until=steady))
            if entry.stalled_since is not None:
                self._tell(at, "resumed", entry.streamer)

    # --- what is wrong with a stream ------------------------------------------------------------------------

    def note(self, session_id: str, problem: Problem | None, *, barred: bool) -> None:
        """What is wrong with a stream, if anything, and whether it is not to be tried."""
        entry = self.by_session(session_id)
        if entry is not None:
            self._put(replace(entry, problem=problem, barred=session_id if barred else ""))

    def prefer(self, session_id: str) -> None:
        """Of its streamer's streams this one is played."""
        entry = self.by_session(session_id)
        if entry is not None and entry.sessions[0].id != session_id:
            order = sorted(entry.sessions, key=lambda session: session.id != session_id)
            self._put(replace(entry, sessions=tuple(order)))

    def let_try(self, session_id: str) -> None:
        """It may be another stream now, or there is another way to play it: tried again at once."""
        entry = self.by_session(session_id)
        if entry is not None and entry.sessions[0].id == session_id:
            self._put(replace(entry, barred="", retry_at=None))

    # --- the memory of those who are away --------------------------------------------------------------------

    def _vouches(self, event: ev.PublishersListed) -> None:
        """A server tells whom it has: an end that its hook does not tell is known all the same."""
        m = self._memory
        for memory, prefixes in ((m.listing, (event.server,)), (m.unlisted, event.others)):
            for prefix in prefixes:
                if not (known := memory.get(prefix)) or event.at >= known + VOUCHES_EVERY:
                    memory[prefix] = event.at
        for prefix in [prefix for prefix, at in m.unlisted.items() if event.at >= at + VOUCHED_FOR]:
            del m.unlisted[prefix]

    def _vouched_for(self, session_id: str, now: float) -> bool:
        """A list that speaks of it would tell of its end."""
        listing, unlisted = self._memory.listing.items(), self._memory.unlisted.items()
        others = tuple(prefix for prefix, at in unlisted if session_id.startswith(prefix) and now < at + VOUCHED_FOR)
        return any(
            session_id.startswith(server) and now < at + VOUCHED_FOR and all(map(server.startswith, others))
            for server, at in listing
        )

    def _remember_failures(self, at: float, entry: Entry) -> None:
        memory = self._memory.failing
        if entry.failures and not entry.seen:
            memory[entry.streamer] = Failing(entry.failures, max(at, entry.retry_at or at), entry.problem)
            while len(memory) > FAILING_MOST:
                del memory[next(iter(memory))]

    def _recall_failures(self, at: float, entry: Entry) -> Entry:
        known = self._memory.failing.pop(entry.streamer, None)
        if known is None or at >= known.retry_at + FORGET_FAILING:
            return entry
        retry_at = known.retry_at if at < known.retry_at else None
        return replace(entry, failures=known.failures, retry_at=retry_at, problem=known.problem)

    def _forget_failures(self, streamer: str) -> None:
        self._memory.failing.pop(streamer, None)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _forget_sessions(self, at: float, entry: Entry) -> None:
        self._memory.crowded.pop(entry.streamer, None)
        for session in entry.sessions:
            self._forget_session(session)
            if entry.transient:
                self._memory.ended[session.id] = at

    def _oust(self, at: float, entry: Entry, kick: str = "") -> None:
        # No server knows the session of a transient one.
        for session in () if entry.transient else entry.sessions:
            self._memory.ousted[session.id] = at
            self._memory.strays[session.path] = Stray(session, at)
            if kick:
                self.commands.append(cmd.KickSession(session, kick))

    def _drop(self, at: float, streamer: str, what: str) -> None:
        entry = self._take_out(streamer)
        self._forget_sessions(at, entry)
        self._remember_failures(at, entry)
        if entry.turn_began is not None:
            self._memory.last_streamer = streamer
        self._tell(at, what, streamer)

    def _tell(self, at: float, what: str, streamer: str) -> None:
        self.facts.append(facts.LineupChanged(at, what, streamer))

    def _refuse(self, at: float, code: str, message: str) -> None:
        self.facts.append(facts.Refused(at, code, message))
