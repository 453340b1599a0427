"""Random hooks and lists of several servers, virtual hosts and keys: who publishes is always whose key it is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.config.model import Queue
from daemon.core.ports import Streamer
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import make_ref
from daemon.streamers.names import fold
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from tests.daemon.ingest.helpers import Keys, admission

KEYS = Keys(ka=Streamer("alice"), kb=Streamer("Bob"), kc=Streamer("carol", enabled=False))
OWNERS = {key: streamer.name for key, streamer in KEYS.streamers.items()}
TEMPLATES = [
    "rtmp://h/{app}/{stream}",
    "rtmp://h/{app}/{stream}?vhost={vhost}",
    "rtmp://h/motherstream/live?stream_key={stream_key}",
    "rtmp://h/{app}/{stream}{param}",
]
HOOKS = st.fixed_dictionaries(
    {
        "server": st.sampled_from(["srs", "nginx", "oryx", "mediamtx"]),
        "stream": st.sampled_from(["alice", "ALICE", "bob", "Bob", "show", "show", "ka", "kb"]),
        "key": st.sampled_from(["", "ka", "kb", "kb", "kc", "nobody"]),
        "client_id": st.sampled_from("abcd"),
        "instance": st.sampled_from(["1", "2"]),
        "vhost": st.sampled_from(["", "a.example", "b.example"]),
    }
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "publish", "publish", "unpublish", "list", "wait"]), HOOKS), max_size=30
)


@settings(max_examples=200)
@given(st.sampled_from(TEMPLATES), STEPS)
def test_a_session_s_streamer_is_whose_key_it_is_and_its_path_is_its_streamer_s_alone(
    template: str, steps: list[tuple[str, dict[str, str]]]
) -> None:
    sessions = SessionDirectory(lambda: template)
    director = Director(Policy())
    gate = admission(Queue(), KEYS, director.admits)
    keys: dict[str, str] = {}
    now = 1.0
    for what, hook in steps:
        now += 70.0 if what == "wait" else 0.5
        given_key, server = hook["key"], hook["server"]
        arguments = [("key", given_key)] if given_key else []
        ref = make_ref(
            server,
            "live",
            hook["stream"],
            arguments,
            client_id=hook["client_id"],
            instance=hook["instance"] if server == "srs" else "",
            vhost=hook["vhost"] if server in ("srs", "oryx") else "",
        )
        if what == "publish":
            verdict = gate._look_up(ref)
            if isinstance(verdict, Streamer):
                session = sessions.open(ref, gate._by_rules(verdict, now), now)
                assert session.streamer == verdict.name, "another's session"
                if director.handle(ev.Published(now, session)).refusal:
                    sessions.drop(session)
                else:
                    keys.setdefault(session.id, given_key or hook["stream"])
        elif what == "unpublish":
            for session_id in sessions.end(ref, now):
                director.handle(ev.Unpublished(now, session_id))
        elif what == "list":
            live = tuple(each for each in sessions.live(ref.path, server) if sessions.vhost(each) == ref.vhost)
            director.handle(ev.PublishersListed(now, f"{server}:", now, live))
        urls: dict[str, str] = {}
        for entry in director.lineup:
            for session in entry.sessions:
                assert OWNERS[keys[session.id]] == entry.streamer == session.streamer
                owner = KEYS.named(session.stream)
                assert owner is None or fold(owner.name) == fold(entry.streamer), "on another's path"
                url = sessions.play_url(session)
                assert urls.setdefault(url, entry.streamer) == entry.streamer, "two are played from one URL"
