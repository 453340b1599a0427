"""An evening on the channel as text. ``python -m tests.statemachine.trace`` writes it anew: read the difference."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.policy import Policy
from tests.statemachine.world import START, World

QUIET = ev.InventoryRead | ev.PublishersListed | ev.BitrateMeasured
PATH = Path(__file__).parent / "golden" / "evening.txt"


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


def _short(value: object) -> str:
    match value:
        case ev.Session():
            return value.id
        case ev.Inventory():
            return " ".join(f"{item.name}{'*' if item.shown else ''}" for item in value.inputs) or "nothing"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _tell(said: ev.Event | cmd.Command) -> str:
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
