"""An evening on the channel, and three hand-overs step by step, as text.

``python -m tests.statemachine.trace`` writes both anew: read the difference.
"""

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.policy import Policy
from statemachine.step import Step
from tests.statemachine.world import START, World

QUIET = ev.InventoryRead | ev.PublishersListed | ev.BitrateMeasured
PATH = Path(__file__).parent / "golden" / "evening.txt"
HANDOVERS = Path(__file__).parent / "golden" / "handovers.txt"
LEGEND = """\
Three hand-overs, each event with the whole Step that the rules answer to it.

  at  event        seconds from the start; what came from outside, or the time that passed
      A => B       the switchover went from state A to state B, by the event or trigger named
      -> command   what is to be done, in this order
      *  fact      what is told to people
      due at       when TimePassed is to be fed, if nothing else happens before

The clock stands at 1000 at the start: since=1004 is 4.00.
"""


def evening() -> World:
    """Two take turns, one joins, one fails, one stalls, OBS goes and comes, everybody leaves."""
    world = World(Policy(turn=60.0, slate="SLATE", ready_timeout=5.0))
    world.obs_ready()
    world.publish("alice")
    world.run(1.0)
    world.publish("bob")
    world.run(4.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(5.0)
    silent = world.publish("carol")
    world.ingest.frozen.add(silent.id)
    world.feed(ev.MoveRequested(world.now, "carol", 1))
    world.run(12.0)
    stalled = world.ingest.of("bob")
    if stalled:
        world.ingest.frozen.add(stalled.id)
    world.run(3.0)
    world.ingest.frozen.clear()
    world.run(6.0)
    world.obs_lost()
    world.advance(2.0)
    world.obs_ready()
    world.run(3.0)
    world.feed(ev.KickRequested(world.now, "alice", 60.0))
    world.unpublish("carol")
    world.unpublish("bob")
    world.run(12.0)
    return world


class Steps(World):
    """A world that keeps the whole answers."""

    def __init__(self) -> None:
        self.steps: list[tuple[ev.Event, Step]] = []
        super().__init__(Policy(turn=60.0, slate="SLATE", ready_timeout=5.0, cleanup_grace=1.0))
        self.obs_ready()
        self.publish("alice")
        self.run(2.0)
        self.publish("bob")
        self.run(2.0)
        self.steps.clear()

    def feed(self, event: ev.Event) -> tuple[cmd.Command, ...]:
        commands = super().feed(event)
        self.steps.append((event, self.last))
        return commands


def planned() -> Steps:
    """Planned: alice is on air and bob stands by when she is skipped."""
    world = Steps()
    world.feed(ev.SkipRequested(world.now))
    world.run(2.5)
    return world


def failover() -> Steps:
    """Failover: alice's picture stands still, bob's covers it, and hers comes back."""
    world = Steps()
    alice = world.ingest.of("alice")
    assert alice is not None
    world.ingest.frozen.add(alice.id)
    world.run(1.5)
    world.ingest.frozen.clear()
    world.run(6.0)
    return world


def obs_lost_in_the_cut() -> Steps:
    """OBS lost in the cut: it is carried out, nobody hears of it, and the next inventory tells."""
    world = Steps()
    world.feed(ev.SkipRequested(world.now))
    world.advance(0.1)
    world.obs_lost(done=1)
    world.advance(1.0)
    world.obs_ready()
    world.run(2.5)
    return world


def handovers() -> Iterator[str]:
    """The three of them, readable from top to bottom."""
    yield LEGEND
    for story in (planned, failover, obs_lost_in_the_cut):
        yield f"\n{story.__doc__}\n"
        for event, step in story().steps:
            if step.commands or step.facts or not isinstance(event, QUIET):
                yield from _step(event, step)


def _step(event: ev.Event, step: Step) -> Iterator[str]:
    yield f"{event.at - START:6.2f}  {_tell(event)}"
    for fact in step.facts:
        if isinstance(fact, facts.StateChanged):
            yield f"        {fact.source.value} => {fact.dest.value} ({fact.event})"
        else:
            yield f"        *  {_tell(fact)}"
    yield from (f"        -> {_tell(command)}" for command in step.commands)
    if step.deadline is not None:
        yield f"        due at {step.deadline - START:.2f}"


def _short(value: object) -> str:
    match value:
        case ev.Session():
            return value.id
        case ev.Inventory():
            return " ".join(f"{item.name}{'*' if item.shown else ''}" for item in value.inputs) or "nothing"
        case float():
            return f"{round(value, 6):g}"
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def _tell(said: ev.Event | cmd.Command | facts.Fact) -> str:
    pairs = [(f.name, getattr(said, f.name)) for f in fields(said) if f.name != "at"]
    told = [f"{name}={_short(value)}" for name, value in pairs if value not in (None, "", False, 0.0, (), ev.Tracks())]
    return f"{type(said).__name__} {', '.join(told)}".rstrip()


def lines(world: World) -> Iterator[str]:
    """One for each event that asked for something or moved something, and one for each command."""
    for event, commands in world.trace:
        if commands or not isinstance(event, QUIET):
            yield f"{event.at - START:7.2f}  {_tell(event)}"
            yield from (f"           -> {_tell(command)}" for command in commands)


if __name__ == "__main__":
    PATH.write_text("\n".join(lines(evening())) + "\n", encoding="utf-8")
    HANDOVERS.write_text("\n".join(handovers()) + "\n", encoding="utf-8")
