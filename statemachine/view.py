"""What people see of the rules: read-only, derived, for /status, the dashboard and the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from statemachine.events import Session
from statemachine.facts import HandoverEnded
from statemachine.handover.fallback import Fallback
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.lineup.entry import Problem
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.bitrate import Bitrates
from statemachine.monitors.covers import Covers
from statemachine.monitors.levels import Levels
from statemachine.monitors.quality import SOUND, Quality
from statemachine.monitors.quantities import QUANTITIES, REASONS
from statemachine.monitors.render_load import RenderLoad
from statemachine.monitors.viewers import Viewers
from statemachine.policy import Policy
from statemachine.steering import Steering
from statemachine.waiting import OF_THE_CHANNEL, of_entry


@dataclass(frozen=True, slots=True)
class OnAir:
    """The one whose picture is shown."""

    streamer: str
    input: str
    since: float
    seconds: float
    remaining: float | None
    """Seconds of its turn that are left; None where it only fills in."""
    live: bool
    """Its stream is still published."""
    amiss: Mapping[str, float] = field(default_factory=dict)
    """What is measured of it and is not as it should be, and since when."""
    session: str = ""
    """The id of the session that it plays."""

    @property
    def silent_since(self) -> float | None:
        """Since when it has no sound; None where it has, or nobody measures."""
        return self.amiss.get(SOUND)


@dataclass(frozen=True, slots=True)
class Standby:
    """The one that is made ready ahead of its turn, or for the hand-over under way."""

    streamer: str
    input: str
    ready: bool
    since: float
    due: bool


@dataclass(frozen=True, slots=True)
class StandbyOff:
    """Why no standby is made ready."""

    reason: str
    """configured: standby is switched off; static: the one input is on air; render_lag: OBS renders late."""
    since: float | None = None
    render_lag: float | None = None
    """Share of OBS's frames that were late last, 0 to 1."""


@dataclass(frozen=True, slots=True)
class ProgramView:
    """What viewers get. None where OBS is not reached, or nobody has looked yet."""

    scene: str | None
    """The scene that they are shown."""
    studio_mode: bool | None
    shown: bool | None
    """They see the one on air; where nobody is, the daemon's scene."""
    input: str | None
    """The input on air, also where nobody can be named for it, or it has lost its picture."""
    copied: bool = False
    """They see a private copy of the daemon's scene, as studio mode made it."""
    blank: bool = False
    """The input on air shows nothing: its player has reported an error or an end."""
    barred: bool = False
    """No hand-over is made, because studio mode is on."""


@dataclass(frozen=True, slots=True)
class Place:
    """One position of the line-up."""

    streamer: str
    position: int
    since: float
    publishing: bool
    has_turn: bool
    turn_length: float
    grace_ends: float | None
    stalled: bool
    failures: int
    problem: Problem | None = None
    """Why it is not shown, or what is amiss with what it sends."""
    passed_over: bool = False
    """Whoever is fit comes before it."""
    session: str = ""
    """The id of the session that is played of it; empty where it publishes nothing."""

    @property
    def is_hopeless(self) -> bool:
        """Nobody can expect a picture of it just now."""
        own = self.problem is not None and self.problem.reason not in NO_HINDRANCE
        return self.stalled or self.failures > 0 or own


NO_HINDRANCE: Final = OF_THE_CHANNEL | REASONS.keys()
"""Reasons for which a streamer can be shown all the same."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is measured of a stream and is not as it should be."""

    quantity: str
    """Its name in ``monitors.quantities``."""
    reason: str
    """What is wrong, in one word."""
    since: float
    value: float
    """As measured last."""


@dataclass(frozen=True, slots=True)
class View:
    """All of it at one moment."""

    at: float
    state: State
    attempt: int
    held: bool
    on_air: OnAir | None
    standby: Standby | None
    queue: tuple[Place, ...]
    last_switch: HandoverEnded | None
    blocks: dict[str, float]
    orphans: tuple[str, ...]
    standby_off: StandbyOff | None = None
    """None where the next one is made ready as soon as there is one."""
    fallen_back: bool = False
    """OBS's own media source has taken the place of a plugin that fails."""
    program: ProgramView = ProgramView(None, None, None, None)
    measured: str = ""
    """The id of the session whose bitrate matters; empty where there is none."""
    policy: Policy = field(default_factory=Policy)
    """The rules' settings with what was set live."""
    faults: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)
    """By streamer: what is measured of each in line, and is not as it should be."""
    covered: str = ""
    """Why the slate is shown in place of the turn's holder; empty where it is not."""
    gains: Mapping[str, float] = field(default_factory=dict)
    """dB by which each own input was made louder or softer."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that the rules know of, for who keeps what stands behind them."""

    live: tuple[Session, ...]
    """All that still publish as far as is known, in the line-up and taken out of it."""
    ended: tuple[str, ...]
    """The ids of those that ended a short while ago."""
    held: frozenset[str]
    """The ids of those that may still be shown or are."""


class Places:
    """The line-up as people see it, made anew when it has changed: many look, and it may be a thousand long."""

    def __init__(self, lineup: Lineup) -> None:
        self._lineup = lineup
        self._version = -1
        self._places: tuple[Place, ...] = ()

    def __call__(self) -> tuple[Place, ...]:
        """In their order."""
        lineup = self._lineup
        if self._version != lineup.version:
            self._version = lineup.version
            self._places = tuple(
                Place(
                    streamer=entry.streamer,
                    position=position,
                    since=entry.joined_at,
                    publishing=bool(entry.sessions),
                    has_turn=entry.turn_began is not None,
                    turn_length=lineup.turn_length(entry),
                    grace_ends=lineup.grace_ends(entry),
                    stalled=entry.stalled_since is not None,
                    failures=entry.failures,
                    problem=of_entry(entry),
                    session=entry.session.id if entry.session else "",
                )
                for position, entry in enumerate(lineup)
            )
        return self._places


class ViewSource(Protocol):
    """The parts of the rules that people see something of: the director has them."""

    now: float
    policy: Policy
    lineup: Lineup
    switchover: Switchover
    steering: Steering
    viewers: Viewers
    bitrates: Bitrates
    render_load: RenderLoad
    quality: Quality
    covers: Covers
    levels: Levels
    fallback: Fallback
    last_switch: HandoverEnded | None

    @property
    def orphans(self) -> tuple[str, ...]:
        """Own inputs that could not be removed yet."""


class Views:
    """The last view, of which time alone changes little: several look each second, and mostly nothing has happened."""

    def __init__(self, rules: ViewSource, lineup: Lineup) -> None:
        self._rules = rules
        self._places = Places(lineup)
        self._last: View | None = None

    def forget(self) -> None:
        """An event is about to change what is seen."""
        self._last = None

    def at(self, at: float) -> View:
        """What is seen at that time."""
        rules, seen = self._rules, self._last
        if seen is None:
            seen = make_view(rules, self._places(), at)
        elif seen.at != at:
            seen = replace(seen, at=at, on_air=_on_air(rules, at), blocks=_blocks(rules, at))
        self._last = seen
        return seen


def make_view(rules: ViewSource, places: tuple[Place, ...], at: float) -> View:
    """The view of the rules, with these places, at the time ``at``."""
    lineup, switchover, on_air = rules.lineup, rules.switchover, _on_air(rules, at)
    faults = _faults(rules)
    return View(
        at=at,
        state=switchover.state,
        attempt=switchover.last_number,
        held=lineup.held,
        on_air=on_air,
        standby=_standby(rules),
        queue=_with_faults(rules, _with_the_channels(rules, places, on_air.streamer if on_air else ""), faults),
        last_switch=rules.last_switch,
        blocks=_blocks(rules, at),
        orphans=rules.orphans,
        standby_off=_standby_off(rules),
        fallen_back=rules.fallback.state.since is not None,
        program=_program(rules),
        measured=rules.bitrates.subject,
        policy=rules.policy,
        faults=faults,
        covered=rules.covers.why,
        gains={name: gain.db for name, gain in rules.levels.state.gains.items()},
    )


def _blocks(rules: ViewSource, at: float) -> dict[str, float]:
    return {name: until for name, until in rules.lineup.blocks.items() if until > at}


def _on_air(rules: ViewSource, at: float) -> OnAir | None:
    program, lineup = rules.switchover.program, rules.lineup
    if program is None or program.session is None or program.blank:
        return None
    entry = lineup.find(program.session.streamer)
    return OnAir(
        streamer=program.session.streamer,
        input=program.input,
        since=program.since,
        seconds=max(0.0, at - program.since),
        remaining=lineup.turn_left(entry, at) if entry else None,
        live=lineup.by_session(program.session.id) is not None,
        amiss={name: amiss.since for name, amiss in rules.quality.seen(program.session.id).items()},
        session=program.session.id,
    )


def _standby(rules: ViewSource) -> Standby | None:
    # The one that could be cut to, before the one that is tried.
    attempt = min(rules.switchover.incoming, key=lambda a: a.ready_at is None, default=None)
    if attempt is None or attempt.target is None:
        return None
    return Standby(
        streamer=attempt.target.streamer,
        input=attempt.input,
        ready=attempt.ready_at is not None,
        since=attempt.begun_at,
        due=attempt.due_at is not None,
    )


def make_sessions(rules: ViewSource) -> Sessions:
    """Those that the rules know of now."""
    program, attempt = rules.switchover.program, rules.switchover.attempt
    sessions = [session for entry in rules.lineup for session in entry.sessions]
    used = (program.session if program else None, attempt.target if attempt else None)
    return Sessions(
        live=rules.lineup.live_sessions,
        ended=tuple(rules.lineup.state.ended),
        held=frozenset(session.id for session in (*sessions, *used) if session is not None),
    )


def _with_the_channels(rules: ViewSource, places: tuple[Place, ...], on_air: str) -> tuple[Place, ...]:
    """The line-up with what keeps the first of it from being shown, or the one on air from being seen."""
    index, reason, detail = 0, "", ""
    if on_air and rules.viewers.elsewhere and rules.viewers.shown is False:
        reading = rules.viewers.state.reading
        reason, detail = "program_elsewhere", reading.scene if reading else ""
        index = next((place.position for place in places if place.streamer == on_air), len(places))
    elif rules.switchover.state is State.RECOVERING:
        reason = "obs_unreachable"  # what it shows meanwhile nobody knows
    elif places and places[0].streamer != on_air and places[0].publishing:
        reason = _of_the_first(rules)
    if not reason or index >= len(places) or places[index].problem is not None:
        return places
    told = replace(places[index], problem=Problem(reason, detail, rules.now))
    return (*places[:index], told, *places[index + 1 :])


def _faults(rules: ViewSource) -> Mapping[str, tuple[Fault, ...]]:
    found = {}
    for session_id in rules.quality.amiss:
        entry, seen = rules.lineup.by_session(session_id), rules.quality.seen(session_id)
        if entry is not None and seen and entry.session is not None and entry.session.id == session_id:
            found[entry.streamer] = tuple(
                Fault(name, QUANTITIES[name].reason or name, amiss.since, amiss.value)
                for name, amiss in seen.items()
                if name in QUANTITIES
            )
    return found


def _with_faults(
    rules: ViewSource, places: tuple[Place, ...], faults: Mapping[str, tuple[Fault, ...]]
) -> tuple[Place, ...]:
    """The line-up with what is measured of each, where nothing worse is known."""
    if not faults:
        return places
    told = list(places)
    for index, place in enumerate(places):
        known = faults.get(place.streamer)
        if known:
            entry = rules.lineup.find(place.streamer)
            over = entry is not None and rules.lineup.passed_over(entry)
            problem = place.problem or Problem(known[0].reason, f"{known[0].value:.1f}", known[0].since)
            told[index] = replace(place, problem=problem, passed_over=over)
    return tuple(told)


def _of_the_first(rules: ViewSource) -> str:
    """Why nothing is done to show who has the turn."""
    if rules.switchover.scene.barred:
        return "studio_mode"
    if why := rules.covers.why:
        return why
    return "crowded" if rules.steering.crowded else ""


def _program(rules: ViewSource) -> ProgramView:
    program, switchover = rules.viewers.state, rules.switchover
    reading = program.reading
    return ProgramView(
        scene=reading.scene if reading else None,
        studio_mode=reading.studio_mode if reading else None,
        shown=program.shown,
        input=switchover.program.input if switchover.program else None,
        copied=bool(reading and reading.copied),
        blank=switchover.program is not None and switchover.program.blank,
        barred=switchover.scene.barred,
    )


def _standby_off(rules: ViewSource) -> StandbyOff | None:
    load = rules.render_load.state
    if rules.policy.mode == "static":
        return StandbyOff("static")
    if not rules.policy.standby:
        return StandbyOff("configured")
    return StandbyOff("render_lag", load.suspended_since, load.share) if rules.render_load.standby_suspended else None
