"""The line-up over HTTP."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from daemon.core.ports import Streamer
from daemon.ingest.hook import refused
from statemachine import events as ev
from statemachine.lineup.entry import Problem
from statemachine.policy import Policy
from tests.daemon.http.studio import AT, OWNER, House, place, view

WELL: dict[str, Any] = {"problem": None, "passed_over": False, "faults": [], "probe": None}
"""What is said of one of whom nothing is measured."""


async def test_the_status_is_as_the_contract_has_it(house: House) -> None:
    assert await house.get("/status") == (
        200,
        {
            "channel": "main",
            "state": "STANDBY",
            "attempt": 12,
            "held": False,
            "covered": None,
            "on_air": {
                "streamer": "alice",
                "input": "GMOTHERSTREAM_12",
                "since": "2026-01-01T20:00:00Z",
                "seconds": 83.2,
                "remaining": 3516.8,
                "silent_since": None,
                "live": True,
            },
            "program": {
                "scene": "MOTHERSTREAM",
                "studio_mode": False,
                "shown": True,
                "held": False,
                "input": "GMOTHERSTREAM_12",
                "blank": False,
            },
            "standby": {"streamer": "bob", "input": "GMOTHERSTREAM_13", "ready": True},
            "standby_off": None,
            "queue": [
                {"streamer": "alice", "position": 0, "since": "2026-01-01T20:00:00Z", **WELL},
                {"streamer": "bob", "position": 1, "since": "2026-01-01T20:00:00Z", **WELL},
            ],
            "obs": {
                "connected": True,
                "version": "29.0.2",
                "websocket": "5.1.0",
                "source_kind": "gstreamer-source",
            },
            "refused": [],
            "owner": OWNER,
            "last_switch": {
                "from": "carol",
                "to": "alice",
                "reason": "skip",
                "outcome": "completed",
                "seconds": 0.031,
            },
        },
    )


async def test_what_is_not_there_is_null(house: House) -> None:
    house.view = view(on_air=None, standby=None, last_switch=None, queue=())
    _, answer = await house.get("/status")
    assert (answer["on_air"], answer["standby"], answer["last_switch"], answer["queue"]) == (None, None, None, [])


async def test_who_cannot_come_on_air_has_a_reason_in_one_word_and_what_to_do(house: House) -> None:
    blind = place("bob", 1, problem=Problem("codec", "hevc", AT))
    house.view = view(queue=(place("alice", 0), blind))
    for path in ("/status", "/queue"):
        _, answer = await house.get(path)
        assert answer["queue"][0]["problem"] is None
        assert answer["queue"][1]["problem"]["reason"] == "codec"
        assert "HEVC (H.265): set the encoder to H.264" in answer["queue"][1]["problem"]["message"]


async def test_who_was_refused_is_told_for_a_while_without_any_key(house: House) -> None:
    for _ in range(3):
        house.refusals.note(refused("no_key", "the publish URL has no key"), AT)
    for number in range(30):
        house.refusals.note(refused("path_taken", "it is bob's", streamer=f"s{number}"), AT)
    _, answer = await house.get("/status")
    assert len(answer["refused"]) == 20
    assert answer["refused"][0] == {
        "at": "2026-01-01T20:00:00Z",
        "streamer": "s29",
        "address": None,
        "reason": "path_taken",
        "message": "it is bob's",
        "count": 1,
    }
    house.refusals.unblock("s29")
    _, answer = await house.get("/status")
    assert answer["refused"][0]["streamer"] == "s28"


@pytest.mark.parametrize(
    ("value", "level"), [(-70.5, -70.5), (None, -200.0), (-1e9, -200.0), (0, 0.0), (99, 20.0), (10**400, 20.0)]
)
async def test_a_measurement_reaches_the_rules(house: House, value: float | None, level: float) -> None:
    body = {"streamer": "alice", "quantity": "sound", "value": value}
    status, _ = await house.post("/measurements", json=body)
    assert (status, house.dispatcher.events) == (200, [ev.Measured(AT, "alice", "sound", level)])


@pytest.mark.parametrize(
    "wrong",
    [{"streamer": ""}, {"streamer": 7}, {"quantity": "smell"}, {"value": "loud"}, {"value": True}, {"value": [1]}],
)
async def test_what_is_no_measurement_is_refused(house: House, wrong: dict[str, object]) -> None:
    body = {"streamer": "alice", "quantity": "sound", "value": -20.0} | wrong
    status, answer = await house.post("/measurements", json=body)
    assert (status, house.dispatcher.events) == (400, [])
    assert answer["error"]["code"] in ("bad_name", "bad_value")


async def test_a_plugin_that_was_replaced_is_not_the_kind_of_source_that_is_told(house: House) -> None:
    house.view = view(fallen_back=True)
    _, answer = await house.get("/status")
    assert answer["obs"]["source_kind"] == "ffmpeg_source"


async def test_the_line_up_in_detail(house: House) -> None:
    away = place("bob", 1, publishing=False, grace_ends=AT + 90.2)
    house.view = view(queue=(place("alice", 0), away), blocks={"mallory": AT + 383.2}, held=True)
    status, answer = await house.get("/queue")
    assert status == 200
    assert answer["held"] is True
    assert answer["queue"][1] == {
        "streamer": "bob",
        "position": 1,
        "since": "2026-01-01T20:00:00Z",
        "publishing": False,
        "has_turn": False,
        "turn": 3600.0,
        "stalled": False,
        "failures": 0,
        "grace_remaining": 7.0,
        **WELL,
    }
    assert answer["blocked"] == [{"streamer": "mallory", "seconds": 300.0}]


@pytest.mark.parametrize(
    ("method", "path", "event"),
    [
        ("POST", "/queue/skip", ev.SkipRequested(AT)),
        ("POST", "/queue/hold", ev.Held(AT)),
        ("POST", "/queue/release", ev.Released(AT)),
        ("POST", "/queue/bob/move?position=1", ev.MoveRequested(AT, "bob", 1)),
        ("POST", "/queue/bob/kick", ev.KickRequested(AT, "bob", 300.0)),
        ("POST", "/queue/bob/kick?seconds=12.5", ev.KickRequested(AT, "bob", 12.5)),
        ("POST", "/queue/bob/unblock", ev.LetInRequested(AT, "bob")),
        ("POST", "/queue/bob/let-in", ev.LetInRequested(AT, "bob")),
        ("DELETE", "/queue/bob", ev.RemoveRequested(AT, "bob")),
        ("DELETE", "/queue/DJ%20%C3%96tzi", ev.RemoveRequested(AT, "DJ Ötzi")),
        ("DELETE", "/queue/a%2Fb", ev.RemoveRequested(AT, "a/b")),
        ("DELETE", "/queue/skip", ev.RemoveRequested(AT, "skip")),
        ("POST", "/update-timer/900", ev.TurnChanged(AT, 900.0, None, False)),
        ("POST", "/update-timer/900?reset_time=true", ev.TurnChanged(AT, 900.0, None, True)),
        ("POST", "/update-timer/900?streamer=bob", ev.TurnChanged(AT, 900.0, "bob", False)),
        ("POST", "/block-toggle", ev.SettingChanged(AT, "block_last", True)),
        ("POST", "/debug/set-source-z-offset?z_offset=3", ev.SettingChanged(AT, "z_offset", 3)),
        ("POST", "/debug/obs-job-delay?delay_seconds=0.5", ev.SettingChanged(AT, "job_delay", 0.5)),
    ],
)
async def test_each_request_is_one_event(house: House, method: str, path: str, event: ev.Event) -> None:
    async with house.client.request(method, path) as response:
        answer = await response.json()
    assert response.status == 200
    assert answer["status"] == "success"
    assert answer["message"]
    assert house.dispatcher.events == [event]


@pytest.mark.parametrize(
    "path",
    [
        "/queue/bob/move",
        "/queue/bob/move?position=x",
        "/queue/bob/move?position=-1",
        "/queue/bob/move?position=1e400",
        "/queue/bob/move?position=1_0",
        "/queue/bob/move?position=%201",
        "/queue/bob/move?position=" + "9" * 5000,
        "/queue/bob/kick?seconds=nan",
        "/queue/bob/kick?seconds=inf",
        "/queue/bob/kick?seconds=1_0",
        "/queue/bob/kick?seconds=1e999",
        "/queue/bob/kick?seconds=-1",
        "/queue/bob/kick?seconds=",
        "/queue/%00/kick",
        "/queue/%1b%5b31m/kick",
        "/queue/" + "x" * 300 + "/kick",
        "/update-timer/0",
        "/update-timer/604801",
        "/update-timer/soon",
        "/update-timer/900?reset_time=maybe",
        "/update-timer/900?streamer=",
        "/update-timer/900?streamer=%00",
        "/debug/set-source-z-offset",
        "/debug/set-source-z-offset?z_offset=-1",
        "/debug/set-source-z-offset?z_offset=1.5",
        "/debug/obs-job-delay?delay_seconds=61",
    ],
)
async def test_a_value_that_cannot_be_is_refused_and_asks_nobody(house: House, path: str) -> None:
    status, answer = await house.post(path)
    assert status == 400
    assert set(answer) == {"error"}
    assert set(answer["error"]) == {"code", "message"}
    assert house.dispatcher.events == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("nobody_on_air", 409),
        ("nobody_waits", 409),
        ("not_found", 404),
        ("bad_position", 400),
        ("bad_setting", 400),
        ("on_air", 409),
    ],
)
async def test_the_rules_refusal_is_the_answer(house: House, code: str, status: int) -> None:
    house.dispatcher.refuse(code, "it will not do")
    answer = await house.post("/queue/skip")
    assert answer == (status, {"error": {"code": code, "message": "it will not do"}})


async def test_a_busy_daemon_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.core.operator.ASK_SECONDS", 0.02)
    house.dispatcher.stuck = asyncio.Event()
    status, answer = await house.post("/queue/skip")
    assert (status, answer["error"]["code"]) == (503, "busy")


async def test_the_names_that_scripts_know_answer_as_they_did(house: House) -> None:
    house.policy = Policy(turn=1800.0, block_last=True, z_offset=4, job_delay=2.5)
    answers: dict[str, Any] = {
        "/queue-json": {"stream_queue": ["alice", "bob"]},
        "/time-settings": {"swap_interval": 1800, "remaining_time": 3516},
        "/timer-data": {"remaining_time": 3516},
        "/block-toggle": {"is_blocked": True},
    }
    for path, expected in answers.items():
        assert await house.get(path) == (200, expected)
    assert (await house.get("/debug/get-source-z-offset"))[1]["z_offset"] == 4
    assert (await house.get("/debug/obs-job-delay"))[1]["obs_job_delay_seconds"] == 2.5
    house.view = view(on_air=None)
    assert (await house.get("/time-settings"))[1]["remaining_time"] == 0
    assert (await house.get("/timer-data"))[1]["remaining_time"] == 0


async def test_a_kick_says_whether_anybody_was_there(house: House) -> None:
    """Or a name that was mistyped at three in the morning looks like a kick."""
    assert (await house.post("/queue/bob/kick"))[1]["message"] == "bob is kicked, and blocked for 300 s"
    _, answer = await house.post("/queue/bbo/kick")
    assert answer["message"] == "bbo is not in the line-up, and blocked for 300 s"


@pytest.mark.parametrize(
    ("given", "meant"),
    [("ALICE", "alice"), (" alice ", "alice"), ("Mallory", "mallory"), ("Bob", "Bob"), ("BOB", "BOB"), ("eve", "Eve")],
)
async def test_a_name_is_found_however_it_is_written(house: House, given: str, meant: str) -> None:
    """A kick of "ALICE" that says it is done, while alice stays on air, would be of no help."""
    queue = (place("alice", 0), place("bob", 1), place("Bob", 2))
    house.view = view(queue=queue, blocks={"mallory": AT + 383.2})
    house.keys.streamers["k"] = Streamer("Eve")
    for path in (f"/queue/{quote(given)}/kick", f"/queue/{quote(given)}/unblock"):
        assert (await house.post(path))[1]["streamer"] == meant


async def test_a_toggle_turns_back_what_is_on(house: House) -> None:
    house.policy = Policy(block_last=True)
    await house.post("/block-toggle")
    assert house.dispatcher.events == [ev.SettingChanged(AT, "block_last", False)]


async def test_the_last_hand_overs(house: House) -> None:
    house.history = [{"attempt": number} for number in range(100)]
    _, answer = await house.get("/history?count=2")
    assert answer == {"history": [{"attempt": 0}, {"attempt": 1}]}
    assert (await house.get("/history?count=0"))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/queue/skip", 405, "method_not_allowed"),
        ("PUT", "/status", 405, "method_not_allowed"),
        ("DELETE", "/status", 405, "method_not_allowed"),
        ("GET", "/hooks/srs", 405, "method_not_allowed"),
    ],
)
async def test_every_error_has_the_one_form(house: House, method: str, path: str, status: int, code: str) -> None:
    async with house.client.request(method, path) as response:
        answer = await response.json()
    assert response.status == status
    assert answer["error"]["code"] == code
    assert ("Allow" in response.headers) == (status == 405)


async def test_a_fault_of_ours_is_told_in_the_log_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("daemon.http.views.status", broken)
    async with house.client.get("/status") as response:
        text = await response.text()
    assert response.status == 500
    assert "secret detail" not in text
    assert "Traceback" not in text
    assert '"code": "internal"' in text


async def test_every_answer_is_closed_to_other_pages_and_to_caches(house: House) -> None:
    for path in ("/status", "/nowhere", "/healthz"):
        async with house.client.get(path) as response:
            await response.read()
        assert response.headers["Server"] == "motherstream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers
