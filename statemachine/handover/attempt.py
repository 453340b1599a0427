"""One try to change the program, from its begin to the removal of what it leaves behind."""

from dataclasses import dataclass

from statemachine import events as ev
from statemachine import facts
from statemachine.handover.cleanup import Cleanup, Restore
from statemachine.ways import Way

CONNECTED_AFTER = 1.0
"""Seconds from its creation in which an input connects."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to change the program. ``target`` is None where it is to be emptied."""

    number: int
    input: str
    target: ev.Session | None
    reason: str
    begun_at: float
    due_at: float | None
    """When its turn came; None as long as it is only made ready."""
    mode: str = "dynamic"
    """The policy's, when it began: an attempt ends as it was begun."""
    from_streamer: str = ""
    outgoing: str = ""
    deadline: float | None = None
    """When it has waited long enough in its present state; None where an answer or an event is waited for."""
    cleanup: Cleanup | None = None
    """What it is about to do in CLEANUP; None for nothing."""
    outcome: str = ""
    detail: str = ""
    opened_at: float | None = None
    """When OBS had made its input, which opens its stream from then on."""
    ready_at: float | None = None
    """When it had its first picture."""
    still_since: float | None = None
    """Its picture stands still, and that is no stall yet."""
    stalled_since: float | None = None
    """Its picture failed while the cut was under way."""
    blank: bool = False
    """It stands still and shows nothing."""
    plain: bool = False
    """Its input is OBS's own media source, in place of a plugin that has failed."""
    code: str = ""
    """What was wrong with its stream in one word."""
    recalled_at: float | None = None
    """Its stream was kicked so that its encoder publishes anew."""

    def waits(self, now: float) -> bool:
        """Its input is connected to the ingest server, and no picture has come."""
        return self.opened_at is not None and self.ready_at is None and now >= self.opened_at + CONNECTED_AFTER

    @property
    def is_proven(self) -> bool:
        """It has a picture that moves, for all that was told."""
        return self.ready_at is not None and self.still_since is None and self.stalled_since is None

    @property
    def is_restoring(self) -> bool:
        """Its cut failed, and the scene is not right yet."""
        return isinstance(self.cleanup, Restore)


@dataclass(frozen=True, slots=True)
class Ended:
    """What an attempt came to: its ``outcome``, with ``detail`` and ``code``."""

    at: float
    attempt: Attempt

    @property
    def to_streamer(self) -> str:
        """Whose picture it was to show; empty where the program was to be emptied."""
        return self.attempt.target.streamer if self.attempt.target else ""

    @property
    def fact(self) -> facts.HandoverEnded:
        """The same as people are told it."""
        a = self.attempt
        since = a.due_at if a.outcome == "completed" and a.due_at is not None else a.begun_at
        return facts.HandoverEnded(
            self.at,
            attempt=a.number,
            input=a.input,
            outgoing=a.outgoing,
            from_streamer=a.from_streamer,
            to_streamer=self.to_streamer,
            reason=a.reason,
            outcome=a.outcome,
            seconds=self.at - since,
            detail=a.detail,
            code=a.code,
        )


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What has come of the switchover's steps since it was last asked."""

    ended: tuple[Ended, ...]
    orphans: tuple[str, ...]
    """Own inputs that nothing refers to (any more)."""
    abandoned: tuple[Attempt, ...]
    """Attempts that were given up while their inputs still opened."""
    facts: tuple[facts.Fact, ...]
    """For people."""


@dataclass(frozen=True, slots=True)
class Brief:
    """How an input for a stream is to be made, by what is known of it."""

    way: Way = "aac"
    plain: bool = False
    """OBS's own media source is to play it."""
