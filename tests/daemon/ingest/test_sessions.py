"""From hooks to sessions, and from sessions to play URLs."""

from time import process_time
from typing import Any

import pytest

from daemon.ingest.sessions import SessionDirectory, client_of
from daemon.ingest.stream import make_ref
from statemachine.events import Session
from tests.daemon.ingest.helpers import ref, yes

PLAIN = "rtmp://127.0.0.1:1935/{app}/{stream}"
SEED = "rtmp://127.0.0.1:1935/motherstream/live?stream_key={stream_key}"


def directory(template: str = PLAIN, kept: dict[str, Any] | None = None, most: int = 100) -> SessionDirectory:
    memory = {} if kept is None else kept

    def keep(session_id: str, body: dict[str, Any] | None) -> None:
        if body is None:
            memory.pop(session_id, None)
        else:
            memory[session_id] = body

    return SessionDirectory(lambda: template, keep, most)


# --- sessions ----------------------------------------------------------------------------------------------------


def test_the_same_hook_twice_is_one_session() -> None:
    sessions = directory()
    first = sessions.open(ref(), yes(), 1.0)
    assert sessions.open(ref(), yes(), 2.0) is first
    assert sessions.end(ref(), 3.0) == (first.id,)


def test_an_end_that_nobody_knows_of_is_passed_on_all_the_same() -> None:
    assert directory().end(ref(client="c9"), 1.0) == ("srs:vid-1/c9",)


def test_two_publishers_of_one_stream_are_two_sessions() -> None:
    sessions = directory()
    old, new = sessions.open(ref(client="a"), yes(), 1.0), sessions.open(ref(client="b"), yes(), 2.0)
    assert sessions.end(ref(client="a"), 2.1) == (old.id,)
    assert sessions.live("live/alice") == (new,)


def test_a_late_publish_of_oryx_that_has_ended_opens_nothing() -> None:
    sessions = directory()
    given = ref(client="r1", server="oryx")
    first = sessions.open(given, yes(), 1.0)
    sessions.end(ref(client="", server="oryx"), 9.0)
    assert sessions.open(given, yes(), 10.0).id == first.id
    assert sessions.live("live/alice") == ()


@pytest.mark.parametrize("server", ["srs", "mediamtx"])
def test_a_client_that_stops_and_publishes_again_on_one_connection_is_another_session(server: str) -> None:
    sessions = directory()
    given = ref(server=server)
    ids = []
    for at in (1.0, 3.0, 5.0):
        ids.append(sessions.open(given, yes(), at).id)
        assert sessions.listed((given.session_id,)) == sessions.find(ids[-1])
        assert client_of(Session(ids[-1], "alice", "live", "alice")) == "c1"
        assert sessions.end(given, at + 1.0) == (ids[-1],)
    assert len(set(ids)) == 3


def test_somebody_else_s_publish_under_an_id_that_came_again_is_no_repetition() -> None:
    """nginx-rtmp counts from 1 after a restart, and tells nobody of those who were there before."""
    sessions = directory()
    given = ref("show", client="1", server="nginx")
    alice = sessions.open(given, yes("alice"), 1.0)
    bob = sessions.open(given, yes("bob"), 60.0)
    assert (bob.streamer, alice.id) != (alice.streamer, bob.id)
    sessions.drop(bob)  # as long as alice's end is not told, the rules refuse it
    assert sessions.open(given, yes("alice"), 61.0) == alice
    assert sessions.end(given, 62.0) == (alice.id,)


@pytest.mark.parametrize("server", ["srs", "mediamtx"])
def test_a_connection_that_publishes_something_else_has_ended_what_it_published(server: str) -> None:
    sessions = directory()
    first = sessions.open(ref("show", server=server), yes(), 1.0)
    assert sessions.superseded(ref("show", server=server), "alice") == ()
    for other, streamer in ((ref("other", server=server), "alice"), (ref("other", server=server), "bob")):
        (ended,) = sessions.superseded(other, streamer)
        assert sessions.find(ended) is not None
        assert sessions.live("live/show") == ()
        session = sessions.open(other, yes(streamer), 2.0)
        assert (session.id != ended, session.streamer) == (True, streamer)
        assert sessions.live("live/other") == (session,)
    assert first.id not in {session.id for session in sessions.live("live/other")}


@pytest.mark.speed
def test_which_of_thousands_publish_to_a_path_is_found_without_a_search() -> None:
    sessions = directory(most=4096)
    for number in range(4096):
        sessions.open(ref(f"s{number}", client=f"c{number}"), yes(), 1.0)
    began = process_time()
    for number in range(4096):
        assert len(sessions.live(f"live/s{number}")) == 1
    assert process_time() - began < 0.5
    for number in range(4096):
        sessions.end(ref(f"s{number}", client=f"c{number}"), 2.0)
    assert sessions._by_path == {}


def test_one_whose_end_was_heard_before_its_publish_can_publish() -> None:
    sessions = directory()
    (ended,) = sessions.end(ref(), 1.0)
    assert sessions.open(ref(), yes(), 2.0).id != ended


def test_one_that_ended_before_a_restart_publishes_again_as_another_session() -> None:
    session = directory().open(ref(), yes(), 1.0)
    after = directory()
    after.restore([], {}, 2.0, [session.id, "srs:vid-1/c7~4"])
    assert after.open(ref(), yes(), 3.0).id == f"{session.id}~2"
    assert after.open(ref(client="c7"), yes(), 3.0).id == "srs:vid-1/c7~5"


def test_nginx_counts_its_clients_anew_after_a_restart_and_that_is_another_session() -> None:
    sessions = directory()
    given = ref(client="1", server="nginx")
    ids = []
    for at in (1.0, 3.0, 5.0):
        ids.append(sessions.open(given, yes(), at).id)
        assert sessions.end(given, at + 1.0) == (ids[-1],)
    assert len(set(ids)) == 3


@pytest.mark.parametrize("server", ["oryx", "srs"])
def test_an_end_without_a_client_ends_what_is_published_under_that_name(server: str) -> None:
    sessions = directory()
    session = sessions.open(ref(client="r1", server=server), yes(), 1.0)
    other = sessions.open(ref("bob", client="r2", server=server), yes("bob"), 1.0)
    assert sessions.end(ref(client="", server=server), 1.5) == (session.id,)
    assert sessions.live("live/bob") == (other,)
    assert sessions.end(ref(client="", server=server), 2.0) == ()


def test_a_newcomer_outlives_the_end_of_the_one_it_replaced() -> None:
    sessions = directory()
    old = sessions.open(ref(client="r1", server="oryx"), yes(), 1.0)
    new = sessions.open(ref(client="r2", server="oryx"), yes(), 60.0)
    assert sessions.end(ref(client="", server="oryx"), 60.2) == (old.id,)
    assert sessions.live("live/alice") == (new,)


def test_a_second_publisher_that_was_refused_by_its_server_ends_with_the_first() -> None:
    sessions = directory()
    first = sessions.open(ref(client="r1", server="oryx"), yes(), 1.0)
    busy = sessions.open(ref(client="r2", server="oryx"), yes(), 10.0)
    assert set(sessions.end(ref(client="", server="oryx"), 60.0)) == {first.id, busy.id}


def test_a_stream_without_any_client_id_can_be_published_again() -> None:
    sessions = directory()
    given = make_ref("srs", "live", "alice")
    first = sessions.open(given, yes(), 1.0)
    assert sessions.end(given, 10.0) == (first.id,)
    second = sessions.open(given, yes(), 11.0)
    assert second.id != first.id
    assert sessions.end(given, 20.0) == (second.id,)


def test_no_flood_of_publishes_makes_it_grow_without_end() -> None:
    kept: dict[str, Any] = {}
    sessions = directory(SEED, kept, most=10)
    for number in range(100):
        sessions.open(ref(client=f"c{number}", key=f"key{number}"), yes(), float(number))
    assert len(sessions.live("live/alice")) == 10
    assert len(kept) == 10
    assert sessions.find("srs:vid-1/c0") is None
    assert sessions.find("srs:vid-1/c99") is not None


# --- URLs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "url"),
    [
        (PLAIN, "rtmp://127.0.0.1:1935/live/alice"),
        (SEED, "rtmp://127.0.0.1:1935/motherstream/live?stream_key=k1"),
        ("rtmp://h:1/motherstream/live{param}", "rtmp://h:1/motherstream/live?key=k1&b=2"),
        ("rtmp://h:1/live/{stream}?{param}", "rtmp://h:1/live/alice?key=k1&b=2"),
        ("rtmp://h:1/live/{stream}?x=1&{param}", "rtmp://h:1/live/alice?x=1&key=k1&b=2"),
        ("rtmp://h:1/live/{stream}?x=1{param}", "rtmp://h:1/live/alice?x=1&key=k1&b=2"),
    ],
)
def test_the_play_url_follows_the_template(template: str, url: str) -> None:
    sessions = directory(template)
    given = make_ref("srs", "live", "alice", [("key", "k1"), ("b", "2"), ("c", "! filesink")], client_id="c1")
    assert sessions.play_url(sessions.open(given, yes(), 1.0)) == url


def test_without_a_key_the_stream_s_name_stands_for_it() -> None:
    sessions = directory(SEED)
    assert sessions.play_url(sessions.open(ref("k9"), yes(), 1.0)).endswith("?stream_key=k9")


@pytest.mark.parametrize("stream", ["a ! filesink location=x", 'a" ! fakesink', "a live=1", "", "a/b", "{param}"])
def test_a_session_outside_the_allow_list_has_no_url(stream: str) -> None:
    with pytest.raises(ValueError, match="outside the allow-list") as caught:
        directory().play_url(Session("srs:v/c", "alice", "live", stream))
    assert not stream or stream not in str(caught.value)


def test_a_session_that_is_not_known_is_played_by_its_name() -> None:
    session = Session("srs:vid-1/c1", "alice", "live", "alice")
    assert directory().play_url(session) == "rtmp://127.0.0.1:1935/live/alice"


def test_a_session_that_ended_can_still_be_played_while_its_command_is_under_way() -> None:
    sessions = directory(SEED)
    session = sessions.open(ref(key="k1"), yes(), 1.0)
    sessions.end(ref(), 2.0)
    assert sessions.play_url(session).endswith("stream_key=k1")


def test_a_stream_given_by_hand_is_played_from_its_own_url() -> None:
    sessions = directory(SEED)
    session = Session("test:1", "test", "live", "alice")
    sessions.open_url(session, "rtmp://127.0.0.1:1935/live/alice?x=1", 1.0)
    assert sessions.play_url(session) == "rtmp://127.0.0.1:1935/live/alice?x=1"


# --- over a restart ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [PLAIN, SEED, "rtmp://h:1/motherstream/live{param}"])
def test_a_restart_changes_no_play_url(template: str) -> None:
    kept: dict[str, Any] = {}
    before = directory(template, kept)
    session = before.open(ref(key="k1"), yes(), 1.0)
    after = directory(template, kept)
    after.restore([session], kept, 2.0)
    assert after.play_url(session) == before.play_url(session)


def test_a_key_is_written_down_only_where_the_play_url_needs_it() -> None:
    kept: dict[str, Any] = {}
    directory(PLAIN, kept).open(ref(key="k1"), yes(), 1.0)
    assert kept == {}
    sessions = directory(SEED, kept)
    sessions.open(ref(key="k1"), yes(), 1.0)
    assert kept == {"srs:vid-1/c1": {"key": "k1"}}
    sessions.end(ref(), 2.0)
    assert kept == {}


def test_a_restart_forgets_the_keys_of_sessions_that_are_over() -> None:
    kept: dict[str, Any] = {"srs:vid-1/gone": {"key": "k1"}}
    directory(SEED, kept).restore([], dict(kept), 2.0)
    assert kept == {}


@pytest.mark.parametrize("server", ["srs", "nginx", "oryx", "mediamtx"])
def test_after_a_restart_an_end_still_ends_its_session(server: str) -> None:
    session = directory().open(ref(server=server), yes(), 1.0)
    after = directory()
    after.restore([session], {}, 100.0)
    ending = ref(client="" if server == "oryx" else "c1", server=server)
    assert after.end(ending, 100.1) == (session.id,)


def test_a_repeated_client_is_still_told_apart_after_a_restart() -> None:
    before = directory()
    given = ref(client="1", server="nginx")
    before.open(given, yes(), 1.0)
    before.end(given, 2.0)
    second = before.open(given, yes(), 3.0)
    after = directory()
    after.restore([second], {}, 4.0)
    assert after.end(given, 5.0) == (second.id,)


@pytest.mark.parametrize("session_id", ["srs:vid-1/c7~x", "srs:vid-1/c7~²", f"srs:vid-1/c7~{'9' * 5000}", "~", ""])
@pytest.mark.parametrize("body", [{}, {"args": 5}, {"args": None}, {"args": [["a"], 7, ["key", "K"]]}, {"key": []}])
def test_whatever_a_damaged_row_holds_the_sessions_are_restored(session_id: str, body: dict[str, Any]) -> None:
    after = directory("rtmp://127.0.0.1:1935/{app}/{stream}{param}")
    session = Session(session_id, "alice", "live", "alice")
    after.restore([session], {session_id: body}, 1.0, [session_id])
    assert after.find(session_id) == session
    key = "?key=K" if isinstance(body.get("args"), list) else ""
    assert after.play_url(session) == f"rtmp://127.0.0.1:1935/live/alice{key}"


def test_the_client_of_a_session() -> None:
    assert client_of(Session("srs:vid-1/c1", "a", "live", "a")) == "c1"
    assert client_of(Session("mediamtx:u1", "a", "live", "a")) == "u1"
    with pytest.raises(ValueError, match="names no client"):
        client_of(Session("srs:vid-1/a b", "a", "live", "a"))
