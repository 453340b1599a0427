"""Line-up and switchover together: what happened goes in, what is to be done comes out.

The director works by level, not by edge: after every event it compares whom the line-up wants on air with what
the program shows, and takes the next legal step towards it. A lost, late or doubled event therefore costs time at
most, never the picture.
"""

from dataclasses import fields, replace
from typing import Any, assert_never

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.codec import from_plain, to_plain
from statemachine.lineup import Lineup
from statemachine.planner import KEEP, Wanted, candidate, wanted
from statemachine.policy import Policy
from statemachine.snapshot import Orphan, Snapshot
from statemachine.states import State
from statemachine.switchover import Switchover
from statemachine.table import EVENTS
from statemachine.view import View, make_view

PROBATION = 3.0
"""Seconds a stream that stalled has to move again: a server's GOP cache makes even a dead one move for a while."""
SWEEP_FIRST, SWEEP_MOST = 10.0, 300.0
"""Seconds between two tries to remove an orphan."""
STEPS = 32
"""More steps than any one event can cause; reaching it is a fault of the rules."""
BLAMED = frozenset({"creation_failed", "not_ready", "media_failed", "cut_failed"})
"""Outcomes after which the next candidate is tried first."""


class Director:
    """The rules' one entrance. Same snapshot and same events give the same commands and facts."""

    def __init__(self, policy: Policy) -> None:
        self.base = policy
        self.policy = policy
        self.lineup = Lineup(policy)
        self.switchover = Switchover(policy, self.lineup.by_stream)
        self.now = 0.0
        self.last_cut: float | None = None
        self.last_switch: facts.HandoverEnded | None = None
        self.overrides: dict[str, bool | int | float | str] = {}
        self._orphans: dict[str, Orphan] = {}
        self._why = ""
        self._proof_at: float | None = None
        self._empty_at: float | None = None
        self._facts: list[facts.Fact] = []

    # --- the entrance ----------------------------------------------------------------------------------------

    def handle(self, event: ev.Event) -> tuple[cmd.Command, ...]:
        """Take one event; return what is to be done, in this order. Time never goes back: an older ``at`` is now."""
        self.now = max(self.now, event.at)
        if event.at < self.now:
            event = replace(event, at=self.now) if not isinstance(event, ev.InventoryRead) else event
        self._expire()
        self._take(event)
        for _ in range(STEPS):
            self._drain_switchover()
            if not self._step():
                break
        else:
            raise AssertionError(f"the rules do not settle after {event}")
        self._sweep()
        commands = (*self.switchover.commands, *self.lineup.commands)
        self._facts += self.lineup.facts
        for pending in (self.switchover.commands, self.lineup.commands, self.lineup.facts):
            pending.clear()
        return commands

    def take_facts(self) -> tuple[facts.Fact, ...]:
        """What has happened since the last call."""
        taken = tuple(self._facts)
        self._facts.clear()
        return taken

    @property
    def deadline(self) -> float | None:
        """When TimePassed is to be fed, if nothing else happens before."""
        times = [self.lineup.deadline(self.now), self.switchover.deadline, self._proof_at, self._empty_at]
        if self.switchover.state is not State.RECOVERING:
            times += [orphan.retry_at for orphan in self._orphans.values()]
            times.append(self._spaced_until())
            program = self.switchover.program
            if program and program.session is None:
                times.append(program.since + self.policy.reconnect_grace)
        return min((at for at in times if at is not None and at > self.now), default=None)

    def admits(self, streamer: str, at: float) -> facts.Refused | None:
        """Why this streamer may not publish now, or None."""
        return self.lineup.admits(streamer, at)

    def view(self, at: float) -> View:
        """What people see of it."""
        return make_view(self, max(at, self.now))

    # --- events ----------------------------------------------------------------------------------------------

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.TimePassed():
                pass
            case ev.Published():
                self.lineup.publish(event.at, event.session)
                self._why = "returned"
            case ev.Unpublished():
                self.lineup.unpublish(event.at, event.session_id)
            case ev.PublishersListed():
                self.lineup.listed(event)
            case ev.SkipRequested():
                self._why = "skip"
                self.lineup.skip(event.at, self.switchover.on_air_streamer)
            case ev.Held() | ev.Released():
                self.lineup.hold(event.at, isinstance(event, ev.Held))
            case ev.MoveRequested():
                self._why = "moved"
                self.lineup.move(event.at, event.streamer, event.position)
            case ev.RemoveRequested():
                self._why = "removed"
                self.lineup.remove(event.at, event.streamer)
            case ev.KickRequested():
                self._why = "kick"
                self.lineup.kick(event.at, event.streamer, event.seconds)
            case ev.TurnChanged():
                if event.streamer is None:
                    self._override("turn", event.seconds)
                self.lineup.set_turn(event)
            case ev.SettingChanged():
                self._override(event.name, event.value)
            case ev.PolicyLoaded():
                self._load(event.policy)
            case ev.TestRequested():
                self._test(event)
            case ev.MediaStalled():
                self._stalled(event)
            case ev.MediaResumed():
                program = self.switchover.program
                if program and program.input == event.input and program.session:
                    self.lineup.moves(event.at, program.session.id)
            case ev.InventoryRead():
                self._reread(event)
            case ev.OrphanRemoved():
                self._orphans.pop(event.input, None)
            case ev.OrphanRemovalFailed():
                self._orphan_stays(event)
            case ev.MediaReady():
                self._on_proof(event)
                self.switchover.handle(event)
            case _ if isinstance(event, EVENTS):
                self.switchover.handle(event)
            case _:
                raise TypeError(f"not an event of the rules: {event!r}")

    def _test(self, event: ev.TestRequested) -> None:
        self._why = "test"
        known = self.lineup.by_stream(f"{event.session.app}/{event.session.stream}")
        holder = self.lineup.holder
        if known is None:
            self.lineup.publish(event.at, event.session, transient=True)
        streamer = known.streamer if known else event.session.streamer
        if holder is not None and holder.streamer == streamer:
            self._facts.append(facts.Refused(event.at, "on_air", f"{streamer} has the turn already"))
            return
        if holder is not None and holder.turn_began is not None:
            self.lineup.end_turn(event.at, holder)
        self.lineup.move(event.at, streamer, 0)

    def _stalled(self, event: ev.MediaStalled) -> None:
        program, attempt = self.switchover.program, self.switchover.attempt
        if program and program.input == event.input and program.session:
            self.lineup.stalled(event.at, program.session.id, event.since)
        elif attempt and attempt.input == event.input and self.switchover.state is State.STANDBY:
            self.switchover.handle(ev.MediaFailed(event.at, attempt.number, "its picture stands still"))

    def _on_proof(self, event: ev.MediaReady) -> None:
        """A fresh input of a stream that had stalled moves: let it show that it goes on moving."""
        attempt = self.switchover.attempt
        if attempt and attempt.number == event.attempt and attempt.target:
            entry = self.lineup.by_session(attempt.target.id)
            if entry and entry.stalled_since is not None:
                self._proof_at = event.at + PROBATION

    def _reread(self, event: ev.InventoryRead) -> None:
        """Somebody may have touched the scene. What was read before the last cut says nothing about it."""
        switchover, program = self.switchover, self.switchover.program
        if switchover.state in (State.RECOVERING, State.SWAPPING):
            return
        known = {item.name: item for item in event.inventory.inputs}
        attempt = switchover.attempt
        restoring = attempt is not None and attempt.restore
        if program and event.at > program.since and not restoring:
            if program.input not in known:
                switchover.program = None
                self._why = "lost"
                self._facts.append(facts.OnAirChanged(self.now, "", ""))
            elif not known[program.input].shown and not self.lineup.state.held:
                switchover.commands.append(cmd.ShowInput(program.input))
        mine = {switchover.program.input} if switchover.program else set()
        if attempt:
            mine |= {attempt.input, attempt.outgoing, attempt.victim}
        mine |= {*switchover.pool, self.policy.static_input}
        for name in known:
            if name not in mine:
                self._orphans.setdefault(name, Orphan(name, None, 0))

    def _override(self, name: str, value: bool | int | float | str) -> None:
        if name not in {f.name for f in fields(Policy)}:
            self._facts.append(facts.Refused(self.now, "unknown_setting", f"there is no setting {name}"))
            return
        self.overrides[name] = value
        self._apply()

    def _load(self, policy: Policy) -> None:
        """The file wins where it says something new; what was set live stays where it does not."""
        changed = {f.name for f in fields(Policy) if getattr(policy, f.name) != getattr(self.base, f.name)}
        self.base = policy
        self.overrides = {name: value for name, value in self.overrides.items() if name not in changed}
        self._apply()

    def _apply(self) -> None:
        self.policy = replace(self.base, **self.overrides)  # type: ignore[arg-type]  # names are checked in _override
        self.lineup.policy = self.switchover.policy = self.policy

    # --- time ------------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        before = self.lineup.holder
        self.lineup.expire(self.now)
        if before and before.turn_began is not None and self.lineup.holder is not before:
            self._why = "turn"
        if self._proof_at is not None and self._proof_at <= self.now:
            self._proof_at = None
            attempt = self.switchover.attempt
            if attempt and attempt.target and self.switchover.state is State.STANDBY:
                self.lineup.moves(self.now, attempt.target.id)
        if self._empty_at is not None and self._empty_at <= self.now:
            self._empty_at = None

    def _spaced_until(self) -> float | None:
        """job_delay spaces hand-overs; one that mends a dead picture does not wait for it."""
        program = self.switchover.program
        if self.last_cut is None or program is None or program.session is None:
            return None
        entry = self.lineup.by_session(program.session.id)
        if entry is None or entry.stalled_since is not None:
            return None
        until = self.last_cut + self.policy.job_delay
        return until if until > self.now else None

    # --- planning --------------------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Take the next legal step towards what is wanted; False where there is none."""
        switchover = self.switchover
        if switchover.expire(self.now):
            return True
        state = switchover.state
        if state in (State.RECOVERING, State.CREATING, State.SWAPPING):
            return False
        target = wanted(self.lineup, switchover.program, self.policy, self.now)
        shown = switchover.program.session if switchover.program else None
        if target == KEEP:
            settled = True
        elif target is None:
            settled = switchover.program is None
        else:
            settled = shown is not None and shown.id == target.id
            holder = self.lineup.holder
            if settled and holder and holder.turn_began is None:
                self.lineup.shown(self.now, target.streamer)
        match state:
            case State.IDLE:
                return self._begin(target, settled)
            case State.BUFFERING | State.STANDBY:
                return self._steer(target)
            case State.CLEANUP:
                if not settled and target is not None and self._spaced_until() is None:
                    switchover.hurry(self.now)
                    return switchover.expire(self.now)
                return False
            case _:
                assert_never(state)

    def _begin(self, target: Wanted, settled: bool) -> bool:
        if not settled and target is None:
            if self._empty_at is not None:
                return False
            # Should OBS refuse, the next try is not at once.
            self._empty_at = self.now + 2 * self.policy.cut_timeout
            self.switchover.begin(self.now, None, self._reason(), due=True)
            return True
        if not settled and isinstance(target, ev.Session):
            due = self._spaced_until() is None
            if due or self.policy.mode != "static":
                self.switchover.begin(self.now, target, self._reason(), due=due)
                return True
            return False
        following = self._candidate()
        if following is None or self.switchover.program is None:
            return False
        self.switchover.begin(self.now, following, "standby", due=False)
        return True

    def _candidate(self) -> ev.Session | None:
        if self.policy.mode == "static":
            return None
        return candidate(self.lineup, self.switchover.program, self.policy, self.now)

    def _steer(self, target: Wanted) -> bool:
        """Tell the attempt what became of its stream and of its turn."""
        attempt = self.switchover.attempt
        assert attempt is not None
        assert attempt.target is not None
        number, incoming = attempt.number, attempt.target
        entry = self.lineup.by_session(incoming.id)
        if entry is None or entry.session is None or entry.session.id != incoming.id:
            self.switchover.handle(ev.StreamEnded(self.now, number))
            return True
        if isinstance(target, ev.Session) and target.id == incoming.id:
            if self._spaced_until() is None and attempt.due_at is None:
                self.switchover.attempt = replace(attempt, reason=self._reason())
                self.switchover.handle(ev.TurnCame(self.now, number))
                return True
            return False
        following = self._candidate()
        if attempt.due_at is None and following is not None and following.id == incoming.id:
            return False
        self.switchover.handle(ev.TargetChanged(self.now, number))
        return True

    def _reason(self) -> str:
        program = self.switchover.program
        if program is None:
            return self._why if self._why in ("lost", "returned") and self.last_cut is not None else "first"
        entry = self.lineup.find(program.session.streamer) if program.session else None
        if program.session is None or (entry is None and self._why not in ("kick", "removed", "turn", "skip")):
            return "ended"
        if entry is not None and not any(s.id == program.session.id for s in entry.sessions):
            return "returned" if entry.sessions else "ended"
        if entry is not None and entry.stalled_since is not None:
            return "stalled"
        return self._why or "moved"

    # --- aftermath -------------------------------------------------------------------------------------------

    def _drain_switchover(self) -> None:
        """Let the line-up know what became of attempts."""
        for fact in self.switchover.facts:
            if isinstance(fact, facts.HandoverEnded):
                self._ended(fact)
            self._facts.append(fact)
        self.switchover.facts.clear()
        for name in self.switchover.orphans_found:
            self._orphans.setdefault(name, Orphan(name, None, 0))
        self.switchover.orphans_found.clear()

    def _ended(self, fact: facts.HandoverEnded) -> None:
        attempt = self.switchover.attempt
        target = attempt.target if attempt else None
        self._proof_at = None
        if fact.outcome == "completed":
            self.last_cut = fact.at
            if target:
                self.lineup.shown(fact.at, target.streamer)
            self._empty_at = None
        elif fact.outcome in BLAMED and target:
            self.lineup.failed(fact.at, target.id)
        if fact.outcome == "completed" or (attempt and attempt.due_at is not None):
            self.last_switch = fact

    def _orphan_stays(self, event: ev.OrphanRemovalFailed) -> None:
        tries = self._orphans[event.input].tries + 1 if event.input in self._orphans else 1
        pause = min(SWEEP_MOST, SWEEP_FIRST * 2 ** (tries - 1))
        self._orphans[event.input] = Orphan(event.input, self.now + pause, tries)
        self._facts.append(facts.OrphanReported(self.now, event.input, event.reason))

    def _sweep(self) -> None:
        if self.switchover.state is State.RECOVERING:
            return
        for name, orphan in self._orphans.items():
            if orphan.retry_at is None or orphan.retry_at <= self.now:
                # Asked for again only if no answer comes.
                self._orphans[name] = replace(orphan, retry_at=self.now + SWEEP_MOST)
                self.switchover.commands.append(cmd.RemoveOrphan(name))

    @property
    def orphans(self) -> tuple[str, ...]:
        """Own inputs that could not be removed yet."""
        return tuple(self._orphans)

    # --- snapshot --------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """All of it as plain values, fit for JSON."""
        s = self.switchover
        plain: dict[str, Any] = to_plain(
            Snapshot(
                now=self.now,
                base=self.base,
                overrides=dict(self.overrides),
                lineup=self.lineup.state,
                state=s.state,
                program=s.program,
                attempt=s.attempt,
                last_number=s.last_number,
                next_input=s.next_input,
                pool=s.pool,
                last_cut=self.last_cut,
                last_switch=self.last_switch,
                orphans=tuple(self._orphans.values()),
                why=self._why,
                proof_at=self._proof_at,
                empty_at=self._empty_at,
            )
        )
        return plain

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> "Director":
        """The director that took the snapshot. Raises BadSnapshotError."""
        kept = from_plain(Snapshot, plain)
        director = cls(kept.base)
        director.now, director.overrides = kept.now, kept.overrides
        director.lineup.state = kept.lineup
        director._apply()
        s = director.switchover
        s.restore_state(kept.state)
        s.program, s.attempt, s.last_number = kept.program, kept.attempt, kept.last_number
        s.next_input, s.pool = kept.next_input, kept.pool
        director.last_cut, director.last_switch = kept.last_cut, kept.last_switch
        director._orphans = {orphan.name: orphan for orphan in kept.orphans}
        director._why, director._proof_at, director._empty_at = kept.why, kept.proof_at, kept.empty_at
        return director
