"""The ingest server's list against what the hooks told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from unittest import mock

import pytest
from structlog.testing import capture_logs

from daemon.config.model import Queue
from daemon.core.ports import Streamer
from daemon.ingest.api import Api, open_client
from daemon.ingest.reconciler import Naming, PollSchedule, Reconciler
from daemon.ingest.servers.oryx_api import OryxServer
from daemon.ingest.servers.srs_api import MOST_ASKED, SrsServer
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import StreamRef, make_ref
from statemachine.events import Event, PublishersListed, StreamDescribed, Tracks
from tests.daemon.ingest.helpers import Keys, admission, ref, yes
from tests.fakes.oryx import FakeOryx
from tests.fakes.srs import Client, FakeSrs


@dataclass
class Set:
    """A fake SRS with a reconciler, and time moved by hand."""

    srs: FakeSrs
    server: SrsServer
    reconciler: Reconciler
    sessions: SessionDirectory
    events: list[Event] = field(default_factory=list)
    now: float = 100.0
    queue: Queue = field(default_factory=lambda: Queue(auth="open"))
    pauses: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def list(self) -> PublishersListed:
        assert await self.reconciler.once(self.server)
        return next(event for event in reversed(self.events) if isinstance(event, PublishersListed))

    async def publish(self, stream: str = "alice", *, known: bool = True) -> Client:
        client = await self.srs.publish("live", stream)
        assert client
        if known:
            self.sessions.open(self.ref_of(client), yes(stream), self.now)
        return client

    def ref_of(self, client: Client) -> StreamRef:
        return make_ref("srs", client.app, client.stream, client_id=client.id, instance=self.srs.server_id)


@pytest.fixture
async def studio() -> AsyncIterator[Set]:
    async with FakeSrs() as srs, open_client() as http:
        sessions = SessionDirectory(lambda: "rtmp://h/{app}/{stream}")
        server = SrsServer(Api("SRS", srs.url, http), sessions)
        keys = Keys(k1=Streamer("alice", turn=600.0))
        made = Set(srs, server, None, sessions)  # type: ignore[arg-type]  # set in the next lines

        async def sleep(seconds: float) -> None:
            made.pauses.put_nowait(seconds)
            await made.go_on.acquire()

        gate = admission(keys=keys)
        gate._config = lambda: made.queue
        made.reconciler = Reconciler(
            [server],
            Naming(sessions, gate),
            made.events.append,
            PollSchedule(lambda: made.now, lambda: 5.0, sleep),
        )
        yield made


async def test_the_list_speaks_of_the_sessions_that_the_hooks_opened(studio: Set) -> None:
    client = await studio.publish()
    client.received = 1234
    event = await studio.list()
    assert (event.server, event.asked_at) == ("srs:", 100.0)
    assert [session.id for session in event.sessions] == [f"srs:{studio.srs.server_id}/{client.id}"]
    assert studio.reconciler.received_bytes(event.sessions[0].id) == 1234
    assert studio.reconciler.received_bytes("srs:v/other") is None


async def test_a_hook_that_named_no_server_is_found_all_the_same(studio: Set) -> None:
    client = await studio.publish(known=False)
    session = studio.sessions.open(make_ref("srs", "live", "alice", client_id=client.id), yes(), 100.0)
    assert (await studio.list()).sessions == (session,)


async def test_a_stream_whose_hook_was_lost_is_found_where_anybody_may_publish(studio: Set) -> None:
    await studio.publish("bob", known=False)
    (session,) = (await studio.list()).sessions
    assert session.streamer == "bob"
    assert studio.sessions.play_url(session) == "rtmp://h/live/bob"


async def test_the_list_says_whether_its_server_can_kick(studio: Set) -> None:
    assert (await studio.list()).can_kick
    with mock.patch.object(SrsServer, "can_kick", new=False):
        assert not (await studio.list()).can_kick


async def test_a_stream_whose_name_is_its_key_is_found(studio: Set) -> None:
    studio.queue = Queue(auth="keys")
    await studio.publish("k1", known=False)
    (session,) = (await studio.list()).sessions
    assert (session.streamer, session.turn) == ("alice", 600.0)


async def test_thousands_of_streams_that_nobody_can_be_named_for_are_some_lines_once_and_none_each_list(
    studio: Set,
) -> None:
    studio.queue = Queue()
    studio.srs.clients = {f"c{i}": Client(f"c{i}", "live", f"s{i}", "", f"vid-{i}") for i in range(1500)}
    with capture_logs() as lines, mock.patch.object(Keys, "is_empty", return_value=True):
        for _ in range(3):
            await studio.list()
    assert len(lines) == 17
    assert lines[-1] == {
        "event": "Published streams cannot be attributed to a streamer",
        "log_level": "warning",
        "server": studio.server.where,
        "more": 1500 - 16,
    }


async def test_a_stream_that_nobody_can_be_named_for_is_left_out_and_told_once(studio: Set) -> None:
    studio.queue = Queue(auth="keys")
    await studio.publish("mallory", known=False)
    with capture_logs() as lines:
        assert (await studio.list()).sessions == ()
        assert (await studio.list()).sessions == ()
    assert len(lines) == 1
    assert "mallory" not in str(lines)


async def test_a_stream_with_a_pipeline_for_a_name_is_left_out(studio: Set) -> None:
    await studio.publish("alice ! filesink location=x", known=False)
    assert (await studio.list()).sessions == ()


async def test_a_stream_that_another_server_s_hook_told_of_is_not_doubled(studio: Set) -> None:
    studio.sessions.open(ref(client="r1", server="oryx"), yes(), 1.0)
    await studio.publish("alice", known=False)
    assert (await studio.list()).sessions == ()


async def test_what_two_lists_lack_is_no_longer_live(studio: Set) -> None:
    client = await studio.publish()
    await studio.list()
    studio.srs.restart()
    studio.now = 110.0
    assert (await studio.list()).sessions == ()
    assert studio.sessions.live("live/alice")
    assert (await studio.list()).sessions == ()
    assert not studio.sessions.live("live/alice")
    assert studio.sessions.find(f"srs:{studio.srs.server_id}/{client.id}")


async def test_whom_srs_let_in_beside_a_stream_that_it_had_lost_is_live_though_its_list_names_another(
    studio: Set,
) -> None:
    studio.srs.loses.add("alice")
    lost = await studio.publish("alice")
    second = await studio.publish("alice")
    studio.now += 10.0
    assert {session.id for session in (await studio.list()).sessions} == {
        studio.ref_of(client).session_id for client in (lost, second)
    }
    await studio.srs.unpublish(lost)
    second.received = 4000
    (session,) = (await studio.list()).sessions
    assert session.id == studio.ref_of(second).session_id
    assert studio.reconciler.received_bytes(session.id) == 4000
    told = [event.tracks.video for event in studio.events if isinstance(event, StreamDescribed)]
    assert "" not in told, "the codecs of a row without a publisher are nobody's"
    await studio.srs.unpublish(second)
    assert (await studio.list()).sessions == ()


async def test_of_many_who_have_left_and_are_still_played_a_list_asks_for_few(studio: Set) -> None:
    clients = [await studio.publish(f"s{number}") for number in range(40)]
    for client in clients:
        client.beside = True
        studio.srs.clients[f"other-{client.stream}"] = studio.srs.clients.pop(client.id)
    studio.now += 10.0
    asked = len(studio.srs.requests)
    assert (await studio.list()).sessions == ()
    assert len(studio.srs.requests) - asked <= 1 + MOST_ASKED


async def test_a_publish_that_is_younger_than_the_list_survives_it(studio: Set) -> None:
    studio.sessions.open(ref(), yes(), 99.0)
    await studio.list()
    await studio.list()
    assert studio.sessions.live("live/alice")


async def test_a_session_of_an_earlier_server_id_is_not_in_the_list_of_its_prefix(studio: Set) -> None:
    client = await studio.publish()
    studio.srs.restart(new_server_id=True)
    again = await studio.publish()
    event = await studio.list()
    assert event.server == "srs:"
    assert [session.id for session in event.sessions] == [f"srs:{studio.srs.server_id}/{again.id}"]
    assert client.id not in event.sessions[0].id


async def test_a_server_that_does_not_answer_changes_nothing_and_is_told_once(studio: Set) -> None:
    await studio.publish()
    await studio.srs.stop()
    with capture_logs() as lines:
        assert not await studio.reconciler.once(studio.server)
        assert not await studio.reconciler.once(studio.server)
        assert studio.reconciler.unreachable
        await studio.srs.start()
        assert await studio.reconciler.once(studio.server)
        assert await studio.reconciler.once(studio.server)
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert sum(isinstance(event, PublishersListed) for event in studio.events) == 2
    assert studio.reconciler.unreachable == ()


async def test_half_a_list_ends_nobody(studio: Set) -> None:
    await studio.publish()
    studio.srs.faults.answer(200, b'{"code":0,"server":"v","streams":[{}]}')
    assert not await studio.reconciler.once(studio.server)
    assert studio.events == []


async def test_it_asks_at_the_start_and_then_at_the_interval_and_backs_off(studio: Set) -> None:
    task = asyncio.create_task(studio.reconciler.run())
    async with asyncio.timeout(5):
        assert not studio.reconciler.heard.is_set()
        pauses = [await studio.pauses.get()]
        assert studio.reconciler.heard.is_set()
        assert len(studio.events) == 1
        studio.srs.faults.answer(500)
        while len(pauses) < 6:
            studio.go_on.release()
            pauses.append(await studio.pauses.get())
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert len(studio.events) == 1


async def test_a_fault_of_one_server_s_reader_does_not_end_the_watch(
    studio: Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(studio.server, "publishers", broken)
    task = asyncio.create_task(studio.reconciler.run())
    with capture_logs() as lines:
        async with asyncio.timeout(5):
            await studio.pauses.get()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert lines[0]["log_level"] == "error"


async def test_with_no_server_to_ask_it_has_heard_all_and_goes_on() -> None:
    sessions = SessionDirectory(lambda: "")
    reconciler = Reconciler(
        [], Naming(sessions, admission()), lambda event: None, PollSchedule(lambda: 1.0, lambda: 5.0)
    )
    assert reconciler.heard.is_set()
    task = asyncio.create_task(reconciler.run())
    done, _ = await asyncio.wait((task,), timeout=0.05)
    assert not done
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_lost_end_of_oryx_does_not_come_back_as_a_ghost() -> None:
    sessions = SessionDirectory(lambda: "")
    events: list[PublishersListed] = []
    now = 100.0
    async with FakeOryx() as oryx, open_client() as http:
        server = OryxServer(Api("Oryx", oryx.url, http, oryx.secret), sessions)
        schedule = PollSchedule(lambda: now, lambda: 5.0)
        reconciler = Reconciler([server], Naming(sessions, admission()), events.append, schedule)  # type: ignore[arg-type]  # nothing else comes of a list
        old = sessions.open(ref(client="r1", server="oryx"), yes(), 1.0)
        await reconciler.once(server)
        await reconciler.once(server)
        new = sessions.open(ref(client="r2", server="oryx"), yes(), 100.0)
        oryx.streams = [("__defaultVhost__", "live", "alice")]
        await reconciler.once(server)
    assert events[-1].sessions == (new,)
    assert old not in events[-1].sessions


async def test_what_a_stream_is_made_of_is_told_when_it_changes(studio: Set) -> None:
    client = await studio.publish()
    client.video = ""
    for _ in range(3):
        await studio.list()
    client.video = "HEVC"
    for _ in range(3):
        await studio.list()
    told = [event for event in studio.events if isinstance(event, StreamDescribed)]
    session = f"srs:{studio.srs.server_id}/{client.id}"
    assert [(event.session_id, event.tracks) for event in told] == [
        (session, Tracks("", "aac")),
        (session, Tracks("hevc", "aac", 640, 360)),
    ]
    assert studio.events.index(told[0]) > 0, "the session itself comes first"
