"""Legality: the only place where it is written which event leads from which state to which.

A row may name a guard (``when``) and an effect (``then``): methods of Effects of the same name. Rows of one
(state, event) pair are tried from the top.
"""

from dataclasses import dataclass

from statemachine import events as ev
from statemachine.handover.states import State

S = State


@dataclass(frozen=True, slots=True)
class T:
    """One row: ``meaning`` is what the documentation shows."""

    source: State
    event: type[ev.Event]
    dest: State
    meaning: str
    then: str = ""
    when: str = ""


TRANSITIONS: tuple[T, ...] = (
    T(S.IDLE, ev.TargetChosen, S.CREATING, "next attempt, next input name: create it hidden", "create"),
    T(S.IDLE, ev.ProgramEmptied, S.SWAPPING, "nobody follows: hide the outgoing, show the slate", "take_off"),
    T(S.IDLE, ev.TakenUp, S.STANDBY, "the one that was kept ready stands by again", when="has_picture"),
    T(S.IDLE, ev.TakenUp, S.BUFFERING, "the one that was left to open is waited for again", when="has_no_picture"),
    T(
        S.CREATING,
        ev.InputCreated,
        S.BUFFERING,
        "place it, watch it, start the ready timer",
        "place_and_watch",
    ),
    T(S.CREATING, ev.CreationFailed, S.CLEANUP, "the one on air stays", "creation_failed"),
    T(S.BUFFERING, ev.MediaReady, S.SWAPPING, "cut or fade", "swap", "is_due"),
    T(S.BUFFERING, ev.MediaReady, S.STANDBY, "wait, watched", "stand_by", "is_not_due"),
    T(S.BUFFERING, ev.TurnCame, S.BUFFERING, "cut as soon as it is ready", "mark_due"),
    T(S.BUFFERING, ev.ReadyTimedOut, S.CLEANUP, "remove the incoming, the one on air stays", "not_ready"),
    T(S.BUFFERING, ev.MediaFailed, S.CLEANUP, "remove the incoming, the one on air stays", "media_failed"),
    T(S.BUFFERING, ev.StreamEnded, S.CLEANUP, "remove the incoming, the one on air stays", "stream_ended"),
    T(S.BUFFERING, ev.TargetChanged, S.CLEANUP, "remove the incoming, the one on air stays", "superseded"),
    T(S.BUFFERING, ev.SetAside, S.IDLE, "it goes on opening, and another one is tried", "set_aside"),
    T(S.STANDBY, ev.SetAside, S.IDLE, "it is kept ready, and another one is tried", "set_aside"),
    T(S.STANDBY, ev.TurnCame, S.SWAPPING, "cut or fade", "swap_now"),
    T(S.STANDBY, ev.MediaFailed, S.CLEANUP, "remove the incoming", "media_failed"),
    T(S.STANDBY, ev.StreamEnded, S.CLEANUP, "remove the incoming", "stream_ended"),
    T(S.STANDBY, ev.TargetChanged, S.CLEANUP, "remove the incoming", "superseded"),
    T(S.SWAPPING, ev.CutDone, S.CLEANUP, "on air; remove the outgoing after cleanup_grace", "cut_done"),
    T(S.SWAPPING, ev.CutFailed, S.CLEANUP, "re-read the scene, put the outgoing back", "cut_failed"),
    T(S.SWAPPING, ev.CutTimedOut, S.CLEANUP, "re-read the scene, put the outgoing back", "cut_failed"),
    T(S.CLEANUP, ev.OutgoingRestored, S.CLEANUP, "remove the incoming", "restored"),
    T(S.CLEANUP, ev.RestoreFailed, S.CLEANUP, "try again with backoff", "restore_later"),
    T(S.CLEANUP, ev.CleanupDue, S.CLEANUP, "put back again", "restore_again", "must_restore"),
    T(S.CLEANUP, ev.CleanupDue, S.CLEANUP, "remove the input", "remove", "must_remove"),
    T(S.CLEANUP, ev.CleanupDue, S.IDLE, "nothing is to be removed", "conclude", "is_clean"),
    T(S.CLEANUP, ev.InputRemoved, S.IDLE, "the next attempt may begin", "removed"),
    T(S.CLEANUP, ev.RemovalFailed, S.CLEANUP, "try again with backoff", "remove_later", "may_retry"),
    T(
        S.CLEANUP,
        ev.RemovalFailed,
        S.IDLE,
        "reported as an orphan and swept later",
        "give_up",
        "may_not_retry",
    ),
    *(
        T(state, ev.ObsLost, S.RECOVERING, "timers stopped, intent kept", "interrupt")
        for state in State
        if state is not S.RECOVERING
    ),
    T(
        S.RECOVERING,
        ev.ObsReady,
        S.IDLE,
        "adopt what is on air and still published, sweep own orphans",
        "adopt",
    ),
)

LEGAL = frozenset((row.source, row.event) for row in TRANSITIONS)
EVENTS: tuple[type[ev.Event], ...] = tuple(dict.fromkeys(row.event for row in TRANSITIONS))

_ONE_AT_A_TIME = "one attempt at a time: the director begins the next from IDLE"
_NOT_BEGUN = "nothing was asked of OBS that this could answer"
_OVER = "the attempt is already being cleaned up"
_LOST = "answers of a lost connection are void: the inventory will tell"
_CUTTING = "the cut is under way: its outcome decides first"
_PENDING = "CreateInput cannot be called back: decided once it has answered"


def _ignore(why: str, state: State, *events: type[ev.Event]) -> dict[tuple[State, type[ev.Event]], str]:
    return {(state, event): why for event in events}


IGNORED: dict[tuple[State, type[ev.Event]], str] = {
    **{
        (state, event): _ONE_AT_A_TIME
        for state in State
        if state is not S.IDLE
        for event in (ev.TargetChosen, ev.ProgramEmptied, ev.TakenUp)
    },
    **{(state, ev.ObsReady): "already known to be up" for state in State if state is not S.RECOVERING},
    **{
        (S.IDLE, event): _NOT_BEGUN
        for event in EVENTS
        if event not in (ev.TargetChosen, ev.ProgramEmptied, ev.TakenUp, ev.ObsLost, ev.ObsReady)
    },
    **_ignore(_PENDING, S.CREATING, ev.TurnCame, ev.StreamEnded, ev.TargetChanged, ev.SetAside),
    **_ignore(_NOT_BEGUN, S.CREATING, ev.MediaReady, ev.MediaFailed, ev.ReadyTimedOut, ev.CutDone, ev.CutFailed),
    **_ignore(_NOT_BEGUN, S.CREATING, ev.CutTimedOut, ev.OutgoingRestored, ev.RestoreFailed, ev.CleanupDue),
    **_ignore(_NOT_BEGUN, S.CREATING, ev.InputRemoved, ev.RemovalFailed),
    **_ignore("said already", S.BUFFERING, ev.InputCreated, ev.CreationFailed),
    **_ignore(_NOT_BEGUN, S.BUFFERING, ev.CutDone, ev.CutFailed, ev.CutTimedOut, ev.OutgoingRestored),
    **_ignore(_NOT_BEGUN, S.BUFFERING, ev.RestoreFailed, ev.CleanupDue, ev.InputRemoved, ev.RemovalFailed),
    **_ignore("said already", S.STANDBY, ev.InputCreated, ev.CreationFailed, ev.MediaReady, ev.ReadyTimedOut),
    **_ignore(_NOT_BEGUN, S.STANDBY, ev.CutDone, ev.CutFailed, ev.CutTimedOut, ev.OutgoingRestored),
    **_ignore(_NOT_BEGUN, S.STANDBY, ev.RestoreFailed, ev.CleanupDue, ev.InputRemoved, ev.RemovalFailed),
    **_ignore("said already", S.SWAPPING, ev.InputCreated, ev.CreationFailed, ev.MediaReady, ev.ReadyTimedOut),
    **_ignore(_CUTTING, S.SWAPPING, ev.TurnCame, ev.MediaFailed, ev.StreamEnded, ev.TargetChanged, ev.SetAside),
    **_ignore(_NOT_BEGUN, S.SWAPPING, ev.OutgoingRestored, ev.RestoreFailed, ev.CleanupDue),
    **_ignore(_NOT_BEGUN, S.SWAPPING, ev.InputRemoved, ev.RemovalFailed),
    **_ignore(_OVER, S.CLEANUP, ev.InputCreated, ev.CreationFailed, ev.MediaReady, ev.MediaFailed),
    **_ignore(_OVER, S.CLEANUP, ev.ReadyTimedOut, ev.StreamEnded, ev.TargetChanged, ev.TurnCame, ev.SetAside),
    **_ignore(_OVER, S.CLEANUP, ev.CutDone, ev.CutFailed, ev.CutTimedOut),
    **{
        (S.RECOVERING, event): _LOST
        for event in EVENTS
        if event not in (ev.TargetChosen, ev.ProgramEmptied, ev.TakenUp, ev.ObsReady, ev.ObsLost)
    },
    (S.RECOVERING, ev.ObsLost): "known already",
}


def mermaid() -> str:
    """The table as a Mermaid state diagram; the rows of ObsLost are drawn once, as a note."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in TRANSITIONS:
        if row.event is not ev.ObsLost:
            label = row.event.__name__ + (f" [{row.when.replace('_', ' ')}]" if row.when else "")
            arrows.setdefault((row.source, row.dest), []).append(label)
    lines = ["stateDiagram-v2", "    [*] --> RECOVERING"]
    lines += [f"    {a.value} --> {b.value}: {'<br>'.join(labels)}" for (a, b), labels in arrows.items()]
    lines += ["    note right of RECOVERING", "        from every state: ObsLost", "    end note"]
    return "\n".join(lines) + "\n"


def as_table() -> str:
    """The table as aligned text."""
    rows = [("FROM", "EVENT", "WHEN", "TO", "MEANING")]
    rows += [(t.source.value, t.event.__name__, t.when.replace("_", " "), t.dest.value, t.meaning) for t in TRANSITIONS]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return (
        "\n".join(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip()
            for row in rows
        )
        + "\n"
    )
