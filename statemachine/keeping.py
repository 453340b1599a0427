"""The director as a snapshot, and a snapshot as a director: what each part remembers, part by part."""

from typing import Protocol

from statemachine.facts import HandoverEnded
from statemachine.handover.fallback import Fallback
from statemachine.handover.orphans import Orphans
from statemachine.handover.switchover import Switchover
from statemachine.lineup.lineup import Lineup
from statemachine.monitors.bitrate import Bitrates
from statemachine.monitors.ghosts import Ghosts
from statemachine.monitors.levels import Levels
from statemachine.monitors.quality import Quality
from statemachine.monitors.render_load import RenderLoad
from statemachine.monitors.streams import Streams
from statemachine.monitors.viewers import Viewers
from statemachine.policy import Policy
from statemachine.settings import Settings
from statemachine.snapshot import Snapshot
from statemachine.steering import Steering


class Parts(Protocol):
    """The parts that remember something: the director has them."""

    now: float
    settings: Settings
    policy: Policy
    lineup: Lineup
    switchover: Switchover
    steering: Steering
    sweeper: Orphans
    bitrates: Bitrates
    render_load: RenderLoad
    streams: Streams
    fallback: Fallback
    quality: Quality
    levels: Levels
    ghosts: Ghosts
    viewers: Viewers
    last_switch: HandoverEnded | None


def kept(director: Parts) -> Snapshot:
    """All that is remembered, as it stands and not as a copy."""
    return Snapshot(
        now=director.now,
        base=director.settings.base,
        overrides=director.settings.overrides,
        lineup=director.lineup.state,
        switchover=director.switchover.kept,
        last_cut=director.steering.last_cut,
        last_switch=director.last_switch,
        orphans=tuple(director.sweeper),
        empty_at=director.steering.empty_at,
        dead_since=director.steering.dead_since,
        slate_failures=director.steering.slate_failures,
        low_bitrate=director.bitrates.episode,
        render_load=director.render_load.state,
        tracks=director.streams.tracks,
        unplayable=director.streams.unplayable,
        fallback=director.fallback.state,
        amiss=director.quality.amiss,
        levels=director.levels.state,
        ghosts=director.ghosts.state,
        viewers=director.viewers.state,
    )


def stand(director: Parts, known: Snapshot) -> None:
    """Have a fresh one stand where the snapshot was taken."""
    director.now = known.now
    director.lineup.load(known.lineup)
    director.switchover.restore(known.switchover)
    director.last_switch = known.last_switch
    director.switchover.scene.hold(director.lineup.held)
    director.sweeper.restore(known.orphans)
    director.bitrates.restore(known.low_bitrate)
    director.render_load.restore(known.render_load)
    director.streams.load(known.tracks, known.unplayable)
    director.fallback.restore(known.fallback)
    director.quality.restore(known.amiss)
    director.levels.restore(known.levels)
    director.ghosts.restore(known.ghosts)
    director.viewers.restore(director.policy, known.viewers)
    director.steering.restore(known.now, known.last_cut, known.empty_at, known.dead_since, known.slate_failures)
