"""Whose turn it is: it begins with a picture, ends by the clock or by hand, and is kept for a grace.

The first entry is the *holder*: whose turn it is, or would be. Its turn runs from its first picture
(``turn_began``). A holder that is away within its grace, or stalled, keeps the turn while the next one fills in.
"""

from dataclasses import replace

from statemachine import events as ev
from statemachine.lineup.deadlines import Agenda
from statemachine.lineup.departures import Departures
from statemachine.lineup.entry import Entry
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.sessions import forget_old
from statemachine.lineup.standing import Standing
from statemachine.lineup.times import Times
from statemachine.policy import Policy


class Turns:
    """Lets turns and graces begin and end."""

    def __init__(self, order: Order, times: Times, outbox: Outbox, departures: Departures, standing: Standing) -> None:
        self._order = order
        self._times = times
        self._outbox = outbox
        self._departures = departures
        self._standing = standing
        self.agenda = Agenda(order, times)
        self._next: float | None = None
        self._looked_at = -1
        """The version of the order that ``expire`` has seen."""

    def use(self, policy: Policy) -> None:
        """The policy from now on."""
        self._times.policy = policy
        self._order.touch()
        self.agenda.reset()

    # --- the picture -----------------------------------------------------------------------------------------

    def cut(self, at: float, streamer: str, *, fills_in: bool) -> None:
        """The picture has changed, to that of ``streamer`` if any; ``fills_in``: until one before it has one."""
        if not fills_in:
            self._order.set_cause("")
        if streamer and fills_in:
            self._standing.resumed_on_air(at, streamer)
        elif streamer:
            self.shown(at, streamer)

    def shown(self, at: float, streamer: str) -> None:
        """A proven picture of ``streamer`` is on air: its turn begins, unless it only fills in for the holder."""
        self._standing.resumed_on_air(at, streamer)
        entry, holder = self._order.find(streamer), self._order.holder
        if entry is not None and holder is not None and holder.turn_began is None:
            # Also where nobody followed after all: what had changed the order is over.
            self._order.set_cause("")
            self._order.put(replace(entry, turn_began=at, turn_paused=0.0, grace_used=0.0, failures=0), 0)

    # --- the end of a turn -----------------------------------------------------------------------------------

    def end_turn(self, at: float, entry: Entry) -> None:
        """To the tail while still publishing, or out, as the policy has it: not before somebody follows on air."""
        self._order.memory.last_streamer = entry.streamer
        for session in entry.sessions:
            self._order.memory.waived.pop(session.id, None)
        if not entry.sessions:
            self._departures.drop(at, entry.streamer, "turn_over")
            return
        if self._times.policy.after_turn == "kick" or entry.transient:
            self.send_off(at, entry, 0.0)
            return
        rested = replace(
            entry, turn_began=None, turn_length=None, grace_used=0.0, stalled_since=None, proving_until=None
        )
        self._order.put(rested, len(self._order) - 1)
        if entry.stalled_since is not None:
            self._standing.failed(at, entry.sessions[0].id, reason="stalled")
        self._outbox.emit(at, "requeued", entry.streamer)

    def send_off(self, at: float, entry: Entry, seconds: float) -> None:
        """It is to go, and to be blocked for ``seconds``, as soon as it is not on air: ``dismiss`` tells when."""
        if entry.leaves is None:
            rested = replace(entry, turn_began=None, turn_length=None, stalled_since=None, proving_until=None)
            self._order.memory.leaving[entry.streamer] = at
            self._order.put(replace(rested, leaves=seconds), len(self._order) - 1)
            self._outbox.emit(at, "leaving", entry.streamer)

    @property
    def some_leave(self) -> bool:
        """There are those who are to go."""
        return bool(self._order.memory.leaving)

    def dismiss(self, at: float, on_air: ev.Session | None, still: bool = False) -> bool:
        """Send away those who are to go and are not on air; True if there was one.

        ``still``: the picture on air stands still. Where nobody could follow, its streamer stays as any other does: a
        fresh input of it, or a later stream, may be all that there is to be seen.
        """
        leaving = self._order.memory.leaving
        for streamer in tuple(leaving):
            entry = self._order.find(streamer)
            if entry is None or entry.leaves is None:
                del leaving[streamer]
            elif on_air is None or on_air not in entry.sessions:
                del leaving[streamer]
                self._send_away(at, entry, entry.leaves)
                return True
            elif still and not entry.transient and not self.can_be_followed(entry, at):
                del leaving[streamer]
                self._order.put(replace(entry, leaves=None))
                self._outbox.emit(at, "stays", streamer)
                return True
        return False

    def _send_away(self, at: float, entry: Entry, seconds: float) -> None:
        if seconds > 0:
            self._departures.block(entry.streamer, at + seconds)
            self._departures.evict(at, entry, kick="kicked")
            self._departures.drop(at, entry.streamer, "kicked")
        else:
            self._departures.evict(at, entry, kick="turn over" if self._times.policy.after_turn == "kick" else "")
            self._departures.drop(at, entry.streamer, "turn_over")

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> bool:
        """Let turns, graces and memories end whose time has come; True if anybody's place is another now."""
        memory, before = self._order.memory, self._order.version
        self.forget(now)
        if self._looked_at == before and (self._next is None or now < self._next):
            return False
        for entry in self.agenda.past_grace(now):
            self._grace_is_over(now, entry)
        holder = self._order.holder
        if holder is not None and not memory.held and memory.paused_since is None:
            ends = self._times.turn_ends(holder)
            alone = self._times.policy.turn_when_alone
            if ends is not None and ends <= now and (alone or self._is_to_be_followed(holder, now)):
                self._order.set_cause("turn", holder.streamer)
                self._outbox.emit(now, "turn_ended", holder.streamer)
                self.end_turn(now, holder)
        self._next, self._looked_at = self.agenda.earliest(now), self._order.version
        return self._looked_at != before

    def forget(self, now: float) -> None:
        """Let memories and blocks go that can no longer matter: nobody is told of it, so no deadline waits for it."""
        forget_old(self._order.memory, now, self._times.policy.reconnect_grace)

    def deadline(self, now: float) -> float | None:
        """When ``expire`` is to be called next."""
        if self._looked_at != self._order.version or (self._next is not None and self._next <= now):
            self._next = self.agenda.earliest(now)
        return self._next

    def pause(self, now: float, paused: bool) -> None:
        """The clock of the turn stands still, or goes on. Whoever is told nothing of it sees a turn as long as ever."""
        memory, holder = self._order.memory, self._order.holder
        if paused is (memory.paused_since is not None):
            return
        stood = self._times.stood_still(holder, now) if holder is not None else 0.0
        memory.paused_since = now if paused else None
        self._order.touch()
        if holder is not None and stood:
            self._order.put(replace(holder, turn_paused=holder.turn_paused + stood))

    def shift_deadlines(self, gap: float) -> None:
        """Nobody could return, or be seen to move again, for ``gap`` seconds: no grace ran."""
        for entry in [entry for entry in self._order if entry.missed_since is not None]:
            times = (entry.away_since, entry.stalled_since, entry.proving_until)
            away, stalled, proving = (None if time is None else time + gap for time in times)
            self._order.put(replace(entry, away_since=away, stalled_since=stalled, proving_until=proving))

    # --- helpers ---------------------------------------------------------------------------------------------

    def can_be_followed(self, entry: Entry, now: float) -> bool:
        """A picture can be expected of somebody else."""
        return self._order.first_showable(now, but=entry.streamer) is not None

    def _is_to_be_followed(self, holder: Entry, now: float) -> bool:
        """The same, and not only of one who is less fit than the one whose turn it is."""
        order = self._order
        other = order.first_showable(now, but=holder.streamer)
        if other is None or not order.passed_over(other):
            return other is not None
        return holder.session is not None and holder.session.id in order.memory.unfit

    def _grace_is_over(self, now: float, entry: Entry) -> None:
        if entry.away_since is not None:
            self._departures.drop(now, entry.streamer, "left")
        elif entry.transient:
            self._standing.failed(now, entry.sessions[0].id)
        elif not self._order.memory.held and self.can_be_followed(entry, now):
            self.end_turn(now, entry)
