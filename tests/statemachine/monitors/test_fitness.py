"""Who is not fit to be shown: passed over, covered, skipped, kicked, and an operator's last word."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.monitors.quantities import QUANTITIES
from statemachine.policy import Grades, QualityPolicy
from tests.statemachine.handover.test_handover import channel, on_air, reasons, refusals, standby
from tests.statemachine.world import World

SKIPS = QualityPolicy(silence=Grades(warn=5.0, skip=8.0))
COVERS = QualityPolicy(silence=Grades(cover=8.0))


def measured(world: World, seconds: float, **loud: bool) -> None:
    """Everybody named is measured twice a second, and sounds or does not."""
    for _ in range(round(2 * seconds)):
        for streamer, sounds in loud.items():
            level = ev.Measurement("sound", -20.0 if sounds else -90.0)
            if session := world.ingest.of(streamer):
                world.feed(ev.StreamMeasured(world.now, session.id, (level,)))
        world.run(0.5, step=0.25)


def steps(world: World, streamer: str) -> list[str]:
    kinds = facts.SilenceOnAir | facts.MeasuredOnAir | facts.MeasuredInLine
    return [fact.step for fact in world.told if isinstance(fact, kinds) and fact.streamer == streamer]


def problem(world: World, streamer: str) -> str:
    place = next(place for place in world.director.view(world.now).queue if place.streamer == streamer)
    return place.problem.reason if place.problem else ""


def passed_over(world: World) -> list[str]:
    return [place.streamer for place in world.director.view(world.now).queue if place.passed_over]


def test_one_in_line_who_would_be_skipped_is_passed_over_and_keeps_its_place() -> None:
    world = channel("alice", "bob", "carol", turn=40.0, quality=SKIPS)
    measured(world, 10, alice=True, bob=False, carol=True)
    assert (passed_over(world), problem(world, "bob")) == (["bob"], "silent")
    assert standby(world) == "carol", "made ready for the one who comes next"
    measured(world, 30, alice=True, bob=False, carol=True)
    assert on_air(world) == "carol"
    assert steps(world, "bob")[:3] == ["seen", "warn", "unfit"]
    measured(world, 5, alice=True, bob=True, carol=True)
    assert (passed_over(world), problem(world, "bob")) == ([], "")
    measured(world, 40, alice=True, bob=True, carol=True)
    assert on_air(world) == "bob", "its place was kept"


def test_where_it_is_only_marked_it_has_its_turn() -> None:
    world = channel("alice", "bob", "carol", turn=30.0, quality=QualityPolicy(silence=Grades(skip=8.0), unfit="mark"))
    measured(world, 20, alice=True, bob=False, carol=True)
    assert (passed_over(world), problem(world, "bob")) == ([], "silent")
    measured(world, 8, alice=True, bob=False, carol=True)
    assert on_air(world) == "bob"


def test_a_short_pause_in_line_is_none() -> None:
    world = channel("alice", "bob", quality=SKIPS)
    for _ in range(5):
        measured(world, 6, alice=True, bob=False)
        measured(world, 4, alice=True, bob=True)
    assert passed_over(world) == []
    assert "unfit" not in steps(world, "bob")


def test_the_one_on_air_stays_where_only_one_waits_who_is_not_fit() -> None:
    world = channel("alice", "bob", turn=20.0, quality=SKIPS)
    measured(world, 40, alice=True, bob=False)
    assert on_air(world) == "alice"
    measured(world, 5, alice=True, bob=True)
    assert on_air(world) == "bob"


def test_two_who_are_not_fit_take_turns_as_ever() -> None:
    world = channel("alice", "bob", turn=20.0, quality=SKIPS)
    measured(world, 60, alice=False, bob=False)
    assert set(reasons(world)) == {"turn"}


def test_a_picture_without_sound_is_better_than_none() -> None:
    world = channel(quality=SKIPS)
    world.publish("alice")
    measured(world, 20, alice=False)
    assert on_air(world) == "alice"
    world.publish("bob")
    measured(world, 12, alice=False, bob=True)
    assert on_air(world) == "bob", "skipped as soon as somebody follows"


def test_a_skip_by_hand_goes_to_one_who_is_passed_over_where_nobody_else_waits() -> None:
    world = channel("alice", "bob", quality=SKIPS)
    measured(world, 15, alice=True, bob=False)
    world.feed(ev.SkipRequested(world.now))
    measured(world, 5, alice=True, bob=False)
    assert (on_air(world), refusals(world)) == ("bob", [])
    measured(world, 60, alice=True, bob=False)
    assert on_air(world) == "bob", "the operator has the last word"


def test_a_take_has_the_last_word() -> None:
    world = channel("alice", "bob", "carol", quality=SKIPS)
    measured(world, 15, alice=True, bob=False, carol=False)
    world.feed(ev.TakeRequested(world.now, "carol"))
    measured(world, 40, alice=True, bob=False, carol=False)
    assert on_air(world) == "carol"
    assert [entry.streamer for entry in world.director.lineup] == ["carol", "bob", "alice"]
    measured(world, 5, alice=True, bob=True, carol=True)
    measured(world, 12, alice=True, bob=True, carol=False)
    assert on_air(world) == "bob", "its word is about the silence that was known"


@pytest.mark.parametrize(
    ("streamer", "code"), [("nobody", "not_found"), ("alice", "on_air"), ("bob", "not_publishing")]
)
def test_what_cannot_be_taken_is_refused(streamer: str, code: str) -> None:
    world = channel("alice", "bob", "carol", reconnect_grace=60.0)
    world.unpublish("bob")
    if code == "not_publishing":
        world.feed(ev.TakeRequested(world.now, "carol"))
        world.run(2.0)
        world.unpublish("carol")
        world.run(1.0)
        streamer = "carol"
    world.feed(ev.TakeRequested(world.now, streamer))
    assert refusals(world) == [code]


def test_a_take_before_anybody_has_the_turn() -> None:
    world = World(channel("x").director.policy)
    world.publish("alice")
    world.publish("bob")
    world.feed(ev.TakeRequested(world.now, "bob"))
    world.obs_ready()
    world.run(3.0)
    assert on_air(world) == "bob"


def test_silence_on_air_is_covered_and_uncovered() -> None:
    world = channel("alice", slate="SLATE", quality=COVERS)
    measured(world, 5, alice=True)
    began = world.now
    measured(world, 7.5, alice=False)
    assert on_air(world) == "alice"
    measured(world, 1.5, alice=False)
    assert (on_air(world), world.obs.slates) == ("", {"SLATE"})
    assert world.director.view(world.now).covered == "silent"
    assert problem(world, "alice") == "silent"
    assert world.now - began < 10.0
    measured(world, 6, alice=True)
    assert (on_air(world), world.obs.slates) == ("alice", set())
    assert steps(world, "alice") == ["seen", "cover", "over"]


def test_behind_the_slate_it_may_be_taken_all_the_same() -> None:
    world = channel("alice", slate="SLATE", quality=COVERS)
    measured(world, 12, alice=False)
    assert on_air(world) == ""
    world.feed(ev.TakeRequested(world.now, "alice"))
    measured(world, 30, alice=False)
    assert on_air(world) == "alice"


def test_without_a_slate_nothing_is_covered() -> None:
    world = channel("alice", quality=COVERS)
    measured(world, 30, alice=False)
    assert on_air(world) == "alice"


def test_one_who_comes_on_air_unfit_has_its_seconds_there() -> None:
    world = channel(slate="SLATE", quality=COVERS)
    world.publish("alice")
    measured(world, 5, alice=False)
    assert on_air(world) == "alice"
    measured(world, 10, alice=False)
    assert on_air(world) == ""


def test_behind_the_slate_another_one_who_is_fit_follows_by_the_skip() -> None:
    world = channel("alice", slate="SLATE", quality=QualityPolicy(silence=Grades(cover=6.0, skip=12.0)))
    measured(world, 10, alice=False)
    assert on_air(world) == ""
    world.publish("bob")
    measured(world, 6, alice=False, bob=True)
    assert (on_air(world), steps(world, "alice")) == ("bob", ["seen", "cover", "skip"])


def test_one_who_is_held_is_not_skipped() -> None:
    world = channel("alice", "bob", quality=SKIPS)
    world.feed(ev.Held(world.now))
    measured(world, 30, alice=False, bob=True)
    assert on_air(world) == "alice"
    world.feed(ev.Released(world.now))
    measured(world, 3, alice=False, bob=True)
    assert on_air(world) == "bob"


def test_the_kick_sends_it_away() -> None:
    world = channel("alice", "bob", quality=QualityPolicy(silence=Grades(kick=9.0)))
    measured(world, 15, alice=False, bob=True)
    assert on_air(world) == "bob"
    assert "alice" in world.director.view(world.now).blocks


def test_what_has_lasted_before_it_was_told_counts() -> None:
    world = channel("alice", quality=QualityPolicy(silence=Grades(warn=10.0)))
    session = world.ingest.of("alice")
    assert session is not None
    world.run(20.0)
    world.feed(ev.StreamMeasured(world.now, session.id, (ev.Measurement("sound", -90.0, held=4.0),)))
    world.run(1.0)
    assert steps(world, "alice") == ["seen"]


def test_a_still_picture_is_not_called_frozen_by_default() -> None:
    for policy, told in ((QualityPolicy(), []), (QualityPolicy(frozen=Grades(warn=10.0)), ["seen", "warn"])):
        world = channel("alice", quality=policy)
        session = world.ingest.of("alice")
        assert session is not None
        for _ in range(30):
            world.feed(ev.StreamMeasured(world.now, session.id, (ev.Measurement("motion", 0.0),)))
            world.run(1.0, step=0.5)
        assert steps(world, "alice") == told


def test_to_which_side_is_the_same() -> None:
    balance = QUANTITIES["balance"]
    assert balance.is_amiss(-40.0)
    assert balance.is_amiss(40.0)
    assert balance.is_well(-3.0)
    assert not QUANTITIES["phase"].is_amiss(0.9)


def test_what_is_remembered_goes_with_the_session() -> None:
    world = channel("alice", "bob", quality=SKIPS, reconnect_grace=1.0)
    measured(world, 15, alice=True, bob=False)
    assert passed_over(world) == ["bob"]
    world.unpublish("bob")
    world.run(5.0)
    assert world.director.quality.amiss == {}
    assert world.director.lineup.state.unfit == {}
    world.publish("bob")
    measured(world, 2, alice=True, bob=True)
    assert passed_over(world) == []


def test_a_restart_keeps_who_is_passed_over() -> None:
    world = channel("alice", "bob", "carol", quality=SKIPS)
    measured(world, 15, alice=True, bob=False, carol=True)
    world.crash(5.0)
    world.obs_ready()
    world.run(1.0)
    assert (passed_over(world), on_air(world)) == (["bob"], "alice")


def test_nobody_measures_any_more() -> None:
    world = channel("alice", "bob", "carol", quality=SKIPS)
    measured(world, 15, alice=True, bob=False, carol=True)
    world.run(40.0)
    assert passed_over(world) == []


def test_a_slate_that_is_taken_out_of_the_file_covers_nothing_any_more() -> None:
    world = channel("alice", slate="SLATE", quality=COVERS)
    measured(world, 12, alice=False)
    world.feed(ev.SettingChanged(world.now, "slate", ""))
    measured(world, 4, alice=False)
    assert on_air(world) == "alice"
    assert not any(isinstance(command, cmd.SetSlate) and command.shown for command in world.lane)


def test_nothing_is_done_about_what_nobody_has_measured_lately() -> None:
    world = channel("alice", "bob", quality=QualityPolicy(silence=Grades(skip=20.0, kick=25.0)))
    measured(world, 12, alice=False, bob=True)
    world.run(60.0, step=0.5)
    assert on_air(world) == "alice"
    assert steps(world, "alice") == ["seen", "unmeasured"]


def test_a_clock_that_jumps_is_no_long_silence() -> None:
    world = channel("alice", "bob", quality=QualityPolicy(silence=Grades(warn=10.0, skip=30.0)))
    session = world.ingest.of("alice")
    assert session is not None
    world.run(100.0)
    world.feed(ev.StreamMeasured(world.now, session.id, (ev.Measurement("sound", -200.0, held=101.3),)))
    world.run(1.0)
    measured(world, 10, alice=True, bob=True)
    assert on_air(world) == "alice"


def test_a_kick_waits_for_one_who_is_fit_and_is_forgotten_with_its_reason() -> None:
    world = channel("alice", quality=QualityPolicy(silence=Grades(kick=9.0)))
    measured(world, 20, alice=False)
    assert "kick" not in steps(world, "alice")
    measured(world, 20, alice=True)
    world.publish("bob")
    measured(world, 20, alice=True, bob=False)
    assert on_air(world) == "alice"
    measured(world, 20, alice=False, bob=False)
    assert on_air(world) == "alice", "the one is as bad as the other"
    measured(world, 10, alice=False, bob=True)
    assert on_air(world) == "bob"


def test_what_was_taken_stays_taken_though_nobody_measured_it_for_a_while() -> None:
    world = channel("alice", "bob", slate="SLATE", quality=COVERS)
    measured(world, 12, alice=True, bob=False)
    world.feed(ev.TakeRequested(world.now, "bob"))
    measured(world, 10, alice=True, bob=False)
    world.run(60.0, step=0.5)
    measured(world, 20, alice=True, bob=False)
    assert on_air(world) == "bob"
    measured(world, 10, alice=True, bob=True)
    measured(world, 12, alice=True, bob=False)
    assert on_air(world) == "", "it was well in between: what comes after that counts"


@pytest.mark.parametrize("late", [0.0, 5.5])
def test_however_many_are_amiss_at_once_the_rules_come_to_rest(late: float) -> None:
    grades = Grades(warn=5.0, skip=8.0)
    world = channel("alice", slate="SLATE", quality=QualityPolicy(silence=grades, black=grades, channels=grades))
    names = ["alice", *(f"s{number}" for number in range(40))]
    for name in names[1:]:
        world.publish(name)
        world.run(0.1)
    world.run(2.0)
    values = (("sound", -90.0), ("light", 16.0), ("balance", 40.0), ("clipping", 0.9), ("drift", 1.0), ("rate", 8000.0))
    for _ in range(15):
        for name in names:
            session = world.ingest.of(name)
            assert session is not None
            many = tuple(ev.Measurement(quantity, value) for quantity, value in values)
            world.director.handle(ev.StreamMeasured(world.now, session.id, many))
        world.feed(ev.TimePassed(world.now + late))
        world.run(1.0)
    assert len(passed_over(world)) >= 39


def amiss(world: World, seconds: float, streamer: str, **values: float) -> None:
    """These are measured of it twice a second."""
    session = world.ingest.of(streamer)
    assert session is not None
    many = tuple(ev.Measurement(name, value) for name, value in values.items())
    for _ in range(round(2 * seconds)):
        world.feed(ev.StreamMeasured(world.now, session.id, many))
        world.run(0.5, step=0.25)


def test_two_faults_are_covered_until_both_are_over() -> None:
    both = QualityPolicy(silence=Grades(cover=8.0), black=Grades(cover=10.0))
    world = channel("alice", slate="SLATE", quality=both)
    amiss(world, 14, "alice", sound=-90.0, light=16.0)
    assert on_air(world) == ""
    shown = set()
    for _ in range(20):
        amiss(world, 1, "alice", sound=-20.0, light=16.0)
        shown.add(on_air(world))
    assert shown == {""}
    amiss(world, 6, "alice", sound=-20.0, light=200.0)
    assert on_air(world) == "alice"


def test_behind_the_slate_of_one_fault_the_skip_of_another_comes_all_the_same() -> None:
    both = QualityPolicy(silence=Grades(cover=8.0), black=Grades(skip=20.0))
    world = channel("alice", "bob", slate="SLATE", quality=both)
    for _ in range(26):
        amiss(world, 0.5, "bob", sound=-20.0, light=200.0)
        amiss(world, 0.5, "alice", sound=-90.0, light=16.0)
    assert on_air(world) == "bob"


def test_one_who_was_moved_while_fit_and_is_silent_later_is_passed_over() -> None:
    world = channel("alice", "bob", "carol", quality=SKIPS)
    measured(world, 3, alice=True, bob=True, carol=True)
    world.feed(ev.MoveRequested(world.now, "carol", 1))
    measured(world, 3, alice=True, bob=True, carol=True)
    measured(world, 20, alice=True, bob=True, carol=False)
    assert passed_over(world) == ["carol"]
    world.feed(ev.SkipRequested(world.now))
    world.run(3.0)
    assert on_air(world) == "bob"


def test_one_measurement_alone_makes_nobody_unfit_long_after_it() -> None:
    world = channel("alice", "bob", quality=QualityPolicy(silence=Grades(skip=9.0)))
    amiss(world, 0.5, "bob", sound=-90.0)
    world.run(12.0, step=0.25)
    assert passed_over(world) == []


def test_one_who_was_moved_while_fit_is_covered_for_what_comes_later() -> None:
    world = channel("alice", "bob", slate="SLATE", quality=COVERS)
    measured(world, 3, alice=True, bob=True)
    world.feed(ev.MoveRequested(world.now, "bob", 1))
    world.feed(ev.SkipRequested(world.now + 1.0))
    measured(world, 5, alice=True, bob=True)
    assert on_air(world) == "bob"
    measured(world, 12, alice=True, bob=False)
    assert on_air(world) == ""
    assert steps(world, "bob").count("cover") == 1


def test_without_a_name_the_covered_one_is_taken_or_else_the_next() -> None:
    world = channel("alice", "bob", slate="SLATE", quality=COVERS)
    measured(world, 12, alice=False, bob=False)
    assert on_air(world) == ""
    world.feed(ev.TakeRequested(world.now, ""))
    measured(world, 3, alice=False, bob=False)
    assert on_air(world) == "alice"
    world.feed(ev.TakeRequested(world.now, ""))
    measured(world, 3, alice=False, bob=False)
    assert on_air(world) == "bob"
