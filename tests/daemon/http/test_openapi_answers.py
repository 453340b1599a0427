"""Real answers held against the description: of a daemon that runs a show, and of one in every kind of trouble."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.core.ports import Check, ObsError, ObsGone, ObsInfo, ObsRefused, ObsTimeout
from daemon.http.auth import HOOK, PEER, WRONG_TOKENS, peer_value
from daemon.http.limits import BODY_BYTES
from daemon.http.openapi.events import EVENTS
from daemon.http.routes import pair, probe
from daemon.http.routes.events import Bounds, EventHub
from daemon.ingest.hook import FORM, JSON
from statemachine import facts
from statemachine.events import Actor
from statemachine.handover.states import State
from tests.daemon.http.described import Description
from tests.daemon.http.live import Live
from tests.daemon.http.routes.test_events import take
from tests.daemon.http.samples import asked_for
from tests.daemon.http.studio import AT, PEER_SECRET, SWITCH, House, config, open_house, view
from tests.daemon.ingest.test_hook_bodies import MEDIAMTX, NGINX, ORYX, SRS5, body

DESCRIPTION = Description()
URL = "rtmp://127.0.0.1:1935/live/zoe"

REQUESTS: dict[str, tuple[str, bytes | None]] = {
    "GET /status": ("/status", None),
    "GET /queue": ("/queue", None),
    "GET /history": ("/history?count=5", None),
    "GET /states": ("/states", None),
    "GET /thumbnail": ("/thumbnail?size=large", None),
    **{f"{address.method} {address.path}": (asked, None) for _, address, asked in asked_for()},
    "GET /queue-json": ("/queue-json", None),
    "GET /time-settings": ("/time-settings", None),
    "GET /timer-data": ("/timer-data", None),
    "POST /update-timer/{seconds}": ("/update-timer/900?reset_time=true&streamer=alice", None),
    "GET /block-toggle": ("/block-toggle", None),
    "POST /block-toggle": ("/block-toggle", None),
    "GET /obs/list-inputs": ("/obs/list-inputs", None),
    "GET /obs/media-input-status/{input}": ("/obs/media-input-status/GMOTHERSTREAM_1", None),
    "GET /obs/connection-health": ("/obs/connection-health", None),
    "POST /obs/force-reconnect": ("/obs/force-reconnect", None),
    "POST /notify/test": ("/notify/test", None),
    "POST /measurements": ("/measurements", b'{"streamer":"alice","quantity":"sound","value":-70.5}'),
    "POST /probe": ("/probe", b'{"streams":[]}'),
    "GET /preview/{name}.jpg": ("/preview/alice.jpg", None),
    "GET /obs/streaming-status": ("/obs/streaming-status", None),
    "POST /debug/test-dynamic-source-switch": (
        "/debug/test-dynamic-source-switch",
        json.dumps({"rtmp_url": URL, "scene_name": "MOTHERSTREAM"}).encode(),
    ),
    "POST /debug/set-source-z-offset": ("/debug/set-source-z-offset?z_offset=3", None),
    "GET /debug/get-source-z-offset": ("/debug/get-source-z-offset", None),
    "GET /debug/obs-job-delay": ("/debug/obs-job-delay", None),
    "POST /debug/obs-job-delay": ("/debug/obs-job-delay?delay_seconds=0", None),
    "GET /healthz": ("/healthz", None),
    "GET /readyz": ("/readyz", None),
    "GET /metrics": ("/metrics", None),
    "GET /owner": ("/owner", None),
    "GET /fleet": ("/fleet", None),
    "POST /step-down": ("/step-down", None),
    "POST /peer/hook": ("/peer/hook", b'{"server":"srs","content_type":"application/json","body":""}'),
    "GET /stream-health/current": ("/stream-health/current", None),
    "GET /stream-health/history": ("/stream-health/history?count=3", None),
    "GET /stream-health/status": ("/stream-health/status", None),
    "GET /": ("/", None),
    "GET /dashboard/{file}": ("/dashboard/main.js", None),
    "GET /sign-in": ("/sign-in", None),
    "POST /sign-in": ("/sign-in", b'{"token":"x"}'),
    "POST /sign-out": ("/sign-out", None),
    "GET /openapi.json": ("/openapi.json", None),
    "POST /hooks/srs": ("/hooks/srs", body(SRS5)),
    "POST /hooks/oryx": ("/hooks/oryx", body(ORYX, stream="bob")),
    "POST /hooks/nginx-rtmp": ("/hooks/nginx-rtmp", NGINX.replace(b"name=alice", b"name=carol")),
    "GET /hooks/nginx-rtmp": ("/hooks/nginx-rtmp?app=live&call=update", None),
    "POST /hooks/mediamtx": ("/hooks/mediamtx", body(MEDIAMTX, path="live/dave")),
}
"""One request of each kind that is carried out, in an order in which they can be, but the publishers first."""
LOOKING = [operation for operation in REQUESTS if operation.startswith("GET")]
CHANGING = [operation for operation in REQUESTS if not operation.startswith(("GET", "POST /hooks/", "POST /peer/"))]
HOOKS = [operation for operation in REQUESTS if operation.startswith("POST /hooks/")]
SENT = {operation: FORM if operation == "POST /hooks/nginx-rtmp" else JSON for operation in REQUESTS}
MOST = {"POST /probe": probe.BODY_BYTES, "POST /peer/hook": pair.BODY_BYTES}
"""Bytes of a body where they are more than of others."""
OTHERWISE = {
    "GET /thumbnail": 503,
    "GET /preview/{name}.jpg": 404,
    "GET /fleet": 409,
    "POST /step-down": 409,
    "POST /peer/hook": 403,
}
"""The fake OBS draws no JPEG, no probe looks, and no store is shared."""
RULES = {
    "bad_position",
    "bad_setting",
    "blocked",
    "handover_pending",
    "name_taken",
    "nobody_on_air",
    "nobody_waits",
    "no_picture",
    "not_blocked",
    "not_found",
    "not_publishing",
    "on_air",
}
"""The codes of the rules' refusals, but those that publishers get."""
NEVER_REFUSED = {"POST /queue/hold", "POST /queue/release", "POST /queue/{name}/kick", "POST /measurements"}


def test_there_is_a_request_for_every_operation() -> None:
    assert set(REQUESTS) | {"GET /events"} == set(DESCRIPTION.operations)


# --- a show, from its begin to its end ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Live(tmp_path_factory.mktemp("live"), notify__urls="json://127.0.0.1:9/nobody") as started:
        yield started


def answered(live: Live, operation: str, path: str = "", sent: bytes | None = None) -> tuple[int, Any]:
    """The status and, where there is one, the error's code; the answer is as described."""
    method = operation.partition(" ")[0]
    if not path:
        path, sent = REQUESTS[operation]
    answer = live.ask(method, path, sent, SENT[operation])
    DESCRIPTION.check(operation, answer.status, answer.content_type, answer.body)
    decoded = json.loads(answer.body) if answer.content_type.startswith(JSON) else {}
    return answer.status, decoded.get("error", {}).get("code")


def test_a_show_answers_as_described(live: Live) -> None:
    # Nobody is there.
    for operation in LOOKING:
        expected = OTHERWISE.get(operation, 404 if "{input}" in operation else 200)
        assert answered(live, operation)[0] == expected, operation
    for operation, status, code in (
        ("POST /queue/skip", 409, "nobody_on_air"),
        ("POST /queue/{name}/move", 404, "not_found"),
        ("DELETE /queue/{name}", 404, "not_found"),
        ("POST /update-timer/{seconds}", 404, "not_found"),
    ):
        assert answered(live, operation) == (status, code)

    # Alice comes first, alone; then the others, each through another server.
    first, *others = HOOKS
    assert answered(live, first)[0] == 200
    live.until(lambda: live.on_air() == "alice")
    assert answered(live, "POST /queue/skip") == (409, "nobody_waits")
    for operation in others:
        assert answered(live, operation)[0] == 200
    live.until(lambda: (live.get("/status")["standby"] or {}).get("ready"))
    live.until(lambda: live.get("/stream-health/current")["streamer"] == "alice")
    for operation in LOOKING:
        assert answered(live, operation)[0] == OTHERWISE.get(operation, 200), operation
    for path, status, code in (
        ("/queue/alice/move?position=2", 409, "on_air"),
        ("/queue/bob/move?position=0", 400, "bad_position"),
        ("/queue/bob/move?position=99", 400, "bad_position"),
        ("/queue/bob/move?position=x", 400, "bad_value"),
    ):
        assert answered(live, "POST /queue/{name}/move", path) == (status, code)
    test = "POST /debug/test-dynamic-source-switch"
    for url, status, code in (
        ("rtmp://127.0.0.1:1935/live/alice", 409, "on_air"),
        ("rtmp://elsewhere.example/live/alice", 400, "other_host"),
    ):
        assert answered(live, test, REQUESTS[test][0], json.dumps({"rtmp_url": url}).encode()) == (status, code)

    # Everything that can be done is.
    for operation in CHANGING:
        if operation == "POST /queue/{name}/let-in":  # the former name of what was done a moment ago
            assert answered(live, "POST /queue/{name}/kick") == (200, None)
        assert answered(live, operation)[0] == (202 if operation == test else OTHERWISE.get(operation, 200)), operation
    assert answered(live, "POST /queue/{name}/kick", "/queue/dave/kick?seconds=600") == (200, None)
    refused = body(MEDIAMTX, path="live/dave", id="another")
    assert answered(live, "POST /hooks/mediamtx", "/hooks/mediamtx", refused) == (401, "blocked")
    live.until(lambda: live.get("/history")["history"])
    for operation in LOOKING:
        if "{input}" not in operation:  # which may or may not be gone by now
            assert answered(live, operation)[0] == OTHERWISE.get(operation, 200), operation


def test_without_obs_all_is_as_described(tmp_path: Path) -> None:
    with Live(tmp_path, with_obs=False) as alone:
        for operation in LOOKING:
            status, _ = answered(alone, operation)
            needs_obs = "502" in DESCRIPTION.operations[operation]["responses"]
            otherwise = 503 if operation == "GET /readyz" else OTHERWISE.get(operation, 200)
            assert status == (503 if needs_obs else otherwise), operation


# --- trouble -----------------------------------------------------------------------------------------------------


async def check(house: House, operation: str, **more: Any) -> tuple[int, str]:
    """The status and the error's code; the answer is as described."""
    path, sent = REQUESTS[operation]
    headers = {"Content-Type": SENT[operation]} if sent is not None else {}
    asked = {"data": sent, **more, "headers": {PEER: peer_value(PEER_SECRET, HOOK), **more.get("headers", headers)}}
    if operation != "POST /peer/hook":
        del asked["headers"][PEER]
    async with house.client.request(operation.partition(" ")[0], path, **asked) as response:
        raw = await response.read()
    DESCRIPTION.check(operation, response.status, response.headers.get("Content-Type", ""), raw)
    decoded = json.loads(raw) if response.content_type == JSON else {}
    return response.status, decoded.get("error", {}).get("code", "")


def that_may(status: int, code: str = "") -> list[str]:
    """The operations that may give this answer."""
    found = []
    for operation, described in DESCRIPTION.operations.items():
        if str(status) in described["responses"] and operation in REQUESTS:
            schema = DESCRIPTION.response(operation, status).get("content", {}).get(JSON, {}).get("schema", {})
            codes = schema.get("properties", {}).get("error", {}).get("properties", {}).get("code", {}).get("enum", [])
            if not code or code in codes:
                found.append(operation)
    return found


@pytest.mark.parametrize("operation", that_may(502))
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ObsGone("gone"), 503),
        (ObsTimeout("GetInputList", 5.0), 504),
        (ObsRefused("GetMediaInputStatus", 600, "No source was found"), 404),
        (ObsRefused("GetMediaInputStatus", 604, "Not a media source"), 502),
        (ObsError("odd"), 502),
    ],
)
async def test_trouble_with_obs_is_as_described(house: House, operation: str, error: ObsError, status: int) -> None:
    house.studio.error = error
    assert (await check(house, operation))[0] == status


@pytest.mark.parametrize("operation", that_may(503, "busy"))
async def test_what_the_rules_refuse_is_as_described(house: House, operation: str) -> None:
    refused = 0
    for status in (400, 404, 409):
        for code in sorted(RULES):
            if operation in that_may(status, code):
                house.dispatcher.refuse(code)
                assert await check(house, operation) == (status, code)
                refused += 1
    assert refused or operation in NEVER_REFUSED


@pytest.mark.parametrize("operation", that_may(503, "busy"))
async def test_a_busy_daemon_says_so_as_described(
    house: House, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.core.operator.ASK_SECONDS", 0.01)
    house.dispatcher.stuck = asyncio.Event()
    assert await check(house, operation) == (503, "busy")


@pytest.mark.parametrize("operation", that_may(413))
async def test_a_body_that_will_not_do_is_refused_as_described(
    house: House, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = {"Content-Type": SENT[operation]}
    assert (await check(house, operation, data=b"%", headers=kind))[0] in (400, 401)
    assert (await check(house, operation, data=b"x", headers={"Content-Type": "text/plain"}))[0] == 415
    too_long = io.BytesIO(b"x" * (MOST.get(operation, BODY_BYTES) + 1))
    assert (await check(house, operation, data=too_long, headers=kind))[0] == 413

    async def nothing_more() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    monkeypatch.setattr("daemon.http.limits.BODY_SECONDS", 0.01)
    assert (await check(house, operation, data=nothing_more(), headers=kind))[0] == 408


@pytest.mark.parametrize("operation", [*CHANGING, *HOOKS])
async def test_a_page_of_another_site_is_refused_as_described(house: House, operation: str) -> None:
    headers = {"Origin": "https://evil.example", "Content-Type": SENT[operation]}
    status, code = await check(house, operation, headers=headers)
    assert (status, code) == (401 if "mediamtx" in operation else 403, "cross_site")
    assert house.dispatcher.events == []


@pytest.mark.parametrize("operation", that_may(403, "bad_host"))
async def test_another_host_s_name_is_refused_as_described(house: House, operation: str) -> None:
    assert await check(house, operation, headers={"Host": "rebound.example"}) == (403, "bad_host")


@pytest.mark.parametrize("operation", [*that_may(429), "POST /sign-in"])
async def test_wrong_tokens_are_refused_as_described(operation: str) -> None:
    async with open_house(config("t0ken")) as house:
        wrong = {"Authorization": "Bearer wrong", "Content-Type": JSON}
        answers = [await check(house, operation, headers=wrong) for _ in range(WRONG_TOKENS)]
        # On a slow machine some are forgiven meanwhile.
        while answers[-1][0] == 401 and len(answers) < 10 * WRONG_TOKENS:
            answers.append(await check(house, operation, headers=wrong))
    assert set(answers) == {(401, "unauthorized"), (429, "too_many_tries")}


async def test_probes_that_fail_are_as_described(house: House) -> None:
    house.alive = False
    house.checks = [Check("obs", False, "not connected"), Check("journal", True)]
    assert await check(house, "GET /healthz") == (503, "")
    assert await check(house, "GET /readyz") == (503, "")


async def test_before_the_first_sample_all_is_as_described(house: House) -> None:
    assert await check(house, "GET /stream-health/current") == (200, "")


async def test_a_fault_of_ours_is_as_described(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("daemon.http.views.status", broken)
    assert await check(house, "GET /status") == (500, "internal")
    assert that_may(500) == [operation for operation in DESCRIPTION.operations if operation in REQUESTS]


async def test_a_picture_is_as_described(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def picture(_: int) -> bytes:
        return b"\xff\xd8\xff\xd9"

    monkeypatch.setattr(house.studio, "screenshot", picture)
    assert await check(house, "GET /thumbnail") == (200, "")


async def test_what_is_not_known_is_as_described(house: House) -> None:
    house.view = view(on_air=None, standby=None, last_switch=None, queue=(), blocks={"mallory": AT + 100})
    house.studio.info = ObsInfo(False)
    for operation in ("GET /status", "GET /queue", "GET /time-settings", "GET /obs/connection-health"):
        assert await check(house, operation) == (200, "")
    assert await check(house, "POST /obs/force-reconnect") == (200, "")


# --- what is not JSON --------------------------------------------------------------------------------------------


async def test_a_file_that_is_known_already_is_as_described(house: House) -> None:
    async with house.client.get("/dashboard/main.js") as response:
        etag = response.headers["ETag"]
    async with house.client.get("/dashboard/main.js", headers={"If-None-Match": etag}) as response:
        DESCRIPTION.check("GET /dashboard/{file}", response.status, "", await response.read())
    assert response.status == 304


@pytest.mark.parametrize("file", ["index.html", "main.js", "dashboard.css", "icon.svg"])
async def test_each_kind_of_file_is_as_described(house: House, file: str) -> None:
    async with house.client.get(f"/dashboard/{file}") as response:
        raw = await response.read()
    DESCRIPTION.check("GET /dashboard/{file}", response.status, response.headers["Content-Type"], raw)
    assert response.status == 200


async def test_every_event_is_as_described(house: House) -> None:
    told = (
        facts.StateChanged(AT, State.STANDBY, "TurnCame", State.SWAPPING, 12),
        SWITCH,
        facts.OnAirChanged(AT, "alice", "GMOTHERSTREAM_12"),
        facts.ProgramElsewhere(AT, "BREAK", "alice", False, True),
        facts.ProgramBack(AT, "MOTHERSTREAM", "alice", 12.0),
        facts.StudioModeChanged(AT, True, "leave"),
        facts.LineupChanged(AT, "joined", "bob"),
        facts.LowBitrate(AT, "alice", "warn", 120.0),
        facts.MeasuredInLine(AT, "bob", "loudness", "warn", 30.0, -37.0),
        facts.ProblemFound(AT, "bob", "codec", "hevc"),
        facts.ProblemOver(AT, "bob", "codec"),
        facts.PluginFailed(AT, "its media state is OBS_MEDIA_STATE_ERROR"),
        facts.PluginWorks(AT),
        facts.SilenceOnAir(AT, "alice", "seen", 5.0, -90.0),
        facts.MeasuredOnAir(AT, "alice", "sound", "seen", 5.0, -90.0),
        facts.StandbyGivenUp(AT, 0.31, 30.0),
        facts.StandbyTakenUp(AT),
        facts.LineupChanged(AT, "kicked", "bob", Actor("token", "nadia")),
        facts.SettingMade(AT, "turn", 900.0, Actor("local")),
        facts.Refused(AT, "not_found", "bob is not in the line-up", Actor("sign-in")),
        facts.OrphanReported(AT, "GMOTHERSTREAM_11", "OBS does not answer"),
        facts.FixtureMissing(AT, "slate", "SLATE"),
        facts.FixtureFound(AT, "slate", "SLATE"),
        facts.ForeignInputsSeen(AT, "a1b2, scene TWO", "GMOTHERSTREAM_1, GMOTHERSTREAM_2"),
    )
    async with house.client.get("/events") as response:
        house.hub.publish_facts(told)
        house.hub.publish("health_changed", {"at": "2026-01-01T20:00:00Z", "score": 97.5, "issues": ["render_lag"]})
        events = await take(response, 2 + len(told))
    assert {event["event"] for event in events} == set(EVENTS)
    for event in events:
        DESCRIPTION.check_data(EVENTS[event["event"]], json.loads(event["data"]), event["event"])
    kind = response.headers["Content-Type"]
    assert kind in DESCRIPTION.response("GET /events", response.status)["content"]


async def test_one_listener_too_many_is_refused_as_described() -> None:
    async with (
        open_house(hub=EventHub(bounds=Bounds(most_subscribers=0))) as house,
        house.client.get("/events") as response,
    ):
        raw = await response.read()
    DESCRIPTION.check("GET /events", response.status, response.headers["Content-Type"], raw)
    assert response.status == 503
