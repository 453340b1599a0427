"""What is on air, who waits, and what has happened."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from daemon.core.probing import AudioTrack, VideoTrack
from daemon.core.shapes import Actor, Amount, Count, Moment, Seconds, StreamerName
from daemon.http.shapes.pair import Owner
from statemachine.handover.states import State as States

State = TypeAliasType(
    "State",
    Annotated[
        str,
        Field(
            description="Where the hand-over stands.",
            json_schema_extra={"enum": [state.value for state in States]},
        ),
    ],
)


class PlaceProblem(TypedDict):
    """Why the streamer is not shown, or not seen."""

    reason: str
    """no_video, codec, unreachable, not_ready, republish, stalled, low_bitrate, plugin, static_input, obs, cut_failed,
    gone; leaving, away, probation; of the first in line obs_unreachable, studio_mode or crowded; of the one on air
    program_elsewhere; of one who can be shown, the first of its faults. More may come."""
    message: str
    """What is wrong, and what to do."""


class Fault(TypedDict):
    """One thing that is measured and is not as it should be."""

    reason: str
    """silent, black, frozen, too_quiet, clipping, one_sided, inverted, drifting, low_rate; more may come."""
    message: str
    """What is wrong, and what to do."""
    since: Moment
    value: float
    """As measured last, in the quantity's own unit."""


class Probed(TypedDict):
    """What is measured of a stream. null where it is not known."""

    video: VideoTrack | None
    audio: AudioTrack | None
    kbps: Amount | None
    """kbit/s of it."""
    level: float | None
    """Momentary loudness in LUFS; null for silence."""
    loudness: float | None
    """Integrated loudness of the last 5 minutes in LUFS."""
    peak: float | None
    """True peak of the last minute in dBTP."""
    balance: float | None
    """dB by which the left channel is louder."""
    drift: float | None
    """Seconds by which the sound is ahead of the picture."""
    silent_since: Moment | None
    black_since: Moment | None
    gain: float
    """dB by which its input was made louder or softer (`sources.target_loudness`)."""
    preview: bool
    """There is a picture of it at `/preview/NAME.jpg`."""
    problem: str
    """Why it is not measured, or not wholly."""


class Place(TypedDict):
    """One in the line-up."""

    streamer: StreamerName
    position: Count
    """From 0."""
    since: Moment
    problem: PlaceProblem | None
    passed_over: bool
    """Others go first until its sound and picture are as they should be (`quality.unfit`)."""
    faults: list[Fault]
    """What is measured and is not as it should be."""
    probe: Probed | None
    """null where nothing measures it."""


class OnAir(TypedDict):
    """The one whose picture is shown: it changes when the picture has changed, not when it was asked to."""

    streamer: StreamerName
    input: str
    """OBS's input."""
    since: Moment
    seconds: Seconds
    remaining: Amount | None
    """Seconds of the turn that are left; null for one who only fills in."""
    silent_since: Moment | None
    live: bool
    """The stream is still published; without it, this is its last picture, for its grace."""


class Program(TypedDict):
    """What OBS gives to viewers; null where OBS is not reached."""

    scene: str | None
    """The scene that viewers are shown."""
    studio_mode: bool | None
    """OBS's studio mode is on."""
    shown: bool | None
    """Viewers see the streamer on air or, if nobody is, the daemon's scene."""
    held: bool
    """No hand-over is made while studio mode is on (`obs.studio_mode`)."""
    input: str | None
    """OBS's input on air, also where nobody can be named for it."""
    blank: bool
    """That input shows nothing: its player has reported an error or an end. Nobody is on air."""


class Standby(TypedDict):
    """The next one."""

    streamer: StreamerName
    input: str
    """OBS's input."""
    ready: bool
    """Its picture plays."""


class StandbyOff(TypedDict):
    """Why the next one is not made ready ahead of the turn."""

    reason: str
    """configured, static or render_lag; more may come."""
    since: Moment | None
    render_lag: Annotated[float, Field(ge=0, le=1)] | None
    """Share of OBS's frames that were late last."""


_From = TypedDict("_From", {"from": Annotated[str, Field(description="Who was on air; empty where nobody was.")]})


class Switch(_From):
    """The last hand-over."""

    to: str
    """Who is on air; empty where nobody is."""
    reason: str
    """Why, as in `Handover`."""
    outcome: str
    """How it ended, as in `Handover`."""
    seconds: Seconds


class StatusObs(TypedDict):
    """OBS in brief."""

    connected: bool
    version: str | None
    websocket: str | None
    """obs-websocket's version."""
    source_kind: str | None
    """The kind of the inputs that are made."""


class RefusedPublisher(TypedDict):
    """A refused publisher."""

    at: Moment
    streamer: StreamerName | None
    address: str | None
    """The publisher's."""
    reason: str
    """In one word: no_key, unknown_key, path_taken, blocked, …"""
    message: str
    """What is wrong, and what to do."""
    count: Annotated[int, Field(ge=1)]
    """How often."""


class Status(TypedDict):
    """What is on air and what comes next."""

    channel: str
    """The channel's name."""
    state: State
    attempt: Count
    """The number of the last attempt to change the one on air."""
    held: bool
    """No turn ends by the clock."""
    covered: str | None
    """Why the slate is shown in place of whose turn it is: low_bitrate, or a fault's reason; null where it is not."""
    on_air: OnAir | None
    program: Program
    standby: Standby | None
    standby_off: StandbyOff | None
    queue: list[Place]
    """The line-up; its first has the turn."""
    obs: StatusObs
    last_switch: Switch | None
    refused: list[RefusedPublisher]
    """Publishers who were refused within the last hour, the newest first."""
    owner: Owner | None
    """Who owns the channel; null where no store is shared."""


class QueuePlace(Place):
    """One in the line-up, in more detail."""

    publishing: bool
    """A stream of theirs is being published."""
    has_turn: bool
    turn: Annotated[float, Field(gt=0)]
    """Seconds of their turn."""
    stalled: bool
    """The stream delivers nothing."""
    failures: Count
    """Attempts in a row that showed no picture."""
    grace_remaining: Amount | None
    """Seconds that the place is kept."""


class Blocked(TypedDict):
    """A blocked streamer."""

    streamer: StreamerName
    seconds: Seconds


class Queue(TypedDict):
    """The line-up in detail, and who is blocked."""

    held: bool
    """No turn ends by the clock."""
    queue: list[QueuePlace]
    blocked: list[Blocked]
    """Who is blocked, and for how long."""


class Handover(TypedDict):
    """One change of the one on air, or an attempt at it."""

    at: Moment
    attempt: int
    input: str
    """The input that was to be shown."""
    outgoing: str
    """The input that was shown before."""
    from_streamer: str
    to_streamer: str
    reason: str
    """first, skip, turn, ended, stalled, returned, kick, removed, low_bitrate, quality, moved, test, lost or standby;
    more may come."""
    outcome: str
    """completed, creation_failed, not_ready, media_failed, cut_failed or obs_lost; more may come."""
    seconds: Amount
    """From the moment it was due to its picture, or to its end."""
    detail: str
    actor: NotRequired[Actor | None]
    """Who asked for it; null where nobody did. Hand-overs of before 0.1.0 have none."""


class History(TypedDict):
    """The last hand-overs, the newest first."""

    history: list[Handover]


_FromState = TypedDict("_FromState", {"from": State})


class Transition(_FromState):
    """One row of the table."""

    event: str
    to: State
    when: str
    """The condition; empty where there is none."""
    meaning: str


class StateTable(TypedDict):
    """The state machine, as the daemon runs it."""

    states: list[State]
    transitions: list[Transition]
