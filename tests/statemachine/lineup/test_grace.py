"""Absence, failures and stalls: who keeps the place, and for how long. Time is moved by hand."""

from statemachine import events as ev
from tests.statemachine.lineup.test_lineup import entry, lineup, names, session, told
from tests.statemachine.model_ingest import SERVER

# --- grace --------------------------------------------------------------------------------------------------------


def test_one_who_returns_within_the_grace_keeps_the_turn_and_its_clock() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.publishers.unpublish(20.0, session("alice").id)
    line.expire(27.9)
    line.publishers.publish(27.9, session("alice", 2))
    assert names(line) == ["alice", "bob"]
    assert entry(line, "alice").turn_began == 10.0
    assert told(line) == ["away alice", "returned alice"]


def test_one_who_waits_keeps_the_place_likewise() -> None:
    line = lineup("alice", "bob", "carol", reconnect_grace=8.0)
    line.publishers.unpublish(20.0, session("bob").id)
    line.publishers.publish(25.0, session("bob", 2))
    assert names(line) == ["alice", "bob", "carol"]


def test_the_grace_ends_on_its_deadline() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.publishers.unpublish(20.0, session("alice").id)
    assert line.deadline(20.0) == 28.0
    line.expire(28.0)
    assert names(line) == ["bob"]


def test_flapping_uses_the_grace_up() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0, grace_cap=10.0)
    line.publishers.unpublish(20.0, session("alice").id)
    line.publishers.publish(27.0, session("alice", 2))
    line.publishers.unpublish(30.0, session("alice", 2).id)
    assert line.grace_ends(entry(line, "alice")) == 33.0
    line.publishers.publish(33.0 - 1e-3, session("alice", 3))
    line.publishers.unpublish(40.0, session("alice", 3).id)
    line.expire(40.01)
    assert names(line) == ["bob"]


def test_a_new_turn_has_its_whole_grace_again() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0, grace_cap=10.0)
    line.publishers.unpublish(20.0, session("alice").id)
    line.publishers.publish(27.0, session("alice", 2))
    line.requests.skip(30.0, "alice")
    line.turns.shown(31.0, "bob")
    line.requests.skip(40.0, "bob")
    line.turns.shown(41.0, "alice")
    assert entry(line, "alice").grace_used == 0.0


def test_grace_that_ran_while_the_daemon_did_not_is_not_counted() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.publishers.unpublish(20.0, session("alice").id)
    line.shift_deadlines(30.0)
    line.expire(57.9)
    assert names(line) == ["alice", "bob"]
    line.expire(58.0)
    assert names(line) == ["bob"]


def test_without_grace_the_place_is_lost_at_once() -> None:
    line = lineup("alice", "bob", reconnect_grace=0.0)
    line.publishers.unpublish(20.0, session("bob").id)
    assert names(line) == ["alice"]


# --- failures and stalls ------------------------------------------------------------------------------------------


def test_failures_are_retried_less_and_less_often() -> None:
    line = lineup("alice", "bob", retry_first=5.0, retry_most=60.0)
    line.publishers.listed(ev.PublishersListed(10.0, SERVER, 10.0, (session("alice"), session("bob"))))
    pauses = []
    for _ in range(6):
        line.standing.failed(100.0, session("bob").id)
        pauses.append((entry(line, "bob").retry_at or 0.0) - 100.0)
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_one_who_failed_is_not_showable_until_its_retry() -> None:
    line = lineup("alice", "bob", "carol")
    line.standing.failed(100.0, session("bob").id)
    assert line.first_showable(104.9, but="alice") == entry(line, "carol")
    assert line.first_showable(105.0, but="alice") == entry(line, "bob")
    assert line.deadline(100.0) == 105.0


def test_after_a_picture_a_new_publish_is_a_new_chance() -> None:
    line = lineup("alice", "bob")
    line.standing.seen(session("bob").id)
    line.standing.failed(100.0, session("bob").id)
    line.publishers.unpublish(101.0, session("bob").id)
    line.publishers.publish(102.0, session("bob", 2))
    assert entry(line, "bob").showable(102.0)


def test_an_encoder_that_comes_and_goes_without_a_picture_keeps_its_backoff() -> None:
    line = lineup("alice", "bob", reconnect_grace=2.0)
    at, tries = 100.0, 0
    for number in range(1, 200):
        if entry(line, "bob").may_try(at):
            line.standing.failed(at, session("bob", number).id)
            tries += 1
        line.publishers.unpublish(at + 1.0, session("bob", number).id)
        at += 2.0 if number % 2 else 6.0
        line.expire(at)
        line.publishers.publish(at, session("bob", number + 1))
    # 800 seconds: after 0, 5, 15, 35, 75, 155, 315 and 615.
    assert tries <= 8
    assert entry(line, "bob").failures == tries


def test_a_move_by_hand_forgets_failures() -> None:
    line = lineup("alice", "bob", "carol")
    for at in (100.0, 101.0, 102.0):
        line.standing.failed(at, session("carol").id)
    line.requests.move(103.0, "carol", 1)
    assert (entry(line, "carol").failures, entry(line, "carol").showable(103.0)) == (0, True)


def test_a_publisher_that_no_server_lists_and_that_never_has_a_picture_is_gone_after_some_failures() -> None:
    line = lineup("alice", "bob")
    for count in range(5):
        assert line.find("bob") is not None, count
        line.standing.failed(100.0 + count, session("bob").id)
    assert line.find("bob") is None
    line.publishers.publish(106.0, session("bob"))
    assert line.find("bob") is None, "its hook told again"
    line.publishers.publish(107.0, session("bob", 2))
    assert not entry(line, "bob").showable(107.0), "its backoff goes on"
    assert entry(line, "bob").showable(100.0 + 4 + 80.0)


def test_of_two_sessions_of_a_streamer_the_newer_one_is_tried_when_the_older_has_no_picture() -> None:
    line = lineup("alice", "bob")
    line.publishers.publish(50.0, session("bob", 2))
    assert entry(line, "bob").session == session("bob")
    line.standing.failed(100.0, session("bob").id)
    assert entry(line, "bob").session == session("bob", 2)


def test_a_stalled_holder_keeps_the_turn_for_its_grace() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.standing.stalled(20.0, session("alice").id, 19.0)
    assert not entry(line, "alice").showable(20.0)
    line.expire(26.9)
    assert names(line) == ["alice", "bob"]
    line.expire(27.0)
    assert names(line) == ["bob", "alice"]
    assert entry(line, "alice").retry_at == 32.0


def test_a_hiccup_costs_nobody_the_turn() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.standing.stalled(20.0, session("alice").id, 19.0)
    line.standing.resumed(23.0, session("alice").id)
    assert entry(line, "alice").turn_began == 10.0
    assert entry(line, "alice").grace_used == 4.0
    line.expire(100.0)
    assert names(line) == ["alice", "bob"]


def test_a_stalled_holder_alone_keeps_the_turn() -> None:
    line = lineup("alice", reconnect_grace=8.0)
    line.standing.stalled(20.0, session("alice").id, 19.0)
    line.expire(100.0)
    assert entry(line, "alice").turn_began == 10.0


def test_held_a_stall_takes_nobodys_turn() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.requests.hold(15.0, True)
    line.standing.stalled(20.0, session("alice").id, 19.0)
    line.expire(100.0)
    assert names(line) == ["alice", "bob"]


def test_one_who_fills_in_and_stalls_waits_for_its_retry() -> None:
    line = lineup("alice", "bob", "carol")
    line.publishers.unpublish(20.0, session("alice").id)
    line.standing.stalled(21.0, session("bob").id, 20.5)
    assert entry(line, "bob").stalled_since is None
    assert entry(line, "bob").retry_at == 26.0


def test_the_grace_of_a_stall_is_not_counted_twice_when_a_second_session_comes() -> None:
    line = lineup("alice", "bob")
    line.standing.stalled(20.0, session("alice").id, 20.0)
    line.publishers.publish(22.0, session("alice", 2))
    line.standing.resumed(24.0, session("alice").id)
    assert entry(line, "alice").grace_used == 4.0


def test_the_grace_of_a_stall_does_not_end_while_a_fresh_picture_proves_itself() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.standing.stalled(20.0, session("alice").id, 20.0)
    line.standing.start_probation(session("alice").id, 29.5)
    assert line.deadline(27.0) == 29.5
    line.expire(29.4)
    assert names(line) == ["alice", "bob"]
    line.standing.resumed(29.5, session("alice").id)
    line.expire(100.0)
    assert names(line) == ["alice", "bob"]


def test_a_fresh_picture_that_fails_proves_nothing() -> None:
    line = lineup("alice", "bob", reconnect_grace=8.0)
    line.standing.stalled(20.0, session("alice").id, 20.0)
    line.standing.start_probation(session("alice").id, 29.5)
    line.standing.failed(27.0, session("alice").id)
    line.expire(28.0)
    assert names(line) == ["bob", "alice"]


def test_one_who_did_not_stall_has_nothing_to_prove() -> None:
    line = lineup("alice", "bob")
    before = line.state
    line.standing.start_probation(session("alice").id, 29.5)
    line.standing.start_probation("srs:1/unheard", 29.5)
    assert line.state == before


def test_what_obs_fails_at_is_not_taken_for_a_publisher_that_has_left() -> None:
    line = lineup("alice", "bob")
    for count in range(12):
        line.standing.failed(100.0 + count, session("bob").id, silent=False)
    assert entry(line, "bob").failures == 12
