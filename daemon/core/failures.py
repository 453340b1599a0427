"""What the rules hear of a command that failed: each kind of command has the event that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from daemon.core.ports import NAME_TAKEN, UNKNOWN_KIND
from statemachine import commands as cmd
from statemachine import events as ev


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command failed."""

    at: float
    reason: str
    status: int = 0
    """obs-websocket's, 0 where it told none."""
    untouched: bool = False
    """OBS has not been asked for anything."""

    @property
    def code(self) -> str:
        """What people look the cause up by."""
        return "plugin" if self.status == UNKNOWN_KIND else ""


def failure_event(command: cmd.Command, failure: Failure) -> ev.Event | None:
    """The event that says so; None where the rules wait for none."""
    told = FAILURES.get(type(command))
    return None if told is None else told(command, failure)


def _not_created(command: cmd.CreateInput, failure: Failure) -> ev.Event:
    name_taken = failure.status == NAME_TAKEN
    return ev.CreationFailed(failure.at, command.attempt, failure.reason, name_taken, failure.code)


def _not_restarted(command: cmd.RestartInput, failure: Failure) -> ev.Event:
    code = "static_input" if failure.untouched else failure.code
    return ev.CreationFailed(failure.at, command.attempt, failure.reason, code=code, untouched=failure.untouched)


def _not_cut(command: cmd.Cut, failure: Failure) -> ev.Event:
    return ev.CutFailed(failure.at, command.attempt, failure.reason)


def _not_restored(command: cmd.RestoreOutgoing, failure: Failure) -> ev.Event:
    return ev.RestoreFailed(failure.at, command.attempt, failure.reason)


def _not_removed(command: cmd.RemoveInput | cmd.ParkInput, failure: Failure) -> ev.Event:
    return ev.RemovalFailed(failure.at, command.attempt, failure.reason)


def _not_swept(command: cmd.RemoveOrphan, failure: Failure) -> ev.Event:
    return ev.OrphanRemovalFailed(failure.at, command.input, failure.reason)


def _not_watched(command: cmd.WatchInput, failure: Failure) -> ev.Event:
    # Nobody looks at its picture: that it plays is not known, and will not be.
    return ev.MediaFailed(failure.at, command.attempt, failure.reason)


def _not_watched_on_air(_command: cmd.WatchOnAir, failure: Failure) -> ev.Event:
    return ev.MediaFailed(failure.at, 0, failure.reason)


FAILURES: Final[Mapping[type[cmd.Command], Callable[[Any, Failure], ev.Event]]] = {
    cmd.CreateInput: _not_created,
    cmd.RestartInput: _not_restarted,
    cmd.Cut: _not_cut,
    cmd.RestoreOutgoing: _not_restored,
    cmd.RemoveInput: _not_removed,
    cmd.ParkInput: _not_removed,
    cmd.RemoveOrphan: _not_swept,
    cmd.WatchInput: _not_watched,
    cmd.WatchOnAir: _not_watched_on_air,
}
"""Each command whose failure the rules wait for."""
