"""``POST /probe`` and ``GET /preview/NAME.jpg``: who may, how often, and what is said of each."""

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from daemon.config.model import Http
from daemon.config.quality import Probe
from daemon.http.routes import probe as routes
from statemachine import events as ev
from statemachine.view import Fault
from tests.daemon.http.studio import AT, House, config, open_house, place, view
from tests.daemon.quality.reports import JPEG, SILENT, report

ALICE = "srs:1/7"


async def shown(house: House) -> None:
    """Alice's session is known, and stands in the line-up."""
    session = ev.Session(ALICE, "alice", "live", "alice")
    house.sessions.open_url(session, "rtmp://127.0.0.1:1935/live/alice", AT)
    house.view = view(queue=(place("alice", 0, session=ALICE), place("bob", 1)))


def token(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


async def reported(house: House, **changes: Any) -> tuple[int, Any]:
    return await house.post("/probe", json={"streams": [report(ALICE, **changes)]})


async def test_a_report_is_answered_with_whom_to_measure() -> None:
    async with open_house() as house:
        await shown(house)
        status, answer = await house.post("/probe", json={"streams": []})
        assert status == 200
        assert answer == {
            "streams": [{"session": ALICE, "streamer": "alice", "url": "rtmp://127.0.0.1:1935/live/alice"}],
            "previews": True,
            "left_out": 0,
        }


async def test_what_is_measured_is_seen_in_the_line_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house() as house:
        await shown(house)
        await reported(house, sound=SILENT)
        _, status = await house.get("/status")
        row, other = status["queue"]
        assert other["probe"] is None
        assert (row["probe"]["video"]["codec"], row["probe"]["loudness"], row["probe"]["level"]) == (
            "h264",
            -18.0,
            None,
        )
        assert row["probe"]["silent_since"] is None
        fault = Fault("sound", "silent", AT - 6.0, -200.0)
        house.view = view(queue=house.view.queue, faults={"alice": (fault,)}, covered="silent")
        _, status = await house.get("/status")
        row = status["queue"][0]
        assert row["probe"]["silent_since"] == "2026-01-01T19:59:54Z"
        assert (row["faults"][0]["reason"], status["covered"]) == ("silent", "silent")
        assert "no sound" in row["faults"][0]["message"]


async def test_a_preview_is_a_jpeg_that_nobody_keeps() -> None:
    async with open_house() as house:
        await shown(house)
        assert (await house.get("/preview/alice.jpg"))[0] == 404
        await reported(house, preview=base64.b64encode(JPEG).decode())
        async with house.client.get("/preview/alice.jpg") as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")
            assert response.headers["Cache-Control"] == "no-store"
            assert await response.read() == JPEG
        assert (await house.get("/preview/mallory.jpg"))[0] == 404


async def test_one_that_floods_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house() as house:
        await shown(house)
        assert (await reported(house))[0] == 200
        status, answer = await reported(house)
        assert (status, answer["error"]["code"]) == (429, "too_often")
        monkeypatch.setattr(routes, "EVERY", 0.0)
        assert (await reported(house))[0] == 200


async def test_where_no_probe_is_wanted_it_is_turned_away() -> None:
    settings = config().model_copy(update={"probe": Probe(enabled="off")})
    async with open_house(settings) as house:
        status, answer = await house.post("/probe", json={"streams": []})
        assert (status, answer["error"]["code"]) == (403, "probe_off")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"streams": "no"},
        {"streams": [{}]},
        {"streams": [{**report(ALICE), "kbps": float("nan")}]},
        {"streams": [{**report(ALICE), "kbps": 1e300}]},
        {"streams": [{**report(ALICE), "preview": "x" * 100_000}]},
        {"streams": [report(ALICE)] * 100},
    ],
)
async def test_nonsense_is_refused_and_told_to_nobody(body: Any) -> None:
    async with open_house() as house:
        await shown(house)
        status, answer = await house.post("/probe", json=body)
        assert (status, answer["error"]["code"]) == (400, "bad_value")
        assert house.measured == []


async def test_with_a_token_of_its_own_it_may_report_and_nothing_else() -> None:
    settings = config(token="theirs").model_copy(
        update={"probe": Probe(token=SecretStr("probes")), "http": Http(token=SecretStr("theirs"))}
    )
    async with open_house(settings) as house:
        for given, status in (("probes", 200), ("wrong", 401), ("", 401)):
            assert (await house.post("/probe", json={"streams": []}, headers=token(given)))[0] == status
        assert (await house.get("/status", headers=token("probes")))[0] == 401
        assert (await house.post("/queue/skip", headers=token("probes")))[0] == 401
        assert (await house.get("/preview/alice.jpg", headers=token("probes")))[0] == 401
        assert (await house.get("/status", headers=token("theirs")))[0] == 200


async def test_a_token_of_its_own_is_asked_for_also_where_none_else_is() -> None:
    settings = config().model_copy(update={"probe": Probe(token=SecretStr("probes"))})
    async with open_house(settings) as house:
        assert (await house.post("/probe", json={"streams": []}))[0] == 401
        assert (await house.get("/status"))[0] == 200
        assert (await house.post("/probe", json={"streams": []}, headers=token("probes")))[0] == 200


async def test_its_token_is_not_asked_for_again_once_the_daemon_s_was_given() -> None:
    settings = config(token="theirs").model_copy(update={"probe": Probe(token=SecretStr("probes"))})
    async with open_house(settings) as house:
        assert (await house.post("/probe", json={"streams": []}, headers=token("theirs")))[0] == 200
