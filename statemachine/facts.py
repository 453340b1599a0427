"""What the rules have to tell: for the log, the event stream, the history and the metrics. Nothing acts on them."""

from dataclasses import dataclass

from statemachine.events import Actor
from statemachine.handover.states import State


@dataclass(frozen=True, slots=True)
class Fact:
    """The base of all facts."""

    at: float


@dataclass(frozen=True, slots=True)
class StateChanged(Fact):
    """The switchover went from one state to another."""

    source: State
    event: str
    dest: State
    attempt: int


@dataclass(frozen=True, slots=True)
class HandoverEnded(Fact):
    """An attempt to change the one on air came to its end, well or badly."""

    attempt: int
    input: str
    outgoing: str
    from_streamer: str
    to_streamer: str
    reason: str
    """Why it was begun: first, skip, turn, ended, stalled, returned, kick, removed, low_bitrate, quality, moved, test,
    lost, standby."""
    outcome: str
    """completed, creation_failed, name_taken, not_ready, media_failed, stream_ended, superseded, cut_failed,
    obs_lost."""
    seconds: float
    """From when it was due to its picture (completed), or from its begin to its end."""
    detail: str = ""
    code: str = ""
    """What was wrong with the stream in one word, where that is known."""
    actor: Actor | None = None
    """Who asked for it; None where nobody did."""

    @property
    def is_handover(self) -> bool:
        """Somebody else was to come on air. One that was not needed any more is none, and none is a standby that is
        void because OBS was lost, as after a restart of the daemon, too: nothing was to change then."""
        unneeded = self.outcome in ("superseded", "stream_ended")
        return not unneeded and (self.reason, self.outcome) != ("standby", "obs_lost")


@dataclass(frozen=True, slots=True)
class ProblemFound(Fact):
    """A streamer cannot come on air, and why. Once for each reason, until there is a picture."""

    streamer: str
    reason: str
    """no_video, codec, unreachable, not_ready, republish, stalled, low_bitrate, plugin, static_input, obs, cut_failed,
    gone."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProblemOver(Fact):
    """That streamer has a picture; with the reason republish, another stream."""

    streamer: str
    reason: str


@dataclass(frozen=True, slots=True)
class PluginFailed(Fact):
    """The plugin shows nothing of what OBS's own media source plays, which takes its place for a while."""

    why: str


@dataclass(frozen=True, slots=True)
class PluginWorks(Fact):
    """The plugin shows pictures again, and makes the inputs."""


@dataclass(frozen=True, slots=True)
class OnAirChanged(Fact):
    """The picture has changed; empty where nobody is on air."""

    streamer: str
    input: str
    adopted: bool = False
    same_input: bool = False
    """No hand-over: the input on air has lost its picture, or has it again."""


@dataclass(frozen=True, slots=True)
class ProgramElsewhere(Fact):
    """Viewers do not see the one on air: they are shown another scene, or an old copy of this one."""

    scene: str
    """What they are shown."""
    streamer: str
    """Who is on air and not seen."""
    studio_mode: bool
    clock_stands: bool
    """The turn's clock stands still meanwhile."""


@dataclass(frozen=True, slots=True)
class ProgramBack(Fact):
    """Viewers see the one on air again."""

    scene: str
    streamer: str
    seconds: float
    """How long they did not."""


@dataclass(frozen=True, slots=True)
class StudioModeChanged(Fact):
    """OBS's studio mode was switched on or off, or the policy for it has changed while it is on."""

    on: bool
    policy: str
    """leave, drive or hold: what is done about it."""


@dataclass(frozen=True, slots=True)
class LineupChanged(Fact):
    """Somebody joined, left or moved."""

    what: str
    """One word, as joined, left or kicked: people are told the sentence of that word."""
    streamer: str
    actor: Actor | None = None
    """Who asked for it; None where nobody did."""


@dataclass(frozen=True, slots=True)
class SettingMade(Fact):
    """A setting was changed while the daemon runs."""

    name: str
    value: bool | int | float | str
    actor: Actor | None = None
    """Who asked for it."""


@dataclass(frozen=True, slots=True)
class LowBitrate(Fact):
    """A stream on air sends too little, and what is done about it."""

    streamer: str
    step: str
    """warn, slate, skip, kick; over, when it has recovered or nobody knows any more."""
    kbps: float


@dataclass(frozen=True, slots=True)
class SilenceOnAir(Fact):
    """The one on air has no sound, or has it again."""

    streamer: str
    step: str
    """seen; warn, cover, skip and kick, each after the policy's time; over, when it sounds again or nobody measures any
    more."""
    seconds: float
    """Since its last sound."""
    level: float
    """dBFS, as measured last."""


@dataclass(frozen=True, slots=True)
class MeasuredOnAir(Fact):
    """Something else that is measured of the one on air is amiss, or has recovered."""

    streamer: str
    quantity: str
    """Its name in ``monitors.quantities``."""
    step: str
    """seen; warn, cover, skip and kick, each after the policy's time; over, when it is well or nobody measures any
    more."""
    seconds: float
    """Since it was well last."""
    value: float
    """As measured last."""


@dataclass(frozen=True, slots=True)
class MeasuredInLine(Fact):
    """Something that is measured of one who is not on air is amiss, or has recovered."""

    streamer: str
    quantity: str
    """Its name in ``monitors.quantities``."""
    step: str
    """seen; warn, of the next one, after the policy's time; unfit, when whoever is fit comes first; over, when it is
    well or nobody measures any more."""
    seconds: float
    """Since it was well last."""
    value: float
    """As measured last."""


@dataclass(frozen=True, slots=True)
class StandbyGivenUp(Fact):
    """OBS rendered late for so many seconds: standby is suspended."""

    render_lag: float
    """Share of the frames that were late, 0 to 1."""
    seconds: float


@dataclass(frozen=True, slots=True)
class StandbyTakenUp(Fact):
    """The next one is made ready ahead of its turn again."""


@dataclass(frozen=True, slots=True)
class Refused(Fact):
    """A request was not carried out, and why, in words for the one who asked."""

    code: str
    message: str
    actor: Actor | None = None
    """Who asked; None where it was a publisher, or nobody."""


@dataclass(frozen=True, slots=True)
class OrphanReported(Fact):
    """An own input could not be removed; it is swept later."""

    input: str
    reason: str


@dataclass(frozen=True, slots=True)
class FixtureMissing(Fact):
    """OBS does not have what the configuration names: the show goes on without it."""

    what: str
    """slate, input (the one of mode static), template."""
    name: str


@dataclass(frozen=True, slots=True)
class FixtureFound(Fact):
    """What was missing is there again."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class ForeignInputsSeen(Fact):
    """Inputs with this daemon's prefix, or in its scene, are another daemon's: left alone. Told once for each owner."""

    owner: str
    inputs: str
    """Their names, with commas."""


@dataclass(frozen=True, slots=True)
class EventIgnored(Fact):
    """An event changed nothing, and why."""

    event: str
    state: State
    why: str
