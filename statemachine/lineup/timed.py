"""The order of the streamers with its times: turns and graces, and who is to be looked at next."""

from statemachine.lineup.deadlines import Schedule
from statemachine.lineup.entry import Entry, LineupState
from statemachine.lineup.order import Order
from statemachine.policy import Policy


class TimedOrder(Order):
    """Knows when something ends or may be tried again, without a walk along the whole line."""

    def __init__(self, policy: Policy, state: LineupState) -> None:
        self.policy = policy
        self._schedule = Schedule(self._times)
        self._overdue: dict[str, None] = {}
        super().__init__(state)

    def use(self, policy: Policy) -> None:
        """The policy from now on."""
        self.policy = policy
        self._touch()
        self._look_at_all()

    def load(self, state: LineupState) -> None:
        """Stand where ``state`` was taken."""
        super().load(state)
        self._look_at_all()

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
        return None if ends is None else max(0.0, ends + self._standing(entry, now) - now)

    def _standing(self, entry: Entry, now: float) -> float:
        """Seconds for which the clock of its turn has stood still by now, where it does."""
        since = self._memory.paused_since
        return 0.0 if since is None or entry.turn_began is None else max(0.0, now - max(since, entry.turn_began))

    def grace_ends(self, entry: Entry) -> float | None:
        """When an away or stalled one loses its place."""
        since = entry.missed_since
        if since is None:
            return None
        ends = since + max(0.0, min(self.policy.reconnect_grace, self.policy.grace_cap - entry.grace_used))
        return ends if entry.proving_until is None else max(ends, entry.proving_until)

    # --- what comes next -------------------------------------------------------------------------------------

    def _past_grace(self, now: float) -> list[Entry]:
        """Those whose grace has run out, in the order of the line-up; they stay among them until that is settled."""
        self._collect(now)
        past = {}
        for streamer in self._overdue:
            entry = self.find(streamer)
            ends = self.grace_ends(entry) if entry else None
            if entry is not None and ends is not None and ends <= now:
                past[streamer] = entry
        self._overdue = dict.fromkeys(past)
        return [entry for entry in self if entry.streamer in past] if len(past) > 1 else list(past.values())

    def _collect(self, now: float) -> None:
        self._overdue.update(dict.fromkeys(self._schedule.due(now)))

    def _earliest(self, now: float) -> float | None:
        self._collect(now)
        times = [self._schedule.next()]
        holder = self.holder
        if holder is not None and not self._memory.held and self._memory.paused_since is None:
            times.append(self.turn_ends(holder))
        return min((at for at in times if at is not None and at > now), default=None)

    def _times(self, streamer: str) -> tuple[float, ...]:
        """When this one may be tried again, and when its grace ends."""
        entry = self.find(streamer)
        if entry is None:
            return ()
        return tuple(at for at in (entry.retry_at, self.grace_ends(entry)) if at is not None)

    def _put(self, entry: Entry, position: int | None = None) -> None:
        super()._put(entry, position)
        if entry.retry_at is not None or entry.missed_since is not None:
            self._schedule.note(entry.streamer)
            if self._schedule.is_full_of(len(self)):
                self._look_at_all()

    def _look_at_all(self) -> None:
        self._overdue = {}
        self._schedule.begin(entry.streamer for entry in self)
