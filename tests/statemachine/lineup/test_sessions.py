"""Hooks come late, twice, in another order or not at all; the server's own list has the last word."""

from itertools import permutations

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine.lineup.lineup import Lineup
from statemachine.lineup.sessions import ENDED_MOST, EVICTED_MOST
from statemachine.policy import Policy
from tests.statemachine.lineup.test_lineup import entry, names, session, told

SERVER = "srs:1/"
A, B = session("alice", 1), session("alice", 2)


def listed(line: Lineup, at: float, *live: ev.Session, asked_at: float | None = None, server: str = SERVER) -> None:
    line.publishers.listed(ev.PublishersListed(at, server, at if asked_at is None else asked_at, live))


def playing(line: Lineup, streamer: str = "alice") -> str:
    found = line.find(streamer)
    return found.session.id if found and found.session else ""


# --- hooks --------------------------------------------------------------------------------------------------------


def test_a_second_publish_is_not_played_before_the_first_ends() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.publishers.publish(2.0, B)
    assert playing(line) == A.id


def test_publish_a_publish_b_unpublish_a_leaves_b_playing() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.publishers.publish(2.0, B)
    line.publishers.unpublish(3.0, A.id)
    assert playing(line) == B.id
    assert told(line) == ["joined alice"]


def test_a_second_publisher_who_was_refused_after_all_changes_nothing() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.publishers.publish(2.0, B)
    line.publishers.unpublish(2.001, B.id)
    assert playing(line) == A.id


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_in_whatever_order_the_hooks_of_a_reconnect_come_the_live_one_plays(order: tuple[int, ...]) -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    hooks = [
        lambda at: line.publishers.publish(at, A),
        lambda at: line.publishers.unpublish(at, A.id),
        lambda at: line.publishers.publish(at, B),
        lambda at: line.publishers.publish(at, B),
    ]
    for at, index in enumerate(order, 1):
        hooks[index](float(at))
    assert playing(line) == B.id
    assert names(line) == ["alice"]


def test_the_picture_of_another_stream_of_it_does_not_excuse_the_one_that_failed() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.publishers.publish(2.0, B)
    line.standing.failed(3.0, A.id, reason="not_ready")
    line.standing.failed(4.0, B.id, reason="not_ready")
    assert playing(line) == A.id
    line.standing.relieve(5.0, B.id, on_air=True)
    problem = entry(line, "alice").problem
    assert problem is not None, "she waits for her next try, and nobody would say why"
    line.standing.relieve(6.0, A.id, on_air=True)
    assert entry(line, "alice").problem is None


def test_an_end_that_comes_before_its_beginning_is_still_its_end() -> None:
    line = Lineup(Policy())
    line.publishers.unpublish(1.0, A.id)
    line.publishers.publish(2.0, A)
    assert names(line) == []


def test_one_id_cannot_publish_two_streams_so_the_first_ones_end_was_lost() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    line.publishers.publish(5.0, ev.Session(A.id, "bob", "live", "bob"))
    assert names(line) == ["bob"]
    line.publishers.unpublish(6.0, A.id)
    assert names(line) == []


def test_one_id_that_publishes_another_stream_of_its_streamer_plays_that() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    again = ev.Session(A.id, "alice", "live", "second")
    line.publishers.publish(5.0, again)
    assert entry(line, "alice").sessions == (again,)


# --- the server's list --------------------------------------------------------------------------------------------


def test_a_lost_publish_is_made_up_for() -> None:
    line = Lineup(Policy())
    listed(line, 10.0, A)
    assert names(line) == ["alice"]


def test_a_lost_end_is_made_up_for_by_two_absences() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    listed(line, 10.0)
    assert names(line) == ["alice"]
    listed(line, 12.0)
    assert names(line) == []


def test_the_same_list_twice_is_one_absence() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    listed(line, 10.0, asked_at=10.0)
    listed(line, 11.0, asked_at=10.0)
    assert names(line) == ["alice"]


def test_one_absence_between_two_presences_is_no_end() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    listed(line, 10.0)
    listed(line, 12.0, A)
    listed(line, 14.0)
    assert names(line) == ["alice"]


def test_a_young_session_may_be_missing_from_the_list() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(10.0, A)
    listed(line, 10.5)
    listed(line, 11.9)
    assert names(line) == ["alice"]
    listed(line, 12.1)
    assert names(line) == []


def test_a_list_asked_for_before_a_publish_is_none_of_the_two_that_end_it() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(10.0, A)
    listed(line, 9.0)
    listed(line, 14.0)
    assert names(line) == ["alice"]


def test_a_list_speaks_for_its_own_server_only() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    for at in (10.0, 12.0, 14.0):
        listed(line, at, server="srs:2/")
    assert names(line) == ["alice"]


def test_a_stale_list_does_not_revive_one_who_has_ended() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, A)
    line.publishers.unpublish(10.0, A.id)
    listed(line, 10.2, A, asked_at=9.9)
    assert names(line) == []


def test_a_spoofed_end_is_undone_by_a_list_asked_for_well_after_it() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    line.publishers.publish(1.0, A)
    line.turns.shown(2.0, "alice")
    line.publishers.unpublish(10.0, A.id)
    listed(line, 12.5, A)
    assert playing(line) == A.id
    assert entry(line, "alice").turn_began == 2.0


def test_the_list_of_a_restarted_server_ends_what_it_no_longer_knows() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    line.publishers.publish(1.0, A)
    listed(line, 10.0, B)
    listed(line, 12.0, B)
    assert playing(line) == B.id


def test_one_who_was_taken_out_stays_out_for_as_long_as_it_publishes() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.requests.remove(5.0, "alice")
    for at in (10.0, 100.0, 1000.0):
        line.expire(at)
        listed(line, at, A)
        line.publishers.publish(at, A)
    assert names(line) == []


def test_the_absence_of_one_who_was_taken_out_is_seen_too() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, A)
    line.requests.remove(5.0, "alice")
    listed(line, 10.0)
    listed(line, 12.0)
    assert line.state.evicted == {}
    assert line.commands == []


# --- asked for by hand --------------------------------------------------------------------------------------------

BY_HAND = ev.Session("test:1", "alice", "live", "alice")


def test_a_stream_asked_for_by_hand_leaves_with_its_turn() -> None:
    line = Lineup(Policy(turn=60.0))
    line.publishers.publish(1.0, BY_HAND, transient=True)
    line.turns.shown(2.0, "alice")
    line.publishers.publish(3.0, session("bob"))
    line.requests.skip(4.0, "alice")
    assert line.turns.dismiss(5.0, session("bob"))
    assert names(line) == ["bob"]
    assert line.state.evicted == {}


def test_a_stream_asked_for_by_hand_that_does_not_play_leaves() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, BY_HAND, transient=True)
    line.standing.failed(16.0, BY_HAND.id)
    assert names(line) == []


def test_a_stream_asked_for_by_hand_that_stalls_leaves_after_its_grace() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    line.publishers.publish(1.0, BY_HAND, transient=True)
    line.turns.shown(2.0, "alice")
    line.standing.stalled(10.0, BY_HAND.id, 9.0)
    line.expire(17.0)
    assert names(line) == []


def test_a_stream_asked_for_by_hand_that_announces_itself_stays() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, BY_HAND, transient=True)
    line.publishers.publish(2.0, A)
    assert entry(line, "alice").sessions == (A,)
    assert not entry(line, "alice").transient


# --- memory -------------------------------------------------------------------------------------------------------


def test_ten_thousand_publishers_later_nothing_is_remembered_of_them() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    for number in range(10_000):
        at = float(number)
        someone = session(f"s{number % 50}", number)
        line.publishers.publish(at, someone)
        if number % 3 == 0:
            line.requests.remove(at + 0.1, someone.streamer)
        if number % 7 == 0:
            line.requests.kick(at + 0.1, someone.streamer, 5.0)
        line.publishers.unpublish(at + 0.2, someone.id)
        line.expire(at + 0.3)
        listed(line, at + 0.4)
    line.expire(20_000.0)
    state = line.state
    assert (state.entries, state.evicted, state.ended, state.missing) == ([], {}, {}, {})
    assert (state.blocks, state.born) == ({}, {})


def test_a_server_that_loses_every_end_does_not_fill_the_memory() -> None:
    line = Lineup(Policy())
    for number in range(EVICTED_MOST + 500):
        someone = session("alice", number)
        line.publishers.publish(float(number), someone)
        line.requests.remove(number + 0.5, "alice")
        line.expire(number + 0.6)
    assert len(line.state.evicted) == EVICTED_MOST


def test_ends_without_end_do_not_fill_the_memory_and_the_last_are_remembered() -> None:
    line = Lineup(Policy())
    for number in range(ENDED_MOST + 500):
        at = 1.0 + number / 1000
        line.publishers.publish(at, session("alice", number))
        line.publishers.unpublish(at, session("alice", number).id)
        line.expire(at)
    assert len(line.state.ended) == ENDED_MOST
    line.publishers.publish(10.0, session("alice", ENDED_MOST + 499))
    assert names(line) == ["alice"]
    assert not next(iter(line)).sessions


def test_kicking_a_stream_asked_for_by_hand_kicks_nobodys_session() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, BY_HAND, transient=True)
    line.requests.kick(2.0, "alice", 60.0)
    assert names(line) == []
    assert not any(isinstance(command, cmd.KickSession) for command in line.commands)


# --- what a server refused after its hook was answered ------------------------------------------------------------


def knocked(knocks: int) -> Lineup:
    """Alice's encoder comes back again and again before its server has given up the old connection, which ends then.

    The hook says yes, the server that the path is busy, and nobody tells of an end.
    """
    line = Lineup(Policy())
    line.publishers.publish(1.0, session("alice", 0))
    line.turns.shown(2.0, "alice")
    for number in range(1, knocks + 1):
        line.publishers.publish(10.0 + number, session("alice", number))
    line.publishers.unpublish(20.0, session("alice", 0).id)
    return line


def fails(line: Lineup, at: float) -> None:
    line.standing.failed(at, entry(line, "alice").sessions[0].id)


@pytest.mark.parametrize("knocks", [1, 3])
def test_what_was_refused_as_busy_is_no_stream_once_the_path_s_publisher_has_left(knocks: int) -> None:
    line = knocked(knocks)
    assert names(line) == ["alice"], "one of them may be in, after all"
    fails(line, 35.0)
    assert names(line) == ["alice"], "it may be OBS that fails"
    fails(line, 50.0)
    assert names(line) == []
    assert line.state.doubted == {}


def test_while_another_one_plays_a_single_failure_is_enough() -> None:
    line = knocked(3)
    line.publishers.publish(21.0, session("bob", 9))
    line.turns.end_turn(22.0, entry(line, "alice"))
    line.turns.shown(23.0, "bob")
    fails(line, 40.0)
    assert names(line) == ["bob"]


def test_one_of_them_that_shows_a_picture_is_a_stream() -> None:
    line = knocked(1)
    line.standing.seen(session("alice", 1).id)
    for at in (35.0, 50.0, 65.0):
        fails(line, at)
    assert names(line) == ["alice"]


def test_a_stream_of_another_path_is_not_doubted() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, session("alice", 0))
    line.publishers.publish(2.0, ev.Session("srs:1/7", "alice", "live", "second"))
    line.publishers.unpublish(20.0, session("alice", 0).id)
    assert line.state.doubted == {}


# --- without a list of the server -------------------------------------------------------------------------------------


def failing(line: Lineup, *times: float) -> Lineup:
    """Alice plays, and no picture of bob comes."""
    for name in ("alice", "bob"):
        line.publishers.publish(1.0, session(name))
    line.turns.shown(2.0, "alice")
    for at in times:
        line.standing.failed(at, session("bob").id)
    return line


FAILURES = (20.0, 40.0, 60.0, 80.0, 100.0)


@pytest.mark.parametrize(
    ("server", "others", "stays"),
    [(SERVER, (), True), ("srs:", (), True), ("srs:2/", (), False), ("srs:", (SERVER,), False)],
    ids=["its server's", "one for all of them", "another server's", "one that says nothing of its server"],
)
def test_one_whom_a_list_vouches_for_keeps_its_place_and_only_that_one(
    server: str, others: tuple[str, ...], stays: bool
) -> None:
    line = Lineup(Policy())
    there = tuple(each for each in (session("alice"), session("bob")) if each.id.startswith(server) and not others)
    for at in (0.5, 1.5):
        line.publishers.listed(ev.PublishersListed(at, server, at, there, others))
    assert names(failing(line, *FAILURES)) == (["alice", "bob"] if stays else ["alice"])
