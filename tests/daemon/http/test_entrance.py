"""The short way in: a hook is taken and answered as it is by the application, and all else goes through that."""

import pytest
from yarl import URL

from daemon.config.model import Queue
from daemon.ingest.servers.kinds import SERVERS, Server
from statemachine.events import Published
from tests.daemon.http.routes.test_hooks import BODIES, BY_NAME, NO
from tests.daemon.http.studio import House, config

Answer = tuple[int, bytes, dict[str, str]]


def spelt(path: str) -> str:
    """The same path as the application's routes alone find it."""
    return f"{path[:-1]}%{ord(path[-1]):02x}"


async def answered(house: House, path: str, server: Server, **headers: str) -> Answer:
    """The status, the body, and the headers but for the date."""
    url = URL(path, encoded=True)
    kind = {"Content-Type": server.content_type, **headers}
    async with house.client.post(url, data=BODIES[server.name], headers=kind) as answer:
        return (
            answer.status,
            await answer.read(),
            {name: answer.headers[name] for name in answer.headers if name != "Date"},
        )


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_a_hook_is_answered_the_same_whichever_way_it_comes_in(house: House, server: Server) -> None:
    short = await answered(house, server.path, server)
    assert short == await answered(house, spelt(server.path), server)
    assert short[0] == 200
    assert short[2]["Server"] == "motherstream"
    assert short[2]["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert sum(isinstance(event, Published) for event in house.dispatcher.events) == 2


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
async def test_so_is_a_refusal(house: House, server: Server) -> None:
    house.config = config(queue=Queue())
    short = await answered(house, server.path, server)
    assert short == await answered(house, spelt(server.path), server)
    assert short[0] == NO[server.name]


async def test_so_is_one_that_fails_inside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of the daemon's own")

    monkeypatch.setattr(house.sessions, "open", fail)
    server = BY_NAME["srs"]
    short = await answered(house, server.path, server)
    assert short == await answered(house, spelt(server.path), server)
    assert short[0] == 500
    assert b"internal" in short[1]
    assert b"fault of the daemon" not in short[1]
    assert short[2]["X-Frame-Options"] == "DENY"


async def test_one_that_waits_to_be_told_to_go_on_is_told(house: House) -> None:
    status, content, _ = await answered(house, "/hooks/srs", BY_NAME["srs"], Expect="100-continue")
    assert (status, content) == (200, b'{"code":0}')


async def test_what_is_no_hook_is_the_applications(house: House) -> None:
    async with house.client.get("/hooks/srs") as answer:
        assert answer.status == 405
    async with house.client.post("/hooks/srs/") as answer:
        assert answer.status == 404
