"""One path has one streamer's picture: nobody is shown, named or kicked in another's place."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.codec import from_plain, to_plain
from statemachine.director import Director
from statemachine.lineup.entry import LineupState
from statemachine.lineup.lineup import Lineup
from statemachine.lineup.order import STRAY_FOR
from statemachine.lineup.sessions import MOST_SESSIONS, NAMELESS_MOST
from statemachine.policy import Policy
from statemachine.step import Step
from tests.statemachine.lineup.test_lineup import entry, names, told

SERVER = "srs:1/"
SHOW = "live/show"


def publishes(streamer: str, number: int, stream: str = "show", space: str = "", server: str = SERVER) -> ev.Session:
    return ev.Session(f"{server}{number}", streamer, "live", stream, space=space)


def listed(line: Lineup, at: float, *live: ev.Session, **more: tuple[str, ...]) -> None:
    line.publishers.listed(ev.PublishersListed(at, "srs:", at, live, **more))  # type: ignore[arg-type]  # fields by name


def playing(line: Lineup, streamer: str) -> list[str]:
    found = line.find(streamer)
    return [session.id for session in found.sessions] if found else []


# --- a path that is held ------------------------------------------------------------------------------------------


def test_a_path_that_another_streamer_s_live_session_holds_is_refused_with_the_holder_s_name() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.publish(2.0, publishes("bob", 2))
    assert names(line) == ["alice"]
    (refused,) = [fact for fact in line.facts if isinstance(fact, facts.Refused)]
    assert refused.code == "path_taken"
    assert "alice publishes to that path already: bob needs" in refused.message
    assert "show" not in refused.message, "a stream's name may be a key"
    assert line.commands == [cmd.KickSession(publishes("bob", 2), "path_taken")]


def test_the_same_streamer_may_come_again_to_its_path_before_its_first_end_is_told() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.publish(2.0, publishes("alice", 2))
    assert playing(line, "alice") == ["srs:1/1", "srs:1/2"]


def test_a_path_is_free_once_its_publisher_has_left_though_its_place_is_kept() -> None:
    line = Lineup(Policy(reconnect_grace=8.0))
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.unpublish(2.0, "srs:1/1")
    line.publishers.publish(3.0, publishes("bob", 2))
    line.publishers.publish(4.0, publishes("alice", 3))
    assert playing(line, "bob") == ["srs:1/2"]
    assert playing(line, "alice") == []
    assert told(line)[-1] == "path_taken"


def test_a_later_session_s_path_is_held_as_the_first_one_s() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1, "alice"))
    line.publishers.publish(2.0, publishes("alice", 2))
    line.publishers.publish(3.0, publishes("bob", 3))
    assert names(line) == ["alice"]
    assert line.by_stream(SHOW) == publishes("alice", 2)
    line.publishers.unpublish(4.0, "srs:1/2")
    line.publishers.publish(5.0, publishes("bob", 4))
    assert names(line) == ["alice", "bob"]


def test_two_sessions_of_one_path_hold_it_until_both_have_ended() -> None:
    line = Lineup(Policy())
    for number in (1, 2):
        line.publishers.publish(float(number), publishes("alice", number))
    line.publishers.unpublish(3.0, "srs:1/2")
    line.publishers.publish(4.0, publishes("bob", 3))
    line.publishers.unpublish(5.0, "srs:1/1")
    line.publishers.publish(6.0, publishes("bob", 4))
    assert playing(line, "bob") == ["srs:1/4"]


def test_two_virtual_hosts_that_the_play_url_tells_apart_are_two_paths() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1, space="a.example"))
    line.publishers.publish(2.0, publishes("bob", 2, space="b.example"))
    assert names(line) == ["alice", "bob"]
    assert line.by_stream("live/show@b.example") == publishes("bob", 2, space="b.example")


def test_a_list_that_names_another_at_the_path_says_that_the_end_of_the_one_before_was_lost() -> None:
    line = Lineup(Policy(reconnect_grace=0.0))
    line.publishers.publish(1.0, publishes("alice", 1))
    listed(line, 20.0, publishes("bob", 2))
    assert names(line) == ["bob"]


def test_a_list_that_names_both_leaves_the_path_to_the_first() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    listed(line, 20.0, publishes("bob", 2), publishes("alice", 1))
    assert names(line) == ["alice"]


def shows_alice(stream: str = "show") -> Director:
    """Her picture is on air; she publishes since a minute."""
    director = running()
    director.handle(ev.Published(1.0, publishes("alice", 1, stream)))
    comes_on_air(director, 1.1)
    assert director.switchover.on_air_streamer == "alice"
    return director


def comes_on_air(director: Director, at: float) -> None:
    attempt = director.switchover.attempt
    assert attempt is not None
    for event in (
        ev.InputCreated(at, attempt.number),
        ev.MediaReady(at + 0.1, attempt.number),
        ev.CutDone(at + 0.2, attempt.number),
    ):
        director.handle(event)


def refusals(step: Step) -> list[str]:
    return [fact.code for fact in step.facts if isinstance(fact, facts.Refused)]


@pytest.mark.parametrize("pause", [0.0, 0.5, 2.9])
def test_people_who_share_a_path_and_take_turns_follow_each_other_at_once(pause: float) -> None:
    """Not after the grace of the one before, who cannot come back to the path anyway."""
    director = shows_alice()
    director.handle(ev.Unpublished(60.0, "srs:1/1"))
    step = director.handle(ev.Published(60.0 + pause, publishes("bob", 2)))
    assert refusals(step) == []
    attempt = director.switchover.attempt
    assert attempt is not None
    assert (attempt.target, attempt.due_at) == (publishes("bob", 2), 60.0 + pause)
    comes_on_air(director, 60.2 + pause)
    assert director.switchover.on_air_streamer == "bob"
    step = director.handle(ev.Published(64.0, publishes("alice", 3)))
    assert refusals(step) == ["path_taken"]


def test_a_picture_that_goes_on_moving_long_after_its_end_was_told_keeps_its_path() -> None:
    """That word was wrong, and the server lets nobody else publish there: bob would get alice's picture."""
    director = shows_alice()
    director.handle(ev.Unpublished(60.0, "srs:1/1"))
    step = director.handle(ev.Published(64.0, publishes("bob", 2)))
    assert refusals(step) == ["path_taken"]
    assert names(director.lineup) == ["alice"]
    director.handle(ev.Published(65.0, publishes("alice", 3)))
    assert playing(director.lineup, "alice") == ["srs:1/3"]


def test_a_picture_that_stands_still_after_its_end_keeps_nobody_off_the_path() -> None:
    director = shows_alice()
    director.handle(ev.Unpublished(60.0, "srs:1/1"))
    director.handle(ev.MediaStalled(60.5, "GMOTHERSTREAM_1", 60.2))
    step = director.handle(ev.Published(64.0, publishes("bob", 2)))
    assert refusals(step) == []
    assert names(director.lineup) == ["alice", "bob"]


def test_an_input_that_plays_whoever_came_to_its_path_next_is_that_one_s() -> None:
    """Bob's own input does not come; alice's connects again by itself, to him: nobody is shown under another's name."""
    director = shows_alice()
    director.handle(ev.Unpublished(60.0, "srs:1/1"))
    director.handle(ev.MediaStalled(60.5, "GMOTHERSTREAM_1", 60.2))
    director.handle(ev.Published(61.0, publishes("bob", 2)))
    assert director.switchover.attempt is not None
    director.handle(ev.InputCreated(61.1, director.switchover.attempt.number))
    director.handle(ev.TimePassed(62.5))
    assert director.switchover.on_air_streamer == "alice", "her last frame"
    director.handle(ev.MediaResumed(63.0, "GMOTHERSTREAM_1"))
    step = director.handle(ev.TimePassed(64.0))
    assert director.switchover.on_air_streamer == "bob"
    (told_of,) = [fact for fact in step.facts if isinstance(fact, facts.OnAirChanged)]
    assert (told_of.streamer, told_of.input) == ("bob", "GMOTHERSTREAM_1")
    director.handle(ev.TimePassed(80.0))
    assert director.switchover.program is not None
    assert names(director.lineup) == ["bob"]
    assert entry(director.lineup, "bob").turn_began is not None


def test_a_stream_shown_by_hand_gives_way_to_who_publishes_there() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, ev.Session("test:1", "show", "live", "show"), transient=True)
    line.publishers.publish(2.0, publishes("alice", 1))
    assert names(line) == ["show", "alice"]


def test_a_stream_shown_by_hand_is_its_publisher_s_though_that_one_was_taken_out() -> None:
    director = Director(Policy())
    director.handle(ev.ObsReady(0.5, ev.Inventory(())))
    director.handle(ev.Published(1.0, publishes("alice", 1)))
    director.handle(ev.RemoveRequested(2.0, "alice"))
    director.handle(ev.TestRequested(3.0, ev.Session("test:1", "show", "live", "show")))
    assert names(director.lineup) == ["alice"]


def test_a_list_of_one_server_ends_no_session_of_another() -> None:
    line = Lineup(Policy())
    line.publishers.publish(1.0, publishes("alice", 1))
    line.publishers.publish(1.0, publishes("bob", 1, "bob", server="srs:2/"))
    for at in (20.0, 25.0, 30.0):
        listed(line, at, publishes("alice", 1), others=("srs:2/",))
    assert names(line) == ["alice", "bob"]
    assert playing(line, "bob")
    listed(line, 35.0, publishes("alice", 1))
    listed(line, 40.0, publishes("alice", 1))
    assert not playing(line, "bob")


# --- many streams of one streamer ---------------------------------------------------------------------------------


def test_of_many_streams_of_one_streamer_the_first_and_the_newest_are_kept_and_it_is_told_once() -> None:
    line = Lineup(Policy())
    for number in range(40):
        line.publishers.publish(1.0 + number, publishes("alice", number, f"s{number}"))
    assert playing(line, "alice") == ["srs:1/0", *(f"srs:1/{number}" for number in range(33, 40))]
    assert told(line) == ["joined alice", "too_many_streams alice"]
    assert line.by_stream("live/s20") is None


def test_fewer_streams_again_and_more_again_are_told_again() -> None:
    line = Lineup(Policy())
    for number in range(MOST_SESSIONS + 1):
        line.publishers.publish(1.0, publishes("alice", number, f"s{number}"))
    line.publishers.unpublish(2.0, "srs:1/0")
    for number in (20, 21):
        line.publishers.publish(3.0, publishes("alice", number, f"s{number}"))
    assert told(line).count("too_many_streams alice") == 2


@pytest.mark.speed
def test_a_list_of_4000_sessions_of_one_key_takes_no_time_to_speak_of() -> None:
    line = Lineup(Policy())
    live = tuple(publishes("mallory", number, f"s{number}") for number in range(4000))
    for number, session in enumerate(live):
        line.publishers.publish(1.0 + number * 1e-3, session)
    times = []
    for at in (100.0, 105.0, 110.0):
        began = process_time()
        listed(line, at, *live)
        times.append(process_time() - began)
    assert min(times) < 0.1
    assert len(playing(line, "mallory")) == MOST_SESSIONS


# --- whom nobody can be named for ---------------------------------------------------------------------------------


def nameless(number: int, stream: str = "show") -> ev.Session:
    return publishes("", number, stream)


def running(**policy: bool) -> Director:
    director = Director(Policy(**policy))  # type: ignore[arg-type]  # fields by name
    director.handle(ev.ObsReady(0.5, ev.Inventory(())))
    return director


def lists(director: Director, at: float, *who: ev.Session, live: tuple[ev.Session, ...] = ()) -> list[str]:
    """Whom it kicks."""
    step = director.handle(ev.PublishersListed(at, "srs:", at, live, nameless=who))
    return [command.session.id for command in step.commands if isinstance(command, cmd.KickSession)]


def test_one_that_two_lists_have_and_nobody_can_be_named_for_is_kicked_once() -> None:
    director = running()
    assert lists(director, 5.0, nameless(1)) == []
    assert lists(director, 10.0, nameless(1)) == ["srs:1/1"]
    for at in (15.0, 20.0, 3600.0):
        assert lists(director, at, nameless(1)) == []


def test_one_that_comes_back_without_a_hook_is_left_alone_and_one_with_a_hook_may_lose_its_name_again() -> None:
    director = running()
    lists(director, 5.0, nameless(1))
    assert lists(director, 10.0, nameless(1)) == ["srs:1/1"]
    assert [lists(director, at, nameless(2)) for at in (15.0, 20.0, 25.0)] == [[], [], []]
    director.handle(ev.Published(30.0, publishes("alice", 3)))
    assert SHOW not in director.lineup.state.called_back


def test_the_nameless_picture_on_air_is_not_kicked_and_is_once_another_is_shown() -> None:
    director = Director(Policy())
    found = ev.OwnInput("GMOTHERSTREAM_1", shown=True, stream=SHOW)
    director.handle(ev.ObsReady(0.5, ev.Inventory((found,))))
    assert [lists(director, at, nameless(1)) for at in (1.0, 5.0, 10.0)] == [[], [], []]
    assert director.switchover.paths == {SHOW}
    director.handle(ev.InventoryRead(11.0, ev.Inventory(())))
    director.handle(ev.TimePassed(60.0))
    assert director.switchover.paths == set()
    assert lists(director, 61.0, nameless(1)) == ["srs:1/1"]


def test_who_is_shown_already_comes_first_when_a_list_names_everybody_at_once() -> None:
    director = Director(Policy())
    found = ev.OwnInput("GMOTHERSTREAM_1", shown=True, stream=SHOW)
    director.handle(ev.ObsReady(0.5, ev.Inventory((found,))))
    lists(director, 1.0, live=(publishes("bob", 1, "bob"), publishes("alice", 2), publishes("carol", 3, "carol")))
    assert [entry.streamer for entry in director.lineup] == ["alice", "bob", "carol"]
    assert director.switchover.on_air_streamer == "alice"


def test_before_it_is_known_what_is_shown_nobody_is_kicked() -> None:
    director = Director(Policy())
    assert [lists(director, at, nameless(1)) for at in (1.0, 6.0, 11.0)] == [[], [], []]


def test_where_the_operator_wants_none_kicked_none_is() -> None:
    director = running(kick_unannounced=False)
    assert [lists(director, at, nameless(1)) for at in (1.0, 6.0, 11.0)] == [[], [], []]


def test_no_flood_of_nameless_streams_fills_the_memory() -> None:
    director = running()
    for at in range(5):
        lists(director, 5.0 * at, *(nameless(at * 5000 + number, f"s{at}-{number}") for number in range(3000)))
    state = director.lineup.state
    assert len(state.nameless) <= NAMELESS_MOST
    assert len(state.called_back) <= NAMELESS_MOST


# --- whatever comes -----------------------------------------------------------------------------------------------

WHO = st.sampled_from(["alice", "bob", "carol"])
SESSIONS = st.builds(
    ev.Session,
    id=st.sampled_from([f"srs:{server}/{client}" for server in "12" for client in "abcd"]),
    streamer=WHO,
    app=st.just("live"),
    stream=st.sampled_from(["alice", "bob", "show"]),
    space=st.sampled_from(["", "a.example"]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), SESSIONS),
        st.tuples(st.just("unpublish"), SESSIONS),
        st.tuples(st.just("list"), st.lists(SESSIONS, max_size=4)),
        st.tuples(st.sampled_from(["remove", "kick"]), WHO),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 9.0, 70.0])),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_is_told_no_path_is_of_two_streamers(steps: list[tuple[str, object]]) -> None:
    line, now = Lineup(Policy()), 1.0
    for what, about in steps:
        now += about if isinstance(about, float) else 0.5
        if isinstance(about, ev.Session):
            if what == "publish":
                line.publishers.publish(now, about)
            else:
                line.publishers.unpublish(now, about.id)
        elif isinstance(about, list):
            listed(line, now, *about)
        elif isinstance(about, str) and line.find(about):
            line.requests.remove(now, about) if what == "remove" else line.requests.kick(now, about, 5.0)
        line.expire(now)
        holders: dict[str, set[str]] = {}
        for each in line:
            for session in each.sessions:
                assert session.streamer == each.streamer
                assert (found := line.by_stream(session.path)) is not None
                assert found.streamer == each.streamer
                holders.setdefault(session.path, set()).add(each.streamer)
        for path, stray in line.state.strays.items():
            if stray.seen_at >= now - STRAY_FOR or line.blocks.get(stray.session.streamer, 0.0) > now:
                holders.setdefault(path, set()).add(stray.session.streamer)
        assert all(len(streamers) == 1 for streamers in holders.values()), holders
        kept = from_plain(LineupState, to_plain(line.state))
        assert Lineup(Policy(), kept).live_sessions == line.live_sessions
