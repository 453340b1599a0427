"""Every interrupted prefix of a hand-over recovers: crash after each event, with each part of the orders carried out.

Each script is run as often as it has events. After the n-th event the daemon is killed, or OBS is lost, with every
subset of the commands that were under way carried out and none of them answered. Whatever is found then, the channel
stands where it ought to within ten seconds of both sides being up.
"""

from collections.abc import Callable
from itertools import combinations

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.world import World

CONVERGES_WITHIN = 10.0


class Interrupted(Exception):
    """The moment has come."""


class Script(World):
    """A world that is interrupted after ``stop`` events."""

    def __init__(self, policy: Policy, stop: int) -> None:
        super().__init__(policy)
        self.stop = stop
        self.fed = 0

    def feed(self, event: ev.Event) -> tuple[cmd.Command, ...]:
        commands = super().feed(event)
        self.fed += 1
        if self.fed == self.stop:
            raise Interrupted
        return commands


def start(world: World, *streamers: str) -> None:
    world.obs_ready()
    for streamer in streamers:
        world.publish(streamer)
        world.run(1.0)


def skip(world: World) -> None:
    start(world, "alice", "bob", "carol")
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)


def failover(world: World) -> None:
    start(world, "alice", "bob")
    world.unpublish("alice")
    world.run(2.0)
    world.publish("alice")
    world.run(4.0)


def last_one_leaves(world: World) -> None:
    start(world, "alice")
    world.unpublish("alice")
    world.run(10.0, step=0.5)


def never_ready(world: World) -> None:
    start(world, "alice")
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.publish("carol")
    world.run(5.0)


def kick(world: World) -> None:
    start(world, "alice", "bob")
    world.feed(ev.KickRequested(world.now, "alice", 60.0))
    world.run(3.0)


def failed_cut(world: World) -> None:
    start(world, "alice", "bob")
    world.run(2.0)
    world.feed(ev.SkipRequested(world.now))
    while not (world.lane and isinstance(world.lane[0], cmd.Cut)):
        if world.lane:
            world.carry_out()
        elif world.answers:
            world.deliver()
        else:
            world.advance(0.1)
            world.look()
    world.carry_out("lied")
    world.run(3.0)


POLICIES = {
    "cut": Policy(ready_timeout=3.0),
    "slate": Policy(slate="SLATE", ready_timeout=3.0),
    "slate in grace": Policy(slate="SLATE", during_grace="slate", ready_timeout=3.0),
    "fade": Policy(fade=0.5, ready_timeout=3.0),
    "pooled": Policy(mode="pooled", ready_timeout=3.0),
    "static": Policy(mode="static", ready_timeout=3.0),
}
SCRIPTS = [skip, failover, last_one_leaves, never_ready, kick, failed_cut]


def interrupted_at(script: Callable[[World], None], policy: Policy, stop: int) -> Script:
    world = Script(policy, stop)
    with pytest.raises(Interrupted):
        script(world)
    return world


def subsets(size: int) -> list[tuple[int, ...]]:
    """Of the commands under way, whichever may have been carried out."""
    return [chosen for count in range(size + 1) for chosen in combinations(range(size), count)]


def recover(world: Script, carried_out: tuple[int, ...], how: str) -> None:
    orders = list(world.lane)
    world.lane.clear()
    for index in carried_out:
        world.lane.append(orders[index])
        world.carry_out("lost")
    if how == "crash":
        world.crash(gap=0.5)
    else:
        world.obs_lost()
    world.ingest.frozen.clear()
    world.obs_ready()
    # Who failed before the interruption may still have to wait for its retry.
    waits = (
        max((entry.retry_at or 0.0) - world.now for entry in world.director.lineup) if len(world.director.lineup) else 0
    )
    world.run_until(lambda: not world.amiss(), CONVERGES_WITHIN + max(0.0, waits))


@pytest.mark.parametrize("how", ["crash", "OBS lost"])
@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_interrupted_prefix_recovers(script: Callable[[World], None], policy: str, how: str) -> None:
    whole = World(POLICIES[policy])
    script(whole)
    telling = [
        n for n, (event, commands) in enumerate(whole.trace, 1) if commands or isinstance(event, ev.AttemptEvent)
    ]
    assert len(telling) > 3
    for stop in telling:
        size = len(interrupted_at(script, POLICIES[policy], stop).lane)
        assert size <= 4
        for carried_out in subsets(size):
            world = interrupted_at(script, POLICIES[policy], stop)
            try:
                recover(world, carried_out, how)
            except AssertionError as error:
                done = [world.trace[stop - 1][1][i] for i in carried_out if i < len(world.trace[stop - 1][1])]
                raise AssertionError(f"after event {stop}, {world.trace[stop - 1][0]}, with {done} done") from error
