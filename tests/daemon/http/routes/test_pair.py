"""Two daemons of a channel over HTTP: who owns it, how it changes hands, and what an heir answers."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from daemon.config.model import Config, Hooks
from daemon.core.ports import Check, Letter, ObsInfo, Streamer
from daemon.http import peers
from daemon.http.app import put_entrance
from daemon.http.auth import HOOK, PASSED_ON, PEER, peer_value
from daemon.http.heir import HeirControl, build_heir
from daemon.http.peers import OwnerAt, Peers
from daemon.http.views import status
from daemon.ingest.heir import HeirPublishing
from statemachine.events import Actor
from tests.daemon.http.studio import AT, FLEET, OWNER, PEER_SECRET, House, config, open_house, view
from tests.daemon.ingest.helpers import Ask, Keys, admission
from tests.daemon.ingest.test_hook_bodies import SRS5, body

BEARER = {"Authorization": "Bearer t0ken"}
VOUCHED = {PEER: peer_value(PEER_SECRET, HOOK)}
"""What another daemon shows that passes on a hook."""


# --- the owner ---------------------------------------------------------------------------------------------------


async def test_the_owner_says_that_it_is(house: House) -> None:
    assert await house.get("/owner") == (200, {"role": "owner"})
    assert (await house.get("/status"))[1]["owner"] == OWNER
    assert await house.get("/fleet") == (200, {"channels": FLEET})


async def test_it_steps_down_for_who_may_ask_for_it() -> None:
    async with open_house(config("t0ken", hooks=Hooks(secret=SecretStr("s3cret")))) as house:
        assert (await house.post("/step-down"))[0] == 401
        assert (await house.post("/step-down", headers=VOUCHED))[0] == 401, "a peer is no person"
        answer = await house.post("/step-down", headers=BEARER)
        assert answer == (200, {"status": "success", "message": "two takes over"})
        assert house.stepped_down == [Actor("token")]


async def test_a_hook_that_the_other_daemon_passes_on_is_taken_from_nobody_else(house: House) -> None:
    letter = {"server": "srs", "content_type": "application/json", "body": base64.b64encode(b"{}").decode()}
    on_behalf = peer_value(PEER_SECRET, PASSED_ON)
    for headers in ({}, {PEER: ""}, {PEER: "wrong"}, {PEER: PEER_SECRET}, {PEER: on_behalf}):
        assert (await house.post("/peer/hook", json=letter, headers=headers))[0] == 403
    assert house.letters == []
    answered, verdict = await house.post("/peer/hook", json=letter, headers=VOUCHED)
    assert (answered, verdict["accepted"]) == (200, True)
    assert house.letters == [Letter("srs", "application/json", b"{}")]
    bad = {**letter, "body": "%"}
    assert (await house.post("/peer/hook", json=bad, headers=VOUCHED))[1]["error"]["code"] == "bad_value"


async def test_what_a_peer_passes_on_may_come_from_its_own_page(house: House) -> None:
    page = {"Origin": "http://other:8000"}
    assert (await house.post("/queue/hold", headers=page))[0] == 403
    assert (await house.post("/queue/hold", headers={**page, PEER: "wrong"}))[0] == 403
    assert (await house.post("/queue/hold", headers={**page, PEER: peer_value(PEER_SECRET, PASSED_ON)}))[0] == 200
    assert (await house.post("/queue/hold", headers={**page, PEER: peer_value(PEER_SECRET, HOOK)}))[0] == 403


# --- the heir ----------------------------------------------------------------------------------------------------


@dataclass
class HeirHouse:
    """An heir, and a client."""

    client: "TestClient[Any, Any]"
    owner_at: OwnerAt | None
    left: list[Letter] = field(default_factory=list)
    keys: Keys = field(default_factory=lambda: Keys(**{"alice-key": Streamer("alice")}))

    async def get(self, path: str, **more: Any) -> tuple[int, Any]:
        async with self.client.get(path, **more) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, **more: Any) -> tuple[int, Any]:
        async with self.client.post(path, **more) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def heir_of(owner: House | None, given: Config | None = None) -> AsyncIterator[HeirHouse]:
    made = given or config()
    async with aiohttp.ClientSession() as session:
        heir = HeirHouse(None, None)  # type: ignore[arg-type]  # set below
        if owner is not None:
            heir.owner_at = OwnerAt("one", str(owner.client.make_url("")).rstrip("/"), PEER_SECRET)
        asking = Peers(session, lambda: heir.owner_at)

        async def leave(letter: Letter) -> None:
            heir.left.append(letter)

        gate_ = admission(None, heir.keys, lambda streamer, at: None, Ask(), [])
        gate_._config = lambda: made.queue

        def told() -> Any:
            return {**status(view(), ObsInfo(True), channel="main"), "owner": nobody()}

        def nobody() -> Any:
            return {**OWNER, "here": False, "name": heir.owner_at.name if heir.owner_at else None}

        app, gate = build_heir(
            HeirControl(
                config=lambda: made,
                publishing=HeirPublishing(lambda: made.ingest, lambda: AT, gate_, asking.ask, leave),
                registry=CollectorRegistry(),
                peers=asking,
                owner=nobody,
                status=told,
                ready=lambda: (Check("obs", ok=True),),
            )
        )
        server = TestServer(app)
        await server.start_server()
        assert server.runner is not None
        put_entrance(app, server.runner.server)  # type: ignore[arg-type]  # it has started
        async with TestClient(server) as client:
            heir.client = client
            yield heir
        del gate


async def test_an_heir_says_what_it_is_and_that_is_not_ready(house: House) -> None:
    async with heir_of(house) as heir:
        assert await heir.get("/owner") == (503, {"role": "heir"})
        answered, told = await heir.get("/readyz")
        assert (answered, told["ready"]) == (503, False)
        assert "this daemon is the heir: one at" in told["checks"]["owner"]["detail"]
        assert told["checks"]["obs"]["ok"]
        assert await heir.get("/healthz") == (200, {"status": "ok"})


async def test_what_people_ask_of_an_heir_the_owner_answers(house: House) -> None:
    async with heir_of(house) as heir:
        answered, told = await heir.get("/status")
        assert (answered, told["state"]) == (200, "STANDBY")
        assert told["owner"] == {**OWNER, "here": False}
        assert await heir.get("/queue") == await house.get("/queue")
        assert (await heir.post("/queue/hold"))[0] == 200
        assert (await heir.get("/nothing"))[0] == 404
        async with heir.client.get("/dashboard/main.js") as page:
            assert (page.status, page.content_type) == (200, "text/javascript")
        assert (await heir.post("/queue/hold", headers={"Origin": "https://evil.example"}))[1]["error"]["code"] == (
            "cross_site"
        )


async def test_the_owner_asks_for_the_token_whoever_passes_the_request_on() -> None:
    locked = config("t0ken", hooks=Hooks(secret=SecretStr("s3cret")))
    async with open_house(locked) as house, heir_of(house, locked) as heir:
        assert (await heir.get("/queue"))[0] == 401
        assert (await heir.get("/queue", headers={PEER: peer_value(PEER_SECRET, PASSED_ON)}))[0] == 503
        assert (await heir.get("/queue", headers=BEARER))[0] == 200
        assert (await heir.get("/owner"))[0] == 503
        async with heir.client.get("/metrics") as metrics:
            assert metrics.status == 401


@pytest.mark.parametrize("path", ["/peer/hook", "/peer/%68ook"])
async def test_an_heir_vouches_for_nobody_s_hook_but_its_own(house: House, path: str) -> None:
    letter = {"server": "srs", "content_type": "application/json", "body": ""}
    async with heir_of(house) as heir:
        assert (await heir.post(path, json=letter))[0] == 404
        assert house.letters == []


async def test_an_heir_that_takes_itself_for_the_owner_does_not_ask_itself_for_ever(house: House) -> None:
    async with heir_of(house) as heir:
        heir.owner_at = OwnerAt("one", str(heir.client.make_url("")).rstrip("/"), PEER_SECRET)
        answered, told = await heir.post("/queue/skip")
        assert (answered, told["error"]["code"]) == (503, "no_owner")
        assert "is its store.address right?" in told["error"]["message"]


def test_what_proxies_say_of_a_client_is_not_passed_on_as_ours() -> None:
    for name in (
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "via",
        "x-real-ip",
        "host",
        "connection",
        PEER.lower(),
    ):
        assert not peers._is_passed_on(name)
    for name in ("authorization", "cookie", "origin", "content-type", "accept", "last-event-id"):
        assert peers._is_passed_on(name)


async def test_without_an_owner_an_heir_shows_what_it_knows_and_changes_nothing(house: House) -> None:
    async with heir_of(None) as heir:
        answered, told = await heir.get("/status")
        assert (answered, told["owner"]["name"]) == (200, None)
        answered, told = await heir.post("/queue/skip")
        assert (answered, told["error"]["code"]) == (503, "no_owner")
    async with heir_of(house) as heir:
        assert heir.owner_at is not None
        heir.owner_at = replace(heir.owner_at, address="http://127.0.0.1:1")
        assert (await heir.get("/status"))[0] == 200
        assert "does not answer" in (await heir.post("/queue/skip"))[1]["error"]["message"]


async def test_a_hook_at_an_heir_is_the_owners_to_decide(house: House) -> None:
    async with heir_of(house) as heir:
        assert (await heir.post("/hooks/srs", data=body(SRS5), headers={"Content-Type": "application/json"}))[0] == 200
        assert [letter.server for letter in house.letters] == ["srs"]
        assert heir.left == []


@pytest.mark.parametrize("gone", [True, False])
async def test_without_an_owner_the_shared_keys_admit_and_the_hook_is_left_for_the_next(
    house: House, gone: bool
) -> None:
    keyed = Config()
    async with heir_of(house, keyed) as heir:
        assert heir.owner_at is not None
        heir.owner_at = None if gone else replace(heir.owner_at, address="http://127.0.0.1:1")
        kind = {"Content-Type": "application/json"}
        answered, told = await heir.post("/hooks/srs", data=body(SRS5, param="?key=nobodys"), headers=kind)
        assert (answered, told["error"]["code"]) == (403, "unknown_key")
        assert heir.left == []
        answered, _ = await heir.post("/hooks/srs", data=body(SRS5, param="?key=alice-key"), headers=kind)
        assert answered == 200
        gone_again = body(SRS5, action="on_unpublish", param="?key=alice-key")
        assert (await heir.post("/hooks/srs", data=gone_again, headers=kind))[0] == 200
        assert [letter.server for letter in heir.left] == ["srs", "srs"]
        assert house.letters == []
