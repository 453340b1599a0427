"""A sound that dies while the picture moves: seen, told after its time, and over when it sounds again."""

import pytest

from statemachine import events as ev
from statemachine import facts
from statemachine.director import Director
from statemachine.monitors.quantities import QUANTITIES, Quantity
from statemachine.policy import Grades, QualityPolicy
from tests.statemachine.handover.test_handover import channel, on_air
from tests.statemachine.world import World


def told_after(seconds: float) -> QualityPolicy:
    """Silence is told after so many seconds, and nothing else is done about anything."""
    return QualityPolicy(silence=Grades(warn=seconds))


def sounds(world: World, level: float, seconds: float, streamer: str = "alice") -> None:
    """Somebody measures once a second."""
    for _ in range(round(seconds)):
        world.feed(ev.Measured(world.now, streamer, "sound", level))
        world.run(1.0, step=0.5)


def steps(world: World) -> list[str]:
    return [fact.step for fact in world.told if isinstance(fact, facts.SilenceOnAir)]


def silent(world: World) -> bool:
    view = world.director.view(world.now).on_air
    return view is not None and view.silent_since is not None


def amiss(world: World) -> dict[str, float]:
    view = world.director.view(world.now).on_air
    assert view
    return dict(view.amiss)


def test_a_sound_that_dies_is_seen_within_seconds_told_once_and_over_when_it_is_back() -> None:
    world = channel("alice", "bob", quality=told_after(10.0))
    sounds(world, -20.0, 5)
    sounds(world, -90.0, 4)
    assert (steps(world), silent(world)) == ([], False)
    sounds(world, -90.0, 2)
    assert (steps(world), silent(world)) == (["seen"], True)
    sounds(world, -90.0, 60)
    assert steps(world) == ["seen", "warn"]
    sounds(world, -20.0, 4)
    assert (steps(world), silent(world)) == (["seen", "warn", "over"], False)
    assert on_air(world) == "alice", "nobody is taken off air for it"


def test_pauses_of_people_who_speak_are_no_silence() -> None:
    world = channel("alice", quality=told_after(10.0))
    for _ in range(10):
        sounds(world, -70.0, 3)
        sounds(world, -25.0, 4)
    assert steps(world) == []


def test_a_level_about_the_bound_changes_nothing() -> None:
    world = channel("alice", quality=told_after(10.0))
    sounds(world, -90.0, 6)
    for _ in range(10):
        sounds(world, -55.0, 1)
        sounds(world, -65.0, 1)
    assert (steps(world), silent(world)) == (["seen", "warn"], True)


def test_with_no_time_given_it_is_seen_and_never_told() -> None:
    world = channel("alice", quality=told_after(0.0))
    sounds(world, -90.0, 120)
    assert steps(world) == ["seen"]


@pytest.mark.parametrize("streamer", ["bob", "nobody"])
def test_what_is_measured_of_another_says_nothing_of_the_show(streamer: str) -> None:
    world = channel("alice", "bob", quality=told_after(10.0))
    sounds(world, -90.0, 30, streamer)
    assert steps(world) == []


def test_one_who_is_no_longer_measured_is_not_silent_for_ever() -> None:
    world = channel("alice", quality=told_after(10.0))
    sounds(world, -90.0, 20)
    world.run(40.0, step=0.5)
    assert (steps(world), silent(world)) == (["seen", "warn", "unmeasured"], False)


def test_the_silence_of_one_is_not_that_of_the_next() -> None:
    world = channel("alice", "bob", quality=told_after(10.0))
    sounds(world, -90.0, 8)
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)
    assert (on_air(world), silent(world)) == ("bob", False)


def test_seconds_in_which_the_daemon_did_not_run_are_no_silence() -> None:
    world = channel("alice", quality=told_after(10.0))
    sounds(world, -90.0, 3)
    world.obs_lost()
    world.crash(20.0)
    world.obs_ready()
    world.run(0.5)
    assert (steps(world), silent(world)) == ([], False)
    sounds(world, -90.0, 10)
    assert steps(world) == ["seen", "warn"]


@pytest.fixture
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantity that is amiss where it is large."""
    row = Quantity("s", 0.0, 100.0, amiss=5.0, well=3.0, seen_after=4.0, good_for=2.0)
    monkeypatch.setitem(QUANTITIES, "haste", row)


def measures(world: World, value: float, seconds: float) -> None:
    for _ in range(round(seconds)):
        world.feed(ev.Measured(world.now, "alice", "haste", value))
        world.run(1.0, step=0.5)


@pytest.mark.usefixtures("_haste")
def test_another_quantity_is_watched_by_its_row_alone() -> None:
    world = channel("alice", quality=told_after(1.0))
    measures(world, 4.0, 10)
    measures(world, 5.0, 3)
    assert amiss(world) == {}
    began = world.now - 3.0
    measures(world, 9.0, 2)
    assert amiss(world) == {"haste": pytest.approx(began)}
    measures(world, 4.0, 60)
    measures(world, 3.0, 3)
    assert amiss(world) == {}
    told = [(fact.quantity, fact.step, fact.value) for fact in world.told if isinstance(fact, facts.MeasuredOnAir)]
    assert told == [("haste", "seen", 9.0), ("haste", "over", 3.0)]
    assert steps(world) == []


@pytest.mark.usefixtures("_haste")
def test_each_quantity_has_its_own_time() -> None:
    world = channel("alice", quality=told_after(10.0))
    for _ in range(8):
        world.feed(ev.Measured(world.now, "alice", "sound", -90.0))
        world.feed(ev.Measured(world.now, "alice", "haste", 9.0))
        world.run(1.0, step=0.5)
    measures(world, 1.0, 4)
    assert list(amiss(world)) == ["sound"]


def test_one_that_is_remembered_and_no_longer_known_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    world = channel("alice")
    with monkeypatch.context() as patch:
        patch.setitem(QUANTITIES, "haste", Quantity("s", 0.0, 100.0, amiss=5.0, well=3.0))
        measures(world, 9.0, 8)
    world.crash(1.0)
    world.obs_ready()
    world.run(1.0)
    assert amiss(world) == {}


def test_a_silence_that_an_older_version_remembered_is_the_sound_that_is_amiss() -> None:
    world = channel("alice")
    sounds(world, -90.0, 8)
    plain = world.director.snapshot()
    ((session, kept),) = plain.pop("amiss").items()
    plain["silence"] = {"level" if name == "value" else name: value for name, value in kept["sound"].items()}
    plain["silence"]["session_id"] = session
    plain["overrides"] = {"silence": 8.0}
    restored = Director.restore(plain)
    assert restored.quality.amiss == world.director.quality.amiss
    assert Director.restore({**plain, "silence": None}).quality.amiss == {}
