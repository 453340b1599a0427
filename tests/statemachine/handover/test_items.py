"""Items and names that are not as they were left: missing, doubled, taken out, or somebody else's."""

from dataclasses import replace

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.program import DIGITS, highest
from statemachine.handover.states import State
from statemachine.policy import Policy
from tests.statemachine.handover.test_handover import channel, on_air, standby
from tests.statemachine.monitors.test_streams import problem, without_picture
from tests.statemachine.world import World

FIRST, SECOND = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def read(world: World, inventory: ev.Inventory) -> tuple[cmd.Command, ...]:
    """OBS is read, and this is what it says."""
    world.advance(1.0)
    return world.feed(ev.InventoryRead(world.now, inventory))


def without_list(world: World, seconds: float) -> None:
    """Time goes by; OBS does as it is told, and the ingest server tells no list."""
    for _ in range(round(seconds * 10)):
        world.advance(0.1)
        world.settle()
        world.look()
        world.settle()


def told(world: World, kind: type[facts.Fact]) -> list[facts.Fact]:
    return [fact for fact in world.told if type(fact) is kind]


def test_a_slate_that_is_missing_is_told_once_is_not_asked_for_and_is_told_again_when_it_comes_back() -> None:
    world = World(Policy(slate="SLATE"))
    world.obs.absent.add("SLATE")
    world.obs_ready()
    world.run(600.0, step=1.0)
    assert [(fact.what, fact.name) for fact in told(world, facts.FixtureMissing)] == [("slate", "SLATE")]  # type: ignore[attr-defined]  # told() gives that kind alone
    assert not [c for _, commands in world.trace for c in commands if isinstance(c, cmd.SetSlate)]
    world.obs.absent.clear()
    world.run(3.0)
    assert len(told(world, facts.FixtureFound)) == 1
    assert world.obs.slates == {"SLATE"}


def test_who_leaves_last_is_hidden_though_the_slate_is_missing() -> None:
    world = channel("alice", slate="SLATE")
    world.obs.absent.add("SLATE")
    world.unpublish("alice")
    world.run(20.0)
    assert world.obs.shown == []
    assert world.director.switchover.state is State.IDLE
    assert len(told(world, facts.FixtureMissing)) == 1


def test_another_slate_is_not_taken_for_the_one_that_was_missing() -> None:
    world = World(Policy(slate="SLATE"))
    world.obs.absent.add("SLATE")
    world.obs_ready()
    world.feed(ev.PolicyLoaded(world.now, Policy(slate="OTHER")))
    world.run(3.0)
    assert world.obs.slates == {"OTHER"}
    assert told(world, facts.FixtureFound) == []


def test_an_input_on_air_that_was_taken_out_of_the_scene_is_made_anew() -> None:
    world = channel("alice")
    item = world.obs.items[FIRST]
    item.items, item.shown = 0, False
    took = world.run_until(lambda: on_air(world) == "alice" and FIRST not in world.obs.items, 5.0)
    assert took < 3.0
    assert world.director.view(world.now).on_air.input == SECOND  # type: ignore[union-attr]  # somebody is on air, or this fails


def test_a_standby_that_was_taken_out_of_the_scene_is_made_anew() -> None:
    world = channel("alice", "bob")
    item = world.obs.items[SECOND]
    item.items = 0
    world.run_until(lambda: SECOND not in world.obs.items, 5.0)
    world.run_until(lambda: standby(world) == "bob", 20.0)


@pytest.mark.parametrize("beside", [False, True], ids=["the one under way", "one beside it"])
def test_one_that_still_opens_and_was_removed_by_hand_is_given_up_at_once(beside: bool) -> None:
    world = channel("alice")
    without_picture(world, "bob")
    world.run(0.5)
    if beside:
        without_picture(world, "carol")
        world.run(1.0)
    attempt = next(a for a in world.director.switchover.incoming if a.target and a.target.streamer == "bob")
    assert (attempt.ready_at, len(world.director.switchover.incoming)) == (None, 1 + beside)
    world.obs.remove(attempt.input)
    world.read_inventory()
    assert attempt.number not in [a.number for a in world.director.switchover.incoming]
    assert problem(world, "bob") == "gone"


def test_a_standby_that_somebody_removes_again_and_again_is_not_taken_for_a_stream_that_has_left() -> None:
    """Where no list of its server vouches for it."""
    world = World(Policy(retry_first=0.1, retry_most=0.1))
    world.obs_ready()
    for name in ("alice", "bob"):
        world.publish(name)
        without_list(world, 1.0)
    for _ in range(8):
        assert standby(world) == "bob"
        world.obs.remove(world.director.switchover.incoming[0].input)
        world.read_inventory()
        without_list(world, 1.0)
    assert [entry.streamer for entry in world.director.lineup] == ["alice", "bob"]


def test_what_still_opens_is_not_forgotten_for_a_reading_that_began_before_it_was_made() -> None:
    """It would be found anew by the next one, and removed at once."""
    world = channel("alice")
    reading = ev.InventoryRead(world.now, world.obs.inventory())
    world.advance(0.1)
    without_picture(world, "bob")
    world.settle()
    world.advance(0.1)
    world.unpublish("bob")
    assert world.director.orphans == (SECOND,)
    world.feed(reading)
    world.read_inventory()
    assert world.director.orphans == (SECOND,)
    assert not [c for c in world.lane if isinstance(c, cmd.RemoveOrphan)]
    world.run(3.0)
    assert not world.director.orphans


def test_of_two_shown_items_of_the_one_on_air_one_stays() -> None:
    world = channel("alice")
    commands = read(world, ev.Inventory((ev.OwnInput(FIRST, True, "live/alice", items=2, shown_items=2),), ()))
    assert commands == (cmd.HideDuplicates(FIRST),)
    assert read(world, ev.Inventory((ev.OwnInput(FIRST, True, "live/alice", items=2),), ())) == ()


def test_what_is_absent_from_a_reading_that_is_not_whole_is_not_gone() -> None:
    world = channel("alice", "bob")
    before = world.director.view(world.now)
    for _ in range(3):
        assert read(world, ev.Inventory((), (), whole=False)) == ()
    after = world.director.view(world.now)
    assert (after.on_air, after.standby) == (
        replace(before.on_air, seconds=after.on_air.seconds, remaining=after.on_air.remaining),  # type: ignore[type-var, union-attr]  # somebody is on air, or this fails
        before.standby,
    )
    read(world, ev.Inventory((), ()))
    world.settle()
    assert world.director.switchover.program is None or world.director.switchover.program.input != FIRST


def test_another_daemons_inputs_are_told_once_and_neither_hidden_nor_removed_nor_named_again() -> None:
    world = channel("alice")
    foreign = (ev.ForeignInput("GMOTHERSTREAM_7", "another"), ev.ForeignInput("GMOTHERSTREAM_8", "another"))
    own = (ev.OwnInput(FIRST, True, "live/alice"),)
    for _ in range(3):
        assert read(world, ev.Inventory(own, (), foreign=foreign)) == ()
    [fact] = told(world, facts.ForeignInputsSeen)
    assert fact.inputs == "GMOTHERSTREAM_7, GMOTHERSTREAM_8"  # type: ignore[attr-defined]  # told() gives that kind alone
    assert world.director.switchover.next_input == 9
    read(world, ev.Inventory(own, ()))
    read(world, ev.Inventory(own, (), foreign=foreign))
    assert len(told(world, facts.ForeignInputsSeen)) == 2


@pytest.mark.parametrize("mode", ["dynamic", "pooled"])
def test_a_name_that_is_taken_is_passed_over_at_once_and_its_input_is_not_touched(mode: str) -> None:
    world = World(Policy(mode=mode))
    world.obs_ready()
    world.obs.foreign |= {FIRST, SECOND}
    world.publish("alice")
    world.settle()
    assert [c.input for _, commands in world.trace for c in commands if isinstance(c, cmd.CreateInput)] == [
        FIRST,
        SECOND,
        "GMOTHERSTREAM_3",
    ]
    world.run(2.0)
    assert on_air(world) == "alice"


def test_names_that_are_taken_without_end_are_tried_again_later_and_not_in_a_circle() -> None:
    world = World()
    world.obs_ready()
    world.obs.foreign |= {f"GMOTHERSTREAM_{number}" for number in range(1, 100)}
    world.obs.inventory = lambda: ev.Inventory((), ())  # type: ignore[method-assign]  # which does not tell of them
    world.publish("alice")
    world.run(60.0)
    asked = [c for _, commands in world.trace for c in commands if isinstance(c, cmd.CreateInput)]
    assert 5 <= len(asked) <= 40


@pytest.mark.parametrize("name", ["1" * 5000, "9" * (DIGITS + 1), "-5", "+5", " 5", "5.0", "\u0661", "0x5", ""])
def test_a_name_that_cannot_be_one_of_ours_has_no_number(name: str) -> None:
    assert highest((f"GMOTHERSTREAM_{name}",), "GMOTHERSTREAM_") == 0
