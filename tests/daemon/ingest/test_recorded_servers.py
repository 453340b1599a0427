"""Real servers as they were recorded: hooks are answered as then, and lists and kicks understood."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from yarl import URL

from daemon.config.model import Hooks, Ingest, Queue
from daemon.core.ports import Streamer
from daemon.ingest.api import Api, open_client
from daemon.ingest.hook import Hook, Publish, Unpublish, Verdict
from daemon.ingest.listing import IngestServer
from daemon.ingest.servers import nginx_rtmp
from daemon.ingest.servers.kinds import SERVERS
from daemon.ingest.servers.mediamtx_api import MediaMtxServer
from daemon.ingest.servers.nginx_api import NginxServer
from daemon.ingest.servers.srs_api import SrsServer
from daemon.ingest.sessions import SessionDirectory
from statemachine.events import Published, Tracks
from tests.daemon.http.studio import config, open_house
from tests.daemon.ingest.recordings import NAMES, Recording, Replay, Request, load

BY_NAME = {server.name: server for server in SERVERS}
MAKE: dict[str, Callable[[Api, SessionDirectory], IngestServer]] = {
    "srs": SrsServer,
    "mediamtx": MediaMtxServer,
    "nginx-rtmp": lambda api, _: NginxServer(api, api),
}
PATHS = {"srs": "", "mediamtx": "", "nginx-rtmp": "/stat"}


@pytest.fixture(params=NAMES)
def recording(request: pytest.FixtureRequest) -> Recording:
    return load(request.param)


def read(recording: Recording, hook: Request) -> Hook:
    said = hook.body.encode()
    if hook.method == "GET":
        said = nginx_rtmp.parts_of_query(hook.path.partition("?")[2])[1].encode()
    return BY_NAME[recording.server].parse(said, Ingest())


def published(recording: Recording) -> SessionDirectory:
    """The sessions of all publishers who were let in and have not left before the next one came."""
    sessions = SessionDirectory(lambda: "rtmp://127.0.0.1/{app}/{stream}")
    for at, hook in enumerate(recording.hooks):
        meant = read(recording, hook)
        if isinstance(meant, Publish) and hook.status == 200:
            sessions.open(meant.ref, Verdict(True, streamer=meant.ref.stream), float(at))
    return sessions


async def test_each_hook_is_answered_as_it_was(recording: Recording) -> None:
    server, published_by = BY_NAME[recording.server], []
    async with open_house(config(queue=Queue(), hooks=Hooks(secret=SecretStr("CHANGE-ME")))) as house:
        house.keys.streamers |= {key: Streamer(name) for name, key in recording.keys.items()}
        for hook in recording.hooks:
            # As it came: nginx-rtmp puts a second question mark into the URL.
            url, headers = URL(hook.path, encoded=True), {"Content-Type": hook.type}
            async with house.client.request(hook.method, url, data=hook.body or None, headers=headers) as response:
                assert response.status == hook.status, hook
        published_by = [e.session.streamer for e in house.dispatcher.events if isinstance(e, Published)]
    assert server.path in recording.hooks[0].path
    assert set(published_by) == set(recording.keys)


def test_each_end_is_of_a_session_that_began(recording: Recording) -> None:
    sessions = published(recording)
    ends = [meant for hook in recording.hooks if isinstance(meant := read(recording, hook), Unpublish)]
    assert ends
    for meant in ends:
        (ended, *_) = sessions.end(meant.ref, 1000.0)
        session = sessions.find(ended)
        # SRS tells also of the end of one over WebRTC that it had to refuse.
        assert session is not None or not meant.ref.key
        assert session is None or session.path == meant.ref.path


async def test_the_list_names_the_sessions_of_the_hooks_and_what_they_are_made_of(recording: Recording) -> None:
    sessions = published(recording)
    async with Replay(recording) as replay, open_client() as http:
        api = Api("it", replay.url + PATHS[recording.server], http)
        listed = await MAKE[recording.server](api, sessions).publishers()
    assert {each.ref.stream for each in listed if each.ref} <= set(recording.keys)
    assert len(listed) >= len(recording.keys) - 1
    for each in listed:
        session = sessions.listed(each.session_ids)
        assert session is not None
        assert each.ref is not None
        assert (session.stream, each.received > 0) == (each.ref.stream, True)
        size = (0, 0) if recording.name == "mediamtx-1.11.3" else (320, 180)
        assert each.tracks == Tracks("h264", sound(recording, session.stream), *size)


def sound(recording: Recording, streamer: str) -> str:
    """Erin publishes over WebRTC: SRS makes AAC of her Opus, MediaMTX keeps it from OBS."""
    return "" if recording.server == "mediamtx" and streamer == "erin" else "aac"


async def test_each_publisher_is_kicked_by_the_requests_that_ended_it(recording: Recording) -> None:
    sessions = published(recording)
    ended = [
        each.path for each in recording.api if each.method == "DELETE" or "kick" in each.path or "drop" in each.path
    ]
    async with Replay(recording) as replay, open_client() as http:
        stat = Api("it", replay.url + PATHS[recording.server], http)
        server: IngestServer = MAKE[recording.server](stat, sessions)
        if recording.server == "nginx-rtmp":
            server = NginxServer(stat, Api("it", replay.url + "/control", http))
        for listed in await server.publishers():
            session = sessions.listed(listed.session_ids)
            assert session is not None
            if any(session.stream in path or client(listed.session_ids[0]) in path for path in ended):
                assert await server.kick(session)
        kicked = {request.partition(" ")[2] for request in replay.requests} & set(ended)
    assert len(kicked) >= len(ended) - 1, "one of them was of a client that never was"


def client(session_id: str) -> str:
    return session_id.rpartition("/")[2].rpartition(":")[2]
