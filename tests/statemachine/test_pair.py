"""The pair's rules in a world that fails at random: one acting owner at a time, and a history without a fork."""

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statemachine.tenure import PROOF, TTL
from tests.statemachine.pair_world import STEP, World

STEPS = int(os.environ.get("MOTHERSTREAM_PAIR_STEPS", "400"))
"""In one run; `make soak` takes many more."""


def trouble(world: World, random: Random) -> None:
    """Something happens, mostly an act."""
    chance = random.random()
    daemon = random.choice(world.daemons)
    lasting = random.choice((0.3, 1.0, 3.0, 5.0, 10.0, 30.0))
    if chance < 0.002:
        daemon.frozen_until = world.now + lasting
    elif chance < 0.003:
        daemon.kill()
        world.mend(lasting, daemon.start_again)
    elif chance < 0.006:
        daemon.sees_store = False
        world.mend(lasting, lambda: setattr(daemon, "sees_store", True))
    elif chance < 0.008:
        daemon.sees_obs = False
        world.mend(lasting, lambda: setattr(daemon, "sees_obs", True))
    elif chance < 0.0095:
        world.store.up = False
        world.mend(lasting, lambda: setattr(world.store, "up", True))
    elif chance < 0.0105:
        world.obs.up = False
        world.mend(lasting, lambda: setattr(world.obs, "up", True))
    elif chance < 0.012 and world.store.lease.epoch >= world.highest:
        # One of the two has to remember who acted last: both together may not forget.
        world.obs.claim = None
    elif chance < 0.02:
        world.store.replicate()
    elif chance < 0.021 and world.obs.claim is not None and world.obs.claim.epoch == world.highest:
        world.store.fail_over()
    elif chance < 0.7:
        daemon.act()


def play(seed: int, steps: int) -> World:
    random = Random(seed)
    world = World(random, PROOF)
    for _ in range(steps):
        trouble(world, random)
        world.step()
    world.check()
    return world


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_never_two_act_and_the_history_has_no_fork(seed: int) -> None:
    play(seed, STEPS)


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_where_all_is_well_again_one_of_those_who_live_acts_before_long(seed: int) -> None:
    random = Random(seed)
    world = play(seed, STEPS)
    world.store.up = world.obs.up = True
    for daemon in world.daemons:
        daemon.sees_store = daemon.sees_obs = True
        daemon.frozen_until = min(daemon.frozen_until, world.now)
    if not any(daemon.alive for daemon in world.daemons):
        random.choice(world.daemons).start()
    for _ in range(round((3 * TTL + 5.0) / STEP)):
        world.step()
    before = len(world.obs.acts)
    for _ in range(40):
        for daemon in world.daemons:
            daemon.act()
        world.step()
    assert len(world.obs.acts) > before
    world.check()


@pytest.mark.parametrize("held_up", [1.0, 5.0, 60.0])
def test_one_that_wakes_does_nothing(held_up: float) -> None:
    world = World(Random(1), PROOF)
    for _ in range(100):
        world.step()
    owner = next(daemon for daemon in world.daemons if daemon.in_obs)
    heir = next(daemon for daemon in world.daemons if daemon is not owner)
    for _ in range(20):
        owner.act()
        world.step()
    assert world.obs.acts
    owner.frozen_until = world.now + held_up
    # It was about to act.
    owner.act()
    for _ in range(round((held_up + 15.0) / STEP)):
        world.step()
        heir.act()
        owner.act()
    world.check()
    if held_up >= 5.0:
        assert world.obs.acts[-1][3] == heir.run
