"""One hand-over at a time: what each row of the table asks of OBS, and what it remembers."""

from dataclasses import replace
from typing import Any

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.handover.effects import BACKOFF_MOST
from statemachine.handover.program import Program
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.policy import Policy

S = State
ALICE = ev.Session("srs:1/a", "alice", "live", "alice")
BOB = ev.Session("srs:1/b", "bob", "live", "bob")
OLD, NEW = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def machine(**policy: Any) -> Switchover:
    """alice is on air in input 1; nothing is under way."""
    made = Switchover(Policy(**policy), {"live/alice": ALICE, "live/bob": BOB}.get)
    on_air = Program(OLD, ALICE, 1.0, 1)
    made.restore(replace(made.kept, state=S.IDLE, program=on_air, next_input=2, last_number=1))
    return made


def at_state(state: State, *, due: bool = True, **policy: Any) -> Switchover:
    """With a hand-over to bob (attempt 2, input 2) as far as ``state``."""
    made = machine(**policy)
    made.begin(10.0, BOB, "skip", due=due)
    if state is not S.CREATING:
        made.handle(ev.InputCreated(11.0, 2))
    if state in (S.STANDBY, S.SWAPPING):
        made.handle(ev.MediaReady(12.0, 2))
    made.commands.clear()
    made.facts.clear()
    assert made.state is state
    return made


def ring(made: Switchover, at: float | None) -> None:
    assert at is not None
    assert made.expire(at)


def state_of(made: Switchover) -> State:
    return made.state


def outcome(made: Switchover) -> str:
    return next(fact.outcome for fact in made.facts if isinstance(fact, facts.HandoverEnded))


def test_a_target_is_created_hidden_under_the_next_number_and_name() -> None:
    made = machine()
    made.begin(10.0, BOB, "skip", due=True)
    assert state_of(made) is S.CREATING
    assert made.commands == [cmd.CreateInput(2, NEW, BOB)]


def test_a_created_input_is_placed_and_watched_until_the_ready_timer_runs_out() -> None:
    made = at_state(S.CREATING, z_offset=3, ready_timeout=15.0)
    made.handle(ev.InputCreated(11.0, 2))
    assert made.commands == [cmd.PlaceInput(2, NEW, 3, OLD), cmd.WatchInput(2, NEW, 15.0)]
    assert made.deadline == 26.0


def test_a_refused_creation_removes_what_may_be_there_all_the_same() -> None:
    made = at_state(S.CREATING)
    made.handle(ev.CreationFailed(11.0, 2, "Input kind not found"))
    ring(made, 11.0)
    assert made.commands == [cmd.RemoveInput(2, NEW, outgoing=False)]
    assert outcome(made) == "creation_failed"
    assert made.program == Program(OLD, ALICE, 1.0, 1)


def test_a_proven_picture_whose_turn_is_due_is_cut_to() -> None:
    made = at_state(S.BUFFERING, slate="SLATE", fade=0.5)
    made.handle(ev.MediaReady(12.0, 2))
    assert made.state is S.SWAPPING
    assert made.commands == [cmd.Cut(2, NEW, OLD, "SLATE", 0.5)]
    assert made.deadline == 12.0 + 2.0 + 0.5


def test_a_proven_picture_whose_turn_is_not_due_waits() -> None:
    made = at_state(S.BUFFERING, due=False)
    made.handle(ev.MediaReady(12.0, 2))
    assert (made.state, made.commands, made.deadline) == (S.STANDBY, [], None)


def test_a_turn_that_comes_while_it_buffers_is_remembered() -> None:
    made = at_state(S.BUFFERING, due=False)
    made.handle(ev.TurnCame(11.5, 2))
    assert state_of(made) is S.BUFFERING
    made.handle(ev.MediaReady(12.0, 2))
    assert state_of(made) is S.SWAPPING


def test_a_standby_whose_turn_comes_is_cut_to_at_once() -> None:
    made = at_state(S.STANDBY, due=False)
    made.handle(ev.TurnCame(20.0, 2))
    assert made.commands == [cmd.Cut(2, NEW, OLD)]


@pytest.mark.parametrize(
    ("event", "told", "opens"),
    [
        (ev.ReadyTimedOut(26.0, 2), "not_ready", False),
        (ev.MediaFailed(11.1, 2, "no more"), "media_failed", False),
        (ev.StreamEnded(12.5, 2), "stream_ended", True),
        (ev.StreamEnded(13.5, 2), "stream_ended", False),
        (ev.TargetChanged(20.0, 2), "superseded", True),
        (ev.TargetChanged(22.0, 2), "superseded", False),
    ],
)
def test_an_incoming_that_comes_to_nothing_is_removed_and_the_one_on_air_stays(
    event: ev.Event, told: str, opens: bool
) -> None:
    for state in (S.BUFFERING, S.STANDBY):
        if state is S.STANDBY and told == "not_ready":
            continue
        made = at_state(state, due=False)
        made.handle(event)
        ring(made, event.at)
        came = made.aftermath()
        if state is S.BUFFERING and opens:
            # It still opens: the sweep takes it once it has.
            assert [left.input for left in came.abandoned] == [NEW]
            assert (made.commands, made.state) == ([], S.IDLE)
        else:
            assert made.commands == [cmd.RemoveInput(2, NEW, outgoing=False)]
        (ended,) = came.ended
        assert (ended.at, ended.attempt.outcome) == (event.at, told)
        assert ended.fact in came.facts
        assert made.program == Program(OLD, ALICE, 1.0, 1)


def test_the_ready_timer_tells_how_long_it_waited() -> None:
    made = at_state(S.BUFFERING, ready_timeout=15.0)
    ring(made, 26.0)
    ended = next(fact for fact in made.facts if isinstance(fact, facts.HandoverEnded))
    assert (ended.input, ended.outcome, ended.detail) == (NEW, "not_ready", "did not become ready within 15.0s")


def test_after_a_cut_the_outgoing_is_removed_when_its_grace_is_over() -> None:
    made = at_state(S.SWAPPING, cleanup_grace=1.0)
    made.handle(ev.CutDone(12.1, 2))
    assert made.program == Program(NEW, BOB, 12.1, 2)
    assert made.deadline == 13.1
    assert not made.expire(13.0)
    ring(made, 13.1)
    assert made.commands == [cmd.RemoveInput(2, OLD, outgoing=True)]
    made.handle(ev.InputRemoved(13.2, 2))
    assert (made.state, made.attempt) == (S.IDLE, None)


def test_a_completed_hand_over_is_timed_from_when_it_was_due() -> None:
    made = at_state(S.STANDBY, due=False)
    made.handle(ev.TurnCame(20.0, 2))
    made.handle(ev.CutDone(20.03, 2))
    ended = next(fact for fact in made.facts if isinstance(fact, facts.HandoverEnded))
    assert ended.seconds == pytest.approx(0.03)
    assert (ended.from_streamer, ended.to_streamer, ended.outgoing) == ("alice", "bob", OLD)


@pytest.mark.parametrize("event", [ev.CutFailed(12.5, 2, "no such item"), ev.CutTimedOut(14.0, 2)])
def test_a_failed_cut_puts_the_outgoing_back_before_the_incoming_goes(event: ev.Event) -> None:
    made = at_state(S.SWAPPING)
    made.handle(event)
    assert made.commands == [cmd.RestoreOutgoing(2, NEW, OLD)]
    assert (made.state, made.deadline) == (S.CLEANUP, None)
    made.handle(ev.OutgoingRestored(15.0, 2))
    ring(made, 15.0)
    assert made.commands[1:] == [cmd.RemoveInput(2, NEW, outgoing=False)]
    assert outcome(made) == "cut_failed"


def test_a_scene_that_cannot_be_put_right_is_tried_again_and_nothing_is_removed_before() -> None:
    made = at_state(S.SWAPPING)
    made.handle(ev.CutFailed(13.0, 2, "no"))
    for tries in range(8):
        made.handle(ev.RestoreFailed(13.0, 2, "no"))
        assert made.deadline == 13.0 + min(BACKOFF_MOST, 0.5 * 2**tries)
        ring(made, made.deadline)
    assert set(map(type, made.commands)) == {cmd.RestoreOutgoing}
    made.handle(ev.OutgoingRestored(90.0, 2))
    ring(made, 90.0)
    assert made.commands[-1] == cmd.RemoveInput(2, NEW, outgoing=False)


def test_a_cut_that_is_answered_after_its_time_changes_nothing() -> None:
    made = at_state(S.SWAPPING)
    ring(made, 14.0)
    made.handle(ev.CutDone(14.5, 2))
    assert made.program == Program(OLD, ALICE, 1.0, 1)
    assert made.commands == [cmd.RestoreOutgoing(2, NEW, OLD)]


def test_a_removal_that_fails_is_retried_with_backoff_and_then_left_to_the_sweep() -> None:
    made = at_state(S.SWAPPING, removal_tries=3)
    made.handle(ev.CutDone(12.1, 2))
    ring(made, 13.1)
    pauses = []
    for _ in range(3):
        made.handle(ev.RemovalFailed(20.0, 2, "still there"))
        pauses.append((made.deadline or 0.0) - 20.0)
        made.expire(made.deadline or 0.0)
    assert pauses == [0.5, 1.0, 2.0]
    made.handle(ev.RemovalFailed(20.0, 2, "still there"))
    came = made.aftermath()
    assert (made.state, came.orphans) == (S.IDLE, (OLD,))
    assert facts.OrphanReported(20.0, OLD, "still there") in came.facts


def test_a_hurried_removal_that_failed_before_gets_one_more_try() -> None:
    made = at_state(S.SWAPPING)
    made.handle(ev.CutDone(12.1, 2))
    ring(made, 13.1)
    made.handle(ev.RemovalFailed(13.5, 2, "still there"))
    assert made.skip_grace(13.6)
    made.handle(ev.RemovalFailed(13.7, 2, "still there"))
    assert (made.state, made.aftermath().orphans) == (S.IDLE, (OLD,))


def test_hurry_does_not_disturb_a_scene_that_is_being_put_right() -> None:
    made = at_state(S.SWAPPING)
    made.handle(ev.CutFailed(13.0, 2, "no"))
    made.handle(ev.RestoreFailed(13.0, 2, "no"))
    assert not made.skip_grace(13.1)
    assert made.deadline == 13.5


def test_nobody_follows_the_outgoing_is_hidden_and_the_slate_shown_in_one_frame() -> None:
    made = machine(slate="SLATE")
    made.begin(10.0, None, "ended", due=True)
    assert made.commands == [cmd.Cut(2, None, OLD, "SLATE")]
    made.handle(ev.CutDone(10.1, 2))
    assert made.program is None
    ring(made, 11.1)
    assert made.commands[-1] == cmd.RemoveInput(2, OLD, outgoing=True)


def test_the_first_picture_leaves_nothing_to_remove() -> None:
    made = machine()
    made.restore(replace(made.kept, program=None))
    made.begin(10.0, BOB, "first", due=True)
    for event in (ev.InputCreated(11.0, 2), ev.MediaReady(12.0, 2), ev.CutDone(12.1, 2)):
        made.handle(event)
    ring(made, 12.1)
    assert (made.state, made.commands[-1]) == (S.IDLE, cmd.Cut(2, NEW, None))


@pytest.mark.parametrize("state", [S.CREATING, S.BUFFERING, S.STANDBY])
def test_obs_lost_stops_the_timers_and_abandons_the_incoming(state: State) -> None:
    made = at_state(state, due=False)
    made.handle(ev.ObsLost(20.0, "gone"))
    assert (made.state, made.attempt, made.deadline) == (S.RECOVERING, None, None)
    assert made.commands == [cmd.AbandonPending()]
    assert outcome(made) == "obs_lost"


def test_a_cut_that_was_under_way_when_obs_was_lost_is_judged_by_the_inventory() -> None:
    for shown, expected in ((NEW, Program(NEW, BOB, 21.0)), (OLD, Program(OLD, ALICE, 1.0))):
        made = at_state(S.SWAPPING)
        made.handle(ev.ObsLost(20.0, "gone"))
        inputs = tuple(ev.OwnInput(name, name == shown) for name in (OLD, NEW))
        made.handle(ev.ObsReady(21.0, ev.Inventory(inputs)))
        assert made.program == expected
        assert made.commands == [cmd.AbandonPending(), cmd.WatchOnAir(shown)]
        assert made.aftermath().orphans == tuple(name for name in (OLD, NEW) if name != shown)


def test_names_pass_over_whatever_obs_has() -> None:
    made = machine()
    made.handle(ev.ObsLost(2.0, "gone"))
    names = (OLD, "GMOTHERSTREAM_41", "GMOTHERSTREAM_x", "OTHER_99", "GMOTHERSTREAM_" + "9" * 5000)
    made.handle(ev.ObsReady(3.0, ev.Inventory(tuple(ev.OwnInput(name, False) for name in names))))
    made.commands.clear()
    made.begin(4.0, BOB, "first", due=True)
    assert made.commands == [cmd.CreateInput(2, "GMOTHERSTREAM_42", BOB)]
