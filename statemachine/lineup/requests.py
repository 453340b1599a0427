"""What the people who run the channel ask of the line-up. Each is done whole, or refused with a reason."""

from dataclasses import replace

from statemachine import events as ev
from statemachine.lineup.departures import Departures
from statemachine.lineup.entry import Entry
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.turns import Turns
from statemachine.takers import Takers


class Requests:
    """One method for each request."""

    def __init__(self, order: Order, outbox: Outbox, departures: Departures, turns: Turns) -> None:
        self._order = order
        self._outbox = outbox
        self._departures = departures
        self._turns = turns

    def add_to(self, takers: Takers) -> None:
        """What asks for nothing but the line-up: each row takes one kind of request."""
        takers.add(ev.MoveRequested, lambda asked: self.move(asked.at, asked.streamer, asked.position))
        takers.add(ev.RemoveRequested, lambda asked: self.remove(asked.at, asked.streamer))
        takers.add(ev.KickRequested, lambda asked: self.kick(asked.at, asked.streamer, asked.seconds))
        takers.add(ev.LetInRequested, lambda asked: self.unblock(asked.at, asked.streamer))

    def skip(self, at: float, on_air: str) -> None:
        """End the turn of the one on air."""
        holder = self._order.holder
        entry = self._order.find(on_air) or holder
        if entry is None:
            self._outbox.refuse(at, "nobody_on_air", "nobody is on air")
        elif not self._turns.can_be_followed(entry, at):
            nobody = "nobody who is waiting can be shown" if self._somebody_waits(entry) else "nobody is waiting"
            self._outbox.refuse(at, "nobody_waits", f"{nobody}: {entry.streamer} stays on air")
        elif holder is not entry and holder is not None and holder.showable(at) and on_air:
            # A second press of the button must not skip one whom nobody has seen yet.
            self._outbox.refuse(at, "handover_pending", f"a hand-over to {holder.streamer} is under way")
        else:
            self._end_turn(at, entry)

    def _end_turn(self, at: float, entry: Entry) -> None:
        holder, following = self._order.holder, self._order.first_showable(at, but=entry.streamer)
        if following is not None and self._order.passed_over(following):
            # Nobody better waits, and whoever skips has seen who does.
            self._order.waive(following, at)
        self._order.set_cause("skip", entry.streamer)
        self._outbox.emit(at, "skipped", entry.streamer)
        # The one on air only fills in: the one it fills in for shall not come next.
        if holder is not None and holder is not entry:
            self._turns.end_turn(at, holder)
        self._turns.end_turn(at, entry)

    def take(self, at: float, streamer: str, on_air: str) -> None:
        """Show this one next, and now: the operator's word is the last, whatever is measured of it."""
        order, entry, holder = self._order, self._order.find(streamer), self._order.holder
        if entry is None:
            self._outbox.refuse(at, "not_found", f"{streamer} is not in the line-up")
        elif streamer == on_air:
            self._outbox.refuse(at, "on_air", f"{streamer} is on air")
        elif not entry.sessions:
            self._outbox.refuse(at, "not_publishing", f"{streamer} does not publish: there is nothing to show")
        else:
            order.put(replace(entry, retry_at=None, failures=0, leaves=None), 0)
            order.waive(entry, at)
            order.set_cause("skip", on_air)
            self._outbox.emit(at, "taken", streamer)
            shown = order.find(on_air)
            for other in (shown, holder if holder is not shown else None):
                if other is not None and other is not entry and (other is shown or other.turn_began is not None):
                    self._turns.end_turn(at, other)

    def move(self, at: float, streamer: str, position: int) -> None:
        """Put a waiting one at ``position``. The holder's own place is changed by skip."""
        order, entry, holder = self._order, self._order.find(streamer), self._order.holder
        if entry is None:
            self._outbox.refuse(at, "not_found", f"{streamer} is not in the line-up")
        elif entry is holder and entry.turn_began is not None:
            self._outbox.refuse(at, "on_air", f"{streamer} has the turn: skip ends it")
        elif not 0 <= position < len(order):
            self._outbox.refuse(at, "bad_position", f"the line-up has the positions 0 to {len(order) - 1}")
        elif position == 0 and holder is not None and holder.turn_began is not None:
            why = f"{holder.streamer} has the turn: the first place to wait at is 1"
            self._outbox.refuse(at, "bad_position", why)
        else:
            # An operator's hand: whatever kept it waiting, or was to send it away, is forgotten.
            order.put(replace(entry, retry_at=None, failures=0, leaves=None), position)
            order.waive(entry, at)
            order.set_cause("moved", streamer)
            self._outbox.emit(at, "moved", streamer)

    def remove(self, at: float, streamer: str) -> None:
        """Take one out; a new publish joins again."""
        if (entry := self._order.find(streamer)) is None:
            self._outbox.refuse(at, "not_found", f"{streamer} is not in the line-up")
            return
        self._order.set_cause("removed", streamer)
        self._departures.evict(at, entry)
        self._departures.drop(at, streamer, "removed")
        self._departures.forget_failures(streamer)

    def kick(self, at: float, streamer: str, seconds: float) -> None:
        """Cut one off and block it for ``seconds``; one who is not here is only blocked."""
        self._departures.block(streamer, at + seconds)
        if (entry := self._order.find(streamer)) is None:
            self._outbox.emit(at, "blocked", streamer)
            return
        self._order.set_cause("kick", streamer)
        self._departures.evict(at, entry, kick="kicked")
        self._departures.drop(at, streamer, "kicked")
        self._departures.forget_failures(streamer)

    def unblock(self, at: float, streamer: str) -> None:
        """End a kick's time."""
        if self._departures.blocked(streamer, at) is None:
            self._outbox.refuse(at, "not_blocked", f"{streamer} is not blocked")
        else:
            self._departures.unblock(streamer)
            self._outbox.emit(at, "let_in", streamer)

    def hold(self, at: float, held: bool) -> None:
        """Stop turns from ending by the clock, or let them again."""
        order = self._order
        if held != order.memory.held:
            order.memory.held = held
            order.touch()
            self._outbox.emit(at, "held" if held else "released", order.holder.streamer if order.holder else "")

    def set_turn(self, event: ev.TurnChanged) -> None:
        """A turn's length for one streamer; all others' is a setting of the policy."""
        target = self._order.find(event.streamer) if event.streamer is not None else self._order.holder
        if target is None:
            if event.streamer is not None:
                self._outbox.refuse(event.at, "not_found", f"{event.streamer} is not in the line-up")
            return
        if event.streamer is not None:
            target = replace(target, turn_length=event.seconds)
        if event.restart and target.turn_began is not None:
            target = replace(target, turn_began=event.at, turn_paused=0.0)
        self._order.put(target)
        self._outbox.emit(event.at, "turn_changed", target.streamer)

    def _somebody_waits(self, entry: Entry) -> bool:
        return any(other.sessions for other in self._order if other is not entry)
