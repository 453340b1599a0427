"""What must never happen, looked at after every single event and every single change of the scene."""

from collections.abc import Callable
from math import inf

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.handover.reserves import RESERVES_MOST
from statemachine.handover.states import State
from statemachine.lineup.lineup import Entry
from statemachine.lineup.sessions import RECALL_FIRST
from statemachine.planning import HASTE, SIGN_WITHIN
from tests.statemachine.model_obs import ModelObs

EPSILON = 1e-6
LOOK_EVERY = 8
"""Events between two looks at what costs a snapshot."""


class Checks:
    """Watches one director and the OBS that it drives."""

    def __init__(self, director: Director, obs: ModelObs) -> None:
        self.director = director
        self.obs = obs
        self.names_asked: set[str] = set()
        self.turns_seen: dict[str, dict[str, int]] = {}
        """For each that waits and could be shown: how many turns each other one has had meanwhile."""
        self.away: dict[str, float] = {}
        """Seconds of grace of the one who has the turn, measured here and not by the rules."""
        self.kbps: dict[str, float | None] = {}
        """What was told last of each session."""
        self.recalled: dict[str, tuple[float, str]] = {}
        """Sessions that were kicked so that their encoders publish anew: when, and whose."""
        self.last_at = 0.0
        self._events = 0
        self._before: tuple[Entry, ...] = ()
        self._was_dead = False
        self._last = ""
        """Whose turn had ended last."""
        self.moves: Callable[[ev.Session | None], bool] = bool
        """Whether pictures of it come in."""

    def restarted(self, director: Director, at: float, *, forgotten: bool = False) -> None:
        """The daemon was restarted: the clock of its graces stood still. What was ``forgotten`` cannot be promised."""
        self.director, self.last_at = director, at
        if forgotten:
            self.names_asked.clear()
            self.turns_seen.clear()
            self.away.clear()
            self.recalled.clear()
            if poor := director.bitrates.episode:
                self.kbps[poor.session_id] = poor.kbps

    def nothing_is_due(self, event: ev.Event) -> None:
        """By time alone nothing happens ahead of the deadline: the rules rest on it. Looked at now and then."""
        director, self._events = self.director, self._events + 1
        at = max(director.now, event.at)
        ahead = director.deadline is None or at < director.deadline
        if self._events % LOOK_EVERY or not ahead or director._due == -inf or isinstance(event, ev.ObsLost):
            return
        director.view(director.now)
        seen = director.view(at)
        director.views.forget()
        assert director.view(at) == seen, "time alone has changed more of what is seen"
        director.lineup.forget(at)
        before = director.snapshot() | {"now": at}
        director.now = director.steering.now = at
        director._expire_ahead()
        step = director._step()
        assert (step.commands, step.facts) == ((), ()), f"due before the deadline: {step}"
        assert director.snapshot() == before, "something has changed before the deadline"

    def before(self) -> None:
        """Just before an event."""
        self._before = tuple(self.director.lineup)
        director = self.director
        self._last = director.lineup.last_streamer
        self._was_dead = director.switchover.program is None or director.steering.dead_since is not None

    def after(self, event: ev.Event, commands: tuple[cmd.Command, ...], told: tuple[facts.Fact, ...]) -> None:
        """Just after it."""
        now = self.director.now
        for command in commands:
            self._command(command)
        after = tuple(self.director.lineup)
        to_the_tail = ("requeued", "joined", "leaving")
        self._order(
            event, after, {f.streamer for f in told if isinstance(f, facts.LineupChanged) and f.what in to_the_tail}
        )
        # Whom an operator sends to the tail unseen waits anew.
        for fact in told:
            if isinstance(fact, facts.LineupChanged) and fact.what == "skipped":
                self.turns_seen.pop(fact.streamer, None)
        self._fairness(event, after, now)
        if isinstance(event, ev.SettingChanged | ev.PolicyLoaded):
            self.away = {name: min(gone, self.director.policy.grace_cap) for name, gone in self.away.items()}
        self._grace(after, now)
        self._poor(event, after, told)
        self._named()
        self._seen()
        self._reasoned(after, now)
        self._shape(now)
        self.last_at = now

    def _seen(self) -> None:
        """Nobody is said to be on air of whom OBS shows nothing."""
        on_air = self.director.view(self.director.now).on_air
        item = self.obs.items.get(on_air.input) if on_air else None
        if item is None or item.watched_since is None or self.director.switchover.state is State.RECOVERING:
            return
        assert not item.blank, f"{on_air} is said to be on air, and nothing is shown"

    def _named(self) -> None:
        """Mode static: who is named for the one input is whom it plays, but for a command that is not answered yet."""
        switchover = self.director.switchover
        program = switchover.program
        if program is None or program.session is None or program.input != self.director.policy.static_input:
            return
        item = self.obs.items.get(program.input)
        if item is None or switchover.state in (State.CREATING, State.RECOVERING):
            return
        played = item.session.path if item.session is not None else ""
        assert played == program.session.path, f"{program.session} is said to be on air, and {played} is played"

    def _reasoned(self, after: tuple[Entry, ...], now: float) -> None:
        """Whoever has failed and is kept waiting for it has a reason that people can read."""
        for entry in after:
            waits = entry.failures > 0 and entry.retry_at is not None and entry.retry_at > now
            assert not waits or entry.problem is not None, f"{entry.streamer} has failed and nobody says why"

    def scene_changed(self) -> None:
        """A frame is rendered: no two own inputs in it, unless somebody else's hand was in it."""
        shown = [item.name for item in self.obs.shown if not item.astray]
        assert len(shown) <= 1, f"shown at once: {shown}"

    def program_told(self) -> None:
        """OBS was read just now: what is said of the Program is what it shows."""
        view, program = self.director.view(self.director.now), self.obs.program
        said = (view.program.scene, view.program.studio_mode)
        assert said == (program.scene, program.studio_mode), f"{said} is said, it is {program.scene}"
        on_air = view.program.input
        seen = program.live or program.copied if on_air is None else on_air in program.shows
        assert view.program.shown == seen, f"{on_air} is said to be shown: {view.program.shown}, OBS: {program.shows}"
        stands = self.director.lineup.state.paused_since is not None
        assert stands == (self.director.policy.program == "follow" and not seen), f"the turn's clock stands: {stands}"

    def removing(self, name: str) -> None:
        """An input is about to go."""
        item = self.obs.items.get(name)
        if item is not None and item.shown and not item.astray:
            assert len(self.obs.shown) > 1, f"{name} is removed while it is on air"

    def _command(self, command: cmd.Command) -> None:
        switchover, lineup = self.director.switchover, self.director.lineup
        on_air = switchover.program.input if switchover.program else ""
        match command:
            case cmd.Cut(incoming=str() as incoming):
                item = self.obs.items.get(incoming)
                assert item is None or item.proven, f"{incoming} is cut to before it is ready"
                self._not_blocked()
                self._not_barred()
            case cmd.Cut(incoming=None):
                self._not_barred()
                policy = self.director.policy
                assert policy.slate or not any(entry.showable(self.director.now) for entry in lineup), "blanked"
            case cmd.RemoveInput() | cmd.ParkInput() | cmd.RemoveOrphan():
                assert command.input != on_air, f"{on_air} is removed while it is on air"
            case cmd.HideInput():
                assert command.input != on_air
            case cmd.SetSlate():
                assert command.slate not in self.director.switchover.scene.fixtures.missing, (
                    "what is not there is asked for"
                )
            case cmd.CreateInput():
                assert command.reuse or command.input not in self.names_asked, f"{command.input} is used twice"
                assert command.reuse or command.input not in self.obs.items, f"{command.input} is there already"
                self.names_asked.add(command.input)
                self._not_blocked()
                self._affordable()
            case cmd.KickSession(reason="republish"):
                self._recalled(command.session)
            case _:
                pass

    def _recalled(self, session: ev.Session) -> None:
        """Kicked so that it publishes anew: once, seldom, and nobody who is seen or held."""
        director, now = self.director, self.director.now
        program = director.switchover.program
        assert program is None or program.session is None or program.session.path != session.path, (
            f"{session} is on air"
        )
        assert director.policy.kick_unreachable, "kicked though that is switched off"
        assert not director.lineup.held, "kicked while held"
        assert session.id not in self.recalled, f"{session} is kicked twice"
        last = max((at for at, streamer in self.recalled.values() if streamer == session.streamer), default=-inf)
        assert now >= last + RECALL_FIRST, f"{session.streamer} is kicked again after {now - last:g} s"
        self.recalled[session.id] = now, session.streamer

    def _not_barred(self) -> None:
        policy, program = self.director.policy, self.director.view(self.director.now).program
        assert policy.studio_mode != "hold" or not program.studio_mode, (
            "a cut in studio mode, which was to be left alone"
        )

    def _not_blocked(self) -> None:
        attempt = self.director.switchover.attempt
        assert attempt is not None
        if attempt.target is not None:
            until = self.director.lineup.blocks.get(attempt.target.streamer, 0.0)
            assert until <= self.director.now, f"{attempt.target.streamer} is blocked"

    def _affordable(self) -> None:
        attempt, holder = self.director.switchover.attempt, self.director.lineup.holder
        if attempt is not None and attempt.reason == "standby" and self.director.render_load.standby_suspended:
            assert holder is not None, "a standby is made ready though OBS renders late"
            assert holder.stalled_since is not None, "a standby is made ready though OBS renders late"
            assert attempt.target == holder.session

    def _poor(self, event: ev.Event, after: tuple[Entry, ...], told: tuple[facts.Fact, ...]) -> None:
        if isinstance(event, ev.BitrateMeasured):
            self.kbps[event.session_id] = event.kbps
        for fact in told:
            if not isinstance(fact, facts.LowBitrate) or fact.step == "over":
                continue
            known = [self.kbps.get(session.id) for entry in self._before for session in entry.sessions[:1]]
            assert fact.kbps in known, f"{fact.step} for a bitrate that nobody told"
            assert fact.kbps < self.director.policy.low_bitrate, f"{fact.step} for a good bitrate"
            if fact.step == "skip":
                others = [entry for entry in after if entry.streamer != fact.streamer and entry.sessions]
                assert others, f"{fact.streamer} is skipped and nobody follows"

    def _order(self, event: ev.Event, after: tuple[Entry, ...], at_the_tail: set[str]) -> None:
        names = [entry.streamer for entry in after]
        assert len(set(names)) == len(names), "twice in the line-up"
        if isinstance(event, ev.MoveRequested | ev.TestRequested | ev.TakeRequested):
            return
        turns = {entry.streamer: entry.turn_began for entry in self._before}
        settled = [e.streamer for e in after if e.streamer in turns and turns[e.streamer] == e.turn_began]
        stayed = [name for name in settled if name not in at_the_tail]
        assert stayed == [entry.streamer for entry in self._before if entry.streamer in stayed], "the order was lost"
        # Unless nobody before them can be shown, so that one of them has the turn again.
        last = at_the_tail & {entry.streamer for entry in after if entry.turn_began is None}
        assert last == set(names[len(names) - len(last) :]), f"{last} ought to be at the tail of {names}"
        holders = [entry.streamer for entry in after if entry.turn_began is not None]
        assert holders in ([], names[:1]), f"turns: {holders}"
        # What publishers do begins nobody's turn anew: only a picture does.
        if isinstance(event, ev.Published | ev.Unpublished | ev.PublishersListed) and not at_the_tail:
            began = {entry.streamer: entry.turn_began for entry in after}
            kept = {name: at for name, at in turns.items() if at is not None and name in began}
            assert all(began[name] == at for name, at in kept.items()), f"a turn's clock was lost: {kept}"

    def _fairness(self, event: ev.Event, after: tuple[Entry, ...], now: float) -> None:
        if isinstance(event, ev.MoveRequested):
            # Whoever is moved by hand waits anew, and passes whom it likes.
            self.turns_seen.pop(event.streamer, None)
            for seen in self.turns_seen.values():
                seen.pop(event.streamer, None)
        elif isinstance(event, ev.TestRequested | ev.TakeRequested):
            self.turns_seen.clear()
        turns = {entry.streamer: entry.turn_began for entry in self._before}
        began = [e.streamer for e in after if e.turn_began is not None and turns.get(e.streamer) != e.turn_began]
        # Of whom no picture came in time is not passed over: there is nothing to show. In dead air whoever moves is.
        patience = HASTE if self._was_dead else SIGN_WITHIN
        silent = {
            attempt.target.streamer
            for attempt in self.director.switchover.incoming
            if attempt.target and attempt.ready_at is None and now >= attempt.begun_at + patience
        }
        # The one static input cannot show whether one who failed before has a picture by now while another moves.
        untried = {e.streamer for e in after if e.failures and self.director.policy.mode == "static"}
        # Nor is one that is not fit for it.
        over = {e.streamer for e in after if self.director.lineup.unfit(e.session.id if e.session else "")}
        waiting = {e.streamer for e in after if e.turn_began is None and e.showable(now)} - silent - untried - over
        self.turns_seen = {name: seen for name, seen in self.turns_seen.items() if name in waiting}
        for name in waiting:
            seen = self.turns_seen.setdefault(name, {})
            for other in began if not isinstance(event, ev.TurnChanged) else ():
                seen[other] = seen.get(other, 0) + 1
                assert seen[other] <= 1, f"{name} waits while {other} has another turn"

        if isinstance(event, ev.AttemptEvent | ev.TimePassed):
            self._not_again(began, after, now)

    def _not_again(self, began: list[str], after: tuple[Entry, ...], now: float) -> None:
        """Whose turn has just ended has none again while one before it in line has not failed to show a picture."""
        line = [entry.streamer for entry in self._before]
        if self._last in began and self._last in line:
            ahead = line[: line.index(self._last)]
            fit = [e for e in after if not self.director.lineup.unfit(e.session.id if e.session else "")]
            untried = [e.streamer for e in fit if e.streamer in ahead and e.showable(now) and not e.failures]
            assert not untried, f"{self._last} has another turn before {untried}"

    def _grace(self, after: tuple[Entry, ...], now: float) -> None:
        policy, lineup = self.director.policy, self.director.lineup
        turns = {entry.streamer: entry for entry in self._before}
        away: dict[str, float] = {}
        for entry in after:
            if entry.away_since is not None:
                ends = lineup.grace_ends(entry)
                assert ends is not None
                assert ends > now, f"{entry.streamer} outstays its grace"
            known = turns.get(entry.streamer)
            if known is None or entry.turn_began is None or known.turn_began != entry.turn_began:
                continue
            gone = now - self.last_at if known.away_since is not None else 0.0
            away[entry.streamer] = self.away.get(entry.streamer, 0.0) + gone
            assert away[entry.streamer] <= policy.grace_cap + EPSILON, f"{entry.streamer}'s grace outlives its cap"
        self.away = away

    def _shape(self, now: float) -> None:
        director = self.director
        deadline = director.deadline
        assert deadline is None or deadline > now
        attempt, state = director.switchover.attempt, director.switchover.state
        if state is State.IDLE:
            assert attempt is None
        elif state is not State.RECOVERING:
            assert attempt is not None
        reserves = len(director.switchover.reserves)
        # While the program is emptied the attempt under way has no input, and those beside it are one more.
        opening = reserves + (attempt is not None and attempt.target is not None)
        assert opening <= RESERVES_MOST + 1, f"{opening} inputs are made ready at once"
        assert len(director.switchover.scene.names.pool) <= 2 + reserves
