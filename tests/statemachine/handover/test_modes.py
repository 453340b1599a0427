"""Pooled, static, and from one mode to another; settings that change live."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.policy import CHOICES, Policy
from tests.statemachine.handover.test_handover import channel, handovers, on_air, reasons, refusals, standby
from tests.statemachine.model_obs import STATIC
from tests.statemachine.world import World

FIRST, SECOND = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def shown(world: World) -> list[str]:
    return [item.name for item in world.obs.shown]


def commands(world: World, *kinds: type[cmd.Command]) -> list[cmd.Command]:
    return [command for _, issued in world.trace for command in issued if isinstance(command, kinds)]


# --- pooled -------------------------------------------------------------------------------------------------------


def test_pooled_two_inputs_take_turns_and_none_is_removed() -> None:
    world = channel("alice", "bob", "carol", mode="pooled")
    for _ in range(6):
        world.feed(ev.SkipRequested(world.now))
        world.run(4.0)
    assert len(reasons(world)) == 6
    assert [item.name for item in world.obs.own] == [FIRST, SECOND]
    assert commands(world, cmd.RemoveInput, cmd.RemoveOrphan) == []
    assert {c.input for c in commands(world, cmd.ParkInput) if isinstance(c, cmd.ParkInput)} == {FIRST, SECOND}
    assert all(c.reuse for c in commands(world, cmd.CreateInput) if isinstance(c, cmd.CreateInput))


def test_pooled_the_input_on_air_is_never_reused() -> None:
    world = channel("alice", "bob", mode="pooled")
    assert (on_air(world), standby(world)) == ("alice", "bob")
    for _ in range(3):
        world.feed(ev.SkipRequested(world.now))
        world.run(4.0)
        program = world.director.switchover.program
        attempt = world.director.switchover.attempt
        assert program is not None
        assert attempt is not None
        assert program.input != attempt.input


def test_pooled_an_input_that_cannot_be_parked_is_swept_and_replaced() -> None:
    world = channel("alice", "bob", mode="pooled", removal_tries=1)
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    world.advance(1.0)
    world.carry_out("refused")
    world.deliver()
    world.advance(0.5)
    world.carry_out("refused")
    world.deliver()
    assert cmd.RemoveOrphan(FIRST) in world.lane
    world.run(3.0)
    assert [item.name for item in world.obs.own] == [SECOND, "GMOTHERSTREAM_3"]


@pytest.mark.parametrize("crash", [False, True])
def test_pooled_an_input_whose_cut_was_interrupted_is_still_one_of_the_two(crash: bool) -> None:
    world = channel("alice", "bob", mode="pooled")
    world.feed(ev.SkipRequested(world.now))
    assert isinstance(world.lane[0], cmd.Cut)
    if crash:
        world.carry_out("lost")
        world.crash(gap=0.5)
    else:
        world.obs_lost(done=1)
    world.obs_ready()
    world.run(5.0)
    assert (on_air(world), standby(world)) == ("bob", "alice")
    assert [item.name for item in world.obs.own] == [FIRST, SECOND]


# --- static -------------------------------------------------------------------------------------------------------


def test_static_restarts_the_one_named_input_and_creates_and_removes_none() -> None:
    world = channel("alice", "bob", mode="static")
    session = world.ingest.of("alice")
    assert session is not None
    assert commands(world, cmd.RestartInput, cmd.Cut, cmd.CreateInput, cmd.PlaceInput, cmd.RemoveInput) == [
        cmd.RestartInput(1, STATIC, session),
        cmd.Cut(1, STATIC, None),
    ]


def test_static_nobody_is_named_while_the_one_input_opens_another_stream() -> None:
    world = channel("alice", mode="static")
    session = world.publish("bob")
    world.ingest.frozen.add(session.id)
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert world.obs.items[STATIC].session == session
    assert on_air(world) == "", "it is hers no more, and not his yet"
    world.ingest.frozen.discard(session.id)
    world.run(2.0)
    assert on_air(world) == "bob"
    assert (handovers(world)[-1].from_streamer, handovers(world)[-1].to_streamer) == ("alice", "bob")


def test_static_an_input_that_cannot_be_aimed_leaves_who_is_on_air() -> None:
    world = channel("alice", "bob", mode="static")
    world.feed(ev.SkipRequested(world.now))
    attempt = world.director.switchover.attempt
    assert attempt is not None
    reason = "'GMOTHERSTREAM' is of a kind that plays no stream"
    world.lane.clear()
    world.feed(ev.CreationFailed(world.now, attempt.number, reason, code="static_input", untouched=True))
    assert on_air(world) == "alice"
    entry = next(entry for entry in world.director.lineup if entry.streamer == "bob")
    assert entry.problem is not None
    assert (entry.problem.reason, entry.problem.detail) == ("static_input", reason)


def test_static_has_nothing_to_hide_or_to_fade_when_its_own_picture_follows() -> None:
    world = channel("alice", "bob", mode="static", fade=1.0)
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert commands(world, cmd.Cut)[-1] == cmd.Cut(2, STATIC, None)


def test_static_an_input_that_died_under_a_living_stream_is_restarted() -> None:
    world = channel("alice", mode="static")
    program = world.director.switchover.program
    assert program is not None
    world.feed(ev.MediaFailed(world.now, program.attempt, "the pipeline failed"))
    world.run(5.0)
    assert len(commands(world, cmd.RestartInput)) == 2
    assert (on_air(world), reasons(world)) == ("alice", ["stalled"])


def test_static_an_input_that_never_plays_does_not_stay_beside_the_slate() -> None:
    world = channel(mode="static", slate="SLATE", ready_timeout=5.0)
    session = world.publish("alice")
    world.ingest.frozen.add(session.id)
    world.run(6.0)
    assert (shown(world), world.obs.slates) == ([], {"SLATE"})


def test_static_hands_over_by_restarting_once_the_turn_is_due() -> None:
    world = channel("alice", "bob", mode="static", job_delay=3.0)
    assert standby(world) == ""
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert on_air(world) == "bob"
    world.feed(ev.SkipRequested(world.now))
    world.run(1.0)
    assert on_air(world) == "bob", "spaced"
    world.run(3.0)
    assert on_air(world) == "alice"


def test_static_with_a_slate_hides_it_with_the_picture_and_shows_it_when_nobody_is_left() -> None:
    world = channel("alice", mode="static", slate="SLATE")
    assert (shown(world), world.obs.slates) == ([STATIC], set())
    world.unpublish("alice")
    world.run(10.0)
    assert (shown(world), world.obs.slates) == ([], {"SLATE"})


def test_static_a_cut_that_timed_out_is_put_right_like_any_other() -> None:
    world = channel(mode="static")
    world.publish("alice")
    world.settle()
    world.advance(0.3)
    world.look()
    world.carry_out("timeout")
    world.deliver()
    assert list(world.lane) == [cmd.RestoreOutgoing(1, STATIC, None)]
    world.calm()


def test_static_a_stall_while_it_is_cut_to_is_the_incomings() -> None:
    world = channel("alice", "bob", mode="static")
    world.feed(ev.SkipRequested(world.now))
    world.settle()
    world.advance(0.3)
    world.look()
    assert list(world.lane) == [cmd.Cut(2, STATIC, None)]
    world.feed(ev.MediaStalled(world.now, STATIC, world.now - 1.0))
    world.carry_out()
    world.deliver()
    program = world.director.switchover.program
    assert program is not None
    assert program.session is not None
    assert program.session.streamer == "bob"
    assert program.stalled_since is not None


def test_static_an_input_that_was_hidden_by_hand_is_shown_again() -> None:
    world = channel("alice", mode="static")
    world.obs.items[STATIC].shown = False
    world.read_inventory()
    assert list(world.lane) == [cmd.ShowInput(STATIC)]
    world.settle()
    assert shown(world) == [STATIC]


def test_static_survives_a_restart_of_obs_though_its_input_bears_no_number() -> None:
    world = channel("alice", mode="static")
    world.obs_lost()
    world.obs_ready()
    world.run(3.0)
    assert (on_air(world), handovers(world)) == ("alice", [])
    world.read_inventory()
    world.settle()
    assert (on_air(world), handovers(world)) == ("alice", [])


# --- from one mode to another -------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", CHOICES["mode"])
@pytest.mark.parametrize("new", CHOICES["mode"])
@pytest.mark.parametrize("how", ["live", "restart"])
def test_any_mode_follows_any_other_without_a_second_picture_or_a_leftover(old: str, new: str, how: str) -> None:
    world = channel("alice", "bob", "carol", mode=old)
    if how == "restart":
        world.crash()
    world.feed(ev.PolicyLoaded(world.now, Policy(mode=new)))
    if how == "restart":
        world.obs_ready()
    for _ in range(3):
        world.run(6.0)
        world.feed(ev.SkipRequested(world.now))
    world.calm()
    numbered = {item.name for item in world.obs.own}
    assert len(numbered) <= (0 if new == "static" else 2)
    assert (shown(world) == [STATIC]) == (new == "static")


def test_the_rollback_to_static_leaves_the_picture_until_the_next_hand_over() -> None:
    world = channel("alice", "bob")
    world.crash()
    world.feed(ev.PolicyLoaded(world.now, Policy(mode="static")))
    world.obs_ready()
    world.run(5.0)
    assert shown(world) == [FIRST]
    world.feed(ev.SkipRequested(world.now))
    world.run(5.0)
    assert (on_air(world), shown(world), world.obs.own) == ("bob", [STATIC], [])


def test_the_rollback_to_static_shows_the_slate_within_a_second_of_the_end_of_what_is_on_air() -> None:
    world = channel("alice", "bob", reconnect_grace=0.0)
    world.unpublish("bob")
    world.unpublish("alice")
    world.feed(ev.PolicyLoaded(world.now, Policy(mode="static", slate="SLATE")))
    world.run_until(lambda: "SLATE" in world.obs.slates, 1.0)
    assert shown(world) == []


# --- settings -----------------------------------------------------------------------------------------------------


def test_a_setting_takes_effect_with_the_next_input() -> None:
    world = channel("alice")
    world.feed(ev.SettingChanged(world.now, "z_offset", 0))
    world.publish("bob")
    world.run(2.0)
    assert commands(world, cmd.PlaceInput)[-1] == cmd.PlaceInput(2, SECOND, 0, FIRST)


def test_what_was_set_live_stays_until_the_file_says_something_new() -> None:
    world = channel("alice")
    world.feed(ev.SettingChanged(world.now, "job_delay", 7))
    world.feed(ev.PolicyLoaded(world.now, Policy(turn=60.0)))
    assert (world.director.policy.job_delay, world.director.policy.turn) == (7, 60.0)
    world.feed(ev.PolicyLoaded(world.now, Policy(turn=60.0, job_delay=3.0)))
    assert world.director.policy.job_delay == 3.0


def test_standby_given_up_live_removes_it_and_taken_up_again_makes_it() -> None:
    world = channel("alice", "bob")
    world.feed(ev.SettingChanged(world.now, "standby", False))
    world.settle()
    assert [item.name for item in world.obs.own] == [FIRST]
    world.feed(ev.SettingChanged(world.now, "standby", True))
    world.run(1.0)
    assert standby(world) == "bob"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("colour", "red", "there is no setting colour"),
        ("turn", "long", "turn takes a number"),
        ("turn", True, "turn takes a number"),
        ("turn", 0, "turn takes more than 0 and at most 1e+09"),
        ("job_delay", -1.0, "job_delay takes at least 0 and at most 1e+09"),
        ("job_delay", float("inf"), "job_delay takes at least 0 and at most 1e+09"),
        ("z_offset", 1.5, "z_offset takes a whole number"),
        ("standby", 1, "standby takes true or false"),
        ("slate", 5, "slate takes a text"),
        ("mode", "magic", "mode takes one of: dynamic, pooled, static"),
        ("after_turn", "", "after_turn takes one of: requeue, kick"),
        ("during_grace", "x", "during_grace takes one of: next, slate"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(
    name: str, value: bool | int | float | str, problem: str
) -> None:
    world = channel("alice")
    before = world.director.policy
    world.feed(ev.SettingChanged(world.now, name, value))
    assert refusals(world) == ["bad_setting"]
    assert world.director.policy == before
    assert before.problem(name, value) == problem


def test_every_default_is_a_value_that_may_be_set() -> None:
    policy = Policy()
    for name in Policy.__dataclass_fields__:
        assert policy.problem(name, getattr(policy, name)) is None
