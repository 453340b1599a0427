"""``/stream-health/*``, with a monitor that says what a test lays ready."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from daemon.http.errors import errors
from daemon.http.routes.stream_health import StreamHealthRoutes
from daemon.http.shapes.parameters import MOST_SAMPLES

ROW = {"score": 97.5, "issues": ["render_lag"], "streamer": "alice"}


class Monitor:
    def __init__(self) -> None:
        self.now: dict[str, Any] = {"monitoring_active": True, **ROW}
        self.asked: list[int] = []

    def current(self) -> Any:
        return self.now

    def rows(self, count: int) -> Sequence[bytes]:
        self.asked.append(count)
        return [json.dumps(ROW).encode()] * min(count, 3)

    def status(self) -> Any:
        return {"monitoring_active": True, "samples": 7}


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()


@pytest.fixture
async def api(monitor: Monitor) -> AsyncIterator["TestClient[Any, Any]"]:
    app = web.Application(middlewares=[errors])
    app.add_routes(StreamHealthRoutes(monitor).routes())
    async with TestClient(TestServer(app)) as made:
        yield made


async def read(api: "TestClient[Any, Any]", path: str) -> tuple[int, Any]:
    async with api.get(path) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def test_the_current_health_has_its_score_at_the_top(api: "TestClient[Any, Any]") -> None:
    assert await read(api, "/stream-health/current") == (
        200,
        {"status": "success", "monitoring_active": True, "score": 97.5, "issues": ["render_lag"], "streamer": "alice"},
    )


async def test_before_the_first_sample_it_says_so(api: "TestClient[Any, Any]", monitor: Monitor) -> None:
    monitor.now = {"monitoring_active": True, "score": None, "issues": []}
    status, answer = await read(api, "/stream-health/current")
    assert (status, answer["status"], answer["score"]) == (200, "no_monitoring", None)


async def test_the_history_is_as_long_as_asked_for(api: "TestClient[Any, Any]", monitor: Monitor) -> None:
    assert await read(api, "/stream-health/history?count=2") == (
        200,
        {"status": "success", "count": 2, "history": [ROW, ROW]},
    )
    await read(api, "/stream-health/history")
    assert monitor.asked == [2, 20]


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "", str(MOST_SAMPLES + 1), "9" * 400])
async def test_a_count_that_cannot_be_is_refused(api: "TestClient[Any, Any]", count: str) -> None:
    status, answer = await read(api, f"/stream-health/history?count={count}")
    assert (status, answer["error"]["code"]) == (400, "bad_value")


async def test_the_status_says_how_the_monitoring_goes(api: "TestClient[Any, Any]") -> None:
    assert await read(api, "/stream-health/status") == (
        200,
        {"status": "success", "monitoring_active": True, "samples": 7},
    )


@pytest.mark.parametrize("path", ["current", "history", "status"])
async def test_nothing_can_be_changed_here(api: "TestClient[Any, Any]", path: str) -> None:
    async with api.post(f"/stream-health/{path}") as response:
        assert response.status == 405
