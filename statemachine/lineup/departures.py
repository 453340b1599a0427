"""How one leaves the line-up, and what keeps it from being back at once: a kick's time, or failures without end."""

from dataclasses import replace

from statemachine import commands as cmd
from statemachine import facts
from statemachine.lineup.entry import Entry, Failing, Stray
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.sessions import FORGET_FAILING

FAILING_MOST = 1000
"""How many of those who left without ever having had a picture are remembered."""


class Departures:
    """Takes entries out, and remembers what is to be known of them afterwards."""

    def __init__(self, order: Order, outbox: Outbox) -> None:
        self._order = order
        self._outbox = outbox

    def drop(self, at: float, streamer: str, what: str) -> None:
        """It leaves; ``what`` is told of it."""
        memory, entry = self._order.memory, self._order.take_out(streamer)
        self.forget_sessions(at, entry)
        self._remember_failures(at, entry)
        if entry.turn_began is not None:
            memory.last_streamer = streamer
        self._outbox.emit(at, what, streamer)

    def evict(self, at: float, entry: Entry, kick: str = "") -> None:
        """Its sessions are the line-up's no more, though they publish still; they are kicked if ``kick`` says why."""
        memory, mine = self._order.memory, dict[str, Stray]()
        # No server knows the session of a transient one.
        for session in () if entry.transient else entry.sessions:
            memory.evicted[session.id] = at
            first = mine.get(session.path)
            mine[session.path] = replace(first, later=(*first.later, session)) if first else Stray(session, at)
            if kick:
                self._outbox.commands.append(cmd.KickSession(session, kick))
        memory.strays |= mine

    def forget_sessions(self, at: float, entry: Entry) -> None:
        """It has none of them any more."""
        self._order.memory.crowded.pop(entry.streamer, None)
        for session in entry.sessions:
            self._order.forget_session(session)
            if entry.transient:
                self._order.memory.ended[session.id] = at

    # --- blocks ----------------------------------------------------------------------------------------------

    def block(self, streamer: str, until: float) -> None:
        """Keep it out until then."""
        self._order.memory.blocks[streamer] = until

    def unblock(self, streamer: str) -> None:
        """It may publish again."""
        del self._order.memory.blocks[streamer]

    def blocked(self, streamer: str, now: float) -> facts.Refused | None:
        """That this streamer was kicked and is still blocked, or None."""
        until = self._order.memory.blocks.get(streamer, 0.0)
        if until <= now:
            return None
        return facts.Refused(now, "blocked", f"{streamer} is blocked for another {until - now:.0f} s")

    # --- failures of those who are away ----------------------------------------------------------------------

    def recall_failures(self, at: float, entry: Entry) -> Entry:
        """The entry of one who is back, with the backoff that it left with."""
        known = self._order.memory.failing.pop(entry.streamer, None)
        if known is None or at >= known.retry_at + FORGET_FAILING:
            return entry
        retry_at = known.retry_at if at < known.retry_at else None
        return replace(entry, failures=known.failures, retry_at=retry_at, problem=known.problem)

    def forget_failures(self, streamer: str) -> None:
        """Its next publish is a new chance."""
        self._order.memory.failing.pop(streamer, None)

    def _remember_failures(self, at: float, entry: Entry) -> None:
        memory = self._order.memory.failing
        if entry.failures and not entry.seen and not entry.recalled:
            memory[entry.streamer] = Failing(entry.failures, max(at, entry.retry_at or at), entry.problem)
            while len(memory) > FAILING_MOST:
                del memory[next(iter(memory))]
