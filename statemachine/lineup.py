"""Who is on air, who is next: turns, grace, blocks. Knows nothing of OBS.

The first entry is the *holder*: whose turn it is, or would be. Its turn runs from its first picture
(``turn_began``). A holder that is away within its grace, or stalled, keeps the turn while the next one fills in.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.policy import Policy

FORGET_ENDED = 60.0
"""Seconds that an ended session is remembered: a list asked for before its end must not revive it."""
YOUNG = 2.0
"""Seconds: on_publish comes before the stream shows in the server's list, so a younger session may be missing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One streamer in the line-up."""

    streamer: str
    joined_at: float
    sessions: tuple[ev.Session, ...] = ()
    """Live ones, oldest first; the first is played until it ends, because a second one's publish may yet be refused."""
    turn_began: float | None = None
    turn_length: float | None = None
    away_since: float | None = None
    grace_used: float = 0.0
    stalled_since: float | None = None
    retry_at: float | None = None
    failures: int = 0
    transient: bool = False
    """Asked for by hand, without a hook: leaves with its turn."""

    @property
    def session(self) -> ev.Session | None:
        """The one to play."""
        return self.sessions[0] if self.sessions else None

    def showable(self, now: float) -> bool:
        """A picture can be expected of it."""
        return self.stalled_since is None and self.may_try(now)

    def may_try(self, now: float) -> bool:
        """It publishes, and no failure keeps it waiting."""
        return bool(self.sessions) and (self.retry_at is None or self.retry_at <= now)


@dataclass(slots=True)
class LineupState:
    """All that the line-up remembers; plain data for the snapshot."""

    entries: list[Entry] = field(default_factory=list)
    ousted: dict[str, float] = field(default_factory=dict)
    """Sessions that still publish but were taken out of the line-up."""
    ended: dict[str, float] = field(default_factory=dict)
    missing: dict[str, float] = field(default_factory=dict)
    """Sessions that one list of their server lacked already."""
    blocks: dict[str, float] = field(default_factory=dict)
    born: dict[str, float] = field(default_factory=dict)
    held: bool = False
    last_streamer: str = ""
    """Whose turn ended last, for block_last."""


class Lineup:
    """The order of the streamers. Methods append to ``commands`` and ``facts``, which the director drains."""

    def __init__(self, policy: Policy, state: LineupState | None = None) -> None:
        self.policy = policy
        self.state = state or LineupState()
        self.commands: list[cmd.Command] = []
        self.facts: list[facts.Fact] = []

    # --- reading ---------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.state.entries)

    def __len__(self) -> int:
        return len(self.state.entries)

    @property
    def holder(self) -> Entry | None:
        """Whose turn it is, or would be."""
        return self.state.entries[0] if self.state.entries else None

    def find(self, streamer: str) -> Entry | None:
        """The entry of a streamer."""
        return next((entry for entry in self.state.entries if entry.streamer == streamer), None)

    def by_session(self, session_id: str) -> Entry | None:
        """The entry that a live session belongs to."""
        if session_id not in self.state.born:
            return None
        return next((e for e in self.state.entries if any(s.id == session_id for s in e.sessions)), None)

    def by_stream(self, stream: str) -> ev.Session | None:
        """The live session that publishes ``app/stream``."""
        for entry in self.state.entries:
            if entry.session and f"{entry.session.app}/{entry.session.stream}" == stream:
                return entry.session
        return None

    def turn_length(self, entry: Entry) -> float:
        """Seconds of its turn."""
        own = entry.turn_length
        if own is None and entry.session:
            own = entry.session.turn
        return self.policy.turn if own is None else own

    def turn_ends(self, entry: Entry) -> float | None:
        """When its turn ends, if it runs; whether anything then happens depends on who waits."""
        return None if entry.turn_began is None else entry.turn_began + self.turn_length(entry)

    def grace_ends(self, entry: Entry) -> float | None:
        """When an away or stalled one loses its place."""
        since = entry.away_since if entry.away_since is not None else entry.stalled_since
        if since is None:
            return None
        return since + max(0.0, min(self.policy.reconnect_grace, self.policy.grace_cap - entry.grace_used))

    def showables(self, now: float) -> Iterator[Entry]:
        """Those of whom a picture can be expected, in order."""
        return (entry for entry in self.state.entries if entry.showable(now))

    def admits(self, streamer: str, now: float) -> facts.Refused | None:
        """Why this streamer may not publish now, or None. A lookup: changes nothing."""
        until = self.state.blocks.get(streamer, 0.0)
        if until > now:
            return facts.Refused(now, "blocked", f"{streamer} is blocked for another {until - now:.0f} s")
        if self.policy.block_last and streamer == self.state.last_streamer and self.find(streamer) is None:
            return facts.Refused(now, "last_streamer", f"{streamer} was on air last: somebody else has to go first")
        return None

    # --- publishers ------------------------------------------------------------------------------------------

    def publish(self, at: float, session: ev.Session, *, transient: bool = False) -> None:
        """A publisher was accepted. A repeated hook, or one of a session that has ended, changes nothing."""
        s = self.state
        if session.id in s.ended or session.id in s.ousted or session.id in s.born:
            return
        s.born[session.id] = at
        entry = self.find(session.streamer)
        if entry is None:
            s.entries.append(Entry(session.streamer, at, (session,), transient=transient))
            self._tell(at, "joined", session.streamer)
            return
        used = self._grace_so_far(entry, at)
        self._update(
            replace(
                entry,
                sessions=(*entry.sessions, session),
                away_since=None,
                grace_used=used,
                # A new publish is a new chance; an old session that stalls is not mended by it.
                stalled_since=entry.stalled_since if entry.sessions else None,
                retry_at=entry.retry_at if entry.sessions else None,
                failures=entry.failures if entry.sessions else 0,
            )
        )
        if entry.away_since is not None:
            self._tell(at, "returned", entry.streamer)

    def unpublish(self, at: float, session_id: str) -> None:
        """A publisher has left. It keeps its place for its grace."""
        s = self.state
        entry = self.by_session(session_id)
        s.ended[session_id] = at
        for memory in (s.ousted, s.missing, s.born):
            memory.pop(session_id, None)
        if entry is None:
            return
        sessions = tuple(session for session in entry.sessions if session.id != session_id)
        if entry.sessions[0].id != session_id:
            self._update(replace(entry, sessions=sessions))
            return
        used = self._grace_so_far(entry, at)
        entry = replace(entry, sessions=sessions, stalled_since=None, retry_at=None, failures=0, grace_used=used)
        if sessions:
            self._update(entry)
            return
        self._update(replace(entry, away_since=at))
        if (self.grace_ends(replace(entry, away_since=at)) or at) <= at or entry.transient:
            self._drop(at, entry.streamer, "left")
        else:
            self._tell(at, "away", entry.streamer)

    def listed(self, event: ev.PublishersListed) -> None:
        """Bring the live sessions to what their server says. One missing twice, in two lists, has ended."""
        s, live = self.state, {session.id for session in event.sessions}
        for session in event.sessions:
            s.missing.pop(session.id, None)
            self.publish(event.at, session)
        mine = [i for i in (*s.born, *s.ousted) if i.startswith(event.server) and i not in live]
        for session_id in mine:
            if s.born.get(session_id, 0.0) > event.asked_at - YOUNG:
                continue
            first = s.missing.setdefault(session_id, event.asked_at)
            if first < event.asked_at:
                self.unpublish(event.at, session_id)

    # --- the people who run the channel ----------------------------------------------------------------------

    def skip(self, at: float, on_air: str) -> None:
        """End the turn of the one on air."""
        holder = self.holder
        entry = self.find(on_air) or holder
        if entry is None:
            self._refuse(at, "nobody_on_air", "nobody is on air")
        elif not any(other is not entry and other.sessions for other in self.state.entries):
            self._refuse(at, "nobody_waits", f"nobody waits: {entry.streamer} stays on air")
        elif holder is not entry and holder is not None and holder.showable(at) and on_air:
            # A second press of the button must not skip one whom nobody has seen yet.
            self._refuse(at, "handover_pending", f"a hand-over to {holder.streamer} is under way")
        else:
            self._tell(at, "skipped", entry.streamer)
            # The one on air only fills in: the one it fills in for shall not come next.
            if holder is not None and holder is not entry:
                self.end_turn(at, holder)
            self.end_turn(at, entry)

    def move(self, at: float, streamer: str, position: int) -> None:
        """Put a waiting one at ``position``. The holder's own place is changed by skip."""
        entry, holder = self.find(streamer), self.holder
        if entry is None:
            self._refuse(at, "not_found", f"{streamer} is not in the line-up")
        elif entry is holder and entry.turn_began is not None:
            self._refuse(at, "on_air", f"{streamer} has the turn: skip ends it")
        elif not 0 <= position < len(self.state.entries):
            self._refuse(at, "bad_position", f"the line-up has the positions 0 to {len(self.state.entries) - 1}")
        elif position == 0 and holder is not None and holder.turn_began is not None:
            self._refuse(at, "bad_position", f"{holder.streamer} has the turn: the first place to wait at is 1")
        else:
            self.state.entries.remove(entry)
            self.state.entries.insert(position, entry)
            self._tell(at, "moved", streamer)

    def remove(self, at: float, streamer: str) -> None:
        """Take one out; a new publish joins again."""
        entry = self.find(streamer)
        if entry is None:
            self._refuse(at, "not_found", f"{streamer} is not in the line-up")
            return
        self._oust(at, entry)
        self._drop(at, streamer, "removed")

    def kick(self, at: float, streamer: str, seconds: float) -> None:
        """Cut one off and keep it out for ``seconds``; one who is not here is only kept out."""
        self.state.blocks[streamer] = at + seconds
        entry = self.find(streamer)
        if entry is not None:
            self._oust(at, entry, kick="kicked")
            self._drop(at, streamer, "kicked")
        else:
            self._tell(at, "blocked", streamer)

    def hold(self, at: float, held: bool) -> None:
        """Stop turns from ending by the clock, or let them again."""
        if held != self.state.held:
            self.state.held = held
            self._tell(at, "held" if held else "released", self.holder.streamer if self.holder else "")

    def set_turn(self, event: ev.TurnChanged) -> None:
        """A turn's length for one streamer; all others' is a setting of the policy."""
        target = self.find(event.streamer) if event.streamer else self.holder
        if event.streamer and target is None:
            self._refuse(event.at, "not_found", f"{event.streamer} is not in the line-up")
            return
        if target is None:
            return
        if event.streamer:
            target = replace(target, turn_length=event.seconds)
        if event.restart and target.turn_began is not None:
            target = replace(target, turn_began=event.at)
        self._update(target)
        self._tell(event.at, "turn_changed", target.streamer)

    # --- the picture -----------------------------------------------------------------------------------------

    def shown(self, at: float, streamer: str) -> None:
        """The picture of ``streamer`` is on air: its turn begins, unless it only fills in for the holder."""
        entry, holder = self.find(streamer), self.holder
        if entry is None or holder is None:
            return
        self._update(replace(entry, failures=0, retry_at=None))
        if holder.turn_began is not None:
            return
        self.state.entries.remove(self.find(streamer) or entry)
        self.state.entries.insert(0, replace(entry, failures=0, retry_at=None, turn_began=at, grace_used=0.0))

    def failed(self, at: float, session_id: str) -> None:
        """Its picture could not be made ready: try again later, the next one first."""
        entry = self.by_session(session_id)
        if entry is None or entry.sessions[0].id != session_id:
            return
        failures = entry.failures + 1
        pause = min(self.policy.retry_most, self.policy.retry_first * 2 ** (failures - 1))
        self._update(replace(entry, failures=failures, retry_at=at + pause))

    def stalled(self, at: float, session_id: str, since: float) -> None:
        """Its picture stands still. It keeps the turn for its grace, as one that is away does."""
        entry = self.by_session(session_id)
        if entry is not None and entry.stalled_since is None and entry.sessions[0].id == session_id:
            self._update(replace(entry, stalled_since=since))
            self._tell(at, "stalled", entry.streamer)

    def moves(self, at: float, session_id: str) -> None:
        """A picture that stalled moves again, or was proven by a fresh input."""
        entry = self.by_session(session_id)
        if entry is not None and entry.sessions[0].id == session_id:
            if entry.stalled_since is not None:
                self._tell(at, "resumed", entry.streamer)
            used = self._grace_so_far(entry, at)
            self._update(replace(entry, stalled_since=None, retry_at=None, failures=0, grace_used=used))

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Let turns, graces and memories end whose time has come."""
        s = self.state
        for entry in list(s.entries):
            ends = self.grace_ends(entry)
            if ends is not None and ends <= now:
                if entry.away_since is not None:
                    self._drop(now, entry.streamer, "left")
                elif entry.turn_began is not None and self._others(entry, now):
                    self.end_turn(now, entry)
        holder = self.holder
        if holder is not None and not s.held:
            ends = self.turn_ends(holder)
            if ends is not None and ends <= now and (self.policy.turn_when_alone or self._others(holder, now)):
                self._tell(now, "turn_ended", holder.streamer)
                self.end_turn(now, holder)
        for memory in (s.ended, s.blocks):
            horizon = now - FORGET_ENDED if memory is s.ended else now
            for key in [key for key, at in memory.items() if at <= horizon]:
                del memory[key]

    def deadline(self, now: float) -> float | None:
        """When ``expire`` is to be called next."""
        times = [entry.retry_at for entry in self.state.entries if entry.retry_at is not None]
        losing = (e for e in self.state.entries if e.away_since is not None or (e.stalled_since and e.turn_began))
        times += [self.grace_ends(entry) or now for entry in losing]
        holder = self.holder
        if holder is not None and not self.state.held:
            ends = self.turn_ends(holder)
            if ends is not None and (self.policy.turn_when_alone or self._others(holder, now)):
                times.append(ends)
        later = [at for at in times if at > now]
        return min(later, default=None)

    def end_turn(self, at: float, entry: Entry) -> None:
        """To the tail while still publishing, or out, as the policy has it."""
        self.state.last_streamer = entry.streamer
        if self.policy.after_turn == "kick" or entry.transient or not entry.sessions:
            self._oust(at, entry, kick="turn over" if self.policy.after_turn == "kick" else "")
            self._drop(at, entry.streamer, "turn_over")
            return
        current = self.find(entry.streamer)
        assert current is not None
        self.state.entries.remove(current)
        self.state.entries.append(
            replace(current, turn_began=None, turn_length=None, grace_used=0.0, stalled_since=None)
        )
        if current.stalled_since is not None:
            self.failed(at, current.sessions[0].id)
        self._tell(at, "requeued", entry.streamer)

    # --- helpers ---------------------------------------------------------------------------------------------

    def _others(self, entry: Entry, now: float) -> bool:
        return any(other.streamer != entry.streamer for other in self.showables(now))

    def _grace_so_far(self, entry: Entry, at: float) -> float:
        since = entry.away_since if entry.away_since is not None else entry.stalled_since
        return entry.grace_used + (at - since if since is not None else 0.0)

    def _update(self, entry: Entry) -> None:
        for index, known in enumerate(self.state.entries):
            if known.streamer == entry.streamer:
                self.state.entries[index] = entry
                return

    def _oust(self, at: float, entry: Entry, kick: str = "") -> None:
        for session in entry.sessions:
            self.state.ousted[session.id] = at
            if kick:
                self.commands.append(cmd.KickSession(session, kick))

    def _drop(self, at: float, streamer: str, what: str) -> None:
        entry = self.find(streamer)
        if entry is None:
            return
        self.state.entries.remove(entry)
        for session in entry.sessions:
            self.state.born.pop(session.id, None)
        if entry.turn_began is not None:
            self.state.last_streamer = streamer
        self._tell(at, what, streamer)

    def _tell(self, at: float, what: str, streamer: str) -> None:
        self.facts.append(facts.LineupChanged(at, what, streamer))

    def _refuse(self, at: float, code: str, message: str) -> None:
        self.facts.append(facts.Refused(at, code, message))
