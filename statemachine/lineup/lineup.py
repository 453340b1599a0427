"""Who is on air, who is next: turns, grace, blocks. Knows nothing of OBS.

The first entry is the *holder*: whose turn it is, or would be. Its turn runs from its first picture
(``turn_began``). A holder that is away within its grace, or stalled, keeps the turn while the next one fills in.
"""

from collections.abc import Container
from dataclasses import replace

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.entry import Entry, LineupState
from statemachine.lineup.sessions import (
    MOST_SESSIONS,
    forget_old,
    forget_stray,
    is_over,
    revive,
    same_publish,
    see_stray,
    still_missing,
    to_call_back,
)
from statemachine.lineup.standing import Standing
from statemachine.policy import Policy

__all__ = ["Entry", "Lineup", "LineupState"]


class Lineup(Standing):
    """The order of the streamers. Methods append to ``commands`` and ``facts``, which the director drains."""

    def __init__(self, policy: Policy, state: LineupState | None = None) -> None:
        super().__init__(policy, state or LineupState())
        self._next: float | None = None

    # --- reading ---------------------------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """No turn ends by the clock."""
        return self._memory.held

    @property
    def blocks(self) -> dict[str, float]:
        """Who is kept out, and until when."""
        return dict(self._memory.blocks)

    @property
    def why(self) -> tuple[str, str]:
        """What last changed the order, and whom it concerned."""
        return self._memory.why, self._memory.whose

    def because(self, why: str, whose: str = "") -> None:
        """Remember what changed the order, until the next picture."""
        self._memory.why, self._memory.whose = why, whose

    def ended_at(self, session_id: str) -> float | None:
        """When a session ended, as long as that is remembered."""
        return self._memory.ended.get(session_id)

    def blocked(self, streamer: str, now: float) -> facts.Refused | None:
        """That this streamer was kicked and is still kept out, or None."""
        until = self._memory.blocks.get(streamer, 0.0)
        if until <= now:
            return None
        return facts.Refused(now, "blocked", f"{streamer} is blocked for another {until - now:.0f} s")

    def admits(self, streamer: str, now: float) -> facts.Refused | None:
        """Why this streamer may not publish now, or None. A lookup: changes nothing."""
        if refused := self.blocked(streamer, now):
            return refused
        # Only while nobody else is there, as the users of the older system know it: then there is a line to wait in.
        if self.policy.block_last and streamer == self._memory.last_streamer and not len(self):
            return facts.Refused(now, "last_streamer", f"{streamer} was on air last: somebody else has to go first")
        return None

    # --- publishers ------------------------------------------------------------------------------------------

    def publish(
        self, at: float, session: ev.Session, *, transient: bool = False, listed: ev.PublishersListed | None = None
    ) -> None:
        """A publisher was accepted. A repeated hook, or one of a session that has ended, changes nothing."""
        m = self._memory
        owner = self.by_session(session.id)
        if owner is not None:
            if any(same_publish(session, known) for known in owner.sessions):
                return
            # One id cannot publish two streams: the first one's end was lost.
            self.unpublish(at, session.id)
        elif session.id in m.ended or session.id in m.ousted:
            return
        m.ended.pop(session.id, None)
        if not transient and (refused := self.admits(session.streamer, at) or self.taken(at, session)):
            # Accepted before that was known, or while nobody asked: it stays out until it publishes anew.
            m.ousted[session.id] = at
            self.facts.append(refused)
            self.commands.append(cmd.KickSession(session, refused.code))
            return
        entry = self.find(session.streamer)
        if entry is not None and len(entry.sessions) >= MOST_SESSIONS and not entry.transient:
            if session.streamer not in m.crowded:
                m.crowded[session.streamer] = at
                self._tell(at, "too_many_streams", session.streamer)
            if listed is not None:
                return
            # The first is played; of the others the newest are kept.
            self._forget_session(entry.sessions[1])
            entry = replace(entry, sessions=(entry.sessions[0], *entry.sessions[2:]))
        m.born[session.id] = at
        m.called_back.pop(session.path, None)
        if entry is None:
            self._put(self._recall_failures(at, Entry(session.streamer, at, (session,), transient=transient)))
            self._tell(at, "joined", session.streamer)
            return
        if entry.transient and not transient:
            # What was asked for by hand announces itself.
            self._forget_sessions(at, entry)
            entry = replace(entry, sessions=(), transient=False)
        if entry.sessions:
            self._put(replace(entry, sessions=(*entry.sessions, session)))
            return
        back = replace(
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
        self._put(back)
        if entry.away_since is not None:
            self._tell(at, "returned", entry.streamer)

    def unpublish(self, at: float, session_id: str) -> None:
        """A publisher has left. It keeps its place for its grace."""
        m, entry = self._memory, self.by_session(session_id)
        if session_id in m.ousted:
            forget_stray(m, session_id)
        for memory in (m.ended, m.ousted, m.missing, m.born):
            memory.pop(session_id, None)
        m.ended[session_id] = at
        if entry is None:
            return
        first, streamer = entry.sessions[0].id, entry.streamer
        ended = next(session for session in entry.sessions if session.id == session_id)
        self._forget_session(ended)
        sessions = tuple(each for each in entry.sessions if each is not ended)
        m.doubted |= {each.id: at for each in sessions if each.path == ended.path}
        if len(sessions) < MOST_SESSIONS:
            m.crowded.pop(streamer, None)
        if first != session_id:
            self._put(replace(entry, sessions=sessions))
            return
        fresh = bool(sessions) and entry.seen
        entry = replace(
            entry,
            sessions=sessions,
            away_since=entry.away_since if sessions else at,
            stalled_since=None,
            proving_until=None,
            grace_used=entry.grace_until(at),
            retry_at=None if fresh else entry.retry_at,
            failures=0 if fresh else entry.failures,
        )
        self._put(entry)
        if sessions:
            return
        if entry.transient or (self.grace_ends(entry) or at) <= at:
            self._drop(at, entry.streamer, "left")
        else:
            self._tell(at, "away", entry.streamer)

    def listed(self, event: ev.PublishersListed, shown: str = "") -> None:
        """Bring the live sessions to what their server says. One missing twice, in two lists, has ended.

        Who publishes ``shown``, of whom nobody knew, comes before others that are new: it is on air already.
        """
        live = {session.id for session in event.sessions}
        self._vouches(event)
        for session in sorted(event.sessions, key=lambda session: session.path != shown) if shown else event.sessions:
            self._memory.missing.pop(session.id, None)
            revive(self._memory, session.id, event.asked_at)
            see_stray(self._memory, session, event.at)
            held = self.holder_of(session.path, event.at)
            if held and held.streamer != session.streamer and is_over(self._memory, held, event, live):
                # One path has one publisher: the end of the one before was lost.
                self.unpublish(event.at, held.id)
            self.publish(event.at, session, listed=event)
        for session_id in still_missing(self._memory, event):
            self.unpublish(event.at, session_id)

    def call_back(self, event: ev.PublishersListed, shown: Container[str]) -> None:
        """Kick whom nobody can be named for, once, so that its encoder comes back with a hook: none that is shown."""
        if self.policy.kick_unannounced:
            for session in to_call_back(self._memory, event, shown):
                self.commands.append(cmd.KickSession(session, "unannounced"))

    def shift_deadlines(self, gap: float) -> None:
        """Nobody could return, or be seen to move again, for ``gap`` seconds: no grace ran."""
        for entry in [entry for entry in self if entry.missed_since is not None]:
            times = (entry.away_since, entry.stalled_since, entry.proving_until)
            away, stalled, proving = (None if time is None else time + gap for time in times)
            self._put(replace(entry, away_since=away, stalled_since=stalled, proving_until=proving))

    # --- the people who run the channel ----------------------------------------------------------------------

    def skip(self, at: float, on_air: str) -> None:
        """End the turn of the one on air."""
        holder = self.holder
        entry = self.find(on_air) or holder
        if entry is None:
            self._refuse(at, "nobody_on_air", "nobody is on air")
        elif not self._others(entry, at):
            nobody = "nobody who waits can be shown" if self._waits(entry) else "nobody waits"
            self._refuse(at, "nobody_waits", f"{nobody}: {entry.streamer} stays on air")
        elif holder is not entry and holder is not None and holder.showable(at) and on_air:
            # A second press of the button must not skip one whom nobody has seen yet.
            self._refuse(at, "handover_pending", f"a hand-over to {holder.streamer} is under way")
        else:
            self.because("skip", entry.streamer)
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
        elif not 0 <= position < len(self):
            self._refuse(at, "bad_position", f"the line-up has the positions 0 to {len(self) - 1}")
        elif position == 0 and holder is not None and holder.turn_began is not None:
            self._refuse(at, "bad_position", f"{holder.streamer} has the turn: the first place to wait at is 1")
        else:
            # An operator's hand: whatever kept it waiting, or was to send it away, is forgotten.
            self._put(replace(entry, retry_at=None, failures=0, leaves=None), position)
            self.because("moved", streamer)
            self._tell(at, "moved", streamer)

    def remove(self, at: float, streamer: str) -> None:
        """Take one out; a new publish joins again."""
        if (entry := self.find(streamer)) is None:
            self._refuse(at, "not_found", f"{streamer} is not in the line-up")
            return
        self.because("removed", streamer)
        self._oust(at, entry)
        self._drop(at, streamer, "removed")
        self._forget_failures(streamer)

    def kick(self, at: float, streamer: str, seconds: float) -> None:
        """Cut one off and keep it out for ``seconds``; one who is not here is only kept out."""
        self._memory.blocks[streamer] = at + seconds
        if (entry := self.find(streamer)) is None:
            self._tell(at, "blocked", streamer)
            return
        self.because("kick", streamer)
        self._oust(at, entry, kick="kicked")
        self._drop(at, streamer, "kicked")
        self._forget_failures(streamer)

    def let_in(self, at: float, streamer: str) -> None:
        """End a kick's time."""
        if self.blocked(streamer, at) is None:
            self._refuse(at, "not_blocked", f"{streamer} is not kept out")
        else:
            del self._memory.blocks[streamer]
            self._tell(at, "let_in", streamer)

    def hold(self, at: float, held: bool) -> None:
        """Stop turns from ending by the clock, or let them again."""
        if held != self._memory.held:
            self._memory.held = held
            self._touch()
            self._tell(at, "held" if held else "released", self.holder.streamer if self.holder else "")

    def pause(self, now: float, paused: bool) -> None:
        """The clock of the turn stands still, or goes on. Whoever is told nothing of it sees a turn as long as ever."""
        m = self._memory
        if paused is (m.paused_since is not None):
            return
        holder = self.holder
        stood = self._standing(holder, now) if holder is not None else 0.0
        m.paused_since = now if paused else None
        self._touch()
        if holder is not None and stood:
            self._put(replace(holder, turn_paused=holder.turn_paused + stood))

    def set_turn(self, event: ev.TurnChanged) -> None:
        """A turn's length for one streamer; all others' is a setting of the policy."""
        target = self.find(event.streamer) if event.streamer is not None else self.holder
        if target is None:
            if event.streamer is not None:
                self._refuse(event.at, "not_found", f"{event.streamer} is not in the line-up")
            return
        if event.streamer is not None:
            target = replace(target, turn_length=event.seconds)
        if event.restart and target.turn_began is not None:
            target = replace(target, turn_began=event.at, turn_paused=0.0)
        self._put(target)
        self._tell(event.at, "turn_changed", target.streamer)

    # --- the picture -----------------------------------------------------------------------------------------

    def cut(self, at: float, streamer: str, *, fills_in: bool) -> None:
        """The picture has changed, to that of ``streamer`` if any; ``fills_in``: until one before it has one."""
        if not fills_in:
            self.because("")
        if streamer and fills_in:
            self._moves_on_air(at, streamer)
        elif streamer:
            self.shown(at, streamer)

    def shown(self, at: float, streamer: str) -> None:
        """A proven picture of ``streamer`` is on air: its turn begins, unless it only fills in for the holder."""
        self._moves_on_air(at, streamer)
        entry, holder = self.find(streamer), self.holder
        if entry is not None and holder is not None and holder.turn_began is None:
            # Also where nobody followed after all: what had changed the order is over.
            self.because("")
            self._put(replace(entry, turn_began=at, turn_paused=0.0, grace_used=0.0, failures=0), 0)

    def _moves_on_air(self, at: float, streamer: str) -> None:
        entry = self.find(streamer)
        if entry is not None and entry.sessions:
            used = entry.grace_until(at)
            entry = replace(entry, retry_at=None, stalled_since=None, proving_until=None, grace_used=used, failures=0)
            self._put(entry)
            self.relieve(at, entry.sessions[0].id, on_air=True)

    # --- time ------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Let turns, graces and memories end whose time has come."""
        m = self._memory
        forget_old(m, now, self.policy.reconnect_grace)
        if not self._changed and (self._next is None or now < self._next):
            return
        for entry in self._past_grace(now):
            if entry.away_since is not None:
                self._drop(now, entry.streamer, "left")
            elif entry.transient:
                self.failed(now, entry.sessions[0].id)
            elif not m.held and self._others(entry, now):
                self.end_turn(now, entry)
        holder = self.holder
        if holder is not None and not m.held and m.paused_since is None:
            ends = self.turn_ends(holder)
            if ends is not None and ends <= now and (self.policy.turn_when_alone or self._others(holder, now)):
                self.because("turn", holder.streamer)
                self._tell(now, "turn_ended", holder.streamer)
                self.end_turn(now, holder)
        self._next, self._changed = self._earliest(now), False

    def deadline(self, now: float) -> float | None:
        """When ``expire`` is to be called next."""
        if self._changed or (self._next is not None and self._next <= now):
            self._next = self._earliest(now)
        return self._next

    def end_turn(self, at: float, entry: Entry) -> None:
        """To the tail while still publishing, or out, as the policy has it: not before somebody follows on air."""
        self._memory.last_streamer = entry.streamer
        if not entry.sessions:
            self._drop(at, entry.streamer, "turn_over")
            return
        if self.policy.after_turn == "kick" or entry.transient:
            self.send_off(at, entry, 0.0)
            return
        rested = replace(
            entry, turn_began=None, turn_length=None, grace_used=0.0, stalled_since=None, proving_until=None
        )
        self._put(rested, len(self) - 1)
        if entry.stalled_since is not None:
            self.failed(at, entry.sessions[0].id, reason="stalled")
        self._tell(at, "requeued", entry.streamer)

    def send_off(self, at: float, entry: Entry, seconds: float) -> None:
        """It is to go, and to be kept out for ``seconds``, as soon as it is not on air: ``dismiss`` tells when."""
        if entry.leaves is None:
            rested = replace(entry, turn_began=None, turn_length=None, stalled_since=None, proving_until=None)
            self._memory.leaving[entry.streamer] = at
            self._put(replace(rested, leaves=seconds), len(self) - 1)
            self._tell(at, "leaving", entry.streamer)

    def dismiss(self, at: float, on_air: ev.Session | None, still: bool = False) -> bool:
        """Send away those who are to go and are not on air; True if there was one.

        ``still``: the picture on air stands still. Where nobody could follow, its streamer stays as any other does: a
        fresh input of it, or a later stream, may be all that there is to be seen.
        """
        for streamer in tuple(self._memory.leaving):
            entry = self.find(streamer)
            if entry is None or entry.leaves is None:
                del self._memory.leaving[streamer]
            elif on_air is None or on_air not in entry.sessions:
                del self._memory.leaving[streamer]
                if entry.leaves > 0:
                    self._memory.blocks[streamer] = at + entry.leaves
                kick = entry.leaves > 0 or self.policy.after_turn == "kick"
                self._oust(at, entry, kick=("kicked" if entry.leaves > 0 else "turn over") if kick else "")
                self._drop(at, streamer, "kicked" if entry.leaves > 0 else "turn_over")
                return True
            elif still and not entry.transient and not self._others(entry, at):
                del self._memory.leaving[streamer]
                self._put(replace(entry, leaves=None))
                self._tell(at, "stays", streamer)
                return True
        return False

    # --- helpers ---------------------------------------------------------------------------------------------

    def _waits(self, entry: Entry) -> bool:
        return any(other.sessions for other in self if other is not entry)

    def _others(self, entry: Entry, now: float) -> bool:
        return self.first_showable(now, but=entry.streamer) is not None
