"""The director between a model OBS and a model ingest server, in time that is moved by hand.

Nothing happens by itself: whoever drives the world decides what is carried out, what is answered, and when. ``calm``
ends all faults and lets everything answer, until the channel stands where it ought to.
"""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice, takewhile
from math import ceil, log2
from typing import Any

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.handover.fixtures import fixtures
from statemachine.handover.states import State
from statemachine.lineup.entry import Recall
from statemachine.planning import SIGN_WITHIN
from statemachine.policy import Policy
from statemachine.step import Step
from tests.statemachine import memory
from tests.statemachine.audience import Audience
from tests.statemachine.calm import amiss, in_line
from tests.statemachine.checks import Checks
from tests.statemachine.model_ingest import SERVER, ModelIngest
from tests.statemachine.model_obs import TAKEN, Item, ModelObs, Refused, answer
from tests.statemachine.model_program import BREAK

START = 1000.0
PROOF = 0.2
"""Seconds from a watch's begin to a picture."""
STILL = 0.25
"""Seconds without motion until a watch tells of it."""
CALM_WITHIN = 60.0
"""Seconds: a few hand-overs, with inputs that do not open. A backoff of one who failed is as long as is promised, and
not counted."""
GHOST_TRIES = 8
"""More failures than there are until one of whom nobody tells that it has left is taken to be gone."""
DARK_TRIES = 3
"""Tries at least of one without a picture, in turn with others like it, until all wait for their next."""
TIDY_WITHIN = 420.0
"""Seconds: the longest backoff of a leftover."""
CALM_MOST = 3000.0
"""Seconds, with all backoffs."""
FOREVER = 1e6
TURNS_IN_VAIN = 10
"""More than there are streamers whose turns may end in the calm."""
ENCODERS = ("frozen", "broken", "pictureless")
"""What of a stream is its encoder's own, and so again when it publishes anew."""
REMEMBERED_EVERY = 16
"""Events between two looks at what a restart would bring back."""
ANSWERED = (ev.Published, ev.Unpublished, ev.OperatorEvent, ev.PolicyLoaded)
"""Events whose sender hears of them only once they are on the disk."""


class World:
    """``lane`` is what OBS was asked and has not done yet."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.director = Director(policy or Policy())
        self.obs = ModelObs(self.director.policy.prefix)
        self.ingest = ModelIngest()
        self.checks = Checks(self.director, self.obs)
        self.checks.moves = self.ingest.moves
        self.audience = Audience(self)
        self.now = START
        self.lane: deque[cmd.Command] = deque()
        self.late: list[cmd.Command] = []
        """Timed out, answered as failed, and may still be done."""
        self.failing: list[tuple[tuple[type[cmd.Command], ...], str]] = []
        """What becomes of the next commands of these kinds, whoever carries them out."""
        self.answers: list[ev.Event] = []
        self.told: list[facts.Fact] = []
        self.called_back: dict[str, set[str]] = {}
        """Streamers whose encoders were cut off and are about to publish anew: what is wrong with their streams."""
        self.trace: list[tuple[ev.Event, tuple[cmd.Command, ...]]] = []
        self.last = Step()
        """The rules' answer to the last event."""
        self.obs.up = False
        self.obs.static = lambda: self.director.policy.static_input
        self.fallback = False  # OBS has a plugin for inputs, whose place its own media source may take
        self.kept: deque[dict[str, Any]] = deque(maxlen=0)
        """The snapshots after the last events, where a crash is to forget some."""

    # --- the director ----------------------------------------------------------------------------------------

    def feed(self, event: ev.Event) -> tuple[cmd.Command, ...]:
        """Hand an event to the rules and look at what they make of it."""
        self.checks.nothing_is_due(event)
        self.checks.before()
        self.audience.heard(event)
        if isinstance(event, ev.Published):
            self.ingest.unnamed.discard(event.session.id)
        step = self.last = self.director.handle(event)
        commands, told = step.commands, step.facts
        if self.kept.maxlen:
            self.kept.append(self.director.snapshot())
        self.checks.after(event, commands, told)
        self.audience.decided(commands)
        self.told += told
        self.trace.append((event, commands))
        if len(self.trace) % REMEMBERED_EVERY == 0:
            assert not (lost := memory.forgotten(self.director)), f"a restart would forget {lost}"
        for command in commands:
            if isinstance(command, cmd.AbandonPending):
                self.lane.clear()
            elif isinstance(command, cmd.KickSession) and self.ingest.outlives_kicks:
                pass
            elif isinstance(command, cmd.KickSession):
                comes_back = command.reason in ("unannounced", "republish")
                if comes_back and (session := self.ingest.live.get(command.session.id)):
                    self.called_back[session.streamer] = {
                        what for what in ENCODERS if session.id in getattr(self.ingest, what)
                    }
                self.ingest.end(command.session.id)
            else:
                self.lane.append(command)
        return commands

    def advance(self, seconds: float, *, punctual: bool = True) -> None:
        """Let time pass; the deadlines ring, or nobody looks at them meanwhile."""
        end = self.now + seconds
        while punctual and (deadline := self.director.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.feed(ev.TimePassed(self.now))
        self.now = end

    def crash(self, gap: float = 0.0, policy: Policy | None = None, forgotten: int = 0) -> None:
        """kill -9, and a new daemon from what was kept, with another ``policy`` in its file where one is given.

        The last ``forgotten`` events had not reached the disk, though their commands may have been carried out. What
        people and hooks were answered is never among them.
        """
        policy = policy or self.director.settings.base
        late = takewhile(lambda step: not isinstance(step[0], ANSWERED), reversed(self.trace))
        forgotten = min(forgotten, len(self.kept) - 1, len(list(islice(late, forgotten))))
        kept = json.loads(json.dumps(self.kept[-1 - forgotten] if forgotten > 0 else self.director.snapshot()))
        self.director = Director.restore(kept)
        assert json.loads(json.dumps(self.director.snapshot())) == kept
        before = self.director.lineup.holder
        over = before is not None and (self.director.lineup.grace_ends(before) or FOREVER) <= self.director.now
        self.lane.clear()
        self.answers.clear()
        self.obs.stop_watches()
        self.obs.up = False
        self.now += gap
        self.checks.restarted(self.director, self.now, forgotten=forgotten > 0)
        if policy.prefix != self.obs.prefix:
            program = self.director.switchover.program
            self.obs.rename_own(policy.prefix, program.input if program else "")
        for event in self.director.restarted(self.now, policy):
            self.feed(event)
        holder = self.director.lineup.holder
        ends = self.director.lineup.turn_ends(before) if before else None
        if before and ends is not None and ends > self.now and not over:
            assert holder is not None
            assert (holder.streamer, holder.turn_began) == (before.streamer, before.turn_began), "turn lost"

    # --- OBS -------------------------------------------------------------------------------------------------

    def obs_ready(self) -> None:
        """OBS answers (again)."""
        if not self.obs.up:
            self.obs.up = True
            self.feed(ev.ObsReady(self.now, self.obs.inventory(), self.fallback))
            self.checks.program_told()
            # What was found shown and is not taken for the picture goes as soon as OBS does as it is told.
            program = self.director.switchover.program
            for item in self.obs.shown:
                item.astray |= program is None or item.name != program.input

    def obs_lost(self, *, done: int = 0) -> None:
        """The connection is gone; ``done`` of the commands under way were carried out all the same."""
        for _ in range(min(done, len(self.lane))):
            self.carry_out("lost")
        self.obs.up = False
        self.obs.stop_watches()
        self.feed(ev.ObsLost(self.now, "the connection is gone"))

    def carry_out_beside(self) -> None:
        """Leftovers are removed beside everything else."""
        orphan = next((command for command in self.lane if isinstance(command, cmd.RemoveOrphan)), None)
        if orphan is not None:
            self.lane.remove(orphan)
            self.lane.appendleft(orphan)
            self.carry_out()

    def carry_out(self, outcome: str = "done") -> None:
        """Work the next command off.

        ``done``; ``refused`` (not done, and said so); ``lied`` (done, and answered as failed); ``timeout`` (answered
        as failed, done later or never); ``lost`` (done, never answered: the connection is about to go).
        """
        command = self.lane.popleft()
        if self.failing and outcome == "done" and isinstance(command, self.failing[0][0]):
            _, outcome = self.failing.pop(0)
        failure = "" if outcome in ("done", "lost") else outcome
        if outcome in ("done", "lied", "lost"):
            try:
                self._execute(command)
            except Refused as error:
                failure = str(error)
        elif outcome == "timeout":
            self.late.append(command)
        elif isinstance(command, cmd.CreateInput) and command.input in self.obs.foreign:
            failure = TAKEN  # OBS looks at the name first
        incoming = command.incoming if isinstance(command, cmd.Cut) else None
        shown = self.obs.program.scene != BREAK if incoming is None else incoming in self.obs.program.shows
        told = answer(command, self.now, failure, shown=shown)
        if told is not None and outcome != "lost":
            self.answers.append(told)

    def carry_out_late(self, index: int) -> None:
        """What timed out is done after all."""
        command = self.late.pop(index % len(self.late))
        with suppress(Refused):
            self._execute(command, late=True)

    def _execute(self, command: cmd.Command, *, late: bool = False) -> None:
        if isinstance(command, cmd.RemoveInput | cmd.RemoveOrphan | cmd.ParkInput) and not late:
            self.checks.removing(command.input)
        self.obs.execute(command, self.now, late=late)
        self.checks.scene_changed()

    def deliver(self, index: int = 0, *, twice: bool = False) -> None:
        """One answer reaches the rules, in whatever order."""
        event = self.answers[index % len(self.answers)] if twice else self.answers.pop(index % len(self.answers))
        self.feed(event)

    def watches(self) -> list[Item]:
        """Inputs that are looked at."""
        return [item for item in self.obs.items.values() if item.watched_since is not None]

    def look(self) -> None:
        """The watches tell what they see."""
        for item in self.watches():
            moves = self.ingest.moves(item.session)
            if item.watched_since is None or self.now < item.watched_since + PROOF:
                continue
            if not item.proven and moves:
                item.proven = True
                self.feed(ev.MediaReady(self.now, item.attempt))
            elif item.proven and not moves and not item.stalled and self.now >= item.moved_at + STILL:
                item.stalled = True
                self.feed(ev.MediaStalled(self.now, item.name, item.moved_at))
            elif item.stalled and moves:
                item.stalled = False
                item.blank = False
                self.feed(ev.MediaResumed(self.now, item.name))
            elif item.stalled and not item.blank and item.session and item.session.id in self.ingest.broken:
                item.blank = True
                self.feed(ev.MediaStalled(self.now, item.name, item.moved_at, blank=True))
            if moves:
                item.moved_at = self.now

    def read_inventory(self) -> None:
        """OBS is re-read, at once."""
        if self.obs.up:
            switchover = self.director.switchover
            changing = switchover.state is State.SWAPPING or (switchover.attempt and switchover.attempt.is_restoring)
            fresh = self.now > switchover.scene.changed_at and not changing
            self.feed(ev.InventoryRead(self.now, self.obs.inventory()))
            if fresh:
                self.checks.program_told()

    # --- the ingest side -------------------------------------------------------------------------------------

    def publish(
        self, streamer: str, turn: float | None = None, server: str = SERVER, *, lost: bool = False
    ) -> ev.Session:
        """A publisher comes and its hook is answered as the shell would; meanwhile its server may lose its stream."""
        session = self.ingest.new_session(streamer, turn, server)
        if self.director.admits(streamer, self.now) is None:
            self.ingest.live[session.id] = session
            self.ingest.lost |= {session.id} if lost else set()
            self.feed(ev.Published(self.now, session))
        return session

    def unpublish(self, streamer: str) -> None:
        """A publisher leaves."""
        session = self.ingest.of(streamer)
        if session is not None:
            self.ingest.end(session.id)
            self.feed(ev.Unpublished(self.now, session.id))

    def list_publishers(self) -> None:
        """The server's own list, asked for and answered at once."""
        self.feed(self.ingest.listing(self.now, self.now))

    def measure(self) -> None:
        """The shell looks at the counters of the stream that matters."""
        session_id = self.director.bitrates.subject
        if session_id:
            self.feed(ev.BitrateMeasured(self.now, session_id, self.ingest.kbps.get(session_id)))

    def rendered(self, lag: float, seconds: float) -> None:
        """OBS renders for so long, with that share of its frames late; reported every ten seconds."""
        while seconds > 0:
            self.run(10.0, step=1.0)
            self.feed(ev.ObsRendered(self.now, 10.0, 300, round(300 * lag)))
            seconds -= 10.0
        self.settle()

    # --- letting it run --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Do and answer everything that was asked."""
        for _ in range(200):
            if self.lane:
                self.carry_out()
            elif self.answers:
                self.deliver()
            else:
                return
        raise AssertionError("the commands never end")

    def run(self, seconds: float, step: float = 0.1) -> None:
        """A studio without faults, with an ingest server that is asked every two seconds."""
        end, count = self.now + seconds, 0
        self.settle()
        self.audience.begin()
        while self.now < end - 1e-9:
            self._tick(min(step, end - self.now), count)
            count += 1

    def run_until(self, condition: Callable[[], bool], within: float, step: float = 0.1) -> float:
        """Run until ``condition``; how long it took. Fails after ``within`` seconds."""
        began, count = self.now, 0
        self.settle()
        self.audience.begin()
        while not condition():
            # Last of all a leftover, which may hide what is waited for.
            assert self.now - began <= within, f"not within {within:g} s: {self.amiss(tidy=False) or self.amiss()}"
            self._tick(step, count)
            count += 1
        return self.now - began

    def _tick(self, step: float, count: int) -> None:
        while self.called_back:
            streamer, wrong = self.called_back.popitem()
            if self.ingest.of(streamer) is None:
                session = self.publish(streamer)
                for what in wrong if session.id in self.ingest.live else ():
                    getattr(self.ingest, what).add(session.id)
        self.advance(step)
        self.settle()
        self.look()
        self.settle()
        if count % max(1, round(2.0 / step)) == 0:
            self.list_publishers()
            self.read_inventory()
            self.settle()
            self.measure()
            self.settle()
        self.audience.look(step)

    def calm(self) -> None:
        """No more faults: within bounded time the channel stands where it ought to, and stays there."""
        self.late.clear()
        self.ingest.frozen.clear()
        self.ingest.broken.clear()
        self.ingest.kbps.clear()
        for wrong in self.called_back.values():
            wrong -= {"frozen", "broken"}
        self.feed(ev.Released(self.now))
        for streamer in (None, *[entry.streamer for entry in self.director.lineup]):
            self.feed(ev.TurnChanged(self.now, FOREVER, streamer))
        if self.director.policy.studio_mode == "hold" and self.obs.program.studio_mode:
            self.obs.program.switch_studio_mode(False)
        if not self.obs.up:
            self.feed(ev.ObsLost(self.now, "the connection is gone"))
        self.obs_ready()
        self._take_away_what_is_forgotten()
        self._until_well()
        self.run_until(lambda: not self.amiss(), TIDY_WITHIN, step=0.25)
        assert any(self._stays() for _ in range(TURNS_IN_VAIN)), "one turn ends after the other"

    def _take_away_what_is_forgotten(self) -> None:
        """What a hand has shown before the rules forgot its name, as the fifth of those before, is people's own."""
        scene = self.director.switchover.scene
        for name in self.obs.fixtures:
            known = (*fixtures(scene.policy), *scene.fixtures.old, scene.on_air_input)
            if name in self.obs.items and name not in known:
                self.obs.items[name].shown = False

    def _stays(self) -> bool:
        """It does, whoever is on air; False where it may not yet.

        Whoever was kicked to publish anew came back meanwhile, and goes on with the turn; or somebody filled in for
        one who stood still until its turn was over.
        """
        before, on_air = self._whose_turn(), self.director.view(self.now).on_air
        self.run(5.0, step=0.5)
        self._until_well(tidy=True)
        after = self.director.view(self.now).on_air
        if before != self._whose_turn():
            return False
        assert (after and after.input) == (on_air and on_air.input), "it does not stay so"
        return True

    def _whose_turn(self) -> tuple[str, dict[str, Recall]]:
        holder = self.director.lineup.holder
        return holder.streamer if holder is not None else "", dict(self.director.lineup.state.recalls)

    def _until_well(self, *, tidy: bool = False) -> None:
        """Seconds in which one who ought to be shown, or is gone, waits for its next try are not counted."""
        ghosts = sum(not self.ingest.lists(i) and i not in self.ingest.live for i in in_line(self))
        dark = sum(not self.ingest.moves(session) for session in self.ingest.live.values())
        each = SIGN_WITHIN + self.director.policy.ready_timeout
        # A backoff that begins short doubles more often until it is as long as the others' tries.
        doubled = ceil(log2(max(1.0, dark * each / self.director.policy.retry_first)))
        within = CALM_WITHIN + (ghosts * GHOST_TRIES + dark * max(DARK_TRIES, doubled + 1)) * each
        counted, began, count = 0.0, self.now, 0
        recalls = dict(self.director.lineup.state.recalls)
        self.settle()
        self.audience.begin()
        while what := self.amiss(tidy=tidy):
            if recalls != self.director.lineup.state.recalls:
                # Whoever was kicked to publish anew is tried as often as before.
                counted, recalls = 0.0, dict(self.director.lineup.state.recalls)
            assert counted <= within, f"not within {within:g} s: {what}"
            assert self.now < began + CALM_MOST, f"not within {CALM_MOST:g} s: {what}"
            waits = self._waits()
            self._tick(0.25, count)
            counted, count = counted + 0.25 * (not waits), count + 1

    def _waits(self) -> bool:
        """The backoff runs of one who has a picture by now, or may have one, or who is gone and nobody tells of it."""
        backing_off = [entry for entry in self.director.lineup if (entry.retry_at or 0.0) > self.now]
        sessions = [session for entry in backing_off for session in entry.sessions]
        ghosts = (not self.ingest.lists(each.id) and each.id not in self.ingest.live for each in sessions)
        return any(self.ingest.moves(each) or each.id in self.ingest.lost for each in sessions) or any(ghosts)

    def amiss(self, *, tidy: bool = True) -> str:
        """What is not as it ought to be, in one line; empty where all is well. ``tidy``: without any leftover."""
        return amiss(self, tidy=tidy)

    def is_out(self, session: ev.Session) -> bool:
        """Taken out of the line-up by hand, though it still publishes."""
        return session.id in self.director.lineup.state.evicted
