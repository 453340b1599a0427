"""nginx-rtmp's list and kicks, where rtmp_stat and rtmp_control are on."""

import asyncio
from collections.abc import Iterable
from unittest.mock import AsyncMock

import aiohttp
import pytest

from daemon.core.ports import IngestError
from daemon.ingest.api import Api, open_client
from daemon.ingest.hook import Publish
from daemon.ingest.servers.nginx_api import PORTION, STREAMS, NginxServer
from daemon.ingest.servers.nginx_rtmp import parse
from statemachine.events import Session, Tracks
from tests.fakes.nginx import FakeNginx, Stream


async def lists(nginx: FakeNginx, times: int = 1) -> list[tuple[str, int, Tracks | None]]:
    async with open_client() as http:
        server = NginxServer(Api("nginx-rtmp", nginx.url + "/stat", http), None)
        for _ in range(times - 1):
            await server.publishers()
        return [(listed.session_ids[0], listed.received, listed.tracks) for listed in await server.publishers()]


def hooked(app: str, name: str, client: int) -> str:
    """The id that the hook of the same publish gives."""
    hook = parse(f"call=publish&app={app}&name={name}&addr=127.0.0.1&clientid={client}".encode())
    assert isinstance(hook, Publish)
    return hook.ref.session_id


async def test_publishers_are_listed_by_the_ids_of_their_hooks_with_what_they_send() -> None:
    async with FakeNginx() as nginx:
        nginx.streams["live", "alice"] = Stream(2, 60546)
        nginx.streams["live", "bob"] = Stream(3, 13432, audio=False)
        nginx.streams["show", "carol"] = Stream(4, 36210, video="")
        nginx.streams["live", "dave"] = Stream(5, 1, described=False)
        nginx.streams["live", "left"] = Stream(None)
        assert await lists(nginx) == [
            (hooked("live", "alice", 2), 60546, Tracks("h264", "aac", 640, 360)),
            (hooked("live", "bob", 3), 13432, Tracks("h264", "", 640, 360)),
            (hooked("live", "dave", 5), 1, None),
            (hooked("show", "carol", 4), 36210, Tracks("", "aac", 0, 0)),
        ]


async def test_a_publisher_is_dropped_by_its_number_and_one_that_has_gone_is_no_fault() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        nginx.streams["live", "alice"] = Stream(2)
        server = NginxServer(
            Api("nginx-rtmp", nginx.url + "/stat", http), Api("nginx-rtmp", nginx.url + "/control", http)
        )
        session = Session(hooked("live", "alice", 2), "alice", "live", "alice")
        assert await server.kick(session)
        assert not nginx.streams
        assert await server.kick(session)
        assert not await server.kick(Session("nginx:0123456789abcdef", "bob", "live", "bob"))


async def test_without_rtmp_control_there_is_no_way_to_kick() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        server = NginxServer(Api("nginx-rtmp", nginx.url + "/stat", http), None)
        assert not await server.kick(Session(hooked("live", "alice", 2), "alice", "live", "alice"))


async def believed(nginx: FakeNginx, http: aiohttp.ClientSession, pids: Iterable[int]) -> list[bool]:
    """Of which workers' answers a list is made."""
    server, found = NginxServer(Api("nginx-rtmp", nginx.url + "/stat", http), None), []
    for nginx.pid in pids:
        try:
            found.append(await server.publishers() == [])
        except IngestError:
            found.append(False)
    return found


async def test_a_restart_gives_a_list_again_with_the_second_answer_of_the_new_worker() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        assert await believed(nginx, http, (1, 1, 2, 2, 3, 3, 3)) == [True, True, False, True, False, True, True]


async def test_of_several_workers_no_two_answers_in_a_row_are_taken_for_the_list() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        several = await believed(nginx, http, [*range(1, 9)] * 3 + [5, 5, 5])
        assert several == [True, *[False] * 26]
        assert await believed(nginx, http, (1, 2, 1, 1, 1, 3, 3, 3)) == [True, *[False] * 5, True, True]


async def test_what_to_set_where_several_workers_answer_is_said() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        server = NginxServer(Api("nginx-rtmp", nginx.url + "/stat", http), None)
        await server.publishers()
        nginx.pid += 1
        with pytest.raises(IngestError, match="was restarted, or has several workers: set worker_processes 1"):
            await server.publishers()


async def test_the_loop_goes_on_while_a_long_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks are answered and cuts are made meanwhile: no turn of the loop reads more than a small piece of it."""
    turns, over = 0, asyncio.Event()
    async with FakeNginx() as nginx, open_client() as http:
        nginx.streams.update({("live", f"s{number}"): Stream(number, 60546) for number in range(1500)})
        stat = Api("nginx-rtmp", nginx.url + "/stat", http)
        answer = await stat.fetch("GET", "")
        # From here on nothing but the reading itself can give the loop a turn.
        monkeypatch.setattr(stat, "fetch", AsyncMock(return_value=answer))

        async def count() -> None:
            nonlocal turns
            while not over.is_set():
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        listed = await NginxServer(stat, None).publishers()
        over.set()
        await counting
    assert len(listed) == 1500
    assert turns >= len(answer[1]) // PORTION + len(listed) // STREAMS


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "'
    + "x" * 64
    + '">'
    + "".join(f'<!ENTITY {chr(97 + n)} "{f"&{chr(96 + n)};" * 10}">' for n in range(1, 9))
    + "]><rtmp>&i;</rtmp>"
)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"<html><body>404</body></html>",
        b"<rtmp><server>",
        b"<rtmp>" * 200_000,
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rtmp/>',
        b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE r+AD4APA-rtmp/+AD4-',
        b"\xff\xfe\x00",
        b"x" * (9 * 1024 * 1024),
        b"<rtmp><application><name>live</name><stream><name>a</name><client><publishing/></client></stream>"
        b"</application></rtmp>",
        b"<rtmp><application><name>live</name><stream><name>a</name><client><id>\xd9\xa1</id><publishing/></client>"
        b"</stream></application></rtmp>",
    ],
    ids=lambda document: repr(document[:24]),
)
async def test_what_is_not_its_list_is_none(document: bytes) -> None:
    async with FakeNginx() as nginx:
        nginx.document = document or b" "
        with pytest.raises(IngestError):
            await lists(nginx)


async def test_a_name_outside_the_allow_list_is_listed_without_a_stream() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        nginx.streams["live", "a b"] = Stream(7)
        (listed,) = await NginxServer(Api("nginx-rtmp", nginx.url + "/stat", http), None).publishers()
    assert listed.ref is None


async def test_it_can_kick_where_rtmp_control_is_on() -> None:
    async with FakeNginx() as nginx, open_client() as http:
        stat, control = Api("nginx-rtmp", nginx.url + "/stat", http), Api("nginx-rtmp", nginx.url + "/control", http)
        assert [NginxServer(stat, each).can_kick for each in (control, None)] == [True, False]
