"""Line-up and switchover together: what happened goes in, and all that comes of it comes out as one Step.

The director works by level, not by edge: after every event it compares whom the line-up wants on air with what
the program shows, and takes the next legal step towards it. A lost, late or doubled event therefore costs time at
most, never the picture.

Invariants, after every step:

- the same snapshot and the same events give the same steps; time comes with the events and never goes back;
- a moving picture leaves the program only for one that was proven, or for nobody where nobody may be shown;
- an input that is on air is not removed, and in mode dynamic no input's name is used twice;
- what an earlier attempt is told of changes nothing; what the table forbids raises and leaves all as it was;
- nothing is left that could be done now: feeding the same moment again gives no command;
- ``deadline`` lies ahead, or is None where nothing will happen by time alone.

The order of a step:

1. The time of the event is now. OBS away before the event was known of: the clocks of absences stood still.
2. What time alone has brought expires: blocks, graces, turns, and whatever else runs ``ahead`` of an event.
3. The event is taken by whom it concerns: the line-up, a monitor, or the switchover, which asks its table first.
4. Until nothing moves: what attempts came to is told to the line-up, each monitor is told of the time in the order of
   ``monitors`` (those whose time is over go, what stood still for too long is a stall), and the steering takes one
   legal step from what is shown towards what is wanted.
5. An own input that nothing refers to is swept, one at a time.
6. Commands, facts, refusal and deadline are returned. Where OBS was lost, AbandonPending comes before whatever is
   asked of the next one.

tests/statemachine/golden/handovers.txt shows three hand-overs step by step, each answer in full.

An event on which the rules raise returns nothing; what came of it until then comes out with the next step.
"""

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from statemachine import events as ev
from statemachine import facts
from statemachine.codec import to_plain
from statemachine.handover.attempt import Aftermath, Brief
from statemachine.handover.fallback import Fallback
from statemachine.handover.orphans import Orphans
from statemachine.handover.results import NOTHING
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.handover.table import EVENTS
from statemachine.keeping import kept, stand
from statemachine.lineup.lineup import Lineup
from statemachine.lineup.manual_stream import request_manual_stream
from statemachine.monitors.bitrate import Bitrates
from statemachine.monitors.covers import Covers
from statemachine.monitors.ghosts import Ghosts
from statemachine.monitors.levels import Levels
from statemachine.monitors.probation import Probation
from statemachine.monitors.quality import Quality
from statemachine.monitors.render_load import RenderLoad
from statemachine.monitors.stalls import Pictures
from statemachine.monitors.streams import Streams, needs_own_player
from statemachine.monitors.turn_clock import TurnClock
from statemachine.monitors.viewers import Viewers
from statemachine.outcomes import Outcomes
from statemachine.policy import Policy
from statemachine.settings import Settings, Value
from statemachine.snapshot import Snapshot, read
from statemachine.steering import Steering
from statemachine.step import Step
from statemachine.takers import Takers
from statemachine.view import Sessions, View, Views, make_sessions
from statemachine.ways import way_of

if TYPE_CHECKING:
    from statemachine.monitors.monitor import Monitor

STEPS = 32
"""More steps than any one event can cause; reaching it is a fault of the rules."""


class Director:
    """The rules' one entrance: ``handle`` is the only way in for events, and its Step the only way out."""

    def __init__(self, base: Policy, overrides: dict[str, Value] | None = None) -> None:
        self.settings = Settings(base, overrides)
        self.policy = policy = self.settings.policy
        self.lineup = Lineup(policy)
        self.views = Views(self, self.lineup)
        self.switchover = Switchover(policy, self.lineup.announced, self._brief)
        self.sweeper = Orphans()
        self.probation = Probation(self.lineup, self.switchover)
        self.render_load = RenderLoad(policy)
        self.viewers = Viewers(policy, self.switchover)
        self.pictures = Pictures(self.lineup, self.switchover)
        self.bitrates = Bitrates(self.lineup, self.switchover.scene)
        self.streams = Streams(self.lineup, self.switchover)
        self.quality = Quality(self.lineup, self.switchover.scene)
        self.covers = Covers(self.bitrates, self.quality)
        self.levels = Levels(self.lineup, self.switchover)
        self.ghosts = Ghosts(self.lineup, self.switchover)
        clock = TurnClock(self.lineup, self.viewers, self.pictures)
        # Whoever passes its probation in the moment in which its grace ends keeps the turn.
        first = (self.probation, clock, self.render_load, self.viewers, self.pictures)
        self.monitors: tuple[Monitor, ...] = (
            *first,
            *(self.bitrates, self.streams, self.quality, self.ghosts, self.levels),
        )
        """All that is watched, in the order in which each is told of the time."""
        self.steering = Steering(self.lineup, self.switchover, self.covers, self.render_load, self.sweeper)
        self.fallback = Fallback()
        self.now = 0.0
        self.last_switch: facts.HandoverEnded | None = None
        self._outcomes = Outcomes(self.lineup, self.switchover, self.steering, self.streams, self.fallback)
        # Found once: they are called with every event.
        self._expiries = tuple(monitor.expire for monitor in self.monitors)
        self._ahead = tuple(monitor.expire for monitor in self.monitors if monitor.ahead)
        self._deadlines = (*(monitor.deadline for monitor in self.monitors), self.steering.deadline, self._sweeps_at)
        self._facts: list[facts.Fact] = []
        self._take = self._takers().take
        self._due: float | None = -inf
        """The deadline of the last step: by time alone nothing happens before it."""

    # --- the entrance ----------------------------------------------------------------------------------------

    def handle(self, event: ev.Event) -> Step:
        """Take one event; return all that comes of it. Time never goes back: an older ``at`` is now."""
        self.now = max(self.now, event.at)
        self.views.forget()
        self.steering.advance(self.now)
        # A reading keeps its time: what was read before the scene was last changed says nothing about it.
        if event.at < self.now and not isinstance(event, ev.InventoryRead):
            event = replace(event, at=self.now)
        if isinstance(event, ev.ObsLost) and event.down_since is not None:
            for monitor in self.monitors:
                monitor.shift_deadlines(max(0.0, self.now - event.down_since))
        due, self._due = self._due, -inf
        if due is not None and due <= self.now:
            self._expire_ahead()
        else:
            self.lineup.forget(self.now)
        self._ask(event)
        self._settle(event)
        self._sweep()
        return self._step()

    def _ask(self, event: ev.Event) -> None:
        """Take it. What comes of it at once was asked for by whom it names; what follows by itself was not."""
        self.lineup.act_for(event.actor if isinstance(event, ev.OperatorEvent) else None)
        try:
            self._take(event)
        finally:
            self.lineup.act_for(None)

    def _settle(self, event: ev.Event) -> None:
        for _ in range(STEPS):
            if (came := self.switchover.aftermath()) is not NOTHING:
                self._heed(came)
            if not any(expire(self.now) for expire in self._expiries) and not self.steering.step():
                return
        raise AssertionError(f"the rules do not settle after {event}")

    def _expire_ahead(self) -> None:
        for expire in self._ahead:
            expire(self.now)

    def _step(self) -> Step:
        following = self.viewers.after(self.switchover.commands, self.now)
        commands = (*self.viewers.commands, *self.switchover.commands, *following, *self.lineup.commands)
        if commands:
            for pending in (self.switchover.commands, self.viewers.commands, self.lineup.commands):
                pending.clear()
        for new in (self.lineup.facts, self.render_load.facts, self.fallback.facts, self.viewers.facts):
            if new:
                self._facts += new
                new.clear()
        told, refusal = tuple(self._facts), None
        if told:
            self._facts = []
            refusal = next((fact for fact in told if isinstance(fact, facts.Refused)), None)
        self._due = self.deadline
        return Step(commands, told, refusal, self._due)

    @property
    def deadline(self) -> float | None:
        """When TimePassed is to be fed, if nothing else happens before. Each step bears it; a start asks for it."""
        now, first = self.now, inf
        for deadline in self._deadlines:
            at = deadline(now)
            if at is not None and now < at < first:
                first = at
        return None if first == inf else first

    def _sweeps_at(self, now: float) -> float | None:
        return None if self.switchover.state is State.RECOVERING else self.sweeper.deadline()

    def admits(self, streamer: str, at: float) -> facts.Refused | None:
        """Why this streamer may not publish now, or None."""
        return self.lineup.admits(streamer, at)

    def view(self, at: float) -> View:
        """What people see of it."""
        return self.views.at(max(at, self.now))

    def sessions(self) -> Sessions:
        """Those that the rules know of."""
        return make_sessions(self)

    # --- events ----------------------------------------------------------------------------------------------

    def _takers(self) -> Takers:
        """By whom each event is taken: those of the table by the switchover, where nothing else is to be done."""
        requests, publishers = self.lineup.requests, self.lineup.publishers
        takers = Takers()
        for kind in EVENTS:
            takers.add(kind, self.switchover.handle)
        takers.add(ev.TimePassed, lambda event: None)
        takers.add(ev.Published, self._publish)
        takers.add(ev.Unpublished, lambda event: publishers.unpublish(event.at, event.session_id))
        takers.add(ev.PublishersListed, self._publishers_listed)
        takers.add(ev.SkipRequested, lambda event: requests.skip(event.at, self.switchover.on_air_streamer))
        takers.add(ev.TakeRequested, self._take_on_air)
        takers.add(ev.Held, lambda event: self._hold(event.at, True))
        takers.add(ev.Released, lambda event: self._hold(event.at, False))
        requests.add_to(takers)
        takers.add(ev.TurnChanged, self._set_turn)
        takers.add(ev.SettingChanged, lambda event: self._set(event.name, event.value))
        takers.add(ev.PolicyLoaded, self._load)
        takers.add(ev.TestRequested, lambda event: request_manual_stream(self.lineup, self.streams, event, self.now))
        takers.add(ev.MediaStalled, self.pictures.stalled)
        takers.add(ev.MediaResumed, self._resumed)
        takers.add(ev.StreamDescribed, self.streams.described)
        takers.add(ev.Measured, self.quality.measured)
        takers.add(ev.StreamMeasured, self._measured)
        takers.add(ev.StreamStopped, self.ghosts.told)
        takers.add(ev.BitrateMeasured, self.bitrates.measured)
        takers.add(ev.ObsRendered, self.render_load.rendered)
        takers.add(ev.InventoryRead, self._reread)
        takers.add(ev.OrphanRemoved, lambda event: self.sweeper.gone(event.input))
        takers.add(ev.OrphanRemovalFailed, self._orphan_stays)
        takers.add(ev.ObsLost, self._lose)
        takers.add(ev.ObsReady, self._adopt)
        takers.add(ev.MediaReady, self._on_proof)
        takers.add(ev.MediaFailed, self._media_failed)
        takers.add(ev.CutDone, self._cut_done)
        return takers

    def _publish(self, event: ev.Published) -> None:
        """What is shown of a path plays whoever publishes there next: while it is another's and moves, nobody may."""
        if owner := self.pictures.keeps(event.session, event.at):
            why = f"{owner}'s picture from that path is still shown: {event.session.streamer} may publish in a moment"
            self._refuse("path_taken", why)
            return
        nameless = self.pictures.nameless
        self.lineup.publishers.publish(event.at, event.session)
        if nameless and self.pictures.moves:
            self.pictures.name_program(event.at, nameless)

    def _take_on_air(self, event: ev.TakeRequested) -> None:
        holder, on_air = self.lineup.holder, self.switchover.on_air_streamer
        behind = holder.streamer if holder is not None and self.covers.covered else ""
        if wanted := event.streamer or behind:
            self.lineup.requests.take(event.at, wanted, on_air)
        else:
            self.lineup.requests.skip(event.at, on_air)

    def _measured(self, event: ev.StreamMeasured) -> None:
        self.ghosts.moves(event)
        self.levels.measured(event)
        self.quality.reported(event)

    def _hold(self, at: float, held: bool) -> None:
        self.lineup.requests.hold(at, held)
        self.switchover.scene.hold(self.lineup.held)

    def _set_turn(self, event: ev.TurnChanged) -> None:
        if problem := self.policy.problem("turn", event.seconds):
            self._refuse("bad_setting", problem)
            return
        if event.streamer is None:
            self._set("turn", event.seconds)
        self.lineup.requests.set_turn(event)

    def _publishers_listed(self, event: ev.PublishersListed) -> None:
        nameless = self.pictures.nameless
        self.lineup.publishers.listed(event, nameless)
        self.pictures.name_program(event.at, nameless)
        # What is shown has to be known first.
        if self.switchover.state is not State.RECOVERING:
            self.lineup.publishers.call_back(event, self.switchover.paths)
            waits = self.switchover.waits_for(self.now)
            kicked = self.lineup.recalls.listed(event, self.pictures.on_air[0], waits)
            self.switchover.wait_for_others(self.now, kicked)

    def _lose(self, event: ev.ObsLost) -> None:
        self.sweeper.forget_asked()
        self.render_load.lost()
        self.switchover.handle(event)
        self.viewers.lost()

    def _adopt(self, event: ev.ObsReady) -> None:
        was_lost = self.switchover.state is State.RECOVERING
        self.streams.obs_ready(event)
        if was_lost:
            self.fallback.obs_ready(event.fallback)
        self.switchover.handle(event)
        if was_lost:
            self.steering.obs_ready()
            self.lineup.recalls.forget_failures()
            self._note_inputs(event.at, event.inventory)
            self.viewers.read(event.at, event.inventory.program, self.now, afresh=True)
            program = self.switchover.program
            if program and program.session:
                # A new watch tells of a stall afresh.
                self.lineup.standing.resumed(event.at, program.session.id)
                self.lineup.standing.relieve(event.at, program.session.id, on_air=True)

    def _reread(self, event: ev.InventoryRead) -> None:
        self._note_inputs(event.at, event.inventory)
        if self.switchover.reread(event, self.now):
            self.lineup.set_cause("lost")
        for attempt in self.switchover.incoming:
            seen = attempt.opened_at if attempt.ready_at is None else attempt.ready_at
            if seen is not None and event.at > seen and self.switchover.scene.is_gone(attempt.input, event.inventory):
                self.pictures.failed(ev.MediaFailed(self.now, attempt.number, "its input is gone", "gone"))
        self.viewers.read(event.at, event.inventory.program, self.now)

    def _note_inputs(self, at: float, inventory: ev.Inventory) -> None:
        if inventory.whole:
            self.sweeper.keep_only([item.name for item in inventory.inputs], at)

    def _orphan_stays(self, event: ev.OrphanRemovalFailed) -> None:
        if self.sweeper.stays(event.input, self.now):
            self._facts.append(facts.OrphanReported(self.now, event.input, event.reason))

    def _on_proof(self, event: ev.MediaReady) -> None:
        """An input has its first picture."""
        self.sweeper.has_opened(event.attempt)
        attempt = next((a for a in self.switchover.incoming if a.number == event.attempt), None)
        if attempt and attempt.target and attempt.opened_at is not None and attempt.ready_at is None:
            self.probation.begin(event.at, attempt.target.id)
            self.lineup.standing.seen(attempt.target.id)
            self.lineup.recalls.seen(attempt.target.id)
            self.lineup.standing.relieve(event.at, attempt.target.id)
            self.fallback.proven(event.at, attempt.target.streamer, plain=attempt.plain)
        if not self.switchover.reserves.ready(event):
            self.switchover.handle(event)

    def _media_failed(self, event: ev.MediaFailed) -> None:
        self.sweeper.has_opened(event.attempt)
        self.pictures.failed(event)

    def _resumed(self, event: ev.MediaResumed) -> None:
        self.pictures.resumed(event)
        self.probation.resumed(event.at, event.input)

    def _cut_done(self, event: ev.CutDone) -> None:
        before = self.switchover.program
        self.switchover.handle(event)
        if self.switchover.program is not before:
            self.viewers.cut(event.at, event.shown)

    def _load(self, event: ev.PolicyLoaded) -> None:
        self.settings.load(event.policy)
        self._apply()

    def _set(self, name: str, value: Value) -> None:
        if problem := self.settings.set(name, value):
            self._refuse("bad_setting", problem)
        else:
            self._facts.append(facts.SettingMade(self.now, name, value, self.lineup.asking))
            self._apply()

    def _apply(self) -> None:
        self.policy = self.settings.policy
        self.render_load.use(self.policy)
        self.lineup.use(self.policy)
        self.switchover.use(self.policy)
        self.viewers.use(self.policy, self.now)

    # --- aftermath -------------------------------------------------------------------------------------------

    def _heed(self, came: Aftermath) -> None:
        """Let the line-up know what attempts came to, and sweep what they left."""
        # Before what an attempt came to ends what it was made for.
        told = [self._with_actor(fact) if isinstance(fact, facts.HandoverEnded) else fact for fact in came.facts]
        for ended in came.ended:
            switch = self._with_actor(ended.fact)
            self._outcomes.take(ended, standby=self.policy.standby and not self.render_load.standby_suspended)
            if ended.attempt.outcome == "completed" or ended.attempt.due_at is not None:
                self.last_switch = switch
        self.sweeper.add(came.orphans)
        for attempt in came.abandoned:
            self.sweeper.leave(attempt, self.now)
        self._facts += told

    def _with_actor(self, ended: facts.HandoverEnded) -> facts.HandoverEnded:
        """A hand-over that somebody asked for bears who it was."""
        return replace(ended, actor=self.lineup.asked_by) if ended.reason == self.lineup.why[0] else ended

    def _brief(self, session: ev.Session) -> Brief:
        tracks, entry = self.streams.of(session.id), self.lineup.by_session(session.id)
        plain = self.fallback.plain(self.now, session.streamer) or needs_own_player(tracks)
        return Brief(way_of(tracks, entry.failures if entry else 0), plain and self._outcomes.may_fall_back)

    def _sweep(self) -> None:
        if self.sweeper and self.switchover.state not in (State.RECOVERING, State.SWAPPING):
            command = self.sweeper.sweep(self.now, self.switchover.in_use)
            if command:
                self.switchover.commands.append(command)

    def _refuse(self, code: str, message: str) -> None:
        self._facts.append(facts.Refused(self.now, code, message, self.lineup.asking))

    @property
    def orphans(self) -> tuple[str, ...]:
        """Own inputs that could not be removed yet."""
        return self.sweeper.names

    def restarted(self, at: float, policy: Policy) -> tuple[ev.Event, ...]:
        """What a daemon that has just started is to feed first, in this order: the clocks of absences stood still."""
        lost = ev.ObsLost(at, "the daemon was restarted", down_since=self.now)
        return (*((lost,) if self.now else ()), ev.PolicyLoaded(at, policy))

    # --- snapshot --------------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """All of it as plain values, fit for JSON."""
        plain: dict[str, Any] = to_plain(self.kept())
        return plain

    def kept(self) -> Snapshot:
        """All that is remembered, as it stands and not as a copy."""
        return kept(self)

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> "Director":
        """The director that took the snapshot. Raises BadSnapshotError."""
        known = read(plain)
        director = cls(known.base, known.overrides)
        stand(director, known)
        return director
