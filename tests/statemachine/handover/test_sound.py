"""The sound of a fresh input has a hole at its first picture: a hand-over that can wait a moment lets it pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.steering import SOUND_WITHIN
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.world import World


def just_ready(**policy: object) -> World:
    """Alice is on air, and bob, who stands by, has had a picture since now."""
    world = channel("alice", job_delay=0.0, cleanup_grace=0.0, **policy)
    world.run(5.0)
    world.publish("bob")
    world.run_until(lambda: _ready(world), 5.0, step=0.05)
    return world


def _ready(world: World) -> bool:
    view = world.director.view(world.now).standby
    return view is not None and view.ready


def cuts(world: World) -> int:
    return sum(isinstance(command, cmd.Cut) for _, commands in world.trace for command in commands)


def test_a_skip_in_the_moment_of_the_picture_waits_for_the_sound() -> None:
    world = just_ready()
    before = cuts(world)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    assert cuts(world) == before
    assert world.run_until(lambda: on_air(world) == "bob", 1.0, step=0.01) == pytest.approx(SOUND_WITHIN, abs=0.06)


def test_a_moment_later_it_is_cut_to_at_once() -> None:
    world = just_ready()
    world.run(SOUND_WITHIN + 0.05, step=0.05)
    before = cuts(world)
    world.feed(ev.SkipRequested(world.now))
    assert cuts(world) == before + 1


def test_one_who_was_wanted_before_its_picture_came_is_cut_to_with_it() -> None:
    world = channel("alice", job_delay=0.0, standby=False)
    world.publish("bob")
    world.run(5.0)
    world.feed(ev.SkipRequested(world.now))
    world.run_until(lambda: cuts(world) == 2, 5.0, step=0.05)
    attempt = world.director.switchover.attempt
    assert attempt
    assert attempt.ready_at == pytest.approx(world.now, abs=0.06)


@given(after=st.floats(0.0, 2 * SOUND_WITHIN), skipped=st.booleans())
def test_whenever_it_is_asked_for_a_hand_over_that_can_wait_does(after: float, skipped: bool) -> None:
    world = just_ready()
    seen, holder = world.director.switchover.attempt, world.director.lineup.holder
    began = holder.turn_began if holder else None
    assert seen
    assert seen.ready_at is not None
    assert began is not None
    world.run(after, step=after or 1.0)
    before = cuts(world)
    if skipped:
        world.feed(ev.SkipRequested(world.now))
    else:
        world.feed(ev.TurnChanged(world.now, world.now - began, "alice"))
    world.run_until(lambda: cuts(world) > before, 1.0, step=0.01)
    assert world.now >= seen.ready_at + SOUND_WITHIN - 1e-9


@pytest.mark.parametrize("how", ["ends", "stalls"])
def test_a_picture_that_is_gone_or_stands_still_waits_for_nothing(how: str) -> None:
    world = just_ready(stall=0.3)
    before = cuts(world)
    if how == "ends":
        world.unpublish("alice")
        assert cuts(world) == before + 1
    else:
        program = world.director.switchover.program
        assert program
        world.feed(ev.MediaStalled(world.now, program.input, world.now - 0.3, blank=True))
        assert cuts(world) == before + 1
