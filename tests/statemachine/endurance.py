"""One channel that lives long: publishers, operators and restarts by the ten thousand, and nothing that piles up.

The search of ``soak`` begins anew every few dozen steps. Here one line-up, one journal's worth of memories and one
counter of inputs go through all of them, with a calm in between in which everything has to be in its place.
"""

import json
import random
from collections.abc import Callable

from statemachine import events as ev
from statemachine.lineup.sessions import EVICTED_MOST
from tests.statemachine.channel import Channel
from tests.statemachine.channel_modes import MODES
from tests.statemachine.model_program import SCENES

NAMES = ("alice", "bob", "carol", "dave")
ROUND = 250
"""Steps between two calms."""
MOST_KEPT = 40_000
"""Characters of a snapshot in the calm: an hour's ended sessions are forgotten by then, four streamers are not many."""

Act = Callable[[Channel, random.Random], None]

ACTS: tuple[tuple[int, Act], ...] = (
    # publishers
    (14, lambda c, r: c.publish(name=r.choice(NAMES), fate=_fate(r), picture=r.random() < 0.85)),
    (2, lambda c, r: c.publish_and_be_lost(name=r.choice(NAMES))),
    (8, lambda c, r: c.unpublish(name=r.choice(NAMES), fate=_fate(r))),
    (2, lambda c, r: c.encoder_reconnects(name=r.choice(NAMES), seconds=r.choice([0.5, 3.0]), times=r.randrange(2, 6))),
    (5, lambda c, r: c.publish_anew(name=r.choice(NAMES), fate=r.choice(["told", "late", "lost"]))),
    (3, lambda c, r: c.refused_as_busy(name=r.choice(NAMES), fate="told")),
    (3, lambda c, r: c.publish_where_no_list_tells(name=r.choice(NAMES), fate=r.choice(["told", "lost", "refused"]))),
    (3, lambda c, r: c.sneak_in(name=r.choice(NAMES), named=r.random() < 0.5)),
    (3, lambda c, r: c.the_holder_flaps(seconds=r.choice([0.5, 2.0, 4.0]), times=r.randrange(1, 5))),
    (3, lambda c, r: c.freeze_or_thaw(name=r.choice(NAMES), breaks=r.random() < 0.3)),
    (3, lambda c, r: c.deliver_hook(index=r.randrange(6)) if c.hooks else None),
    # operators
    (8, lambda c, r: c.operate(what=r.choice(["skip", "skip", "hold", "release", "release", "restart the turn"]))),
    (4, lambda c, r: c.move(name=r.choice(NAMES), position=r.randrange(-1, 5))),
    (2, lambda c, r: c.remove(name=r.choice(NAMES))),
    (3, lambda c, r: c.kick(name=r.choice(NAMES), seconds=r.choice([0.0, 5.0, 30.0]))),
    (2, lambda c, r: c.let_in(name=r.choice(NAMES))),
    (3, lambda c, r: c.set_turn(name=r.choice(NAMES), seconds=r.choice([5.0, 13.0, 40.0]))),
    # restarts, of the daemon and of OBS
    (4, lambda c, r: c.daemon_killed(gap=r.choice([0.0, 0.5, 3.0, 30.0]), done=r.randrange(3), forgotten=0)),
    (2, lambda c, r: c.obs_lost(done=r.randrange(3))),
    (
        12,
        lambda c, r: c.obs_ready(what=r.choice(["back", "back", "restarted empty", "with the scene as it was saved"])),
    ),
    # people at OBS
    (3, lambda c, r: c.somebody_switches_studio_mode(on=r.random() < 0.5, duplicates=r.random() < 0.7)),
    (3, lambda c, r: c.somebody_takes_a_scene_into_program(scene=r.choice([*SCENES, SCENES[0]]))),
    (3, lambda c, r: c.somebodys_hand(index=r.randrange(4), what=r.choice(["show", "hide", "remove"]))),
    (3, lambda c, r: c.read_inventory()),
    # what is asked of OBS, and time
    (20, lambda c, r: c.carry_out(outcome=_outcome(r)) if c.world.lane and c.world.obs.up else None),
    (16, lambda c, r: c.deliver_answer(index=0, twice=False) if c.world.answers else None),
    (10, lambda c, r: c.look()),
    (10, lambda c, r: c.time_passes(seconds=r.choice([0.05, 0.25, 1.0, 2.5, 9.0]), punctual=r.random() < 0.8)),
    (14, lambda c, r: c.all_is_well_for_a_while(seconds=r.choice([0.5, 3.0, 12.0]))),
)


def _fate(r: random.Random) -> str:
    return r.choice(["told", "told", "twice", "late", "lost"])


def _outcome(r: random.Random) -> str:
    return r.choices(["done", "refused", "lied", "timeout"], [8, 1, 1, 1])[0]


def endure(steps: int, seed: int, mode: str) -> int:
    """Take ``steps`` steps on one channel; how many were taken. Raises AssertionError where an invariant is broken."""
    rng = random.Random(seed)
    channel = Channel()
    channel.begin(mode=mode, up=True, fallback=seed % 2 == 1)
    weights, acts = zip(*ACTS, strict=True)
    taken = 0
    try:
        while taken < steps:
            act = rng.choices(acts, weights)[0]
            act(channel, rng)
            taken += 1
            if taken % ROUND == 0 or taken == steps:
                _calm(channel, mode)
    except AssertionError as error:
        error.add_note(f"mode {mode}, seed {seed}, step {taken}")
        raise
    return taken


def _calm(channel: Channel, mode: str) -> None:
    """Everything is in its place, and what is over is forgotten."""
    world = channel.world
    for late in (channel.hooks, channel.lists, channel.readings):
        late.clear()
    world.calm()
    state = world.director.lineup.state
    assert len(state.born) == sum(len(entry.sessions) for entry in state.entries), "sessions that nobody has"
    gone = set(state.evicted) - set(world.ingest.live)
    assert not any(world.ingest.lists(each) for each in gone), "evicted ones that are gone"
    assert len(gone) <= EVICTED_MOST
    beside = len(world.director.switchover.reserves)
    assert len(world.obs.own) <= 2 + beside, f"inputs pile up: {[item.name for item in world.obs.own]}"
    world.run(120.0, step=5.0)
    # Of whom no list tells, the end may have been found out just now.
    ended, horizon = world.director.lineup.state.ended, world.now - 60.0 - world.director.policy.reconnect_grace
    assert all(at > horizon for at in ended.values()), f"ended sessions are not forgotten: {ended}"
    kept = len(json.dumps(world.director.snapshot()))
    assert kept < MOST_KEPT, f"a snapshot of {kept} characters"
    world.trace.clear()
    world.told.clear()
    # The calm let everybody's turn run for ever.
    for streamer in [entry.streamer for entry in world.director.lineup]:
        world.feed(ev.TurnChanged(world.now, MODES[mode].turn, streamer))
    world.feed(ev.TurnChanged(world.now, MODES[mode].turn))
