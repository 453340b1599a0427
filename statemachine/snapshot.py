"""The shape of a snapshot: everything that the rules remember. A renamed field is read under its old name, too."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from statemachine.codec import FORMERLY, from_plain, to_plain
from statemachine.events import Tracks
from statemachine.facts import HandoverEnded
from statemachine.handover.fallback import FallbackState
from statemachine.handover.memory import SwitchoverState
from statemachine.handover.orphans import Orphan
from statemachine.handover.states import State
from statemachine.lineup.entry import LineupState
from statemachine.migration import migrated
from statemachine.monitors.bitrate import LowBitrateEpisode
from statemachine.monitors.ghosts import GhostsState
from statemachine.monitors.levels import LevelsState
from statemachine.monitors.quality import Amiss
from statemachine.monitors.render_load import RenderLoadState
from statemachine.monitors.viewers import ViewersState
from statemachine.policy import Policy


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Plain data all the way down."""

    now: float
    base: Policy
    overrides: dict[str, bool | int | float | str]
    lineup: LineupState
    switchover: SwitchoverState
    last_cut: float | None
    last_switch: HandoverEnded | None
    orphans: tuple[Orphan, ...]
    empty_at: float | None
    low_bitrate: LowBitrateEpisode | None = field(default=None, metadata={FORMERLY: "poor"})
    render_load: RenderLoadState = field(default_factory=RenderLoadState, metadata={FORMERLY: "lag"})
    tracks: dict[str, Tracks] = field(default_factory=dict)
    """Of each session, as its server tells."""
    unplayable: tuple[str, ...] = ()
    fallback: FallbackState = field(default_factory=FallbackState)
    amiss: dict[str, dict[str, Amiss]] = field(default_factory=dict)
    """What is measured and is not as it should be, by session and quantity."""
    levels: LevelsState = field(default_factory=LevelsState)
    ghosts: GhostsState = field(default_factory=GhostsState)
    dead_since: float | None = None
    """Since when no moving picture is shown where there ought to be one."""
    slate_failures: int = 0
    """Cuts to the slate that failed in a row."""
    viewers: ViewersState = field(default_factory=ViewersState)


def read(plain: dict[str, Any]) -> Snapshot:
    """The snapshot, be it of this version or of an older one. Raises BadSnapshotError."""
    return from_plain(Snapshot, migrated(plain))


_BUT_TIME: Callable[[Snapshot], tuple[object, ...]] = attrgetter(*(f.name for f in fields(Snapshot) if f.name != "now"))
_LINEUP: Callable[[LineupState], tuple[object, ...]] = attrgetter(*(f.name for f in fields(LineupState)))


def essence(kept: Snapshot) -> tuple[object, ...]:
    """All of it but the time, to be compared with what it is later: an event that changed nothing needs no record."""
    return tuple(map(_still, _BUT_TIME(kept)))


def _still(value: object) -> object:
    """What does not change with it. Everything below these is frozen."""
    if isinstance(value, LineupState):
        return tuple(map(_still, _LINEUP(value)))
    if isinstance(value, dict):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def skipping(plain: dict[str, Any], spare: int) -> dict[str, Any]:
    """The same snapshot, its counters ahead by so many: numbers may have been used that it knows nothing of."""
    switchover = plain["switchover"]
    ahead = {name: switchover[name] + spare for name in ("last_number", "next_input")}
    return {**plain, "switchover": {**switchover, **ahead}}


def lasting(plain: dict[str, Any], spare: int = 0) -> dict[str, Any]:
    """What of a snapshot holds whoever publishes: time, settings, who is blocked, and the counters.

    The counters skip ``spare`` numbers, where some may have been used since: no input's name is used twice. Nothing of
    a stream or a session is left in it. Raises BadSnapshotError.
    """
    kept = read(plain)
    switchover = SwitchoverState(
        state=State.RECOVERING,
        program=None,
        attempt=None,
        last_number=kept.switchover.last_number + spare,
        next_input=kept.switchover.next_input + spare,
        pool=(),
        scene_at=0.0,
        old_slates=kept.switchover.old_slates,
    )
    left: dict[str, Any] = to_plain(
        Snapshot(
            now=kept.now,
            base=kept.base,
            overrides=kept.overrides,
            lineup=LineupState(blocks=kept.lineup.blocks),
            switchover=switchover,
            last_cut=None,
            last_switch=None,
            orphans=(),
            empty_at=None,
        )
    )
    return left
