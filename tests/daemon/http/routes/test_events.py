"""The event stream: everything that is told, resumable, never waiting for a subscriber."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse

from daemon.http.errors import ApiError
from daemon.http.routes.events import Bounds, EventHub
from statemachine import facts
from statemachine.handover.states import State
from tests.daemon.http.studio import AT, SWITCH, House, config, open_house
from tests.support import until


async def take(response: ClientResponse, count: int) -> list[dict[str, str]]:
    """So many events, as their fields; comments are left out."""
    found: list[dict[str, str]] = []
    event: dict[str, str] = {}
    async with asyncio.timeout(5):
        while len(found) < count:
            line = (await response.content.readline()).decode()
            assert line, "the stream has ended"
            name, colon, value = line.rstrip("\n").partition(": ")
            if colon:
                event[name] = value
            elif event and not name:
                found.append(event)
                event = {}
    return found


async def test_every_fact_is_told_in_order(house: House) -> None:
    async with house.client.get("/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        (hello,) = await take(response, 1)
        assert (hello["event"], json.loads(hello["data"])) == (
            "hello",
            {"resumed": False, "channel": "main"},
        )
        house.hub.publish_facts(
            (
                facts.StateChanged(AT, State.STANDBY, "TurnCame", State.SWAPPING, 12),
                facts.EventIgnored(AT, "CutDone", State.IDLE, "late"),
                facts.LineupChanged(AT, "joined", "<script>"),
                SWITCH,
            )
        )
        events = await take(response, 3)
    assert [event["event"] for event in events] == ["state_changed", "lineup_changed", "handover_ended"]
    assert json.loads(events[0]["data"]) == {
        "at": "2026-01-01T20:00:00Z",
        "source": "STANDBY",
        "event": "TurnCame",
        "dest": "SWAPPING",
        "attempt": 12,
        "channel": "main",
    }
    assert json.loads(events[1]["data"])["streamer"] == "<script>"
    assert json.loads(events[2]["data"])["outcome"] == "completed"


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(house: House) -> None:
    async with house.client.get("/events") as response:
        await take(response, 1)
        house.hub.publish("a", {"n": 1})
        (first,) = await take(response, 1)
    house.hub.publish("b", {"n": 2})
    house.hub.publish("c", {"n": 3})
    async with house.client.get("/events", headers={"Last-Event-ID": first["id"]}) as response:
        hello, second, third = await take(response, 3)
    assert json.loads(hello["data"]) == {"resumed": True, "channel": "main"}
    assert [second["event"], third["event"]] == ["b", "c"]


async def test_who_saw_nothing_but_the_hello_can_resume_too(house: House) -> None:
    async with house.client.get("/events") as response:
        (hello,) = await take(response, 1)
    house.hub.publish("a", {})
    async with house.client.get("/events", headers={"Last-Event-ID": hello["id"]}) as response:
        assert [event["event"] for event in await take(response, 2)] == ["hello", "a"]


@pytest.mark.parametrize(
    "given", ["", "x", "other-1", "-", "{run}-", "{run}--1", "{run}-99", "{run}-" + "9" * 50, "{run}-1"]
)
async def test_who_cannot_be_resumed_is_told_so(given: str) -> None:
    hub = EventHub(bounds=Bounds(ring=2))
    for _ in range(5):
        hub.publish("a", {})
    frames = await hub.subscribe(given.replace("{run}", hub._run)).take()
    assert frames.count(b"event:") == 1
    assert b'"resumed":false' in frames


async def test_the_oldest_that_is_kept_is_enough_to_resume() -> None:
    hub = EventHub(bounds=Bounds(ring=2))
    for _ in range(5):
        hub.publish("a", {})
    frames = await hub.subscribe(f"{hub._run}-3").take()
    assert frames.count(b"event: a") == 2
    assert b'"resumed":true' in frames


async def test_secrets_are_cleaned_from_what_is_told() -> None:
    hub = EventHub(lambda value: json.loads(json.dumps(value).replace("s3cret", "***")))
    hub.publish("a", {"detail": "key=s3cret"})
    frames = await hub.subscribe(f"{hub._run}-0").take()
    assert b"s3cret" not in frames
    assert b"key=***" in frames


async def test_no_text_breaks_out_of_its_line() -> None:
    hub = EventHub()
    hub.publish("a", {"name": "x\n\nevent: forged\r\ndata: y"})
    frames = await hub.subscribe(f"{hub._run}-0").take()
    assert frames.count(b"\nevent:") == 2
    assert b"\r" not in frames


async def test_a_subscriber_that_is_too_far_behind_is_dropped_and_holds_up_nobody() -> None:
    hub = EventHub(bounds=Bounds(most_waiting=10))
    slow, quick = hub.subscribe(), hub.subscribe()
    for _ in range(50):
        hub.publish("a", {})
        await quick.take()
    assert slow.over
    assert not quick.over
    assert hub.subscribers == 1


async def test_a_connection_that_never_reads_is_dropped() -> None:
    hub = EventHub(bounds=Bounds(write_seconds=0.1, most_waiting=1_000_000, ring=10))
    async with open_house(hub=hub) as house:
        _, writer = await asyncio.open_connection(house.client.host, house.client.port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await until(lambda: hub.subscribers == 1)
        text = {"text": "x" * 100_000}

        def publish_and_look() -> bool:
            hub.publish("a", text)
            return hub.subscribers == 0

        await until(publish_and_look)
        writer.close()


async def test_an_idle_stream_is_kept_alive_by_comments() -> None:
    async with (
        open_house(hub=EventHub(bounds=Bounds(heartbeat=0.02))) as house,
        house.client.get("/events") as response,
    ):
        await take(response, 1)
        async with asyncio.timeout(5):
            assert await response.content.readline() == b":\n"


async def test_a_subscriber_that_leaves_is_forgotten() -> None:
    hub = EventHub(bounds=Bounds(heartbeat=0.02))
    async with open_house(hub=hub) as house:
        async with house.client.get("/events") as response:
            await take(response, 1)
            assert hub.subscribers == 1
        await until(lambda: hub.subscribers == 0)


async def test_too_many_subscribers_are_refused(house: House) -> None:
    hub = EventHub(bounds=Bounds(most_subscribers=1))
    hub.subscribe()
    with pytest.raises(ApiError) as caught:
        hub.subscribe()
    assert caught.value.status == 503
    hub.close()


async def test_the_stream_ends_when_the_daemon_stops() -> None:
    hub = EventHub()
    async with open_house(hub=hub) as house, house.client.get("/events") as response:
        await take(response, 1)
        hub.close()
        async with asyncio.timeout(5):
            assert await response.content.read() == b""


async def test_a_head_request_does_not_listen(house: House) -> None:
    async with house.client.head("/events") as response:
        assert response.status == 405
    assert house.hub.subscribers == 0


@pytest.fixture
async def locked() -> AsyncIterator[House]:
    async with open_house(config(token="s3cret-token")) as made:
        yield made


async def test_the_stream_needs_the_token(locked: House) -> None:
    assert (await locked.get("/events"))[0] == 401


async def test_each_event_bears_the_channel() -> None:
    hub = EventHub(channel="gold")
    subscription = hub.subscribe()
    hub.publish("health_changed", {"score": 100})
    hub.publish_facts([facts.StudioModeChanged(1.0, True, "leave")])
    frames = (await subscription.take()).decode().split("\n\n")[:-1]
    data = [json.loads(frame.partition("data: ")[2]) for frame in frames]
    assert [each["channel"] for each in data] == ["gold"] * 3
