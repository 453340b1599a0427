"""How long turns and graces are, and when they end."""

from statemachine.lineup.entry import Entry
from statemachine.lineup.order import Order
from statemachine.policy import Policy


class Times:
    """Reads the entries and the policy."""

    def __init__(self, order: Order, policy: Policy) -> None:
        self._order = order
        self.policy = policy

    def turn_length(self, entry: Entry) -> float:
        """Seconds of its turn."""
        own = entry.turn_length
        if own is None and entry.session:
            own = entry.session.turn
        return self.policy.turn if own is None else own

    def turn_ends(self, entry: Entry) -> float | None:
        """When its turn ends, if it runs; whether anything then happens depends on who waits.

        While the clock of the turn stands still that moment moves away: this is where it stood when it stopped.
        """
        if entry.turn_began is None:
            return None
        return entry.turn_began + self.turn_length(entry) + entry.turn_paused

    def turn_left(self, entry: Entry, now: float) -> float | None:
        """Seconds of its turn that are left, if it runs; never below 0."""
        ends = self.turn_ends(entry)
        return None if ends is None else max(0.0, ends + self.stood_still(entry, now) - now)

    def stood_still(self, entry: Entry, now: float) -> float:
        """Seconds for which the clock of its turn has stood still by now, where it does."""
        since = self._order.memory.paused_since
        return 0.0 if since is None or entry.turn_began is None else max(0.0, now - max(since, entry.turn_began))

    def grace_ends(self, entry: Entry) -> float | None:
        """When an away or stalled one loses its place."""
        since = entry.missed_since
        if since is None:
            return None
        ends = since + max(0.0, min(self.policy.reconnect_grace, self.policy.grace_cap - entry.grace_used))
        return ends if entry.proving_until is None else max(ends, entry.proving_until)
