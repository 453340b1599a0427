"""What is to be done: frozen, imperative. The shell carries each out and answers with an event."""

from dataclasses import dataclass

from statemachine.events import Session
from statemachine.ways import Way


@dataclass(frozen=True, slots=True)
class Command:
    """The base of all commands."""


@dataclass(frozen=True, slots=True)
class AttemptCommand(Command):
    """The base of the commands of one attempt."""

    attempt: int


@dataclass(frozen=True, slots=True)
class AbandonPending(Command):
    """OBS is lost: drop the commands that wait for it, and the call under way. No answer."""


@dataclass(frozen=True, slots=True)
class CreateInput(AttemptCommand):
    """Create ``input`` hidden, playing ``session``. Answer: InputCreated, CreationFailed.

    With ``reuse`` (mode pooled) an input of that name that exists already gets the new settings instead.
    """

    input: str
    session: Session
    reuse: bool = False
    way: Way = "aac"
    """How the plugin plays it."""
    plain: bool = False
    """OBS's own media source, in place of a plugin that has failed."""


@dataclass(frozen=True, slots=True)
class RestartInput(AttemptCommand):
    """Mode static: the one input opens the stream, is hidden and shown again. Answer: InputCreated, CreationFailed."""

    input: str
    session: Session


@dataclass(frozen=True, slots=True)
class PlaceInput(AttemptCommand):
    """Put its scene item ``z_offset`` below the top and fit it to the canvas. No answer: it is not vital."""

    input: str
    z_offset: int
    like: str = ""
    """The input on air, whose sound and filters it takes over where there is no template; empty for none."""


@dataclass(frozen=True, slots=True)
class WatchInput(AttemptCommand):
    """Look for the proof of a picture. Answers: MediaReady, MediaFailed; afterwards MediaStalled, MediaResumed."""

    input: str
    timeout: float
    """Seconds that the rules will wait, for the log; the deadline itself is theirs."""


@dataclass(frozen=True, slots=True)
class Cut(AttemptCommand):
    """Show ``incoming`` and hide ``outgoing`` and ``slate`` in one frame. Answer: CutDone, CutFailed.

    ``incoming`` is None where nobody follows: then the slate, if there is one, is shown in the same frame. Where studio
    mode keeps the change from viewers, ``studio_mode`` says what is done about it, as in the policy; with hold that is
    a CutFailed, and nothing is changed.
    """

    incoming: str | None
    outgoing: str | None
    slate: str = ""
    fade: float = 0.0
    studio_mode: str = "leave"


@dataclass(frozen=True, slots=True)
class RestoreOutgoing(AttemptCommand):
    """Re-read the scene; show ``outgoing`` if it is not, hide ``incoming``. Answer: OutgoingRestored, RestoreFailed."""

    incoming: str | None
    outgoing: str | None
    slate: str = ""


@dataclass(frozen=True, slots=True)
class RemoveInput(AttemptCommand):
    """Remove ``input`` and see it gone; one that is gone already counts. Answer: InputRemoved, RemovalFailed.

    One that viewers still see is not removed: RemovalFailed. So it is with the two commands below.
    """

    input: str
    outgoing: bool
    """It was on air before (the log tells it so)."""


@dataclass(frozen=True, slots=True)
class ParkInput(AttemptCommand):
    """Mode pooled: keep ``input``, hidden and idle. Answer: InputRemoved, RemovalFailed."""

    input: str
    outgoing: bool


@dataclass(frozen=True, slots=True)
class RemoveOrphan(Command):
    """Remove an own input that nothing refers to. Answer: OrphanRemoved, OrphanRemovalFailed."""

    input: str
    abandoned: bool = False
    """An attempt that came to nothing left it; False where it was found in OBS, or could not be removed before."""


@dataclass(frozen=True, slots=True)
class LeaveStudioMode(Command):
    """Switch studio mode off: Program keeps its scene, and shows it as it is. No answer: the next inventory tells."""


@dataclass(frozen=True, slots=True)
class BringToProgram(Command):
    """Take the program scene as it is now into Program, by studio mode's transition. No answer, as above."""


@dataclass(frozen=True, slots=True)
class SetSlate(Command):
    """Show or hide the slate by itself, outside a cut. No answer: the next inventory tells."""

    slate: str
    shown: bool


@dataclass(frozen=True, slots=True)
class SetLevel(Command):
    """Make what an own input plays louder, or softer. No answer: it is not vital."""

    input: str
    gain: float
    """dB, over whatever volume an operator or a template gives it."""


@dataclass(frozen=True, slots=True)
class ShowInput(Command):
    """Show the input on air again that somebody hid by hand. No answer: the next inventory tells."""

    input: str


@dataclass(frozen=True, slots=True)
class HideInput(Command):
    """Hide an own input that somebody showed by hand, or a late cut. No answer: the next inventory tells."""

    input: str


@dataclass(frozen=True, slots=True)
class HideDuplicates(Command):
    """Several items of the input on air are shown: hide all but one. No answer: the next inventory tells."""

    input: str


@dataclass(frozen=True, slots=True)
class WatchOnAir(Command):
    """Watch an adopted input for stalls, as after a proof. Answers: MediaStalled, MediaResumed, MediaFailed."""

    input: str


@dataclass(frozen=True, slots=True)
class KickSession(Command):
    """End a publisher's connection at its server, where the server can. No answer: the next listing tells."""

    session: Session
    reason: str
