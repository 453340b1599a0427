"""The order of the streamers: turns, grace, blocks, skips. Time is moved by hand."""

from typing import Any

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup
from statemachine.policy import Policy


def session(streamer: str, number: int = 1, **changes: Any) -> ev.Session:
    return ev.Session(f"srs:1/{streamer}{number}", streamer, "live", streamer, **changes)


def lineup(*streamers: str, **policy: Any) -> Lineup:
    """Joined at 1, 2, …; the first has had the turn since 10."""
    line = Lineup(Policy(**policy))
    for at, streamer in enumerate(streamers, 1):
        line.publishers.publish(float(at), session(streamer))
    if streamers:
        line.turns.shown(10.0, streamers[0])
    line.facts.clear()
    return line


def names(line: Lineup) -> list[str]:
    return [entry.streamer for entry in line]


def entry(line: Lineup, streamer: str) -> Entry:
    found = line.find(streamer)
    assert found is not None
    return found


def told(line: Lineup) -> list[str]:
    """What has happened since the last look, in short."""
    short = [f"{f.what} {f.streamer}".strip() for f in line.facts if isinstance(f, facts.LineupChanged)]
    short += [f.code for f in line.facts if isinstance(f, facts.Refused)]
    line.facts.clear()
    return short


# --- order --------------------------------------------------------------------------------------------------------


def test_first_come_first_served() -> None:
    assert names(lineup("alice", "bob", "carol")) == ["alice", "bob", "carol"]


def test_a_repeated_hook_changes_nothing() -> None:
    line = lineup("alice", "bob")
    before = line.state
    line.publishers.publish(11.0, session("bob"))
    assert line.state == before


def test_the_end_of_a_stream_moves_on_to_the_next() -> None:
    line = lineup("alice", "bob", reconnect_grace=0.0)
    line.publishers.unpublish(11.0, session("alice").id)
    assert names(line) == ["bob"]
    assert told(line) == ["left alice"]


def test_the_end_of_a_session_that_nobody_knows_changes_nothing() -> None:
    line = lineup("alice")
    line.publishers.unpublish(11.0, "srs:1/unheard")
    assert names(line) == ["alice"]
    assert entry(line, "alice").sessions == (session("alice"),)


def test_a_move_changes_who_is_next_and_keeps_the_rest() -> None:
    line = lineup("alice", "bob", "carol", "dave")
    line.requests.move(11.0, "dave", 1)
    assert names(line) == ["alice", "dave", "bob", "carol"]
    assert told(line) == ["moved dave"]


@pytest.mark.parametrize(
    ("streamer", "position", "code"),
    [
        ("zoe", 1, "not_found"),
        ("alice", 1, "on_air"),
        ("bob", 0, "bad_position"),
        ("bob", 3, "bad_position"),
        ("bob", -1, "bad_position"),
    ],
)
def test_a_move_that_cannot_be_is_refused_with_its_reason(streamer: str, position: int, code: str) -> None:
    line = lineup("alice", "bob", "carol")
    line.requests.move(11.0, streamer, position)
    assert told(line) == [code]
    assert names(line) == ["alice", "bob", "carol"]


def test_before_anybodys_turn_the_first_place_can_be_moved_to() -> None:
    line = Lineup(Policy())
    for name in ("alice", "bob"):
        line.publishers.publish(1.0, session(name))
    line.requests.move(2.0, "bob", 0)
    assert names(line) == ["bob", "alice"]


# --- turns --------------------------------------------------------------------------------------------------------


def test_a_turn_counts_from_the_picture() -> None:
    line = lineup("alice", "bob", turn=60.0)
    assert line.turn_ends(entry(line, "alice")) == 70.0
    assert line.turn_ends(entry(line, "bob")) is None
    assert line.deadline(10.0) == 70.0


def test_a_turn_that_is_over_goes_to_the_tail() -> None:
    line = lineup("alice", "bob", "carol", turn=60.0)
    line.expire(69.9)
    assert names(line) == ["alice", "bob", "carol"]
    line.expire(70.0)
    assert names(line) == ["bob", "carol", "alice"]
    assert entry(line, "alice").turn_began is None
    assert told(line) == ["turn_ended alice", "requeued alice"]


def test_nobodys_turn_ends_while_nobody_waits() -> None:
    line = lineup("alice", turn=60.0)
    line.expire(1000.0)
    assert entry(line, "alice").turn_began == 10.0
    line.publishers.publish(1001.0, session("bob"))
    line.expire(1001.0)
    assert names(line) == ["bob", "alice"]


def test_one_who_waits_but_cannot_be_shown_ends_nobodys_turn() -> None:
    line = lineup("alice", "bob", turn=60.0)
    line.standing.failed(69.0, session("bob").id)
    line.expire(70.0)
    assert names(line) == ["alice", "bob"]
    line.expire(74.0)
    assert names(line) == ["bob", "alice"]


def test_a_turn_ends_alone_too_where_the_policy_says_so() -> None:
    line = lineup("alice", turn=60.0, turn_when_alone=True)
    line.expire(70.0)
    assert entry(line, "alice").turn_began is None


def test_after_a_turn_the_policy_may_kick() -> None:
    line = lineup("alice", "bob", turn=60.0, after_turn="kick")
    line.expire(70.0)
    assert (names(line), line.commands) == (["bob", "alice"], []), "kicked while on air"
    assert not line.turns.dismiss(70.0, session("alice"))
    assert line.turns.dismiss(71.0, session("bob"))
    assert names(line) == ["bob"]
    assert line.commands == [cmd.KickSession(session("alice"), "turn over")]


def test_one_who_is_to_go_is_nobodys_follower() -> None:
    line = lineup("alice", "bob", turn=60.0, after_turn="kick")
    line.expire(70.0)
    line.standing.failed(71.0, session("bob").id)
    assert line.first_showable(71.0) is None


def test_a_streamers_own_turn_wins_over_the_policys() -> None:
    line = Lineup(Policy(turn=60.0))
    line.publishers.publish(1.0, session("alice", turn=20.0))
    line.turns.shown(10.0, "alice")
    assert line.turn_ends(entry(line, "alice")) == 30.0


def test_a_turn_is_changed_live_for_one_and_restarted() -> None:
    line = lineup("alice", "bob", turn=60.0)
    line.requests.set_turn(ev.TurnChanged(20.0, 15.0, "alice"))
    assert line.turn_ends(entry(line, "alice")) == 25.0
    line.requests.set_turn(ev.TurnChanged(20.0, 15.0, "alice", restart=True))
    assert line.turn_ends(entry(line, "alice")) == 35.0
    assert line.deadline(20.0) == 35.0
    line.requests.set_turn(ev.TurnChanged(20.0, 15.0, "zoe"))
    assert told(line) == ["turn_changed alice", "turn_changed alice", "not_found"]


def test_the_next_turn_of_one_has_the_usual_length_again() -> None:
    line = lineup("alice", "bob", turn=60.0)
    line.requests.set_turn(ev.TurnChanged(20.0, 15.0, "alice"))
    line.expire(25.0)
    assert line.turn_length(entry(line, "alice")) == 60.0


def test_held_no_turn_ends_by_the_clock() -> None:
    line = lineup("alice", "bob", turn=60.0)
    line.requests.hold(20.0, True)
    line.expire(500.0)
    assert names(line) == ["alice", "bob"]
    assert line.deadline(500.0) is None
    line.requests.hold(501.0, False)
    line.expire(501.0)
    assert names(line) == ["bob", "alice"]
    assert told(line) == ["held alice", "released alice", "turn_ended alice", "requeued alice"]


def test_holding_twice_is_told_once() -> None:
    line = lineup("alice")
    line.requests.hold(20.0, True)
    line.requests.hold(21.0, True)
    assert told(line) == ["held alice"]


def test_one_who_fills_in_has_no_turn_of_its_own() -> None:
    line = lineup("alice", "bob")
    line.publishers.unpublish(11.0, session("alice").id)
    line.turns.shown(12.0, "bob")
    assert entry(line, "alice").turn_began == 10.0
    assert entry(line, "bob").turn_began is None
    assert names(line) == ["alice", "bob"]


def test_who_comes_on_air_for_want_of_others_has_its_turn_and_the_first_place() -> None:
    line = Lineup(Policy())
    for name in ("alice", "bob", "carol"):
        line.publishers.publish(1.0, session(name))
    line.turns.shown(5.0, "carol")
    assert names(line) == ["carol", "alice", "bob"]
    assert entry(line, "carol").turn_began == 5.0


# --- skip, remove, kick -------------------------------------------------------------------------------------------


def test_a_skip_ends_the_turn_of_the_one_on_air() -> None:
    line = lineup("alice", "bob", "carol")
    line.requests.skip(11.0, "alice")
    assert names(line) == ["bob", "carol", "alice"]
    assert line.why == ("skip", "alice")


def test_a_skip_is_refused_where_nobody_waits() -> None:
    line = lineup("alice")
    line.requests.skip(11.0, "alice")
    assert told(line) == ["nobody_waits"]
    assert entry(line, "alice").turn_began == 10.0


def test_a_skip_is_refused_where_nobody_who_waits_can_be_shown_and_the_turn_goes_on() -> None:
    line = lineup("alice", "bob")
    line.standing.failed(10.5, session("bob").id)
    line.requests.skip(11.0, "alice")
    assert told(line) == ["nobody_waits"]
    assert names(line) == ["alice", "bob"]
    assert (entry(line, "alice").turn_began, line.why) == (10.0, ("", ""))


def test_a_skip_is_refused_where_nobody_is_there() -> None:
    line = Lineup(Policy())
    line.requests.skip(11.0, "")
    assert told(line) == ["nobody_on_air"]


def test_a_second_press_of_skip_does_not_skip_one_whom_nobody_has_seen() -> None:
    line = lineup("alice", "bob", "carol")
    line.requests.skip(11.0, "alice")
    line.requests.skip(11.1, "alice")
    assert told(line)[-1] == "handover_pending"
    assert names(line) == ["bob", "carol", "alice"]


def test_a_skip_of_one_who_fills_in_ends_the_absent_ones_turn_too() -> None:
    line = lineup("alice", "bob", "carol")
    line.publishers.unpublish(11.0, session("alice").id)
    line.turns.shown(12.0, "bob")
    line.requests.skip(13.0, "bob")
    assert names(line) == ["carol", "bob"]


def test_a_skip_with_nothing_on_air_passes_over_the_one_who_loads() -> None:
    line = Lineup(Policy())
    for name in ("alice", "bob"):
        line.publishers.publish(1.0, session(name))
    line.requests.skip(2.0, "")
    assert names(line) == ["bob", "alice"]


def test_one_who_was_removed_joins_again_only_with_a_new_publish() -> None:
    line = lineup("alice", "bob")
    line.requests.remove(11.0, "bob")
    assert names(line) == ["alice"]
    line.publishers.listed(ev.PublishersListed(20.0, "srs:1/", 20.0, (session("alice"), session("bob"))))
    assert names(line) == ["alice"]
    line.publishers.unpublish(21.0, session("bob").id)
    line.publishers.publish(22.0, session("bob", 2))
    assert names(line) == ["alice", "bob"]


def test_removing_or_kicking_one_who_is_not_there_is_told() -> None:
    line = lineup("alice")
    line.requests.remove(11.0, "zoe")
    line.requests.kick(11.0, "zoe", 60.0)
    assert told(line) == ["blocked zoe", "not_found"]
    assert line.admits("zoe", 12.0) is not None


def test_one_who_is_let_in_may_publish_at_once_and_nobody_is_cut_off_by_it() -> None:
    line = lineup("alice", "bob")
    line.requests.kick(11.0, "alice", 60.0)
    line.requests.unblock(12.0, "alice")
    line.commands.clear()
    line.publishers.publish(13.0, session("alice", 2))
    assert told(line)[-2:] == ["let_in alice", "joined alice"]
    line.requests.unblock(14.0, "alice")
    assert told(line) == ["not_blocked"], "the time may be over when somebody presses the button"
    assert line.find("alice") is not None
    assert line.commands == []


def test_a_kick_cuts_off_and_keeps_out_until_it_expires_by_itself() -> None:
    line = lineup("alice", "bob")
    line.requests.kick(11.0, "alice", 60.0)
    assert names(line) == ["bob"]
    assert line.commands == [cmd.KickSession(session("alice"), "kicked")]
    refused = line.admits("alice", 41.0)
    assert refused is not None
    assert (refused.code, refused.message) == ("blocked", "alice is blocked for another 30 s")
    assert line.admits("alice", 71.0) is None
    line.expire(71.0)
    assert line.blocks == {}


def test_a_blocked_one_who_slipped_past_the_hook_is_kicked_and_stays_out() -> None:
    line = lineup("alice")
    line.requests.kick(11.0, "bob", 60.0)
    line.publishers.listed(ev.PublishersListed(20.0, "srs:1/", 20.0, (session("alice"), session("bob"))))
    line.publishers.listed(ev.PublishersListed(22.0, "srs:1/", 22.0, (session("alice"), session("bob"))))
    assert names(line) == ["alice"]
    assert line.commands == [cmd.KickSession(session("bob"), "blocked")]


def test_block_last_keeps_the_last_one_out_while_nobody_else_is_there() -> None:
    line = lineup("alice", block_last=True, reconnect_grace=0.0)
    line.turns.shown(11.0, "alice")
    line.publishers.unpublish(20.0, session("alice").id)
    refused = line.admits("alice", 21.0)
    assert refused is not None
    assert refused.code == "last_streamer"
    line.publishers.publish(21.0, session("bob"))
    assert line.admits("alice", 22.0) is None
    line.turns.shown(22.0, "bob")
    line.publishers.unpublish(30.0, session("bob").id)
    assert line.admits("alice", 31.0) is None
    assert line.admits("bob", 31.0) is not None


def test_block_last_does_not_touch_one_who_is_in_the_line_up() -> None:
    line = lineup("alice", "bob", block_last=True)
    line.requests.skip(11.0, "alice")
    assert line.admits("alice", 12.0) is None
