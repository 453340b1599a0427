"""Who is on air, who is next: turns, grace, blocks. Knows nothing of OBS.

Composed of parts, each with one job; the entries are written by them alone:

- ``publishers``: who joins, goes away, comes back and leaves, as the ingest servers tell;
- ``requests``: what the people who run the channel ask;
- ``turns``: whose turn it is, and until when;
- ``standing``: what is known of each one's picture;
- ``recalls``: whose stream is kicked so that its encoder publishes anew.

Questions are asked of the line-up itself. The first entry is the *holder*: whose turn it is, or would be.
"""

from collections.abc import Iterator

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.facts import Fact, Refused
from statemachine.lineup.departures import Departures
from statemachine.lineup.entry import Entry, LineupState
from statemachine.lineup.order import Order
from statemachine.lineup.outbox import Outbox
from statemachine.lineup.publishers import Publishers
from statemachine.lineup.recalls import Recalls
from statemachine.lineup.requests import Requests
from statemachine.lineup.standing import Standing
from statemachine.lineup.times import Times
from statemachine.lineup.turns import Turns
from statemachine.policy import Policy

__all__ = ["Entry", "Lineup", "LineupState"]


class Lineup:
    """The order of the streamers. Its parts hand on ``commands`` and ``facts``, which the director drains."""

    def __init__(self, policy: Policy, state: LineupState | None = None) -> None:
        self._order = order = Order(state or LineupState())
        self._outbox = outbox = Outbox()
        self._times = times = Times(order, policy)
        self._departures = departures = Departures(order, outbox)
        self.standing = Standing(order, times, outbox, departures)
        self.turns = Turns(order, times, outbox, departures, self.standing)
        self.publishers = Publishers(order, times, outbox, departures)
        self.recalls = Recalls(order, times, outbox, self.standing)
        self.requests = Requests(order, outbox, departures, self.turns)

    @property
    def commands(self) -> list[cmd.Command]:
        """What is to be done; the director takes it out."""
        return self._outbox.commands

    @property
    def facts(self) -> list[Fact]:
        """What has happened; the director takes it out."""
        return self._outbox.facts

    # --- the whole -------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """What holds now."""
        return self._times.policy

    def use(self, policy: Policy) -> None:
        """The policy from now on."""
        self.turns.use(policy)

    @property
    def last_streamer(self) -> str:
        """Whose turn ended last; empty where none did."""
        return self._order.memory.last_streamer

    @property
    def state(self) -> LineupState:
        """All of it, for the snapshot."""
        return self._order.state

    def load(self, state: LineupState) -> None:
        """Stand where ``state`` was taken."""
        self._order.load(state)

    @property
    def version(self) -> int:
        """Another number whenever an entry, or what is said of all, may have become another."""
        return self._order.version

    def expire(self, now: float) -> bool:
        """Let turns, graces and memories end whose time has come; True if anybody's place is another now."""
        return self.turns.expire(now)

    def forget(self, now: float) -> None:
        """Let memories and blocks go that can no longer matter."""
        self.turns.forget(now)

    def deadline(self, now: float) -> float | None:
        """When ``expire`` is to be called next."""
        return self.turns.deadline(now)

    def shift_deadlines(self, gap: float) -> None:
        """Nobody could return, or be seen to move again, for ``gap`` seconds: no grace ran."""
        self.turns.shift_deadlines(gap)

    @property
    def asking(self) -> ev.Actor | None:
        """Who asked for what is being done; None where nobody did."""
        return self._outbox.actor

    def act_for(self, actor: ev.Actor | None) -> None:
        """What is done from now on was asked for by this actor, or by nobody."""
        self._order.actor = self._outbox.actor = actor

    def set_cause(self, why: str, whose: str = "") -> None:
        """Remember what changed the order, until the next picture."""
        self._order.set_cause(why, whose)

    # --- who is in it ----------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._order)

    @property
    def holder(self) -> Entry | None:
        """Whose turn it is, or would be."""
        return self._order.holder

    def find(self, streamer: str) -> Entry | None:
        """The entry of a streamer."""
        return self._order.find(streamer)

    def by_session(self, session_id: str) -> Entry | None:
        """The entry that a live session belongs to."""
        return self._order.by_session(session_id)

    def by_stream(self, stream: str) -> ev.Session | None:
        """The live session whose path that is: the one that its streamer is played from, before a later one."""
        return self._order.by_stream(stream)

    def announced(self, stream: str) -> ev.Session | None:
        """The one that announced itself: one that was asked for by hand says nothing of who publishes there."""
        return self._order.announced(stream)

    def holder_of(self, path: str, now: float) -> ev.Session | None:
        """The live session that has that path, in the line-up or taken out of it; none that was asked for by hand."""
        return self._order.holder_of(path, now)

    def first_showable(self, now: float, but: str = "") -> Entry | None:
        """The first of whom a picture can be expected."""
        return self._order.first_showable(now, but)

    def passed_over(self, entry: Entry) -> bool:
        """Whoever is fit comes before it."""
        return self._order.passed_over(entry)

    def by_fitness(self) -> Iterator[Entry]:
        """All in their order, those who are passed over at the end."""
        return self._order.by_fitness()

    def mark_unfit(self, session_id: str, reason: str) -> bool:
        """What keeps it behind those who are fit; empty where nothing does any more. True if that is news."""
        return self._order.mark_unfit(session_id, reason)

    def unwaive(self, session_id: str) -> None:
        """What an operator has let pass is over."""
        self._order.unwaive(session_id)

    def waived_at(self, session_id: str) -> float | None:
        """When an operator said that it is to be shown, fit or not; None where nobody did."""
        return self._order.memory.waived.get(session_id)

    def unfit(self, session_id: str) -> str:
        """Why it is not fit to be shown while others are; empty where it is."""
        return self._order.memory.unfit.get(session_id, "")

    @property
    def live_sessions(self) -> tuple[ev.Session, ...]:
        """All that still publish as far as is known, in the line-up and taken out of it."""
        return self._order.live_sessions

    def born(self, session_id: str) -> float:
        """When a live session was accepted."""
        return self._order.born(session_id)

    def ended_at(self, session_id: str) -> float | None:
        """When a session ended, as long as that is remembered."""
        return self._order.memory.ended.get(session_id)

    # --- what holds for whom ---------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """No turn ends by the clock."""
        return self._order.memory.held

    @property
    def why(self) -> tuple[str, str]:
        """What last changed the order, and whom it concerned."""
        return self._order.memory.why, self._order.memory.whose

    @property
    def asked_by(self) -> ev.Actor | None:
        """Who asked for what last changed the order; None where nobody did."""
        return self._order.memory.actor

    @property
    def blocks(self) -> dict[str, float]:
        """Who is blocked, and until when."""
        return dict(self._order.memory.blocks)

    def blocked(self, streamer: str, now: float) -> Refused | None:
        """That this streamer was kicked and is still blocked, or None."""
        return self._departures.blocked(streamer, now)

    def taken(self, at: float, session: ev.Session) -> Refused | None:
        """That another streamer's live session has its path, or None."""
        return self._order.taken(at, session)

    def admits(self, streamer: str, now: float) -> Refused | None:
        """Why this streamer may not publish now, or None. A lookup: changes nothing."""
        return self.publishers.admits(streamer, now)

    def turn_length(self, entry: Entry) -> float:
        """Seconds of its turn."""
        return self._times.turn_length(entry)

    def turn_ends(self, entry: Entry) -> float | None:
        """When its turn ends, if it runs, and its clock does not stand still."""
        return self._times.turn_ends(entry)

    def turn_left(self, entry: Entry, now: float) -> float | None:
        """Seconds of its turn that are left, if it runs; never below 0."""
        return self._times.turn_left(entry, now)

    def grace_ends(self, entry: Entry) -> float | None:
        """When an away or stalled one loses its place."""
        return self._times.grace_ends(entry)
