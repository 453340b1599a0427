"""MediaMTX's own list and kicks, against the wire-level fake."""

import pytest

from daemon.ingest.api import Api, open_client
from daemon.ingest.servers.mediamtx_api import MediaMtxServer
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import make_ref
from statemachine.events import Session, Tracks
from tests.daemon.ingest.helpers import yes
from tests.fakes.mediamtx import KINDS, FakeMediaMtx


async def test_mediamtx_lists_publishers_of_every_protocol_and_kicks_each_by_its_own_route() -> None:
    async with FakeMediaMtx() as mtx, open_client() as http:
        mtx.paths = {
            "live/alice": ("rtmpConn", "u1", 10),
            "live/bob": ("srtConn", "u2", 20),
            "live/idle": ("", "", 0),
            "cam": ("rtspSession", "u3", 30),
            "pulled": ("rtspSource", "u4", 40),
        }
        server = MediaMtxServer(Api("MediaMTX", mtx.url, http))
        listed = {row.session_ids[0]: row for row in await server.publishers()}
        assert set(listed) == {"mediamtx:u1", "mediamtx:u2", "mediamtx:u3"}
        assert listed["mediamtx:u2"].received == 20
        assert listed["mediamtx:u3"].ref is None
        assert await server.kick(Session("mediamtx:u2", "bob", "live", "bob"))
        assert "live/bob" not in mtx.paths


async def test_a_kick_at_mediamtx_never_hits_the_newcomer() -> None:
    async with FakeMediaMtx() as mtx, open_client() as http:
        mtx.paths = {"live/alice": ("rtmpConn", "new", 10)}
        server = MediaMtxServer(Api("MediaMTX", mtx.url, http))
        assert await server.kick(Session("mediamtx:old", "alice", "live", "alice"))
        assert await server.kick(Session("mediamtx:old", "gone", "live", "gone"))
        assert "live/alice" in mtx.paths


@pytest.mark.parametrize(
    ("tracks", "found"),
    [
        (["H264", "MPEG-4 Audio"], Tracks("h264", "aac")),
        (["H265", "Opus"], Tracks("hevc", "")),
        (["MPEG-4 Audio"], Tracks("", "aac")),
        (["AV1"], Tracks("av1", "")),
    ],
)
async def test_mediamtx_tells_what_a_path_is_made_of(tracks: list[str], found: Tracks) -> None:
    async with FakeMediaMtx(old=True) as mediamtx, open_client() as http:
        mediamtx.paths["live/alice"] = ("rtmpConn", "a1", 1)
        mediamtx.tracks["live/alice"] = tracks
        (listed,) = await MediaMtxServer(Api("MediaMTX", mediamtx.url, http), SessionDirectory(lambda: "")).publishers()
    assert listed.tracks == found


async def test_mediamtx_tells_the_picture_s_size_since_1_16() -> None:
    async with FakeMediaMtx() as mediamtx, open_client() as http:
        mediamtx.paths["live/alice"] = ("rtmpConn", "a1", 1)
        (listed,) = await MediaMtxServer(Api("MediaMTX", mediamtx.url, http), SessionDirectory(lambda: "")).publishers()
    assert listed.tracks == Tracks("h264", "aac", 640, 360)


async def test_a_path_of_mediamtx_that_is_always_available_has_the_publisher_that_is_online() -> None:
    async with FakeMediaMtx() as mediamtx, open_client() as http:
        mediamtx.always.add("live/alice")
        mediamtx.paths["live/alice"] = ("", "", 400_172)
        server = MediaMtxServer(Api("MediaMTX", mediamtx.url, http), SessionDirectory(lambda: ""))
        assert await server.publishers() == []
        mediamtx.paths["live/alice"] = ("rtmpConn", "a1", 1)
        (listed,) = await server.publishers()
        assert listed.session_ids == ("mediamtx:a1",)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("old", [False, True])
async def test_each_kind_of_publisher_of_mediamtx_is_kicked_also_where_the_answer_is_empty(
    kind: str, old: bool
) -> None:
    """Before 1.16 it answered without a body, which is no failure."""
    async with FakeMediaMtx(old=old) as mediamtx, open_client() as http:
        mediamtx.paths["live/alice"] = (kind, "a1", 1)
        server = MediaMtxServer(Api("MediaMTX", mediamtx.url, http), SessionDirectory(lambda: ""))
        assert await server.kick(Session("mediamtx:a1", "alice", "live", "alice"))
        assert mediamtx.paths == {}


async def test_mediamtx_remembers_the_arguments_of_a_publisher() -> None:
    async with FakeMediaMtx() as mtx, open_client() as http:
        mtx.paths = {"live/alice": ("rtmpConn", "c1", 10)}
        mtx.queries = {"c1": "key=abc"}
        server = MediaMtxServer(Api("MediaMTX", mtx.url, http))
        (listed,) = await server.publishers()
        assert await server.arguments(listed) == (("key", "abc"),)


async def test_a_path_of_one_level_is_listed_and_kicked_by_its_own_name() -> None:
    sessions = SessionDirectory(lambda: "rtmp://h/{app}/{stream}")
    async with FakeMediaMtx() as mtx, open_client() as http:
        mtx.paths = {"alice": ("rtmpConn", "c1", 10)}
        assert (await MediaMtxServer(Api("MediaMTX", mtx.url, http)).publishers())[0].ref is None
        server = MediaMtxServer(Api("MediaMTX", mtx.url, http), sessions, lambda: "live")
        (listed,) = await server.publishers()
        assert listed.ref is not None
        assert (listed.ref.path, listed.ref.flat) == ("live/alice", True)
        session = sessions.open(listed.ref, yes(), 1.0)
        assert sessions.play_url(session) == "rtmp://h/alice"
        assert await server.kick(session)
        assert mtx.paths == {}


async def test_an_rtsp_session_is_the_newest_of_its_path_where_nobody_asked_by_its_id() -> None:
    sessions = SessionDirectory(lambda: "")
    given = make_ref("mediamtx", "live", "alice", client_id="conn")
    session = sessions.open(given, yes(), 1.0)
    async with FakeMediaMtx() as mtx, open_client() as http:
        server = MediaMtxServer(Api("MediaMTX", mtx.url, http), sessions)
        mtx.paths = {"live/alice": ("rtspSession", "sess", 10)}
        (listed,) = await server.publishers()
        assert sessions.listed(listed.session_ids) == session
        newer = sessions.open(make_ref("mediamtx", "live", "alice", client_id="conn2"), yes(), 2.0)
        assert await server.kick(session), "it is gone: the newcomer overrode it"
        assert mtx.paths
        assert await server.kick(newer)
        assert not mtx.paths
