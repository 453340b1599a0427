"""What happened: frozen, past tense, each with the time at which it happened.

``at`` is in seconds on one clock that never goes back and goes on over a restart of the daemon (the shell
anchors its monotonic clock to the Unix epoch once, at start). An event that answers a command bears the number
of the attempt that it belongs to: one of an earlier attempt changes nothing.
"""

from dataclasses import dataclass

from statemachine.event import Actor as Actor  # noqa: PLC0414  # named as an event's
from statemachine.event import AttemptEvent as AttemptEvent  # noqa: PLC0414  # as above
from statemachine.event import Event as Event  # noqa: PLC0414  # as above
from statemachine.event import OperatorEvent as OperatorEvent  # noqa: PLC0414  # as above
from statemachine.measured import BitrateMeasured as BitrateMeasured  # noqa: PLC0414  # an event
from statemachine.measured import Measured as Measured  # noqa: PLC0414  # an event
from statemachine.measured import Measurement as Measurement  # noqa: PLC0414  # an event's own
from statemachine.measured import ObsRendered as ObsRendered  # noqa: PLC0414  # an event
from statemachine.measured import StreamMeasured as StreamMeasured  # noqa: PLC0414  # an event
from statemachine.measured import StreamStopped as StreamStopped  # noqa: PLC0414  # an event
from statemachine.policy import Policy
from statemachine.reading import ForeignInput as ForeignInput  # noqa: PLC0414  # an event's own, too
from statemachine.reading import Inventory as Inventory  # noqa: PLC0414  # an event's own, too
from statemachine.reading import OwnInput as OwnInput  # noqa: PLC0414  # an event's own, too


@dataclass(frozen=True, slots=True)
class Session:
    """One publish of one streamer, from its accept to its end.

    ``id`` names the server and its client: a stream's name is not enough, because a second publisher's hook may
    come before the first one's end (SRS runs on_publish before its busy check, on_unpublish after the release).
    """

    id: str
    streamer: str
    app: str
    stream: str
    turn: float | None = None
    """Seconds of this streamer's own turn; None takes the policy's."""
    space: str = ""
    """What tells its path from the same one elsewhere, such as a virtual host, where the play URL does so, too."""

    def __eq__(self, other: object) -> bool:
        # Compared many times a hook: mostly it is the same object, or another's from its id on.
        if self is other:
            return True
        if not isinstance(other, Session):
            return NotImplemented
        return self.id == other.id and self._rest == other._rest

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def _rest(self) -> tuple[object, ...]:
        return self.streamer, self.app, self.stream, self.turn, self.space

    @property
    def path(self) -> str:
        """Where it is played from, for comparing: one path holds one session's picture."""
        return f"{self.app}/{self.stream}@{self.space}" if self.space else f"{self.app}/{self.stream}"

    def is_played_at(self, path: str) -> bool:
        """It is what an input with that path in its settings plays; of one that is over, nobody may tell the rest."""
        return path in (self.path, f"{self.app}/{self.stream}")


@dataclass(frozen=True, slots=True)
class Tracks:
    """What a stream is made of. A codec is None where nobody tells, and empty where there is none: "h264", "aac"."""

    video: str | None = None
    audio: str | None = None
    width: int = 0
    """Pixels; 0 where nobody tells."""
    height: int = 0


# --- time -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimePassed(Event):
    """The director's deadline was reached. Also fine at any other moment."""


# --- the ingest side ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Published(Event):
    """A publisher was accepted."""

    session: Session


@dataclass(frozen=True, slots=True)
class Unpublished(Event):
    """A publisher left, was refused after all, or died."""

    session_id: str


@dataclass(frozen=True, slots=True)
class PublishersListed(Event):
    """An ingest server's own list of live publishers, asked for at ``asked_at``."""

    server: str
    """The prefix of the session ids that this list speaks for, with its separator."""
    asked_at: float
    sessions: tuple[Session, ...]
    others: tuple[str, ...] = ()
    """Prefixes of ids within it that other servers' hooks gave: this list says nothing of them."""
    nameless: tuple[Session, ...] = ()
    """Published and nobody's, as far as is known, though whoever publishes may be named once a hook tells of it."""
    can_kick: bool = False
    """This server can end a publisher's connection. False in journals of older versions."""


@dataclass(frozen=True, slots=True)
class StreamDescribed(Event):
    """What a stream is made of, by its ingest server. Told when it changes."""

    session_id: str
    tracks: Tracks


# --- the people who run the channel ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkipRequested(OperatorEvent):
    """The turn of the one on air shall end now."""


@dataclass(frozen=True, slots=True)
class Held(OperatorEvent):
    """No turn ends by the clock until released."""


@dataclass(frozen=True, slots=True)
class Released(OperatorEvent):
    """Turns end by the clock again."""


@dataclass(frozen=True, slots=True)
class MoveRequested(OperatorEvent):
    """A waiting streamer shall stand at another position (0 is the turn's holder)."""

    streamer: str
    position: int


@dataclass(frozen=True, slots=True)
class TakeRequested(OperatorEvent):
    """This streamer shall be shown now, whatever is measured of it."""

    streamer: str
    """Empty for whoever is behind the slate, or else for the next one."""


@dataclass(frozen=True, slots=True)
class RemoveRequested(OperatorEvent):
    """A streamer shall leave the line-up; a new publish may join again."""

    streamer: str


@dataclass(frozen=True, slots=True)
class KickRequested(OperatorEvent):
    """A streamer shall be cut off and blocked for some seconds."""

    streamer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LetInRequested(OperatorEvent):
    """A streamer that is blocked may publish again."""

    streamer: str


@dataclass(frozen=True, slots=True)
class TurnChanged(OperatorEvent):
    """The turn's length was set live: of one streamer, or of all where ``streamer`` is None."""

    seconds: float
    streamer: str | None = None
    restart: bool = False
    """Count the present turn from now on."""


@dataclass(frozen=True, slots=True)
class SettingChanged(OperatorEvent):
    """One field of the policy was set live; it outlives a restart, until the file says something new."""

    name: str
    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class PolicyLoaded(Event):
    """The configuration was read (again)."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class TestRequested(OperatorEvent):
    """A stream that no hook announced shall be handed over to now, and leave with its turn."""

    session: Session


# --- OBS ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObsLost(Event):
    """OBS cannot be reached, or is connected and dead."""

    reason: str
    down_since: float | None = None
    """After a restart of the daemon: since when it did not run. Graces do not run out while nobody can return."""


@dataclass(frozen=True, slots=True)
class ObsReady(Event):
    """OBS answers, has settled, and this is what it holds."""

    inventory: Inventory
    fallback: bool = False
    """Inputs are made by a plugin that may fail where OBS's own media source plays, which may take its place."""
    unplayable: tuple[str, ...] = ()
    """Video codecs that this OBS cannot play from RTMP."""


@dataclass(frozen=True, slots=True)
class InventoryRead(Event):
    """OBS was re-read while connected: somebody may have touched the scene. ``at`` is when the reading began."""

    inventory: Inventory


@dataclass(frozen=True, slots=True)
class MediaStalled(Event):
    """An input's picture stands still, behind whatever state OBS reports. Told soon: it may be a hiccup."""

    input: str
    since: float
    blank: bool = False
    """It shows nothing any more: its player reports an error or an end, at which the last picture is cleared."""


@dataclass(frozen=True, slots=True)
class MediaResumed(Event):
    """An input whose picture stood still moves again; for how long, time will tell."""

    input: str


@dataclass(frozen=True, slots=True)
class OrphanRemoved(Event):
    """An own input that nothing refers to is gone."""

    input: str


@dataclass(frozen=True, slots=True)
class OrphanRemovalFailed(Event):
    """It is still there."""

    input: str
    reason: str


# --- one attempt: these, and only these, drive the table ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TargetChosen(AttemptEvent):
    """The line-up wants a stream made ready."""


@dataclass(frozen=True, slots=True)
class ProgramEmptied(AttemptEvent):
    """Nobody may be on air any more and nobody can follow."""


@dataclass(frozen=True, slots=True)
class InputCreated(AttemptEvent):
    """The incoming exists, hidden."""


@dataclass(frozen=True, slots=True)
class CreationFailed(AttemptEvent):
    """OBS refused to create it, or did not answer in time (it may exist all the same)."""

    reason: str
    taken: bool = False
    """Somebody else's input bears that name."""
    code: str = ""
    """plugin: OBS lacks its kind of input; static_input: the one of mode static can play no stream."""
    untouched: bool = False
    """Mode static: nothing was asked of the input, so that it plays what it played."""


@dataclass(frozen=True, slots=True)
class MediaReady(AttemptEvent):
    """The incoming really plays: PLAYING, a width, a cursor that moves."""


@dataclass(frozen=True, slots=True)
class MediaFailed(AttemptEvent):
    """The incoming will not play, or no longer does."""

    reason: str
    code: str = ""
    """no_video: it plays sound but no picture."""


@dataclass(frozen=True, slots=True)
class ReadyTimedOut(AttemptEvent):
    """No proof of a picture within ready_timeout."""


@dataclass(frozen=True, slots=True)
class StreamEnded(AttemptEvent):
    """The incoming's stream is no longer published."""


@dataclass(frozen=True, slots=True)
class TargetChanged(AttemptEvent):
    """The line-up wants another stream than the incoming's."""


@dataclass(frozen=True, slots=True)
class SetAside(AttemptEvent):
    """Another one is tried: the incoming goes on beside it, ready or still opening."""


@dataclass(frozen=True, slots=True)
class TakenUp(AttemptEvent):
    """An incoming that was set aside is the attempt under way again."""


@dataclass(frozen=True, slots=True)
class TurnCame(AttemptEvent):
    """The incoming's turn is due."""


@dataclass(frozen=True, slots=True)
class CutDone(AttemptEvent):
    """The picture has changed (or, where nobody follows, the outgoing is hidden)."""

    shown: bool = True
    """Viewers get it. False while another scene is shown to them: then it is what they will see on the way back."""


@dataclass(frozen=True, slots=True)
class CutFailed(AttemptEvent):
    """OBS refused the cut; what the scene shows now is not known."""

    reason: str


@dataclass(frozen=True, slots=True)
class CutTimedOut(AttemptEvent):
    """OBS did not answer within cut_timeout; the cut may still happen."""


@dataclass(frozen=True, slots=True)
class OutgoingRestored(AttemptEvent):
    """The scene was re-read after a failed cut and shows the outgoing alone."""


@dataclass(frozen=True, slots=True)
class RestoreFailed(AttemptEvent):
    """The scene could not be put right yet."""

    reason: str


@dataclass(frozen=True, slots=True)
class CleanupDue(AttemptEvent):
    """cleanup_grace, or a retry's backoff, is over."""


@dataclass(frozen=True, slots=True)
class InputRemoved(AttemptEvent):
    """The input to be removed is gone from OBS's list."""


@dataclass(frozen=True, slots=True)
class RemovalFailed(AttemptEvent):
    """It is still there."""

    reason: str
