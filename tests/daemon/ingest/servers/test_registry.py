"""The ingest servers' own APIs, against the wire-level fakes."""

import asyncio
import json
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from daemon.config.model import Ingest
from daemon.core.ports import IngestError
from daemon.ingest.api import Api, open_client
from daemon.ingest.kick import Kicker
from daemon.ingest.listing import IngestServer
from daemon.ingest.servers.mediamtx_api import MediaMtxServer
from daemon.ingest.servers.oryx_api import OryxServer
from daemon.ingest.servers.registry import configured
from daemon.ingest.servers.srs_api import SrsServer
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import make_ref
from statemachine.events import Session, Tracks
from tests.daemon.ingest.helpers import ref, yes
from tests.fakes.mediamtx import FakeMediaMtx
from tests.fakes.oryx import FakeOryx
from tests.fakes.serving import Serving
from tests.fakes.srs import FakeSrs

MAKE: dict[type[Serving], Callable[[Api], IngestServer]] = {
    FakeSrs: SrsServer,
    FakeMediaMtx: MediaMtxServer,
    FakeOryx: lambda api: OryxServer(api, SessionDirectory(lambda: "")),
}


async def test_srs_lists_its_publishers_with_the_ids_of_their_hooks() -> None:
    async with FakeSrs() as srs, open_client() as http:
        client = await srs.publish("live", "alice")
        assert client
        client.received = 665202
        (listed,) = await SrsServer(Api("SRS", srs.url, http)).publishers()
    assert listed.session_ids == (f"srs:{srs.server_id}/{client.id}", f"srs:srs/{client.id}")
    assert listed.ref is not None
    assert (listed.ref.path, listed.ref.session_id, listed.received) == ("live/alice", listed.session_ids[0], 665202)


async def test_a_long_list_of_srs_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ingest.servers.srs_api.PAGE", 20)
    async with FakeSrs() as srs, open_client() as http:
        for number in range(55):
            assert await srs.publish("live", f"s{number}")
        listed = await SrsServer(Api("SRS", srs.url, http)).publishers()
    assert {row.ref.stream for row in listed if row.ref} == {f"s{number}" for number in range(55)}
    assert len(srs.requests) == 3


async def test_a_name_outside_the_allow_list_is_listed_without_a_stream() -> None:
    async with FakeSrs() as srs, open_client() as http:
        assert await srs.publish("live/sub", "alice")
        (listed,) = await SrsServer(Api("SRS", srs.url, http)).publishers()
    assert listed.ref is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"code":100}',
        b'{"code":0}',
        b'{"code":0,"streams":{}}',
        b'{"code":0,"streams":[7]}',
        b'{"code":0,"streams":[{}]}',
        b'{"code":0,"streams":[{"app":"live","name":"a","publish":{"active":1}}]}',
        b'{"code":0,"streams":[{"app":"live","name":"a","publish":{"active":true}}]}',
        b"[" * 100_000,
        b"<html>",
    ],
)
async def test_a_list_of_srs_that_is_not_whole_is_none(body: bytes) -> None:
    async with FakeSrs() as srs, open_client() as http:
        srs.faults.answer(200, body)
        with pytest.raises(IngestError) as caught:
            await SrsServer(Api("SRS", srs.url, http)).publishers()
    assert "\n" not in str(caught.value)


async def test_a_stream_without_a_publisher_is_not_listed() -> None:
    row = {"app": "live", "name": "a", "publish": {"active": False}}
    async with FakeSrs() as srs, open_client() as http:
        srs.faults.answer(200, json.dumps({"code": 0, "server": "v", "streams": [row]}).encode())
        assert await SrsServer(Api("SRS", srs.url, http)).publishers() == []


@pytest.mark.parametrize("fake", MAKE)
@pytest.mark.parametrize("status", [302, 401, 404, 500])
async def test_any_other_status_is_an_error_that_names_the_server(fake: type[Serving], status: int) -> None:
    async with fake() as server, open_client() as http:
        server.faults.answer(status, b'{"code":0,"streams":[],"items":[]}')
        with pytest.raises(IngestError, match=rf"it at 127\.0\.0\.1:\d+ answered {status}"):
            await MAKE[fake](Api("it", server.url, http)).publishers()


@pytest.mark.parametrize("fake", MAKE)
async def test_a_server_that_is_gone_is_an_error_without_the_url_s_password(fake: type[Serving]) -> None:
    async with open_client() as http:
        with pytest.raises(IngestError, match="cannot be reached") as caught:
            await MAKE[fake](Api("it", "http://admin:hunter2@127.0.0.1:1", http)).publishers()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "status", "mend"),
    [
        ("SRS", 401, "set ingest.srs_token"),
        ("Oryx", 403, "set ingest.oryx_token"),
        ("MediaMTX", 401, "allow `api` to this machine in its authInternalUsers"),
        ("nginx-rtmp", 401, "put USER:PASSWORD@ before the host in its URL"),
        ("SRS", 302, "set its URL in [ingest] to where it leads"),
        ("SRS", 404, "is that of its API"),
        ("SRS", 503, "its own log says why"),
    ],
)
async def test_what_may_be_done_goes_by_what_the_server_has_answered(name: str, status: int, mend: str) -> None:
    async with FakeSrs() as srs, open_client() as http:
        srs.faults.answer(status, b"{}")
        with pytest.raises(IngestError, match=f"{name} at .* answered {status} to GET /api/v1/streams/") as caught:
            await SrsServer(Api(name, srs.url, http)).publishers()
        assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("answer", "what", "mend"),
    [
        (b"", "cannot be reached: it closed the connection", "start it"),
        (b"\0\xffnothing of HTTP\r\n\r\n", "does not speak HTTP", "is that of its API"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "does not speak HTTP", "is that of its API"),
    ],
)
async def test_something_else_on_its_port_is_told_in_words(answer: bytes, what: str, mend: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, open_client() as http:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(IngestError, match=what) as caught:
            await SrsServer(Api("SRS", f"http://127.0.0.1:{port}", http)).publishers()
        assert mend in caught.value.mend


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ingest.api.TIMEOUT", 0.05)
    async with FakeSrs() as srs, open_client() as http:
        srs.faults.hang()
        with pytest.raises(IngestError, match="did not answer"):
            await SrsServer(Api("SRS", srs.url, http)).publishers()


async def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.ingest.api.MOST_BYTES", 1000)
    async with FakeSrs() as srs, open_client() as http:
        srs.faults.answer(200, b" " * 200_000)
        with pytest.raises(IngestError, match="not its API"):
            await SrsServer(Api("SRS", srs.url, http)).publishers()


async def test_a_kick_ends_the_client_of_srs_and_a_second_one_is_no_error() -> None:
    async with FakeSrs() as srs, open_client() as http:
        client = await srs.publish("live", "alice")
        assert client
        session = Session(f"srs:{srs.server_id}/{client.id}", "alice", "live", "alice")
        kicker = Kicker([SrsServer(Api("SRS", srs.url, http))])
        assert await kicker.kick(session)
        assert not srs.clients
        assert await kicker.kick(session)


async def test_oryx_lists_by_name_and_kicks_by_name() -> None:
    sessions = SessionDirectory(lambda: "")
    session = sessions.open(ref(client="r1", server="oryx"), yes(), 1.0)
    async with FakeOryx() as oryx, open_client() as http:
        server = OryxServer(Api("Oryx", oryx.url, http, oryx.secret), sessions)
        assert await server.publishers() == []
        oryx.streams = [("__defaultVhost__", "live", "alice"), ("__defaultVhost__", "live", "bob")]
        alice, bob = await server.publishers()
        assert alice.session_ids == (session.id,)
        assert bob.ref is not None
        assert bob.ref.path == "live/bob"
        assert await server.kick(session)
        assert oryx.streams == [("__defaultVhost__", "live", "bob")]
        with pytest.raises(IngestError):
            await server.kick(session)


async def test_oryx_is_asked_with_its_secret() -> None:
    async with FakeOryx() as oryx, open_client() as http:
        wrong = OryxServer(Api("Oryx", oryx.url, http, "guess"), SessionDirectory(lambda: ""))
        with pytest.raises(IngestError) as caught:
            await wrong.publishers()
    assert "guess" not in str(caught.value)


async def test_a_server_without_an_api_offers_no_way_to_kick() -> None:
    assert not await Kicker([]).kick(Session("nginx:7-00", "alice", "live", "alice"))


async def test_only_what_is_configured_is_asked() -> None:
    async with open_client() as http:
        assert configured(Ingest(), http, SessionDirectory(lambda: "")) == ()
        config = Ingest(
            srs_api="http://127.0.0.1:1985",
            oryx_api="http://127.0.0.1:2022",
            oryx_token=SecretStr("s"),
            mediamtx_api="http://127.0.0.1:9997",
        )
        servers = configured(config, http, SessionDirectory(lambda: ""))
    assert [server.prefix for server in servers] == ["srs:", "oryx:", "mediamtx:"]


# --- what streams are made of


async def test_srs_tells_what_a_stream_is_made_of_and_what_has_not_come() -> None:
    async with FakeSrs() as srs, open_client() as http:
        for number, (video, audio) in enumerate([("H264", "AAC"), ("HEVC", "AAC"), ("", "AAC"), ("H264", "")]):
            client = await srs.publish("live", f"s{number}")
            assert client
            client.video, client.audio = video, audio
        listed = await SrsServer(Api("SRS", srs.url, http)).publishers()
    assert {row.ref.stream: row.tracks for row in listed if row.ref} == {
        "s0": Tracks("h264", "aac", 640, 360),
        "s1": Tracks("hevc", "aac", 640, 360),
        "s2": Tracks("", "aac"),
        "s3": Tracks("h264", "", 640, 360),
    }


# --- who it is, where no hook tells --------------------------------------------------------------------------------


async def test_srs_remembers_the_arguments_of_a_publisher_s_server_and_not_of_its_stream() -> None:
    async with FakeSrs() as srs, open_client() as http:
        client = await srs.publish("live", "alice", "?key=inthestream")
        assert client
        client.tc_url = "rtmp://127.0.0.1/live?key=intheserver"
        server = SrsServer(Api("SRS", srs.url, http))
        (listed,) = await server.publishers()
        assert await server.arguments(listed) == (("key", "intheserver"),)
        await srs.unpublish(client)
        assert await server.arguments(listed) == ()


async def test_oryx_remembers_the_arguments_of_a_publisher() -> None:
    async with FakeOryx() as oryx, open_client() as http:
        stream = ("__defaultVhost__", "live", "alice")
        oryx.streams = [stream]
        server = OryxServer(Api("Oryx", oryx.url, http, oryx.secret), SessionDirectory(lambda: ""))
        (listed,) = await server.publishers()
        assert await server.arguments(listed) == ()
        oryx.params[stream] = "?secret=of-oryx&key=abc"
        (listed,) = await server.publishers()
        assert await server.arguments(listed) == (("secret", "of-oryx"), ("key", "abc"))


async def test_a_kick_at_oryx_which_goes_by_name_hits_nobody_else_s_stream() -> None:
    sessions = SessionDirectory(lambda: "")
    alice = sessions.open(ref("show", client="r1", server="oryx"), yes("alice"), 1.0)
    bob = sessions.open(ref("show", client="r2", server="oryx"), yes("bob"), 2.0)
    async with FakeOryx() as oryx, open_client() as http:
        oryx.streams = [("__defaultVhost__", "live", "show")]
        server = OryxServer(Api("Oryx", oryx.url, http, oryx.secret), sessions)
        assert not await server.kick(bob)
        assert oryx.streams
        assert await server.kick(alice)
        assert not oryx.streams


async def test_a_kick_at_srs_is_not_sent_to_a_server_that_is_another_one() -> None:
    sessions = SessionDirectory(lambda: "")
    async with FakeSrs() as srs, open_client() as http:
        server = SrsServer(Api("SRS", srs.url, http), sessions)
        await server.publishers()
        other = sessions.open(make_ref("srs", "live", "bob", client_id="x1", instance="vid-other"), yes("bob"), 1.0)
        assert await server.kick(other), "as long as it may be this one, started anew"
        await server.publishers()
        assert server.others == ("srs:vid-other/",)
        assert not await server.kick(other)


async def srs_tells(video: str, audio: str, *, webrtc: bool) -> Tracks | None:
    async with FakeSrs() as srs, open_client() as http:
        client = await srs.publish("live", "alice")
        assert client
        client.video, client.audio, client.webrtc = video, audio, webrtc
        (listed,) = await SrsServer(Api("SRS", srs.url, http)).publishers()
        return listed.tracks


async def test_a_publisher_over_webrtc_whose_sound_comes_first_is_not_said_to_have_no_picture() -> None:
    """OBS would be kept from it until the next list, or as long as a try that was given up is waited for."""
    assert await srs_tells("", "", webrtc=True) is None
    assert await srs_tells("", "AAC", webrtc=True) is None
    assert await srs_tells("H264", "AAC", webrtc=True) == Tracks("h264", "aac", 640, 360)
    assert await srs_tells("", "AAC", webrtc=False) == Tracks("", "aac")
    assert await srs_tells("", "", webrtc=False) is None
