"""OBS as the daemon sees it, and a hand-over by hand."""

from dataclasses import replace

import pytest

from daemon.config.model import Ingest
from daemon.core.ports import ObsError, ObsGone, ObsRefused, ObsTimeout
from daemon.http.errors import ApiError
from daemon.http.manual_stream import read_url
from statemachine.events import TestRequested as HandoverByHand
from tests.daemon.http.studio import AT, HEALTH, INPUT, MEDIA, STREAMING, House, config, open_house
from tests.daemon.ingest.helpers import ref, yes

ROUTE = "/debug/test-dynamic-source-switch"
GOOD = "rtmp://127.0.0.1:1935/motherstream/live"


async def test_obs_s_inputs_and_their_media(house: House) -> None:
    _, inputs = await house.get("/obs/list-inputs")
    assert (inputs["count"], inputs["inputs"]) == (1, [INPUT])
    _, media = await house.get("/obs/media-input-status/GMOTHERSTREAM_12")
    assert media["input_name"] == "GMOTHERSTREAM_12"
    assert media["media_status"] == MEDIA
    assert (await house.get("/obs/streaming-status"))[1] == {"status": "success", **STREAMING}


async def test_the_connection_and_making_it_anew(house: House) -> None:
    _, health = await house.get("/obs/connection-health")
    assert (health["connection_healthy"], health["connection"]) == (True, HEALTH)
    house.studio.info = replace(house.studio.info, connected=False)
    assert (await house.get("/obs/connection-health"))[1]["connection_healthy"] is False
    status, answer = await house.post("/obs/force-reconnect")
    assert (status, answer["status"], house.studio.reconnects) == (200, "warning", 1)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ObsGone("gone"), 503, "obs_gone"),
        (ObsTimeout("GetInputList", 5.0), 504, "obs_timeout"),
        (ObsRefused("GetMediaInputStatus", 600, "No source was found"), 404, "not_found"),
        (ObsRefused("GetMediaInputStatus", 604, "Not a media source"), 502, "obs_refused"),
        (ObsError("odd"), 502, "obs_refused"),
    ],
)
async def test_what_obs_answers_is_translated(house: House, error: ObsError, status: int, code: str) -> None:
    house.studio.error = error
    for path in ("/obs/list-inputs", "/obs/media-input-status/x", "/obs/streaming-status"):
        got, answer = await house.get(path)
        assert (got, answer["error"]["code"]) == (status, code)


async def test_a_hand_over_by_hand_is_begun_and_not_waited_for(house: House) -> None:
    status, answer = await house.post(ROUTE, json={"rtmp_url": GOOD + "?key=s3cret", "scene_name": "MOTHERSTREAM"})
    assert (status, answer["status"], answer["attempt"], answer["state"]) == (202, "success", 12, "STANDBY")
    assert "s3cret" not in str(answer)
    (event,) = house.dispatcher.events
    assert isinstance(event, HandoverByHand)
    assert (event.session.app, event.session.stream, event.session.id) == ("motherstream", "live", answer["session"])
    assert house.sessions.play_url(event.session) == GOOD + "?key=s3cret"


async def test_a_stream_that_is_published_already_is_handed_over_as_its_streamer_s(house: House) -> None:
    session = house.sessions.open(ref("alice"), yes(), AT)
    await house.post(ROUTE, json={"rtmp_url": "rtmp://127.0.0.1:1935/live/alice"})
    assert house.dispatcher.events == [HandoverByHand(AT, session)]


async def test_a_hand_over_that_the_rules_refuse_leaves_nothing_behind(house: House) -> None:
    house.dispatcher.refuse("on_air", "test has the turn already")
    status, answer = await house.post(ROUTE, json={"rtmp_url": GOOD})
    assert (status, answer["error"]["code"]) == (409, "on_air")
    assert house.sessions.live("motherstream/live") == ()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:1935/motherstream/live",
        "file:///etc/passwd",
        "rtmp://169.254.169.254/latest/meta-data",
        "rtmp://127.0.0.1:6379/motherstream/live",
        "rtmp://127.0.0.1/motherstream/live@evil",
        "rtmp://evil.example:1935/motherstream/live",
        "rtmp://127.0.0.1:1935@evil.example/motherstream/live",
        "rtmp://user:pw@127.0.0.1:1935/motherstream/live",
        "rtmp://127.0.0.1:99999/motherstream/live",
        "rtmps://127.0.0.1:1935/motherstream/live",
        "rtmp://[::1/motherstream/live",
        "rtmp://127.0.0.1:1935/motherstream",
        "rtmp://127.0.0.1:1935/motherstream/live/more",
        "rtmp://127.0.0.1:1935/../live",
        "rtmp://127.0.0.1:1935/motherstream/li%20ve",
        "rtmp://127.0.0.1:1935/motherstream/live ! filesink location=/x",
        'rtmp://127.0.0.1:1935/motherstream/live" ! fakesink',
        "rtmp://127.0.0.1:1935/motherstream/live?key=%22%21",
        "rtmp://127.0.0.1:1935/motherstream/live#x",
        "rtmp://127.0.0.1:1935/motherstream/live live=1",
        "rtmp://127.0.0.1:1935/motherstream/live\n",
        "rtmp://127.0.0.1:1935/" + "x" * 3000 + "/live",
    ],
)
async def test_no_other_server_and_no_program_can_be_named(house: House, url: str) -> None:
    status, answer = await house.post(ROUTE, json={"rtmp_url": url})
    assert status == 400
    assert not url or url not in answer["error"]["message"]
    assert house.dispatcher.events == []


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"[" * 50_000, b"null", b"{}", b'{"rtmp_url":7}', b'{"rtmp_url":[]}']
)
async def test_a_body_that_is_none_is_refused(house: House, body: bytes) -> None:
    status, answer = await house.post(ROUTE, data=body, headers={"Content-Type": "application/json"})
    assert status == 400
    assert answer["error"]["message"]
    assert house.dispatcher.events == []


async def test_another_scene_is_refused(house: House) -> None:
    status, answer = await house.post(ROUTE, json={"rtmp_url": GOOD, "scene_name": "Desktop"})
    assert (status, answer["error"]["code"]) == (409, "other_scene")


async def test_a_form_is_not_taken_for_json(house: House) -> None:
    status, _ = await house.post(ROUTE, data={"rtmp_url": GOOD})
    assert status == 415


async def test_the_seed_s_template_names_the_server_too() -> None:
    seed = "rtmp://streams.example:1936/motherstream/live?stream_key={stream_key}"
    async with open_house(config(ingest=Ingest(rtmp_url=seed))) as house:
        status, _ = await house.post(ROUTE, json={"rtmp_url": "rtmp://streams.example:1936/motherstream/live"})
        assert status == 202
        status, _ = await house.post(ROUTE, json={"rtmp_url": GOOD})
        assert status == 400


def test_localhost_by_any_name_is_the_configured_one() -> None:
    template = "rtmp://127.0.0.1/{app}/{stream}"
    for url in ("rtmp://localhost/live/a", "rtmp://LOCALHOST:1935/live/a", "rtmp://[::1]/live/a"):
        assert read_url(url, template).url == "rtmp://127.0.0.1/live/a"
    with pytest.raises(ApiError):
        read_url("rtmp://localhost.evil.example/live/a", template)
